import pytest

from resources.presentation_clock import PresentationClock


def times(stamps, step_s=1.0, **kwargs):
    clock = PresentationClock(step_s)
    return [clock.time_s(*(s if isinstance(s, tuple) else (s,))) for s in stamps], clock


def test_good_times_pass_unchanged():
    assert times([-0.3, 0.0, 0.7, 5.0])[0] == [-0.3, 0.0, 0.7, 5.0]


def test_a_missing_time_is_one_frame_after_the_last():
    got, clock = times([10.0, None, None, 13.0])
    assert got == [10.0, 11.0, 12.0, 13.0]
    assert clock.missing == 2


def test_a_frame_out_of_order_is_dropped():
    got, clock = times([0.0, 1.0, 0.5, 2.0, 2.0])
    assert got == [0.0, 1.0, None, 2.0, None]
    assert clock.dropped == 2


@pytest.mark.parametrize("jump_to", [-50.0, 95_000.0])
def test_a_splice_goes_on_where_the_stream_was(jump_to):
    got, clock = times([100.0, 101.0, jump_to, jump_to + 1, jump_to + 2])
    assert got == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert clock.splices == 1


def test_a_still_of_a_minute_is_no_splice():
    assert times([0.0, 60.0, 61.0])[0] == [0.0, 60.0, 61.0]


def test_decoding_times_are_used_where_presentation_times_are_made_up():
    # An AVI with reordered frames: pts follow storage order, dts rise with presentation.
    stamps = [(2, 3), (3, 4), (5, 5), (4, 6), (6, 7), (9, 8), (8, 9), (10, 10), (7, 11)]
    got, clock = times([(float(p), float(d)) for p, d in stamps])
    assert got == [2, 3, 5, 6, 7, 8, 9, 10, 11]
    assert clock.dropped == 0
