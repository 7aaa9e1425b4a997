"""The key of music: which pitch classes sound how much, held against the profiles of keys.

Method: Krumhansl & Schmuckler (Krumhansl, "Cognitive Foundations of Musical Pitch", 1990, ch. 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter1d

from analyzers.methods.sound.spectrum import frames

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("major", "minor")
#: Frames of 186 ms every 93 ms at 44.1 kHz tell semitones apart from A2 on.
FRAME, HOP = 8192, 4096
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 2100.0
_A4_HZ = 440.0
#: Peaks 50 dB below the frame's highest are noise.
_FAINT = 10 ** (-50 / 20)
#: Krumhansl & Kessler's probe tone ratings (1982), from the tonic on.
_PROFILES = np.array(
    [
        [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
        [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
    ]
)


@dataclass(frozen=True)
class Key:
    """`confidence`: how well the pitches fit the key's profile (correlation, 0..1)."""

    tonic: str
    mode: str
    confidence: float


def pitch_classes(sound: np.ndarray, rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """Times of frames (n,) in seconds, and how much each pitch class sounds in them (n, 12).

    `sound`: (n, channels). Only peaks of the spectrum count, which leaves most of drums out; each
    counts by the square root of its magnitude, so that one loud voice does not decide. A tuning
    other than 440 Hz is found and taken off.
    """
    hz = np.fft.rfftfreq(FRAME, 1 / rate_hz)
    first, last = np.searchsorted(hz, [_LOWEST_HZ, _HIGHEST_HZ])
    count = 1 + len(sound) // HOP
    pitches: list[np.ndarray] = []
    weights: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for start, magnitude in frames(sound, FRAME, HOP, block=128):
        part = magnitude[:, first - 1 : last + 1]
        peak = part == maximum_filter1d(part, 3, axis=1)
        peak &= part > np.maximum(_FAINT * part.max(axis=1, keepdims=True), 1e-5)
        peak[:, [0, -1]] = False
        frame, bin_ = np.nonzero(peak)
        low, mid, high = (np.log(part[frame, bin_ + d] + 1e-12) for d in (-1, 0, 1))
        shift = 0.5 * (low - high) / np.minimum(low - 2 * mid + high, -1e-9)
        at_hz = (bin_ + first - 1 + np.clip(shift, -0.5, 0.5)) * rate_hz / FRAME
        pitches.append(12 * np.log2(at_hz / _A4_HZ) + 9)
        weights.append(np.sqrt(part[frame, bin_]))
        places.append(frame + start)
    pitch, weight, place = map(np.concatenate, (pitches, weights, places))
    off = np.angle((weight * np.exp(2j * np.pi * pitch)).sum()) / (2 * np.pi) if len(pitch) else 0.0
    pitch = pitch - off
    nearest = np.round(pitch)
    # A peak halfway between two semitones belongs to neither.
    weight = weight * np.clip(1 - 2 * np.abs(pitch - nearest), 0.0, 1.0)
    found = np.zeros((count, 12))
    np.add.at(found, (place, nearest.astype(int) % 12), weight)
    return np.arange(count) * HOP / rate_hz, found


def key_of(classes: np.ndarray) -> Key | None:
    """The key that pitch classes (12,) fit best, or None where nothing sounds."""
    if classes.std() == 0:
        return None
    fits = np.array(
        [
            [np.corrcoef(np.roll(profile, tonic), classes)[0, 1] for tonic in range(12)]
            for profile in _PROFILES
        ]
    )
    mode, tonic = np.unravel_index(int(fits.argmax()), fits.shape)
    return Key(PITCHES[tonic], MODES[mode], float(np.clip(fits[mode, tonic], 0.0, 1.0)))
