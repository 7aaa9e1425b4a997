"""Sentences of timed words, and SubRip, WebVTT and plain text made of them.

Line length, lines and durations follow Netflix's timed text style guide, general requirements
(https://partnerhelp.netflixstudios.com/hc/en-us/articles/215758617): at most two lines of 42
characters, from 5/6 of a second to 7 seconds, two frames apart.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

#: Characters in a line; those of these languages are twice as wide.
LINE_LENGTH = 42
_WIDE_LINE_LENGTH = {"zh": 16, "yue": 16, "ja": 13, "ko": 16}
LINES = 2
SHORTEST_S = 5 / 6
LONGEST_S = 7.0
#: Two frames at 24 a second.
APART_S = 2 / 24
#: A silence this long ends a sentence, and a cue.
PAUSE_S = 1.2

#: Closing quotation marks and brackets may follow.
_CLOSING = "[\"'\u201d\u2019)\\]\u00bb\u300d]*$"
#: Also the ellipsis, and the marks of Chinese, Japanese, Hindi and Arabic.
_ENDS_SENTENCE = re.compile("[.!?\u2026\u3002\uff01\uff1f\u0964\u061f]" + _CLOSING)
#: A full stop that belongs to the word: "1.", "J.", "Dr.".
_NO_END = re.compile(r"^(?:\d+|[^\W\d_]|Mr|Mrs|Ms|Dr|St|Prof|vs|No)\.$")
_CLAUSE_END = re.compile("[,;:\u3001\uff0c\uff1b\uff1a\u2014\u2013]" + _CLOSING)


@dataclass(frozen=True)
class Word:
    """A word with its punctuation, and a blank before it where one belongs; times in seconds."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Cue:
    """What is shown at one time: one or two lines; times in seconds."""

    lines: tuple[str, ...]
    start_s: float
    end_s: float


def text_of(words: Sequence[Word]) -> str:
    """Words as running text."""
    return "".join(word.text for word in words).strip()


def sentences(words: Sequence[Word]) -> list[list[Word]]:
    """Words parted into sentences, at their punctuation and at long pauses."""
    found: list[list[Word]] = []
    for i, word in enumerate(words):
        if i == 0 or _ends_sentence(words[i - 1], word):
            found.append([])
        found[-1].append(word)
    return found


def _ends_sentence(word: Word, following: Word) -> bool:
    text = word.text.strip()
    ended = _ENDS_SENTENCE.search(text) and not _NO_END.match(text)
    return bool(ended) or following.start_s - word.end_s >= PAUSE_S


def cues(parted: Sequence[Sequence[Word]], language: str, end_s: float) -> list[Cue]:
    """Cues of sentences; none holds words of two sentences, none is on screen with another.

    A sentence that is too long is parted where a clause ends, or else where the cue is full. A cue
    stays for 5/6 of a second if the next one leaves it the time. `end_s`: end of the video.
    """
    length = _WIDE_LINE_LENGTH.get(language, LINE_LENGTH)
    parts = [part for sentence in parted for part in _parts(sentence, length)]
    found = []
    for i, part in enumerate(parts):
        start = part[0].start_s
        latest = parts[i + 1][0].start_s - APART_S if i + 1 < len(parts) else end_s
        end = max(part[-1].end_s, min(start + SHORTEST_S, latest))
        if i + 1 < len(parts):
            end = min(end, max(latest, start + APART_S), parts[i + 1][0].start_s)
        # No cue is empty, even where two words are given the same time.
        found.append(Cue(_lines(text_of(part), length), start, max(end, start + 0.001)))
    return found


def _parts(sentence: Sequence[Word], length: int) -> list[list[Word]]:
    parts = []
    rest = list(sentence)
    while rest:
        count = 1
        while count < len(rest) and _fits(rest[: count + 1], length):
            count += 1
        if count < len(rest):
            count = _break(rest, count, length)
        parts.append(rest[:count])
        rest = rest[count:]
    return parts


def _break(rest: Sequence[Word], most: int, length: int) -> int:
    """After how many of the words, `most` at the most, a cue ends best.

    After a clause; or where the rest fits the next cue, so that both are about as long.
    """
    last = [n for n in range(1, most + 1) if _fits(rest[n:], length)]
    clauses = [
        n
        for n in last or range(most // 2 + 1, most + 1)
        if _CLAUSE_END.search(rest[n - 1].text.strip())
    ]

    def unlike(n: int) -> int:
        return abs(len(text_of(rest[:n])) - len(text_of(rest[n:])))

    if last:
        even = min(last, key=unlike)
        near = min(clauses, key=unlike, default=even)
        return near if unlike(near) <= unlike(even) + length // 2 else even
    return clauses[-1] if clauses else most


def _fits(words: Sequence[Word], length: int) -> bool:
    in_time = words[-1].end_s - words[0].start_s <= LONGEST_S
    return in_time and len(_wrap(text_of(words), length)) <= LINES


def _wrap(text: str, length: int) -> list[str]:
    return textwrap.wrap(text, length, break_on_hyphens=False)


def _lines(text: str, length: int) -> tuple[str, ...]:
    """Text in as few lines as it needs, of about the same length."""
    count = len(_wrap(text, length))
    shortest = next(
        width for width in range(1, length + 1) if len(_wrap(text, width)) <= max(1, count)
    )
    # A narrower wrap may cut a word in two that fits a full line.
    whole = max((len(word) for word in text.split()), default=1)
    return tuple(_wrap(text, min(length, max(shortest, whole))))


def srt(shown: Sequence[Cue]) -> str:
    """Cues as SubRip text."""
    return "".join(
        f"{number}\n{_stamp(cue.start_s, ',')} --> {_stamp(cue.end_s, ',')}\n"
        + "\n".join(cue.lines)
        + "\n\n"
        for number, cue in enumerate(shown, 1)
    )


def vtt(shown: Sequence[Cue]) -> str:
    """Cues as WebVTT (https://www.w3.org/TR/webvtt1/); `&`, `<` and `>` are escaped."""
    blocks = ["WEBVTT\n\n"]
    for cue in shown:
        text = "\n".join(cue.lines)
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        blocks.append(f"{_stamp(cue.start_s, '.')} --> {_stamp(cue.end_s, '.')}\n{text}\n\n")
    return "".join(blocks)


def _stamp(time_s: float, point: str) -> str:
    milliseconds = round(time_s * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"
