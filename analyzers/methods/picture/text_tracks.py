"""Joins the text lines seen in single frames to lines that last, and finds when each is on screen.

A line is read in few frames, because reading is dear; in the frames between its own picture is
looked for, which costs next to nothing. On screen means: shown with at least a quarter of its
full contrast, so that a line that fades in counts from when a viewer can make it out, within a
quarter of the fade's length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

from analyzers.video import Frames

#: Readings this alike are one line read with a slip; 1 is equal.
_ALIKE = 0.75
#: Less sure readings may differ more where they stand in the same place.
_ALIKE_IF_UNSURE = 0.5
_SURE = 0.85
#: Words in the same position of two sure readings that differ more than this are other words.
_SAME_WORD = 0.6
#: How far text that moves with the scene may get, in frame widths a second.
_MAX_SPEED = 0.35
#: Longest time between two readings of a line.
_MAX_GAP_S = 2.2
#: The share of full contrast from which a line counts as shown.
_SHOWN = 0.25
#: A line is gone where less than this share of its contrast is left; or, over a still picture that
#: resembles it, where its contrast falls from one steady level to another.
_GONE = 0.6
#: Such levels lie this many times their own spread apart.
_STEADY = 5.0
#: Correlation under which a moving line is lost.
_LOST = 0.5
#: So many readings tell by their boxes alone whether a line moves: edges that lie within this,
#: relative to the frame, are in one place.
_MANY = 4
_SAME_PLACE = 0.006
#: Correlations this close do not tell which of two places is the right one.
_ABOUT_EQUAL = 0.1
#: Frames that are looked at in one go for a line's start or end: two seconds.
_STEP_FRAMES = 30


@dataclass(frozen=True)
class Sighting:
    """One line read in one frame.

    `quad`: float32 (4, 2), relative to the frame, clockwise. `close`: whether the frame was
    looked at in full detail, so that box and reading are at their best.
    """

    time_s: float
    quad: np.ndarray
    text: str
    confidence: float
    close: bool = True

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edge of the quad, 0..1."""
        return box_of(self.quad)

    @cached_property
    def key(self) -> str:
        """The reading without case, blanks and signs; what readings are compared by."""
        return "".join(c for c in self.text.casefold() if c.isalnum())


def box_of(quads: np.ndarray) -> tuple[float, float, float, float]:
    """The upright box around one quad or several."""
    low, high = quads.reshape(-1, 2).min(axis=0), quads.reshape(-1, 2).max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


@dataclass(eq=False)
class Track:
    """One line of text over its time on screen, in seconds."""

    sightings: list[Sighting]
    start_s: float = 0.0
    end_s: float = 0.0
    #: Whether it keeps its place in the frame.
    still: bool = True
    #: Median change of the line's strokes, and of what is between them, from one look at it to the
    #: next, in grey levels. Of what moves in the frame they stay 0.
    stroke_change: float = 0.0
    backing_change: float = 0.0
    reading: Sighting = field(init=False)

    def __post_init__(self) -> None:
        self.settle()

    def settle(self) -> None:
        """Choose the reading that stands for all, after sightings were added."""
        self.sightings.sort(key=lambda s: s.time_s)
        self.start_s, self.end_s = self.sightings[0].time_s, self.sightings[-1].time_s
        self.reading = _vote(self.sightings)

    @property
    def confidence(self) -> float:
        """Mean confidence of the sightings that read much the same as the chosen one."""
        same = [s.confidence for s in self.sightings if alike(s.key, self.reading.key) >= _ALIKE]
        return float(np.mean(same))

    @property
    def times_read(self) -> int:
        """How many sightings read exactly the chosen text, but for case and signs."""
        return sum(s.key == self.reading.key for s in self.sightings)

    def covers(self, time_s: float) -> bool:
        """Whether the line is on screen at a time."""
        return self.start_s <= time_s < self.end_s


