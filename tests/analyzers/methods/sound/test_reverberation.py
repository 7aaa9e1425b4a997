"""Reverberation time of bursts in made rooms."""

import numpy as np
import pytest

from analyzers.methods.sound.reverberation import reverberation
from tests.analyzers.made_rooms import RATE_HZ, in_room, syllables, white


@pytest.mark.parametrize("rt60_s", [0.3, 0.6, 1.2])
def test_rooms(rt60_s: float) -> None:
    dry, spans = syllables(20.0)
    found = reverberation(in_room(dry, rt60_s), RATE_HZ, spans)
    assert found is not None
    assert found.rt60_s == pytest.approx(rt60_s, rel=0.2)
    assert found.decays >= 10


def test_noise_that_never_stops_has_none() -> None:
    assert reverberation(white(10.0), RATE_HZ, [(0.0, 9.0)]) is None


def test_too_little_to_tell() -> None:
    dry, spans = syllables(20.0)
    wet = in_room(dry, 0.5)
    assert reverberation(wet, RATE_HZ, []) is None
    assert reverberation(wet, RATE_HZ, spans[:1]) is None
    assert reverberation(np.zeros(RATE_HZ, np.float32), RATE_HZ, [(0.0, 1.0)]) is None
    assert reverberation(wet[:100], RATE_HZ, [(0.0, 1.0)]) is None
