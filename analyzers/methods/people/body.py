"""A person's 17 keypoints over time, as geometry: gaps, a unit of length, centre and movement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzers.models.pose import KEYPOINTS

NOSE = KEYPOINTS.index("nose")
HEAD = range(5)
SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES = (
    (KEYPOINTS.index(f"left_{joint}"), KEYPOINTS.index(f"right_{joint}"))
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
_TRUNK = (*SHOULDERS, *HIPS)

#: Lengths as parts of a standing person's height (Drillis & Contini 1966, as in Winter,
#: "Biomechanics and Motor Control of Human Movement", figure 4.1).
_TRUNK_HEIGHT, _SHOULDERS_HEIGHT, _THIGH_HEIGHT = 0.288, 0.259, 0.245
_UPPER_ARM_HEIGHT, _FOREARM_HEIGHT = 0.186, 0.146
TRUNK_TO_THIGH = _THIGH_HEIGHT / _TRUNK_HEIGHT
#: The bones that tell how long the trunk is, and how many times it is longer than each.
_BONES = (
    ((SHOULDERS,), _TRUNK_HEIGHT / _SHOULDERS_HEIGHT),
    (tuple(zip(SHOULDERS, ELBOWS, strict=True)), _TRUNK_HEIGHT / _UPPER_ARM_HEIGHT),
    (tuple(zip(ELBOWS, WRISTS, strict=True)), _TRUNK_HEIGHT / _FOREARM_HEIGHT),
    (tuple(zip(HIPS, KNEES, strict=True)), _TRUNK_HEIGHT / _THIGH_HEIGHT),
)

#: The unit of length is the median over so much time around a frame.
_UNIT_WINDOW_S = 2.0
#: Two frames further apart than this say nothing of a speed.
LONGEST_STEP_S = 0.5


@dataclass(frozen=True)
class Body:
    """One tracked person, n frames.

    `times_s`: (n,), rising. `points`: (n, 17, 2), x to the right and y down, both in heights of the
    frame; NaN where the keypoint is not seen. `trunk`: (n,), the person's length from shoulders to
    hips in the same unit, by which gestures are measured; NaN where nothing tells it.
    """

    times_s: np.ndarray
    points: np.ndarray
    trunk: np.ndarray

    def __len__(self) -> int:
        return len(self.times_s)


def body_of(
    times_s: np.ndarray,
    points: np.ndarray,
    confidence: np.ndarray,
    aspect: float,
    least_confidence: float,
) -> Body:
    """From relative keypoints (n, 17, 2) and their confidence (n, 17).

    `aspect`: width of the frame by its height. Keypoints below `least_confidence` count as unseen.
    """
    square = np.where(
        (confidence >= least_confidence)[..., None], points * np.array([aspect, 1.0]), np.nan
    )
    lengths = np.array([_trunk_length(of_frame) for of_frame in square])
    # A single frame's may be foreshortened or wrong; a median over two seconds is neither, and
    # follows somebody who walks up to the camera.
    trunk = np.array(
        [median(lengths[np.abs(times_s - time_s) <= _UNIT_WINDOW_S / 2]) for time_s in times_s]
    )
    return Body(np.asarray(times_s, float), square, trunk)


def _trunk_length(points: np.ndarray) -> float:
    """Shoulders to hips, or what other bones say, the longest: turning away only shortens."""
    lengths = [float(np.linalg.norm(middle(points, HIPS) - middle(points, SHOULDERS)))]
    for bones, times in _BONES:
        lengths += [float(np.linalg.norm(points[a] - points[b])) * times for a, b in bones]
    return max((length for length in lengths if np.isfinite(length)), default=float("nan"))


def median(values: np.ndarray) -> float:
    """Of what is no NaN; NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def middle(points: np.ndarray, which: tuple[int, ...]) -> np.ndarray:
    """The mean of those keypoints of one frame (17, 2) that are seen; NaN where none is."""
    known = [points[i] for i in which if np.isfinite(points[i, 0])]
    return np.mean(known, axis=0) if known else np.full(2, np.nan)


def from_vertical_deg(upper: np.ndarray, lower: np.ndarray) -> float:
    """Angle of a line against straight down, 0..180; NaN where an end is unseen."""
    across, down = lower - upper
    return float(np.degrees(np.arctan2(abs(across), down)))


def joint_deg(one: np.ndarray, joint: np.ndarray, other: np.ndarray) -> float:
    """Angle at a joint, 0..180: 180 is straight; NaN where a point is unseen or two coincide."""
    a, b = one - joint, other - joint
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    if not lengths > 0:
        return float("nan")
    return float(np.degrees(np.arccos(np.clip(a @ b / lengths, -1, 1))))


def limb_speeds(body: Body) -> np.ndarray:
    """How fast each keypoint moves against the trunk, in trunk lengths a second: (n, 17).

    From the frame before; NaN in the first one, after a gap, and where a point is unseen. Measured
    against the trunk (the shoulders and hips that are seen in both frames), so that a camera that
    moves does not count.
    """
    speeds = np.full(body.points.shape[:2], np.nan)
    if len(body) < 2:
        return speeds
    moved = np.diff(body.points, axis=0)
    for i, step in enumerate(moved, start=1):
        elapsed_s = body.times_s[i] - body.times_s[i - 1]
        if elapsed_s <= LONGEST_STEP_S:
            relative = step - middle(step, _TRUNK)
            speeds[i] = np.linalg.norm(relative, axis=1) / elapsed_s / body.trunk[i]
    return speeds


def movement_energy(body: Body) -> np.ndarray:
    """Mean squared speed of the keypoints seen, in (trunk lengths a second) squared: (n,).

    Twice the kinetic energy of a body whose mass lies in its keypoints. NaN where fewer than five
    keypoints can be followed.
    """
    squared = limb_speeds(body) ** 2
    seen = np.isfinite(squared)
    total = np.where(seen, squared, 0).sum(axis=1)
    count = seen.sum(axis=1)
    return np.where(count >= 5, total / np.maximum(count, 1), np.nan)
