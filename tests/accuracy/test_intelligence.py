"""Whether the rules find what was made for them, and lips against voice on real clips.

Cut on the beat, text against speech and the speaker off screen are made: a case that is so and a
case that is not, many times over with times and words varied, and found by the analyzer as a whole.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.cross_analyzer_intelligence import CrossAnalyzerIntelligence
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.temporal_flow import TemporalFlow
from analyzers.video import Video
from tests.accuracy.conftest import Report
from tests.accuracy.upstream import analyzed
from tests.analyzers.made import made_video
from tests.analyzers.made_results import cut, line, made_result, voice, words

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

END_S = 20.0


@pytest.fixture(scope="module")
def video() -> Video:
    return made_video(END_S)


def _rules(video: Video, **told: Any) -> set[str]:
    upstream = {name: made_result(name, video.grid, **given) for name, given in told.items()}
    result, _ = run_analyzer(CrossAnalyzerIntelligence(Models({})), video, upstream)
    return set(result.observations["rule"].to_pylist())


def _rate(found: Iterator[bool]) -> float:
    return float(np.mean(list(found)))


def test_cut_on_beat(report: Report, video: Video) -> None:
    """Beats of 80 to 160 a minute, six cuts on beats with an error of a frame, or anywhere."""
    rng = np.random.default_rng(4)

    def cases(on_purpose: bool) -> Iterator[bool]:
        for tempo in np.linspace(80, 160, 40):
            beats = np.arange(0.2, END_S, 60 / tempo)
            if on_purpose:
                cuts = rng.choice(beats[1:-1], 6, replace=False) + rng.normal(0, 0.017, 6)
            else:
                cuts = rng.uniform(1, END_S - 1, 6)
            rows = [{"kind": "beat", "time_s": float(t)} for t in beats]
            yield "cut_on_beat" in _rules(
                video,
                audio_analysis={"rows": rows},
                cut_analysis={"rows": [cut(float(t), i + 1) for i, t in enumerate(sorted(cuts))]},
            )

    found, alarms = _rate(cases(True)), _rate(cases(False))
    name = "cross_analyzer_intelligence"
    report(name, "made, 40 tempi", "cuts on the beat found", found, ">= 0.95")
    report(name, "made, 40 tempi", "found where cuts lie anywhere", alarms, "<= 0.05")
    assert found >= 0.95
    assert alarms <= 0.05


SAME = [
    ("5 WAYS TO GET AROUND", "Here are five ways to get around."),
    ("RIDE A BIKE", "First of all, you could ride a bike."),
    ("Add two cups of flour", "Now add 2 cups of flour"),
    ("20% OFF TODAY", "Today you get twenty percent off"),
    ("My morning routine", "This is my morning routine, so let's go."),
    ("NEVER SKIP BREAKFAST", "You should never skip breakfast."),
]
ADDS = [
    ("FOLLOW FOR MORE", "Which one is yours?"),
    ("Lisbon, Portugal", "We have been walking all day long"),
    ("Recipe in the description", "Stir it until it gets brown"),
    ("Day 12", "And today the weather was fine"),
    ("POV: your first job", "Could you send me that file again?"),
    ("Hello world", "I will show a directory"),
]
CONTRADICTS = [
    ("5 WAYS TO GET AROUND", "Here are three ways to get around."),
    ("ONLY 5 MINUTES", "It takes twenty minutes altogether"),
    ("NO SUGAR", "Then I add plenty of sugar"),
    ("Never wash it", "You should always wash it first"),
    ("THE BEST PHONE", "Honestly, it is the worst phone I had"),
    ("It costs $10", "It costs fifty dollars"),
]


def test_text_against_speech(report: Report, video: Video) -> None:
    """What is found for each of 18 pairs, at three distances of text and speech in time."""
    verdicts = {
        "text_same_as_speech": SAME,
        "text_adds_to_speech": ADDS,
        "text_contradicts_speech": CONTRADICTS,
    }
    right, wrong = [], []
    for rule, pairs in verdicts.items():
        for (text, said), late_s in itertools.product(pairs, (-0.5, 0.0, 0.5)):
            rules = _rules(
                video,
                text_overlay={"rows": [line(text, 5 + late_s, 8 + late_s)]},
                speech_transcription={
                    "rows": words(said, 5.0, 7.5),
                    "summary": {"language": "en", "text": said},
                },
            )
            right.append(rule in rules)
            wrong.append(bool(rules & (verdicts.keys() - {rule})))
    name = "cross_analyzer_intelligence"
    report(name, "made, 18 pairs", "text against speech right", _rate(iter(right)), ">= 0.9")
    report(name, "made, 18 pairs", "another verdict", _rate(iter(wrong)), "<= 0.1")
    assert _rate(iter(right)) >= 0.9
    assert _rate(iter(wrong)) <= 0.1


def _lips(moving: bool, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Lips at 15 looks a second: syllables at four to six a second, or a face that keeps still."""
    times = np.arange(2, 8, 1 / 15)
    swing = 0.04 * (1 + np.sin(2 * np.pi * rng.uniform(2, 3) * times)) if moving else 0
    opening = np.clip(0.02 + swing + rng.normal(0, 0.002, len(times)), 0, None)
    return [
        {"time_s": float(t), "track_id": 0, "gaze": "camera", "mouth_opening_ratio": float(o)}
        for t, o in zip(times, opening, strict=True)
    ]


