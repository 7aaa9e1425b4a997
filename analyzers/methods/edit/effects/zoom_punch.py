"""Zoom punches: within moments the picture is enlarged or reduced about some point of it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals
from analyzers.video import Frames

NAME = "zoom_punch"

#: Editors' punches take 1 frame to half a second; slower ones are camera moves.
_LONGEST_S = 0.5
#: Enlargement from which on it is one: editors' templates begin with 1.1.
_LEAST_SCALE = 1.07
_MOST_SCALE = 3.0
#: A punch that is taken back so soon, by all but this part of it, is one effect.
_BACK_S, _BACK = 1.2, 0.25
#: Features (ORB, Rublee et al. 2011) and their matches: Lowe's ratio, RANSAC's tolerance in pixels
#: of the 360 pixel picture, and how many and what part of all must agree, spread over the picture.
_FEATURES, _RATIO, _FIT_PX, _LEAST_INLIERS, _LEAST_AGREEMENT, _LEAST_SPREAD = (
    600, 0.8, 3.0, 16, 0.3, 0.05
)  # fmt: skip
#: The first and the last step of a punch in and back, against the largest.
_AT_ONCE = 0.4
#: Smaller steps at its end, against its largest, are the picture's own movement.
_TAIL = 0.25
#: The least change of each quarter of the thumb, in levels.
_LEAST_CHANGE = 3.0
#: It does not turn the picture, degrees.
_MOST_TURN_DEG = 8.0


def find(signals: Signals) -> list[Effect]:
    """All punches in and out; one that is taken back within moments is one effect."""
    found: list[Effect] = []
    orb = cv2.ORB.create(_FEATURES, fastThreshold=8)
    for start, stop in signals.bursts(_BACK_S):
        if start < 1 or signals.in_gradual(signals.time_s(start), signals.time_s(stop)):
            continue
        steps = signals.step[start:stop]
        stop = start + int(np.flatnonzero(steps >= _TAIL * steps.max())[-1]) + 1
        if not _everywhere(signals, start, stop):
            continue
        punch = _punch(signals, orb, start, stop)
        if punch is None:
            continue
        if found and _takes_back(found[-1], punch):
            last = found.pop()
            sure = min(last.confidence, punch.confidence)
            detail = f"{last.detail}_and_back"
            punch = Effect(NAME, last.start_s, punch.end_s, sure, detail, last.strength)
        found.append(punch)
    return found


def _everywhere(signals: Signals, start: int, stop: int) -> bool:
    """Whether each quarter of the picture changes, as subjects do not make them."""
    before = signals.picture(start - 1)
    height, width = before.shape[0] // 2, before.shape[1] // 2
    for place in range(start, stop):
        change = np.abs(signals.picture(place) - before).mean(2)
        quarters = (
            change[rows, columns].mean()
            for rows in (slice(height), slice(height, None))
            for columns in (slice(width), slice(width, None))
        )
        if min(quarters) >= _LEAST_CHANGE:
            return True
    return False


def _takes_back(first: Effect, second: Effect) -> bool:
    if first.strength is None or second.strength is None or first.detail.endswith("back"):
        return False
    soon = second.start_s - first.end_s <= _BACK_S
    left = abs(math.log(first.strength) + math.log(second.strength))
    return soon and left <= _BACK * abs(math.log(first.strength))


def _punch(signals: Signals, orb: cv2.ORB, start: int, stop: int) -> Effect | None:
    """What a burst does to the picture's size, at its end or, taken back, within it."""
    motion = signals.video.motion
    times_s = motion.times_s
    # The last frame without it, and the first one after it, that the motion rung holds.
    before = int(np.searchsorted(times_s, signals.times_s[start - 1] + 1e-6)) - 1
    after = int(np.searchsorted(times_s, signals.times_s[stop - 1] - 1e-6))
    if before < 0 or after >= len(motion):
        return None
    start_s, end_s = signals.time_s(start), signals.time_s(stop)
    scale, sure = _similarity(motion, orb, before, after)
    if _is_punch(scale) and end_s - start_s <= _LONGEST_S:
        return Effect(NAME, start_s, end_s, sure, "in" if scale > 1 else "out", scale)
    # What goes in and comes back does both at once.
    ends = min(signals.step[start], signals.step[stop - 1])
    if sure == 0 or after - before < 3 or ends < _AT_ONCE * signals.step[start:stop].max():
        return None
    places = {round(before + (after - before) * part) for part in (0.3, 0.5, 0.7)}
    within = [_similarity(motion, orb, before, i) for i in sorted(places)]
    scale, sure = max(within, key=lambda s: abs(math.log(s[0])))
    if not _is_punch(scale):
        return None
    detail = "in_and_back" if scale > 1 else "out_and_back"
    # The last step leads back into the whole picture.
    return Effect(NAME, start_s, signals.time_s(stop - 1), sure, detail, scale)


def _is_punch(scale: float) -> bool:
    return math.log(_LEAST_SCALE) <= abs(math.log(scale)) <= math.log(_MOST_SCALE)


def _similarity(motion: Frames, orb: cv2.ORB, before: int, after: int) -> tuple[float, float]:
    old, new = (orb.detectAndCompute(motion[i], None) for i in (before, after))
    if old[1] is None or new[1] is None or min(len(old[0]), len(new[0])) < _LEAST_INLIERS:
        return 1.0, 0.0
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(old[1], new[1], k=2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < _RATIO * p[1].distance]
    if len(good) < _LEAST_INLIERS:
        return 1.0, 0.0
    from_ = np.array([old[0][m.queryIdx].pt for m in good], np.float32)
    to = np.array([new[0][m.trainIdx].pt for m in good], np.float32)
    matrix, inliers = cv2.estimateAffinePartial2D(
        from_, to, method=cv2.RANSAC, ransacReprojThreshold=_FIT_PX, maxIters=500
    )
    if matrix is None:
        return 1.0, 0.0
    agreeing = inliers.ravel() > 0
    agreement = float(agreeing.mean())
    turn_deg = abs(math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])))
    height, width = motion[before].shape
    spread = np.std(from_[agreeing], axis=0) / (width, height)
    if (
        agreeing.sum() < _LEAST_INLIERS
        or agreement < _LEAST_AGREEMENT
        or turn_deg > _MOST_TURN_DEG
        or float(spread.min()) < _LEAST_SPREAD
    ):
        return 1.0, 0.0
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    sure = min(1.0, 0.4 + 0.6 * agreement)
    return (scale, sure) if scale > 1 / _MOST_SCALE else (1.0, 0.0)
