"""Parts of stories whose curves and rows are made so that each is there, or is not."""

import numpy as np
import pytest

from analyzers.methods.evidence import evidence_row
from analyzers.methods.story.arc import Part, Seam, parts_of
from analyzers.methods.story.energy import CHANNELS
from tests.analyzers.made_results import cut, joined, line, made_result, words


def _channels(energy, **given):
    flat = {name: np.zeros(len(energy)) for name in CHANNELS}
    return {**flat, "cuts": np.asarray(energy, float), **given}


def found(energy, there=None, seam=None, **given) -> dict[str, Part]:
    energy = np.asarray(energy, float)
    there = there or joined(len(energy), cut_analysis={"rows": []})
    parts = parts_of(there, _channels(energy, **given), energy, seam)
    assert all(0 <= p.time_s < p.end_s <= there.grid.end_s for p in parts)
    results = {**there.results, "temporal_flow": made_result("temporal_flow", there.grid)}
    for part in parts:
        assert part.evidence
        for evidence_id in part.evidence:
            evidence_row(evidence_id, results)
    return {part.part: part for part in parts}


RISE_AND_FALL = [0.2, 0.2, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.9, 0.9, 0.3, 0.2, 0.2, 0.2]


def test_a_rise_and_a_fall_have_build_peak_and_resolution():
    parts = found(RISE_AND_FALL)
    assert set(parts) == {"hook", "build", "peak", "resolution"}
    assert (parts["hook"].time_s, parts["hook"].end_s) == (0, 3)
    assert parts["build"].time_s == 3
    assert parts["build"].end_s == parts["peak"].time_s
    assert parts["peak"].time_s <= 8
    assert parts["peak"].end_s >= 10
    assert parts["resolution"].end_s == 14
    assert "cuts" in parts["peak"].why
    assert "cut_analysis@8" in parts["peak"].evidence


def test_a_steady_video_has_a_hook_and_nothing_else():
    assert set(found([0.4] * 14)) == {"hook"}


def test_a_peak_without_a_rise_has_no_build():
    parts = found([0.2] * 8 + [0.9, 0.9] + [0.2] * 4)
    assert "peak" in parts
    assert "build" not in parts


def test_a_peak_of_motion_rests_on_the_seconds_of_the_curve():
    rows = [0.2] * 8 + [0.9, 0.9] + [0.2] * 4
    parts = found(rows, cuts=np.zeros(14), motion=np.array(rows))
    assert {"temporal_flow@8", "temporal_flow@9"} <= set(parts["peak"].evidence)


def test_energy_that_stays_up_is_no_resolution():
    assert "resolution" not in found([0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.9, 0.9, 0.9])


def test_a_short_video_has_a_hook_as_long_as_it_is():
    parts = found([0.5, 0.6], joined(1.5, cut_analysis={"rows": []}))
    assert set(parts) == {"hook"}
    assert parts["hook"].end_s == 1.5


def test_the_hook_tells_what_is_in_it():
    there = joined(
        6,
        cut_analysis={"rows": [cut(2.0)]},
        text_overlay={"rows": [line("5 WAYS", 0.0, 2.0), line("LATER", 4, 5)]},
        speech_transcription={"rows": words("Here are five", 0.3, 1.0)},
    )
    hook = found([0.4] * 6, there)["hook"]
    assert "5 WAYS" in hook.why
    assert "Here are five" in hook.why
    assert "1 change of shot" in hook.why
    assert "LATER" not in hook.why
    assert {"text_overlay/0", "speech_transcription/2", "cut_analysis/0"} <= set(hook.evidence)


def test_a_fade_that_opens_the_video_is_no_change_of_shot():
    fade = {**cut(0.0), "kind": "fade_in", "end_s": 1.0}
    hook = found([0.4] * 6, joined(6, cut_analysis={"rows": [fade]}))["hook"]
    assert "change of shot," in hook.why
    assert "1 change" not in hook.why


def test_a_face_that_changes_its_mind_is_a_turn():
    valence = [-0.7] * 7 + [0.8] * 7
    there = joined(14, face_emotion={"seconds": {"valence": valence}})
    turn = found([0.3] * 14, there)["turn"]
    assert (turn.time_s, turn.end_s) == (7, 8)
    assert "valence up" in turn.why
    assert "face_emotion@7" in turn.evidence


def test_a_steady_face_or_a_late_fade_is_no_turn():
    there = joined(14, face_emotion={"seconds": {"valence": [-0.7] * 14}})
    assert "turn" not in found([0.3] * 14, there)
    assert "turn" not in found([0.6] * 10 + [0.0] * 4)


def test_a_word_of_turning_at_a_cut_is_a_turn_and_one_in_a_sentence_is_none():
    said = [*words("Take a taxi.", 1, 3), *words("Or stay right here.", 8.2, 10, sentence=1)]
    there = joined(
        14, speech_transcription={"rows": said}, cut_analysis={"rows": [cut(4), cut(8.1)]}
    )
    turn = found([0.3] * 14, there)["turn"]
    assert turn.time_s == pytest.approx(8.1)
    assert "“Or”" in turn.why
    assert "cut_analysis/1" in turn.evidence
    within = words("Tea or coffee, whatever you like best.", 6, 10)
    there = joined(14, speech_transcription={"rows": within}, cut_analysis={"rows": [cut(7)]})
    assert "turn" not in found([0.3] * 14, there)


def test_a_call_said_and_written_is_one_part():
    there = joined(
        12,
        speech_transcription={"rows": words("Which one is yours?", 9.5, 10.5)},
        text_overlay={
            "rows": [
                line("WHICH ONE", 9.5, 12, y1=0.1),
                line("IS YOURS?", 9.5, 12, y1=0.2),
                line("FOLLOW FOR MORE", 10, 12, y1=0.8),
            ]
        },
    )
    call = found([0.3] * 12, there)["call_to_action"]
    assert (call.time_s, call.end_s) == (9.5, 12)
    assert call.why.count("?") == 1
    assert "FOLLOW FOR MORE" in call.why
    assert {f"text_overlay/{i}" for i in range(3)} < set(call.evidence)
    assert "speech_transcription/0" in call.evidence


def test_text_in_the_scene_calls_nobody():
    there = joined(12, text_overlay={"rows": [line("Order here", 9, 12, role="scene_text")]})
    assert "call_to_action" not in found([0.3] * 12, there)


def test_the_resolution_ends_where_the_call_begins():
    calls = [line("Follow me", 12.5, 14)]
    there = joined(14, text_overlay={"rows": calls}, cut_analysis={"rows": []})
    assert found(RISE_AND_FALL, there)["resolution"].end_s == 12.5


def test_an_end_like_the_beginning_loops_and_another_does_not():
    assert "loop" in found([0.3] * 6, seam=Seam(step=3.0, usual=8.0, likeness=0.98))
    assert "loop" not in found([0.3] * 6, seam=Seam(step=40.0, usual=8.0, likeness=0.98))
    assert "loop" not in found([0.3] * 6, seam=Seam(step=3.0, usual=8.0, likeness=0.3))
