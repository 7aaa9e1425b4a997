"""Loudness of tones of known level, against the standard and against pyloudnorm."""

import numpy as np
import pyloudnorm
import pytest

from analyzers.methods.sound import loudness

RATE_HZ = 44100


def sine(level_dbfs: float, seconds: float, hz: float = 1000.0, channels: int = 2) -> np.ndarray:
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tone = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * t)
    return np.repeat(tone[:, None], channels, axis=1).astype(np.float32)


def integrated(sound: np.ndarray) -> float | None:
    return loudness.integrated_lufs(loudness.step_power(sound, RATE_HZ))


def test_a_stereo_tone_of_minus_23_has_minus_23() -> None:
    assert integrated(sine(-23, 5)) == pytest.approx(-23.0, abs=0.1)


def test_a_tone_in_one_channel_alone_is_three_lower() -> None:
    """BS.1770: a sine of 0 dBFS at 997 Hz in one channel reads -3.01."""
    assert integrated(sine(0, 5, 997, channels=1)) == pytest.approx(-3.01, abs=0.05)


def test_silence_is_gated_out() -> None:
    sound = np.concatenate([sine(-23, 5), np.zeros((RATE_HZ * 20, 2), np.float32)])
    assert integrated(sound) == pytest.approx(-23.0, abs=0.3)


@pytest.mark.parametrize("sound", [np.zeros((RATE_HZ, 2)), sine(-80, 5), sine(-20, 0.3)])
def test_nothing_above_the_gate_has_no_loudness(sound: np.ndarray) -> None:
    assert integrated(sound.astype(np.float32)) is None
    power = loudness.step_power(sound, RATE_HZ)
    assert loudness.loudness_range_lu(power) is None


def test_like_pyloudnorm_on_noise_of_changing_level() -> None:
    rng = np.random.default_rng(1)
    sound = (
        rng.normal(0, 0.1, (12 * RATE_HZ, 2))
        * np.repeat(rng.uniform(0.01, 1, 12), RATE_HZ)[:, None]
    )
    meter = pyloudnorm.Meter(RATE_HZ, filter_class="DeMan")
    assert integrated(sound) == pytest.approx(meter.integrated_loudness(sound), abs=0.01)


def test_read_in_pieces_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.random.default_rng(2).normal(0, 0.1, (3 * RATE_HZ, 2))
    whole = loudness.step_power(sound, RATE_HZ)
    monkeypatch.setattr(loudness, "_PIECE_STEPS", 7)
    np.testing.assert_allclose(loudness.step_power(sound, RATE_HZ), whole)
    assert len(whole) == 300


def test_loudness_range_of_two_levels() -> None:
    sound = np.concatenate([sine(-20, 10), sine(-30, 10)])
    found = loudness.loudness_range_lu(loudness.step_power(sound, RATE_HZ))
    assert found == pytest.approx(10.0, abs=1.0)


def test_true_peak_lies_between_samples() -> None:
    """A quarter of the rate, 45 degrees off: samples reach 0.707, the wave reaches 1."""
    t = np.arange(RATE_HZ)
    sound = np.sin(np.pi / 2 * t + np.pi / 4)[:, None].astype(np.float32)
    assert np.abs(sound).max() == pytest.approx(0.7071, abs=1e-3)
    fade = np.minimum(1.0, np.minimum(t, t[::-1]) / 2000)[:, None].astype(np.float32)
    assert loudness.true_peak(sound * fade, RATE_HZ) == pytest.approx(1.0, abs=0.02)
    assert loudness.true_peak(np.zeros((100, 2), np.float32), RATE_HZ) == 0.0
    assert loudness.true_peak(np.zeros((0, 2), np.float32), RATE_HZ) == 0.0
