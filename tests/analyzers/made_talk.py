"""Transcripts of which everything is given, for tests of what counts in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.models.weights import ModelMissing
from analyzers.speech_transcription import SpeechTranscription
from analyzers.video import Video
from analyzers.voices import Voices
from tests.analyzers.made_voices import Lender

#: Word, start and end in seconds, and number of the sentence.
Said = Sequence[tuple[str, float, float, int]]
Turns = Sequence[tuple[str, float, float]]
#: Start and end in seconds, place, and who goes on.
Overlaps = Sequence[tuple[float, float, str | None, str | None]]


def made_talk(
    video: Video,
    said: Said,
    voice: Sequence[tuple[float, float]],
    turns: Turns | None = None,
    language: str = "en",
    overlaps: Overlaps = (),
    blank: str = " ",
) -> dict[str, AnalysisResult]:
    """Results of `voices` and `speech_transcription`; without `turns` one speaker says it all.

    `blank`: what stands between words in the language's texts.
    """
    turns = turns or [("S1", voice[0][0], voice[-1][1])]
    spans = [{"time_s": a, "end_s": b, "kind": "voice"} for a, b in voice]
    spoken = [{"time_s": a, "end_s": b, "kind": "turn", "speaker": s} for s, a, b in turns]
    doubled = [
        {"time_s": a, "end_s": b, "kind": "overlap", "place": place, "speaker": speaker}
        for a, b, place, speaker in overlaps
    ]
    words = [
        {
            "time_s": start,
            "end_s": end,
            "word": word,
            "confidence": 0.9,
            "sentence": sentence,
            "speaker": min(turns, key=lambda t: _away_s(t, (start + end) / 2))[0],
        }
        for word, start, end, sentence in said
    ]
    sentences = {number: [w[0] for w in said if w[3] == number] for *_, number in said}
    lines = [blank.join(sentences.get(n, [])) for n in range(max(sentences, default=-1) + 1)]
    return {
        "voices": _result(Voices(Models({})), video, [*spans, *spoken, *doubled], {}),
        "speech_transcription": _result(
            SpeechTranscription(Models({})),
            video,
            words,
            {"language": language, "text": "\n".join(lines)},
        ),
    }


def speech_models() -> Models:
    """Models with the dictionary; skips the test where it was not pulled."""
    try:
        with Models.embedded().lend("pronunciation") as dictionary:
            return Lender(pronunciation=dictionary)
    except ModelMissing as error:
        pytest.skip(str(error))


def spaced(text: str, start_s: float, end_s: float, sentence: int = 0) -> list:
    """Words evenly over a time."""
    words = text.split()
    edges = np.linspace(start_s, end_s, len(words) + 1)
    return [
        (word, float(a), float(b), sentence)
        for word, a, b in zip(words, edges[:-1], edges[1:], strict=True)
    ]


def _away_s(turn: tuple[str, float, float], time_s: float) -> float:
    return max(turn[1] - time_s, time_s - turn[2], 0.0)


def _result(analyzer: object, video: Video, rows: list, summary: dict) -> AnalysisResult:
    empty = analyzer.not_applicable(video, "made")  # its tables have the right columns
    return AnalysisResult(
        observations=analyzer.observations(rows),
        segments=empty.segments,
        summary={**empty.summary, **summary},
    )
