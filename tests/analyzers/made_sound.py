"""Clicks, tones and chords of which everything is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RATE_HZ = 44100


def clicks(bpm: float, seconds: float, first_s: float = 0.0) -> np.ndarray:
    """Short bursts of 1.5 kHz, float32 (n, 1)."""
    sound = np.zeros(round(seconds * RATE_HZ))
    t = np.arange(round(0.03 * RATE_HZ)) / RATE_HZ
    burst = 0.6 * np.exp(-t * 150) * np.sin(2 * np.pi * 1500 * t)
    for start_s in np.arange(first_s, seconds - 0.05, 60 / bpm):
        at = round(start_s * RATE_HZ)
        sound[at : at + len(burst)] += burst
    return sound[:, None].astype(np.float32)


def drums(bpm: float, seconds: float, first_s: float = 0.0, floor: bool = False) -> np.ndarray:
    """Four to the bar: bass drum on one and three, snare on two and four, hi-hat on eighths.

    `floor`: the bass drum on every beat ("four on the floor").
    """
    rng = np.random.default_rng(0)
    sound = np.zeros(round(seconds * RATE_HZ))
    t = np.arange(round(0.25 * RATE_HZ)) / RATE_HZ
    kick = 0.8 * np.exp(-t * 18) * np.sin(2 * np.pi * (50 * t + 2.5 * (1 - np.exp(-t * 40))))
    snare = 0.35 * np.exp(-t * 25) * (rng.normal(0, 1, len(t)) + np.sin(2 * np.pi * 190 * t))
    hat = 0.12 * np.exp(-t * 70) * np.diff(rng.normal(0, 1, len(t) + 1))
    for eighth, start_s in enumerate(np.arange(first_s, seconds - 0.05, 30 / bpm)):
        parts = [hat]
        if eighth % 4 == 0 or (floor and eighth % 2 == 0):
            parts.append(kick)
        if eighth % 4 == 2:
            parts.append(snare)
        at = round(start_s * RATE_HZ)
        for part in parts:
            end = min(len(sound), at + len(part))
            sound[at:end] += part[: end - at]
    return 0.7 * sound[:, None].astype(np.float32)


def chord(semitones: Sequence[int], seconds: float, tuning_hz: float = 440.0) -> np.ndarray:
    """Notes by semitones from A4, each with three overtones, float32 (n, 1)."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    sound = np.zeros(len(t))
    for note in semitones:
        hz = tuning_hz * 2 ** (note / 12)
        for harmonic in range(1, 5):
            sound += 0.06 / harmonic * np.sin(2 * np.pi * hz * harmonic * t)
    fade = np.minimum(1.0, np.minimum(t, t[::-1]) / 0.02)
    return (sound * fade)[:, None].astype(np.float32)


#: Semitones from the tonic: I IV V I vi IV V I, and i iv V i VI iv V i.
_MAJOR = (
    (0, 4, 7),
    (5, 9, 12),
    (7, 11, 14),
    (0, 4, 7),
    (9, 12, 16),
    (5, 9, 12),
    (7, 11, 14),
    (0, 4, 7),
)
_MINOR = (
    (0, 3, 7),
    (5, 8, 12),
    (7, 11, 14),
    (0, 3, 7),
    (8, 12, 15),
    (5, 8, 12),
    (7, 11, 14),
    (0, 3, 7),
)


def progression(tonic: int, mode: str, tuning_hz: float = 440.0) -> np.ndarray:
    """Eight chords of 0.6 s; `tonic` in semitones above C."""
    root = tonic - 9  # from A4 down to C4, then up
    chords = _MAJOR if mode == "major" else _MINOR
    return np.concatenate([chord([root + n for n in c], 0.6, tuning_hz) for c in chords])


def noise(seconds: float, level: float = 0.1, channels: int = 1, seed: int = 0) -> np.ndarray:
    """White noise, float32 (n, channels)."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, level, (round(seconds * RATE_HZ), channels)).astype(np.float32)


def tone(hz: float, seconds: float, level: float = 0.5) -> np.ndarray:
    """A sine, float32 (n, 1)."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * hz * t))[:, None].astype(np.float32)


def house(bpm: float, seconds: float, first_s: float = 0.0) -> np.ndarray:
    """`drums` with the bass drum on every beat."""
    return drums(bpm, seconds, first_s, floor=True)
