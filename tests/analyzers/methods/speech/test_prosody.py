"""Measures of a made voice, and scores that follow it."""

from dataclasses import replace

import numpy as np
import pytest

from analyzers.methods.speech.prosody import (
    Prosody,
    background_dbfs,
    prosody_frames,
    prosody_of,
    scores_of,
)
from tests.analyzers.made_prosody import RATE_HZ, vowel

USUAL = Prosody(
    voiced_s=2.0,
    f0_hz=120.0,
    f0_range_st=4.0,
    level_dbfs=-25.0,
    level_sd_db=3.0,
    high_db=-3.0,
    jitter_ratio=0.004,
    periodicity=0.9,
    syllables_per_s=4.5,
    snr_db=30.0,
)


def measured(sound: np.ndarray, span: tuple[float, float] = (0.5, 2.5)) -> Prosody:
    frames = prosody_frames(sound, RATE_HZ)
    found = prosody_of(frames, span, [span], background_dbfs(frames, [span]), 4.0)
    assert found is not None
    return found


def surrounded(voice: np.ndarray, noise: float = 0.001) -> np.ndarray:
    sound = np.random.default_rng(0).normal(0, noise, len(voice) + RATE_HZ)
    sound[RATE_HZ // 2 : RATE_HZ // 2 + len(voice)] += voice
    return sound.astype(np.float32)


def test_measures_of_a_steady_voice() -> None:
    found = measured(surrounded(vowel(140, 2.0, level=0.1)))
    assert found.f0_hz == pytest.approx(140, rel=0.01)
    assert found.f0_range_st < 0.2
    assert found.voiced_s == pytest.approx(2.0, abs=0.1)
    assert found.level_dbfs == pytest.approx(-20, abs=0.3)
    assert found.snr_db == pytest.approx(40, abs=1)
    assert found.jitter_ratio == pytest.approx(0, abs=1e-3)


def test_a_shaking_voice_has_more_jitter() -> None:
    steps = np.random.default_rng(1).normal(0, 0.03, 200)
    shaken = 140 * (1 + np.repeat(steps, RATE_HZ // 100))
    assert measured(surrounded(vowel(shaken, 2.0))).jitter_ratio > 0.002


def test_range_and_timbre() -> None:
    glide = np.geomspace(120, 180, 2 * RATE_HZ)
    found = measured(surrounded(vowel(glide, 2.0)))
    assert found.f0_range_st == pytest.approx(0.8 * 12 * np.log2(1.5), abs=0.3)
    dull = surrounded(np.sin(2 * np.pi * 200 * np.arange(2 * RATE_HZ) / RATE_HZ) * 0.1)
    assert measured(dull).high_db < -20 < found.high_db


def test_music_between_the_voices_lowers_what_is_known() -> None:
    voice = vowel(140, 2.0, level=0.1)
    assert measured(surrounded(voice, noise=0.05)).snr_db < 8


def test_too_little_voice_has_no_measures() -> None:
    frames = prosody_frames(surrounded(vowel(140, 0.2)), RATE_HZ)
    assert prosody_of(frames, (0.0, 1.0), [(0.0, 1.0)], -60.0, None) is None


@pytest.mark.parametrize(
    "raised",
    [
        {"f0_hz": 130.0},
        {"level_dbfs": -22.0},
        {"high_db": 0.0},
        {"syllables_per_s": 5.5},
    ],
    ids=["higher", "louder", "brighter", "faster"],
)
def test_each_raised_measure_raises_arousal(raised: dict[str, float]) -> None:
    more = replace(USUAL, **raised)
    [_, _, _, found] = scores_of([USUAL, USUAL, USUAL, more])
    assert found is not None
    assert 0 < found.arousal < 1
    less = replace(USUAL, **{n: 2 * getattr(USUAL, n) - v for n, v in raised.items()})
    [_, _, _, lowered] = scores_of([USUAL, USUAL, USUAL, less])
    assert lowered is not None
    assert -1 < lowered.arousal < 0


def test_arousal_grows_with_all_of_it_and_is_bounded() -> None:
    steps = [
        replace(
            USUAL,
            f0_hz=120 * 2 ** (s / 12),
            level_dbfs=-25 + 2 * s,
            high_db=-3 + s,
            syllables_per_s=4.5 + s / 2,
        )
        for s in (-20, -2, -1, 0, 0, 0, 1, 2, 20)
    ]
    arousal = [s.arousal for s in scores_of(steps) if s]
    assert arousal == sorted(arousal)
    assert (arousal[0], arousal[4], arousal[-1]) == pytest.approx((-1.0, 0.0, 1.0))


def test_dominance_is_heard_in_level_and_a_slow_rate() -> None:
    slow = replace(USUAL, level_dbfs=-19.0, syllables_per_s=3.5)
    fast = replace(USUAL, level_dbfs=-19.0, syllables_per_s=5.5)
    scores = scores_of([USUAL, USUAL, USUAL, slow, fast])
    assert scores[3].dominance > scores[4].dominance > scores[0].dominance == 0


def test_evidence_is_the_weakest_part() -> None:
    assert scores_of([USUAL]) == [None], "nothing to compare with"
    [first, _] = scores_of([USUAL, USUAL])
    assert first.evidence == pytest.approx(1 / 3)
    four = [USUAL] * 4
    assert scores_of(four)[0].evidence == 1.0
    assert scores_of([replace(USUAL, voiced_s=0.4), *four])[0].evidence == pytest.approx(0.4)
    assert scores_of([replace(USUAL, snr_db=10.0), *four])[0].evidence == pytest.approx(0.5)
    assert scores_of([replace(USUAL, snr_db=-2.0), *four])[0].evidence == 0.0
