"""Joining readings to lines, without a model."""

from __future__ import annotations

import numpy as np
import pytest

from analyzers.methods.picture.text_tracks import Sighting, _hidden, absorb_parts, link


def seen(time_s: float, text: str, x: float = 0.3, y: float = 0.5, **more) -> Sighting:
    quad = np.array([[x, y], [x + 0.4, y], [x + 0.4, y + 0.05], [x, y + 0.05]], np.float32)
    return Sighting(time_s, quad, text, more.pop("confidence", 0.99), **more)


def texts(sightings: list[Sighting]) -> list[str]:
    return [track.reading.text for track in link(sightings)]


def test_slips_are_voted_down():
    readings = ["An-unlucky bird", "An unlucky bird", "An unlucky bird", "An unlucky bind"]
    assert texts([seen(i, text) for i, text in enumerate(readings)]) == ["An unlucky bird"]


def test_a_close_look_outweighs_many_others():
    others = [seen(0.5 * i, "Helo world", close=False) for i in range(1, 4)]
    assert texts([seen(0, "Hello world"), *others]) == ["Hello world"]


def test_sure_readings_with_another_word_are_other_lines():
    said = ["we went to the store today", "we went to the beach today"]
    assert texts([seen(i, text) for i, text in enumerate(said)]) == said


def test_a_line_that_is_typed_stays_one():
    typed = ["$ ls", "$ ls /", "$ ls /usr"]
    assert len(texts([seen(i, text) for i, text in enumerate(typed)])) == 1


def test_a_sign_that_moves_is_one_line_and_a_far_double_is_not():
    moving = [seen(i, "BAKERY", x=0.5 - 0.2 * i) for i in range(3)]
    assert len(link(moving)) == 1
    assert len(link([seen(0, "BAKERY", y=0.1), seen(0.5, "BAKERY", y=0.9)])) == 2


def test_a_line_that_comes_back_later_is_another():
    assert len(link([seen(0, "again"), seen(5, "again")])) == 2


def test_pieces_of_a_line_are_dropped():
    whole = [seen(i, "Edit View Help") for i in range(3)]
    piece = seen(0, "View", x=0.31, confidence=1.0)
    # In one frame they are two, in place they are one.
    kept = absorb_parts(link([*whole, piece]))
    assert [track.reading.text for track in kept] == ["Edit View Help"]


@pytest.mark.parametrize(
    ("contrast", "end"),
    [
        ([1, 1, 1, 0, 0], 3),
        ([1, 0.9, 1.1, 1, 0.95], None),  # nothing is lost
        ([1, 1, 0, 1, 1], None),  # a flicker
        ([1, 0.8, 0.6, 0.4, 0.2, 0, 0], 4),  # under a quarter
        ([1, 1, 1, 0.8, 0.8, 0.8], 3),  # two steady levels over something alike
        ([1, 1.3, 0.9, 1.4, 0.8, 0.7], None),  # a ground that changes
    ],
)
def test_where_contrast_is_lost(contrast: list[float], end: int | None):
    assert _hidden(np.array(contrast, float), 1.0) == end
