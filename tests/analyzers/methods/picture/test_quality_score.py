"""Anchors, weights and the sum."""

import pytest

from analyzers.methods.picture.quality_score import (
    PARTS,
    impairments,
    overall_score,
    part_scores,
    upscaling_degradation,
)

PERFECT = {part.measure: part.good for part in PARTS}


def test_all_good_is_100_and_every_part_lowers_it() -> None:
    assert overall_score(part_scores(PERFECT)) == 100
    for part in PARTS:
        halfway = {**PERFECT, part.measure: (part.good + part.bad) / 2}
        scores = part_scores(halfway)
        assert scores[part.name] == pytest.approx(50)
        assert overall_score(scores) == pytest.approx(100 / (1 + part.weight))
        assert impairments(scores)[part.name] == pytest.approx(part.weight)
        worse = part_scores({**PERFECT, part.measure: part.bad})
        assert overall_score(worse) < overall_score(scores)


def test_beyond_the_anchors_nothing_more_happens() -> None:
    for part in PARTS:
        beyond = part.bad + (part.bad - part.good)
        assert part_scores({part.measure: beyond})[part.name] == 0
        assert part_scores({part.measure: 2 * part.good - part.bad})[part.name] == 100


def test_what_is_not_known_takes_nothing_away() -> None:
    scores = part_scores({"sharpness": 0.35})
    assert scores["noise"] is None
    assert overall_score(scores) == pytest.approx(scores["sharpness"])


def test_upscaling_as_in_the_recommendation() -> None:
    assert upscaling_degradation(1080, 1920) == 0
    assert upscaling_degradation(2160, 3840) == 0
    # 72.61 log10(0.32 (2.25 - 1) + 1)
    assert upscaling_degradation(720, 1280) == pytest.approx(10.61, abs=0.01)
    assert upscaling_degradation(720, 1280) < upscaling_degradation(360, 640) < 100
    assert upscaling_degradation(96, 128) == 100
