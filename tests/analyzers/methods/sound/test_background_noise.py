"""Noise level and voice over noise, of noise and tones of known power."""

import numpy as np
import pytest

from analyzers.methods.sound.background_noise import (
    background_dbfs,
    frame_powers,
    gap_power,
    voice_mask,
    voice_snr_db,
)
from tests.analyzers.made_rooms import RATE_HZ, lines, white


def test_powers_are_those_of_20_ms_without_a_constant_part() -> None:
    sound = np.concatenate([white(1.0, -20.0), np.zeros(RATE_HZ, np.float32)]) + 0.25
    power = frame_powers(sound, RATE_HZ)
    assert len(power) == 100
    assert 10 * np.log10(power[:50].mean()) == pytest.approx(-20.0, abs=0.2)
    assert power[50:].max() < 1e-5


def test_the_background_is_exceeded_nine_tenths_of_the_time() -> None:
    loud, soft = white(8.0, -20.0), white(2.0, -50.0)
    power = frame_powers(np.concatenate([loud, soft]), RATE_HZ)
    assert background_dbfs(power) == pytest.approx(-50.0, abs=0.5)
    assert background_dbfs(frame_powers(loud, RATE_HZ)) == pytest.approx(-20.0, abs=0.6)


def test_silence_has_no_level() -> None:
    assert background_dbfs(np.zeros(100)) is None
    assert background_dbfs(np.empty(0)) is None


@pytest.mark.parametrize("snr_db", [0, 10, 30])
def test_voice_over_noise(snr_db: float) -> None:
    voice = [(1.0, 3.0), (4.0, 5.0)]
    t = np.arange(6 * RATE_HZ) / RATE_HZ
    speaking = voice_mask(300, voice).repeat(RATE_HZ // 50)
    sound = speaking * lines(200, 6.0, -20.0) + white(6.0, -20.0 - snr_db)
    power = frame_powers(sound[: len(t)], RATE_HZ)
    found = voice_snr_db(power, voice_mask(len(power), voice), gap_power(power, voice))
    assert found == pytest.approx(snr_db, abs=0.5)


def test_what_cannot_be_told_is_not() -> None:
    power = frame_powers(white(3.0), RATE_HZ)
    inside = voice_mask(len(power), [(0.0, 3.0)])
    assert gap_power(power, [(0.0, 2.7)]) is None  # 0.2 s is left without the voice's end
    assert voice_snr_db(power, inside, None) is None
    assert voice_snr_db(power, inside, 0.0) is None  # digital silence between the words
    assert voice_snr_db(power, inside, 1.0) is None  # softer than the noise
    assert voice_snr_db(power, voice_mask(len(power), [(0.0, 0.4)]), 1e-6) is None
