"""Hum at 50 and 60 Hz; music, noise, wind and a clean tone are none."""

import numpy as np
import pytest

from analyzers.methods.sound.hum import hum
from tests.analyzers.made_rooms import RATE_HZ, gusts, lines, rumble, white
from tests.analyzers.made_sound import progression
from tests.analyzers.sample_sound import sample_sound


@pytest.mark.parametrize(("hz", "mains_hz"), [(50.0, 50), (60.0, 60), (50.15, 50), (59.85, 60)])
def test_hum_under_noise(hz: float, mains_hz: int) -> None:
    found = hum(lines(hz, 6.0, -45.0) + white(6.0, -40.0), RATE_HZ)
    assert found is not None
    assert found.hz == mains_hz
    assert found.spans == ((0.0, 6.0),)
    assert found.dbfs == pytest.approx(-45.0, abs=1.0)


def test_hum_has_a_beginning() -> None:
    sound = white(10.0, -60.0)
    sound[4 * RATE_HZ :] += lines(50.0, 6.0, -40.0)
    found = hum(sound, RATE_HZ)
    assert found is not None
    [(start_s, end_s)] = found.spans
    assert start_s == pytest.approx(4.0, abs=1.0)
    assert end_s == 10.0


@pytest.mark.parametrize("hz", [49.0, 55.0, 61.7, 98.0, 123.5])
def test_notes_are_no_hum(hz: float) -> None:
    assert hum(lines(hz, 6.0, -20.0) + white(6.0, -60.0), RATE_HZ) is None


def test_other_sound_is_no_hum() -> None:
    for sound in (white(6.0), rumble(6.0), gusts(6.0), sample_sound()):
        assert hum(sound, RATE_HZ) is None
    music = progression(0, "major")[:, 0]
    assert hum(np.tile(music, 2)[: 8 * 44000 : 1], 44000) is None


def test_one_line_is_a_tone_and_less_than_3_s_no_hum() -> None:
    assert hum(lines(50.0, 6.0, -30.0, multiples=1) + white(6.0, -60.0), RATE_HZ) is None
    assert hum(lines(50.0, 2.6, -30.0) + white(2.6, -60.0), RATE_HZ) is None
    assert hum(np.zeros(100, np.float32), RATE_HZ) is None
