"""Speed ramps: part of a shot runs slower than the rest, which editors do by repeating frames.

What runs faster, by leaving frames out, leaves no trace but faster movement, which subjects and
cameras make too: it is not found, nor is slow motion whose frames were interpolated.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import percentile_filter

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals
from analyzers.methods.mask_runs import mask_runs

NAME = "speed_ramp"

#: A frame is a repeat with these parts of the movement around it (75 % quantile within the reach):
#: of the mean step, which must be so many levels, and of the step of the worst pixel. Repeats have
#: 0.01 to 0.05 of it, in grainy film up to 0.4 and 0.35 (measured, H.264 at CRF 23).
_REPEAT, _REPEAT_MAX, _LEAST_MOVEMENT, _REACH_S = 0.4, 0.4, 0.3, 0.2
#: Between two new frames of slow motion lie at most so many repeats (a quarter of the speed is 3),
#: and of the slow part's frames at least this share repeats: 1 in 5 is film at another rate.
_MOST_REPEATS, _LEAST_SHARE = 5, 0.3
#: In the shot around it at most this share repeats, or it is all of one rate and no ramp.
_SHARE_AROUND = 0.12
_AROUND_S = 0.6
_SHORTEST_S = 0.4


def find(signals: Signals) -> list[Effect]:
    """All parts in slow motion. `strength`: their speed against that of the shot around them."""
    repeats = _repeats(signals)
    # Stretches in which new frames come alone, with few repeats between them.
    near = np.zeros(signals.count, bool)
    for start, stop in mask_runs(repeats):
        if stop - start <= _MOST_REPEATS:
            near[max(0, start - 1) : stop + 1] = True
    found = []
    for start, stop in mask_runs(near):
        start_s, end_s = signals.time_s(start), signals.time_s(stop - 1)
        if end_s - start_s < _SHORTEST_S:
            continue
        share = float(repeats[start + 1 : stop - 1].mean())
        reach = signals.frames_of(_AROUND_S)
        around = np.r_[repeats[max(0, start - reach) : start], repeats[stop : stop + reach]]
        if share < _LEAST_SHARE or len(around) < reach or around.mean() > _SHARE_AROUND:
            continue
        if not _regular(repeats[start:stop]) or _at_transition(signals, start_s, end_s):
            continue
        found.append(
            Effect(NAME, start_s, end_s, float(min(1.0, 0.5 + share)), "slower", 1 - share)
        )
    return found


def _repeats(signals: Signals) -> np.ndarray:
    reach = signals.frames_of(_REACH_S)
    movement = percentile_filter(signals.step, 75, size=2 * reach + 1, mode="nearest")
    worst = percentile_filter(signals.step_max, 75, size=2 * reach + 1, mode="nearest")
    repeats = (signals.step <= _REPEAT * movement) & (movement >= _LEAST_MOVEMENT)
    repeats &= signals.step_max <= _REPEAT_MAX * worst
    repeats[:1] = False
    return repeats


def _regular(repeats: np.ndarray) -> bool:
    """Whether new frames come at even distances, as at a constant speed."""
    new = np.flatnonzero(~repeats)
    gaps = np.diff(new)
    return len(gaps) >= 4 and float(np.std(gaps[1:-1])) <= 0.35 * float(np.mean(gaps)) + 0.2


def _at_transition(signals: Signals, start_s: float, end_s: float) -> bool:
    """Whether it begins and ends with a shot: all of a shot at one rate is no ramp."""
    edges = [0.0, signals.end_s, *(t.start_s for t in signals.transitions)]
    near = 0.15
    return any(abs(e - start_s) < near for e in edges) and any(abs(e - end_s) < near for e in edges)
