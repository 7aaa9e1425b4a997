"""Places from classes of sound, over time, and where nothing is clear enough."""

import numpy as np
import pytest

from analyzers.methods.sound import sound_places
from analyzers.methods.sound.sound_places import (
    PLACES,
    PLAIN_NOISE,
    best,
    dry_voice,
    evidence,
    over_time,
)

OF_PLACES = tuple(
    dict.fromkeys(
        name
        for by_weight in sound_places._CLASSES.values()
        for names in by_weight.values()
        for name in names
    )
)
CLASSES = (*OF_PLACES, *PLAIN_NOISE)


def one(**likely: float) -> dict[str, float]:
    row = np.zeros((1, len(CLASSES)), np.float32)
    for name, value in likely.items():
        row[0, CLASSES.index(name)] = value
    return {place: float(values[0]) for place, values in evidence(row, CLASSES).items()}


def test_a_class_belongs_to_one_place() -> None:
    total = sum(
        len(names) for by_weight in sound_places._CLASSES.values() for names in by_weight.values()
    )
    assert total == len(OF_PLACES)


@pytest.mark.parametrize(
    ("name", "place", "setting", "share"),
    [
        ("Inside, small room", "room", "indoor", 1.0),
        ("Typing", "room", "indoor", 0.8),
        ("Traffic noise, roadway noise", "street", "outdoor", 1.0),
        ("Bird", "nature", "outdoor", 0.5),
        ("Train", "vehicle", None, 0.8),
        ("Applause", "crowd", None, 0.8),
    ],
)
def test_evidence(name: str, place: str, setting: str | None, share: float) -> None:
    found = one(**{name: 0.9})
    assert found[place] == pytest.approx(0.9 * share)
    if setting:
        assert found[setting] == pytest.approx(0.9 * share)
    others = {n: v for n, v in found.items() if n not in (place, setting)}
    assert not any(others.values())


def test_the_strongest_class_counts_and_not_their_sum() -> None:
    assert one(Typing=0.4, Writing=0.4)["room"] == pytest.approx(0.32)


@pytest.mark.parametrize("noise", PLAIN_NOISE)
def test_plain_noise_is_no_place(noise: str) -> None:
    """A classifier hears a waterfall in it as well."""
    assert not any(one(**{noise: 0.8, "Waterfall": 0.5}).values())
    found = one(**{noise: 0.3, "Waterfall": 0.5, "Rain": 0.2})
    assert found["nature"] == found["outdoor"] == pytest.approx(0.4)


def test_a_classifier_without_a_class_is_refused() -> None:
    with pytest.raises(ValueError, match="does not know Applause"):
        evidence(np.zeros((1, len(CLASSES) - 1)), [n for n in CLASSES if n != "Applause"])


def test_the_strongest_quarter_counts() -> None:
    assert over_time(np.array([0.8, 0.0, 0.0, 0.0, 0.4, 0.0, 0.0, 0.0])) == pytest.approx(0.6)
    assert over_time(np.array([0.5])) == 0.5
    assert over_time(np.empty(0)) == 0.0


def test_weak_evidence_is_uncertain() -> None:
    assert best({"room": 0.29, "street": 0.1}) == ("uncertain", 0.29)
    assert best({"room": 0.3, "street": 0.1}) == ("room", 0.3)


def test_a_studio_is_clean_and_dry() -> None:
    assert dry_voice(45.0, False, 0.2) == pytest.approx(0.8)
    assert dry_voice(None, True, None) == pytest.approx(0.8)
    assert dry_voice(45.0, False, 0.6) == 0.0
    assert dry_voice(25.0, False, 0.2) == 0.0
    assert dry_voice(35.0, False, None) == pytest.approx(0.4)
    assert dry_voice(None, False, None) == 0.0
    assert "studio" in PLACES
