"""What is said: sentences with times, speakers, and the words that the model was unsure of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from tiktok_assets.report.told import Told

#: Below this confidence a word is marked.
UNSURE = 0.5
#: Scripts that put no blanks between words: Thai, Lao, kana, Han.
_UNSPACED = (("\u0e00", "\u0eff"), ("\u3040", "\u30ff"), ("\u3400", "\u9fff"))


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


def transcript(told: Told) -> list[Sentence]:
    """All sentences in order."""
    emotions = {
        (row["sentence"], row["speaker"]): row["emotion"] for row in told.rows("speech_emotion")
    }
    found = []
    by_sentence = groupby(
        told.rows("speech_transcription"), key=lambda row: (row["sentence"], row["speaker"])
    )
    for (number, speaker), group in by_sentence:
        rows = list(group)
        parts: list[Part] = []
        for unsure, some in groupby(rows, key=lambda row: row["confidence"] < UNSURE):
            text = joined(row["word"] for row in some)
            blank = parts and needs_blank(parts[-1].text, text)
            parts.append(Part(f" {text}" if blank else text, unsure))
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


def joined(said: Iterable[str]) -> str:
    """Words with blanks between them, but where their script writes none."""
    text = ""
    for word in said:
        text += f" {word}" if text and needs_blank(text, word) else word
    return text


def needs_blank(before: str, after: str) -> bool:
    """Whether a blank belongs between two pieces of text."""
    return not (_is_unspaced(before[-1:]) or _is_unspaced(after[:1]))


def _is_unspaced(letter: str) -> bool:
    return any(first <= letter <= last for first, last in _UNSPACED)
