"""Wind: gusts of low noise; steady rumble, hum, speech, music and hiss are none."""

import numpy as np
import pytest

from analyzers.methods.sound.wind import wind
from analyzers.methods.speech.speech_spans import overlap_s
from tests.analyzers.made_rooms import RATE_HZ, gusts, lines, pink, rumble, white
from tests.analyzers.sample_sound import sample_sound


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_gusts(seed: int) -> None:
    spans = wind(gusts(10.0, seed=seed) + white(10.0, -60.0), RATE_HZ)
    assert overlap_s(spans, 0.0, 10.0) > 5.0


def test_wind_in_a_part() -> None:
    sound = white(12.0, -50.0)
    sound[6 * RATE_HZ :] += gusts(6.0, -15.0)
    spans = wind(sound, RATE_HZ)
    assert overlap_s(spans, 6.0, 12.0) > 2.5
    assert overlap_s(spans, 0.0, 5.5) == 0.0


def test_other_sound_is_no_wind() -> None:
    swaying = np.interp(np.arange(6 * RATE_HZ) / RATE_HZ, np.arange(7), [1, 0.2] * 3 + [1])
    for sound in (
        white(6.0),
        pink(6.0),
        rumble(6.0),
        lines(50.0, 6.0, -20.0),
        (lines(60.0, 6.0, -20.0) * swaying).astype(np.float32),
        (white(6.0, -20.0) * swaying).astype(np.float32),
        gusts(6.0, -75.0),
        sample_sound(),
        np.zeros(100, np.float32),
    ):
        assert wind(sound, RATE_HZ) == []
