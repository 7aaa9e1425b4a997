import pytest

from analyzers.rules.words import content, same, tokens


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("5 WAYS", "en", ["5", "way"]),
        ("five ways", "en", ["5", "way"]),
        ("1. RIDE A BIKE", "en", ["ride", "a", "bike"]),
        ("$5 off, 20% more", "en", ["5", "dollar", "off", "20", "percent", "more"]),
        ("NASA\u2019s", "en", ["nasa"]),
        ("It's always this", "en", ["it", "always", "this"]),
        ("fünf Wege", "de", ["5", "wege"]),
        ("ein Weg", "de", ["ein", "weg"]),
        ("", "en", []),
    ],
)
def test_tokens(text, language, expected):
    assert tokens(text, language) == expected


def test_content_leaves_out_what_says_nothing():
    assert content(tokens("this is the way", "en"), "en") == ["way"]
    assert content(["is", "it"], "en") == ["is", "it"]
    assert content(["der", "hund", "5"], "de") == ["hund", "5"]


def test_slips_of_reading_and_hearing_are_forgiven_but_not_in_numbers_and_short_words():
    assert same("telescope", "telescpe")
    assert not same("cat", "car")
    assert not same("10000", "10001")
    assert not same("always", "never")