def test_off_screen_speaker(report: Report, video: Video) -> None:
    """A face that speaks, one that keeps still, and nobody, while a voice is heard."""
    rng = np.random.default_rng(2)
    seen = [{"time_s": float(t), "track_id": 0} for t in np.arange(2, 8, 0.2)]

    def rules(moving: bool | None) -> set[str]:
        nobody = moving is None
        return _rules(
            video,
            voices={"rows": [voice(float(a), float(a) + 1.5) for a in rng.uniform(2, 6, 1)]},
            faces={"rows": [] if nobody else seen},
            eye_tracking={"rows": [] if nobody else _lips(bool(moving), rng)},
            object_detection={"rows": []},
        )

    found = _rate("speaker_off_screen" in rules(case) for case in [None, False] * 20)
    alarms = _rate("speaker_off_screen" in rules(True) for _ in range(20))
    on = _rate("speaker_on_screen" in rules(True) for _ in range(20))
    name = "cross_analyzer_intelligence"
    report(name, "made", "speaker off screen found", found, ">= 0.95")
    report(name, "made", "found where the lips speak", alarms, "0")
    report(name, "made", "speaker on screen found", on, ">= 0.95")
    assert found >= 0.95
    assert alarms == 0
    assert on >= 0.95


def _verdicts(video: Video) -> tuple[AnalysisResult, AnalysisResult]:
    """Findings on a real clip from what lips against voice needs, and the eyes they rest on."""
    upstream, _ = analyzed("eye_tracking", video)
    for name in ("voices", "object_detection", "cut_analysis"):
        found, _ = analyzed(name, video)
        upstream = {**found, **upstream}
    result, _ = run_analyzer(CrossAnalyzerIntelligence(Models({})), video, upstream)
    return result, upstream["eye_tracking"]


def test_lips_of_a_man_who_speaks(report: Report, demo_video: Callable[[str], Video]) -> None:
    """A man speaks into his webcam for the first three seconds, as Silero hears, and then types."""
    result, eyes = _verdicts(demo_video("webcam_hello_world_text"))
    moves = eyes.segments["mouth_movement_per_s"].to_pylist()
    clip = "webcam_hello_world_text"
    report("eye_tracking", clip, "lips a second, speaking", max(moves[:3]), "reported")
    report("eye_tracking", clip, "lips a second, after", float(np.median(moves[3:6])), "reported")
    assert max(moves[:3]) > 3 * np.median(moves[3:6])
    speakers = result.segments["speaker"].to_pylist()
    report("cross_analyzer_intelligence", clip, "seconds 0 to 2", str(speakers[:3]), "on_screen")
    assert speakers[1:3] == ["on_screen"] * 2
    assert "off_screen" not in speakers


