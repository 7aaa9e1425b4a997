"""Where the subject and the weight of a picture lie: thirds, balance, symmetry.

Scores for thirds and balance are those of Liu, Chen, Wolf & Cohen-Or 2010, "Optimizing Photo
Composition" (Computer Graphics Forum 29(2)), with their widths.
"""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np

Placement = Literal["left_edge", "left_third", "centre", "right_third", "right_edge"]
PLACEMENTS: tuple[Placement, ...] = (
    "left_edge", "left_third", "centre", "right_third", "right_edge"
)  # fmt: skip
#: In the middle between the edges, the lines of thirds and the centre line.
_PLACEMENT_BOUNDS = (1 / 6, 5 / 12, 7 / 12, 5 / 6)

#: The paper's widths: of the distance to a power point, and of weight from the centre.
_THIRDS_WIDTH, _BALANCE_WIDTH = 0.17, 0.2

_MIRROR_WIDTH_PX = 64
#: Shapes up to this part of the width count as structure; slower changes are light, not form.
_FORM_RATIO = 0.12
#: How far the mirror axis may lie from the middle, in parts of the width.
_AXIS_RATIO = 0.05
#: Structure (standard deviation, 8-bit levels) below which there is nothing to mirror.
_LEAST_FORM = 2.0


def placement_of(x: float) -> Placement:
    """The vertical line that a relative x is nearest to."""
    return PLACEMENTS[sum(x >= bound for bound in _PLACEMENT_BOUNDS)]


def thirds_distance(x: float, y: float) -> float:
    """To the nearest of the four points where lines of thirds cross, in frame widths and heights
    added (the paper's distance): 0 there, 1/3 in the middle.
    """
    return min(abs(x - i / 3) for i in (1, 2)) + min(abs(y - i / 3) for i in (1, 2))


def thirds_score(x: float, y: float) -> float:
    """1 on a power point, 0.15 in the middle of the frame."""
    return math.exp(-(thirds_distance(x, y) ** 2) / (2 * _THIRDS_WIDTH**2))


def balance_score(x: float, y: float) -> float:
    """1 where the centre of visual weight is the centre of the frame, falling to 0."""
    squared = (x - 0.5) ** 2 + (y - 0.5) ** 2
    return math.exp(-squared / (2 * _BALANCE_WIDTH**2))


def mirror_symmetry(picture: np.ndarray) -> float | None:
    """How much an RGB picture's left is its right mirrored, 0..1; None where there is no form.

    Correlation of the luma's structure with its mirror image, at the best axis within 5 % of the
    middle; what correlates negatively counts as 0.
    """
    height, width = picture.shape[:2]
    tall = max(8, round(_MIRROR_WIDTH_PX * height / width))
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(luma, (_MIRROR_WIDTH_PX, tall), interpolation=cv2.INTER_AREA)
    small = small.astype(np.float32)
    form = small - cv2.GaussianBlur(small, (0, 0), _FORM_RATIO * _MIRROR_WIDTH_PX)
    if form.std() < _LEAST_FORM:
        return None
    most = round(_AXIS_RATIO * _MIRROR_WIDTH_PX) * 2
    return max(_mirrored(form, shift) for shift in range(-most, most + 1))


def _mirrored(form: np.ndarray, shift: int) -> float:
    """Correlation with the mirror image about an axis `shift` half columns right of the middle."""
    part = form[:, max(0, shift) : form.shape[1] + min(0, shift)]
    part = part - part.mean()
    total = float((part**2).sum())
    alike = float((part * part[:, ::-1]).sum()) / total if total > 0 else 0.0
    return min(1.0, max(0.0, alike))  # rounding exceeds 1
