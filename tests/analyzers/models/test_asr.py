"""Whisper on the sample's sound: words, language, sameness; and what it refuses."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from analyzers.models.asr import SpeechRecognizer, load_whisper
from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.weights import ModelMissing
from tests.analyzers.sample_sound import sample_sound


@pytest.fixture(scope="module")
def recognizer() -> SpeechRecognizer:
    try:
        with Models.embedded().lend("asr") as model:
            return model
    except ModelMissing as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_words_language_and_times(recognizer: SpeechRecognizer) -> None:
    sound = sample_sound()[: int(4.4 * 16000)]
    with usage_log() as log:
        heard = recognizer.listen(sound)
        first = next(heard.passages)
    assert heard.language == "en"
    assert heard.language_confidence is not None
    assert heard.language_confidence > 0.8
    words = "".join(w.text for w in first.words).lower()
    assert "five ways to get around" in words.replace("5", "five")
    assert "ride a bike" in words
    starts = [w.start_s for w in first.words]
    assert starts == sorted(starts)
    assert all(0 <= w.start_s <= w.end_s <= 4.5 for w in first.words)
    assert all(type(w.start_s) is float and 0 < w.confidence <= 1 for w in first.words)
    assert first.end_s == first.words[-1].end_s
    assert -1 < first.mean_log_probability < 0
    assert log.uses[0].items == 4
    again = recognizer.listen(sound)
    assert next(again.passages) == first


def test_a_given_language_is_taken(recognizer: SpeechRecognizer) -> None:
    heard = recognizer.listen(sample_sound()[:16000], language="en")
    assert (heard.language, heard.language_confidence) == ("en", None)


def test_an_unknown_language_is_refused(recognizer: SpeechRecognizer) -> None:
    with pytest.raises(ValueError, match=r"whisper_base_ct2 does not know the language 'english'"):
        recognizer.listen(np.zeros(16000, np.float32), language="english")


def test_files_in_two_folders_and_a_gpu_without_cublas_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choice = ModelChoice("w")
    files = {"model.bin": Path("a/model.bin"), "config.json": Path("b/config.json")}
    with pytest.raises(ValueError, match="w: its files must lie in one folder"):
        load_whisper(ModelIdentity("asr", "w", "0" * 64, "cpu", "ctranslate2"), files, choice)

    def absent(name: str, **_: object) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", absent)
    with pytest.raises(ValueError, match=r"cuda:0: CTranslate2 needs libcublasLt\.so\.12 of CUDA"):
        load_whisper(ModelIdentity("asr", "w", "0" * 64, "cuda:0", "ctranslate2"), files, choice)
