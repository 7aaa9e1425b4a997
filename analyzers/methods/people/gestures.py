"""Raised hands, pointing and waving, by the geometry of the arms over time.

What COCO's keypoints can show is where the wrists are: fingers they do not have. So pointing here
is an arm stretched out and held still, whatever the hand does. Lengths are measured in the person's
own trunk lengths (`Body.trunk`); an arm is 1.15 of them (Drillis & Contini 1966). Thresholds
without a source are this project's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzers.methods.people.body import (
    ELBOWS,
    HEAD,
    LONGEST_STEP_S,
    SHOULDERS,
    WRISTS,
    Body,
    from_vertical_deg,
    joint_deg,
    middle,
)

GESTURES = ("hands_raised", "pointing", "waving")

#: A raised hand: the wrist so far above the middle of the head, for so long.
_ABOVE_HEAD = 0.2
_RAISED_S = 0.35
#: Pointing: elbow this straight, arm this long in the picture, lifted so far from hanging and so
#: far from straight up, slower than this, for so long.
_STRAIGHT_ELBOW_DEG = 150.0
_WHOLE_ARM = 0.8
_LIFTED_DEG = (50.0, 150.0)
_STILL_SPEED = 0.6
_HELD_S = 0.55
#: Waving: with the hand above the elbow it goes to and fro, several times, as the Kinect's wave
#: gesture had it (Webb & Ashley 2012, "Beginning Kinect Programming with the Microsoft Kinect
#: SDK", chapter 6: hand above the elbow, three passes). Three swings of this width within this
#: time, more across than up and down, with a forearm that stands (0.5 is its whole length).
_SWINGS = 3
_SWING_WIDTH = 0.2
_WAVING_S = 1.6
_STANDING_FOREARM = 0.25


@dataclass(frozen=True)
class Arms:
    """What the arms do in each of n frames.

    `raised`: int (n,), hands above the head, 0..2; -1 where neither a wrist nor the head is seen.
    `pointing`: bool (n, 2), left and right arm of the person. `waving`: bool (n, 2).
    """

    raised: np.ndarray
    pointing: np.ndarray
    waving: np.ndarray

    def gestures(self, frame: int) -> list[str]:
        """The names of the gestures in a frame, in the order of `GESTURES`."""
        there = (self.raised[frame] > 0, self.pointing[frame].any(), self.waving[frame].any())
        return [name for name, seen in zip(GESTURES, there, strict=True) if seen]


def arms_of(body: Body) -> Arms:
    """The gestures of one person. At 5 frames a second a wave of up to 2.5 Hz can be seen."""
    above = np.stack([_above_head(body, side) for side in (0, 1)], axis=1)
    raised = np.stack(
        [lasting(above[:, side] >= _ABOVE_HEAD, body.times_s, _RAISED_S) for side in (0, 1)], axis=1
    )
    unseen = np.isnan(above).all(axis=1)
    stretched = np.stack([_stretched(body, side) for side in (0, 1)], axis=1)
    pointing = np.stack(
        [
            # Both arms out is balancing or an embrace.
            lasting(
                stretched[:, side] & ~stretched[:, 1 - side] & _still(body, side),
                body.times_s,
                _HELD_S,
            )
            for side in (0, 1)
        ],
        axis=1,
    )
    waving = np.stack([_waving(body, side) for side in (0, 1)], axis=1)
    return Arms(np.where(unseen, -1, raised.sum(axis=1)), pointing, waving)


def lasting(there: np.ndarray, times_s: np.ndarray, least_s: float) -> np.ndarray:
    """Only those runs of True, bool (n,), whose first and last frame are so far apart.

    A gap of more than half a second in the times ends a run.
    """
    kept = np.zeros(len(there), bool)
    for first, last in runs(there, times_s):
        if times_s[last] - times_s[first] >= least_s:
            kept[first : last + 1] = True
    return kept


def runs(there: np.ndarray, times_s: np.ndarray) -> list[tuple[int, int]]:
    """First and last place of each run of True, none of them across a gap of over half a second."""
    found: list[tuple[int, int]] = []
    for i in np.flatnonzero(there):
        if found and i == found[-1][1] + 1 and times_s[i] - times_s[i - 1] <= LONGEST_STEP_S:
            found[-1] = (found[-1][0], int(i))
        else:
            found.append((int(i), int(i)))
    return found


def swings(values: Sequence[float], width: float) -> int:
    """How often a series turns round and goes the other way by at least `width`, plus the first go.

    A zigzag filter: smaller movements back do not count as turning.
    """
    count, direction = 0, 0
    low = high = values[0]
    for value in values[1:]:
        if direction >= 0:
            high = max(high, value)
        if direction <= 0:
            low = min(low, value)
        if direction <= 0 and value - low >= width:
            count, direction, high = count + 1, 1, value
        elif direction >= 0 and high - value >= width:
            count, direction, low = count + 1, -1, value
    return count


def _above_head(body: Body, side: int) -> np.ndarray:
    """How far a wrist is above the middle of the head, in trunk lengths."""
    heads = np.array([middle(points, tuple(HEAD))[1] for points in body.points])
    return (heads - body.points[:, WRISTS[side], 1]) / body.trunk


def _stretched(body: Body, side: int) -> np.ndarray:
    """Whether an arm is straight, lifted, and seen in its whole length."""
    out = np.zeros(len(body), bool)
    for i, points in enumerate(body.points):
        shoulder, elbow, wrist = (points[j[side]] for j in (SHOULDERS, ELBOWS, WRISTS))
        lifted_deg = from_vertical_deg(shoulder, wrist)
        out[i] = (
            joint_deg(shoulder, elbow, wrist) >= _STRAIGHT_ELBOW_DEG
            and _LIFTED_DEG[0] <= lifted_deg <= _LIFTED_DEG[1]
            and np.linalg.norm(wrist - shoulder) >= _WHOLE_ARM * body.trunk[i]
        )
    return out


def _still(body: Body, side: int) -> np.ndarray:
    """Whether a wrist keeps its place against the shoulder, up to or from the frame beside."""
    hand = body.points[:, WRISTS[side]] - body.points[:, SHOULDERS[side]]
    slow = np.zeros(len(body), bool)
    for i in range(1, len(body)):
        elapsed_s = body.times_s[i] - body.times_s[i - 1]
        moved = np.linalg.norm(hand[i] - hand[i - 1]) / body.trunk[i]
        if elapsed_s <= LONGEST_STEP_S and moved / elapsed_s <= _STILL_SPEED:
            slow[i - 1] = slow[i] = True
    return slow


def _waving(body: Body, side: int) -> np.ndarray:
    forearm = (body.points[:, WRISTS[side]] - body.points[:, ELBOWS[side]]) / body.trunk[:, None]
    # y grows downwards: a hand above its elbow is negative.
    up = forearm[:, 1] <= -_STANDING_FOREARM
    waving = np.zeros(len(body), bool)
    hand = (body.points[:, WRISTS[side]] - body.points[:, SHOULDERS[side]]) / body.trunk[:, None]
    for first, last in runs(up, body.times_s):
        for i in range(first, last + 1):
            end = int(np.searchsorted(body.times_s, body.times_s[i] + _WAVING_S, side="right"))
            part = slice(i, min(end, last + 1))
            path = hand[part]
            if not np.isfinite(path).all():
                continue
            across, down = np.ptp(path, axis=0)
            if across > down and swings(path[:, 0].tolist(), _SWING_WIDTH) >= _SWINGS:
                waving[part] = True
    return waving
