import pytest

from analyzers.methods.picture.shot_scale import (
    BOUNDS,
    SCALES,
    scale_confidence,
    scale_of,
    statures_by_object,
)


@pytest.mark.parametrize(
    ("statures", "scale"),
    [
        (0.07, "extreme_close_up"),
        (0.20, "close_up"),
        (0.31, "medium_close_up"),
        (0.48, "medium"),
        (0.79, "medium_long"),
        (1.11, "long"),
        (6.0, "extreme_long"),
    ],
)
def test_the_framings_of_the_books_have_their_names(statures: float, scale: str) -> None:
    assert scale_of(statures) == scale


def test_confidence_is_a_probability_over_all_scales() -> None:
    """Where two names fit alike neither is sure; far from a bound one is."""
    assert scale_confidence(BOUNDS[2], 0.12) == pytest.approx(0.5, abs=0.01)
    assert scale_confidence(6.0, 0.12) > 0.99
    assert scale_confidence(0.31, 0.35) < scale_confidence(0.31, 0.12)
    assert len(BOUNDS) == len(SCALES) - 1


def test_an_object_of_one_size_measures_the_frame() -> None:
    """A bottle a quarter of a metre long that fills the frame: a figure's head and neck would."""
    assert scale_of(statures_by_object("bottle", 0.7)) == "close_up"
    assert scale_of(statures_by_object("car", 0.2)) == "extreme_long"
    assert statures_by_object("bird", 0.5) is None
    assert statures_by_object("cup", 0.0) is None
