"""Flashes in flicker; those in footage are in tests/analyzers/test_visual_effects.py."""

import numpy as np
import pytest

from analyzers.methods.edit.effects import flash
from analyzers.methods.edit.effects.signals import Signals
from tests.analyzers.made_shots import plain, thumbs, video_of


def signals_of(levels: list[float]) -> Signals:
    return Signals(video_of(thumbs(*(plain(1, level) for level in levels))))


def test_one_frame_twice_as_bright_as_the_flicker_is_a_flash() -> None:
    levels = [100.0, 110.0] * 30
    levels[30] = 133.0
    [found] = flash.find(signals_of(levels))
    assert (found.start_s, found.end_s) == pytest.approx((30 / 30, 31 / 30))
    assert found.detail == "white"


def test_flicker_that_stays_brighter_is_no_flash() -> None:
    signals = signals_of([100.0, 110.0] * 15 + [133.0, 143.0] * 15)
    assert np.flatnonzero(signals.outstanding).tolist() == [30]
    assert flash.find(signals) == []
