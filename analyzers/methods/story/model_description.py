"""Descriptions by a vision-language model that looks at frames of each shot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
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
from analyzers.models.vlm import Answer, AnswerFailed, Ask, VisionLanguageModel
from analyzers.video import Frames, Video

UNREADABLE = "The model gave no readable description of this shot."

Read = TypeVar("Read")

#: A description of each shot, in their order, and one of the whole video.
Described = tuple[list[Description], Description]


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
    """Asks about all shots of one or several videos, then about each video; each unreadable answer
    once more. What is asked at one time goes to the model together.
    """

    def __init__(self, model: VisionLanguageModel, asking: Asking) -> None:
        self._model, self._asking = model, asking

    def describe(
        self, videos: Sequence[tuple[Video, Sequence[Shot]]]
    ) -> list[Described | AnswerFailed]:
        """Of each video; an error where no shot's answer can be read, or the video's cannot.

        A shot whose answer stays unreadable gets `UNREADABLE`. Raises what the model raises.
        """
        asks = [self._shot_asks(video, shots) for video, shots in videos]
        if self._model.kind == "caption":
            answers = iter(self._answers([ask for own in asks for ask in own]))
            return [
                _captioned(video, shots, list(islice(answers, len(shots))))
                for video, shots in videos
            ]
        readers = [
            partial(read_shot, start_s=shot.start_s, end_s=shot.end_s)
            for _, shots in videos
            for shot in shots
        ]
        read = iter(
            self._read([ask for own in asks for ask in own], readers, schema_of(ShotAnswer))
        )
        described = [self._shots(shots, list(islice(read, len(shots)))) for _, shots in videos]
        return self._with_videos(videos, described)

    def _shot_asks(self, video: Video, shots: Sequence[Shot]) -> list[Ask]:
        places = [self._places(video.analysis, shot) for shot in shots]
        times_s = [video.analysis.times_s[own].tolist() for own in places]
        return [
            Ask(
                FramesAt(video.analysis, own),
                at,
                shot_question(shot.start_s, shot.end_s, at),
                video_id=video.id,
            )
            for shot, own, at in zip(shots, places, times_s, strict=True)
        ]

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

    def _shots(
        self, shots: Sequence[Shot], read: Sequence[ShotAnswer | UnreadableAnswer]
    ) -> list[Description] | AnswerFailed:
        unread = [answer for answer in read if isinstance(answer, UnreadableAnswer)]
        if len(unread) == len(shots):
            return AnswerFailed(
                f"{self._model.identity.model_id} described none of {counted(len(shots), 'shot')} "
                f"in a form that can be read ({unread[0]}); {_WAY_OUT}"
            )
        return [
            Description(UNREADABLE, (), _cut(shot))
            if isinstance(answer, UnreadableAnswer)
            else Description(
                answer.description,
                (),
                _cut(shot),
                actions=tuple(Action(a.action, a.time_s, a.end_s) for a in answer.actions),
                written=True,
            )
            for shot, answer in zip(shots, read, strict=True)
        ]

    def _with_videos(
        self,
        videos: Sequence[tuple[Video, Sequence[Shot]]],
        described: Sequence[list[Description] | AnswerFailed],
    ) -> list[Described | AnswerFailed]:
        """The descriptions of the shots with one of each video; a single shot's is its video's."""
        asks = [
            Ask((), (), _about(video, shots, own), video_id=video.id)
            for (video, shots), own in zip(videos, described, strict=True)
            if not isinstance(own, AnswerFailed) and len(shots) > 1
        ]
        reader = partial(read_answer, form=VideoAnswer)
        read = iter(self._read(asks, [reader] * len(asks), schema_of(VideoAnswer)))
        whole: list[Described | AnswerFailed] = []
        for (_, shots), own in zip(videos, described, strict=True):
            if isinstance(own, AnswerFailed):
                whole.append(own)
            elif len(shots) == 1:
                whole.append((own, replace(own[0], actions=())))
            elif isinstance(answer := next(read), UnreadableAnswer):
                whole.append(
                    AnswerFailed(
                        f"{self._model.identity.model_id} summed the video up in no form that can "
                        f"be read ({answer}); {_WAY_OUT}"
                    )
                )
            else:
                frame_of_reference = tuple(dict.fromkeys(i for shot in shots for i in _cut(shot)))
                text = answer.description
                whole.append((own, Description(text, (), frame_of_reference, written=True)))
        return whole

    def _read(
        self, asks: Sequence[Ask], readers: Sequence[Callable[[str], Read]], schema: dict
    ) -> list[Read | UnreadableAnswer]:
        """What was read of each answer, or what is wrong with one that stayed unreadable."""
        answers = self._answers(asks, schema)
        read = [_try(answer, reader) for answer, reader in zip(answers, readers, strict=True)]
        room = self._asking.max_new_tokens
        # One that was cut off needs more room, whatever it is asked beside.
        for complete, new_tokens in ((True, room), (False, 2 * room)):
            wrong = {
                i: error
                for i, error in enumerate(read)
                if isinstance(error, UnreadableAnswer) and answers[i].complete == complete
            }
            repairs = [
                replace(asks[i], turns=((answers[i].text, repair_question(error)),))
                for i, error in wrong.items()
            ]
            repaired = self._answers(repairs, schema, new_tokens)
            for i, answer in zip(wrong, repaired, strict=True):
                read[i] = _try(answer, readers[i])
        return read

    def _answers(
        self, asks: Sequence[Ask], schema: dict | None = None, new_tokens: int | None = None
    ) -> list[Answer]:
        if not asks:
            return []
        room = new_tokens or self._asking.max_new_tokens
        return self._model.answer(asks, room, self._asking.batch_size, schema)


_WAY_OUT = (
    "raise max_new_tokens, take another model for the role vlm, or set the setting fallback to "
    "composed"
)


def _try(answer: Answer, reader: Callable[[str], Read]) -> Read | UnreadableAnswer:
    try:
        return reader(answer.text)
    except UnreadableAnswer as error:
        return error if answer.complete else UnreadableAnswer("it was cut off")


def _cut(shot: Shot) -> tuple[str, ...]:
    return (shot.evidence,) if shot.evidence else ()


def _about(video: Video, shots: Sequence[Shot], described: Sequence[Description]) -> str:
    told = [
        Told(place, shot.start_s, shot.end_s, own.text)
        for place, (shot, own) in enumerate(zip(shots, described, strict=True), 1)
    ]
    return video_question(video.info.end_s, told)


def _captioned(video: Video, shots: Sequence[Shot], answers: Sequence[Answer]) -> Described:
    """Captions know nothing of each other: they are told one after the other, each once."""
    described = [
        Description(sentence(answer.text.rstrip(". ")), (), _cut(shot), written=True)
        if answer.text.strip(". ")
        else Description(UNREADABLE, (), _cut(shot))
        for shot, answer in zip(shots, answers, strict=True)
    ]
    texts = " ".join(dict.fromkeys(own.text for own in described if own.written))
    frame_of_reference = tuple(i for own in described for i in own.frame_of_reference)
    lasts = f"The video lasts {seconds(video.info.end_s)}. "
    return described, Description(lasts + texts, (), frame_of_reference, written=bool(texts))
