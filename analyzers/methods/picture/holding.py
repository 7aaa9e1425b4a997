"""Whether a thing is in somebody's hand, from wrists and boxes over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analyzers.base import AnalysisResult
from analyzers.methods.people.body import WRISTS, body_of

#: A hand, wrist to fingertips, in lengths of the trunk: 0.108 and 0.288 of a person's height
#: (Drillis & Contini 1966, as in Winter, "Biomechanics and Motor Control of Human Movement",
#: figure 4.1).
_HAND_TRUNKS = 0.108 / 0.288
#: A person's trunk is the length that so much of the track's frames stay under: bending and
#: pointing at the camera only shorten it.
_TRUNK_QUANTILE = 0.9
#: Confidence from which a keypoint counts as seen, as in body_pose.
_SEEN = 0.5
#: A thing in a hand stays with it: in so many frames on end its middle keeps its place beside the
#: wrist to half a hand's length. A juggled ball passes a hand by several in a frame.
_FRAMES = 3
_STEADY_HANDS = 0.5

#: Corners x1, y1, x2, y2 relative to the frame.
Box = Sequence[float]
#: One hand: whose it is, the wrist's x and y in heights of the frame, and the hand's length.
Hand = tuple[tuple[int, int], float, float, float]


def hands_by_time(poses: AnalysisResult | None, aspect: float) -> dict[float, list[Hand]]:
    """The hands whose wrists body_pose saw, by the time of the frame; `aspect` is width by height.

    A frame with people whose wrists are unseen is not in it: there, nothing can be told.
    """
    if poses is None or poses.status != "ok":
        return {}
    of_person: dict[int, list[Mapping[str, Any]]] = {}
    for row in poses.observations.to_pylist():
        of_person.setdefault(row["track_id"], []).append(row)
    seen: dict[float, list[Hand]] = {}
    for track_id, rows in of_person.items():
        points = np.array([[r["keypoints_x"], r["keypoints_y"]] for r in rows], float)
        confidence = np.array([r["keypoints_confidence"] for r in rows], float)
        times_s = np.array([r["time_s"] for r in rows], float)
        body = body_of(times_s, points.transpose(0, 2, 1), confidence, aspect, _SEEN)
        known = body.trunk[np.isfinite(body.trunk)]
        if not len(known):
            continue
        hand = _HAND_TRUNKS * float(np.quantile(known, _TRUNK_QUANTILE))
        for time_s, joints in zip(times_s, body.points, strict=True):
            for wrist in WRISTS:
                x, y = joints[wrist]
                if np.isfinite(x):
                    seen.setdefault(float(time_s), []).append(
                        ((track_id, wrist), float(x), float(y), hand)
                    )
    return seen


def in_hand(
    times_s: Sequence[float],
    boxes: Sequence[Box],
    hands: Mapping[float, Sequence[Hand]],
    people: Mapping[float, Sequence[Box]],
    aspect: float,
) -> list[bool | None]:
    """For each sighting of a thing whether it is in a hand; None where that cannot be told.

    It is, where the same wrist is within a hand's length of the box in three frames on end or more
    and the box keeps its place beside it. So is what a hand lies on, and what stands beside a hand
    that is still. Where no wrist was seen, a thing is not held if no person's box touches it, and
    unknown otherwise: hands without a body have boxes of their own and no pose.
    """
    told: list[bool | None] = [
        False if t in hands or not _touched(box, people.get(t, ())) else None
        for t, box in zip(times_s, boxes, strict=True)
    ]
    near: dict[tuple[int, int], dict[int, np.ndarray]] = {}
    for place, (time_s, box) in enumerate(zip(times_s, boxes, strict=True)):
        for whose, x, y, hand in hands.get(time_s, ()):
            across = max(box[0] * aspect - x, 0.0, x - box[2] * aspect)
            down = max(box[1] - y, 0.0, y - box[3])
            if np.hypot(across, down) <= hand:
                middle = np.array([(box[0] + box[2]) / 2 * aspect - x, (box[1] + box[3]) / 2 - y])
                near.setdefault(whose, {})[place] = middle / hand
    for offsets in near.values():
        for first in offsets:
            run = [offsets[i] for i in range(first, first + _FRAMES) if i in offsets]
            if len(run) == _FRAMES and np.ptp(np.array(run), axis=0).max() <= _STEADY_HANDS:
                told[first : first + _FRAMES] = [True] * _FRAMES
    return told


def _touched(box: Box, people: Sequence[Box]) -> bool:
    return any(p[0] < box[2] and p[2] > box[0] and p[1] < box[3] and p[3] > box[1] for p in people)
