"""Which of the objects in a picture it is about, and how their masks are put together."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from analyzers.models.detector import COCO_LABELS
from analyzers.models.segmenter import Instances

PERSON = COCO_LABELS.index("person")
_ANIMALS = range(COCO_LABELS.index("bird"), COCO_LABELS.index("giraffe") + 1)
#: What stands about: never the subject.
_FURNISHING = {
    COCO_LABELS.index(label)
    for label in ("bench", "chair", "couch", "potted plant", "bed", "dining table", "clock")
}
#: Eyes go to people first, then to animals (Judd et al. 2009, "Learning to predict where humans
#: look"): by so much their area counts more.
_PERSON_WEIGHT, _ANIMAL_WEIGHT = 3.0, 2.0
#: What weighs less than this part of the weightiest is in the background: passers-by, the ball.
_LEAST_OF_LARGEST = 0.25
#: Part of the frame under which nothing is the subject.
_LEAST_SHARE = 0.01

#: Overlap of masks (IoU) over which two are one object that was taken for two classes.
_SAME_OBJECT_IOU = 0.6

#: How far from the segmenter's outline the selfie network decides, in parts of the square root of
#: the person's area: on composites 0.03 gave IoU 0.963, 0.06 0.956, and 0.943 without it.
_OUTLINE = 0.03
#: How much wider than the person its picture is cut.
_MARGIN = 0.15


def distinct(found: Instances) -> Instances:
    """Without those that cover what a more confident one covers (a ball that is also a frisbee)."""
    kept: list[int] = []
    for k, mask in enumerate(found.masks):
        if mask.any() and not any(_iou(mask, found.masks[i]) > _SAME_OBJECT_IOU for i in kept):
            kept.append(k)
    return Instances(
        found.boxes[kept], found.confidence[kept], found.class_ids[kept], found.masks[kept]
    )


def subject_of(class_ids: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Which objects the picture is about, their places, the weightiest first; maybe none.

    `shares`: the part of the frame that each covers, 0..1. An object weighs its share, animals
    twice and people three times that.
    """
    weights = np.array([_weight(int(c)) for c in class_ids]) * shares
    weights[shares < _LEAST_SHARE] = 0
    if not len(weights) or not weights.max():
        return np.array([], np.int64)
    order = np.argsort(-weights, kind="stable")
    return order[weights[order] >= _LEAST_OF_LARGEST * weights.max()]


def _weight(class_id: int) -> float:
    if class_id == PERSON:
        return _PERSON_WEIGHT
    if class_id in _ANIMALS:
        return _ANIMAL_WEIGHT
    return 0.0 if class_id in _FURNISHING else 1.0


def refined(
    mask: np.ndarray, picture: np.ndarray, near: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """A person's mask, bool (height, width), with the outline that a network of near people gives.

    `near` tells for an RGB picture how sure each pixel is of a person. It sees the person cut out,
    and decides only close to the outline: inside and far outside the mask stays what it was.
    """
    height, width = mask.shape
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    rim_y, rim_x = (int(_MARGIN * (side[-1] - side[0])) for side in (ys, xs))
    top, bottom = max(0, ys[0] - rim_y), min(height, ys[-1] + 1 + rim_y)
    left, right = max(0, xs[0] - rim_x), min(width, xs[-1] + 1 + rim_x)
    part = np.s_[top:bottom, left:right]
    radius = max(2, round(_OUTLINE * float(mask.sum()) ** 0.5))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    own = mask[part].astype(np.uint8)
    outer, inner = cv2.dilate(own, disc) > 0, cv2.erode(own, disc) > 0
    result = mask.copy()
    result[part] = inner | (outer & (near(np.ascontiguousarray(picture[part])) > 0.5))
    return result


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))
