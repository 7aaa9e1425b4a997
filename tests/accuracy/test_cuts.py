"""cut_analysis against the labelled clips and the sample."""

from __future__ import annotations

from typing import Any

import pytest

from analyzers.base import AnalysisResult
from analyzers.registry import get_analyzer
from analyzers.video import Video

pytestmark = pytest.mark.accuracy

WITH_CUTS = ("street_bikes_taxi", "rocket_launch_nasa", "trailer_text_overlays")
WITHOUT_CUTS = (
    "bottles_conveyor",
    "coffee_pour_product",
    "dog_eating_pexels",
    "friday_dialogue_bw",
    "juggle_man_football",
    "letter_blocks_hands",
    "woman_and_dog_outdoors",
    "woman_emotions_closeup",
)
#: Which kinds answer to a label's words.
KINDS = {
    "fade in from black": {"fade_in"},
    "fade out to black": {"fade_out"},
    "fade out/in through black": {"fade_through_black"},
    "cross-dissolve": {"dissolve"},
}


@pytest.fixture(scope="module")
def analyze():
    kept: dict[str, AnalysisResult] = {}

    def run(video: Video) -> AnalysisResult:
        if video.id not in kept:
            kept[video.id] = get_analyzer("cut_analysis").analyze(video, {})
        return kept[video.id]

    return run


def transitions(result: AnalysisResult) -> list[dict[str, Any]]:
    return [row for row in result.observations.to_pylist() if row["type"] == "transition"]


def cut_frames(result: AnalysisResult) -> list[int]:
    return [row["last_frame"] for row in transitions(result) if row["kind"] == "cut"]


def labelled_cuts(labels: dict[str, Any]) -> list[int]:
    return (labels.get("hard_cuts") or labels["shots"])["cut_frames"]


def check_cuts(report, clip: str, expected: list[int], found: list[int]) -> None:
    offsets = [min((abs(f - e) for f in found), default=10**6) for e in expected]
    hits = sum(offset <= 1 for offset in offsets)
    false = [f for f in found if all(abs(f - e) > 1 for e in expected)]
    report("cut_analysis", clip, "cuts within 1 frame", f"{hits}/{len(expected)}", "all")
    report("cut_analysis", clip, "other hard cuts", len(false), "0")
    assert hits == len(expected), f"missed of {expected}: found {found}"
    assert not false


@pytest.mark.parametrize("clip", WITH_CUTS)
def test_hard_cuts(clip, analyze, demo_video, demo_labels, report):
    check_cuts(
        report, clip, labelled_cuts(demo_labels(clip)), cut_frames(analyze(demo_video(clip)))
    )


@pytest.mark.parametrize("clip", WITHOUT_CUTS)
def test_no_cut_where_there_is_none(clip, analyze, demo_video, demo_labels, report):
    assert labelled_cuts(demo_labels(clip)) == []
    check_cuts(report, clip, [], cut_frames(analyze(demo_video(clip))))


def iou(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Overlap of two stretches of time over what they cover together."""
    both = min(a[1], b[1]) - max(a[0], b[0])
    return max(0.0, both) / (max(a[1], b[1]) - min(a[0], b[0]))


def extent_s(label: dict[str, Any]) -> tuple[float, float]:
    # The three fades through black have no extents in the labels: by eye, frame by frame, the
    # picture before begins to darken a second before black, the next is whole a second after it.
    if "around_s" in label:
        return label["around_s"] - 1.0, label["around_s"] + 1.0
    return label["start_s"], label["end_s"]


def check_gradual(report, clip: str, labels: list[dict[str, Any]], found: list[dict]) -> None:
    for label in labels:
        extent = extent_s(label)
        same = [f for f in found if f["kind"] in KINDS[label["kind"]]]
        best = max((iou(extent, (f["time_s"], f["end_s"])) for f in same), default=0.0)
        measure = f"{label['kind']} at {extent[0]:.1f} s, overlap"
        report("cut_analysis", clip, measure, best, ">= 0.5")
        assert best >= 0.5, measure


def test_fades_and_the_dissolve(analyze, demo_video, demo_labels, report):
    clip = "trailer_text_overlays"
    labels = demo_labels(clip)["soft_transitions"]
    check_gradual(report, clip, labels, transitions(analyze(demo_video(clip))))


def test_the_sample(analyze, sample_video, sample_labels, report):
    result = analyze(sample_video)
    check_cuts(report, "sample", labelled_cuts(sample_labels), cut_frames(result))
    check_gradual(report, "sample", sample_labels["soft_transitions"], transitions(result))
