"""speech_transcription on scripted models: what is kept, what is taken out, tables and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.asr import HeardWord, Passage
from analyzers.run import run_analyzer
from analyzers.speech_transcription import SpeechTranscription
from analyzers.video import Video
from tests.analyzers.made import made_video
from tests.analyzers.made_voices import Lender, made_voices

Said = Sequence[tuple[str, float, float, float]]


def passage(
    words: Said, log_probability: float = -0.2, compression: float = 1.2, blank: str = " "
) -> Passage:
    return Passage(
        tuple(HeardWord(f"{blank}{w}", a, b, p) for w, a, b, p in words),
        log_probability,
        compression,
        0.1,
    )


class Recognizer:
    """Answers with the scripted passages, one for each sound, then with nothing.

    It keeps what it was asked.
    """

    batch_size = 1

    def __init__(self, answers: Sequence[Passage | None], language: str = "en") -> None:
        self._answers = list(answers)
        self._language = language
        self.asked: list[dict[str, Any]] = []
        self.batches: list[int] = []
        self.asked_of_language_s: list[float] = []

    def language_of(self, sound: np.ndarray) -> tuple[str, float]:
        self.asked_of_language_s.append(len(sound) / 16000)
        return self._language, 0.9

    def hear(
        self,
        sounds: Sequence[np.ndarray],
        language: str,
        beam_size: int,
        no_repeats: bool,
        batch_size: int,
    ) -> list[Passage | None]:
        self.batches.append(min(batch_size, len(sounds)))
        self.asked += [
            {"s": len(sound) / 16000, "language": language, "no_repeats": no_repeats}
            for sound in sounds
        ]
        return [self._answers.pop(0) if self._answers else None for _ in sounds]


def sounding(end_s: float) -> Video:
    return made_video(end_s)


def analyze(
    video: Video,
    spans: Sequence[tuple[float, float]],
    recognizer: Recognizer,
    settings: SpeechTranscription.Settings | None = None,
) -> AnalysisResult:
    analyzer = SpeechTranscription(Lender(asr=recognizer), settings)
    result, _ = run_analyzer(analyzer, video, {"voices": made_voices(video, spans)})
    return result


def words_of(result: AnalysisResult) -> list[str]:
    return result.observations["word"].to_pylist()


HELLO = passage([("Hello", 0.0, 0.6, 0.9), ("there.", 0.6, 1.1, 0.8), ("Bye.", 1.4, 1.9, 0.95)])


def test_tables_and_files() -> None:
    recognizer = Recognizer([HELLO])
    result = analyze(sounding(4.0), [(0.5, 2.2)], recognizer)
    assert result.status == "ok"
    rows = result.observations.to_pylist()
    assert words_of(result) == ["Hello", "there.", "Bye."]
    assert [r["sentence"] for r in rows] == [0, 0, 1]
    # The window begins 0.2 s before speech; the first word is drawn in to it.
    assert rows[0]["time_s"] == pytest.approx(0.4, abs=0.05)
    assert rows[1]["time_s"] == pytest.approx(0.9, abs=0.05)
    assert all(r["time_s"] < r["end_s"] for r in rows)
    assert result.summary["text"] == "Hello there.\nBye."
    assert result.summary["language"] == "en"
    assert result.summary["language_confidence"] == pytest.approx(0.9)
    assert result.summary["speech_s"] == pytest.approx(1.7, abs=0.05)
    assert result.summary["removed_word_count"] == 0
    assert result.files["txt"] == b"Hello there.\nBye.\n"
    assert result.files["srt"].startswith(b"1\n00:00:00,")
    assert result.files["vtt"].startswith(b"WEBVTT\n\n00:00:00.")


def test_seconds_see_words_on_their_boundary_and_count_each_once() -> None:
    result = analyze(sounding(4.0), [(0.5, 2.2)], Recognizer([HELLO]))
    seconds = result.segments.to_pylist()
    assert [s["text"] for s in seconds] == [
        "Hello there.",
        "Hello there. Bye.",
        "Bye.",
        "",
    ]
    assert [s["word_count"] for s in seconds] == [2, 1, 0, 0]
    assert [s["speech_ratio"] for s in seconds] == pytest.approx([0.5, 1.0, 0.2, 0.0], abs=0.04)
    assert seconds[3]["confidence"] is None
    assert seconds[2]["confidence"] == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("no track", "no audio track"),
        ("zeros", "the audio track is silent"),
        ("noise", "no speech"),
    ],
)
def test_nothing_is_asked_where_nobody_speaks(case: str, reason: str) -> None:
    video = made_video(2.5, sound=case != "no track")
    if case == "zeros":
        video = replace(video, audio_16k=np.zeros(40000, np.float32))
    recognizer = Recognizer([])
    result = analyze(video, [], recognizer)
    assert (result.status, result.reason) == ("not_applicable", reason)
    assert recognizer.asked == []
    assert result.observations.num_rows == 0
    assert result.segments["word_count"].to_pylist() == [0, 0, 0]
    assert result.segments["speech_ratio"].to_pylist() == [0.0, 0.0, 0.0]
    assert not result.files


def test_unsure_words_at_the_ends_are_taken_out_and_counted() -> None:
    heard = passage(
        [
            ("Um", 0.0, 0.2, 0.1),
            ("good", 0.3, 0.6, 0.9),
            ("bad", 0.6, 0.9, 0.1),
            ("day.", 0.9, 1.2, 0.9),
            ("you", 1.2, 1.4, 0.2),
        ]
    )
    result = analyze(sounding(4.0), [(0.5, 2.2)], Recognizer([heard]))
    assert words_of(result) == ["good", "bad", "day."]
    assert result.summary["removed_word_count"] == 2


def test_a_word_away_from_all_speech_was_not_said() -> None:
    """A gap below a second stays in the window, and Whisper may write into it."""
    said = passage([("Yes.", 0.0, 0.4, 0.9), ("Thanks", 0.75, 0.8, 0.9), ("No.", 1.3, 1.6, 0.9)])
    result = analyze(sounding(4.0), [(0.2, 0.6), (1.5, 2.0)], Recognizer([said]))
    assert words_of(result) == ["Yes.", "Thanks", "No."], "within 0.3 s of speech: believed"
    said = passage([("Yes.", 0.0, 0.4, 0.9), ("Thanks", 0.95, 1.05, 0.9), ("No.", 1.4, 1.7, 0.9)])
    result = analyze(sounding(4.0), [(0.2, 0.6), (1.4, 2.0)], Recognizer([said]))
    assert words_of(result) == ["Yes.", "No."]
    assert result.summary["removed_word_count"] == 1


THANKS = passage([("Thanks", 0.0, 0.4, 0.9), ("for", 0.4, 0.6, 0.9), ("watching!", 0.6, 1.2, 0.9)])


@pytest.mark.parametrize(
    ("present", "words"),
    [
        ({"music": [(0.0, 4.0)]}, []),
        ({"music": [(0.0, 4.0)], "speech": [(0.5, 2.0)]}, ["Thanks", "for", "watching!"]),
        ({"music": [(0.0, 4.0)], "singing": [(0.5, 2.0)]}, ["Thanks", "for", "watching!"]),
        ({}, ["Thanks", "for", "watching!"]),
    ],
    ids=["music alone", "speech over music", "song", "no music"],
)
def test_a_voice_that_only_music_was_taken_for(present: dict[str, Any], words: list[str]) -> None:
    video = sounding(4.0)
    recognizer = Recognizer([THANKS])
    voices = made_voices(video, [(0.5, 2.0)], **present)
    analyzer = SpeechTranscription(Lender(asr=recognizer))
    result, _ = run_analyzer(analyzer, video, {"voices": voices})
    assert words_of(result) == words
    if not words:
        assert (result.status, result.reason) == ("not_applicable", "no speech")
        assert recognizer.asked == []


def test_words_are_written_as_they_were_heard() -> None:
    said = passage([("Damn,", 0.0, 0.5, 0.9), ("#fun", 0.5, 0.9, 0.9), ("f***ing", 0.9, 1.4, 0.9)])
    result = analyze(sounding(3.0), [(0.2, 1.8)], Recognizer([said]))
    assert words_of(result) == ["Damn,", "#fun", "f***ing"]
    assert b"Damn, #fun f***ing" in result.files["srt"]


def test_a_loop_is_tried_again_without_repeats() -> None:
    loop = passage([("oh", 0.1 * i, 0.1 * i + 0.1, 0.9) for i in range(15)], compression=9.0)
    recognizer = Recognizer([loop, HELLO])
    result = analyze(sounding(4.0), [(0.5, 2.2)], recognizer)
    assert [a["no_repeats"] for a in recognizer.asked] == [False, True]
    assert len(recognizer.asked_of_language_s) == 1, "the language is not asked for again"
    assert words_of(result) == ["Hello", "there.", "Bye."]


def test_what_cannot_be_believed_either_time_is_taken_out() -> None:
    guess = passage([("blah", 0.2, 0.6, 0.3), ("blub", 0.6, 1.0, 0.3)], log_probability=-1.6)
    result = analyze(sounding(4.0), [(0.5, 2.2)], Recognizer([guess, guess]))
    assert (result.status, result.reason) == ("not_applicable", "no intelligible speech")
    assert result.summary["removed_word_count"] == 2
    assert result.summary["speech_s"] == pytest.approx(1.7, abs=0.05)
    assert result.segments["speech_ratio"].to_pylist()[1] == pytest.approx(1.0)


def test_a_passage_is_only_asked_for_where_speech_is_left() -> None:
    recognizer = Recognizer([HELLO])
    analyze(sounding(4.0), [(0.5, 2.2)], recognizer)
    assert len(recognizer.asked) == 1
    recognizer = Recognizer([HELLO, passage([("more.", 2.1, 3.1, 0.9)])])
    result = analyze(sounding(8.0), [(0.5, 6.0)], recognizer)
    first, second = recognizer.asked
    assert second["s"] == pytest.approx(first["s"] - 1.9, abs=0.001), "from its last word on"
    assert words_of(result) == ["Hello", "there.", "Bye.", "more."]
    # The window begins at 0.3 s, and what was left of it 1.9 s later.
    assert result.observations["time_s"].to_pylist()[-1] == pytest.approx(0.3 + 1.9 + 2.1, abs=0.05)


@pytest.mark.parametrize("nothing", [None, passage([]), passage([("word.", 0.0, 0.0, 0.9)])])
def test_a_passage_that_leads_no_further_is_the_last(nothing: Passage | None) -> None:
    recognizer = Recognizer([HELLO, nothing])
    analyze(sounding(8.0), [(0.5, 6.0)], recognizer)
    assert len(recognizer.asked) == 2


LONG = [(i * 4.0 + 0.3, i * 4.0 + 3.9) for i in range(20)]
WORD = passage([("word.", 0.5, 29.0, 0.9)])


@pytest.mark.parametrize("size", [None, 1, 2, 8])
def test_long_sound_comes_in_windows_of_one_language(size: int | None) -> None:
    recognizer = Recognizer([WORD] * 8, "de")
    settings = SpeechTranscription.Settings(batch_size=size)
    result = analyze(sounding(80.0), LONG, recognizer, settings)
    windows = len(recognizer.asked)
    assert windows >= 3
    assert max(recognizer.batches) == min(size or 1, windows)
    assert sum(recognizer.batches) == windows
    assert max(a["s"] for a in recognizer.asked) <= 30.0
    assert {a["language"] for a in recognizer.asked} == {"de"}
    assert len(recognizer.asked_of_language_s) == 1
    starts = result.observations["time_s"].to_pylist()
    assert starts == sorted(starts)
    assert starts[-1] > 40
    assert result.summary["language"] == "de"
    alone = Recognizer([WORD] * 8, "de")
    assert result.observations.equals(analyze(sounding(80.0), LONG, alone).observations)


FIVE_S = passage([("Hello", 0.0, 0.6, 0.9), ("there.", 0.6, 1.1, 0.9), ("Bye.", 4.1, 4.6, 0.9)])


def test_a_batch_is_heard_anew_where_its_first_window_decides_no_language() -> None:
    """What the first window sounded like says nothing of the others then."""
    guess = passage([("blah", 0.2, 25.0, 0.3)], log_probability=-1.6)
    # The batch of two, the second try of the first, and the second alone.
    recognizer = Recognizer([guess, FIVE_S, guess, FIVE_S])
    settings = SpeechTranscription.Settings(batch_size=2)
    result = analyze(sounding(50.0), [(1.0, 26.0), (40.0, 45.0)], recognizer, settings)
    assert recognizer.batches[0] == 2
    assert len(recognizer.asked_of_language_s) == 2
    assert words_of(result) == ["Hello", "there.", "Bye."]
    assert result.summary["removed_word_count"] == 1


def test_a_window_without_words_to_believe_decides_no_language() -> None:
    guess = passage([("blah", 0.2, 25.0, 0.3)], log_probability=-1.6)
    recognizer = Recognizer([guess, guess, FIVE_S])
    result = analyze(sounding(50.0), [(1.0, 26.0), (40.0, 45.0)], recognizer)
    assert [a["no_repeats"] for a in recognizer.asked] == [False, True, False]
    assert len(recognizer.asked_of_language_s) == 2
    assert result.summary["language_confidence"] == pytest.approx(0.9)
    assert result.summary["removed_word_count"] == 1


def test_a_window_whose_words_are_all_taken_out_decides_no_language() -> None:
    """Probable in itself, but no word of it is sure, as over a crowd or a song."""
    unsure = passage([("blah", 0.2, 0.6, 0.1), ("blub.", 0.8, 25.0, 0.2)])
    recognizer = Recognizer([unsure, FIVE_S])
    result = analyze(sounding(50.0), [(1.0, 26.0), (40.0, 45.0)], recognizer)
    assert len(recognizer.asked_of_language_s) == len(recognizer.asked) == 2
    assert result.summary["removed_word_count"] == 2


def test_a_given_language_is_not_measured() -> None:
    settings = SpeechTranscription.Settings(language="fr")
    result = analyze(sounding(4.0), [(0.5, 2.2)], Recognizer([HELLO]), settings)
    assert result.summary["language"] == "fr"
    assert result.summary["language_confidence"] is None


def test_words_of_one_time_get_times_of_their_own() -> None:
    crowd = passage([(f"w{i}", 1.0, 1.0, 0.9) for i in range(5)])
    result = analyze(sounding(4.0), [(0.5, 2.2)], Recognizer([crowd]))
    rows = result.observations.to_pylist()
    assert len(rows) == 5
    assert all(a["end_s"] <= b["time_s"] < b["end_s"] for a, b in pairwise(rows))


def test_preview_shows_the_words() -> None:
    video = sounding(7.0)
    analyzer = SpeechTranscription(Lender(asr=Recognizer([HELLO])))
    voices = made_voices(video, [(0.5, 2.2)])
    result, _ = run_analyzer(analyzer, video, {"voices": voices})
    preview = analyzer.preview(video, result)
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (2 * 120, 900, 3)
    assert "Hello there." in preview.markdown
    dark = (picture[:40] < 100).all(axis=2)
    assert dark[:, 60:350].any(), "words stand in the first row"
    assert not dark[:, 700:].any(), "and none where none is said"
    silent = made_video(2.0, sound=False)
    nothing, _ = run_analyzer(analyzer, silent, {"voices": made_voices(silent)})
    assert analyzer.preview(silent, nothing).markdown == "no audio track"


def test_words_and_sentences_know_their_speaker() -> None:
    """Two voices of different level, which the made encoder tells apart."""
    video = sounding(8.0)
    level = np.where(np.arange(len(video.audio_16k)) < 4 * 16000, 0.3, 0.6).astype(np.float32)
    video = replace(video, audio_16k=level)
    said = passage(
        [("Who", 0.2, 1.0, 0.9), ("there?", 1.0, 2.0, 0.9), ("Me.", 3.8, 4.6, 0.9)], blank=" "
    )
    result = analyze(video, [(0.5, 3.5), (4.5, 7.5)], Recognizer([said]))
    assert result.observations["speaker"].to_pylist() == ["S1", "S1", "S2"]
    assert result.summary["sentence_speakers"] == ["S1", "S2"]
