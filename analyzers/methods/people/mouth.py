"""How far a mouth stands open, and how much it moves: lips that speak open and close."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Places in MediaPipe's mesh: middle of the inner upper and lower lip, outer corners of the eyes.
_UPPER_LIP, _LOWER_LIP = 13, 14
_RIGHT_CORNER, _LEFT_CORNER = 33, 263
#: Two looks further apart do not tell what the lips did between them: two frames of 15 a second.
_LONGEST_STEP_S = 0.15
#: Fewer steps have no speed.
_LEAST_STEPS = 3


def opening_ratio(points: np.ndarray) -> float:
    """Gap between the inner lips, in distances of the outer corners of the eyes.

    `points`: a face mesh, (478, 3), in pixels. Three coordinates, so that a turned head keeps its
    ratio.
    """
    gap = float(np.linalg.norm(points[_UPPER_LIP] - points[_LOWER_LIP]))
    return gap / max(float(np.linalg.norm(points[_RIGHT_CORNER] - points[_LEFT_CORNER])), 1e-6)


def movement_per_s(times_s: Sequence[float], openings: Sequence[float]) -> float | None:
    """How much the opening changes in a second, to and fro added up; None for too few looks."""
    steps_s = np.diff(np.asarray(times_s, float))
    changes = np.abs(np.diff(np.asarray(openings, float)))
    near = steps_s <= _LONGEST_STEP_S
    if int(near.sum()) < _LEAST_STEPS:
        return None
    return float(changes[near].sum() / steps_s[near].sum())
