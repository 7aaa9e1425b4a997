"""How noisy a picture is, without a reference."""

from __future__ import annotations

import cv2
import numpy as np

_BLOCK_PX = 16
#: Noise is read where the picture itself does least: in this share of the blocks.
_QUIETEST = 0.2
#: Blocks darker or brighter than this on the average may be clipped, and then show less noise.
_DARKEST, _BRIGHTEST = 16.0, 239.0
#: In fewer of the blocks than this there may be nothing but texture, as in a title on black.
_LEAST_JUDGED = 0.1
#: Immerkaer's mask, as two passes: its sum of squares is 36.
_SECOND_DIFFERENCE = np.array([1.0, -2.0, 1.0])


def noise_sigma(luma: np.ndarray) -> float | None:
    """Standard deviation of the noise in 8-bit levels, of a grey picture (height, width).

    Immerkaer 1996 (Fast noise variance estimation, Comput. Vis. Image Underst. 64:300), taken for
    blocks of 16 pixels; the 20 % quantile over the blocks is the answer, since in most of them
    there is texture too, which the mask cannot tell from noise. None where more than 90 %
    of the blocks may be clipped.
    """
    height, width = (side // _BLOCK_PX for side in luma.shape)
    if not height or not width:
        return None
    whole = luma[: height * _BLOCK_PX, : width * _BLOCK_PX]
    response = np.abs(cv2.sepFilter2D(whole, cv2.CV_32F, _SECOND_DIFFERENCE, _SECOND_DIFFERENCE))
    size = (width, height)
    means = cv2.resize(whole.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    sigmas = np.sqrt(np.pi / 2) / 6 * cv2.resize(response, size, interpolation=cv2.INTER_AREA)
    judged = sigmas[(means >= _DARKEST) & (means <= _BRIGHTEST)]
    if len(judged) < _LEAST_JUDGED * sigmas.size:
        return None
    return float(np.quantile(judged, _QUIETEST))
