"""Tells how one shot gives way to the next: hard cuts, fades, dissolves and wipes, to the frame.

A network scores every frame (`analyzers.models.shots`); what it points at is then explained by the
pictures themselves, because no threshold on its scores separates a cut from a quick fade:

- in a fade each frame is the picture times a gain that goes to or comes from black (or white);
- in a dissolve each frame is a mixture of the picture before and the picture after;
- in a cut one step between neighbours outdoes all others, and the old picture does not come back.

Fades are looked for beside every black or white stretch too, since the network misses slow ones;
and wipes everywhere (`analyzers.methods.edit.wipes`), since it does not know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from analyzers.methods.edit.wipes import find_wipes
from analyzers.methods.mask_runs import mask_runs
from analyzers.video import Frames, windows

Kind = Literal[
    "cut", "dissolve", "fade_in", "fade_out", "fade_through_black", "fade_through_white", "wipe"
]
KINDS: tuple[Kind, ...] = (
    "cut",
    "dissolve",
    "fade_in",
    "fade_out",
    "fade_through_black",
    "fade_through_white",
    "wipe",
)

#: A frame whose brightest (darkest) pixel stays beyond this level, 0..255, is black (white).
_BLACK, _WHITE = 24, 231
#: The network's score for lying in a transition: one frame above the first, all above the second.
_SURE, _EXTENT = 0.5, 0.3
#: A lower score, of the network for the last frame of a shot, that is worth a look.
_HINT = 0.2
#: Fewer frames between the last old and the first new one make a (blended) cut.
_MIN_BETWEEN = 3
#: A step this many times the usual one around it stands out.
_STANDS_OUT = 3.0
#: Longest black or white hold that still belongs to the fades beside it.
_HOLD_S = 1.0
#: A picture that is back after this time was interrupted by a flash and not cut away from.
_FLASH_S = 0.35
#: ... which it is when it differs by less than this part of the step away.
_BACK = 0.3
#: How well frames must be explained as scaled or mixed pictures, 0..1.
_EXPLAINED = 0.75
#: Mean difference of two frames, in levels of 0..255: under the first there is nothing to see,
#: over the second it is plain.
_NOTHING, _MUCH = 4.0, 16.0


@dataclass(frozen=True)
class Transition:
    """One transition, in places of `thumbs`.

    `first`: last frame of only the old shot. `last`: first frame of only the new shot.
    `boundary`: the frame from which on the new shot counts; None where a fade begins or ends the
    video and so no shot is on its other side.
    """

    kind: Kind
    first: int
    last: int
    boundary: int | None
    confidence: float


@dataclass(frozen=True)
class _Span:
    """Frames `first` to `last`, both included."""

    first: int
    last: int


def find_transitions(
    thumbs: Frames, scores: np.ndarray, min_confidence: float = 0.5
) -> list[Transition]:
    """All transitions in order of time; they do not overlap.

    `scores`: float (n, 2) as `ShotBoundaryNet.score` gives them, for each frame in `thumbs`.
    """
    return _Search(thumbs, scores, min_confidence).run()


@dataclass(frozen=True)
class _Ramp:
    """A fade's way between black or white and the `whole` picture, as far as it is `explained`."""

    whole: int
    explained: float


