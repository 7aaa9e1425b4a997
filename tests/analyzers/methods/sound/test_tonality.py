"""Keys of chord progressions, in any tuning; no key in noise."""

import numpy as np
import pytest

from analyzers.methods.sound.tonality import PITCHES, key_of, pitch_classes
from tests.analyzers.made_sound import RATE_HZ, chord, noise, progression


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", [0, 3, 7, 10])
def test_progressions_have_their_key(tonic: int, mode: str) -> None:
    _, classes = pitch_classes(progression(tonic, mode), RATE_HZ)
    key = key_of(classes.sum(axis=0))
    assert key is not None
    assert (key.tonic, key.mode) == (PITCHES[tonic], mode)
    assert key.confidence > 0.7


@pytest.mark.parametrize("tuning_hz", [432.0, 448.0])
def test_another_tuning_is_taken_off(tuning_hz: float) -> None:
    _, classes = pitch_classes(progression(2, "major", tuning_hz), RATE_HZ)
    key = key_of(classes.sum(axis=0))
    assert key is not None
    assert (key.tonic, key.mode) == ("D", "major")


def test_a_chord_sounds_in_its_pitch_classes() -> None:
    times_s, classes = pitch_classes(chord([-9, -5, -2], 2.0), RATE_HZ)
    assert len(times_s) == len(classes) == 1 + 2 * RATE_HZ // 4096
    strongest = {PITCHES[i] for i in classes.sum(axis=0).argsort()[-3:]}
    assert strongest == {"C", "E", "G"}


def test_noise_fits_no_key_and_silence_has_none() -> None:
    _, classes = pitch_classes(noise(8), RATE_HZ)
    key = key_of(classes.sum(axis=0))
    assert key is None or key.confidence < 0.6
    _, classes = pitch_classes(np.zeros((RATE_HZ, 2), np.float32), RATE_HZ)
    assert key_of(classes.sum(axis=0)) is None
