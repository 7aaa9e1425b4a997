"""Overlaps from given probabilities of two speakers."""

from __future__ import annotations

import numpy as np
import pytest

from analyzers.methods.speech.overlaps import (
    Overlap,
    alone,
    chunks,
    floor_after,
    overlaps,
)
from analyzers.methods.speech.speaker_turns import Turn
from analyzers.methods.speech.speech_spans import Span
from analyzers.models.speaker_activity import FIELD, SAMPLE_RATE_HZ, STEP


def second_voice(
    *levels: tuple[float, float, float], sound_s: float = 12.0, voice: Span = (0.0, 12.0)
) -> list[Overlap]:
    """What is found where a second speaker is as probable as given from one time to another.

    Which of the three speakers it is, is another in each chunk.
    """
    heard = chunks([voice], round(sound_s * SAMPLE_RATE_HZ))
    length = (heard[0].stop - heard[0].start - FIELD) // STEP + 1
    found = np.zeros((len(heard), length, 3))
    for number, chunk in enumerate(heard):
        times_s = (chunk.start + np.arange(length) * STEP + FIELD / 2) / SAMPLE_RATE_HZ
        found[number, :, number % 3] = 0.95
        for start_s, end_s, level in levels:
            inside = (times_s >= start_s) & (times_s < end_s)
            found[number, inside, (number + 1) % 3] = level
    return overlaps(heard, found, [voice])


def test_the_second_speaker_makes_an_overlap() -> None:
    [first, last] = second_voice((1.0, 2.0, 0.9), (6.2, 9.7, 0.7))
    assert (first.start_s, first.end_s) == pytest.approx((1.0, 2.0), abs=0.02)
    assert (last.start_s, last.end_s) == pytest.approx((6.2, 9.7), abs=0.02)
    assert (first.confidence, last.confidence) == pytest.approx((0.9, 0.7), abs=0.02)


def test_one_speaker_makes_none() -> None:
    assert second_voice() == []
    assert second_voice((1.0, 4.0, 0.5)) == [], "below the onset"
    assert second_voice((1.0, 1.3, 0.9)) == [], "too short"


def test_a_short_gap_is_closed_and_a_low_part_belongs_to_it() -> None:
    [one] = second_voice((1.0, 2.0, 0.9), (2.08, 3.0, 0.9))
    assert (one.start_s, one.end_s) == pytest.approx((1.0, 3.0), abs=0.02)
    assert len(second_voice((1.0, 2.0, 0.9), (2.3, 3.0, 0.9))) == 2
    [falls] = second_voice((1.0, 2.0, 0.9), (2.0, 3.0, 0.5))
    assert falls.end_s == pytest.approx(3.0, abs=0.02)


def test_overlaps_are_of_speech() -> None:
    [clipped] = second_voice((1.0, 4.0, 0.9), voice=(2.0, 8.0))
    assert (clipped.start_s, clipped.end_s) == pytest.approx((2.0, 4.0), abs=0.02)


def test_chunks_are_those_with_speech_and_cover_it() -> None:
    samples = 30 * SAMPLE_RATE_HZ
    found = chunks([(11.0, 12.0)], samples)
    assert all(c.stop - c.start == 5 * SAMPLE_RATE_HZ for c in found)
    assert all(c.start % STEP == 0 for c in found)
    assert all(c.start / SAMPLE_RATE_HZ < 12 and c.stop / SAMPLE_RATE_HZ > 11 for c in found)
    assert 2 <= len(found) <= 3
    everywhere = chunks([(0.0, 30.0)], samples)
    assert (everywhere[0].start, everywhere[-1].stop) == (0, pytest.approx(samples, abs=STEP))
    assert chunks([], samples) == []


def test_short_sounds() -> None:
    [only] = chunks([(0.0, 2.0)], 2 * SAMPLE_RATE_HZ)
    assert (only.start, only.stop) == (0, 2 * SAMPLE_RATE_HZ)
    [whole] = second_voice((0.5, 1.5, 0.9), sound_s=2.0, voice=(0.0, 2.0))
    assert (whole.start_s, whole.end_s) == pytest.approx((0.5, 1.5), abs=0.02)
    assert chunks([(0.0, 0.3)], 4800) == []
    assert overlaps([], np.empty((0, 0, 3)), []) == []


def test_what_is_left_where_one_speaks_alone() -> None:
    spans = [(0.0, 2.0), (3.0, 6.0)]
    assert alone(spans, []) == spans
    assert alone(spans, [(1.0, 2.0), (4.0, 4.5), (5.0, 5.5)]) == [
        (0.0, 1.0),
        (3.0, 4.0),
        (4.5, 5.0),
        (5.5, 6.0),
    ]
    assert alone(spans, [(0.0, 0.5), (3.0, 6.0)]) == [(0.5, 2.0)]


SPOKEN = [Turn(0.0, 2.5, "S1", 0.9), Turn(2.5, 6.0, "S2", 0.9)]
COMPARED = [(0.4, 2.0), (3.0, 4.6), (3.8, 5.4)]


@pytest.mark.parametrize(
    ("start_s", "end_s", "changes", "expected"),
    [
        (2.0, 3.0, True, ("S2", True)),
        (2.0, 3.0, False, (None, None)),
        (2.0, 3.0, None, (None, None)),
        (5.4, 6.0, True, (None, None)),
        (0.0, 0.4, False, (None, None)),
    ],
)
def test_the_floor_is_told_where_voices_and_network_agree(
    start_s: float, end_s: float, changes: bool | None, expected: tuple[object, object]
) -> None:
    overlap = Overlap(start_s, end_s, 0.8, changes)
    assert floor_after(overlap, COMPARED, SPOKEN) == expected


def test_who_spoke_before_goes_on() -> None:
    spoken = [Turn(0.0, 6.0, "S1", 0.9)]
    assert floor_after(Overlap(2.0, 3.0, 0.8, False), COMPARED, spoken) == ("S1", False)


@pytest.mark.parametrize(("after", "changes"), [(0, False), (1, True), (None, None)])
def test_a_chunk_tells_whether_the_speaker_changes(after: int | None, changes: bool | None) -> None:
    [chunk] = chunks([(0.0, 5.0)], 5 * SAMPLE_RATE_HZ)
    found = np.zeros((1, (chunk.stop - FIELD) // STEP + 1, 3))
    times_s = (np.arange(found.shape[1]) * STEP + FIELD / 2) / SAMPLE_RATE_HZ
    found[0, times_s < 3, 0] = 0.9
    found[0, (times_s >= 2) & (times_s < 3), 1] = 0.9
    if after is not None:
        found[0, times_s >= 3, after] = 0.9
    [overlap] = overlaps([chunk], found, [(0.0, 5.0)])
    assert overlap.changes is changes
