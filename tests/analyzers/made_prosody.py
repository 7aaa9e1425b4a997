"""A made voice: harmonics shaped by the formants of a vowel, at a given pitch and level."""

from __future__ import annotations

import numpy as np

RATE_HZ = 16000
#: Formants of the vowel of "father" (Peterson & Barney 1952), a man's, and bandwidths.
_FORMANTS_HZ, _BANDWIDTH_HZ = (730.0, 1090.0, 2440.0), 90.0


def vowel(f0_hz: float | np.ndarray, seconds: float, level: float = 0.1) -> np.ndarray:
    """A vowel, float32 (n,), at a constant pitch or one pitch for each sample; `level` is RMS."""
    count = round(seconds * RATE_HZ)
    f0 = np.broadcast_to(np.asarray(f0_hz, np.float64), count)
    phase = 2 * np.pi * np.cumsum(f0) / RATE_HZ
    sound = np.zeros(count)
    for harmonic in range(1, int(7500 / f0.max()) + 1):
        hz = harmonic * f0
        gain = sum(1 / (1 + ((hz - f) / _BANDWIDTH_HZ) ** 2) for f in _FORMANTS_HZ) + 0.05
        sound += gain / harmonic * np.sin(harmonic * phase)
    fade = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / 160)
    return (sound * fade * level / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)
