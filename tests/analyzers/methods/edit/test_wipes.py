"""Wipes of known extent between made shots, and what is none."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from analyzers.methods.edit.wipes import find_wipes
from analyzers.video import MappedFrames
from tests.analyzers.made_shots import dissolve, scene, thumbs

_Y, _X = np.mgrid[:27, :48]
#: Time, 0..1, at which a pixel changes over, by the direction that is to be told.
TIMES = {
    "right": _X / 48,
    "left": 1 - _X / 48,
    "down": _Y / 27,
    "diagonal": (_X / 48 + _Y / 27) / 2,
    "out": np.hypot(_X / 48 - 0.5, _Y / 27 - 0.5) / 0.71,
}


def wiped(times: np.ndarray, count: int, softness: float = 0.05) -> np.ndarray:
    old, new = scene(1, 90), scene(2, 90)
    first = (90 - count) // 2
    frames = np.concatenate([old[:first], new[first:]])
    for i in range(count):
        edge = (i + 1) / (count + 1) * (1 + 2 * softness) - softness
        share = np.clip((edge - times) / softness + 0.5, 0, 1)[..., None]
        frames[first + i] = old[first + i] * (1 - share) + new[first + i] * share
    return frames


@pytest.mark.parametrize("direction", TIMES)
@pytest.mark.parametrize("count", [12, 36])
def test_a_wipe_of_known_extent(direction, count):
    [wipe] = find_wipes(thumbs(wiped(TIMES[direction], count)))
    assert wipe.direction == direction
    first = (90 - count) // 2
    assert wipe.first == pytest.approx(first - 1, abs=3)
    assert wipe.last == pytest.approx(first + count, abs=3)


@pytest.mark.parametrize("count", [10, 40])
def test_a_dissolve_is_no_wipe(count):
    assert find_wipes(thumbs(dissolve(scene(1, 80), scene(2, 80), count))) == []


@pytest.mark.parametrize("speed_px", [0.3, 1.0, 3.0])
def test_a_pan_is_no_wipe(speed_px):
    assert find_wipes(thumbs(scene(3, 120, speed_px))) == []


def test_cuts_are_no_wipe():
    assert find_wipes(thumbs(scene(1, 30), scene(2, 30), scene(3, 30))) == []


def test_what_passes_is_no_wipe():
    """A lorry that crosses the picture covers all of it, and the scene is back behind it."""
    frames = scene(4, 90, 0.0)
    for i in range(60):
        left = 48 - 2 * i
        frames[15 + i][:, max(0, left) : max(0, left + 60)] = (200, 30, 30)
    assert find_wipes(thumbs(frames)) == []


def test_length_costs_no_memory():
    count = 8_000  # 10 MB as luma
    one = scene(5, 1)[0].clip(0, 255).astype(np.uint8)
    video = MappedFrames(
        np.arange(count) / 30, np.arange(count), np.broadcast_to(one, (count, *one.shape))
    )
    tracemalloc.start()
    assert find_wipes(video) == []
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 8e6
