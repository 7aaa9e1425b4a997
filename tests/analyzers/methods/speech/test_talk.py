"""Pauses, utterances and runs of given words."""

from __future__ import annotations

import pytest

from analyzers.methods.speech.pronunciation import Sounds
from analyzers.methods.speech.talk import (
    Stretch,
    TalkWord,
    pauses_of,
    runs,
    text_of,
    utterances,
    words_of,
)


def word(
    text: str, start_s: float, end_s: float, sentence: int = 0, speaker: str = "S1"
) -> TalkWord:
    return TalkWord(text, start_s, end_s, sentence, speaker, Sounds(1, 3))


class NoDictionary:
    def sounds(self, word: str) -> None:
        return None


def test_pauses_are_gaps_in_the_voice_between_words() -> None:
    words = [word("a", 1.0, 1.4), word("b", 2.0, 2.4), word("c", 2.6, 3.0)]
    voice = [(0.2, 0.5), (1.0, 1.5), (2.0, 2.4), (2.6, 3.0), (4.0, 4.5)]
    assert pauses_of(words, voice) == [(1.5, 2.0)], "0.2 s is none, nor what is before and after"
    assert pauses_of([], voice) == []


def test_a_gap_with_a_word_in_it_is_no_pause() -> None:
    words = [word("a", 1.0, 1.4), word("soft", 1.5, 1.9), word("b", 2.0, 2.4)]
    assert pauses_of(words, [(1.0, 1.5), (2.0, 2.4)]) == []


def test_utterances_end_with_the_voice() -> None:
    words = [word("a", 0.9, 1.3), word("b", 1.3, 1.6), word("c", 2.5, 2.8, sentence=1)]
    first, second = utterances(words, [(1.0, 1.8), (2.6, 3.0)])
    assert (first.start_s, first.end_s) == (1.0, 1.8)
    assert (second.start_s, second.end_s) == (2.6, 3.0)
    assert first.pauses == second.pauses == ()


def test_an_utterance_ends_where_the_next_begins_at_the_latest() -> None:
    words = [word("a", 1.0, 1.3), word("b", 1.5, 1.8, sentence=1)]
    first, second = utterances(words, [(1.0, 2.0)])
    assert first.end_s == second.start_s == 1.5


def test_a_voice_that_goes_on_without_words_is_not_the_utterance() -> None:
    """A laugh, a song, or words that nobody could make out."""
    [one] = utterances([word("a", 1.0, 1.4)], [(1.0, 9.0)])
    assert (one.start_s, one.end_s) == (1.0, pytest.approx(1.8))


def test_pauses_within_are_not_spoken() -> None:
    words = [word("a", 1.0, 1.5), word("b", 2.0, 2.5)]
    [one] = utterances(words, [(1.0, 1.5), (2.0, 2.5)])
    assert one.pauses == ((1.5, 2.0),)
    assert one.spoken_s == pytest.approx(1.0)


def test_runs_are_parted_by_pauses_and_speakers() -> None:
    words = [
        word("a", 1.0, 1.5),
        word("b", 2.0, 2.5),
        word("c", 2.5, 3.0),
        word("d", 3.0, 3.5, speaker="S2"),
    ]
    found = runs(words, [(1.0, 1.5), (2.0, 3.5)])
    assert ["".join(w.text for w in run.words) for run in found] == ["a", "bc", "d"]


def test_phones_of_unknown_words_go_by_the_others() -> None:
    unknown = TalkWord("x", 1.5, 2.0, 0, "S1", Sounds(3, None))
    stretch = Stretch((word("a", 1.0, 1.5), unknown), 1.0, 2.0, ())
    assert (stretch.syllables, stretch.phones) == (4, pytest.approx(12.0))
    silent = TalkWord("x", 1.5, 2.0, 0, "S1", Sounds(None, None))
    assert Stretch((silent,), 1.5, 2.0, ()).syllables is None
    assert Stretch((silent,), 1.5, 2.0, ()).phones is None


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (["I", "do,", "I", "do."], "I do, I do."),
        (["\u4eca\u5929", "\u5f88", "\u597d\u3002"], "\u4eca\u5929\u5f88\u597d\u3002"),
        (["\u6211", "\u7684", "iPhone", "15", "\u3002"], "\u6211\u7684iPhone 15\u3002"),
    ],
)
def test_a_text_has_the_blanks_of_its_language(said: list[str], line: str) -> None:
    rows = [
        {"word": w, "time_s": i, "end_s": i + 1, "sentence": 1, "speaker": None}
        for i, w in enumerate(said)
    ]
    summary = {"text": f"{line[::-1]}\n{line}", "language": "xx"}
    words = words_of(rows, summary, NoDictionary())
    assert text_of(words) == line
    assert text_of(words[1:]) == line.removeprefix(said[0]).strip()
