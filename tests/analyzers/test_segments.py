import numpy as np
import pytest

from analyzers.segments import SegmentGrid


@pytest.mark.parametrize(
    ("end_s", "count"),
    [(0.04, 1), (1.0, 1), (1.0004, 1), (1.04, 2), (2.5, 3), (0.0, 1)],
)
def test_a_rounding_error_opens_no_new_second(end_s, count):
    assert len(SegmentGrid("v", end_s)) == count


def test_the_last_segment_ends_with_the_last_frame():
    grid = SegmentGrid("v", 2.5)
    assert [grid.bounds_s(i) for i in range(3)] == [(0, 1), (1, 2), (2, 2.5)]


def test_an_event_on_a_boundary_is_seen_by_both_neighbours():
    grid = SegmentGrid("v", 3.0)
    first, second, third = grid.samples_in(np.array([0.5, 0.9, 1.1, 2.9]), overlap_s=0.25)
    assert (first, second, third) == (slice(0, 3), slice(1, 3), slice(3, 4))


def test_times_past_the_end_belong_to_the_last_second():
    grid = SegmentGrid("v", 2.5)
    assert [grid.segment_of(t) for t in (0, 0.99, 1.0, 2.49, 7.0, -0.1)] == [0, 0, 1, 2, 2, 0]


def test_a_picture_that_is_held_is_in_every_second_it_is_on_screen():
    grid = SegmentGrid("v", 6.0)
    parts = grid.pictures_in(np.array([0.0, 0.5, 4.9]), overlap_s=0.25)
    assert parts == [
        slice(0, 2), slice(1, 2), slice(1, 2), slice(1, 2), slice(2, 3), slice(2, 3),
    ]  # fmt: skip
    assert grid.pictures_in(np.array([3.0]), overlap_s=0.25)[0] == slice(0, 1)
