"""text_overlay against the labelled clips and the sample.

A label says when a text's opacity is above 0 (`start_s` to `end_s`, with `crossfade_s` at both
ends). text_overlay says from when to when a quarter of it shows; so a crossfade of one second
costs a quarter of a second of the half second that is allowed.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.weights import ModelMissing
from analyzers.run import run_analyzer
from analyzers.text_overlay import TextOverlay
from analyzers.video import Video

pytestmark = pytest.mark.accuracy

TRAILER = "trailer_text_overlays"
WITHOUT_TEXT = (
    "coffee_pour_product",
    "dog_eating_pexels",
    "friday_dialogue_bw",
    "juggle_man_football",
    "woman_and_dog_outdoors",
    "woman_emotions_closeup",
)


@pytest.fixture(scope="module")
def analyze():
    kept: dict[str, AnalysisResult] = {}

    def run(video: Video) -> AnalysisResult:
        if video.id not in kept:
            kept[video.id] = run_analyzer(TextOverlay(Models.embedded()), video, {})[0]
        return kept[video.id]

    return run


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def read_at(rows: list[dict], time_s: float) -> set[str]:
    on_screen = [r for r in rows if r["time_s"] <= time_s < r["end_s"]]
    return {word for row in on_screen for word in words(row["text"])}


def recall_at_least_once(labels: list[dict], rows: list[dict]) -> float:
    hits = [
        any(
            word in words(row["text"])
            for row in rows
            if row["time_s"] < label["end_s"] and row["end_s"] > label["start_s"]
        )
        for label in labels
        for word in words(label["text"])
    ]
    return float(np.mean(hits))


def recall_by_frame(labels: list[dict], rows: list[dict], times_s: np.ndarray) -> float:
    """Over the frames in which a label's text stands in full."""
    hits = [
        word in read_at(rows, time_s)
        for label in labels
        for time_s in times_s
        if label["start_s"] + label["crossfade_s"] <= time_s
        and time_s < label["end_s"] - label["crossfade_s"]
        for word in words(label["text"])
    ]
    return float(np.mean(hits))


def worst_offsets_s(labels: list[dict], rows: list[dict], end_s: float) -> tuple[float, float]:
    """Largest distance of a line's start and end from its label's, over all labelled lines."""
    starts, ends = [], []
    for label in labels:
        for line in label["text"].split("\n"):
            same = [r for r in rows if words(r["text"]) == words(line)]
            assert same, f"{line!r} was not read: {[r['text'] for r in rows]}"
            starts.append(min(abs(r["time_s"] - label["start_s"]) for r in same))
            ends.append(min(abs(r["end_s"] - min(label["end_s"], end_s)) for r in same))
    return max(starts), max(ends)


def check_overlays(
    report, clip: str, labels: list[dict[str, Any]], result: AnalysisResult, video: Video
) -> None:
    rows = result.observations.to_pylist()
    once = recall_at_least_once(labels, rows)
    by_frame = recall_by_frame(labels, rows, video.analysis.times_s)
    start_s, end_s = worst_offsets_s(labels, rows, video.info.end_s)
    report("text_overlay", clip, "words read at least once", once, ">= 0.95")
    report("text_overlay", clip, "words x frames at 5 fps, no fades", by_frame, ">= 0.9")
    report("text_overlay", clip, "worst start, s off", start_s, "<= 0.5")
    report("text_overlay", clip, "worst end, s off", end_s, "<= 0.5")
    assert once >= 0.95
    assert by_frame >= 0.9
    assert start_s <= 0.5
    assert end_s <= 0.5


def test_the_trailer(analyze, demo_video, demo_labels, report):
    video, labels = demo_video(TRAILER), demo_labels(TRAILER)
    result = analyze(video)
    check_overlays(report, TRAILER, labels["text_overlays"], result, video)
    rows = result.observations.to_pylist()
    overlay_words = {w for label in labels["text_overlays"] for w in words(label["text"])}
    logo_words = {w for label in labels["logo_text"] for w in words(label["text"])}
    found = {w for label in labels["logo_text"] for w in words(label["text"])} & {
        w for row in rows for w in words(row["text"])
    }
    report(
        "text_overlay", TRAILER, "words of logos (Big Buck BUNNY, MoviePy)",
        f"{len(found)}/{len(logo_words)}", "-",
    )  # fmt: skip
    captions = [r for r in rows if set(words(r["text"])) <= overlay_words]
    assert {row["role"] for row in captions} == {"caption"}
    strange = [r["text"] for r in rows if not set(words(r["text"])) & (overlay_words | logo_words)]
    report("text_overlay", TRAILER, "lines that are none", len(strange), "<= 1 (the logo misread)")
    assert len(strange) <= 1


