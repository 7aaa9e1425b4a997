"""Questions about shots, and reading the answers."""

from __future__ import annotations

import json

import pytest

from analyzers.methods.story.shot_questions import (
    ShotAnswer,
    Told,
    UnreadableAnswer,
    VideoAnswer,
    read_answer,
    read_shot,
    repair_question,
    schema_of,
    shot_question,
    video_question,
)

GOOD = {
    "description": "A ball  rolls\nover a table.",
    "actions": [
        {"action": "the ball stops", "time_s": 3.5, "end_s": 4.3},
        {"action": "the ball rolls", "time_s": 1.6, "end_s": 3.5},
    ],
}


def test_the_question_tells_the_times() -> None:
    question = shot_question(2.0, 4.04, [2.25, 3.0, 3.75])
    assert "taken at 2.2, 3.0, 3.8 seconds" in question
    assert "from 2.0 to 4.0 seconds" in question


@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "Here it is: {} Anything else?"])
def test_an_answer_is_read_put_in_order_and_cut_to_its_shot(around: str) -> None:
    answer = read_shot(around.replace("{}", json.dumps(GOOD)), 2.0, 4.0)
    assert answer.description == "A ball rolls over a table."
    assert [(a.action, a.time_s, a.end_s) for a in answer.actions] == [
        ("the ball rolls", 2.0, 3.5), ("the ball stops", 3.5, 4.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A ball rolls.", "no whole JSON object"),
        ('{"description": "A ba', "no whole JSON object"),
        ('{"description": "A ball", "actions": [}', "Invalid JSON"),
        ('{"description": "A ball"}', "actions: Field required"),
        ('{"description": " ", "actions": []}', "description: .*empty"),
        ('{"description": "A ball", "actions": ["rolls"]}', r"actions\.0: "),
        (json.dumps({**GOOD, "actions": [{"action": "rolls", "time_s": 0, "end_s": 1}]}),
         "'rolls' from 0 to 1 s does not lie within the shot, which lasts from 2.0 to 4.0 s"),
        (json.dumps({**GOOD, "actions": [{"action": "rolls", "time_s": 3, "end_s": 2}]}),
         "does not lie within"),
        ('{"description": "A ball", "actions": [{"action": "rolls", "time_s": NaN, "end_s": 3}]}',
         "."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_answer_is_said(text: str, message: str) -> None:
    with pytest.raises(UnreadableAnswer, match=message) as error:
        read_shot(text, 2.0, 4.0)
    assert str(error.value) in repair_question(error.value)


def test_a_videos_answer_needs_no_actions() -> None:
    assert read_answer('{"description": "A ball."}', VideoAnswer).description == "A ball."


def test_the_schema_is_what_is_asked_for() -> None:
    schema = schema_of(ShotAnswer)
    assert schema["required"] == ["description", "actions"]
    assert schema["$defs"]["ActionAnswer"]["required"] == ["action", "time_s", "end_s"]


def test_the_videos_question_tells_all_shots() -> None:
    shots = [Told(1, 0.0, 2.0, "A ball."), Told(2, 2.0, 3.5, "A hand.")]
    question = video_question(3.5, shots)
    assert "3.5 seconds has 2 shots. " in question
    assert "1. 0.0 to 2.0 s: A ball.\n2. 2.0 to 3.5 s: A hand.\n" in question


def test_of_a_long_video_it_tells_what_has_room() -> None:
    shots = [Told(i + 1, i, i + 1, f"Shot {i} " + "of a ball " * 60) for i in range(600)]
    question = video_question(600, shots)
    assert "600 shots, 60 of which follow" in question
    assert "\n1. 0.0" in question
    assert "\n591. 590.0" in question
    assert len(question) < 12_000
