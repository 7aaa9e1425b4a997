"""Where the eye goes first: a saliency map from one picture, without a network.

Image signature (Hou, Harel & Koch 2012, "Image Signature: Highlighting Sparse Salient Regions",
IEEE TPAMI 34(1)): only the signs of a channel's cosine transform are kept; transformed back and
squared, what is sparse against its ground stands out. OpenCV 5 has no saliency module, and this
needs none.
"""

from __future__ import annotations

import cv2
import numpy as np

#: The paper's size of the map: details smaller than a 64th of the width do not draw the eye.
_WIDTH_PX = 64
#: The paper's blur, in parts of the map's width.
_BLUR_RATIO = 0.045
#: A picture whose colours lie closer than this (8-bit levels, standard deviation) shows nothing.
_LEAST_CONTRAST = 1.5


def saliency(picture: np.ndarray) -> np.ndarray | None:
    """A map of float32 (even height, 64) that adds up to 1, from an RGB picture; None for a blank.

    Channels are those of CIELAB, as in the paper, added with equal weight.
    """
    height, width = picture.shape[:2]
    tall = max(2, 2 * round(_WIDTH_PX * height / width / 2))  # OpenCV transforms even sizes only
    small = cv2.resize(picture, (_WIDTH_PX, tall), interpolation=cv2.INTER_AREA)
    if small.reshape(-1, 3).std(axis=0).max() < _LEAST_CONTRAST:
        return None
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    total = np.zeros((tall, _WIDTH_PX), np.float32)
    for channel in range(3):
        signs = np.sign(cv2.dct(lab[..., channel]))
        total += cv2.idct(signs) ** 2
    blurred = cv2.GaussianBlur(total, (0, 0), _BLUR_RATIO * _WIDTH_PX)
    # The ground has a level too; only what rises above it counts.
    risen = np.maximum(blurred - np.median(blurred), 0)
    return risen / risen.sum() if risen.sum() > 0 else None


def salient_box(salient: np.ndarray) -> np.ndarray:
    """Corners x1, y1, x2, y2 (4,), relative, of the region around the map's peak.

    The region is what is connected with the peak and at least half as salient.
    """
    height, width = salient.shape
    above = (salient >= salient.max() / 2).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(above)
    x, y, wide, tall, _ = stats[labels.flat[int(salient.argmax())]]
    return np.array([x / width, y / height, (x + wide) / width, (y + tall) / height])


def centre_of_weight(salient: np.ndarray) -> tuple[float, float]:
    """Mean x and y of the map, relative: the centre of visual weight."""
    height, width = salient.shape
    x = float(salient.sum(axis=0) @ ((np.arange(width) + 0.5) / width))
    y = float(salient.sum(axis=1) @ ((np.arange(height) + 0.5) / height))
    return x, y
