"""Finds wipes: an edge sweeps over the picture, with the old shot before it and the new one behind.

What tells a wipe from all else is when each pixel changes over: it shows the old picture, then the
new one, once, at a time that is a plain function of its place (a plane for a straight edge in any
direction, the distance from the middle for an iris or barn doors). In a dissolve all change at the
same time; behind a moving camera or subject a pixel shows what is in neither picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from analyzers.video import Frames, windows

#: Lengths of the stretches that are looked at; a wipe is found in one that holds all of it. Editors
#: offer 0.2 to 2 s.
_LENGTHS_S = (0.5, 1.0, 2.0, 3.0)
#: A pixel tells something where both pictures differ by so much, in levels of 0..255.
_DIFFERENT = 25.0
#: The part of the picture that must tell something.
_LEAST_TELLING = 0.35
#: How well a pixel's time must follow from its place (R squared), and the part of all pixels and
#: times that shows the old picture before and the new one after: on real footage with moving
#: subjects wipes have 0.93 to 0.99 and 0.93 to 0.98.
_LEAST_ORDER, _LEAST_PURITY = 0.85, 0.85
#: How far a pixel may change over from its time, as a part of the wipe's length.
_TOLERANCE = 0.06
#: How far a pixel may be from both pictures, as a part of their difference: soft edges are.
_MIXED = 0.35
#: Fewer frames from the first pixel to the last make a cut.
_LEAST_FRAMES = 4
#: How soon, and how much of the difference is left, when the old picture is back after something
#: has passed that filled the frame.
_PASSING_S, _BACK = 2.0, 0.35
#: One step this part of all the change is a cut.
_CUT_SHARE = 0.4

_HEIGHT, _WIDTH = 27, 48


@dataclass(frozen=True)
class Wipe:
    """Places in `thumbs`: the last frame of only the old shot and the first of only the new one.

    `direction`: where the edge goes (`right`, `left`, `down`, `up`, `diagonal`, `out`, `in`).
    """

    first: int
    last: int
    direction: str
    confidence: float


def find_wipes(thumbs: Frames) -> list[Wipe]:
    """All wipes in order of time; they do not overlap."""
    if len(thumbs) < _LEAST_FRAMES + 2:
        return []
    search = _Search(thumbs)
    found: list[Wipe] = []
    for wipe in sorted(search.all(), key=lambda w: (w.first - w.last) * w.confidence):
        if all(wipe.last <= other.first or wipe.first >= other.last for other in found):
            found.append(wipe)
    found = sorted(found, key=lambda w: w.first)
    passing: set[int] = set()
    for i in range(len(found) - 1):
        if i not in passing and search.is_back(found[i], found[i + 1]):
            passing |= {i, i + 1}
    return [wipe for i, wipe in enumerate(found) if i not in passing]


class _Search:
    def __init__(self, thumbs: Frames) -> None:
        self.thumbs = thumbs
        self.times_s = thumbs.times_s
        #: Mean change from each frame to the next.
        self.step = np.array([cv2.absdiff(a, b).mean() for a, b in pairwise(self._all_grey())])

    def _all_grey(self) -> Iterator[np.ndarray]:
        for _, frames in windows(self.thumbs, 512):
            yield from (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames)

    def grey(self, place: int) -> np.ndarray:
        """The luma of a frame, uint8 (27, 48)."""
        return cv2.cvtColor(self.thumbs[place], cv2.COLOR_RGB2GRAY)

    def is_back(self, wipe: Wipe, later: Wipe) -> bool:
        """Whether what came with one wipe goes with the next: something passed close by."""
        before, between, after = (
            self.grey(i).astype(np.float32) for i in (wipe.first, wipe.last, later.last)
        )
        soon = self.times_s[later.first] - self.times_s[wipe.last] <= _PASSING_S
        return soon and bool(
            np.abs(after - before).mean() < _BACK * np.abs(between - before).mean()
        )

    def all(self) -> Iterator[Wipe]:
        interval_s = float(np.median(np.diff(self.times_s)))
        for length_s in _LENGTHS_S:
            size = round(length_s / max(interval_s, 1e-3))
            for first in range(0, len(self.thumbs) - size, max(1, size // 4)):
                if self._may_be(first, first + size):
                    wipe = self._wipe(first, first + size)
                    if wipe is not None:
                        yield wipe

    def _may_be(self, first: int, last: int) -> bool:
        steps = self.step[first:last]
        if last - first <= _LEAST_FRAMES or steps.max() > _CUT_SHARE * steps.sum():
            return False
        apart = cv2.absdiff(self.grey(first), self.grey(last))
        return bool((apart > _DIFFERENT).mean() >= _LEAST_TELLING)

    def _wipe(self, first: int, last: int) -> Wipe | None:
        """The wipe in a stretch, which need not hold all of it: it is followed to both its ends."""
        for _ in range(5):
            found = self._fit(first, last)
            if found is None or (found.first, found.last) == (first, last):
                return found
            first, last = found.first, found.last
        return found

    def _fit(self, first: int, last: int) -> Wipe | None:
        if last - first <= _LEAST_FRAMES:
            return None
        frames = np.stack([self.grey(i) for i in range(first, last + 1)]).astype(np.float32)
        old, new = frames[0], frames[-1]
        telling = np.abs(new - old) > _DIFFERENT
        if telling.mean() < _LEAST_TELLING:
            return None
        share = (frames[:, telling] - old[telling]) / (new - old)[telling]
        changed = share > 0.5
        # The change-over that agrees with most frames: old before it, new from it on.
        agreement = np.cumsum(~changed, axis=0) + (changed.sum(0) - np.cumsum(changed, axis=0))
        when = agreement.argmax(0) + 1
        clean = np.abs(share - changed) < _MIXED
        known = np.arange(len(frames))[:, None] >= when
        purity = float(((known == changed) & clean).mean())
        if purity < _LEAST_PURITY:
            return None
        fits = (_order(when, basis, telling, name) for name, basis in _BASES)
        order, begins, ends, direction = max(fits, key=lambda fit: fit[0])
        if order < _LEAST_ORDER or ends - begins < _LEAST_FRAMES:
            return None
        start = max(0, first + int(np.floor(begins)) - 1)
        stop = min(len(self.thumbs) - 1, first + int(np.ceil(ends)))
        return Wipe(start, stop, direction, float(min(1.0, order * purity)))


_Y, _X = (np.mgrid[:_HEIGHT, :_WIDTH] + 0.5) / np.array([_HEIGHT, _WIDTH])[:, None, None]
#: What a wipe's time may follow from: both coordinates, or the distance from the middle.
_BASES: tuple[tuple[str, np.ndarray], ...] = (
    ("straight", np.stack([_X, _Y], axis=2)),
    ("round", np.hypot(_X - 0.5, _Y - 0.5)[..., None]),
    ("doors", np.abs(_X - 0.5)[..., None]),
    ("doors", np.abs(_Y - 0.5)[..., None]),
)


def _order(
    when: np.ndarray, basis: np.ndarray, telling: np.ndarray, name: str
) -> tuple[float, float, float, str]:
    """How well place tells the time, when it begins and ends, and the edge's direction.

    The fit is robust (iteratively reweighted, Cauchy weights), since moving subjects make some
    pixels change over at any time; what counts is R squared, over the pixels that it holds for,
    times their part.
    """
    everywhere = np.concatenate([basis, np.ones((_HEIGHT, _WIDTH, 1))], axis=2)
    design = everywhere[telling]
    tolerance = max(1.0, _TOLERANCE * float(np.ptp(when)))
    weights = np.ones(len(when))
    for _ in range(6):
        weighted = design * weights[:, None]
        factors = np.linalg.solve(
            weighted.T @ design + 1e-6 * np.eye(design.shape[1]), weighted.T @ when
        )
        missed = np.abs(design @ factors - when)
        weights = 1 / (1 + (missed / tolerance) ** 2)
    held = missed <= 2 * tolerance
    spread = float(((when[held] - when[held].mean()) ** 2).sum()) if held.any() else 0.0
    order = float(held.mean()) * (1 - float((missed[held] ** 2).sum()) / max(spread, 1e-6))
    expected = everywhere @ factors
    begins, ends = float(expected.min()), float(expected.max())
    if name != "straight":
        return order, begins, ends, "out" if factors[0] > 0 else "in"
    across, down = factors[:2]
    if min(abs(across), abs(down)) > 0.4 * max(abs(across), abs(down)):
        return order, begins, ends, "diagonal"
    if abs(across) > abs(down):
        return order, begins, ends, "right" if across > 0 else "left"
    return order, begins, ends, "down" if down > 0 else "up"
