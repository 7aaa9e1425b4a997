"""The median of what is known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def known_median(values: Iterable[float | None]) -> float | None:
    """The median of the values that are not None; None where there is none."""
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None
