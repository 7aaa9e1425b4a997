"""How something is said: pitch, loudness, timbre and their change, against the speaker's own usual.

Arousal follows Bone, Lee & Narayanan ("Robust unsupervised arousal rating: a rule-based framework
with knowledge-inspired vocal features", IEEE Transactions on Affective Computing 5, 2014): pitch,
intensity and the share of energy above 500 Hz, each scored against the speaker's own baseline, then
fused; the articulation rate is added with a small weight. Dominance follows Tusing & Dillard ("The
sounds of dominance", Human Communication Research 26, 2000): listeners hear it in a high and
changing level and, the other way round, in a fast rate; pitch did not tell it for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from analyzers.methods.speech.pitch import HOP_S, pitch
from analyzers.methods.speech.speech_spans import Span

#: Bone et al. part the spectrum here.
_PARTED_HZ = 500.0
#: Shorter voiced speech has no measures.
LEAST_VOICED_S = 0.3
#: How far from the speaker's usual counts as fully raised. A step of vocal effort is 6 dB (ISO
#: 9921:2003, normal 60, raised 66 dB at 1 m); the others are this project's own, about what such
#: a step brings with it.
_FULL = {"f0_st": 4.0, "level_db": 6.0, "high_db": 6.0, "rate_ratio": 0.35, "level_sd_db": 3.0}
_AROUSAL = {"f0_st": 0.3, "level_db": 0.3, "high_db": 0.3, "rate_ratio": 0.1}
_DOMINANCE = {"level_db": 0.5, "level_sd_db": 0.25, "rate_ratio": -0.25}
#: Evidence is full from so much voiced speech, so many other utterances of the speaker to compare
#: with, and so far above the background; at `_NO_SNR_DB` there is none. Measured on made speech
#: over music and noise: above 10 dB arousal moves by 0.2 at most, at 4 dB by up to 0.4.
_ENOUGH_VOICED_S, _ENOUGH_OTHERS = 1.0, 3
_NO_SNR_DB, _FULL_SNR_DB = 5.0, 15.0
#: Pitch further from an utterance's median is not the voice's, or an octave off (in semitones).
_RANGE_ST = 12.0
#: Less background than this is not measured: silences are too short, or all is speech.
_LEAST_BACKGROUND_S = 0.3
#: Sound this near to a voice may still belong to it.
_GUARD_S = 0.1
_LOWEST_DBFS = -120.0


@dataclass(frozen=True)
class ProsodyFrames:
    """One value for every 10 ms; `f0_hz` is NaN where there is no pitch.

    `high_power` is the part of `power` above 500 Hz; a power of 1 is a level of 0 dBFS.
    """

    times_s: np.ndarray
    f0_hz: np.ndarray
    periodicity: np.ndarray
    power: np.ndarray
    high_power: np.ndarray


@dataclass(frozen=True)
class Prosody:
    """Measures of an utterance, over its voiced frames.

    `high_db`: energy above 500 Hz against that below. `jitter_ratio`: mean change of the period
    against its two neighbours, of its mean: the relative average perturbation (Koike 1973) with
    frames of 10 ms in place of cycles, so it is lower than a phonetician's and good for comparison
    only. `snr_db` is against what sounds between the voices.
    """

    voiced_s: float
    f0_hz: float
    f0_range_st: float
    level_dbfs: float
    level_sd_db: float
    high_db: float
    jitter_ratio: float | None
    periodicity: float
    syllables_per_s: float | None
    snr_db: float


@dataclass(frozen=True)
class Scores:
    """-1..1, 0 is the speaker's usual; `evidence`, 0..1, is how well they are founded."""

    arousal: float
    dominance: float
    evidence: float


def prosody_frames(sound: np.ndarray, rate_hz: int) -> ProsodyFrames:
    """Pitch, power and timbre of mono sound, shape (n,)."""
    found = pitch(sound, rate_hz)
    half = round(HOP_S * rate_hz)
    high = sosfilt(butter(4, _PARTED_HZ, "highpass", fs=rate_hz, output="sos"), sound)
    powers = [_power(part, found.times_s, rate_hz, half) for part in (np.asarray(sound), high)]
    return ProsodyFrames(found.times_s, found.f0_hz, found.periodicity, *powers)


def _power(sound: np.ndarray, times_s: np.ndarray, rate_hz: int, half: int) -> np.ndarray:
    """Mean square within `half` samples of each time."""
    summed = np.concatenate([[0.0], np.cumsum(np.square(sound, dtype=np.float64))])
    middle = np.round(times_s * rate_hz).astype(int)
    first, last = np.maximum(middle - half, 0), np.minimum(middle + half, len(sound))
    return np.maximum(summed[last] - summed[first], 0.0) / np.maximum(last - first, 1)


def _decibels(power: np.ndarray | float) -> np.ndarray:
    return np.maximum(10 * np.log10(np.maximum(power, 1e-12)), _LOWEST_DBFS)


