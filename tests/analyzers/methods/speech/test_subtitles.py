"""Sentences, cues within the field's limits, and files that readers take."""

import re
from itertools import pairwise

import numpy as np
import pytest

from analyzers.methods.speech.subtitles import (
    LINE_LENGTH,
    LONGEST_S,
    SHORTEST_S,
    Cue,
    Word,
    cues,
    sentences,
    srt,
    text_of,
    vtt,
)


def spoken(text: str, word_s: float = 0.3, gap_s: float = 0.05, start_s: float = 0.0) -> list[Word]:
    return [
        Word(f" {word}", start_s + i * (word_s + gap_s), start_s + i * (word_s + gap_s) + word_s)
        for i, word in enumerate(text.split())
    ]


def texts(words: list[Word]) -> list[str]:
    return [text_of(sentence) for sentence in sentences(words)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Who is it? It is me.", ["Who is it?", "It is me."]),
        ("It costs 3.5 dollars.", ["It costs 3.5 dollars."]),
        ("1. Ride a bike. 2. Walk.", ["1. Ride a bike.", "2. Walk."]),
        ("Mr. Fox met J. Doe.", ["Mr. Fox met J. Doe."]),
        ('"Go!" he said', ['"Go!"', "he said"]),
        ("no marks at all", ["no marks at all"]),
    ],
)
def test_sentences_end_at_their_marks(text: str, parts: list[str]) -> None:
    assert texts(spoken(text)) == parts


def test_a_long_pause_ends_a_sentence() -> None:
    words = [*spoken("three two one"), *spoken("lift off", start_s=5.0)]
    assert texts(words) == ["three two one", "lift off"]
    assert sentences([]) == []


def test_languages_without_blanks() -> None:
    words = [Word(c, i * 0.2, i * 0.2 + 0.2) for i, c in enumerate("今天天气很好。我们去公园玩。")]
    assert texts(words) == ["今天天气很好。", "我们去公园玩。"]
    shown = cues(sentences(words), "zh", 10.0)
    assert all(len(line) <= 16 for cue in shown for line in cue.lines)


def random_speech(seed: int) -> list[Word]:
    rng = np.random.default_rng(seed)
    words = []
    time_s = 0.0
    for _ in range(200):
        text = "x" * int(rng.integers(1, 14)) + str(rng.choice(["", "", "", ",", "."]))
        length_s = float(rng.uniform(0.02, 0.8))
        words.append(Word(f" {text}", time_s, time_s + length_s))
        time_s += length_s + float(rng.choice([0.0, 0.0, 0.1, 2.0]))
    return words


@pytest.mark.parametrize("seed", range(5))
def test_cues_keep_the_limits_and_lose_no_word(seed: int) -> None:
    words = random_speech(seed)
    shown = cues(sentences(words), "en", words[-1].end_s + 1)
    for cue in shown:
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < len(line) <= LINE_LENGTH for line in cue.lines)
        assert 0 < cue.end_s - cue.start_s <= LONGEST_S
    for cue, following in pairwise(shown):
        assert cue.end_s <= following.start_s
        if following.start_s - cue.start_s > 1.0:
            assert cue.end_s - cue.start_s >= SHORTEST_S - 1e-9
    assert " ".join(line for cue in shown for line in cue.lines) == text_of(words)


def test_long_sentences_part_at_a_clause_or_into_even_cues() -> None:
    words = spoken(
        "We went down to the river in the early morning fog, "
        "and then the boat that we had rented would not start at all"
    )
    first, second = cues(sentences(words), "en", 60.0)
    assert " ".join(first.lines).endswith("fog,")
    assert " ".join(second.lines).startswith("and then")
    words = spoken(" ".join(["seven"] * 15))
    first, second = cues(sentences(words), "en", 60.0)
    assert abs(len(" ".join(first.lines)) - len(" ".join(second.lines))) <= 6


def test_a_cue_that_needs_two_lines_has_even_ones() -> None:
    [cue] = cues(sentences(spoken("Five, fly the space shuttle like astronaut Eileen")), "en", 9.0)
    assert cue.lines == ("Five, fly the space shuttle", "like astronaut Eileen")


CUES = [Cue(("One & <two>",), 0.0, 1.2345), Cue(("a", "b"), 3725.5, 3726.0)]


def test_srt() -> None:
    assert srt(CUES) == (
        "1\n00:00:00,000 --> 00:00:01,234\nOne & <two>\n\n"
        "2\n01:02:05,500 --> 01:02:06,000\na\nb\n\n"
    )


def test_vtt_is_escaped() -> None:
    assert vtt(CUES) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.234\nOne &amp; &lt;two&gt;\n\n"
        "01:02:05.500 --> 01:02:06.000\na\nb\n\n"
    )
    assert vtt([]) == "WEBVTT\n\n"


def test_readers_take_the_files() -> None:
    """A demuxer that other players use as well finds every cue with its times."""
    import io

    import av

    words = random_speech(9)
    shown = cues(sentences(words), "en", words[-1].end_s)
    for text, name in ((srt(shown), "srt"), (vtt(shown), "webvtt")):
        with av.open(io.BytesIO(text.encode()), format=name) as container:
            packets = [p for p in container.demux() if p.pts is not None]
        assert len(packets) == len(shown)
        for packet, cue in zip(packets, shown, strict=True):
            assert float(packet.pts * packet.time_base) == pytest.approx(cue.start_s, abs=2e-3)
            lasts_s = float(packet.duration * packet.time_base)
            assert lasts_s == pytest.approx(cue.end_s - cue.start_s, abs=2e-3)
    numbers = re.findall(r"^(\d+)$", srt(shown), re.MULTILINE)
    assert numbers == [str(i) for i in range(1, len(shown) + 1)]
