"""How sharp a picture is, without a reference."""

from __future__ import annotations

import cv2
import numpy as np

#: Length of the blur in pixels that the picture is compared with (Crete et al.: 9).
_BLUR_PX = 9
_SMALL_SIDE_PX = 360
#: A step this small between neighbours, in 8-bit levels, may be the rounding of a smooth slope: a
#: blur takes it away as it does detail, and a very soft picture would look sharper again.
_ROUNDING = 1
#: Where less of the variation than this is in larger steps, the rest speaks for a soft picture.
_LEAST_IN_EDGES = 0.2
#: Mean step in 8-bit levels under which there is nothing in the picture to be judged by.
_LEAST_STEP = 0.05


def sharpness(luma: np.ndarray) -> float | None:
    """0 blurred .. 1 sharp, of an 8-bit grey picture (height, width); None without any edges.

    One minus the blur metric of Crete, Dolmiere, Ladret & Nicolas 2007 (The blur effect, Proc. SPIE
    6492:64920I): how much of the variation between neighbours a further blur takes away, along rows
    or along columns, whichever is less. Steps of one level are left out. A relative figure, which
    contrast and brightness hardly change.

    The metric tells blurs of 1 to 4 pixels apart. So it is taken at full size and with a short side
    of 360 pixels, where wider ones are as narrow, and the answer is the mean.
    """
    scale = _SMALL_SIDE_PX / min(luma.shape)
    if scale >= 1:
        return _sharpness(luma)
    small = cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    known = [value for value in (_sharpness(luma), _sharpness(small)) if value is not None]
    return float(np.mean(known)) if known else None


def _sharpness(luma: np.ndarray) -> float | None:
    lost = [part for part in (_lost(luma), _lost(luma.T)) if part is not None]
    return min(lost) if lost else None


def _lost(luma: np.ndarray) -> float | None:
    """Part of the variation along rows that a further blur takes away."""
    luma = np.ascontiguousarray(luma)
    blurred = cv2.blur(luma, (_BLUR_PX, 1))
    steps = cv2.absdiff(luma[:, 1:], luma[:, :-1])
    kept = cv2.absdiff(blurred[:, 1:], blurred[:, :-1])
    mean_step = cv2.mean(steps)[0]
    if mean_step < _LEAST_STEP:
        return None
    _, edges = cv2.threshold(steps, _ROUNDING, 0, cv2.THRESH_TOZERO)
    variation = max(cv2.mean(edges)[0], _LEAST_IN_EDGES * mean_step)
    return float(cv2.mean(cv2.subtract(edges, kept))[0] / variation)
