"""Letterbox and pillarbox: black or white bars at two opposite edges of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals
from analyzers.methods.mask_runs import mask_runs

NAME = "letterbox"

#: A bar's pixels: black or white to this level of 255 (video black and white after compression),
#: with hardly any spread. Dark scenes have noise and light in them.
_BLACK, _WHITE, _SPREAD = 22.0, 236.0, 3.0
#: Bars are this part of a side each, and alike to this part of the larger one.
_LEAST, _MOST, _ALIKE = 0.025, 0.4, 0.2
#: The picture begins at the bar at once: in this part of all columns (rows) it differs, by so many
#: levels, from the bar within a few pixels, and in a little of them at the other bar, where the
#: picture may be dark. A dark scene gets brighter slowly.
_EDGE_LEVELS, _EDGE_SHARE, _LEAST_EDGE_SHARE, _EDGE_PX = 16.0, 0.5, 0.05, 4
#: Bars shorter than this are not looked for; bars stay where they are to so many pixels.
_SHORTEST_S, _SAME_PX = 0.8, 2
#: Pictures lower (narrower) than this have no room for bars.
_LEAST_SIDE_PX = 16
#: Every so many pixels along a bar are looked at.
_THINNED = 4
#: A picture darker (brighter) than this, 95 % of it, does not show where it begins.
_BLANK = 40.0


@dataclass(frozen=True)
class _Bars:
    """Widths of the two bars in pixels, 0 for none; whether the picture begins sharply there."""

    first: int
    second: int
    sharp: bool
    white: bool


def find(signals: Signals) -> list[Effect]:
    """Bars above and below, and at the sides."""
    found = []
    times_s = signals.video.analysis.times_s
    for detail, axis in (("top_and_bottom", 0), ("sides", 1)):
        seen: list[_Bars | None] = []
        for _, frames in signals.analysis_batches():
            seen += [_bars(frame if axis == 0 else frame.transpose(1, 0, 2)) for frame in frames]
        side = signals.video.analysis[0].shape[axis]
        for start, stop in _stretches(seen):
            bars = [b for b in seen[start:stop] if b is not None]
            start_s = float(times_s[start])
            end_s = float(times_s[stop]) if stop < len(times_s) else signals.end_s
            if end_s - start_s < _SHORTEST_S:
                continue
            sharp = float(np.mean([b.sharp for b in bars]))
            if sharp < 0.3:
                continue
            widths = np.median([[b.first, b.second] for b in bars], axis=0)
            start_s, end_s = (to_the_frame(signals, t) for t in (start_s, end_s))
            found.append(
                Effect(
                    NAME, start_s, end_s, min(1.0, 0.6 + 0.4 * sharp), detail,
                    float(widths.sum() / side),
                )
            )  # fmt: skip
    return found


def _bars(frame: np.ndarray) -> _Bars | None:
    """The bars above and below in one frame; None where nothing is seen."""
    frame = frame[:, ::_THINNED]
    length = len(frame)
    if length < _LEAST_SIDE_PX:
        return None
    inner = frame[int(length * 0.3) : int(length * 0.7) : _THINNED]
    dark = (_extreme(inner, white=False) < _BLANK).mean() >= 0.95
    if dark or (_extreme(inner, white=True) > 255 - _BLANK).mean() >= 0.95:
        return None
    least, most = max(1, int(_LEAST * length)), int(_MOST * length)
    for white in (False, True):
        # Most pictures have none: a look at the outermost lines settles it.
        if not _plain(frame[[least // 2, length - 1 - least // 2]], white).all():
            continue
        upper, lower = frame[: most + _EDGE_PX + 1], frame[: -most - _EDGE_PX - 2 : -1]
        first, shown_first = _bar(upper, white)
        second, shown_second = _bar(lower, white)
        if not least <= min(first, second) <= max(first, second) <= most:
            continue
        if abs(first - second) > max(_SAME_PX, _ALIKE * max(first, second)):
            continue
        # Between the lines of a title card, and nowhere in a picture, the ground shows throughout.
        between = frame[first + _EDGE_PX : length - second - _EDGE_PX]
        if len(between) and _plain(between, white).any():
            return None
        sharp = max(shown_first, shown_second) >= _EDGE_SHARE
        sharp &= min(shown_first, shown_second) >= _LEAST_EDGE_SHARE
        return _Bars(first, second, sharp, white)
    return _Bars(0, 0, False, False)


def _bar(lines: np.ndarray, white: bool) -> tuple[int, float]:
    """How many lines from the edge are plain, and the part of the next that at once is not."""
    plain = _plain(lines, white)
    width = len(plain) if plain.all() else int(plain.argmin())
    beyond = _extreme(lines[width : width + _EDGE_PX], white).astype(np.int16)
    if not len(beyond):
        return width, 0.0
    if white:
        return width, float((beyond.min(0) < _WHITE - _EDGE_LEVELS).mean())
    return width, float((beyond.max(0) > _BLACK + _EDGE_LEVELS).mean())


def _plain(lines: np.ndarray, white: bool) -> np.ndarray:
    """Whether each line is black (white) throughout; compression lets single pixels ring."""
    plane = _extreme(lines, white)
    beyond = (plane < _WHITE) if white else (plane > _BLACK)
    return (beyond.mean(1) <= 0.02) & (plane.std(axis=1) <= _SPREAD)


def _extreme(picture: np.ndarray, white: bool) -> np.ndarray:
    """The darkest (for white) or brightest channel of each pixel."""
    choose = np.minimum if white else np.maximum
    return choose(choose(picture[..., 0], picture[..., 1]), picture[..., 2])


def _stretches(seen: list[_Bars | None]) -> list[tuple[int, int]]:
    """Stretches with the same bars; frames that show nothing belong to what is around them."""
    label = np.zeros(len(seen), int)
    known: list[_Bars] = []
    current = 0
    for i, bars in enumerate(seen):
        if bars is None:
            label[i] = current
            continue
        current = 0
        if bars.first:
            for number, other in enumerate(known, 1):
                near = max(abs(bars.first - other.first), abs(bars.second - other.second))
                if near <= _SAME_PX and bars.white == other.white:
                    current = number
                    break
            else:
                known.append(bars)
                current = len(known)
        label[i] = current
    # What shows nothing before the first bars are seen may have them too.
    first = next((i for i, bars in enumerate(seen) if bars is not None), len(seen))
    if first < len(seen):
        label[:first] = label[first]
    return sorted(r for number in range(1, len(known) + 1) for r in mask_runs(label == number))


def to_the_frame(signals: Signals, time_s: float) -> float:
    """The moment in the sampling interval before a time at which the picture changes most."""
    if time_s <= 0 or time_s >= signals.end_s:
        return time_s
    stop = signals.place(time_s) + 1
    start = max(1, signals.place(time_s - 0.21))
    best = start + int(np.argmax(signals.step[start:stop]))
    return signals.time_s(best) if signals.outstanding[best] else time_s
