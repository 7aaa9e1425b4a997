"""Speech to words: Whisper (Radford et al. 2022, https://arxiv.org/abs/2212.04356).

Run by faster-whisper on CTranslate2: on a CPU in 8-bit integers, on a GPU in float16.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.halving import HalvingBatches

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

SAMPLE_RATE_HZ = 16000
#: Whisper listens to this much at once, and pads what is shorter: a call costs the same anyhow.
WINDOW_S = 30.0
#: From one window to the next where several are heard at once.
_APART_S = 2 * WINDOW_S
#: Words that go round in circles are cut off: a loop would fill the window's 448 tokens. Fast
#: speech makes 7 tokens a second in Latin script, and up to three times that in others.
_TOKENS_PER_S = 20
_TOKENS_AT_LEAST = 32
_TOKENS_AT_MOST = 220
#: Two minutes of speech. Each window takes some 550 MB with large-v3: by arithmetic, measured on no
#: GPU.
_BATCH_ON_A_GPU = 4


@dataclass(frozen=True)
class HeardWord:
    """A word as Whisper writes it: with its punctuation, and a blank before it where one belongs.

    Times are seconds from the start of the window.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Passage:
    """Words that were written in one go.

    `mean_log_probability` of its tokens (natural logarithm); `compression_ratio` of its text by
    zlib, which is high for text in circles; `no_speech_confidence`, that the window has no speech.
    """

    words: tuple[HeardWord, ...]
    mean_log_probability: float
    compression_ratio: float
    no_speech_confidence: float

    @property
    def end_s(self) -> float:
        """End of the last word."""
        return max((word.end_s for word in self.words), default=0.0)

    def later(self, by_s: float) -> Passage:
        """The same, heard that much later."""
        words = (replace(w, start_s=w.start_s + by_s, end_s=w.end_s + by_s) for w in self.words)
        return replace(self, words=tuple(words))


class SpeechRecognizer(Model):
    """Writes down what is said. Safe to call from several threads.

    Nothing is sampled: the usual way out of a bad passage, which is to roll dice at a higher
    temperature, would give other words each time. `no_repeats` is the way out here.
    """

    def __init__(self, identity: ModelIdentity, whisper: Any) -> None:
        super().__init__(identity)
        self._whisper = whisper
        self._batches = HalvingBatches(identity.model_id)

    @property
    def batch_size(self) -> int:
        """Windows to hear at once: a GPU works them out side by side, a CPU one after the other."""
        return 1 if self.identity.device == "cpu" else _BATCH_ON_A_GPU

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that can be given."""
        return tuple(self._whisper.supported_languages)

    def language_of(self, sound: np.ndarray) -> tuple[str, float]:
        """Code and probability of what is spoken in mono float32 sound at 16 kHz, shape (n,)."""
        if self.languages == ("en",):  # a model for English alone knows no others to choose from
            return "en", 1.0
        language, confidence, _ = self._whisper.detect_language(np.asarray(sound, np.float32))
        self.served(_seconds([sound]))
        return language, float(confidence)

    def hear(
        self,
        sounds: Sequence[np.ndarray],
        language: str,
        beam_size: int = 5,
        no_repeats: bool = False,
        batch_size: int = 1,
    ) -> list[Passage | None]:
        """What is said first in each sound; None where Whisper writes nothing.

        `sounds`: mono float32 at 16 kHz, (n,) each and up to `WINDOW_S` seconds, of which
        `batch_size` are heard at once. A passage can end before its sound does: hear what is left
        again. `no_repeats`: never write the same three tokens twice, which keeps text from going
        round in circles.

        Raises `ValueError` for a language that the model does not know, `OutOfDeviceMemory`.
        """
        if language not in self.languages:
            raise ValueError(
                f"{self.identity.model_id} does not know the language {language!r}; "
                f"it knows {', '.join(self.languages)}"
            )
        call = partial(self._heard, language=language, beam_size=beam_size, no_repeats=no_repeats)
        return self._batches.run(sounds, call, batch_size)

    def _heard(
        self, sounds: Sequence[np.ndarray], language: str, beam_size: int, no_repeats: bool
    ) -> list[Passage | None]:
        from faster_whisper import BatchedInferencePipeline

        # A place of its own for each, so that a passage's start tells whose it is, and far enough
        # from the one before: the library fits the first word after a pause in another way than
        # others, and what is said must not depend on what stands beside it.
        row = np.zeros((len(sounds) + 1, int(_APART_S * SAMPLE_RATE_HZ)), np.float32)
        clips = []
        for place, sound in enumerate(sounds, start=1):
            row[place, : len(sound)] = sound
            # Half a sample more, since the library rounds down.
            end_s = place * _APART_S + (len(sound) + 0.5) / SAMPLE_RATE_HZ
            clips.append({"start": place * _APART_S, "end": end_s})
        longest_s = max(len(sound) for sound in sounds) / SAMPLE_RATE_HZ
        # It keeps count of what it hears, so each call has one of its own.
        found, _ = BatchedInferencePipeline(self._whisper).transcribe(
            row.ravel(),
            language=language,
            beam_size=beam_size,
            temperature=0.0,
            no_repeat_ngram_size=3 if no_repeats else 0,
            max_new_tokens=int(min(_TOKENS_AT_LEAST + _TOKENS_PER_S * longest_s, _TOKENS_AT_MOST)),
            word_timestamps=True,
            # Times come from the words. Without Whisper's own marks a window is one passage, not
            # several, and sentences get their full stops.
            without_timestamps=True,
            vad_filter=False,
            clip_timestamps=clips,
            batch_size=len(sounds),
        )
        passages: list[Passage | None] = [None] * len(sounds)
        for passage in found:
            start_s = passage.seek / self._whisper.frames_per_second
            if passage.text.strip():
                passages[round(start_s / _APART_S) - 1] = _passage(passage, start_s)
        self.served(_seconds(sounds))
        return passages


def _seconds(sounds: Sequence[np.ndarray]) -> int:
    return max(1, round(sum(len(sound) for sound in sounds) / SAMPLE_RATE_HZ))


def _passage(found: Any, start_s: float) -> Passage:
    """Of faster-whisper's segment, with times from the start of its window."""
    return Passage(
        tuple(
            HeardWord(
                w.word, float(w.start) - start_s, float(w.end) - start_s, float(w.probability)
            )
            for w in found.words
        ),
        float(found.avg_logprob),
        float(found.compression_ratio),
        float(found.no_speech_prob),
    )


