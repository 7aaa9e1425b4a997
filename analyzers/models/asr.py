"""Speech to words: Whisper (Radford et al. 2022, https://arxiv.org/abs/2212.04356).

Run by faster-whisper on CTranslate2: on a CPU in 8-bit integers, on a GPU in float16.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers.models.base import Model, ModelIdentity

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

SAMPLE_RATE_HZ = 16000
#: Whisper listens to this much at once, and pads what is shorter: a call costs the same anyhow.
WINDOW_S = 30.0
#: Words that go round in circles are cut off: a loop would fill the window's 448 tokens. Fast
#: speech makes 7 tokens a second in Latin script, and up to three times that in others.
_TOKENS_PER_S = 20
_TOKENS_AT_LEAST = 32
_TOKENS_AT_MOST = 220


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


@dataclass(frozen=True)
class Listening:
    """What is heard in a window: the language, and its passages one after the other.

    A passage is worked out when the iterator is asked for it; stop asking where nothing more is
    said. `language_confidence` is None where the language was given.
    """

    language: str
    language_confidence: float | None
    passages: Iterator[Passage]


class SpeechRecognizer(Model):
    """Writes down what is said. Safe to call from several threads.

    Nothing is sampled: the usual way out of a bad passage, which is to roll dice at a higher
    temperature, would give other words each time. `no_repeats` is the way out here.
    """

    def __init__(self, identity: ModelIdentity, whisper: Any) -> None:
        super().__init__(identity)
        self._whisper = whisper

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that can be given."""
        return tuple(self._whisper.supported_languages)

    def listen(
        self,
        sound: np.ndarray,
        language: str | None = None,
        beam_size: int = 5,
        no_repeats: bool = False,
    ) -> Listening:
        """Hear up to `WINDOW_S` seconds of mono float32 sound at 16 kHz, shape (n,).

        `language`: its code, or None to find it out. `no_repeats`: never write the same three
        tokens twice, which keeps text from going round in circles.

        Raises `ValueError` for a language that the model does not know.
        """
        if language is not None and language not in self.languages:
            raise ValueError(
                f"{self.identity.model_id} does not know the language {language!r}; "
                f"it knows {', '.join(self.languages)}"
            )
        seconds = len(sound) / SAMPLE_RATE_HZ
        found, info = self._whisper.transcribe(
            np.asarray(sound, np.float32),
            language=language,
            beam_size=beam_size,
            temperature=0.0,
            no_repeat_ngram_size=3 if no_repeats else 0,
            max_new_tokens=int(min(_TOKENS_AT_LEAST + _TOKENS_PER_S * seconds, _TOKENS_AT_MOST)),
            word_timestamps=True,
            # Times come from the words. Without Whisper's own marks a window is one passage, not
            # several that are each encoded again, and sentences get their full stops.
            without_timestamps=True,
            condition_on_previous_text=False,
            # The caller judges passages by the same numbers, and counts what it leaves out.
            no_speech_threshold=None,
            log_prob_threshold=None,
            compression_ratio_threshold=None,
            vad_filter=False,
        )
        # One encoding hears the language and the first passage.
        self.served(max(1, round(seconds)))
        confidence = None if language is not None else float(info.language_probability)
        return Listening(info.language, confidence, self._passages(found))

    @staticmethod
    def _passages(found: Iterator[Any]) -> Iterator[Passage]:
        for passage in found:
            yield Passage(
                tuple(
                    HeardWord(w.word, float(w.start), float(w.end), float(w.probability))
                    for w in passage.words
                ),
                float(passage.avg_logprob),
                float(passage.compression_ratio),
                float(passage.no_speech_prob),
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

    Raises `ValueError` where there is none.
    """
    names = ("libcublasLt.so.12", "libcublas.so.12")
    package = find_spec("nvidia.cublas") if find_spec("nvidia") else None
    folders = (
        [Path(place) / "lib" for place in package.submodule_search_locations or ()]
        if (package)
        else []
    )
    for name in names:
        own = [folder / name for folder in folders if (folder / name).is_file()]
        try:
            ctypes.CDLL(str(own[0]) if own else name, mode=ctypes.RTLD_GLOBAL)
        except OSError as error:
            raise ValueError(
                f"{identity.model_id} cannot run on {identity.device}: CTranslate2 needs {name} of "
                "CUDA 12 there; pip install nvidia-cublas-cu12, or set its device to cpu"
            ) from error
