"""Turns of known voices: unit vectors with a known angle between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from analyzers.methods.speech.speaker_turns import turns, windows
from analyzers.methods.speech.speech_spans import Span


def voice(angle_deg: float) -> np.ndarray:
    angle = np.deg2rad(angle_deg)
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def heard_as(spans: Sequence[Span], *voices: tuple[float, float]) -> list[tuple[str, float, float]]:
    """Turns where the voice has the given angle up to the given time, each."""
    heard = windows(spans)
    found = [
        voice(next(angle for until_s, angle in voices if (a + b) / 2 < until_s)) for a, b in heard
    ]
    made = turns(spans, heard, np.array(found, np.float32).reshape(-1, 2))
    return [(t.speaker, t.start_s, t.end_s) for t in made]


def test_windows_cover_a_span_and_leave_out_what_is_too_short() -> None:
    found = windows([(0.0, 0.4), (1.0, 2.0), (3.0, 7.0)])
    assert found[0] == (1.0, 2.0)
    assert found[1][0] == 3.0
    assert found[-1][1] == pytest.approx(7.0)
    assert all(b - a == pytest.approx(1.6) for a, b in found[1:])
    assert all(b[0] - a[0] <= 0.8 + 1e-9 for a, b in pairwise(found[1:]))


def test_one_voice_is_one_speaker_and_one_turn() -> None:
    assert heard_as([(0, 3), (3.5, 6)], (9, 10)) == [("S1", 0, 6)]


def test_two_voices_take_turns() -> None:
    spans = [(0.0, 3.0), (3.5, 6.0), (6.5, 9.0)]
    assert heard_as(spans, (3.2, 0), (6.2, 80), (9, 0)) == [
        ("S1", 0.0, 3.0),
        ("S2", 3.5, 6.0),
        ("S1", 6.5, 9.0),
    ]


def test_voices_that_are_alike_are_one() -> None:
    """cos 45 deg is 0.71, above the threshold; cos 60 deg is 0.5, below it."""
    spans = [(0.0, 3.0), (3.5, 6.0)]
    assert len(heard_as(spans, (3.2, 0), (9, 45))) == 1
    assert len(heard_as(spans, (3.2, 0), (9, 60))) == 2


def test_a_change_within_a_span_is_found_to_a_window_step() -> None:
    [first, second] = heard_as([(0.0, 8.0)], (4, 0), (9, 90))
    assert first[2] == second[1] == pytest.approx(4.0, abs=0.8)


def test_a_long_silence_ends_a_turn() -> None:
    assert heard_as([(0.0, 3.0), (5.1, 8.0)], (9, 0)) == [("S1", 0.0, 3.0), ("S1", 5.1, 8.0)]


def test_a_slip_founds_no_speaker() -> None:
    """A second of something else, in three times as much speech, goes to the likest."""
    spans = [(0.0, 3.0), (3.5, 4.5), (5.0, 8.0)]
    assert heard_as(spans, (3.2, 0), (4.7, 80), (9, 0)) == [("S1", 0.0, 8.0)]


def test_too_short_pieces_go_with_their_neighbour() -> None:
    spans = [(0.0, 3.0), (3.4, 3.7), (5.0, 8.0)]
    assert heard_as(spans, (4, 0), (9, 80)) == [("S1", 0.0, 3.7), ("S2", 5.0, 8.0)]
    assert heard_as([(0.0, 0.3), (0.6, 0.9)]) == [("S1", 0.0, 0.9)]
    assert heard_as([]) == []


def test_likeness_is_to_the_speakers_other_speech() -> None:
    spans = [(0.0, 1.6), (2.0, 3.6), (4.0, 5.6)]
    heard = windows(spans)
    [together] = turns(spans, heard, np.array([voice(0), voice(20), voice(40)]))
    cosines = np.cos(np.deg2rad([20, 40]))
    assert together.likeness == pytest.approx((4 * cosines[0] + 2 * cosines[1]) / 6, abs=1e-4)
    [alone] = turns(spans[:1], heard[:1], np.array([voice(0)]))
    assert alone.likeness is None
