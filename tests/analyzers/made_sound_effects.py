"""Sound effects of which everything is known, at 16 kHz: mono float32, peak about 0.5."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfilt

RATE_HZ = 16000


def _times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def _noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, round(seconds * RATE_HZ))


def _made(sound: np.ndarray) -> np.ndarray:
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def click(seed: int = 0) -> np.ndarray:
    """4 ms of noise."""
    return _made(_noise(0.02, seed) * np.exp(-_times(0.02) * 800))


def pop(hz: float = 400.0) -> np.ndarray:
    """A low tone that falls by an octave and is gone after 80 ms."""
    t = _times(0.12)
    return _made(np.sin(2 * np.pi * hz * (t - 2 * t**2)) * np.exp(-t * 50))


def ding(hz: float = 1200.0) -> np.ndarray:
    """A bell: three partials that ring for a second."""
    t = _times(1.2)
    partials = [np.sin(2 * np.pi * hz * k * t) / k * np.exp(-t * 3 * k) for k in (1.0, 2.01, 2.9)]
    return _made(np.sum(partials, axis=0))


def impact(seed: int = 0) -> np.ndarray:
    """A low thud with a noisy beginning, half a second."""
    t = _times(0.8)
    low = np.sin(2 * np.pi * (60 + 60 * np.exp(-t * 20)) * t) * np.exp(-t * 8)
    crack = sosfilt(butter(2, 900, "low", fs=RATE_HZ, output="sos"), _noise(0.8, seed))
    return _made(low + 0.8 * crack * np.exp(-t * 14))


def whoosh(seconds: float = 0.6, seed: int = 0) -> np.ndarray:
    """Noise in a band that swells, sweeps up and down, and fades."""
    return _made(_swept(seconds, seed, np.sin(np.pi * _times(seconds) / seconds)))


def riser(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    """Noise that grows louder by 30 dB and brighter, and stops."""
    grown = _times(seconds) / seconds
    return _made(_swept(seconds, seed, grown) * 10 ** (30 * (grown - 1) / 20))


def _swept(seconds: float, seed: int, place: np.ndarray) -> np.ndarray:
    """Noise, low where `place` is 0 and high where it is 1, and louder there."""
    noise = _noise(seconds, seed)
    bands = [(300, 700), (700, 1500), (1500, 3000), (3000, 6000)]
    sound = np.zeros(len(noise))
    for number, band in enumerate(bands):
        near = np.exp(-np.square((place * (len(bands) - 1) - number) / 0.7))
        sound += near * sosfilt(butter(2, band, "band", fs=RATE_HZ, output="sos"), noise)
    return sound * (0.05 + np.square(place))


MADE = {
    "click": click,
    "pop": pop,
    "ding": ding,
    "impact": impact,
    "whoosh": whoosh,
    "riser": riser,
}


def placed(
    effects: list[tuple[float, np.ndarray]], seconds: float, noise_dbfs: float = -65.0
) -> np.ndarray:
    """Effects at their times over soft noise, float32 (n,)."""
    sound = np.random.default_rng(99).normal(0, 10 ** (noise_dbfs / 20), round(seconds * RATE_HZ))
    for start_s, effect in effects:
        at = round(start_s * RATE_HZ)
        sound[at : at + len(effect)] += effect[: len(sound) - at]
    return sound.astype(np.float32)
