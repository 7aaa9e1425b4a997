"""speech_rate against the text and the times of made speech."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.video import Video
from tests.accuracy.conftest import Report
from tests.accuracy.made_speech import Cue, cues_of, spliced
from tests.accuracy.upstream import analyzed

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

SILENT = ("woman_and_dog_outdoors", "coffee_pour_product", "letter_blocks_hands")


def rates(result: AnalysisResult, cues: list[Cue]) -> list[tuple[float, float]]:
    """Words a second, found and true, of each cue, or of cues that were heard as one sentence."""
    rows = result.observations.to_pylist()
    groups: list[tuple[list[Cue], list[dict[str, Any]]]] = []
    for cue in cues:
        inside = [
            r for r in rows if min(r["end_s"], cue.end_s) - max(r["time_s"], cue.start_s) > 0.2
        ]
        if groups and inside and inside[0] in groups[-1][1]:
            groups[-1][0].append(cue)
            groups[-1][1].extend(r for r in inside if r not in groups[-1][1])
        else:
            groups.append(([cue], inside))
    found = []
    for said, heard in groups:
        true = sum(len(c.text.split()) for c in said) / (said[-1].end_s - said[0].start_s)
        words = sum(r["word_count"] for r in heard)
        found.append((words / (heard[-1]["end_s"] - heard[0]["time_s"]), true))
    return found


def check(report: Report, clip: str, result: AnalysisResult, cues: list[Cue]) -> None:
    errors = [abs(found / true - 1) for found, true in rates(result, cues)]
    whole_s = cues[-1].end_s - cues[0].start_s
    true = 60 * sum(len(c.text.split()) for c in cues) / whole_s
    error = abs(result.summary["words_per_min"] / true - 1)
    report("speech_rate", clip, "speech rate, error of the whole", error, "<= 0.10")
    report(
        "speech_rate",
        clip,
        f"same, mean of {len(errors)} sentences",
        float(np.mean(errors)),
        "0.10",
    )
    report("speech_rate", clip, "same, largest of a sentence", max(errors), "<= 0.10")
    assert error <= 0.10
    assert max(errors) <= 0.10


def test_sample(report: Report, sample_video: Video, sample_labels: dict[str, Any]) -> None:
    """Speech over music."""
    results, cost = analyzed("speech_rate", sample_video)
    report("speech_rate", "sample", "CPU-s per s", cost, "in 0.06 of all sound")
    check(report, "sample", results["speech_rate"], cues_of(sample_labels))


def test_spliced(report: Report, sample_video: Video, sample_labels: dict[str, Any]) -> None:
    assert sample_video.audio_16k is not None
    video, cues, _ = spliced(sample_video.audio_16k, cues_of(sample_labels))
    results, _ = analyzed("speech_rate", video)
    check(report, "sample, spliced", results["speech_rate"], cues)


@pytest.mark.parametrize("clip", SILENT)
def test_silent_clips(demo_video: Any, report: Report, clip: str) -> None:
    results, _ = analyzed("speech_rate", demo_video(clip))
    status = results["speech_rate"].status
    report("speech_rate", clip, "status", status, "not_applicable")
    assert status == "not_applicable"
