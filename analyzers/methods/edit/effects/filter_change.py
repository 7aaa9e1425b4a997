"""Filter changes: from one frame to the next all colours of the same picture are mapped anew."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals, difference

NAME = "filter_change"

#: Most filters are put on within a frame, some over a third of a second.
_LONGEST_S = 0.4
#: What goes again sooner is a flash or a glitch.
_LEAST_HOLD_S, _LEAST_HOLD_FRAMES = 0.5, 3
#: The mean change of colour in levels of 255.
_LEAST_CHANGE = 4.0
#: How much of the change an affine map of colours may leave: filters on moving footage leave 0.1 to
#: 0.3; the next picture after a cut, 0.6 and more (measured on the demo clips' cuts).
_UNEXPLAINED = 0.4
#: The edges stay where they are: least correlation of the gradients' sizes. 0.7 and more in filters
#: on moving footage, at most 0.35 over the demo clips' cuts.
_LEAST_EDGES = 0.55
#: A light that goes on or up is a gain for all colours; a filter that is one too is put on at once.
_PLAIN_GAIN_CHANGE = 12.0
#: The part of the picture in which nothing moves, at least; and how much nearer than the picture
#: before the mapped one must be to a later one: with moving subjects 0.85 is measured.
_STILL, _STAYS = 0.8, 0.85
#: A map is undone where the way back leaves so little of it.
_UNDONE = 0.35


@dataclass(frozen=True)
class _Change:
    """Frames `start` to `stop - 1` change colours by `colours` (4, 3): [r, g, b, 1] @ colours."""

    start: int
    stop: int
    colours: np.ndarray
    before: np.ndarray
    unexplained: float
    amount: float


def find(signals: Signals) -> list[Effect]:
    """Each filter from where it is put on to where it is taken off, or to the end of its shot."""
    changes = []
    for start, stop in signals.bursts(_LONGEST_S):
        if start < 1 or signals.in_gradual(signals.time_s(start - 1), signals.time_s(stop)):
            continue
        # In a burst of movement it is the largest step.
        peak = start + int(signals.step[start:stop].argmax())
        if change := _change(signals, start, stop) or _change(signals, peak, peak + 1):
            changes.append(change)
    cuts_s = [t.start_s for t in signals.transitions]
    at_changes = {c.start for c in changes}
    found, undone = [], set()
    for number, change in enumerate(changes):
        if number in undone:
            continue
        end_s = signals.end_s
        for cut_s in cuts_s:
            is_other = all(abs(signals.place(cut_s) - place) > 2 for place in at_changes)
            if is_other and cut_s > signals.time_s(change.stop):
                end_s = cut_s
                break
        for later in range(number + 1, len(changes)):
            if signals.time_s(changes[later].start) < end_s and _undoes(change, changes[later]):
                end_s = signals.time_s(changes[later].start)
                undone.add(later)
                break
        found.append(
            Effect(
                NAME,
                signals.time_s(change.start),
                end_s,
                float(np.clip(1.1 - change.unexplained, 0, 1)),
                _kind(change),
                change.amount,
            )
        )
    return found


def _change(signals: Signals, start: int, stop: int) -> _Change | None:
    # At the video's end less must do.
    hold = min(signals.frames_of(_LEAST_HOLD_S), signals.count - stop)
    if start < 1 or hold < _LEAST_HOLD_FRAMES:
        return None
    before = np.mean([signals.picture(start - i) for i in (1, 2)], axis=0)
    after = np.mean([signals.picture(stop - 1 + i) for i in (0, 1)], axis=0)
    later = signals.picture(stop - 1 + hold)
    amount = difference(before, after)
    if amount < _LEAST_CHANGE:
        return None
    if _edges(before, after) < _LEAST_EDGES:
        return None
    colours = _map(before, after)
    mapped = _mapped(before, colours)
    # What moved in the meantime is left out.
    missed = np.abs(mapped - after).mean(2)
    still = missed <= np.quantile(missed, _STILL)
    # Where nothing but a part of the picture changes, something was laid over it.
    changed = difference(before[still], after[still])
    if changed < _LEAST_CHANGE / 2:
        return None
    unexplained = difference(mapped[still], after[still]) / changed
    if unexplained > _UNEXPLAINED:
        return None
    # It stays: what was mapped is nearer to the later picture than what was before.
    if difference(mapped[still], later[still]) > _STAYS * difference(before[still], later[still]):
        return None
    gains = np.diag(colours[:3])
    plain = np.ptp(gains) < 0.1 and np.abs(colours[:3] - np.diag(gains)).max() < 0.1
    if plain and (amount < _PLAIN_GAIN_CHANGE or stop - start > 2):
        return None
    return _Change(start, stop, colours, before, unexplained, amount)


def _edges(before: np.ndarray, after: np.ndarray) -> float:
    sizes = []
    for picture in (before, after):
        grey = cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY)
        across, down = np.gradient(grey)
        sizes.append(np.hypot(across, down).ravel())
    return float(np.corrcoef(*sizes)[0, 1]) if min(s.std() for s in sizes) > 0 else 0.0


def _map(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    x = np.column_stack([before.reshape(-1, 3), np.ones(before[..., 0].size)])
    # A little ridge towards leaving colours as they are: greys do not tell all of a map.
    keep = np.vstack([np.eye(3), np.zeros(3)])
    ridge = np.diag([50.0, 50.0, 50.0, 1e-3]) * len(x) / 1000
    return np.linalg.solve(x.T @ x + ridge, x.T @ after.reshape(-1, 3) + ridge @ keep)


def _mapped(picture: np.ndarray, colours: np.ndarray) -> np.ndarray:
    flat = picture.reshape(-1, 3) @ colours[:3] + colours[3]
    return np.clip(flat, 0, 255).reshape(picture.shape)


def _undoes(change: _Change, later: _Change) -> bool:
    """Whether the later map leads back to the colours there were before."""
    filtered = _mapped(change.before, change.colours)
    back = _mapped(filtered, later.colours).mean((0, 1))
    towards = change.before.mean((0, 1))
    spread_before, spread_filtered = (_saturation(p) for p in (change.before, filtered))
    gone = np.abs(filtered.mean((0, 1)) - towards).mean() + abs(spread_filtered - spread_before)
    again = _saturation(later.before), _saturation(_mapped(later.before, later.colours))
    left = np.abs(back - towards).mean()
    if np.sign(again[1] - again[0]) == np.sign(spread_before - spread_filtered):
        return bool(left < max(_UNDONE * gone, 6.0))
    return bool(left < _UNDONE * gone)


def _saturation(picture: np.ndarray) -> float:
    return float(np.ptp(picture, axis=2).mean())


def _kind(change: _Change) -> str:
    after = _mapped(change.before, change.colours)
    had, has = _saturation(change.before), _saturation(after)
    if has < 0.25 * had and had > 8:
        return "black_and_white"
    if had < 0.25 * has and has > 8:
        return "colour"
    red, _, blue = (after - change.before).mean((0, 1))
    if abs(red - blue) > 8:
        return "warmer" if red > blue else "cooler"
    light = (after - change.before).mean()
    return "brighter" if light > 4 else "darker" if light < -4 else "other"