@pytest.mark.comparison
def test_a_portrait_under_a_voice(
    report: Report, sample_video: Video, sample_labels: dict[str, Any]
) -> None:
    """The sample's voice is nobody's in the picture: a still portrait, a cup, a rocket."""
    result, _ = _verdicts(sample_video)
    speakers = [s for s in result.segments["speaker"].to_pylist() if s]
    right = speakers.count("off_screen") / max(1, len(speakers))
    name = "cross_analyzer_intelligence"
    report(name, "sample", "seconds with a verdict", len(speakers), ">= 8")
    report(name, "sample", "of these off screen", right, "1")
    assert len(speakers) >= 8
    assert right == 1


@pytest.mark.comparison
def test_the_story_of_the_sample(
    report: Report, sample_video: Video, sample_labels: dict[str, Any]
) -> None:
    """Made with five cuts on the beat, captions that repeat the voice, a turn and two calls."""
    upstream: dict[str, AnalysisResult] = {}
    for name in ("cut_analysis", "audio_analysis", "text_overlay", "speech_rate"):
        found, _ = analyzed(name, sample_video)
        upstream |= found
    flow, _ = run_analyzer(TemporalFlow(Models({})), sample_video, upstream)
    upstream["temporal_flow"] = flow
    result, _ = run_analyzer(CrossAnalyzerIntelligence(Models({})), sample_video, upstream)
    parts = {row["part"]: row for row in flow.observations.to_pylist()}
    dissolve = sample_labels["soft_transitions"][0]
    [call] = [t for t in sample_labels["text_overlays"] if t["text"] == "FOLLOW FOR MORE"]
    report("temporal_flow", "sample", "parts", ", ".join(flow.summary["parts"]), "reported")
    late_s = abs(parts["turn"]["time_s"] - dissolve["start_s"])
    report("temporal_flow", "sample", "turn off the last scene, s", late_s, "<= 1")
    assert late_s <= 1
    assert parts["call_to_action"]["time_s"] <= call["start_s"] < parts["call_to_action"]["end_s"]
    found_rows = result.observations.to_pylist()
    cuts = [row["time_s"] for row in found_rows if row["rule"] == "cut_on_beat"]
    same = sum(row["rule"] == "text_same_as_speech" for row in found_rows)
    name = "cross_analyzer_intelligence"
    report(name, "sample", "cuts on the beat of 5", len(cuts), "5")
    report(name, "sample", "texts said as well, of 9", same, ">= 8")
    assert cuts == pytest.approx(sample_labels["hard_cuts"]["cut_times_s"], abs=0.04)
    assert same >= 8


def test_cost(report: Report, video: Video) -> None:
    """Both on a made video with rows of everything that is dense in a real one."""
    rng = np.random.default_rng(0)
    told: dict[str, dict[str, Any]] = {
        "cut_analysis": {"rows": [cut(t, t) for t in range(1, 19)]},
        "audio_analysis": {
            "rows": [{"kind": "beat", "time_s": t / 2} for t in range(40)],
            "seconds": {"loudness_lufs": [-20.0] * 20},
            "summary": {"loudness_lufs": -20.0},
        },
        "text_overlay": {"rows": [line(f"LINE {t} of text", t, t + 1.5) for t in range(18)]},
        "speech_transcription": {
            "rows": words("these are the words that are said " * 10, 0.5, 19.5),
            "summary": {"language": "en", "text": "these are the words"},
        },
        "voices": {"rows": [voice(t, t + 0.8) for t in range(19)]},
        "faces": {"rows": [{"time_s": t / 5, "track_id": 0} for t in range(100)]},
        "eye_tracking": {"rows": _lips(True, rng)},
        "object_detection": {
            "rows": [
                {"time_s": t / 25, "track_id": 1, "label": "person", "confidence": 0.9}
                for t in range(500)
            ]
        },
    }
    upstream = {name: made_result(name, video.grid, **given) for name, given in told.items()}
    for cls in (TemporalFlow, CrossAnalyzerIntelligence):
        run_analyzer(cls(Models({})), video, upstream)  # imports
        started = time.process_time()
        result, _ = run_analyzer(cls(Models({})), video, upstream)
        cost = (time.process_time() - started) / END_S
        report(cls.name, "made", "CPU-s per s", cost, "in 0.06 with document and engine")
        upstream[cls.name] = result
        assert cost < 0.06
