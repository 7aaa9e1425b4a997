"""speech_flow against the known pauses and overlaps of made speech."""

from __future__ import annotations

from typing import Any

import pytest

from analyzers.base import AnalysisResult
from analyzers.methods.speech.speech_spans import Span
from analyzers.video import Video
from tests.accuracy.conftest import Report
from tests.accuracy.made_overlaps import conversation, voice
from tests.accuracy.made_speech import WITHIN_CUES, cues_of, pauses_of_cues, spliced
from tests.accuracy.upstream import analyzed

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

SILENT = ("woman_and_dog_outdoors", "coffee_pour_product", "letter_blocks_hands")
LONG_S = 0.3


def check(report: Report, clip: str, result: AnalysisResult, true: list[Span]) -> None:
    """F1 of the pauses over 0.3 s; a match covers at least half of both."""
    wanted = [(a, b) for a, b in true if b - a > LONG_S]
    found = [
        (r["time_s"], r["end_s"])
        for r in result.observations.to_pylist()
        if r["kind"] == "silent_pause" and r["end_s"] - r["time_s"] > LONG_S
    ]
    matched = [
        (f, w)
        for f in found
        for w in wanted
        if min(f[1], w[1]) - max(f[0], w[0]) >= max(f[1] - f[0], w[1] - w[0]) / 2
    ]
    score = 2 * len(matched) / (len(found) + len(wanted))
    off = [abs((f[1] - f[0]) - (w[1] - w[0])) for f, w in matched]
    report("speech_flow", clip, f"F1 of {len(wanted)} pauses over 0.3 s", score, ">= 0.9")
    report("speech_flow", clip, "mean error of a length, s", sum(off) / len(off), "reported")
    assert score >= 0.9


def test_sample(report: Report, sample_video: Video, sample_labels: dict[str, Any]) -> None:
    """Speech over music."""
    results, cost = analyzed("speech_flow", sample_video)
    report("speech_flow", "sample", "CPU-s per s", cost, "in 0.06 of all sound")
    check(
        report,
        "sample",
        results["speech_flow"],
        pauses_of_cues(cues_of(sample_labels), WITHIN_CUES),
    )


def test_spliced(report: Report, sample_video: Video, sample_labels: dict[str, Any]) -> None:
    assert sample_video.audio_16k is not None
    video, _, pauses = spliced(sample_video.audio_16k, cues_of(sample_labels))
    results, _ = analyzed("speech_flow", video)
    check(report, "sample, spliced", results["speech_flow"], pauses)


@pytest.mark.comparison
def test_overlaps_of_a_conversation(report: Report) -> None:
    """Of two synthetic voices, heard by Whisper as well; `test_voices.py` has more of them."""
    (slt, short), (rms, other_short) = voice("slt"), voice("rms")
    made = conversation(slt, rms, (short, other_short))
    results, _ = analyzed("speech_flow", made.video)
    rows = [r for r in results["speech_flow"].observations.to_pylist() if r["kind"] == "overlap"]
    found = [
        (row, exchange)
        for row in rows
        for exchange in made.exchanges
        if min(row["end_s"], exchange.end_s) - max(row["time_s"], exchange.start_s)
        >= max(row["length_s"], exchange.end_s - exchange.start_s) / 2
    ]
    score = 2 * len(found) / (len(rows) + len(made.exchanges))
    placed = [(row["place"], exchange.taken) for row, exchange in found if row["place"]]
    right = sum((place == "between_speakers") == taken for place, taken in placed) / len(placed)
    clip = "made conversation"
    report("speech_flow", clip, f"F1 of {len(made.exchanges)} overlaps", score, ">= 0.7")
    report("speech_flow", clip, f"place right, of {len(placed)}", right, ">= 0.8")
    assert score >= 0.7
    assert right >= 0.8


@pytest.mark.parametrize("clip", SILENT)
def test_silent_clips(demo_video: Any, report: Report, clip: str) -> None:
    results, _ = analyzed("speech_flow", demo_video(clip))
    status = results["speech_flow"].status
    report("speech_flow", clip, "status", status, "not_applicable")
    assert status == "not_applicable"
