import json

import cv2
import numpy as np
import pytest

from analyzers.cross_analyzer_intelligence import CrossAnalyzerIntelligence
from analyzers.methods.evidence import evidence_row
from analyzers.models.lending import Models
from analyzers.rules.registry import all_rules
from analyzers.run import run_analyzer
from analyzers.temporal_flow import TemporalFlow
from tests.analyzers.made import made_video
from tests.analyzers.made_results import cut, line, made_result, not_applicable, voice, words


def analyzed(video, upstream):
    return run_analyzer(CrossAnalyzerIntelligence(Models({})), video, upstream)[0]


@pytest.fixture(scope="module")
def video():
    return made_video(8)


@pytest.fixture(scope="module")
def upstream(video):
    grid = video.grid
    beats = [{"kind": "beat", "time_s": float(t)} for t in np.arange(0, 8, 0.5)]
    said = [
        *words("Here are five ways", 0.3, 1.4),
        *words("Which one is yours?", 6.0, 7.0, sentence=1),
    ]
    found = {
        "cut_analysis": made_result(
            "cut_analysis",
            grid,
            [cut(t, i + 1) for i, t in enumerate((1.0, 2.5, 4.0, 5.5))],
            summary={"shot_count": 5},
        ),
        "audio_analysis": made_result(
            "audio_analysis",
            grid,
            beats,
            {"loudness_lufs": [-20.0] * 8, "onset_count": [2] * 8, "music_ratio": [1.0] * 8},
            {"loudness_lufs": -20.0, "tempo_bpm": 120.0, "music_ratio": 1.0},
        ),
        "text_overlay": made_result(
            "text_overlay",
            grid,
            [line("3 WAYS", 0.0, 2.0), line("WHICH ONE IS YOURS?", 6.0, 8.0)],
        ),
        "speech_transcription": made_result(
            "speech_transcription",
            grid,
            said,
            summary={"language": "en", "text": "Here are five ways\nWhich one is yours?"},
        ),
        "voices": made_result("voices", grid, [voice(0.3, 1.4), voice(6.0, 7.0)]),
        "faces": made_result("faces", grid, summary={"face_count": 0}),
        "eye_tracking": not_applicable("eye_tracking", video, "no face in any frame"),
        "object_detection": made_result("object_detection", grid),
    }
    flow, _ = run_analyzer(TemporalFlow(Models({})), video, found)
    return {**found, "temporal_flow": flow}


def test_findings_name_rule_seconds_and_rows(video, upstream):
    result = analyzed(video, upstream)
    rows = result.observations.to_pylist()
    assert {row["rule"] for row in rows} >= {
        "cut_on_beat",
        "text_contradicts_speech",
        "text_same_as_speech",
        "speaker_off_screen",
        "hook_strength",
        "asks_the_viewer",
    }
    for row in rows:
        assert row["rule"] in all_rules()
        assert row["evidence"]
        for evidence_id in row["evidence"]:
            evidence_row(evidence_id, upstream)


def test_seconds_have_their_findings(video, upstream):
    seconds = analyzed(video, upstream).segments.to_pylist()
    assert [s["cut_on_beat_count"] for s in seconds] == [0, 1, 1, 0, 1, 1, 0, 0]
    assert seconds[1]["text_against_speech"] == "contradicts"
    assert seconds[6]["text_against_speech"] == "same"
    assert seconds[6]["speaker"] == "off_screen"
    assert seconds[4]["speaker"] is None
    assert seconds[4]["finding_count"] == len(seconds[4]["rules"]) == 1
    assert not any(s["dead"] for s in seconds)


def test_the_summary_is_made_of_the_findings(video, upstream):
    summary = json.loads(json.dumps(dict(analyzed(video, upstream).summary)))
    assert "8.0 s in 5 shots" in summary["summary"]
    assert "off screen: “Here are five ways Which one is yours?”" in summary["summary"]
    assert "contradicts the voice (1 of 2)" in summary["summary"]
    assert "4 cuts on its beat" in summary["summary"]
    assert "calls on the viewer" in summary["summary"]
    assert 0 < summary["hook_strength"] <= 1
    assert {"cut_on_beat", "call_to_action"} <= {tag["tag"] for tag in summary["tags"]}
    factors = {f["factor"]: f for f in summary["retention_factors"]}
    assert factors["cut_on_beat"]["count"] == 4
    assert factors["text_contradicts_speech"]["effect"] == "costs"
    assert all(f["evidence"] for f in factors.values())


def test_what_is_missing_is_named_with_the_rules_that_could_not_run(video, upstream):
    summary = analyzed(video, upstream).summary
    assert "visual_effects" in summary["missing"]
    assert summary["not_applicable"] == ["eye_tracking"]
    not_run = {r["rule"]: r["why"] for r in summary["rules_not_run"]}
    assert not_run["effect_on_beat"] == "it needs visual_effects"
    assert set(not_run) | set(summary["rules_run"]) == set(all_rules())


def test_with_nothing_there_is_still_an_answer(video):
    result = analyzed(video, {})
    assert result.status == "ok"
    assert result.summary["missing"] == sorted(CrossAnalyzerIntelligence.optional)
    assert result.summary["rules_run"] == []
    assert result.summary["hook_strength"] is None
    assert result.summary["summary"] == "8.0 s."
    assert result.observations.num_rows == 0


def test_preview_is_a_picture_and_the_findings(video, upstream):
    result = analyzed(video, upstream)
    preview = CrossAnalyzerIntelligence(Models({})).preview(video, result)
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 900
    assert "cut_on_beat" in preview.markdown
    assert result.summary["summary"] in preview.markdown
