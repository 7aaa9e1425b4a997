"""Freeze frames: movement that stops dead, and one picture that then is repeated exactly."""

from __future__ import annotations

import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals
from analyzers.methods.mask_runs import mask_runs

NAME = "freeze"

_SHORTEST_S = 0.3
#: Repeats of a frame: what H.264 at usual quality leaves of them is at most 0.05 levels in the mean
#: of a thumb and 4 in its worst pixel (measured, CRF 23). A still subject before a camera on a
#: tripod has grain and small movement: 0.2 to 0.5 and 6 to 50 on the demo clips; the quietest of
#: them, an even wall, stays at 3 for 3 frames.
_REPEAT_MEAN, _REPEAT_MAX = 0.12, 5.0
#: What moves beside it must move so much (levels), and so many times more than the repeats. Where
#: nothing moves on either side it is a still or a title, no freeze.
_MOVING, _TIMES_MORE = 0.15, 6.0
#: ... and so much in its worst pixel: an encoder's own flicker on a wall has 3 to 6,
#: a puppy that chews 6 to 13.
_MOVING_MAX = 6.5
#: How far beside the freeze movement is looked for. It lasts: most of that time it moves.
_BESIDE_S, _QUANTILE = 0.4, 0.3


def find(signals: Signals) -> list[Effect]:
    """All freezes. A repeated stretch of a picture that fades or lies between cuts is none."""
    repeated = (signals.step <= _REPEAT_MEAN) & (signals.step_max <= _REPEAT_MAX)
    repeated[:1] = False
    found = []
    beside = signals.frames_of(_BESIDE_S)
    for start, stop in mask_runs(repeated):
        # The frame that is repeated is the one before the first repeat.
        start_s, end_s = signals.time_s(start - 1), signals.time_s(stop)
        if end_s - start_s < _SHORTEST_S:
            continue
        inside = signals.step[start:stop].mean()
        before = _movement(signals, start - beside, start)
        after = _movement(signals, stop + 1, stop + 1 + beside)
        least = max(_MOVING, _TIMES_MORE * inside)
        # What stops dead moves in full up to its last frame; a subject comes to rest.
        dead = before >= least and signals.step[max(start - 3, 1) : start].mean() >= 0.6 * before
        goes_on = after >= least
        if not dead or signals.at_transition(start_s, _BESIDE_S / 2):
            continue
        sharp = min(1.0, before / (20 * max(inside, 0.01)))
        found.append(Effect(NAME, start_s, end_s, 0.5 + 0.3 * sharp + 0.2 * goes_on))
    return found


def _movement(signals: Signals, start: int, stop: int) -> float:
    """What most steps of a stretch exceed; 0 where nothing but flicker moves or it is too short."""
    start, stop = max(start, 1), min(stop, signals.count)
    if stop - start < 3 or np.quantile(signals.step_max[start:stop], _QUANTILE) < _MOVING_MAX:
        return 0.0
    return float(np.quantile(signals.step[start:stop], _QUANTILE))
