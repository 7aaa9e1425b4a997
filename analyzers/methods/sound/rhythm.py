"""Onsets, tempo and beats from onset strength.

Tempo and beats: Ellis, "Beat tracking by dynamic programming" (Journal of New Music Research 36,
2007). Onsets: Böck, Krebs & Schedl, "Evaluating the online capabilities of onset detection methods"
(ISMIR 2012).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d
from scipy.signal import find_peaks

#: Ellis' prior: how likely a tempo is falls with its distance from 120, as a bell curve in octaves.
_LIKELY_BPM = 120.0
_PRIOR_OCTAVES = 0.9
_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0
#: How much an uneven beat costs against a weak one.
_TIGHTNESS = 100.0
#: Which of two tempi an octave apart is the beat: where every other beat has less than this of the
#: others' accent it is none, and where what lies between two beats has more than this, it is one.
#: Of made drums, hi-hats have up to 0.45 of it, bass drum and snare 0.67 or more.
_WEAK_BEAT, _STRONG_OFFBEAT = 0.5, 0.6
#: Only tempi above (below) these are halved (doubled): between them either may be what is tapped.
_HALVED_FROM_BPM, _DOUBLED_TO_BPM = 125.0, 85.0
#: An onset is the strongest within this, and above the mean of this much around it.
_ONSET_APART_S = 0.05
_ONSET_MEAN_S = 0.2
#: How far above, as a share of the strongest.
_ONSET_ABOVE = 0.07


@dataclass(frozen=True)
class Pulse:
    """A steady beat. `clarity`, 0..1: how much the sound repeats from one beat to the next."""

    tempo_bpm: float
    clarity: float
    beats: np.ndarray


def onsets(strength: np.ndarray, rate_hz: float) -> np.ndarray:
    """Indices where sounds begin. `strength`: onset strength, `rate_hz` values a second."""
    if not len(strength) or strength.max() <= 0:
        return np.empty(0, np.int64)
    apart = max(1, round(_ONSET_APART_S * rate_hz))
    around = uniform_filter1d(strength, max(1, round(2 * _ONSET_MEAN_S * rate_hz)))
    # A strong noise must not hide all else.
    scale = float(np.percentile(strength, 99.5)) or float(strength.max())
    peaks, _ = find_peaks(strength, height=around + _ONSET_ABOVE * scale, distance=apart)
    return peaks


def pulse(strength: np.ndarray, rate_hz: float, accents: np.ndarray | None = None) -> Pulse | None:
    """The steadiest pulse there is, or None where nothing repeats or there are less than 3 s.

    `beats`: indices into `strength`. `accents`, (bands, n): how strong a sound begins in each
    band; with it, a tempo that is double or half the beat's is set right.
    """
    if len(strength) < 3 * rate_hz or strength.std() == 0:
        return None
    # Even out loud and soft parts, so that each counts for the tempo.
    local = np.sqrt(uniform_filter1d(np.square(strength), round(4 * rate_hz)))
    evened = strength / np.maximum(local, 0.1 * local.max())
    found = _period(evened - evened.mean(), rate_hz)
    if found is None:
        return None
    period, clarity = found
    smooth = gaussian_filter1d(evened, 0.015 * rate_hz)
    beats = _beats(smooth, period)
    if len(beats) < 4:
        return None
    if accents is not None and (factor := _octave(60 * rate_hz / period, beats, accents)) != 1:
        period *= factor
        beats = _beats(smooth, period)
        if len(beats) < 4:
            return None
    # The slope over all beats is finer than one period; a beat left out or put in would bend it.
    steps = np.round(np.diff(beats) / period)
    if steps.min() > 0:
        slope = float(np.polyfit(np.concatenate([[0], np.cumsum(steps)]), beats, 1)[0])
        period = slope if abs(slope / period - 1) < 0.05 else period
    return Pulse(60 * rate_hz / period, clarity, beats)


def _period(evened: np.ndarray, rate_hz: float) -> tuple[float, float] | None:
    """The beat's period in frames, and how much the strength repeats at it (0..1)."""
    count = len(evened)
    size = fft.next_fast_len(2 * count)
    repeats = fft.irfft(np.square(np.abs(fft.rfft(evened, size))), size)[:count]
    if repeats[0] <= 0:
        return None
    lags = np.arange(1, min(count - 1, int(4 * 60 * rate_hz / _SLOWEST_BPM)))
    # Long lags have fewer pairs.
    correlation = repeats[lags] / repeats[0] * (count / (count - lags))
    # A beat repeats at twice and four times its period as well, and less at half of it.
    harmonic = (
        correlation
        + 0.5 * _at(correlation, 2 * lags)
        + 0.25 * _at(correlation, 4 * lags)
        - 0.25 * np.maximum(0.0, _at(correlation, np.maximum(1, np.round(lags / 2).astype(int))))
    )
    bpm = 60 * rate_hz / lags
    prior = np.exp(-0.5 * np.square(np.log2(bpm / _LIKELY_BPM) / _PRIOR_OCTAVES))
    score = np.where((bpm >= _SLOWEST_BPM) & (bpm <= _FASTEST_BPM), harmonic * prior, -np.inf)
    peaks = np.flatnonzero(score == maximum_filter1d(score, 3))
    best = peaks[score[peaks].argmax()]
    if not 0 < best < len(lags) - 1 or score[best] <= 0:
        return None
    a, b, c = correlation[best - 1 : best + 2]
    shift = 0.0 if a - 2 * b + c >= 0 else 0.5 * (a - c) / (a - 2 * b + c)
    return float(lags[best] + np.clip(shift, -0.5, 0.5)), float(np.clip(b, 0.0, 1.0))


