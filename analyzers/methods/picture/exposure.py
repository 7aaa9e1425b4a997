"""How bright the lit part of a picture is."""

from __future__ import annotations

import cv2
import numpy as np

#: 8-bit luma up to which a pixel is black: 2 % of the range, as in colorimetry.
_BLACK = 5


def lit_luma_p95(luma: np.ndarray) -> float:
    """Luma 0..1 that 5 % of the pixels that are not black exceed, of an 8-bit grey picture.

    0 where all is black. A title on a black ground, a lamp in the night and bars around a picture
    are no lack of light, and the whole histogram would read them as one.
    """
    counts = cv2.calcHist([luma], [0], None, [256], [0, 256]).ravel()
    counts[: _BLACK + 1] = 0
    below = np.cumsum(counts, dtype=np.float64)
    return float(np.searchsorted(below, 0.95 * below[-1]) / 255) if below[-1] else 0.0
