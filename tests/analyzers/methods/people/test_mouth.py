import numpy as np
import pytest

from analyzers.methods.people.mouth import movement_per_s, opening_ratio


def _mesh(gap: float, eyes: float = 100.0) -> np.ndarray:
    points = np.zeros((478, 3))
    points[263] = (eyes, 0, 0)
    points[13], points[14] = (50, 80, 0), (50, 80 + gap, 0)
    return points


def test_the_gap_is_told_in_distances_of_the_eyes():
    assert opening_ratio(_mesh(25)) == pytest.approx(0.25)
    assert opening_ratio(_mesh(50, 200)) == pytest.approx(0.25)


def test_a_turned_head_keeps_its_ratio():
    turn = np.array([[np.cos(0.7), 0, -np.sin(0.7)], [0, 1, 0], [np.sin(0.7), 0, np.cos(0.7)]])
    assert opening_ratio(_mesh(25) @ turn) == pytest.approx(0.25)


def test_lips_that_open_and_close_move_and_held_ones_do_not():
    times_s = np.arange(15) / 15
    assert movement_per_s(times_s, [0.0, 0.1] * 7 + [0.0]) == pytest.approx(1.5)
    assert movement_per_s(times_s, [0.2] * 15) == 0
    slow = np.linspace(0, 0.1, 15)  # a smile
    assert movement_per_s(times_s, slow) < 0.15


def test_what_happens_in_a_gap_is_not_counted():
    assert movement_per_s([0, 0.07, 0.14, 0.21, 1.2, 1.27], [0, 0, 0, 0, 0.5, 0.5]) == 0


def test_too_few_looks_have_no_speed():
    assert movement_per_s([0, 0.07, 0.14], [0, 0.1, 0]) is None
    assert movement_per_s([], []) is None
