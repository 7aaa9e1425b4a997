"""Spans of speech, windows made of them, and times mapped back."""

import numpy as np
import pytest

from analyzers.methods.speech.speech_spans import Window, fit, overlap_s, pack, speech_spans

STEP_S = 0.032


def likely(*spans: tuple[float, float], end_s: float, level: float = 0.9) -> np.ndarray:
    times_s = (np.arange(int(end_s / STEP_S)) + 0.5) * STEP_S
    found = np.full(len(times_s), 0.05, np.float32)
    for start, end in spans:
        found[(times_s >= start) & (times_s < end)] = level
    return found


def test_spans_have_short_pauses_closed_and_clicks_left_out() -> None:
    found = speech_spans(
        likely((1.0, 2.0), (2.1, 3.0), (4.0, 5.0), (7.0, 7.05), end_s=8), STEP_S, 0.5, 8.0
    )
    assert np.allclose(found, [(1.0, 3.0), (4.0, 5.0)], atol=STEP_S)


def test_speech_goes_on_until_it_is_clearly_over() -> None:
    probabilities = np.array([0.1] * 10 + [0.6] * 10 + [0.4] * 10 + [0.3] * 10)
    [(start, end)] = speech_spans(probabilities, 0.1, 0.5, 4.0)
    assert (start, end) == pytest.approx((1.0, 3.0))
    assert speech_spans(probabilities, 0.1, 0.7, 4.0) == []


def test_a_span_ends_with_the_sound() -> None:
    [(_, end)] = speech_spans(np.full(32, 0.9), STEP_S, 0.5, 1.01)
    assert end == 1.01


def test_long_silences_are_left_out_and_times_map_back() -> None:
    [window] = pack([(1.0, 2.0), (2.5, 3.0), (10.0, 12.0)], 29.0, 12.1)
    assert np.allclose(window.pieces, [(0.8, 3.2), (9.8, 12.1)])
    assert window.length_s == pytest.approx(4.7)
    assert window.source_span(0.2, 1.2) == pytest.approx((1.0, 2.0))
    # Where the pieces meet, an end belongs to the first and a start to the second.
    assert window.source_span(2.4, 4.4) == pytest.approx((9.8, 11.8))
    assert window.source_span(2.0, 2.4) == pytest.approx((2.8, 3.2))
    assert window.source_span(50.0, 60.0) == pytest.approx((12.1, 12.1))
    sound = np.arange(121)
    assert list(window.cut(sound, 10)[:3]) == [8, 9, 10]
    assert len(window.cut(sound, 10)) == 47


def test_windows_hold_everything_within_the_limit_and_part_at_long_gaps() -> None:
    spans = [(i * 5.0, i * 5.0 + 4.4) for i in range(12)]
    spans[4:] = [(a + 3, b + 3) for a, b in spans[4:]]
    windows = pack(spans, 29.0, 70.0)
    assert all(window.length_s <= 29.0 for window in windows)
    assert [w.pieces[0][0] for w in windows][1] == pytest.approx(22.8), "parted at the longest gap"
    for a, b in spans:
        assert sum(overlap_s(w.pieces, a, b) for w in windows) == pytest.approx(b - a)


def test_a_span_longer_than_a_window_is_cut() -> None:
    windows = pack([(0.0, 100.0)], 29.0, 100.0)
    assert len(windows) == 4
    assert all(window.length_s <= 29.0 + 1e-6 for window in windows)
    assert pack([], 29.0, 10.0) == []


def test_words_are_drawn_in_to_speech() -> None:
    spans = [(1.0, 2.0), (5.0, 6.0)]
    assert fit(0.0, 1.4, spans) == pytest.approx((0.9, 1.4))
    assert fit(1.5, 5.1, spans) == pytest.approx((1.5, 2.1)), "the span it shares most with"
    assert fit(2.15, 2.25, spans) == (2.15, 2.25), "near enough to keep its own time"
    assert fit(3.0, 4.0, spans) is None


def test_overlap() -> None:
    assert overlap_s([(0.0, 1.0), (2.0, 4.0)], 0.5, 2.5) == pytest.approx(1.0)
    assert Window(((0.0, 1.0),)).length_s == 1.0
