"""Descriptions by a vision-language model that looks at frames of each shot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from analyzers.methods.story.composed_description import Action, Description
from analyzers.methods.story.english import counted, seconds, sentence
from analyzers.methods.story.shot_claims import Shot
from analyzers.methods.story.shot_questions import (
    ShotAnswer,
    Told,
    UnreadableAnswer,
    VideoAnswer,
    read_answer,
    read_shot,
    repair_question,
    schema_of,
    shot_question,
    video_question,
)
from analyzers.models.vlm import Answer, AnswerFailed, Ask, Kind, VisionLanguageModel
from analyzers.video import Frames, Video

UNREADABLE = "The model gave no readable description of this shot."

Read = TypeVar("Read")


@dataclass(frozen=True)
class Asking:
    """How a model is asked; see the analyzer's settings of the same names."""

    frames_per_s: float
    most_frames: int
    max_new_tokens: int
    batch_size: int


class FramesAt(Sequence[np.ndarray]):
    """Some frames of a rung, read when they are asked for: a batch is in memory, not a video."""

    def __init__(self, rung: Frames, places: Sequence[int]) -> None:
        self._rung, self._places = rung, places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        if isinstance(index, slice):
            return FramesAt(self._rung, self._places[index])
        return self._rung[self._places[index]]


class ModelDescriber:
    """Asks about all shots, then about the video; each unreadable answer once more."""

    def __init__(self, model: VisionLanguageModel, asking: Asking) -> None:
        self._model, self._asking = model, asking

    @property
    def model_kind(self) -> Kind:
        """What the model is."""
        return self._model.kind

    def describe(
        self, video: Video, shots: Sequence[Shot]
    ) -> tuple[list[Description], Description]:
        """A description of each shot, in their order, and one of the whole video.

        A shot whose answer stays unreadable gets `UNREADABLE`. Raises `AnswerFailed` where no
        shot's answer can be read, or the video's cannot; and what the model raises.
        """
        places = [self._places(video.analysis, shot) for shot in shots]
        times_s = [video.analysis.times_s[own].tolist() for own in places]
        asks = [
            Ask(FramesAt(video.analysis, own), at, shot_question(shot.start_s, shot.end_s, at))
            for shot, own, at in zip(shots, places, times_s, strict=True)
        ]
        if self._model.kind == "caption":
            described = [
                Description(sentence(answer.text.rstrip(". ")), (), _cut(shot), written=True)
                if answer.text.strip(". ")
                else Description(UNREADABLE, (), _cut(shot))
                for shot, answer in zip(shots, self._answers(asks), strict=True)
            ]
            return described, _captions_joined(video, described)
        described = self._shots(shots, asks)
        return described, self._video(video, shots, described)

    def _places(self, rung: Frames, shot: Shot) -> list[int]:
        """Which frames show a shot: evenly spread, two at least."""
        first, stop = np.searchsorted(rung.times_s, [shot.start_s, shot.end_s])
        first = min(int(first), len(rung) - 1)
        last = max(first, int(stop) - 1)
        wanted = self._model.frames_wanted
        if wanted == 1:
            return [(first + last) // 2]
        if wanted is None:
            by_length = round((shot.end_s - shot.start_s) * self._asking.frames_per_s)
            there = last - first + 1
            wanted = max(2, min(by_length, self._asking.most_frames, there))
        return np.linspace(first, last, wanted).round().astype(int).tolist()

    def _answers(self, asks: Sequence[Ask], schema: dict | None = None) -> list[Answer]:
        asking = self._asking
        return self._model.answer(asks, asking.max_new_tokens, asking.batch_size, schema)

    def _shots(self, shots: Sequence[Shot], asks: Sequence[Ask]) -> list[Description]:
        readers = [partial(read_shot, start_s=s.start_s, end_s=s.end_s) for s in shots]
        read, error = self._read(asks, readers, schema_of(ShotAnswer))
        if error is not None and not any(read):
            raise AnswerFailed(
                f"{self._model.identity.model_id} described none of {counted(len(shots), 'shot')} "
                f"in a form that can be read ({error}); {_WAY_OUT}"
            )
        return [
            Description(UNREADABLE, (), _cut(shot))
            if answer is None
            else Description(
                answer.description,
                (),
                _cut(shot),
                actions=tuple(Action(a.action, a.time_s, a.end_s) for a in answer.actions),
                written=True,
            )
            for shot, answer in zip(shots, read, strict=True)
        ]

    def _video(
        self, video: Video, shots: Sequence[Shot], described: Sequence[Description]
    ) -> Description:
        frame_of_reference = tuple(dict.fromkeys(i for shot in shots for i in _cut(shot)))
        if len(shots) == 1:
            return replace(described[0], actions=())
        told = [
            Told(place, shot.start_s, shot.end_s, own.text)
            for place, (shot, own) in enumerate(zip(shots, described, strict=True), 1)
        ]
        ask = Ask((), (), video_question(video.info.end_s, told))
        [answer], error = self._read(
            [ask], [partial(read_answer, form=VideoAnswer)], schema_of(VideoAnswer)
        )
        if answer is None:
            raise AnswerFailed(
                f"{self._model.identity.model_id} summed the video up in no form that can be read "
                f"({error}); {_WAY_OUT}"
            )
        return Description(answer.description, (), frame_of_reference, written=True)

    def _read(
        self, asks: Sequence[Ask], readers: Sequence[Callable[[str], Read]], schema: dict
    ) -> tuple[list[Read | None], UnreadableAnswer | None]:
        """What was read of each answer, and what is wrong with the first that stayed unreadable."""
        answers = self._answers(asks, schema)
        read, errors = _try(answers, readers)
        again = list(errors)
        if not again:
            return read, None
        repairs = [
            replace(asks[i], turns=((answers[i].text, repair_question(errors[i])),)) for i in again
        ]
        room = self._asking.max_new_tokens
        if not all(answers[i].complete for i in again):  # cut off: it needs more
            room *= 2
        repaired = self._model.answer(repairs, room, self._asking.batch_size, schema)
        found, left = _try(repaired, [readers[i] for i in again])
        for place, answer in zip(again, found, strict=True):
            read[place] = answer
        return read, next(iter(left.values()), None)


_WAY_OUT = (
    "raise max_new_tokens, take another model for the role vlm, or set the setting fallback to "
    "composed"
)


def _try(
    answers: Sequence[Answer], readers: Sequence[Callable[[str], Read]]
) -> tuple[list[Read | None], dict[int, UnreadableAnswer]]:
    read: list[Read | None] = []
    errors: dict[int, UnreadableAnswer] = {}
    for place, (answer, reader) in enumerate(zip(answers, readers, strict=True)):
        try:
            read.append(reader(answer.text))
        except UnreadableAnswer as error:
            read.append(None)
            errors[place] = error if answer.complete else UnreadableAnswer("it was cut off")
    return read, errors


def _cut(shot: Shot) -> tuple[str, ...]:
    return (shot.evidence,) if shot.evidence else ()


def _captions_joined(video: Video, described: Sequence[Description]) -> Description:
    """Captions know nothing of each other: they are told one after the other, each once."""
    texts = " ".join(dict.fromkeys(own.text for own in described if own.written))
    frame_of_reference = tuple(i for own in described for i in own.frame_of_reference)
    lasts = f"The video lasts {seconds(video.info.end_s)}. "
    return Description(lasts + texts, (), frame_of_reference, written=bool(texts))