def _octave(bpm: float, beats: np.ndarray, accents: np.ndarray) -> float:
    """By what the period is to be multiplied, by the accents on and between the beats."""
    between = (beats[:-1] + beats[1:]) / 2

    def heard(places: np.ndarray) -> np.ndarray:
        around = np.round(places).astype(int)[:, None] + np.arange(-2, 3)
        found: np.ndarray = accents[:, around.clip(0, accents.shape[1] - 1)].max(axis=2)
        return found

    # A bass drum and a snare are both beats: each band counts by its own strongest.
    full = np.maximum(np.percentile(heard(np.concatenate([beats, between])), 90, axis=1), 1e-9)

    def accent(places: np.ndarray) -> float:
        return float(np.median((heard(places) / full[:, None]).max(axis=0)))

    strong, weak = sorted((accent(beats[::2]), accent(beats[1::2])), reverse=True)
    if bpm > _HALVED_FROM_BPM and weak < _WEAK_BEAT * strong:
        return 2.0
    off = accent(between)
    # Where sound begins all the time, nothing is a beat more than the rest.
    empty = accent((beats[:-1] + between) / 2) < off * _STRONG_OFFBEAT
    if bpm < _DOUBLED_TO_BPM and off > _STRONG_OFFBEAT * strong and empty:
        return 0.5
    return 1.0


def _at(values: np.ndarray, lags: np.ndarray) -> np.ndarray:
    return np.where(lags <= len(values), values[np.minimum(lags, len(values)) - 1], 0.0)


def _beats(strength: np.ndarray, period: float) -> np.ndarray:
    """The evenly spaced frames of most strength, by dynamic programming."""
    back = np.arange(round(2 * period), max(1, round(period / 2)) - 1, -1)
    cost = -_TIGHTNESS * np.square(np.log(back / period))
    strength = strength / (strength.std() + 1e-12)
    total = strength.astype(np.float64).copy()
    previous = np.full(len(strength), -1)
    for i in range(back[-1], len(strength)):
        usable = slice(max(0, len(back) - i), None) if i < back[0] else slice(None)
        scores = total[i - back[usable]] + cost[usable]
        best = int(scores.argmax())
        if scores[best] > 0:
            total[i] += scores[best]
            previous[i] = i - back[usable][best]
    tail = max(0, len(total) - round(period))
    beat = tail + int(total[tail:].argmax())
    beats = []
    while beat >= 0:
        beats.append(beat)
        beat = int(previous[beat])
    return np.array(beats[::-1], np.int64)
