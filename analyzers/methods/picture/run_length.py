"""Masks as run lengths, as COCO keeps them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def run_lengths(mask: np.ndarray) -> list[int]:
    """COCO's uncompressed RLE of a bool mask (height, width).

    Columns are read top to bottom, from the left one on; the counts are of zeros and ones in turn
    and begin with zeros (pycocotools, `maskApi.h`). With `size` = [height, width] pycocotools'
    `frPyObjects` reads it.
    """
    flat = np.asarray(mask, bool).ravel(order="F")
    ends = np.flatnonzero(np.diff(flat)) + 1
    bounds = np.concatenate([[0], ends, [flat.size]])
    counts: list[int] = np.diff(bounds).tolist()
    return [0, *counts] if flat.size and flat[0] else counts


def mask_of(counts: Sequence[int], height: int, width: int) -> np.ndarray:
    """The bool mask (height, width) that `run_lengths` was made of.

    Raises `ValueError` where the counts do not add up to its pixels.
    """
    if sum(counts) != height * width:
        raise ValueError(f"{sum(counts)} pixels in the counts of a mask of {height} x {width}")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape((height, width), order="F")
