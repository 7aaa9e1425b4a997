"""Conversations in which two voices speak at once at known times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from analyzers.methods.mask_runs import mask_runs
from analyzers.video import Video
from tests.accuracy.made_speech import RATE_HZ, read_aloud
from tests.analyzers.made import made_video

#: What speech/make_conversation.py had said, by voice; the short ones are said into other speech.
SAID = {
    "slt": (
        "So we drove all night, and in the morning we could already see the mountains.",
        "I never said that, I only asked whether you had the keys of the house with you.",
        "There is one more thing about the summer that nobody in the village will forget.",
        "Yes, exactly.",
        "Oh, did you?",
    ),
    "rms": (
        "The best part of the story is that nobody believed it would ever work at all.",
        "Wait, let me finish, because the second engine was a lot louder than the first one.",
        "My brother keeps bees on the roof, and every year he brings us a jar of honey.",
        "Right, right.",
        "I know, I know.",
    ),
    "awb": (
        "When I was small, the river froze every winter, and we walked to school across it.",
        "You can say what you like, but that match was over before the second half began.",
        "She opened the door, looked at the three of us, and then she began to laugh.",
        "Sure, of course.",
        "No way, really?",
    ),
}
#: Silence between the sentences in the files.
BETWEEN_S = 0.8
#: How long the two of an exchange speak at once where one takes over from the other.
TAKEN_OVER_S = (0.4, 3.0, 0.8, 1.2, 2.0, 0.6)
#: When a short remark begins in another's sentence.
REMARK_S = 1.2
#: Silence after each exchange.
_PAUSE_S = 0.5
#: Sound is speech from this far below the level of the whole sentence, over 10 ms; shorter silences
#: within it belong to it, as they do to a voice's spans.
_SILENCE_DB = -30
_CLOSED_S = 0.2
_STEP = RATE_HZ // 100


@dataclass(frozen=True)
class Exchange:
    """Two voices at once; times in seconds. `taken`: whether the second has the floor after it."""

    start_s: float
    end_s: float
    taken: bool


@dataclass(frozen=True)
class Conversation:
    """Mono sound at 16 kHz, for each 10 ms how many speak, and the exchanges."""

    sound: np.ndarray
    speaking: np.ndarray
    exchanges: tuple[Exchange, ...]

    @property
    def video(self) -> Video:
        """The sound as a video's."""
        return video_of(self.sound)


def video_of(sound: np.ndarray) -> Video:
    """A video with this sound."""
    return replace(made_video(len(sound) / RATE_HZ), audio_16k=sound.astype(np.float32))


def speaks(sound: np.ndarray) -> np.ndarray:
    """Whether the one voice of a sound speaks, for each 10 ms, bool."""
    steps = sound[: len(sound) // _STEP * _STEP].reshape(-1, _STEP)
    level = np.sqrt(np.square(steps).mean(axis=1))
    loud = level > 10 ** (_SILENCE_DB / 20) * np.sqrt(np.square(level).mean())
    for first, stop in mask_runs(~loud):
        if first > 0 and stop < len(loud) and stop - first <= _CLOSED_S * 100:
            loud[first:stop] = True
    return loud


def sentences(sound: np.ndarray) -> list[np.ndarray]:
    """The sentences of one voice, parted at half a second of silence, each at one level."""
    loud = speaks(sound)
    for first, stop in mask_runs(~loud):
        if first > 0 and stop < len(loud) and stop - first < 50:
            loud[first:stop] = True
    found = [sound[first * _STEP : stop * _STEP] for first, stop in mask_runs(loud)]
    return [0.07 * s / np.sqrt(np.square(s).mean()) for s in found]


@cache
def voice(name: str) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """What a voice of `SAID` says: its sentences and its short remarks."""
    said = sentences(read_aloud(name))
    assert len(said) == len(SAID[name])
    return tuple(said[:3]), tuple(said[3:])


def conversation(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    remarks: Sequence[Sequence[np.ndarray]] = ((), ()),
) -> Conversation:
    """Two voices in turns: each takes over from the other, then each remarks on the other's words.

    `first`, `second`: their sentences. `remarks`: short ones of each. An overlap leaves each of the
    two at least a second alone.
    """
    voices = (first, second)
    placed: list[tuple[np.ndarray, float]] = []
    exchanges = []
    at_s = 0.3
    for number, overlap_s in enumerate(TAKEN_OVER_S):
        one, other = (
            voices[(number + k) % 2][(number + k) // 2 % len(voices[(number + k) % 2])]
            for k in range(2)
        )
        ends_s = at_s + len(one) / RATE_HZ
        overlap_s = min(overlap_s, min(len(one), len(other)) / RATE_HZ - 1)
        placed += [(one, at_s), (other, ends_s - overlap_s)]
        exchanges.append(Exchange(ends_s - overlap_s, ends_s, taken=True))
        at_s = ends_s - overlap_s + len(other) / RATE_HZ + _PAUSE_S
    for speaker, other_remarks in enumerate(reversed(remarks)):
        for remark in other_remarks:
            sentence = max(voices[speaker], key=len)
            length_s = len(remark) / RATE_HZ
            assert REMARK_S + length_s + 1 < len(sentence) / RATE_HZ
            placed += [(sentence, at_s), (remark, at_s + REMARK_S)]
            exchanges.append(Exchange(at_s + REMARK_S, at_s + REMARK_S + length_s, taken=False))
            at_s += len(sentence) / RATE_HZ + _PAUSE_S
    return _mixed(placed, exchanges, at_s)


def _mixed(
    placed: Sequence[tuple[np.ndarray, float]], exchanges: Sequence[Exchange], end_s: float
) -> Conversation:
    speaking = np.zeros(round(end_s * 100), np.int64)
    sound = np.zeros(len(speaking) * _STEP, np.float32)
    for piece, at_s in placed:
        start = round(at_s * 100)
        heard = speaks(piece)
        speaking[start : start + len(heard)] += heard
        sound[start * _STEP : start * _STEP + len(piece)] += piece
    return Conversation(sound, speaking, tuple(exchanges))
