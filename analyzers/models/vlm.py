"""What a vision-language model is to the analyzers: pictures and a question in, a text out."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from analyzers import progress
from analyzers.models.base import Model

#: How often whoever waits for a turn shows that it is alive and looks whether it was cancelled.
_WAIT_S = 1.0

Kind = Literal["vlm", "vlm_server", "caption"]


class AnswerFailed(RuntimeError):
    """The model gave no answer that can be used; the message names it and the way out."""


@dataclass(frozen=True)
class Ask:
    """One question.

    `frames`: RGB uint8 (height, width, 3) each, all of one size, in their order; none for a
    question about text alone. `times_s`: when each was taken, in seconds, rising. `turns`: what
    was said before, as pairs of an answer and the next question. `video_id`: what it is about.
    """

    frames: Sequence[np.ndarray]
    times_s: Sequence[float]
    question: str
    turns: tuple[tuple[str, str], ...] = field(default=())
    video_id: str = ""


@dataclass(frozen=True)
class Answer:
    """`complete` is False where the limit of tokens cut the text off."""

    text: str
    complete: bool = True


class VisionLanguageModel(Model):
    """Answers questions about frames."""

    #: What it is, as it is stored with every sentence.
    kind: ClassVar[Kind] = "vlm"
    #: How many frames it wants for each question; None: as many as there are.
    frames_wanted: int | None = None

    @abstractmethod
    def answer(
        self, asks: Sequence[Ask], max_new_tokens: int, batch_size: int, schema: dict | None = None
    ) -> list[Answer]:
        """An answer to each question, in their order, always the same for the same question.

        The questions may be about several videos. `schema`: the JSON schema that the answers are to
        keep, for those that can be held to it.

        Raises:
            AnswerFailed: nothing that can be used came back.
        """

    def answered(self, asks: Sequence[Ask]) -> None:
        """Record one call that answered these questions; each frame is an item."""
        frames = Counter[str]()
        for ask in asks:
            frames[ask.video_id] += len(ask.frames)
        self.served(
            max(1, frames.total()), {video_id: max(1, own) for video_id, own in frames.items()}
        )


@contextmanager
def turn(lock: threading.Lock) -> Iterator[None]:
    """One analysis at a time: networks keep their place in a text between two tokens, and two
    batches would want the memory of both.
    """
    while not lock.acquire(timeout=_WAIT_S):
        progress.checkpoint()
    try:
        yield
    finally:
        lock.release()
