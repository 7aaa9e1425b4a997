"""Results of `voices` of which everything is given, for tests of what builds on them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.models.sound import CLASSES
from analyzers.models.speaker_activity import FIELD, SPEAKERS, STEP
from analyzers.run import run_analyzer
from analyzers.video import Video
from analyzers.voices import Voices

Span = tuple[float, float]


class Voice:
    """Hears a voice in the given spans."""

    def __init__(self, spans: Sequence[Span], probability: float = 0.95) -> None:
        self._spans = spans
        self._probability = probability

    def probabilities(self, sound: np.ndarray) -> np.ndarray:
        times_s = (np.arange(-(-len(sound) // 512)) + 0.5) * 512 / 16000
        found = np.full(len(times_s), 0.02, np.float32)
        for start, end in self._spans:
            found[(times_s >= start) & (times_s < end)] = self._probability
        return found


class Sounds:
    """Hears classes of sound in the given spans."""

    def __init__(self, **present: Sequence[Span]) -> None:
        self._present = present

    def probabilities(self, sound: np.ndarray) -> np.ndarray:
        found = np.zeros((len(sound) // 160, len(CLASSES)), np.float32)
        for column, kind in enumerate(CLASSES):
            for start, end in self._present.get(kind, []):
                found[round(start * 100) : round(end * 100), column] = 0.9
        return found


class Encoder:
    """Tells speakers apart by the level of their sound: a direction for each tenth."""

    def embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        found = np.zeros((len(pieces), 16), np.float32)
        for row, piece in zip(found, pieces, strict=True):
            row[min(15, round(float(np.abs(piece).mean()) * 10))] = 1.0
        return found


class Activity:
    """Hears one speaker where sound is soft, another above 0.45, and both at its full level."""

    def probabilities(self, chunks: Sequence[np.ndarray]) -> np.ndarray:
        found = np.zeros((len(chunks), max(0, (len(chunks[0]) - FIELD) // STEP + 1), SPEAKERS))
        for active, chunk in zip(found, chunks, strict=True):
            frames = np.lib.stride_tricks.sliding_window_view(np.abs(chunk), FIELD)[::STEP]
            level = np.median(frames, axis=1)
            active[:, 1] = np.where((level < 0.45) | (level > 0.95), 0.9, 0.0)
            active[:, 2] = np.where(level > 0.45, 0.8, 0.0)
        return found


class Lender(Models):
    """Lends what it was given, by role."""

    def __init__(self, **models: Any) -> None:
        super().__init__({})
        self._models = models

    @contextmanager
    def lend(self, role: str) -> Any:
        yield self._models[role]


def made_models(vad: Any, sound: Any) -> Lender:
    """What `voices` borrows, with these two given."""
    return Lender(vad=vad, sound=sound, speaker=Encoder(), speaker_activity=Activity())


def made_voices(
    video: Video, voice: Sequence[Span] = (), **present: Sequence[Span]
) -> AnalysisResult:
    """What `voices` says where a voice, and speech, singing or music, are in the given spans."""
    models = made_models(Voice(voice), Sounds(**present))
    result, _ = run_analyzer(Voices(models), video, {})
    return result
