"""Noise, wind, hum and rooms of which everything is known, at 16 kHz."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

RATE_HZ = 16000


def white(seconds: float, dbfs: float = -30.0, seed: int = 0) -> np.ndarray:
    """White noise of an RMS level, float32 (n,)."""
    noise = np.random.default_rng(seed).normal(0, 1, round(seconds * RATE_HZ))
    return (noise * 10 ** (dbfs / 20)).astype(np.float32)


def pink(seconds: float, dbfs: float = -30.0, seed: int = 0) -> np.ndarray:
    """Noise of equal power in each octave from 20 Hz on."""
    noise = np.fft.rfft(white(seconds, 0.0, seed))
    hz = np.fft.rfftfreq(round(seconds * RATE_HZ), 1 / RATE_HZ)
    return _at(np.fft.irfft(noise / np.sqrt(np.maximum(hz, 20.0)), round(seconds * RATE_HZ)), dbfs)


def rumble(seconds: float, dbfs: float = -20.0, seed: int = 0) -> np.ndarray:
    """Low noise that stays as loud as it is: an engine far away."""
    low = butter(2, 120, "low", fs=RATE_HZ, output="sos")
    return _at(sosfilt(low, white(seconds, 0.0, seed)), dbfs)


def gusts(seconds: float, dbfs: float = -20.0, seed: int = 0) -> np.ndarray:
    """Wind in a microphone: low noise whose level sways by up to 15 dB every 0.7 s."""
    rng = np.random.default_rng(seed)
    noise = rumble(seconds, 0.0, seed)
    places_s = np.arange(0, seconds + 1.4, 0.7)
    levels = 10 ** (rng.uniform(-15, 0, len(places_s)) / 20)
    return _at(noise * np.interp(np.arange(len(noise)) / RATE_HZ, places_s, levels), dbfs)


def lines(hz: float, seconds: float, dbfs: float = -40.0, multiples: int = 5) -> np.ndarray:
    """A tone and its multiples, the k-th with a k-th of its amplitude."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return _at(sum(np.sin(2 * np.pi * hz * k * t + k) / k for k in range(1, multiples + 1)), dbfs)


def syllables(seconds: float, seed: int = 0) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Bursts of voice-like noise that stop at once, and where they sound."""
    rng = np.random.default_rng(seed)
    band = butter(2, (200, 5000), "band", fs=RATE_HZ, output="sos")
    noise = _at(sosfilt(band, white(seconds, 0.0, seed)), -20.0)
    spans, at_s = [], 0.3
    while at_s < seconds - 1.5:
        end_s = at_s + rng.uniform(0.15, 0.5)
        spans.append((at_s, end_s))
        at_s = end_s + rng.uniform(0.15, 0.9)
    times_s = np.arange(len(noise)) / RATE_HZ
    sounding = np.zeros(len(noise), bool)
    for start_s, end_s in spans:
        sounding |= (times_s >= start_s) & (times_s < end_s)
    return noise * sounding, spans


def in_room(sound: np.ndarray, rt60_s: float, seed: int = 0, direct_db: float = 0.0) -> np.ndarray:
    """Sound in a room: itself, and noise that fades by 60 dB in `rt60_s` after it.

    `direct_db`: power of the direct sound over that of the room.
    """
    t = np.arange(round(1.3 * rt60_s * RATE_HZ)) / RATE_HZ
    answer = np.random.default_rng(seed).normal(0, 1, len(t)) * 10 ** (-3 * t / rt60_s)
    answer *= np.sqrt(10 ** (-direct_db / 10) / np.square(answer).sum())
    answer[0] = 1.0
    return fftconvolve(sound, answer).astype(np.float32)


def _at(sound: np.ndarray, dbfs: float) -> np.ndarray:
    return (sound * 10 ** (dbfs / 20) / np.sqrt(np.square(sound).mean())).astype(np.float32)
