"""Reverberation time from speech alone, by the slope of its free decays.

Where a sound stops, its level falls by the room's rate: 60 dB in the reverberation time (ISO 3382).
Free decays are sought in octaves and a line is fitted to each, as in Prego, Lima, Zambrano-Lopez &
Netto, "Blind estimators for reverberation time and direct-to-reverberant energy ratio using subband
speech decomposition" (WASPAA 2015); that most decays are slower than the room, since the sound that
fades is itself not cut off, is why a low quantile of them counts (Ratnam et al., "Blind estimation
of reverberation time", J. Acoust. Soc. Am. 114, 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from analyzers.methods.speech.speech_spans import Span

#: Octaves, in Hz, from the lowest that speech fills.
_OCTAVES = ((400, 800), (800, 1600), (1600, 3200), (3200, 6400))
_FRAME_S, _HOP_S = 0.02, 0.005
#: The level is smoothed over this many hops, and falls where it is lower than this many before.
_SMOOTH, _LAG = 9, 24
_FALL_DB = 0.5
#: A decay starts at most this far under the loudest, this far below its own top, and ends here
#: above the background or below its top.
_LOUD_DB, _SKIP_DB, _OVER_NOISE_DB, _DEPTH_DB = 25.0, 3.0, 5.0, 35.0
#: What is fitted lasts and falls at least this much, and is a line.
_SHORTEST_S, _LEAST_DB, _LEAST_R2 = 0.05, 12.0, 0.95
#: Quieter than this far under the loudest is digital silence and no background.
_SILENT_DB = 70.0
#: The quantile of all decays that is the room's, and how many there must be.
_QUANTILE, _LEAST_DECAYS = 0.25, 5
#: Pieces of this length are looked at, so that length costs no memory.
_PIECE_S = 60.0


@dataclass(frozen=True)
class Reverberation:
    """`rt60_s`: time in which sound falls by 60 dB. `decays`: how many it was read from."""

    rt60_s: float
    decays: int


def reverberation(
    sound: np.ndarray, rate_hz: int, speech: Sequence[Span], after_s: float = 1.0
) -> Reverberation | None:
    """The reverberation time of speech, None where fewer than five clear decays are found.

    `sound`: mono float32. `speech`: where somebody speaks and nothing else plays; each is followed
    for `after_s`, where the room sounds on. Speech fades by itself: without any room it reads
    0.2 s, so that from 0.25 s down there is no telling.
    """
    slopes: list[float] = []
    for start_s, end_s in _pieces(speech, after_s):
        part = np.asarray(sound[round(start_s * rate_hz) : round(end_s * rate_hz)], np.float64)
        for low_hz, high_hz in _OCTAVES:
            slopes += _decays(_levels(part, rate_hz, low_hz, high_hz))
    if len(slopes) < _LEAST_DECAYS:
        return None
    return Reverberation(float(np.quantile(-60 / np.array(slopes), _QUANTILE)), len(slopes))


def _pieces(speech: Sequence[Span], after_s: float) -> list[Span]:
    """Spans of speech with what follows them, joined where they meet, in pieces of a minute."""
    joined: list[Span] = []
    for start_s, end_s in sorted(speech):
        begun_s, heard_s = joined[-1] if joined else (start_s, 0.0)
        if joined and start_s <= heard_s and end_s + after_s - begun_s <= _PIECE_S:
            joined[-1] = (begun_s, end_s + after_s)
        else:
            joined.append((max(start_s, heard_s), end_s + after_s))
    return joined


def _levels(sound: np.ndarray, rate_hz: int, low_hz: int, high_hz: int) -> np.ndarray:
    """Smoothed level of a band in dB, one for each 5 ms."""
    hop, frame = round(_HOP_S * rate_hz), round(_FRAME_S * rate_hz)
    count = (len(sound) - frame) // hop
    if count < _LAG + _SMOOTH:
        return np.empty(0)
    band = sosfilt(butter(3, (low_hz, high_hz), "band", fs=rate_hz, output="sos"), sound)
    total = np.concatenate([[0.0], np.cumsum(np.square(band))])
    at = np.arange(count) * hop
    levels = 10 * np.log10((total[at + frame] - total[at]).clip(0) / frame + 1e-12)
    padded = np.pad(levels, _SMOOTH // 2, mode="edge")
    return np.convolve(padded, np.ones(_SMOOTH) / _SMOOTH, "valid")


def _decays(levels: np.ndarray) -> list[float]:
    """Slopes in dB a second, all negative, of the free decays."""
    if not len(levels):
        return []
    loud = float(np.percentile(levels, 95))
    background = float(np.percentile(levels[levels > loud - _SILENT_DB], 5))
    falls = np.zeros(len(levels) + 2, np.int8)
    half = _LAG // 2
    falls[1 + half : 1 + len(levels) - half] = levels[_LAG:] - levels[:-_LAG] < -_FALL_DB
    slopes = []
    for first, last in np.flatnonzero(np.diff(falls)).reshape(-1, 2).tolist():
        fall = levels[first:last]
        fall = fall[int(fall.argmax()) :]
        top = float(fall[0])
        if top < loud - _LOUD_DB:
            continue
        begun = np.flatnonzero(fall <= top - _SKIP_DB)
        over = np.flatnonzero(fall < max(background + _OVER_NOISE_DB, top - _DEPTH_DB))
        line = fall[begun[0] if len(begun) else len(fall) : over[0] if len(over) else len(fall)]
        if len(line) * _HOP_S < _SHORTEST_S or line[0] - line[-1] < _LEAST_DB:
            continue
        times_s = np.arange(len(line)) * _HOP_S
        if np.corrcoef(times_s, line)[0, 1] ** 2 >= _LEAST_R2:
            slopes.append(float(np.polyfit(times_s, line, 1)[0]))
    return slopes
