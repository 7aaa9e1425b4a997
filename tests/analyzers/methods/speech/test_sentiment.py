"""Words that are friendly, hostile, or neither."""

import pytest

from analyzers.methods.speech.sentiment import sentiment


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("I love this so much, it is amazing!", 0.5, 1.0),
        ("This is the worst day of my life.", -1.0, -0.4),
        ("The table stands beside the window.", 0.0, 0.0),
        ("It is not good.", -0.6, -0.1),
        ("", 0.0, 0.0),
    ],
)
def test_english(text: str, least: float, most: float) -> None:
    assert least <= sentiment(text, "en") <= most


def test_other_languages_are_not_judged() -> None:
    assert sentiment("Das ist schrecklich", "de") is None
