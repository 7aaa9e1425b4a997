"""The pitch of a voice: its fundamental frequency (F0), frame by frame.

Method: YIN (de Cheveigné & Kawahara, "YIN, a fundamental frequency estimator for speech and music",
JASA 111, 2002), steps 1 to 5, all frames of a block at once by FFT: 2 CPU-ms for a second of sound,
where probabilistic YIN takes 80.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.ndimage import median_filter

from analyzers import progress

HOP_S = 0.01
#: The voices of men, women and children, raised ones too (Baken & Orlikoff, "Clinical measurement
#: of speech and voice", 2000, ch. 6).
LOWEST_HZ, HIGHEST_HZ = 65.0, 600.0
#: Length of what is compared with itself: a little more than the longest period and a half.
_WINDOW_S = 0.025
#: Half of a middling period: a frame stands for the middle of the two stretches that are compared.
_HALF_PERIOD_S = 0.0025
#: The first dip of the normalized difference below this is the period; the paper's 0.1 leaves out
#: breathy voices and those over music.
_CLEAR = 0.15
#: Where there is no such dip, the deepest one counts if it is below this.
_VOICED = 0.3
#: Softer frames have no pitch: -60 dBFS.
_FAINT = 10 ** (-60 / 20)
#: Pitch for less than this many frames is chance.
_SHORTEST_FRAMES = 4
#: A frame so far from the median of the second around it is an octave off (in semitones).
_OCTAVE_ST = 8.0
_AROUND_FRAMES = 101
_BLOCK = 2000


@dataclass(frozen=True)
class Pitch:
    """One value for every `HOP_S`; `times_s` is the middle of the frame.

    `f0_hz`: NaN where nothing sounds at a pitch. `periodicity`: how alike two periods in a row are,
    0..1, also where there is no pitch.
    """

    times_s: np.ndarray
    f0_hz: np.ndarray
    periodicity: np.ndarray


def pitch(sound: np.ndarray, rate_hz: int) -> Pitch:
    """F0 of mono sound, shape (n,). Two voices at once, or music, give the stronger one's."""
    hop, window = round(HOP_S * rate_hz), round(_WINDOW_S * rate_hz)
    least, most = int(rate_hz / HIGHEST_HZ), int(np.ceil(rate_hz / LOWEST_HZ)) + 1
    length = window + most
    count = max(0, 1 + (len(sound) - length) // hop)
    times_s = np.arange(count) * hop / rate_hz + _WINDOW_S / 2 + _HALF_PERIOD_S
    f0_hz = np.full(count, np.nan)
    periodicity = np.zeros(count)
    for first in range(0, count, _BLOCK):
        progress.checkpoint(first, count)
        last = min(first + _BLOCK, count)
        part = np.asarray(sound[first * hop : (last - 1) * hop + length], np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(part, length)[::hop]
        found, alike = _periods(frames - frames.mean(axis=1, keepdims=True), window, least, most)
        f0_hz[first:last] = rate_hz / found
        periodicity[first:last] = alike
    return Pitch(times_s, _tidied(f0_hz), periodicity)


def _periods(
    frames: np.ndarray, window: int, least: int, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Period of each frame in samples (NaN for none), and its periodicity."""
    normal = _difference(frames, window, most)
    middle = normal[:, least:most]
    dips = (middle <= normal[:, least - 1 : most - 1]) & (middle < normal[:, least + 1 : most + 1])
    clear = dips & (middle < _CLEAR)
    deepest = np.where(dips, middle, np.inf).argmin(axis=1)
    at = np.where(clear.any(axis=1), clear.argmax(axis=1), deepest)
    rows = np.arange(len(frames))
    lag = at + least
    depth = middle[rows, at]
    loud = np.sqrt(np.square(frames).mean(axis=1)) > _FAINT
    voiced = dips.any(axis=1) & (depth < _VOICED) & loud
    before, here, after = (normal[rows, lag + d] for d in (-1, 0, 1))
    bend = np.maximum(before - 2 * here + after, 1e-12)
    period = lag + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    return np.where(voiced, period, np.nan), np.where(loud, np.clip(1 - depth, 0.0, 1.0), 0.0)


def _difference(frames: np.ndarray, window: int, most: int) -> np.ndarray:
    """The cumulative mean normalized difference of each frame at lags 0..most, (n, most + 1)."""
    size = fft.next_fast_len(frames.shape[1] + window, real=True)
    start = fft.rfft(frames[:, :window], size)
    product = fft.irfft(np.conj(start) * fft.rfft(frames, size), size)[:, : most + 1]
    power = np.cumsum(np.pad(np.square(frames), ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    energy = power[:, window : window + most + 1] - power[:, : most + 1]
    difference = np.maximum(energy[:, :1] + energy - 2 * product, 0.0)
    lags = np.arange(1, most + 1)
    mean = np.cumsum(difference[:, 1:], axis=1) / lags
    normal = np.ones_like(difference)
    normal[:, 1:] = difference[:, 1:] / np.maximum(mean, 1e-12)
    return normal


def _tidied(f0_hz: np.ndarray) -> np.ndarray:
    """Without frames an octave from their neighbours, and without what is too short to be true."""
    voiced = np.flatnonzero(np.isfinite(f0_hz))
    if not len(voiced):
        return f0_hz
    pitches = 12 * np.log2(f0_hz[voiced])
    usual = median_filter(pitches, _AROUND_FRAMES, mode="nearest")
    kept = np.full(len(f0_hz), False)
    kept[voiced[np.abs(pitches - usual) < _OCTAVE_ST]] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], kept.astype(np.int8), [0]])))
    for first, last in edges.reshape(-1, 2).tolist():
        if last - first < _SHORTEST_FRAMES:
            kept[first:last] = False
    return np.where(kept, f0_hz, np.nan)
