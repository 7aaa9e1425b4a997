"""Mains hum: steady lines at 50 or 60 Hz and their multiples.

Definition: for at least 3 s there are, within 0.2 Hz (times the multiple) of the mains' frequency,
at least two lines of the first eight multiples, one of them the first or the second, each 12 dB or
more over what lies around it. The grid keeps its frequency within 0.2 Hz (ENTSO-E, "Continental
Europe operation handbook", policy 1); notes of music at A4 = 440 Hz lie further off: the nearest to
50 and 60 Hz are 49.0 and 61.7 Hz, to 100 and 120 Hz 98.0 and 123.5 Hz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.signal import get_window, resample_poly

MAINS_HZ = (50, 60)
#: The sound is looked at at this rate, in windows of this length, this far apart.
_RATE_HZ = 1000
_WINDOW_S, _HOP_S = 2.0, 0.5
#: What is louder may cover a hum for this long; it does not stop by itself.
_COVERED_S, _SHORTEST_S = 2.0, 3.0
_MULTIPLES = 8
_MAINS_OFF_HZ = 0.2
_PROMINENT_DB = 12.0
#: What lies around a line, in Hz from it.
_AROUND_HZ = (3.0, 12.0)
#: Softer lines than -90 dBFS are rounding.
_FAINT = 10 ** (-90 / 10)
_LEAST_LINES = 2
#: A minute at once.
_BLOCK_S = 60


@dataclass(frozen=True)
class Hum:
    """`hz`: 50 or 60. `spans`: where it sounds, in seconds. `dbfs`: level of its lines together."""

    hz: int
    spans: tuple[tuple[float, float], ...]
    dbfs: float


def hum(sound: np.ndarray, rate_hz: int) -> Hum | None:
    """Hum in mono sound, None where there is none. `rate_hz`: a multiple of 1000."""
    lines: dict[int, tuple[list[bool], list[float]]] = {hz: ([], []) for hz in MAINS_HZ}
    for power in _spectra(sound, rate_hz):
        for hz, (there, level) in lines.items():
            found = _lines(power, hz)
            there.append(len(found) >= _LEAST_LINES and min(found) <= 2)
            level.append(sum(found.values()))
    best = max(MAINS_HZ, key=lambda hz: sum(lines[hz][0]))
    there, level = lines[best]
    heard = np.concatenate([[0], there, [0]]).astype(np.int8)
    # A window stands for the half second in its middle, the first and the last for the ends too.
    edges_s = [0.0, *(np.arange(1, len(there)) * _HOP_S + (_WINDOW_S - _HOP_S) / 2).tolist()]
    edges_s.append(len(sound) / rate_hz)
    spans = [
        (edges_s[first], edges_s[last])
        for first, last in np.flatnonzero(np.diff(heard)).reshape(-1, 2).tolist()
    ]
    long = tuple((a, b) for a, b in _joined(spans) if b - a >= _SHORTEST_S)
    if not long:
        return None
    powers = [power for power, heard_there in zip(level, there, strict=True) if heard_there]
    return Hum(best, long, 10 * float(np.log10(np.median(powers))))


def _spectra(sound: np.ndarray, rate_hz: int) -> list[np.ndarray]:
    """Power at each quarter of a hertz, for windows of 2 s; a sine of amplitude 1 has 0.5."""
    size, hop = round(_WINDOW_S * _RATE_HZ), round(_HOP_S * _RATE_HZ)
    blocks = [
        resample_poly(np.asarray(sound[i : i + _BLOCK_S * rate_hz]), _RATE_HZ, rate_hz)
        for i in range(0, len(sound), _BLOCK_S * rate_hz)
    ]
    slow = np.concatenate(blocks) if blocks else np.empty(0)
    if len(slow) < size:
        return []
    window = get_window("hann", size)
    window /= window.sum() / 2
    cut = np.lib.stride_tricks.sliding_window_view(slow, size)[::hop]
    return [np.square(np.abs(fft.rfft(part * window, 2 * size))) / 2 for part in cut]


def _lines(power: np.ndarray, mains_hz: int) -> dict[int, float]:
    """Power of the lines that stand out, by multiple."""
    bins_a_hz = 2 * _WINDOW_S
    found = {}
    for multiple in range(1, _MULTIPLES + 1):
        centre = multiple * mains_hz * bins_a_hz
        off = round(_MAINS_OFF_HZ * multiple * bins_a_hz)
        # A peak on the edge of where it may lie is another line's slope.
        wide = power[round(centre) - off - 1 : round(centre) + off + 2]
        peak = int(wide.argmax())
        near, far = (round(hz * bins_a_hz) for hz in _AROUND_HZ)
        middle = round(centre)
        around = np.concatenate(
            [power[max(0, middle - far) : middle - near], power[middle + near : middle + far]]
        )
        prominent = wide[peak] > np.median(around) * 10 ** (_PROMINENT_DB / 10)
        if 0 < peak < len(wide) - 1 and prominent and wide[peak] > _FAINT:
            found[multiple] = float(wide[peak])
    return found


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans with less than 2 s between them become one."""
    joined: list[tuple[float, float]] = []
    for start_s, end_s in spans:
        if joined and start_s - joined[-1][1] < _COVERED_S:
            joined[-1] = (joined[-1][0], end_s)
        else:
            joined.append((start_s, end_s))
    return joined