def load_whisper(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> SpeechRecognizer:
    """Loader of a Whisper model in CTranslate2's format.

    Raises `ValueError` where the files do not lie in one folder, as CTranslate2 wants it, and for a
    GPU without the libraries it needs there. (It was tried on no GPU yet.)
    """
    if identity.device != "cpu":
        _open_cublas(identity)
    folders = {path.parent for path in files.values()}
    if len(folders) != 1:
        raise ValueError(f"{identity.model_id}: its files must lie in one folder")
    from faster_whisper import WhisperModel

    from analyzers.models.runtime import model_threads

    return SpeechRecognizer(
        identity,
        WhisperModel(
            str(folders.pop()),
            device=identity.device.partition(":")[0],
            device_index=int(identity.device.partition(":")[2] or 0),
            compute_type="int8" if identity.device == "cpu" else "float16",
            cpu_threads=model_threads(),
            local_files_only=True,
        ),
    )


def _open_cublas(identity: ModelIdentity) -> None:
    """Open CUDA 12's cuBLAS, which CTranslate2's wheels look for by name; torch brings CUDA 13's.

    Both may be open: they lie in folders of their own, and their symbols carry their versions.
    Raises `ValueError` where there is none.
    """
    package = find_spec("nvidia.cublas") if find_spec("nvidia") else None
    places = package.submodule_search_locations or () if package else ()
    # In this order: the second needs the first, which must be of the same release.
    for name in ("libcublasLt.so.12", "libcublas.so.12"):
        own = [file for place in places if (file := Path(place) / "lib" / name).is_file()]
        try:
            ctypes.CDLL(str(own[0]) if own else name)
        except OSError as error:
            raise ValueError(
                f"{identity.model_id} cannot run on {identity.device}: CTranslate2 needs {name} of "
                "CUDA 12 there; install the extra whisper_cuda (it brings nvidia-cublas-cu12), or "
                "set the model's device to cpu"
            ) from error
