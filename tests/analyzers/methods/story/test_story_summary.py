from analyzers.methods.story.story_summary import summary_of
from analyzers.rules.registry import Finding
from tests.analyzers.made_results import joined, line


def _finding(time_s=0.0, end_s=1.0, told="found"):
    return Finding(time_s, end_s, told, ("cut_analysis@0",))


def test_a_description_comes_first_and_is_cut_at_a_sentence():
    long = "It shows a dog. " + "It runs and runs and runs around the garden. " * 12
    described = {"summary": {"description": long, "model_kind": "composed"}}
    told = summary_of(joined(4, qwen2_vl_temporal=described), [])
    assert told.startswith("It shows a dog. It runs")
    assert told.endswith("garden. (model_kind: composed)")
    assert len(told) < 300


def test_without_one_it_says_what_is_known():
    there = joined(
        4,
        cut_analysis={"summary": {"shot_count": 1}},
        color_analysis={"summary": {"grade": "sepia"}},
        object_detection={
            "summary": {
                "classes": [
                    {"label": "dog", "frame_share": 0.8, "mean_confidence": 0.9},
                    {"label": "bear", "frame_share": 0.8, "mean_confidence": 0.2},
                ]
            }
        },
    )
    assert summary_of(there, []) == "4.0 s in one shot, sepia, with dog."


def test_text_is_told_against_speech_or_as_it_stands():
    there = joined(4, text_overlay={"rows": [line("HELLO", 0, 2), line("WORLD", 0.1, 2)]})
    assert "Text on screen: “HELLO WORLD”." in summary_of(there, [])
    findings = [("text_same_as_speech", _finding())] * 3 + [("text_adds_to_speech", _finding())]
    assert (
        "Text on screen says the same as the voice (3 of 4) and adds to the voice (1 of 4)."
        in summary_of(there, findings)
    )


def test_the_longest_dead_stretch_is_told():
    dead = [("dead_seconds", _finding(1, 3)), ("dead_seconds", _finding(5, 9))]
    assert summary_of(joined(10), dead).endswith("Nothing new comes for 4 s from 5 s on.")


def test_speech_without_blanks_is_quoted_in_part():
    text = "\u4f60\u597d\u3002" * 100
    told = summary_of(joined(4, speech_transcription={"summary": {"text": text}}), [])
    assert len(told) < 200
    assert "\u4f60\u597d" in told
    assert told.endswith(" …”")
