"""What the spectrum of sound tells: where its energy lies, how tonal it is, where sounds begin.

Definitions: Peeters, "A large set of audio features for sound description" (Ircam, 2004). Made
with NumPy and SciPy alone: librosa's own take 20 CPU-seconds to compile at their first call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.ndimage import maximum_filter1d
from scipy.signal import get_window

from analyzers import progress

#: Samples of a frame and between frames, at 44.1 kHz: 46 ms every 11.6 ms.
FRAME = 2048
HOP = 512
_ROLLOFF = 0.85
#: Softer frames say nothing about the spectrum: -70 dBFS.
_FAINT = 10 ** (-70 / 20)
_BANDS = 60
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 16000.0
#: Bass drums lie below the one, snares and voices between the two, hi-hats above.
_LOW_HZ, _MIDDLE_HZ = 150.0, 4000.0
#: The level from which on a band counts, relative to full scale, for the logarithm.
_FLOOR = 1e-4
#: Onsets are rises against this many frames before (Böck & Widmer, "Maximum filter vibrato
#: suppression for onset detection", DAFx 2013): 35 ms.
_LAG = 3
_BLOCK = 1024


@dataclass(frozen=True)
class Spectrum:
    """One value for each frame; those of faint frames are NaN but for `onset_strength`.

    `times_s`: middle of the frame. `flux_ratio`: how different the frame's spectrum is from the
    last one's, 0 (alike) to 1 (nothing in common). `onset_strength`: mean rise over bands, in nats;
    `accent_strength`, (2, n): the rise in amplitude below 150 Hz (bass drum) and up to 4 kHz
    (snare), without the hi-hats above.
    """

    times_s: np.ndarray
    centroid_hz: np.ndarray
    rolloff_hz: np.ndarray
    flatness_ratio: np.ndarray
    flux_ratio: np.ndarray
    onset_strength: np.ndarray
    accent_strength: np.ndarray
    rate_hz: float


def mono(sound: np.ndarray) -> np.ndarray:
    """The mean of the channels of (n, channels), float32 (n,)."""
    return np.asarray(sound, np.float32).mean(axis=1)


def frames(
    sound: np.ndarray, frame: int, hop: int, block: int = _BLOCK
) -> Iterator[tuple[int, np.ndarray]]:
    """Number of the first frame, and magnitudes (k, frame // 2 + 1), block by block.

    Frames are centred on multiples of `hop`; a sine of amplitude 1 has magnitude 1. `sound`:
    (n, channels).
    """
    window = get_window("hann", frame).astype(np.float32)
    window /= window.sum() / 2
    count = 1 + len(sound) // hop
    half = frame // 2
    for first in range(0, count, block):
        progress.checkpoint(first, count)
        last = min(first + block, count)
        begin, end = first * hop - half, (last - 1) * hop + half
        part = mono(sound[max(0, begin) : end])
        part = np.pad(part, (max(0, -begin), 0))
        part = np.pad(part, (0, end - begin - len(part)))
        cut = np.lib.stride_tricks.sliding_window_view(part, frame)[::hop]
        yield first, np.abs(fft.rfft(cut * window, axis=1))


def spectrum(sound: np.ndarray, rate_hz: int) -> Spectrum:
    """Spectral features of sound, (n, channels) float32, all channels mixed."""
    hz = np.fft.rfftfreq(FRAME, 1 / rate_hz).astype(np.float32)
    bands = _bands(hz)
    middles_hz = hz[bands.argmax(axis=0)]
    low = middles_hz < _LOW_HZ
    middle = ~low & (middles_hz < _MIDDLE_HZ)
    count = 1 + len(sound) // HOP
    found = np.full((4, count), np.nan, np.float32)
    onset, accent = np.zeros(count, np.float32), np.zeros((2, count), np.float32)
    before = np.zeros((1, len(hz)), np.float32)
    rows_before = np.zeros((_LAG, _BANDS), np.float32)
    for first, magnitude in frames(sound, FRAME, HOP):
        part = slice(first, first + len(magnitude))
        power = np.square(magnitude)
        total = power.sum(axis=1)
        loud = total > _FAINT**2
        last = np.vstack([before, magnitude[:-1]])
        before = magnitude[-1:]
        weight = magnitude.sum(axis=1) + 1e-12
        centroid = magnitude @ hz / weight
        reached = np.cumsum(power, axis=1) >= _ROLLOFF * total[:, None]
        rolloff = hz[reached.argmax(axis=1)]
        flatness = np.exp(np.log(power + 1e-12).mean(axis=1)) / (power.mean(axis=1) + 1e-12)
        flatness = np.minimum(flatness, 1.0)  # of a single sample it is 1, but for rounding
        flux = _distance(last, magnitude)
        for row, values in enumerate((centroid, rolloff, flatness, flux)):
            found[row, part] = np.where(loud, values, np.nan)
        amplitudes = magnitude @ bands
        rows = np.vstack([rows_before, amplitudes])
        rows_before = rows[-_LAG:]
        widened = maximum_filter1d(rows[:-_LAG], 3, axis=1)
        rise = np.log1p(amplitudes / _FLOOR) - np.log1p(widened / _FLOOR)
        onset[part] = np.maximum(0.0, rise).mean(axis=1)
        for strength, inside in zip(accent, (low, middle), strict=True):
            rise = np.square(amplitudes[:, inside]) - np.square(widened[:, inside])
            strength[part] = np.sqrt(np.maximum(0.0, rise).sum(axis=1))
    centroids, rolloffs, flatnesses, fluxes = found
    times_s = np.arange(count) * HOP / rate_hz
    return Spectrum(times_s, centroids, rolloffs, flatnesses, fluxes, onset, accent, rate_hz / HOP)


def _distance(last: np.ndarray, now: np.ndarray) -> np.ndarray:
    """One minus the cosine between spectra."""
    lengths = np.linalg.norm(last, axis=1) * np.linalg.norm(now, axis=1)
    return np.clip(1 - (last * now).sum(axis=1) / np.maximum(lengths, 1e-12), 0.0, 1.0)


def _bands(hz: np.ndarray) -> np.ndarray:
    """Triangles evenly apart on the mel scale (O'Shaughnessy 1987), (bins, bands)."""

    def mel(f: np.ndarray | float) -> np.ndarray:
        return 2595 * np.log10(1 + np.asarray(f) / 700)

    edges = np.linspace(mel(_LOWEST_HZ), mel(_HIGHEST_HZ), _BANDS + 2)
    up = (mel(hz)[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - mel(hz)[:, None]) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(up, down)).astype(np.float32)
