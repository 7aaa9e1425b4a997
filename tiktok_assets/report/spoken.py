"""What is said: sentences with times, speakers, and the words that the model was unsure of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from analyzers.methods.speech.talk import blanks_before
from tiktok_assets.report.told import Row, Told

#: Below this confidence a word is marked.
UNSURE = 0.5


@dataclass(frozen=True)
class Part:
    """Some words in a row of which the model was as sure."""

    text: str
    unsure: bool


@dataclass(frozen=True)
class Sentence:
    """A sentence of one speaker."""

    start_s: float
    end_s: float
    speaker: str
    parts: tuple[Part, ...]
    #: How it was said, where speech_emotion tells.
    emotion: str


def words_said(told: Told) -> list[Row]:
    """The rows of speech_transcription; `text` is the word with the blank that stands before it."""
    rows = told.rows("speech_transcription")
    lines = (told.value("speech_transcription", "text") or "").split("\n")
    known = any(lines) and all(row["sentence"] < len(lines) for row in rows)
    blanks = blanks_before(rows, lines) if known else [True] * len(rows)
    return [
        row.but(text=" " * blank + row["word"]) for row, blank in zip(rows, blanks, strict=True)
    ]


def text_of(said: Sequence[Row]) -> str:
    """Words of one or several sentences as running text."""
    text = ""
    for before, row in zip([None, *said], said, strict=False):
        ended = before is not None and before["sentence"] != row["sentence"]
        text += f" {row['word']}" if ended else row["text"]
    return text.strip()


def transcript(told: Told) -> list[Sentence]:
    """All sentences in order."""
    emotions = {
        (row["sentence"], row["speaker"]): row["emotion"] for row in told.rows("speech_emotion")
    }
    found = []
    by_sentence = groupby(words_said(told), key=lambda row: (row["sentence"], row["speaker"]))
    for (number, speaker), group in by_sentence:
        rows = list(group)
        parts = [
            Part("".join(row["text"] for row in some), unsure)
            for unsure, some in groupby(rows, key=lambda row: row["confidence"] < UNSURE)
        ]
        emotion = emotions.get((number, speaker)) or ""
        found.append(
            Sentence(
                rows[0]["time_s"],
                rows[-1]["end_s"],
                speaker or "",
                tuple(parts),
                "" if emotion == "uncertain" else emotion,
            )
        )
    return found