def background_dbfs(frames: ProsodyFrames, voice: Sequence[Span]) -> float:
    """Median level of what sounds where nobody speaks.

    Where that is under 0.3 s, the level that 5 % of all frames stay below: the gaps between sounds.
    """
    quiet = np.full(len(frames.times_s), True)
    for start_s, end_s in voice:
        quiet &= (frames.times_s < start_s - _GUARD_S) | (frames.times_s > end_s + _GUARD_S)
    if np.count_nonzero(quiet) * HOP_S >= _LEAST_BACKGROUND_S:
        return float(np.median(_decibels(frames.power[quiet])))
    return float(np.percentile(_decibels(frames.power), 5)) if len(frames.power) else _LOWEST_DBFS


def prosody_of(
    frames: ProsodyFrames,
    span: Span,
    voice: Sequence[Span],
    background: float,
    syllables_per_s: float | None,
) -> Prosody | None:
    """Measures of an utterance; None where less than 0.3 s of it are voiced."""
    inside = np.full(len(frames.times_s), False)
    for start_s, end_s in voice:
        inside |= (frames.times_s >= start_s) & (frames.times_s <= end_s)
    inside &= (frames.times_s >= span[0]) & (frames.times_s <= span[1])
    voiced = inside & np.isfinite(frames.f0_hz)
    if voiced.any():
        with np.errstate(invalid="ignore"):
            away_st = 12 * np.log2(frames.f0_hz / np.median(frames.f0_hz[voiced]))
        voiced &= np.abs(away_st) < _RANGE_ST
    if np.count_nonzero(voiced) * HOP_S < LEAST_VOICED_S:
        return None
    tones_st = 12 * np.log2(frames.f0_hz[voiced])
    power, high = frames.power[voiced], frames.high_power[voiced]
    level = float(_decibels(power.mean()))
    low, top = np.percentile(tones_st, [10, 90])
    return Prosody(
        voiced_s=float(np.count_nonzero(voiced) * HOP_S),
        f0_hz=float(np.median(frames.f0_hz[voiced])),
        f0_range_st=float(top - low),
        level_dbfs=level,
        level_sd_db=float(_decibels(power).std()),
        high_db=float(_decibels(high.sum()) - _decibels(max(power.sum() - high.sum(), 0.0))),
        jitter_ratio=_jitter(frames.f0_hz, voiced),
        periodicity=float(frames.periodicity[voiced].mean()),
        syllables_per_s=syllables_per_s,
        snr_db=level - background,
    )


def _jitter(f0_hz: np.ndarray, voiced: np.ndarray) -> float | None:
    three = voiced[:-2] & voiced[1:-1] & voiced[2:]
    if not three.any():
        return None
    period = 1 / np.where(voiced, f0_hz, 1.0)
    smooth = (period[:-2] + period[1:-1] + period[2:]) / 3
    return float(np.abs(period[1:-1] - smooth)[three].mean() / period[1:-1][three].mean())


def scores_of(said: Sequence[Prosody]) -> list[Scores | None]:
    """Scores of one speaker's utterances against what is usual for them; None for a single one.

    Usual is the median of all, each weighed by its voiced time.
    """
    if len(said) < 2:
        return [None] * len(said)
    weights = np.array([one.voiced_s for one in said])
    features = [_features(one) for one in said]
    usual = {
        name: _median([f[name] for f in features], weights) for name in ("f0_st", *_PLAIN, "rate")
    }
    return [
        Scores(_fused(away, _AROUSAL), _fused(away, _DOMINANCE), _evidence(one, len(said) - 1))
        for one, own in zip(said, features, strict=True)
        for away in [_away(own, usual)]
    ]


_PLAIN = ("level_db", "high_db", "level_sd_db")


def _features(one: Prosody) -> dict[str, float | None]:
    return {
        "f0_st": float(12 * np.log2(one.f0_hz)),
        "level_db": one.level_dbfs,
        "high_db": one.high_db,
        "level_sd_db": one.level_sd_db,
        "rate": one.syllables_per_s,
    }


def _away(own: Mapping[str, float | None], usual: Mapping[str, float | None]) -> dict[str, float]:
    """How far from usual, in parts of what counts as fully raised, -1..1; unknown ones are out."""
    away: dict[str, float] = {}
    for name in ("f0_st", *_PLAIN):
        value, base = own[name], usual[name]
        if value is not None and base is not None:
            away[name] = value - base
    if own["rate"] and usual["rate"]:
        away["rate_ratio"] = own["rate"] / usual["rate"] - 1
    return {name: float(np.clip(value / _FULL[name], -1, 1)) for name, value in away.items()}


def _median(values: Sequence[float | None], weights: np.ndarray) -> float | None:
    known = [(v, w) for v, w in zip(values, weights.tolist(), strict=True) if v is not None]
    if not known:
        return None
    ordered = sorted(known)
    summed = np.cumsum([w for _, w in ordered])
    return float(ordered[int(np.searchsorted(summed, summed[-1] / 2))][0])


def _fused(away: Mapping[str, float], weights: Mapping[str, float]) -> float:
    used = [name for name in weights if name in away]
    total = sum(abs(weights[name]) for name in used)
    return float(sum(weights[name] * away[name] for name in used) / total) if used else 0.0


def _evidence(one: Prosody, others: int) -> float:
    clear = (one.snr_db - _NO_SNR_DB) / (_FULL_SNR_DB - _NO_SNR_DB)
    parts = (one.voiced_s / _ENOUGH_VOICED_S, others / _ENOUGH_OTHERS, clear)
    return float(np.clip(min(parts), 0.0, 1.0))