def test_the_sample(analyze, sample_video, sample_labels, report):
    result = analyze(sample_video)
    check_overlays(report, "sample", sample_labels["text_overlays"], result, sample_video)
    rows = {row["text"]: row["role"] for row in result.observations.to_pylist()}
    assert rows["tiktok-assets sample"] == "watermark"
    right = sum(
        rows[line] == ("watermark" if label["role"] == "watermark" else "caption")
        for label in sample_labels["text_overlays"]
        for line in label["text"].split("\n")
    )
    total = sum(len(label["text"].split("\n")) for label in sample_labels["text_overlays"])
    report("text_overlay", "sample", "roles of lines", f"{right}/{total}", "all")
    taxi = rows.get("TAXI", "not read")
    report("text_overlay", "sample", "TAXI on a car, shown 0.3 s", taxi, "scene_text")
    assert right == total


def test_the_webcam(analyze, demo_video, demo_labels, report):
    clip = "webcam_hello_world_text"
    video = demo_video(clip)
    result = analyze(video)
    [label] = demo_labels(clip)["text_overlays"]
    check_overlays(report, clip, [{**label, "crossfade_s": 0}], result, video)
    rows = result.observations.to_pylist()
    [title] = [r for r in rows if words(r["text"]) == ["hello", "world"]]
    assert title["role"] == "caption"
    other = {w for text in demo_labels(clip)["other_text"] for w in words(text)}
    found = {w for r in rows for w in words(r["text"])} & other
    report("text_overlay", clip, "words of the windows", f"{len(found)}/{len(other)}", "-")


def test_scene_text(analyze, demo_video, report):
    rows = analyze(demo_video("street_bikes_taxi")).observations.to_pylist()
    [taxi] = [r for r in rows if r["text"] == "TAXI"]
    report("text_overlay", "street_bikes_taxi", "TAXI at frame 75", taxi["role"], "scene_text")
    assert taxi["role"] == "scene_text"
    assert taxi["time_s"] <= 75 / 25 < taxi["end_s"]
    rows = analyze(demo_video("letter_blocks_hands")).observations.to_pylist()
    letters = {c for row in rows for c in row["text"]} & set("SAM")
    roles = ", ".join(sorted({r["role"] for r in rows}))
    report("text_overlay", "letter_blocks_hands", "letters of S, A, M", f"{len(letters)}/3", "all")
    report("text_overlay", "letter_blocks_hands", "roles", roles, "scene_text")
    assert letters == set("SAM")
    assert {r["role"] for r in rows} == {"scene_text"}


@pytest.mark.parametrize("clip", WITHOUT_TEXT)
def test_no_text_is_made_up(clip, analyze, demo_video, report):
    rows = analyze(demo_video(clip)).observations.to_pylist()
    report("text_overlay", clip, "lines where there are none", len(rows), "0")
    assert rows == []


@pytest.mark.comparison
@pytest.mark.timeout(1500)
def test_easyocr_on_the_trailer(demo_video, demo_labels, report):
    models = Models({"ocr": ModelChoice("easyocr_english")})
    try:
        with models.lend("ocr"):
            pass
    except ModelMissing as error:
        pytest.skip(str(error))
    video, labels = demo_video(TRAILER), demo_labels(TRAILER)["text_overlays"]
    result, record = run_analyzer(TextOverlay(models), video, {})
    rows = result.observations.to_pylist()
    once = recall_at_least_once(labels, rows)
    by_frame = recall_by_frame(labels, rows, video.analysis.times_s)
    report("text_overlay", TRAILER, "EasyOCR: words read at least once", once, "-")
    report("text_overlay", TRAILER, "EasyOCR: words x frames, no fades", by_frame, "-")
    report("text_overlay", TRAILER, "EasyOCR: seconds of work", record.seconds, "-")
    assert once > 0.5
