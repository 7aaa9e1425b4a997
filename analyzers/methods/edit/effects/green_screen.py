"""Green and blue screens: an even key colour behind a subject, ready to be keyed."""

from __future__ import annotations

import cv2
import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals
from analyzers.methods.mask_runs import mask_runs

NAME = "green_screen"

#: Width of the picture that is looked at, and how often.
_WIDTH, _EVERY = 96, 2
#: Key colours in HSV: hue in degrees; saturation and value, 0..1. Common green screens lie at 110
#: to 160 degrees and blue ones at 205 to 240. Lawns and leaves lie at 60 to 110 degrees; a blue sky
#: has less saturation than 0.8.
_KEYS = {"green": (100.0, 168.0, 0.45, 0.2), "blue": (205.0, 245.0, 0.8, 0.25)}
#: The screen's part of the picture, and of its left and right edges, and of its lower half's ones:
#: a screen stands behind a subject, and goes on below the horizon.
_LEAST_SHARE, _LEAST_EDGES, _LEAST_LOW_EDGES = 0.2, 0.6, 0.3
#: A screen is even: spread of its chroma, and mean gradient of its luma, in levels of 255. Screens
#: with noise and falling light give up to 6 and 3 (measured), foliage 10 and more.
_CHROMA_SPREAD, _TEXTURE = 9.0, 4.5
#: Something must stand before it.
_LEAST_SUBJECT = 0.03
_SHORTEST_S = 0.6


def find(signals: Signals) -> list[Effect]:
    """Stretches with a screen in a key colour."""
    found = []
    frames = signals.video.analysis
    places = range(0, len(frames), _EVERY)
    times_s = [float(frames.times_s[i]) for i in places]
    shares = {key: np.zeros(len(times_s)) for key in _KEYS}
    for number, i in enumerate(places):
        for key, share in _shares(frames[i]).items():
            shares[key][number] = share
    for key, filled in shares.items():
        for start, stop in mask_runs(filled > 0):
            start_s = times_s[start]
            end_s = times_s[stop] if stop < len(times_s) else signals.end_s
            if end_s - start_s < _SHORTEST_S:
                continue
            mean = float(filled[start:stop].mean())
            sure = float(np.clip(0.5 + mean, 0, 1))
            found.append(Effect(NAME, start_s, end_s, sure, key, mean))
    return found


def _shares(frame: np.ndarray) -> dict[str, float]:
    """The screen's part of the picture for each key colour; 0 where there is none."""
    height = max(8, round(_WIDTH * frame.shape[0] / frame.shape[1]))
    small = cv2.resize(frame, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    hue, saturation, value = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2HSV).astype(np.float32))
    shares = {}
    for key, (lowest, highest, least_saturation, least_value) in _KEYS.items():
        screen = (hue * 2 >= lowest) & (hue * 2 <= highest)
        screen &= (saturation >= 255 * least_saturation) & (value >= 255 * least_value)
        shares[key] = _share(small, screen)
    return shares


def _share(small: np.ndarray, screen: np.ndarray) -> float:
    share = float(screen.mean())
    if not _LEAST_SHARE <= share <= 1 - _LEAST_SUBJECT:
        return 0.0
    edges, low = screen[:, [0, -1]], screen[len(screen) // 2 :, [0, -1]]
    if edges.mean() < _LEAST_EDGES or low.mean() < _LEAST_LOW_EDGES:
        return 0.0
    luma, blue, red = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb).astype(np.float32))
    inner = cv2.erode(screen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if inner.mean() < _LEAST_SHARE / 2:
        return 0.0
    spread = float(np.hypot(blue[inner].std(), red[inner].std()))
    texture = float(np.hypot(*np.gradient(luma))[inner].mean())
    return share if spread <= _CHROMA_SPREAD and texture <= _TEXTURE else 0.0
