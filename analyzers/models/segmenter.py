"""Objects of COCO's classes with their outlines in a picture: YOLO segmentation (Ultralytics)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.detector import COCO_LABELS, Letterbox, not_of_coco, suppress
from analyzers.models.lending import ModelChoice
from analyzers.models.networks import ManyOutputNetwork, open_many_output_network
from analyzers.models.ultralytics_torch import in_torch

_BOX = 4


@dataclass(frozen=True)
class Instances:
    """The objects found in one frame, most confident first.

    `boxes`: float32 (n, 4), corners relative to the frame, 0..1. `confidence`: float32 (n,).
    `class_ids`: int64 (n,), places in `COCO_LABELS`. `masks`: bool (n, height, width), in the
    frame's own pixels; two masks may overlap.
    """

    boxes: np.ndarray
    confidence: np.ndarray
    class_ids: np.ndarray
    masks: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


class Segmenter(Model):
    """YOLO segmentation (https://docs.ultralytics.com/tasks/segment), after YOLACT (Bolya 2019).

    An object's mask is a sum of 32 pictures common to all, weighted by 32 numbers of its own, and
    cut at its box. These pictures have a quarter of the input's resolution.
    """

    #: Long side of the input. They were trained on 640. 576 costs 0.8 of that, and people's masks
    #: on composites are as good (mean IoU 0.956 at both); at 544 those in the distance get worse.
    _SIZE_PX = 576
    #: How many frames `segment` likes to get at a time. One costs no more in OpenVINO than one of
    #: eight; but a number of frames it has not met before costs 80 CPU-ms once.
    batch_size = 4

    def __init__(self, identity: ModelIdentity, network: ManyOutputNetwork) -> None:
        super().__init__(identity)
        self._network = network

    def segment(self, frames: Sequence[np.ndarray], min_confidence: float) -> list[Instances]:
        """Find objects in RGB pictures of one size.

        `frames`: uint8 (height, width, 3) each. One `Instances` for each frame comes back.
        """
        height, width = frames[0].shape[:2]
        box = Letterbox.centred(height, width, self._SIZE_PX)
        places, prototypes = self._network(
            cv2.dnn.blobFromImages([box.fit(frame) for frame in frames], 1 / 255)
        )
        self.served(len(frames))
        return [
            _decode(*pair, box, min_confidence) for pair in zip(places, prototypes, strict=True)
        ]


def _decode(
    raw: np.ndarray, prototypes: np.ndarray, box: Letterbox, min_confidence: float
) -> Instances:
    """One picture's output.

    Columns of `raw` are places; rows centre x, y, width, height, a score for each class, and the
    weights of the mask. `prototypes`: (weights, height, width), for the padded picture.
    """
    scores = raw[_BOX : _BOX + len(COCO_LABELS)]
    corners, confidence, class_ids, kept = suppress(raw[:_BOX].T, scores, min_confidence)
    order = np.argsort(-confidence, kind="stable")
    boxes = box.relative(corners[order])
    weights = raw[_BOX + len(COCO_LABELS) :, kept[order]].T
    logits = np.tensordot(weights, prototypes, axes=1)
    height, width = box.source
    masks = np.zeros((len(order), height, width), bool)
    for mask, logit, corner in zip(masks, logits, boxes, strict=True):
        padded = cv2.resize(logit, box.padded[::-1], interpolation=cv2.INTER_LINEAR)
        inner = padded[box.top : box.top + box.scaled[0], box.left : box.left + box.scaled[1]]
        if box.scaled != box.source:
            inner = cv2.resize(inner, (width, height), interpolation=cv2.INTER_LINEAR)
        x1, y1, x2, y2 = np.rint(corner * [width, height, width, height]).astype(int)
        mask[y1:y2, x1:x2] = inner[y1:y2, x1:x2] > 0
    return Instances(boxes, confidence[order].astype(np.float32), class_ids[order], masks)


def load_yolo_seg(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> Segmenter:
    """Load an Ultralytics segmentation network in torch, or its conversion in another runtime.

    Raises `ValueError` for a network of other classes than COCO's, or as `open_network` does.
    """
    if identity.runtime == "torch":
        return Segmenter(identity, in_torch(identity, files, "segment", not_of_coco))
    return Segmenter(*open_many_output_network(identity, files))
