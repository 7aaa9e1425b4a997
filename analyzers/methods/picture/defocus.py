"""How blurred edges are, from one picture.

Zhuo & Sim 2011, "Defocus map estimation from a single image" (Pattern Recognition 44(9)): an edge
is blurred once more, and how much weaker its gradient gets tells how sharp it was.
"""

from __future__ import annotations

import cv2
import numpy as np

#: The second blur, in pixels (the paper's).
_AGAIN_PX = 1.0
#: Edges are pixels with a gradient of at least this much (8-bit levels a pixel).
_EDGE = 8.0
#: Fewer edge pixels than this tell nothing.
_FEWEST_EDGES = 60


def edge_blur_px(luma: np.ndarray, mask: np.ndarray) -> float | None:
    """Median blur (standard deviation, pixels) of the edges inside a mask; None without edges.

    `luma`: uint8 (h, w). `mask`: bool (h, w). Edges sharper than a pixel read as about 0.5.
    """
    picture = luma.astype(np.float32)
    steep = _gradient(picture)
    softer = _gradient(cv2.GaussianBlur(picture, (0, 0), _AGAIN_PX))
    edges = mask & (steep >= _EDGE) & (steep >= cv2.dilate(steep, np.ones((3, 3))) * 0.999)
    if edges.sum() < _FEWEST_EDGES:
        return None
    ratio = np.maximum(steep[edges] / np.maximum(softer[edges], 1e-3), 1.001)
    return float(np.median(_AGAIN_PX / np.sqrt(ratio**2 - 1)))


def _gradient(picture: np.ndarray) -> np.ndarray:
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.hypot(across, down)
