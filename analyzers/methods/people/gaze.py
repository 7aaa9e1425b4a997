"""Where eyes look, and when they blink, from points of the face mesh."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analyzers.models.face_mesh import LEFT_IRIS, RIGHT_IRIS

#: Corners of the person's right and left eye in the mesh, the one on the left of the picture first,
#: each with its iris.
_EYES = ((33, 133, RIGHT_IRIS), (362, 263, LEFT_IRIS))
#: Width of the opening of an eye, corner to corner, by the distance of the iris from the eyeball's
#: middle: 30 mm by 11.5 mm. Adult means (Farkas 1994, Anthropometry of the Head and Face; Bekerman
#: et al. 2014, doi:10.1155/2014/503645, for an eyeball of 24 mm).
_WIDTH_BY_RADIUS = 30 / 11.5

#: By how much the score of shut eyes rises over what it was before a blink, and how near it comes
#: back. Two of the four blinks seen by eye in woman_emotions_closeup from 8 to 17.5 s stay under
#: half of the scale, since one frame in fifteen a second need not catch the lids all the way down.
_RISE, _BACK = 0.22, 0.12
#: Time before a sample whose median tells what the score is without a blink, and how much of it
#: must have been seen: a face that comes out from behind a hand may have its eyes shut already.
_BEFORE_S, _LEAST_BEFORE_S = 0.5, 0.25
#: A blink lasts 0.1 to 0.4 s (Stern, Walrath & Goldstein 1984, Psychophysiology 21, 22-33). Longer
#: is closed, or looking down, which looks the same from the front.
_LONGEST_BLINK_S = 0.45


def gaze_in_head_deg(points: np.ndarray) -> tuple[float, float]:
    """By how much the eyes are turned in the head: to the right of the picture, and up, in degrees.

    `points`: (478, 2 or 3) in pixels. The iris moves on the eyeball: its distance from the middle
    of the line between the eye's corners, by the ball's radius, is the sine of the angle. The mean
    of both eyes, which evens out that they converge.
    """
    offsets = []
    for corner, other, iris in _EYES:
        across = points[other, :2] - points[corner, :2]
        width = float(np.hypot(*across))
        moved = points[iris, :2] - (points[other, :2] + points[corner, :2]) / 2
        right = float(moved @ across) / width**2
        up = float(moved[0] * across[1] - moved[1] * across[0]) / width**2
        offsets.append((right, up))
    sines = np.clip(_WIDTH_BY_RADIUS * np.mean(offsets, axis=0), -1, 1)
    yaw, pitch = np.degrees(np.arcsin(sines))
    return float(yaw), float(pitch)


def blinks(times_s: Sequence[float], closed: Sequence[float]) -> list[int]:
    """Places of the samples at which a blink is deepest.

    `closed`: how far the eyes are shut, 0..1, at times that rise without gaps. A blink is a short
    rise over the half second before, to which the score comes back.
    """
    at_s, score = np.asarray(times_s), np.asarray(closed)
    found: list[int] = []
    start, open_score = 0, 0.0
    for place in range(1, len(score)):
        if start:
            if score[place] <= open_score + _BACK:
                if at_s[place] - at_s[start] <= _LONGEST_BLINK_S:
                    found.append(start + int(score[start:place].argmax()))
                start = 0
            continue
        first = int(np.searchsorted(at_s, at_s[place] - _BEFORE_S))
        open_score = float(np.median(score[first:place]))
        known = at_s[place] - at_s[first] >= _LEAST_BEFORE_S
        if known and score[place] - open_score >= _RISE:
            start = place
    return found
