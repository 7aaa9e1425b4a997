"""voices: whom it tells apart in the sample, the narration, and both of them in turns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from analyzers.video import Video
from resources.media import open_video
from tests.accuracy.conftest import Report
from tests.accuracy.upstream import analyzed
from tests.analyzers.made import made_video

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

RATE_HZ = 16000
#: Where each voice speaks, by eye on the wave and the labels' cues.
NARRATION_S = ((0.7, 4.8), (5.1, 8.2), (8.5, 12.1))
SAMPLE_S = ((0.3, 2.2), (4.6, 6.4), (11.0, 17.3))


def spoken(sound: np.ndarray, spans: tuple[tuple[float, float], ...]) -> list[np.ndarray]:
    return [np.asarray(sound[round(a * RATE_HZ) : round(b * RATE_HZ)]) for a, b in spans]


def in_turns(parts: list[tuple[str, np.ndarray]]) -> tuple[Video, list[tuple[str, float, float]]]:
    """Parts one after the other, 0.4 s apart, and who speaks when."""
    pieces, truth, at = [], [], 0.0
    for name, part in parts:
        truth.append((name, at, at + len(part) / RATE_HZ))
        pieces += [part, np.zeros(round(0.4 * RATE_HZ), np.float32)]
        at += len(part) / RATE_HZ + 0.4
    sound = np.concatenate(pieces).astype(np.float32)
    return replace(made_video(len(sound) / RATE_HZ), audio_16k=sound), truth


def error_ratio(result: list[dict[str, object]], truth: list[tuple[str, float, float]]) -> float:
    """Share of the voice's time that is given to the wrong speaker, names matched by most time."""
    steps = np.arange(0, truth[-1][2], 0.01)
    said = np.full(len(steps), "", object)
    found = np.full(len(steps), "", object)
    heard = np.zeros(len(steps), bool)
    for name, a, b in truth:
        said[(steps >= a) & (steps < b)] = name
    for row in result:
        inside = (steps >= row["time_s"]) & (steps < row["end_s"])
        if row["kind"] == "turn":
            found[inside] = row["speaker"]
        elif row["kind"] == "voice":
            heard |= inside
    judged = heard & (said != "")
    right = sum(
        max((found[judged & (said == name)] == s).sum() for s in set(found) - {""})
        for name in set(said) - {""}
    )
    return float(1 - right / judged.sum())


def test_sample_has_one_speaker(report: Report, sample_video: Video) -> None:
    results, cost = analyzed("voices", sample_video)
    count = results["voices"].summary["speaker_count"]
    report("voices", "sample", "speakers", count, "1")
    report("voices", "sample", "CPU-s per s", cost, "in 0.06 of all sound")
    assert count == 1


def test_narration_has_one_speaker(demo_dir: Path, report: Report) -> None:
    with open_video(demo_dir / "nasa_webb_narrated.mp4") as video:
        results, _ = analyzed("voices", video)
    count = results["voices"].summary["speaker_count"]
    report("voices", "nasa_webb_narrated", "speakers", count, "1")
    assert count == 1


def test_nobody_speaks_in_the_trailer(demo_dir: Path, report: Report) -> None:
    with open_video(demo_dir / "trailer_text_overlays.mp4") as video:
        results, _ = analyzed("voices", video)
    spoken_s = results["voices"].summary["voice_s"]
    report("voices", "trailer_text_overlays", "seconds of voice", float(spoken_s), "0")
    assert spoken_s == 0


def test_two_and_three_voices_in_turns(demo_dir: Path, report: Report, sample_video: Video) -> None:
    with open_video(demo_dir / "nasa_webb_narrated.mp4") as video:
        narrator = spoken(video.audio_16k, NARRATION_S)
    voice = spoken(sample_video.audio_16k, SAMPLE_S)
    deep = [resample_poly(part, 27, 20) for part in voice]
    cases = {
        "narrator and sample": (("a", narrator), ("b", voice)),
        "sample and its copy, 1.35 x deeper": (("b", voice), ("c", deep)),
        "all three": (("a", narrator), ("b", voice), ("c", deep)),
    }
    for clip, voices in cases.items():
        parts = [(name, own[i]) for i in range(3) for name, own in voices]
        video, truth = in_turns(parts)
        results, _ = analyzed("voices", video)
        result = results["voices"]
        wrong = error_ratio(result.observations.to_pylist(), truth)
        report("voices", clip, "speakers", result.summary["speaker_count"], str(len(voices)))
        report("voices", clip, "speech given to the wrong one", wrong, "<= 0.05")
        assert result.summary["speaker_count"] == len(voices)
        assert wrong <= 0.05
