"""Pitch of made voices, within 1 % of the truth."""

import numpy as np
import pytest

from analyzers.methods.speech import pitch as pitch_module
from analyzers.methods.speech.pitch import HOP_S, pitch
from tests.analyzers.made_prosody import RATE_HZ, vowel


@pytest.mark.parametrize("hz", [75, 110, 150, 220, 330, 480, 580])
def test_a_steady_voice(hz: float) -> None:
    found = pitch(vowel(hz, 1.0), RATE_HZ)
    assert np.isfinite(found.f0_hz).mean() > 0.95
    assert found.f0_hz[np.isfinite(found.f0_hz)] == pytest.approx(hz, rel=0.01)
    assert np.median(found.periodicity) > 0.95


@pytest.mark.parametrize("hz", [110, 220])
def test_a_gliding_voice_is_followed_in_time(hz: float) -> None:
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    true = hz * (1 + 0.15 * np.sin(2 * np.pi * 1.5 * t))
    found = pitch(vowel(true, 2.0), RATE_HZ)
    voiced = np.isfinite(found.f0_hz)
    assert voiced.mean() > 0.95
    off = np.abs(found.f0_hz[voiced] / np.interp(found.times_s[voiced], t, true) - 1)
    assert np.median(off) < 0.01
    assert np.percentile(off, 99) < 0.02


def test_a_voice_in_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, 2 * RATE_HZ)  # 14 dB below
    found = pitch(vowel(180, 2.0) + noise, RATE_HZ)
    assert np.isfinite(found.f0_hz).mean() > 0.9
    assert np.nanmedian(found.f0_hz) == pytest.approx(180, rel=0.01)


@pytest.mark.parametrize(
    "sound",
    [
        np.random.default_rng(0).normal(0, 0.1, 2 * RATE_HZ),
        np.zeros(RATE_HZ),
        vowel(150, 1.0, level=1e-4),
        np.zeros(100),
        np.empty(0),
    ],
    ids=["noise", "silence", "next to silence", "short", "none"],
)
def test_no_pitch(sound: np.ndarray) -> None:
    assert not np.isfinite(pitch(sound, RATE_HZ).f0_hz).any()


def test_a_moment_at_a_pitch_is_chance() -> None:
    sound = np.zeros(RATE_HZ, np.float32)
    sound[8000:8480] = vowel(200, 0.03)
    assert not np.isfinite(pitch(sound, RATE_HZ).f0_hz).any()


def test_blocks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.concatenate([vowel(120, 0.7), vowel(240, 0.8)])
    whole = pitch(sound, RATE_HZ)
    monkeypatch.setattr(pitch_module, "_BLOCK", 7)
    parts = pitch(sound, RATE_HZ)
    assert np.diff(whole.times_s) == pytest.approx(HOP_S)
    assert parts.f0_hz == pytest.approx(whole.f0_hz, nan_ok=True)
