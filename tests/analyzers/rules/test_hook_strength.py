import pytest

from tests.analyzers.made_results import cut, joined, line, words
from tests.analyzers.rules.finding import found


def _there(text_s=None, speech_s=None, cut_s=None, face=0.0, motion=0.0, loud=-40.0):
    return joined(
        8,
        text_overlay={"rows": [line("HEY", text_s, 5)] if text_s is not None else []},
        speech_transcription={
            "rows": words("Hey you", speech_s, speech_s + 1) if speech_s is not None else []
        },
        cut_analysis={"rows": [cut(cut_s)] if cut_s is not None else []},
        faces={"seconds": {"largest_face_share": [face] * 8}},
        temporal_flow={"seconds": {"motion": [motion] * 8}},
        audio_analysis={
            "seconds": {"loudness_lufs": [loud] * 8},
            "summary": {"loudness_lufs": -20.0},
        },
    )


def test_hook_strength_is_found():
    [strong] = found("hook_strength", _there(0.2, 0.3, 0.9, 0.1, 0.8, -19))
    assert float(strong.value) == pytest.approx(1.0)
    assert strong.effect == "helps"
    assert strong.finding.startswith("The hook is strong (1.00): it has text, speech, face")
    assert {"text_overlay/0", "speech_transcription/0", "cut_analysis/0"} <= set(strong.evidence)


def test_hook_strength_is_not_found():
    [weak] = found("hook_strength", _there())
    assert float(weak.value) == 0
    assert weak.effect == "costs"
    assert "it lacks text, speech, face, motion, cut, sound" in weak.finding


def test_what_comes_late_or_after_three_seconds_counts_less_or_not():
    [early] = found("hook_strength", _there(text_s=0.0))
    [late] = found("hook_strength", _there(text_s=2.9))
    [after] = found("hook_strength", _there(text_s=3.5))
    assert float(early.value) > float(late.value) > float(after.value) == 0


def test_a_fade_that_opens_the_video_is_no_cut():
    fade = {**cut(0.0), "kind": "fade_in", "end_s": 1.0}
    [finding] = found("hook_strength", joined(8, cut_analysis={"rows": [fade]}))
    assert float(finding.value) == 0


def test_a_missing_analyzer_is_left_out_and_the_rest_weighs_more():
    there = joined(8, text_overlay={"rows": [line("HEY", 0, 5)]})
    [finding] = found("hook_strength", there)
    assert float(finding.value) == 1
    assert finding.confidence == pytest.approx(1 / 6)
