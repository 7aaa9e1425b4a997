"""Keypoints of a figure with the proportions of Drillis & Contini, and how it moves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analyzers.methods.people.body import (
    ANKLES,
    ELBOWS,
    HIPS,
    KNEES,
    SHOULDERS,
    WRISTS,
    Body,
    body_of,
)

#: Of the figure, in heights of the frame.
HEIGHT = 0.6
TRUNK = 0.288 * HEIGHT
RATE_HZ = 5.0


def at_deg(length: float, angle_deg: float) -> np.ndarray:
    """A step of a length (in body heights): 0 is down, 90 to the right, 180 up."""
    angle = np.radians(angle_deg)
    return HEIGHT * length * np.array([np.sin(angle), np.cos(angle)])


def figure(
    left_arm: tuple[float, float] = (8.0, 8.0),
    right_arm: tuple[float, float] = (8.0, 8.0),
    left_leg: tuple[float, float] = (0.0, 0.0),
    right_leg: tuple[float, float] = (0.0, 0.0),
    trunk_deg: float = 0.0,
    centre: tuple[float, float] = (0.5, 0.5),
) -> np.ndarray:
    """Keypoints (17, 2) of somebody who looks at the camera, in heights of the frame.

    Arms and legs are two angles each, of the upper and lower limb; 0 hangs straight down, and they
    grow outwards. `trunk_deg` leans the trunk to the right. `centre` is the middle of the hips.
    """
    points = np.zeros((17, 2))
    hips = np.array(centre)
    up = at_deg(0.288, 180 - trunk_deg)
    points[SHOULDERS[0]] = hips + up + at_deg(0.1295, 90)
    points[SHOULDERS[1]] = hips + up - at_deg(0.1295, 90)
    head = hips + up * 1.4
    for place, (x, y) in enumerate(
        [(0, 0), (0.015, -0.02), (-0.015, -0.02), (0.04, -0.01), (-0.04, -0.01)]
    ):
        points[place] = head + HEIGHT * np.array([x, y])
    for side, outwards, arm, leg in ((0, 1, left_arm, left_leg), (1, -1, right_arm, right_leg)):
        points[ELBOWS[side]] = points[SHOULDERS[side]] + at_deg(0.186, outwards * arm[0])
        points[WRISTS[side]] = points[ELBOWS[side]] + at_deg(0.146, outwards * arm[1])
        points[HIPS[side]] = hips + outwards * at_deg(0.06, 90)
        points[KNEES[side]] = points[HIPS[side]] + at_deg(0.245, outwards * leg[0])
        points[ANKLES[side]] = points[KNEES[side]] + at_deg(0.246, outwards * leg[1])
    return points


def moving(
    pose_at: Callable[[float], np.ndarray], end_s: float = 6.0, trembling: float = 0.003
) -> Body:
    """A figure over time at 5 frames a second, its keypoints trembling as a network's do."""
    times_s = np.arange(round(end_s * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).normal(0, trembling, (len(times_s), 17, 2))
    points = np.stack([pose_at(float(time_s)) for time_s in times_s]) + noise
    return body_of(times_s, points, np.ones((len(times_s), 17)), 1.0, 0.5)


def unseen(points: np.ndarray, *joints: tuple[int, ...]) -> np.ndarray:
    """A copy without these keypoints."""
    copy = points.copy()
    copy[[i for joint in joints for i in joint]] = np.nan
    return copy
