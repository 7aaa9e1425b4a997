"""How far smooth gradients have broken into bands, without a reference."""

from __future__ import annotations

import cv2
import numpy as np

#: A plateau: this many pixels in a row that differ by one 8-bit level at most.
_PLATEAU_PX = 10
#: The edge between two plateaus, at most.
_EDGE_PX = 3
#: Steps between plateaus that make a band's contour, 8-bit levels: a smaller one is the step of the
#: 8 bits themselves, a larger one is an edge in the scene.
_SMALLEST, _LARGEST = 3, 12
#: The next contour of the same staircase is at least one plateau and at most this far away.
_NEXT_PX = 60


def banding_ratio(luma: np.ndarray) -> float:
    """Part of the picture that lies on false contours, 0..1, of a grey picture (height, width).

    Counts pixels between two plateaus a small step apart, along rows and along columns, as
    detectors of false contours do (Tu et al. 2020, BBAND index, ICASSP 2712; Tandon et al. 2021,
    CAMBI, PCS), where the next step in the same sense is near: a gradient becomes a staircase, an
    edge in the scene stands alone. A gradient in 8 bits makes no such step between such plateaus.
    """
    return float((_contours(luma) | _contours(luma.T).T).mean())


def _contours(luma: np.ndarray) -> np.ndarray:
    found = np.zeros(luma.shape, bool)
    apart = _PLATEAU_PX + _EDGE_PX
    if luma.shape[1] <= apart:
        return found
    luma = np.ascontiguousarray(luma)
    around = np.ones((1, _PLATEAU_PX), np.uint8)
    flat = cv2.subtract(cv2.dilate(luma, around), cv2.erode(luma, around)) <= 1
    between_plateaus = flat[:, apart:] & flat[:, :-apart]
    means = cv2.blur(luma, (_PLATEAU_PX, 1))
    for low, high in ((means[:, :-apart], means[:, apart:]), (means[:, apart:], means[:, :-apart])):
        step = cv2.subtract(high, low)  # 0 where it goes the other way
        contour = between_plateaus & (step >= _SMALLEST) & (step <= _LARGEST)
        found[:, apart // 2 : apart // 2 + contour.shape[1]] |= contour & _in_a_staircase(contour)
    return found


def _in_a_staircase(contour: np.ndarray) -> np.ndarray:
    """Where another contour lies on the same row, a plateau or more away to either side."""
    width = contour.shape[1]
    padded = np.pad(contour.view(np.uint8), ((0, 0), (_NEXT_PX, _NEXT_PX)))
    reach = np.ones((1, _NEXT_PX - _PLATEAU_PX + 1), np.uint8)
    # near[x]: any contour from x to the reach's end.
    near = cv2.dilate(padded, reach, anchor=(0, 0)) > 0
    right = near[:, _NEXT_PX + _PLATEAU_PX : _NEXT_PX + _PLATEAU_PX + width]
    left = near[:, :width]
    return np.asarray(left | right)