def alike(one: str, other: str) -> float:
    """How alike two strings are, 0..1 (Ratcliff and Obershelp 1988)."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def _vote(sightings: Sequence[Sighting]) -> Sighting:
    """The reading nearest to all others, weighed by confidence; the longer one of equals.

    Other than close looks count where no close one is sure.
    """
    sightings = [s for s in sightings if s.close and s.confidence >= _SURE] or sightings
    distinct = {s.text: s for s in sorted(sightings, key=lambda s: (s.confidence, -s.time_s))}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    weights: dict[str, float] = {}
    for s in sightings:
        weights[s.text] = weights.get(s.text, 0.0) + s.confidence**2

    def support(text: str) -> float:
        return sum(weight * alike(text, other) for other, weight in weights.items())

    return distinct[max(distinct, key=lambda t: (round(support(t), 6), len(t), t))]


def link(sightings: Sequence[Sighting], tracks: Sequence[Track] = ()) -> list[Track]:
    """Join sightings to tracks, frame by frame, the surest pairs first.

    `tracks` are continued where they fit; the result holds them and the new ones, by start.
    """
    chains = [track.sightings for track in tracks]
    for now in _by_time(sightings):
        pairs = []
        for c, chain in enumerate(chains):
            near = min(chain, key=lambda known: abs(known.time_s - now[0].time_s))
            pairs += [(_same_line(near, s), c, i) for i, s in enumerate(now)]
        free_chains, free = set(range(len(chains))), set(range(len(now)))
        for score, c, i in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
            if score > 0 and c in free_chains and i in free:
                free_chains.remove(c)
                free.remove(i)
                chains[c].append(now[i])
        chains += [[now[i]] for i in sorted(free)]
    joined = [Track(chain) for chain in chains]
    return sorted(joined, key=lambda t: (t.start_s, t.reading.box[1], t.reading.box[0]))


def _by_time(sightings: Sequence[Sighting]) -> Iterator[list[Sighting]]:
    for time_s in sorted({s.time_s for s in sightings}):
        yield [s for s in sightings if s.time_s == time_s]


def _same_line(before: Sighting, after: Sighting) -> float:
    """How likely two sightings are of one line; 0 for no."""
    gap_s = abs(after.time_s - before.time_s)
    if not 0 < gap_s <= _MAX_GAP_S:
        return 0.0
    similarity = alike(before.key, after.key)
    sure = min(before.confidence, after.confidence) >= _SURE
    if overlap_of_smaller(before.box, after.box) >= 0.5:
        grown = bool(before.key and after.key) and (
            before.key.startswith(after.key) or after.key.startswith(before.key)
        )
        if sure and not grown and (similarity < _ALIKE or _other_words(before.text, after.text)):
            return 0.0
        return 1.0 + similarity if grown or similarity >= _ALIKE_IF_UNSURE else 0.0
    if len(before.key) < 2 or similarity < _ALIKE:
        return 0.0
    a, b = np.array(before.box), np.array(after.box)
    heights = (a[3] - a[1]) / max(b[3] - b[1], 1e-6)
    distance = float(np.abs((a[:2] + a[2:]) / 2 - (b[:2] + b[2:]) / 2).max())
    return similarity if 0.5 < heights < 2.0 and distance <= _MAX_SPEED * gap_s else 0.0


def _other_words(one: str, other: str) -> bool:
    a, b = one.casefold().split(), other.casefold().split()
    for kind, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "replace" and alike("".join(a[a1:a2]), "".join(b[b1:b2])) < _SAME_WORD:
            return True
    return False


def overlap_of_smaller(a: Sequence[float], b: Sequence[float]) -> float:
    """The area two boxes share, as a part of the smaller one's."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / max(min(areas), 1e-9)


