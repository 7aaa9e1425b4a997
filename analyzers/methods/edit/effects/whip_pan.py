"""Whip pans: the camera, or an editor, sweeps so fast that the picture smears along the way."""

from __future__ import annotations

import cv2
import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals

NAME = "whip_pan"

#: A sweep takes 0.1 s to, at most, this.
_LONGEST_S, _LEAST_FRAMES = 0.9, 3
#: What is left of the detail (mean gradient of a thumb) along the way, against before and after,
#: and what is left across must be so many times more. A smear over 4 of 48 pixels, at 30 fps a
#: speed of about 5 frame widths a second with a usual shutter, halves it; loss of focus takes both.
_SMEARED, _AGAINST_ACROSS = 0.6, 1.5
#: A frame with less than this of its detail is part of the sweep.
_UNCLEAR = 0.8
#: What is left across, at least: in a flash nothing is.
_LEFT_ACROSS = 0.45
#: Least mean step over the sweep, in levels.
_LEAST_STEP = 6.0


def find(signals: Signals) -> list[Effect]:
    """All whip pans, within a shot or into another."""
    return [
        effect
        for start, stop in signals.bursts(_LONGEST_S)
        if (effect := _whip(signals, start, stop)) is not None
    ]


def _whip(signals: Signals, start: int, stop: int) -> Effect | None:
    if stop - start < _LEAST_FRAMES or start < 2:
        return None
    if signals.step[start:stop].mean() < _LEAST_STEP:
        return None
    usual = np.array([_detail(signals, i) for i in (start - 2, start - 1, stop - 1, stop)]).reshape(
        2, 2, 2
    )
    # A sweep into a plainer or a richer picture is held against the plainer one.
    reference = usual.mean(1).min(0)
    left = np.array([_detail(signals, i) for i in range(start, stop - 1)]) / np.maximum(
        reference, 0.5
    )
    axis = int(left.min(0).argmin())
    along, across = left[:, axis], left[:, 1 - axis]
    smeared = (along <= _SMEARED) & (across >= np.maximum(_AGAINST_ACROSS * along, _LEFT_ACROSS))
    if smeared.sum() < 2:
        return None
    sharpest = float(np.sort(along)[: max(2, len(along) // 3)].mean())
    detail = ("horizontal", "vertical")[axis]
    sure = float(np.clip(1.1 - sharpest, 0, 1))
    # From the first frame that has lost detail to the last one; what moves beside it has not.
    unclear = np.flatnonzero((along <= _UNCLEAR) | (signals.step[start : stop - 1] >= _LEAST_STEP))
    first, last = start + int(unclear[0]), start + int(unclear[-1]) + 1
    return Effect(NAME, signals.time_s(first), signals.time_s(last), sure, detail)


def _detail(signals: Signals, place: int) -> tuple[float, float]:
    """Mean absolute gradient of a thumb along x and along y."""
    grey = cv2.cvtColor(signals.picture(place), cv2.COLOR_RGB2GRAY)
    return float(np.abs(np.diff(grey, axis=1)).mean()), float(np.abs(np.diff(grey, axis=0)).mean())
