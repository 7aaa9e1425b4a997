"""How far the blocks of a codec show, without a reference."""

from __future__ import annotations

import cv2
import numpy as np

_BLOCK_PX = 8


def blockiness(luma: np.ndarray) -> float:
    """Height of the steps on the codec's grid in 8-bit levels, of a grey picture (height, width).

    After Wang, Bovik & Evans 2000 (Blind measurement of blocking artifacts in images, ICIP III:981)
    blocks are what repeats every 8 pixels in the differences of neighbours. Here it is taken by
    phase and not by spectrum: how much larger a step is than the two beside it, the mean over each
    line between two columns (or rows), the median over all lines of a phase, and the phase that
    stands out most against the median of the others. So the grid may begin anywhere, and lines of
    the picture itself (letters, the edges of bars) do not count.
    """
    return float(np.mean([_grid(luma), _grid(luma.T)]))


def _grid(luma: np.ndarray) -> float:
    if luma.shape[1] < 4 * _BLOCK_PX:
        return 0.0
    steps = cv2.absdiff(luma[:, 1:], luma[:, :-1])
    means = cv2.reduce(steps, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[0]
    excess = means[1:-1] - (means[:-2] + means[2:]) / 2
    phases = np.array([np.median(excess[phase::_BLOCK_PX]) for phase in range(_BLOCK_PX)])
    strongest = int(phases.argmax())
    return max(0.0, float(phases[strongest] - np.median(np.delete(phases, strongest))))
