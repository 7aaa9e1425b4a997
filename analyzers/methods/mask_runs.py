"""Stretches of true values."""

from __future__ import annotations

import numpy as np


def mask_runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop (the first place after it) of each stretch of true values, bool (n,)."""
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(np.int8), 0]))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
