"""Glitches: for moments colours split, or slices of the picture slip sideways by different ways."""

from __future__ import annotations

import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals, difference

NAME = "glitch"

#: The longest one, and how many frames within it may look whole.
_LONGEST_S, _WHOLE_FRAMES = 1.5, 3
#: Shifts that are tried, of 48 pixels in each way.
_REACH_PX = 9
#: How much less than by one shift of the whole picture a frame is unexplained by one for each
#: colour, or for each row of pixels. Glitches, compressed, give 0.16 to 0.6 and 0.2 to 0.7; whip
#: pans, punches and movement up to 0.02 and 0.12 (measured).
_LEAST_SPLIT, _LEAST_SLICED = 0.12, 0.2
#: With much noise they give less. This part of it is enough in the middle of a burst that trembles:
#: each frame differs from the next by so much of what it differs from the whole picture, which then
#: is back.
_WEAKER, _TREMBLES, _BACK = 0.6, 0.5, 0.35
#: Least mean difference from the picture before, in levels: a glitch comes and goes at once.
_LEAST_STEP = 8.0


def find(signals: Signals) -> list[Effect]:
    """All glitches."""
    found: list[Effect] = []
    for start, stop in signals.bursts(_LONGEST_S):
        if start < 1 or (found and signals.time_s(start) < found[-1].end_s):
            continue
        for first in range(start, stop):
            if signals.step[first] >= _LEAST_STEP:
                effect = _shifted(signals, first) or _trembling(signals, first, stop - 1)
                if effect is not None:
                    found.append(effect)
                break
    return found


def _shifted(signals: Signals, first: int) -> Effect | None:
    """The glitch that begins here and whose frames are explained by shifts."""
    before = signals.picture(first - 1)
    evident: list[int] = []
    splits, slices = [], []
    for place in range(first, min(first + signals.frames_of(_LONGEST_S), signals.count)):
        if place - (evident or [first])[-1] > _WHOLE_FRAMES:
            break
        split, sliced = _evidence(before, signals.picture(place))
        if split >= _LEAST_SPLIT or sliced >= _LEAST_SLICED:
            evident.append(place)
            splits.append(split / _LEAST_SPLIT)
            slices.append(sliced / _LEAST_SLICED)
        elif not evident:
            break
    # A single frame that rows happen to explain is not enough, and movement does not end at once.
    if len(evident) < 2 or signals.step[min(evident[-1] + 1, signals.count - 1)] < _LEAST_STEP:
        return None
    part = len(evident) / (evident[-1] - first + 1)
    strongest = max(*splits, *slices)
    return Effect(
        NAME,
        signals.time_s(first),
        signals.time_s(evident[-1] + 1),
        float(np.clip(0.2 * strongest + 0.4 * part, 0, 1)),
        "colour_split" if sum(splits) > sum(slices) else "slices",
    )


def _trembling(signals: Signals, first: int, stop: int) -> Effect | None:
    """The glitch from one frame to before another in which each differs from all others."""
    if stop - first < 3:
        return None
    before = signals.picture(first - 1)
    pictures = [signals.picture(place) for place in range(first, stop)]
    apart = np.array([difference(before, picture) for picture in pictures])
    steps = signals.step[first : stop + 1]
    if difference(before, signals.picture(stop)) > _BACK * np.median(apart):
        return None
    if np.median(steps) < _TREMBLES * np.median(apart) or steps.min() < _LEAST_STEP:
        return None
    shares = [
        max(split / _LEAST_SPLIT, sliced / _LEAST_SLICED)
        for split, sliced in (_evidence(before, picture) for picture in pictures)
    ]
    if np.median(shares) < _WEAKER:
        return None
    sure = float(np.clip(0.5 * np.median(shares), 0, 1))
    return Effect(NAME, signals.time_s(first), signals.time_s(stop), sure, "noise")


def _evidence(before: np.ndarray, seen: np.ndarray) -> tuple[float, float]:
    """How much better the colours' own shifts explain a frame, and the rows'.

    Slices may stand upright too, and colours be split up and down.
    """
    if difference(before, seen) < _LEAST_STEP:
        return 0.0, 0.0
    across = _explained(before, seen)
    down = _explained(before.transpose(1, 0, 2), seen.transpose(1, 0, 2))
    return max(across[0], down[0]), max(across[1], down[1])


def _explained(before: np.ndarray, seen: np.ndarray) -> tuple[float, float]:
    shifts = range(-_REACH_PX, _REACH_PX + 1)
    rest = np.stack([np.abs(np.roll(before, by, axis=1) - seen) for by in shifts])
    whole = float(rest.mean((1, 2, 3)).min())
    if whole < 0.5 * _LEAST_STEP:
        return 0.0, 0.0
    of_colours, of_rows = rest.mean((1, 2)), rest.mean((2, 3))
    split = 1 - float(of_colours.min(0).mean()) / whole
    sliced = 1 - float(of_rows.min(0).mean()) / whole
    return split if np.ptp(of_colours.argmin(0)) > 0 else 0.0, sliced
