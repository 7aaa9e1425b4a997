"""Flashes: for a moment the picture is mixed with white, another colour, or black."""

from __future__ import annotations

import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals, difference

NAME = "flash"

#: Editors' flashes last 2 to 10 frames. The picture, or the next one, is back after this.
_LONGEST_S = 0.5
#: What is left of a flash's greatest difference when the picture counts as back, beside what moved
#: in the meantime; and at most, however much that is.
_BACK, _MOST_LEFT = 0.15, 0.5
#: From this part of the greatest difference on it shows.
_SHOWS = 0.2
#: The change in mean luma, in levels of 255. Below it is flicker.
_LEAST_LUMA = 20.0
#: How much of the difference a mixture of the picture with one colour may leave unexplained.
#: Laid-on flashes leave under 0.15 (measured, compressed); explosions and lightning light the scene
#: unevenly, and a burst of light in the scene raises contrasts, which a mixture lowers.
_UNEXPLAINED, _MOST_GAIN = 0.35, 1.05


def find(signals: Signals) -> list[Effect]:
    """All flashes within a shot or over a cut."""
    found: list[Effect] = []
    reach = signals.frames_of(_LONGEST_S)
    for place in np.flatnonzero(signals.outstanding):
        if found and signals.times_s[place] < found[-1].end_s:
            continue
        effect = _flash(signals, int(place), reach)
        if effect is not None:
            found.append(effect)
    return found


def _flash(signals: Signals, start: int, reach: int) -> Effect | None:
    level = signals.luma[start - 1]
    stop = min(start + reach, signals.count)
    away = np.abs(signals.luma[start:stop] - level)
    if not len(away) or away.max() < _LEAST_LUMA or start == 0:
        return None
    before = signals.picture(start - 1)
    apart = np.array([difference(signals.picture(i), before) for i in range(start, stop)])
    peak = int(apart.argmax())
    # Movement may set in just before it.
    late = int(np.flatnonzero(apart >= _SHOWS * apart[peak])[0])
    start, apart, peak = start + late, apart[late:], peak - late
    left = min(_BACK * apart[peak] + 2 * signals.usual[start], _MOST_LEFT * apart[peak])
    back = np.flatnonzero(apart[peak:] < left)
    if not len(back):
        return None
    end = start + peak + int(back[0])
    after = signals.picture(end)
    unexplained, gains, levels = [], [], []
    for i in range(start, end):
        part = (i - start + 1) / (end - start + 1)
        gain, shift, rest = _mixture(before * (1 - part) + after * part, signals.picture(i))
        unexplained.append(rest)
        gains.append(gain)
        levels.append(float(shift.mean()))
    brightest = int(np.argmax(apart[: end - start]))
    if unexplained[brightest] > _UNEXPLAINED or gains[brightest] > _MOST_GAIN:
        return None
    detail = "white" if signals.luma[start + brightest] > level else "black"
    return Effect(
        NAME,
        signals.time_s(start),
        signals.time_s(end),
        float(np.clip(1.2 - unexplained[brightest], 0, 1)),
        detail,
        float(np.clip(1 - gains[brightest], 0, 1)),
    )


def _mixture(clear: np.ndarray, seen: np.ndarray) -> tuple[float, np.ndarray, float]:
    """The picture seen as gain x the clear one + a colour; with the part that this leaves."""
    x, y = clear.reshape(-1, 3), seen.reshape(-1, 3)
    x_mean, y_mean = x.mean(0), y.mean(0)
    spread = float(((x - x_mean) ** 2).sum())
    gain = float(((x - x_mean) * (y - y_mean)).sum()) / max(spread, 1e-6)
    shift = y_mean - gain * x_mean
    rest = np.abs(gain * x + shift - y).mean() / max(float(np.abs(x - y).mean()), 1e-6)
    return gain, shift, float(rest)
