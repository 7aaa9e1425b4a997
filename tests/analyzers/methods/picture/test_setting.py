"""Evidence for indoors and outdoors: colours, objects, resemblance, and their sum."""

import tracemalloc

import numpy as np
import pytest

from analyzers.methods.picture.setting import (
    INDOOR_CLASSES,
    OUTDOOR_CLASSES,
    nature_evidence,
    nature_shares,
    object_evidence,
    resemblance_evidence,
    setting_of,
)

NOBODY = np.zeros((360, 240), bool)


def ground(colour: tuple[int, int, int], noise: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    light = rng.normal(1, noise, (360, 240, 1))
    return (np.array(colour) * light).clip(0, 255).astype(np.uint8)


def test_grass_is_vegetation_and_a_green_wall_is_not() -> None:
    assert nature_shares(ground((60, 110, 40), 0.35), NOBODY)[0] > 0.8
    assert nature_shares(ground((60, 110, 40), 0.0), NOBODY)[0] == 0


def test_sky_reaches_the_upper_edge() -> None:
    picture = ground((120, 110, 100), 0.1)
    picture[:120] = (110, 150, 220)
    assert nature_shares(picture, NOBODY)[1] == pytest.approx(1 / 3, abs=0.03)
    assert nature_shares(np.ascontiguousarray(picture[::-1]), NOBODY)[1] == 0


def test_a_drawn_cyan_is_no_sky() -> None:
    picture = ground((120, 110, 100), 0.1)
    picture[:, :120] = (0, 191, 191)
    assert nature_shares(picture, NOBODY)[1] == 0


def test_what_the_subject_covers_does_not_count() -> None:
    picture = ground((60, 110, 40), 0.35)
    mask = NOBODY.copy()
    mask[:, :120] = True
    picture[:, 120:] = (150, 140, 135)
    assert nature_shares(picture, mask)[0] < 0.05
    assert nature_shares(picture, ~NOBODY) == (0, 0)


def test_a_sliver_is_not_blown_up() -> None:
    sliver = np.zeros((1, 6000, 3), np.uint8)
    tracemalloc.start()
    assert nature_shares(sliver, np.zeros((1, 6000), bool)) == (0, 0)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 10e6


def test_a_grey_wall_is_neither() -> None:
    assert nature_shares(ground((150, 145, 140), 0.02), NOBODY) == (0, 0)
    assert sum(nature_evidence(0, 0).values()) == 0


def test_each_label_counts_once_by_its_surest_detection() -> None:
    found = object_evidence(["car", "car", "person", "bed"], [0.5, 0.9, 0.9, 0.5])
    assert found == {"car": pytest.approx(1.08), "bed": pytest.approx(-0.6)}


def test_resemblance_names_the_likeliest_class_of_a_side() -> None:
    labels = ["pier", "valley", "bookcase", "tench"]
    assert not OUTDOOR_CLASSES & INDOOR_CLASSES
    found = resemblance_evidence(labels, np.array([0.3, 0.4, 0.05, 0.25]))
    assert found == {"resembles valley": pytest.approx(1.05)}
    found = resemblance_evidence(labels, np.array([0, 0, 0.8, 0.2]))
    assert found == {"resembles bookcase": pytest.approx(-1.2)}


def test_little_or_contradicting_evidence_is_uncertain() -> None:
    assert setting_of({}) == ("uncertain", 0.5)
    assert setting_of({"car": 1.0, "resembles desk": -1.0})[0] == "uncertain"
    assert setting_of({"dining table": -0.3})[0] == "uncertain"
    assert setting_of({"vegetation": 1.6})[0] == "outdoor"
    setting, sure = setting_of({"clock": -0.3, "resembles barbershop": -1.0})
    assert setting == "indoor"
    assert 0.9 < sure < 1
