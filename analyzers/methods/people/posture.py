"""Standing, sitting or lying, from one frame's keypoints.

Angles of trunk and thighs against the vertical, as ergonomics tells postures apart (OWAS: Karhu,
Kansi & Kuorinka 1977, "Correcting working postures in industry", Applied Ergonomics 8(4)), with a
picture's limits: a limb that points at the camera is short. The thresholds are this project's own,
set between the postures' own angles (0 and 90 degrees). Where legs are not seen, nothing is said.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from analyzers.methods.people.body import (
    ANKLES,
    HIPS,
    KNEES,
    SHOULDERS,
    TRUNK_TO_THIGH,
    from_vertical_deg,
    joint_deg,
    middle,
)

Posture = Literal["standing", "sitting", "lying", "unknown"]
POSTURES: tuple[Posture, ...] = ("standing", "sitting", "lying", "unknown")

#: Trunk and the line from shoulders to feet both further from upright than this: lying.
_LYING_DEG = 60.0
#: A leg that carries: thigh this upright, knee this straight, and the thigh seen in at least this
#: part of its length.
_UPRIGHT_THIGH_DEG = 40.0
_STRAIGHT_KNEE_DEG = 130.0
_WHOLE_THIGH = 0.65
#: Sitting: the knees this little below the hips, in lengths of a thigh, under a trunk this upright.
_LEVEL_THIGH = 0.5
_SITTING_TRUNK_DEG = 45.0


def posture_of(points: np.ndarray) -> Posture:
    """The posture of a person whose keypoints (17, 2) are as in `Body.points`.

    lying: trunk and legs both lie across. standing: one leg at least is upright and straight, so
    bending down, walking and kicking are standing; where the picture ends above the ankles an
    upright thigh is enough, and kneeling upright would be taken for it. sitting: both thighs are
    level or point at the camera, under an upright trunk; squatting is taken for it too.
    unknown: anything else, and always where no knee is seen.
    """
    shoulders, hips = middle(points, SHOULDERS), middle(points, HIPS)
    trunk_deg = from_vertical_deg(shoulders, hips)
    feet = middle(points, ANKLES) if np.isfinite(points[list(ANKLES)]).any() else None
    ends = middle(points, KNEES) if feet is None else feet
    whole_deg = from_vertical_deg(shoulders, ends)
    if all(_LYING_DEG <= angle <= 180 - _LYING_DEG for angle in (trunk_deg, whole_deg)):
        return "lying"
    trunk = float(np.linalg.norm(hips - shoulders))
    legs = [
        (points[hip], points[knee], points[ankle])
        for hip, knee, ankle in zip(HIPS, KNEES, ANKLES, strict=True)
        if np.isfinite(points[[hip, knee]]).all()
    ]
    if any(_carries(*leg, trunk) for leg in legs):
        return "standing"
    if (
        len(legs) == 2
        and trunk_deg <= _SITTING_TRUNK_DEG
        and all(_drop(*leg, trunk) <= _LEVEL_THIGH for leg in legs)
    ):
        return "sitting"
    return "unknown"


def _carries(hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray, trunk: float) -> bool:
    knee_deg = joint_deg(hip, knee, ankle)
    return (
        from_vertical_deg(hip, knee) <= _UPRIGHT_THIGH_DEG
        and _drop(hip, knee, ankle, trunk) >= _WHOLE_THIGH
        and (np.isnan(knee_deg) or (knee_deg >= _STRAIGHT_KNEE_DEG and ankle[1] > knee[1]))
    )


def _drop(hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray, trunk: float) -> float:
    """How far the knee is below the hip, in lengths of a thigh; NaN where no length is known.

    A shank is as long as a thigh (0.246 and 0.245 of the height), and the trunk tells the length
    too; the longer of the two counts, since what points at the camera is short.
    """
    lengths = [float(np.linalg.norm(ankle - knee)), trunk * TRUNK_TO_THIGH]
    longest = max((length for length in lengths if np.isfinite(length)), default=float("nan"))
    return float((knee[1] - hip[1]) / longest) if longest > 0 else float("nan")
