"""Timed words with the pauses between them: what rate and fluency are counted from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from analyzers.methods.speech.pronunciation import Dictionary, Sounds, sounds_of
from analyzers.methods.speech.speech_spans import Span, overlap_s

#: A shorter silence is part of speaking (the closing of a stop consonant): the threshold at which
#: the number of pauses tells most of fluency (De Jong & Bosker, "Choosing a threshold for silent
#: pauses to measure second language fluency", DiSS 2013).
SHORTEST_PAUSE_S = 0.25
#: Less speech than this has no rate: errors of the words' times would make it.
LEAST_RATE_S = 0.3
#: A voice that goes on for longer after the last word says something that is not written down.
_LONGEST_END_S = 0.4


@dataclass(frozen=True)
class TalkWord:
    """A word that was said, times in seconds.

    `blank`: whether one stands before it in its sentence.
    """

    text: str
    start_s: float
    end_s: float
    sentence: int
    speaker: str | None
    sounds: Sounds
    blank: bool = True


@dataclass(frozen=True)
class Stretch:
    """Words of one speaker in a row, and the pauses between them; times in seconds.

    It begins and ends with the voice: after a pause, Whisper lets a word begin up to 0.1 s early,
    and before one it lets the last word end 0.1 to 0.3 s early. A voice that goes on for more than
    0.4 s is left to what was not written down, such as a laugh or a song.
    """

    words: tuple[TalkWord, ...]
    start_s: float
    end_s: float
    pauses: tuple[Span, ...]

    @property
    def spoken_s(self) -> float:
        """Time without pauses."""
        return self.end_s - self.start_s - sum(b - a for a, b in self.pauses)

    @property
    def syllables(self) -> int | None:
        """Syllables of all words; None where one of them has an unknown number."""
        known = [w.sounds.syllables for w in self.words if w.sounds.syllables is not None]
        return sum(known) if len(known) == len(self.words) else None

    @property
    def articulation_syllables_per_s(self) -> float | None:
        """Syllables a second without pauses; None under 0.3 s and for an unknown number."""
        if self.syllables is None or self.spoken_s < LEAST_RATE_S:
            return None
        return self.syllables / self.spoken_s

    @property
    def phones(self) -> float | None:
        """Phones of all words, those of unknown words by the others' phones for each syllable."""
        known = [w.sounds for w in self.words if w.sounds.phones is not None]
        syllables = sum(s.syllables or 0 for s in known)
        if self.syllables is None or not syllables:
            return None
        return sum(s.phones or 0 for s in known) / syllables * self.syllables


def words_of(
    rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any], dictionary: Dictionary
) -> list[TalkWord]:
    """The words of a transcript's rows, with its summary."""
    return [
        TalkWord(
            row["word"],
            row["time_s"],
            row["end_s"],
            row["sentence"],
            row["speaker"],
            sounds_of(row["word"], summary["language"], dictionary),
            blank,
        )
        for row, blank in zip(rows, blanks_before(rows, summary["text"].split("\n")), strict=True)
    ]


def blanks_before(rows: Sequence[Mapping[str, Any]], lines: Sequence[str]) -> list[bool]:
    """Whether a blank stands before each word in the line of its sentence."""
    found = []
    rest = list(lines)
    for row in rows:
        left = rest[row["sentence"]]
        found.append(left.startswith(" "))
        rest[row["sentence"]] = left.lstrip().removeprefix(row["word"])
    return found


def text_of(words: Sequence[TalkWord]) -> str:
    """Words as running text, with blanks where the language has them."""
    return "".join(" " * word.blank + word.text for word in words).strip()


def pauses_of(words: Sequence[TalkWord], voice: Sequence[Span]) -> list[Span]:
    """Silent pauses: gaps of `SHORTEST_PAUSE_S` or more in the voice, from first to last word.

    What stands within them is breath, music or noise. A gap in which a word was heard for more than
    half of it is none.
    """
    if not words:
        return []
    first_s, last_s = words[0].start_s, words[-1].end_s
    said = [(word.start_s, word.end_s) for word in words]
    return [
        (end, start)
        for (_, end), (start, _) in pairwise(voice)
        if start - end >= SHORTEST_PAUSE_S
        and end > first_s
        and start < last_s
        and overlap_s(said, end, start) < (start - end) / 2
    ]


def utterances(words: Sequence[TalkWord], voice: Sequence[Span]) -> list[Stretch]:
    """One for each sentence and speaker."""
    groups = [list(g) for _, g in groupby(words, key=lambda w: (w.sentence, w.speaker))]
    return _stretches(groups, voice, pauses_of(words, voice))


def runs(words: Sequence[TalkWord], voice: Sequence[Span]) -> list[Stretch]:
    """What one speaker says between two pauses."""
    pauses = pauses_of(words, voice)
    groups: list[list[TalkWord]] = []
    for word in words:
        last = groups[-1][-1] if groups else None
        if last and last.speaker == word.speaker and not _between(last, word, pauses):
            groups[-1].append(word)
        else:
            groups.append([word])
    return _stretches(groups, voice, pauses)


def _between(word: TalkWord, following: TalkWord, pauses: Sequence[Span]) -> bool:
    first_s = (word.start_s + word.end_s) / 2
    last_s = (following.start_s + following.end_s) / 2
    return any(first_s < (a + b) / 2 < last_s for a, b in pauses)


def _stretches(
    groups: Sequence[Sequence[TalkWord]], voice: Sequence[Span], pauses: Sequence[Span]
) -> list[Stretch]:
    nexts_s = [group[0].start_s for group in groups[1:]] + [float("inf")]
    found = []
    for group, next_s in zip(groups, nexts_s, strict=True):
        start_s, end_s = group[0].start_s, group[-1].end_s
        start_s = max([start_s, *(a for a, b in voice if start_s < a < group[0].end_s)])
        until_s = [b for a, b in voice if a < end_s <= b]
        end_s = max(end_s, min([*until_s, next_s, end_s + _LONGEST_END_S])) if until_s else end_s
        inside = tuple((a, b) for a, b in pauses if start_s < a and b < end_s)
        found.append(Stretch(tuple(group), start_s, end_s, inside))
    return found
