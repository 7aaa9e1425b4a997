"""Syllables and phones of words whose number everybody knows."""

from __future__ import annotations

import pytest

from analyzers.methods.speech.pronunciation import Sounds
from analyzers.methods.speech.pronunciation import sounds_of as sounds_by
from tests.analyzers.made_talk import speech_models


def sounds_of(word: str, language: str) -> Sounds:
    with speech_models().lend("pronunciation") as dictionary:
        return sounds_by(word, language, dictionary)


@pytest.mark.parametrize(
    ("word", "syllables", "phones"),
    [
        ("coffee.", 2, 4),
        ("Five,", 1, 3),
        ("shuttle", 2, 5),
        ("don't", 1, 4),
        ("taxi\u2019s", 2, 6),
        ("well-known", 2, 6),
        ("2024", 7, 22),
        ("...", 0, 0),
        ("\u2014", 0, 0),
    ],
)
def test_english(word: str, syllables: int, phones: int) -> None:
    assert sounds_of(word, "en").syllables == syllables
    assert sounds_of(word, "en").phones == pytest.approx(phones, abs=2 if word == "2024" else 0)


def test_a_word_the_dictionary_lacks_is_hyphenated_and_has_no_phones() -> None:
    assert sounds_of("tiktokification", "en") == Sounds(6, None)


@pytest.mark.parametrize(
    ("word", "language", "syllables"),
    [
        ("Eisenbahn", "de", 3),
        ("21", "de", 4),
        ("bonjour", "fr", 2),
        ("ventana", "es", 3),
        ("\u4f60\u597d", "zh", 2),
        ("\uc548\ub155", "ko", 2),
    ],
)
def test_other_languages_have_syllables_only(word: str, language: str, syllables: int) -> None:
    assert sounds_of(word, language) == Sounds(syllables, None)


def test_nothing_is_known_of_some_languages() -> None:
    assert sounds_of("\u3053\u3093\u306b\u3061\u306f", "ja") == Sounds(None, None)


def test_hyphenation_finds_nine_of_ten_syllables() -> None:
    """The figure in the docs, over every 50th word of the dictionary."""
    import pyphen

    patterns = pyphen.Pyphen(lang="en_US", left=1, right=1)
    with speech_models().lend("pronunciation") as dictionary:
        words = [w for w in list(dictionary.words())[::50] if w.isalpha() and len(w) > 2]
        true = sum(dictionary.sounds(word)[0] for word in words)
    found = sum(len(patterns.positions(word)) + 1 for word in words)
    assert found / true == pytest.approx(0.91, abs=0.02)


def test_a_number_is_not_spelt_in_another_language():
    assert sounds_of("5", "hr") == Sounds(None, None)  # num2words has no Croatian
    assert sounds_of("voda", "hr").syllables == 2  # the language itself is known


def test_what_is_no_number_is_spelt_digit_by_digit_in_its_own_language():
    assert sounds_of("1.2.3", "en") == sounds_of("one-two-three", "en")
    assert sounds_of("1.2.3", "es").syllables == sounds_of("uno-dos-tres", "es").syllables


@pytest.mark.parametrize(
    ("number", "language", "spelt"),
    [
        ("1.000", "de", "eintausend"),
        ("1.000,5", "de", "eintausend Komma f\u00fcnf"),
        ("3,5", "de", "drei Komma f\u00fcnf"),
        ("2.5", "de", "zwei Komma f\u00fcnf"),
        ("1,000", "en", "one thousand"),
        ("2.5", "en", "two point five"),
    ],
)
def test_points_and_commas_of_numbers_go_by_the_language(
    number: str, language: str, spelt: str
) -> None:
    assert sounds_of(number, language) == sounds_of(spelt, language)
