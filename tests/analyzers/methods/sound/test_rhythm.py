"""Tempo, beats and onsets of clicks of which everything is known."""

import numpy as np
import pytest

from analyzers.methods.sound.rhythm import onsets, pulse
from analyzers.methods.sound.spectrum import spectrum
from tests.analyzers.made_sound import RATE_HZ, clicks, noise, tone


@pytest.mark.parametrize("bpm", [60, 75, 90, 100, 120, 128, 140, 174])
def test_clicks_have_their_tempo_and_beats(bpm: float) -> None:
    sound = clicks(bpm, 12, first_s=0.3) + noise(12, 0.002)
    found = spectrum(sound, RATE_HZ)
    steady = pulse(found.onset_strength, found.rate_hz)
    assert steady is not None
    assert steady.tempo_bpm == pytest.approx(bpm, rel=0.02)
    assert steady.clarity > 0.5
    beats = found.times_s[steady.beats]
    wanted = np.arange(0.3, 11.9, 60 / bpm)
    hit = [np.abs(beats - t).min() < 0.035 for t in wanted[1:-1]]
    assert np.mean(hit) > 0.95
    assert len(beats) <= len(wanted) + 2


def test_noise_has_no_clear_pulse() -> None:
    found = spectrum(noise(10), RATE_HZ)
    steady = pulse(found.onset_strength, found.rate_hz)
    assert steady is None or steady.clarity < 0.25


@pytest.mark.parametrize("sound", [np.zeros((RATE_HZ * 5, 1), np.float32), clicks(120, 2)])
def test_silence_and_very_short_sound_have_none(sound: np.ndarray) -> None:
    found = spectrum(sound, RATE_HZ)
    assert pulse(found.onset_strength, found.rate_hz) is None


def test_onsets_lie_at_the_clicks() -> None:
    found = spectrum(clicks(60, 6, first_s=0.5), RATE_HZ)
    times_s = found.times_s[onsets(found.onset_strength, found.rate_hz)]
    np.testing.assert_allclose(times_s, np.arange(0.5, 5.9, 1.0), atol=0.03)


def test_a_steady_tone_has_no_onset_but_its_own() -> None:
    sound = np.concatenate([np.zeros((RATE_HZ, 1), np.float32), tone(440, 4)])
    found = spectrum(sound, RATE_HZ)
    times_s = found.times_s[onsets(found.onset_strength, found.rate_hz)]
    assert times_s[0] == pytest.approx(1.0, abs=0.03)
    assert (times_s > 1.2).sum() <= 1, "and at most its end"
    assert len(onsets(np.zeros(0, np.float32), 86.0)) == 0
