"""Spectral features of tones and noise."""

import numpy as np
import pytest

from analyzers.methods.sound import spectrum as spectrum_module
from analyzers.methods.sound.spectrum import FRAME, HOP, frames, spectrum
from tests.analyzers.made_sound import RATE_HZ, noise, tone


def test_a_tone_lies_at_its_frequency_and_is_not_flat() -> None:
    found = spectrum(tone(1000, 1.0), RATE_HZ)
    inner = slice(5, -5)
    assert np.allclose(found.centroid_hz[inner], 1000, atol=30)
    assert np.allclose(found.rolloff_hz[inner], 1000, atol=30)
    assert found.flatness_ratio[inner].max() < 0.01
    assert found.flux_ratio[inner].max() < 0.01


def test_noise_is_flat_and_lies_in_the_middle() -> None:
    found = spectrum(noise(1.0), RATE_HZ)
    inner = slice(5, -5)
    assert found.centroid_hz[inner].mean() == pytest.approx(RATE_HZ / 4, rel=0.05)
    assert found.rolloff_hz[inner].mean() == pytest.approx(0.85 * RATE_HZ / 2, rel=0.05)
    assert found.flatness_ratio[inner].mean() > 0.4
    assert found.flux_ratio[inner].mean() > 0.1


def test_silence_says_nothing() -> None:
    found = spectrum(np.zeros((RATE_HZ, 2), np.float32), RATE_HZ)
    assert np.isnan(found.centroid_hz).all()
    assert not found.onset_strength.any()


def test_a_sine_of_one_has_a_magnitude_of_one() -> None:
    on_a_bin_hz = 20 * RATE_HZ / FRAME
    [(first, magnitude)] = list(frames(tone(on_a_bin_hz, 0.5, 1.0), FRAME, HOP))
    assert first == 0
    assert magnitude[10:-10].max() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("samples", [1, 100, 2048, 5000])
def test_blocks_do_not_change_the_answer(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = noise(1.0, channels=2)[:samples]
    whole = spectrum(sound, RATE_HZ)
    assert len(whole.times_s) == 1 + samples // HOP
    parts = [spectrum_module.frames(sound, FRAME, HOP, block=3)]
    monkeypatch.setattr(spectrum_module, "frames", lambda *_: parts[0])
    again = spectrum(sound, RATE_HZ)
    np.testing.assert_allclose(again.onset_strength, whole.onset_strength, atol=1e-5)
    np.testing.assert_allclose(again.flux_ratio, whole.flux_ratio, atol=1e-5)