class Watcher:
    """Follows tracks through the grey frames of the motion rung."""

    def __init__(self, motion: Frames, end_s: float) -> None:
        self._frames = motion
        self._times = motion.times_s
        self._end_s = end_s
        self._height, self._width = motion[0].shape[:2]

    def refine(
        self, track: Track, unread: tuple[float, float], others: tuple[float, float]
    ) -> None:
        """Set when the track is on screen, whether it stands still, and what changes around it.

        `unread`: times of the last frame before and the first one after it that were searched for
        text and did not show the line; a line that moves is not followed past them. `others`: the
        last time before and the first one after at which its place showed another line.
        """
        looks = self._looks(track)
        track.still = self._is_still(track, looks)
        first, last = (
            self._index(track.sightings[0].time_s),
            self._index(track.sightings[-1].time_s),
        )
        if track.still:
            template = self._template(track, looks)
            track.stroke_change, track.backing_change = self._changes(template, looks)
            track.start_s = self._edge(template, first, -1, others[0])
            track.end_s = self._edge(template, last, +1, others[1])
        else:
            track.start_s = self._follow(track.sightings[0], unread[0], -1)
            track.end_s = self._follow(track.sightings[-1], unread[1], +1)

    def _index(self, time_s: float) -> int:
        return int(np.argmin(np.abs(self._times - time_s)))

    def _looks(self, track: Track) -> np.ndarray:
        """At most eight frames over the time the line was read, a third of a second at least."""
        first, last = track.sightings[0].time_s, track.sightings[-1].time_s
        short = max(0.0, 0.34 - (last - first)) / 2
        span = np.linspace(max(0.0, first - short), last + short, 8)
        return np.unique([self._index(t) for t in span])

    def _pixels(self, box: Sequence[float], margin_px: int) -> tuple[slice, slice]:
        x1, y1, x2, y2 = box
        return (
            slice(
                max(0, int(y1 * self._height) - margin_px),
                min(self._height, int(np.ceil(y2 * self._height)) + margin_px),
            ),
            slice(
                max(0, int(x1 * self._width) - margin_px),
                min(self._width, int(np.ceil(x2 * self._width)) + margin_px),
            ),
        )

    def _strokes(self, index: int, where: tuple[slice, slice]) -> np.ndarray:
        """A part of a frame without its slow changes of brightness: what strokes are made of."""
        part = np.asarray(self._frames[index][where], np.float32)
        side = 2 * max(3, part.shape[0] // 3) + 1
        return part - cv2.blur(part, (side, side))

    def _is_still(self, track: Track, looks: np.ndarray) -> bool:
        """Whether the line was mostly read in one place, or its picture is mostly found in one.

        The picture of a line read once or twice tells; over a ground that changes much, the places
        of many readings do.
        """
        sighting = track.reading
        same = np.array([s.box for s in track.sightings if s.key == sighting.key])
        if len(same) >= _MANY and np.median(np.abs(same - np.median(same, axis=0))) <= _SAME_PLACE:
            return True
        inner = self._pixels(sighting.box, 1)
        height = inner[0].stop - inner[0].start
        outer = self._pixels(sighting.box, 1 + max(6, height))
        template = self._strokes(self._index(sighting.time_s), inner)
        x, y = inner[1].start - outer[1].start, inner[0].start - outer[0].start
        reach = 1 + round(0.08 * height)
        found = []
        for index in looks:
            scores = cv2.matchTemplate(self._strokes(index, outer), template, cv2.TM_CCOEFF_NORMED)
            home = scores[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
            if scores.max() >= _LOST:
                found.append(home.max() >= scores.max() - _ABOUT_EQUAL)
        return len(found) >= max(2, len(looks) // 2) and float(np.mean(found)) >= 0.75

    def _changes(
        self, template: tuple[np.ndarray, tuple[slice, slice]], looks: np.ndarray
    ) -> tuple[float, float]:
        strokes, where = template
        # The stronger side of the high-passed strokes is the ink, the other one its surround.
        ink = strokes * np.sign((strokes**3).sum())
        core = ink > 0.5 * ink.max()
        backing = cv2.dilate((strokes != 0).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
        if len(looks) < 2 or not core.any() or not backing.any():
            return 0.0, 0.0
        parts = [np.asarray(self._frames[i][where], np.float32) for i in looks]
        steps = [np.abs(b - a) for a, b in pairwise(parts)]
        return (
            float(np.median([step[core].mean() for step in steps])),
            float(np.median([step[backing].mean() for step in steps])),
        )

    def _template(self, track: Track, looks: np.ndarray) -> tuple[np.ndarray, tuple[slice, slice]]:
        """The line's strokes, averaged over its time so that what moves behind it is gone."""
        where = self._pixels(track.reading.box, 1)
        read = np.unique([self._index(s.time_s) for s in track.sightings])
        between = [i for i in looks if read[0] <= i <= read[-1]]
        mean = np.mean([self._strokes(i, where) for i in {*read, *between}], axis=0)
        mean[np.abs(mean) < 0.3 * np.abs(mean).max()] = 0.0
        return mean, where

    def _edge(
        self,
        template: tuple[np.ndarray, tuple[slice, slice]],
        index: int,
        step: int,
        until_s: float,
    ) -> float:
        """The time at which a still line comes (step -1) or goes (+1), from a frame that has it."""
        strokes, where = template
        energy = float((strokes**2).sum()) or 1.0
        if step < 0:
            stop = min(index, int(np.searchsorted(self._times, until_s, "right"))) - 1
        else:
            stop = max(index + 1, int(np.searchsorted(self._times, until_s, "left")))
        last_shown = index
        full = 0.0
        for first in range(index, stop, step * _STEP_FRAMES):
            chunk = range(first, stop, step)[:_STEP_FRAMES]
            contrast = np.array(
                [float((strokes * self._strokes(i, where)).sum()) / energy for i in chunk]
            )
            full = full or max(float(contrast[:3].max()), 1e-3)
            hidden = _hidden(contrast, full)
            if hidden is None:
                last_shown = chunk[-1]
                continue
            if hidden > 0:
                last_shown = chunk[hidden - 1]
            break
        return self._shown_bound(last_shown, step)

    def _follow(self, sighting: Sighting, until_s: float, step: int) -> float:
        """The last time at which a moving line is found, looking from a sighting."""
        index = self._index(sighting.time_s)
        where = self._pixels(sighting.box, 1)
        last_shown = index
        template = self._strokes(index, where)
        while 0 <= index + step < len(self._times):
            index += step
            if (self._times[index] - until_s) * step >= 0:
                break
            reach = max(8, template.shape[0] // 2)
            y1, x1 = max(0, where[0].start - reach), max(0, where[1].start - reach)
            around = (
                slice(y1, min(self._height, where[0].stop + reach)),
                slice(x1, min(self._width, where[1].stop + reach)),
            )
            scores = cv2.matchTemplate(self._strokes(index, around), template, cv2.TM_CCOEFF_NORMED)
            _, best, _, (x, y) = cv2.minMaxLoc(scores)
            if best < _LOST:
                break
            where = (
                slice(y1 + y, y1 + y + template.shape[0]),
                slice(x1 + x, x1 + x + template.shape[1]),
            )
            template = self._strokes(index, where)
            last_shown = index
        return self._shown_bound(last_shown, step)

    def _shown_bound(self, index: int, step: int) -> float:
        """Start of a first shown frame, or end of a last shown one."""
        if step < 0:
            return float(self._times[index])
        following = index + 1
        return float(self._times[following]) if following < len(self._times) else self._end_s


def _hidden(contrast: np.ndarray, full: float) -> int | None:
    """Where in a run of frames a line's contrast is lost for good; None where it is not lost.

    `full` is its contrast where it was read.
    """
    rest = max(0.0, float(contrast.min()))
    low = contrast < rest + _SHOWN * (full - rest)
    # One weak frame between shown ones is a flicker, not an end.
    lasting = low & np.append(low[1:], True)
    if full <= rest or not lasting.any():
        return None
    end = int(np.argmax(lasting))
    if rest >= _GONE * full:
        spread = max(float(np.std(contrast[:end])) if end else 0.0, float(np.std(contrast[end:])))
        if full - rest < _STEADY * max(spread, 0.005):
            return None
    return end


def neighbours_s(track: Track, tracks: Sequence[Track], end_s: float) -> tuple[float, float]:
    """The last time before a track and the first one after it at which its place read otherwise."""
    first, last = track.sightings[0].time_s, track.sightings[-1].time_s
    times = [
        s.time_s
        for other in tracks
        if other is not track and other.confidence >= _SURE
        for s in other.sightings
        if overlap_of_smaller(s.box, track.reading.box) >= 0.6
    ]
    before = max((t for t in times if t < first), default=-1.0)
    return before, min((t for t in times if t > last), default=end_s)


def absorb_parts(tracks: Sequence[Track]) -> list[Track]:
    """Drop tracks that are parts or doubles of another line which is on screen at the same time.

    A detector may see one line whole in one frame and in pieces in the next.
    """
    kept: list[Track] = []
    for track in sorted(tracks, key=lambda t: -len(t.sightings) * len(t.reading.key)):
        if not any(_is_part(track, other) for other in kept):
            kept.append(track)
    return [track for track in tracks if track in kept]


def _is_part(track: Track, other: Track) -> bool:
    shared_s = min(track.end_s, other.end_s) - max(track.start_s, other.start_s)
    if shared_s < 0.5 * (track.end_s - track.start_s):
        return False
    return overlap_of_smaller(track.reading.box, other.reading.box) >= 0.6
