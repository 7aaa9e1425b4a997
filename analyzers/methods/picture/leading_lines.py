"""Straight lines of a picture, and the point they lead to.

Segments are LSD's (Grompone von Gioi, Jakubowicz, Morel & Randall 2010, IEEE TPAMI 32(4)), in
OpenCV. The vanishing point is where the most length of oblique segments meets: every pair proposes
its crossing, as in RANSAC without the chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

LineDirection = Literal["horizontal", "vertical", "diagonal"]
LINE_DIRECTIONS: tuple[LineDirection, ...] = ("horizontal", "vertical", "diagonal")

#: Shorter segments, in diagonals of the frame, are texture.
_SHORTEST = 0.08
#: The longest of them are enough, and every pair is tried.
_MOST_LINES = 60
#: Closer than this to level or upright is horizontal or vertical, and leads nowhere.
_OBLIQUE_DEG = 10.0
#: A segment leads to a point if its direction misses it by less than this.
_AIM_DEG = 2.0
#: Where the point may lie: so far outside the frame, in its widths and heights. What meets further
#: away leads out of the picture.
_BEYOND = 0.05
#: Lines converge if so many, of directions so different, that are so long together (diagonals),
#: and this part of the length of all oblique ones, lead to one point.
_FEWEST, _SPREAD_DEG, _LEAST_LENGTH, _LEAST_PART = 4, 30.0, 0.6, 0.4
#: Lines of a direction dominate if they have this part of all length, which is this much.
_DOMINANT_PART = 0.5


@dataclass(frozen=True)
class Lines:
    """What lines a picture has.

    `length_ratio`: length of all long segments in diagonals of the frame. `direction`: what most of
    it is, None where nothing is. `vanishing_point`: x, y relative to the frame, None where lines do
    not converge. `leading`: ends (n, 4) x1, y1, x2, y2, relative, of the segments leading there.
    """

    length_ratio: float
    direction: LineDirection | None
    vanishing_point: tuple[float, float] | None
    leading: np.ndarray


def lines_of(picture: np.ndarray) -> Lines:
    """The lines of an RGB picture."""
    height, width = picture.shape[:2]
    diagonal = float(np.hypot(width, height))
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(luma)[0]
    ends = np.zeros((0, 4)) if found is None else np.asarray(found, float).reshape(-1, 4)
    length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]) / diagonal
    order = np.argsort(-length, kind="stable")[:_MOST_LINES]
    order = order[length[order] >= _SHORTEST]
    ends, length = ends[order], length[order]
    if not len(ends):
        return Lines(0.0, None, None, ends)
    level_deg = np.degrees(np.arctan2(ends[:, 3] - ends[:, 1], ends[:, 2] - ends[:, 0])) % 180
    upright = np.abs(level_deg - 90) <= _OBLIQUE_DEG
    level = np.minimum(level_deg, 180 - level_deg) <= _OBLIQUE_DEG
    oblique = ~(upright | level)
    point, leads = _vanishing(ends[oblique], length[oblique], (width, height))
    return Lines(
        float(length.sum()),
        _dominant(length, level, upright, oblique),
        point,
        ends[oblique][leads] / np.array([width, height, width, height]),
    )


def _dominant(
    length: np.ndarray, level: np.ndarray, upright: np.ndarray, oblique: np.ndarray
) -> LineDirection | None:
    for direction, own in zip(LINE_DIRECTIONS, (level, upright, oblique), strict=True):
        if length[own].sum() >= max(_DOMINANT_PART * length.sum(), _DOMINANT_PART):
            return direction
    return None


def _vanishing(
    ends: np.ndarray, length: np.ndarray, size: tuple[int, int]
) -> tuple[tuple[float, float] | None, np.ndarray]:
    """Relative point and a mask of the segments that lead to it; None and nothing without."""
    none = np.zeros(len(ends), bool)
    if len(ends) < _FEWEST:
        return None, none
    homogeneous = np.ones((len(ends), 2, 3))
    homogeneous[:, :, :2] = ends.reshape(-1, 2, 2)
    lines = np.cross(homogeneous[:, 0], homogeneous[:, 1])
    one, other = np.triu_indices(len(ends), 1)
    crossing = np.cross(lines[one], lines[other])
    crossing = crossing[np.abs(crossing[:, 2]) > 1e-9]
    points = crossing[:, :2] / crossing[:, 2:]
    relative = points / np.array(size)
    points = points[((relative >= -_BEYOND) & (relative <= 1 + _BEYOND)).all(axis=1)]
    if not len(points):
        return None, none
    middle = homogeneous.mean(axis=1)[:, :2]
    way = ends[:, 2:] - ends[:, :2]
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    to_point = points[:, None] - middle[None]
    away = np.linalg.norm(to_point, axis=2)
    across = np.abs(to_point[..., 0] * way[:, 1] - to_point[..., 1] * way[:, 0])
    # A line that holds the point within itself crosses it rather than leading there.
    half_px = np.linalg.norm(ends[:, 2:] - ends[:, :2], axis=1) / 2
    aims = (across <= np.sin(np.radians(_AIM_DEG)) * away) & (away >= half_px)
    best = int((aims * length).sum(axis=1).argmax())
    leads = aims[best]
    told = float(length[leads].sum())
    if (
        leads.sum() < _FEWEST
        or told < max(_LEAST_LENGTH, _LEAST_PART * float(length.sum()))
        or _spread_deg(way[leads]) < _SPREAD_DEG
    ):
        return None, none
    x, y = points[best] / np.array(size)
    return (float(x), float(y)), leads


def _spread_deg(way: np.ndarray) -> float:
    """The angle within which all directions (n, 2) lie: 180 less the widest gap."""
    angles = np.sort(np.degrees(np.arctan2(way[:, 1], way[:, 0])) % 180)
    return float(180 - np.diff(np.append(angles, angles[0] + 180)).max())
