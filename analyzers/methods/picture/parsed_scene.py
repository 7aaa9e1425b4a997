"""What the parts of a picture tell, where a network has named them by ADE20K's classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

#: Weight of a class that fills a third of the picture or more, positive for outdoors. Set by hand
#: from the classes' names, as `setting` does for COCO's; walls, doors and windows have two sides.
_SIDES: dict[str, float] = {
    **dict.fromkeys(("sky", "road", "mountain", "sea", "hill", "field", "sand", "river"), 1.6),
    **dict.fromkeys(("sidewalk", "earth", "grass", "water", "lake", "waterfall", "land"), 1.6),
    **dict.fromkeys(("tree", "building", "house", "skyscraper", "path", "dirt track", "bridge"), 1),
    **dict.fromkeys(("ceiling", "bed", "cabinet", "wardrobe", "bathtub", "kitchen island"), -1.6),
    **dict.fromkeys(("floor", "carpet", "rug", "curtain", "sofa", "shelf", "bookcase"), -1.2),
    **dict.fromkeys(("desk", "refrigerator", "stove", "lamp", "chandelier", "blind"), -1.0),
}
_FULL_SHARE = 1 / 3
#: Less of the picture than this is a network's noise.
_LEAST_SHARE = 0.01


def background_shares(
    classes: np.ndarray, labels: Sequence[str], subject: np.ndarray
) -> dict[str, float]:
    """Part of the picture that each class has behind the subject, 0..1.

    `classes`: numbers of classes, (rows, columns), a coarse map of the whole picture. `labels`:
    their names. `subject`: bool (height, width), of what is not background.
    """
    rows, columns = classes.shape
    own = cv2.resize(subject.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST)
    counts = np.bincount(classes[own == 0], minlength=len(labels)) / classes.size
    return {labels[k]: float(counts[k]) for k in np.flatnonzero(counts >= _LEAST_SHARE).tolist()}


def parsed_evidence(shares: Mapping[str, float]) -> dict[str, float]:
    """Weights of the classes that stand on one side of a wall, for `setting.setting_of`."""
    return {
        label: _SIDES[label] * min(1.0, share / _FULL_SHARE)
        for label, share in shares.items()
        if label in _SIDES
    }
