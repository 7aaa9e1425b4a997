import pytest

from analyzers.methods.story.english import (
    another,
    article,
    counted,
    listed,
    number,
    plural,
    seconds,
    sentence,
)
from analyzers.models.detector import COCO_LABELS


@pytest.mark.parametrize(
    ("noun", "one", "many"),
    [
        ("person", "a person", "people"), ("bus", "a bus", "buses"),
        ("umbrella", "an umbrella", "umbrellas"), ("couch", "a couch", "couches"),
        ("knife", "a knife", "knives"), ("sheep", "a sheep", "sheep"),
        ("toothbrush", "a toothbrush", "toothbrushes"), ("mouse", "a mouse", "mice"),
        ("orange", "an orange", "oranges"), ("wine glass", "a wine glass", "wine glasses"),
        ("scissors", "a pair of scissors", "scissors"), ("broccoli", "broccoli", "broccoli"),
        ("extreme close-up", "an extreme close-up", "extreme close-ups"),
    ],
)  # fmt: skip
def test_articles_and_plurals(noun: str, one: str, many: str) -> None:
    assert (article(noun), plural(noun)) == (one, many)


def test_every_class_of_coco_has_an_article_that_fits_its_sound() -> None:
    """None of them begins with a vowel that sounds like a consonant, or the other way round."""
    with_an = {label for label in COCO_LABELS if article(label).startswith("an ")}
    assert with_an == {"airplane", "umbrella", "elephant", "apple", "orange", "oven"}


def test_those_beside_others_are_more() -> None:
    assert another(1, "close-up") == "another close-up"
    assert another(2, "long shot") == "two more long shots"


def test_numbers_and_lists() -> None:
    assert [counted(n, "person") for n in (1, 2, 12, 13)] == [
        "a person", "two people", "twelve people", "13 people",
    ]  # fmt: skip
    assert counted(2, "skis") == "skis"
    assert number(0) == "no"
    assert [listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_sentences_and_seconds() -> None:
    assert sentence("the dog runs") == "The dog runs."
    assert [seconds(s) for s in (0.04, 1.0, 19.5, 9.96, 75.1)] == [
        "0.04 seconds", "1 second", "19.5 seconds", "10 seconds", "75 seconds",
    ]  # fmt: skip