class _Search:
    def __init__(self, thumbs: Frames, scores: np.ndarray, min_confidence: float) -> None:
        self.thumbs = thumbs
        self.times_s = thumbs.times_s
        self.last_of_shot, self.in_transition = scores.T
        self.min_confidence = min_confidence
        self.count = len(thumbs)
        self._measure()

    def _measure(self) -> None:
        """Mean luma, whether a frame is black or white, and how much it differs from the last."""
        self.luma = np.empty(self.count)
        self.black = np.empty(self.count, bool)
        self.white = np.empty(self.count, bool)
        self.step = np.zeros(self.count)
        before = None
        for part, frames in windows(self.thumbs, 512):
            grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
            self.luma[part] = grey.mean((1, 2))
            self.black[part] = grey.max((1, 2)) <= _BLACK
            self.white[part] = grey.min((1, 2)) >= _WHITE
            joined = frames if before is None else np.concatenate([before, frames])
            change = np.abs(np.diff(joined.astype(np.int16), axis=0)).mean((1, 2, 3))
            self.step[part.stop - len(change) : part.stop] = change
            before = frames[-1:]

    def run(self) -> list[Transition]:
        self.marked = self._marked_spans()
        self.flashes: list[_Span] = []
        fades = self._fades(self.black, "fade_through_black")
        fades += self._fades(self.white, "fade_through_white")
        gradual = [*fades, *self._wipes(fades)]
        for span in self.marked:
            if _overlaps(gradual, span.first, span.last):
                continue
            if (found := self._explain(span)) is not None:
                gradual.append(found)
        return sorted([*gradual, *self._cuts(gradual)], key=lambda t: (t.first, t.last))

    # Fades

    def _fades(self, plain: np.ndarray, through: Kind) -> list[Transition]:
        """Fades from and to the stretches of `plain` (black or white) frames."""
        found = []
        for start, stop in mask_runs(plain):
            out = self._ramp(start, -1)
            back = self._ramp(stop - 1, +1)
            hold_s = self.times_s[stop - 1] - self.times_s[start]
            # A short hold ends with the next shot's first frame, or with the video's last one.
            before, after = max(start - 1, 0), min(stop, self.count - 1)
            # A flash may be on its way for a frame or two before it is white.
            clear = out.whole if out else max(before - _MIN_BETWEEN, 0)
            clear_again = back.whole if back else min(after + _MIN_BETWEEN, self.count - 1)
            if self._is_dip(clear, start, clear_again):
                self.flashes.append(_Span(clear, clear_again))
                continue
            if out and back and hold_s <= _HOLD_S:
                found.append(
                    self._fade(through, out.whole, back.whole, (start + stop) // 2, out, back)
                )
                continue
            if out and hold_s <= _HOLD_S:
                boundary = after if stop < self.count else None
                found.append(self._fade("fade_out", out.whole, after, boundary, out))
            elif out:
                found.append(self._fade("fade_out", out.whole, start, start, out))
            if back and hold_s <= _HOLD_S:
                boundary = start if start > 0 else None
                found.append(self._fade("fade_in", before, back.whole, boundary, back))
            elif back:
                found.append(self._fade("fade_in", stop - 1, back.whole, stop - 1, back))
        return found

    def _is_dip(self, first: int, plain: int, last: int) -> bool:
        """Whether the picture at `first` is back soon after it was `plain`: a flash."""
        if self.times_s[last] - self.times_s[first] > 2 * _FLASH_S:
            return False
        old, new, between = (self._picture(i) for i in (first, last, plain))
        return bool(np.abs(new - old).mean() < _BACK * np.abs(between - old).mean())

    def _fade(
        self, kind: Kind, first: int, last: int, boundary: int | None, *ramps: _Ramp
    ) -> Transition:
        explained = min(ramp.explained for ramp in ramps)
        marked = self.in_transition[first : last + 1].mean()
        return Transition(kind, first, last, boundary, float(min(1.0, max(explained, marked))))

    def _ramp(self, plain: int, way: int) -> _Ramp | None:
        """How the picture goes or comes, from a black or white frame forwards or backwards.

        None where it stands there at once, or is not one and the same picture throughout.
        """
        sign = 1.0 if self.black[plain] else -1.0
        place, steepest = plain, 0.0
        while 0 <= place + way < self.count:
            # Two frames ahead, since in converted film every few frames one is repeated.
            ahead = min(max(place + 2 * way, 0), self.count - 1)
            slope = sign * (self.luma[ahead] - self.luma[place]) / abs(ahead - place)
            steepest = max(steepest, slope)
            if slope < max(0.15 * steepest, 0.02):
                break
            place += way
        # Movement in the picture blurs or hides the end of the ramp; the network does not mind it.
        for span in self.marked:
            edge = span.last if way > 0 else span.first
            if span.first < max(place, plain) and span.last > min(place, plain):
                place = edge if (edge - place) * way >= -_MIN_BETWEEN else place
        low, high = sorted((plain, place))
        if high - low - 1 < _MIN_BETWEEN or abs(self.luma[place] - self.luma[plain]) < 1.0:
            return None
        steps = self.step[low + 1 : high + 1]
        if steps.max() > 0.5 * steps.sum():
            return None
        nothing = self._picture(plain)
        whole = self._picture(place) - nothing
        # The darkest frames hold too few levels to be compared.
        nearer = np.arange(low + 1, high) if way < 0 else np.arange(high - 1, low, -1)
        compared = nearer[: -(-3 * len(nearer) // 4)]
        alike = [_cosine(self._picture(int(i)) - nothing, whole) for i in compared]
        explained = float(np.median(alike))
        return _Ramp(place, explained) if explained >= _EXPLAINED else None

    def _wipes(self, fades: list[Transition]) -> list[Transition]:
        return [
            Transition("wipe", w.first, w.last, (w.first + w.last + 1) // 2, w.confidence)
            for w in find_wipes(self.thumbs)
            if not _overlaps(fades, w.first, w.last)
        ]

    # Dissolves, and fades that never get quite black or white

    def _marked_spans(self) -> list[_Span]:
        """Stretches that the network marks as gradual."""
        spans = []
        for start, stop in mask_runs(self.in_transition > _EXTENT):
            long_enough = stop - start >= _MIN_BETWEEN
            if long_enough and self.in_transition[start:stop].max() > _SURE:
                spans.append(_Span(max(start - 1, 0), min(stop, self.count - 1)))
        return spans

    def _explain(self, span: _Span) -> Transition | None:
        before, after = self._picture(span.first), self._picture(span.last)
        between = np.stack([self._picture(i) for i in range(span.first + 1, span.last)])
        confidence = float(self.in_transition[span.first + 1 : span.last].mean())
        boundary = (span.first + span.last + 1) // 2
        lumas = self.luma[span.first : span.last + 1]
        if lumas.min() < 0.2 * min(lumas[0], lumas[-1]):
            boundary = span.first + int(lumas.argmin())
            return Transition("fade_through_black", span.first, span.last, boundary, confidence)
        if 255 - lumas.max() < 0.3 * (255 - max(lumas[0], lumas[-1])):
            boundary = span.first + int(lumas.argmax())
            return Transition("fade_through_white", span.first, span.last, boundary, confidence)
        if _same_content(before, after):
            return None
        dimmed = min(lumas[0], lumas[-1]) < 0.5 * max(lumas[0], lumas[-1])
        if dimmed and _cosine(before, after) > 0.9:  # the light in one shot goes up or down
            return None
        change = (after - before).ravel()
        shares = (between - before).reshape(len(between), -1) @ change / (change @ change)
        if np.diff([0.0, *shares, 1.0]).max() > 0.5:
            return None
        mixtures = before + shares[:, None, None, None] * (after - before)
        unexplained = np.abs(between - mixtures).mean((1, 2, 3)) / np.abs(change).mean()
        if unexplained.mean() > 1 - _EXPLAINED:
            return None
        return Transition("dissolve", span.first, span.last, boundary, confidence)

    # Cuts

    def _cuts(self, gradual: list[Transition]) -> list[Transition]:
        cuts = []
        for start, stop in mask_runs(self.last_of_shot >= min(_HINT, self.min_confidence)):
            peak = start + int(self.last_of_shot[start:stop].argmax())
            near = range(max(peak, 1), min(peak + 3, self.count))
            if not near:
                continue
            place = max(near, key=lambda i: self.step[i])
            others: list[Transition | _Span] = [*gradual, *self.flashes]
            if any(other.first < place <= other.last for other in others):
                continue
            score = float(self.last_of_shot[peak])
            if self._is_cut(place, sure=score >= self.min_confidence):
                cuts.append(Transition("cut", place - 1, place, place, score))
        return cuts

    def _is_cut(self, place: int, sure: bool) -> bool:
        if self.step[place] < (_NOTHING if sure else _MUCH):
            return False
        around = np.r_[self.step[max(place - 6, 1) : place], self.step[place + 1 : place + 7]]
        usual = np.median(around) if len(around) > _MIN_BETWEEN else 0.0
        marked = self.in_transition[max(place - 4, 0) : place + 4] > _EXTENT
        # Restless cutting lowers the network's scores, and at both ends of the video, where it sees
        # a still, movement raises them: there the step itself must speak.
        at_end = min(place, self.count - place) <= _MIN_BETWEEN
        doubtful = not sure or at_end or marked.sum() > _MIN_BETWEEN
        if doubtful and self.step[place] < _STANDS_OUT * usual:
            return False
        return not self._is_flash(place)

    def _is_flash(self, place: int) -> bool:
        """Whether the picture before `place` is back soon after."""
        before = self._picture(place - 1)
        for later in range(place + 1, self.count):
            if self.times_s[later] - self.times_s[place] > _FLASH_S:
                break
            if np.abs(self._picture(later) - before).mean() < _BACK * self.step[place]:
                return True
        # The end of a flash, looked at backwards.
        after = self._picture(place)
        for earlier in range(place - 2, -1, -1):
            if self.times_s[place] - self.times_s[earlier] > _FLASH_S:
                break
            if np.abs(self._picture(earlier) - after).mean() < _BACK * self.step[place]:
                return True
        return False

    def _picture(self, place: int) -> np.ndarray:
        return self.thumbs[place].astype(np.float32)


def _overlaps(transitions: list[Transition], first: int, last: int) -> bool:
    return any(t.first < last and first < t.last for t in transitions)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-6))


def _same_content(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two pictures differ by no more than their brightness."""
    if np.abs(a - b).mean() < _NOTHING:
        return True
    return _cosine(a - a.mean(), b - b.mean()) > 0.85
