"""speech_flow on given words and voices: every pause, filler, repair and turn is known."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.speech_flow import SpeechFlow
from analyzers.speech_transcription import SpeechTranscription
from analyzers.video import Video
from tests.analyzers.made import made_video
from tests.analyzers.made_talk import made_talk, spaced, speech_models
from tests.analyzers.made_voices import made_voices


def analyze(video: Video, upstream: dict[str, AnalysisResult]) -> AnalysisResult:
    return run_analyzer(SpeechFlow(speech_models()), video, upstream)[0]


def of_text(text: str, language: str = "en") -> dict[str, list[str]]:
    """What is found in words said without a pause, in 0.3 s each: texts by kind."""
    sentence, said = 0, []
    for number, word in enumerate(text.split()):
        said.append((word, 0.3 * number, 0.3 * number + 0.3, sentence))
        sentence += word.endswith(".") and not word.endswith("...")
    end_s = 0.3 * len(said)
    video = made_video(end_s + 1)
    result = analyze(video, made_talk(video, said, [(0.0, end_s)], language=language))
    found: dict[str, list[str]] = {}
    for row in result.observations.to_pylist():
        found.setdefault(row["kind"], []).append(row["text"])
    return found


def rows_of(result: AnalysisResult, kind: str) -> list[dict[str, Any]]:
    return [row for row in result.observations.to_pylist() if row["kind"] == kind]


def talk_with_pauses() -> tuple[Video, AnalysisResult]:
    """A pause in a clause, one of clauses, one of sentences, one of 2.5 s; and one of 0.2 s."""
    video = made_video(14.0)
    voice = [(0, 1), (1.4, 2.4), (3.0, 4.0), (4.8, 5.8), (8.3, 9.3), (9.5, 10.5)]
    texts = ["I went", "out, then", "home again.", "It was late.", "Now I sleep", "and dream."]
    numbers = [0, 0, 0, 1, 2, 2]
    said = [
        word
        for text, (start, end), number in zip(texts, voice, numbers, strict=True)
        for word in spaced(text, start, end, number)
    ]
    turns = [("S1", 0.0, 5.8), ("S1", 8.3, 10.5)]
    # "then" ends the clause's own part; the comma stands before the second pause.
    said[3], said[2] = ("then,", *said[3][1:]), ("out", *said[2][1:])
    return video, analyze(video, made_talk(video, said, voice, turns))


def test_pauses_have_place_and_length() -> None:
    _, result = talk_with_pauses()
    found = [(r["time_s"], r["end_s"], r["place"]) for r in rows_of(result, "silent_pause")]
    assert found == [
        (1.0, 1.4, "within_clause"),
        (2.4, 3.0, "between_clauses"),
        (4.0, 4.8, "between_sentences"),
        (5.8, 8.3, "between_turns"),
    ]
    lengths = [r["length_s"] for r in rows_of(result, "silent_pause")]
    assert lengths == pytest.approx([0.4, 0.6, 0.8, 2.5])


def test_profile_counts_pauses_of_talk_only() -> None:
    _, result = talk_with_pauses()
    summary = result.summary
    assert summary["talk_s"] == pytest.approx(5.8 + 2.2)
    assert summary["pause_count"] == 3
    assert summary["pause_s"] == pytest.approx(1.8)
    assert summary["mean_pause_s"] == pytest.approx(0.6)
    assert summary["pauses_per_min"] == pytest.approx(60 * 3 / 8.0)
    assert summary["within_clause_pause_ratio"] == pytest.approx(1 / 3)
    assert summary["phonation_ratio"] == pytest.approx(6.0 / 8.0)
    # Runs of 2, 2, 2, 3 and 5 words, 15 syllables in all, in 4 s and 2.2 s.
    assert summary["mean_run_words"] == pytest.approx(14 / 5)
    assert summary["mean_run_syllables"] == pytest.approx(15 / 5)
    assert summary["articulation_syllables_per_s"] == pytest.approx(15 / 6.2)
    assert summary["turn_count"] == 2
    assert summary["turn_change_count"] == 0
    assert summary["mean_gap_s"] is None


def test_seconds_share_the_pauses() -> None:
    _, result = talk_with_pauses()
    seconds = result.segments.to_pylist()
    assert [s["pause_s"] for s in seconds[:9]] == pytest.approx(
        [0, 0.4, 0.6, 0, 0.8, 0.2, 1, 1, 0.3], abs=1e-6
    )
    assert [s["pause_count"] for s in seconds[:9]] == [0, 1, 1, 0, 1, 1, 0, 0, 0]


def test_filled_pauses_are_those_of_the_language() -> None:
    assert of_text("So, um, I uh think so.")["filled_pause"] == ["um,", "uh"]
    assert of_text("Das ist \u00e4hm gut um acht.", "de")["filled_pause"] == ["\u00e4hm"]
    assert "filled_pause" not in of_text("I like umbrellas, you know.")


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("he is in in a bad humor.", ["in"]),
        ("I I I went home.", ["I", "I"]),
        ("in the in the end", ["in the"]),
        ("I um I went home.", ["I"]),
        ("I was going I was going home.", ["I was going"]),
    ],
)
def test_repetitions(text: str, again: list[str]) -> None:
    assert of_text(text)["repetition"] == again


@pytest.mark.parametrize("text", ["Bye. Bye.", "one two one three", "that is what it is", "a an a"])
def test_no_repetition(text: str) -> None:
    assert "repetition" not in of_text(text)


def test_restarts_break_off_inside_a_sentence() -> None:
    assert of_text("We were- they came home.")["restart"] == ["were-"]
    assert of_text("I thought... never mind.")["restart"] == ["thought..."]
    found = of_text("he is in- in a bad humor.")
    assert "restart" not in found, "said again, not begun anew"
    assert found["repetition"] == ["in"]
    assert "restart" not in of_text("a well-known man")


def test_turns_change_with_and_without_a_gap() -> None:
    video = made_video(9.0)
    voice = [(0.0, 2.0), (2.6, 6.0)]
    said = [
        *spaced("how are you", 0.0, 2.0, 0),
        *spaced("very well thanks", 2.6, 4.0, 1),
        *spaced("so am I", 4.0, 6.0, 2),
    ]
    turns = [("S1", 0.0, 2.0), ("S2", 2.6, 4.0), ("S1", 4.0, 6.0)]
    result = analyze(video, made_talk(video, said, voice, turns))
    changes = rows_of(result, "turn_change")
    assert [c["speaker"] for c in changes] == ["S2", "S1"]
    assert [c["length_s"] for c in changes] == pytest.approx([0.6, 0.0])
    assert [(c["time_s"], c["end_s"]) for c in changes] == [(2.0, 2.6), (4.0, 4.0)]
    [pause] = rows_of(result, "silent_pause")
    assert pause["place"] == "between_turns"
    summary = result.summary
    assert (summary["turn_count"], summary["turn_change_count"]) == (3, 2)
    assert summary["mean_gap_s"] == pytest.approx(0.3)
    assert summary["mean_turn_s"] == pytest.approx((2.0 + 1.4 + 2.0) / 3)
    assert summary["pause_count"] == 0


def talk_at_once() -> tuple[Video, AnalysisResult]:
    """Somebody takes over, somebody tries to, and two sing where no word is heard."""
    video = made_video(14.0)
    said = [*spaced("so I told her that", 0.0, 3.0, 0), *spaced("no you did not", 3.0, 8.0, 1)]
    turns = [("S1", 0.0, 2.8), ("S2", 2.8, 8.0), ("S3", 11.0, 14.0)]
    overlaps = [
        (2.4, 3.2, "between_speakers", "S2"),
        (4.8, 5.3, "within_speaker", "S2"),
        (7.5, 8.0, None, None),
        (12.0, 13.0, None, None),
    ]
    voice = [(0.0, 8.0), (11.0, 14.0)]
    return video, analyze(video, made_talk(video, said, voice, turns, overlaps=overlaps))


def test_overlaps_have_place_length_and_who_goes_on() -> None:
    _, result = talk_at_once()
    rows = rows_of(result, "overlap")
    assert [(r["time_s"], r["end_s"], r["place"], r["speaker"]) for r in rows] == [
        (2.4, 3.2, "between_speakers", "S2"),
        (4.8, 5.3, "within_speaker", "S2"),
        (7.5, 8.0, None, None),
    ]
    assert [r["length_s"] for r in rows] == pytest.approx([0.8, 0.5, 0.5])
    summary = result.summary
    assert (summary["overlap_count"], summary["overlap_s"]) == (3, pytest.approx(1.8))
    assert summary["between_speakers_overlap_count"] == 1
    assert summary["within_speaker_overlap_count"] == 1
    seconds = result.segments.to_pylist()
    assert [s["overlap_s"] for s in seconds[:9]] == pytest.approx(
        [0, 0, 0.6, 0.2, 0.2, 0.3, 0, 0.5, 0], abs=1e-6
    )
    assert [s["overlap_count"] for s in seconds[:9]] == [0, 0, 1, 0, 1, 0, 0, 1, 0]
    [change] = rows_of(result, "turn_change")
    assert (change["time_s"], change["length_s"]) == (2.8, 0.0)


def test_talk_of_one_has_no_overlap() -> None:
    _, result = talk_with_pauses()
    assert (result.summary["overlap_count"], result.summary["overlap_s"]) == (0, 0)
    assert set(result.segments["overlap_s"].to_pylist()) == {0.0}


def test_silence_is_not_applicable() -> None:
    video = made_video(2.5, sound=False)
    upstream = {"voices": made_voices(video)}
    transcript, _ = run_analyzer(SpeechTranscription(Models({})), video, upstream)
    result = analyze(video, {**upstream, "speech_transcription": transcript})
    assert (result.status, result.reason) == ("not_applicable", "no audio track")
    assert SpeechFlow(Models({})).preview(video, result).markdown == "no audio track"


def test_preview_draws_pauses_by_place() -> None:
    video, result = talk_with_pauses()
    preview = SpeechFlow(Models({})).preview(video, result)
    picture = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB
    )
    columns = np.flatnonzero((picture == (0, 114, 178)).all(axis=2).any(axis=0))
    per_s = (900 - 110 - 20) / 14
    assert columns[[0, -1]] == pytest.approx([110 + 1.0 * per_s, 110 + 1.4 * per_s], abs=2)
    assert "3 pauses" in preview.markdown
