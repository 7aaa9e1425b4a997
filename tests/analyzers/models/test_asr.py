"""Whisper on the sample's sound: words, language, sameness; and what it refuses."""

import ctypes
from pathlib import Path
from types import SimpleNamespace

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
        language, likely = recognizer.language_of(sound)
        [first] = recognizer.hear([sound], language)
    assert (language, log.uses[0].calls, log.uses[0].items) == ("en", 2, 8)
    assert likely > 0.8
    assert first is not None
    words = "".join(w.text for w in first.words).lower()
    assert "five ways to get around" in words.replace("5", "five")
    assert "ride a bike" in words
    starts = [w.start_s for w in first.words]
    assert starts == sorted(starts)
    assert all(0 <= w.start_s <= w.end_s <= 4.5 for w in first.words)
    assert all(type(w.start_s) is float and 0 < w.confidence <= 1 for w in first.words)
    assert first.end_s == first.words[-1].end_s
    assert first.later(2.0).end_s == first.end_s + 2.0
    assert -1 < first.mean_log_probability < 0
    assert recognizer.hear([sound], language) == [first]


@pytest.mark.slow
def test_sounds_heard_at_once_are_told_apart(recognizer: SpeechRecognizer) -> None:
    """Also where one of them, of one sample, is too short for any word."""
    sound = sample_sound()
    sounds = [sound[: 4 * 16000], sound[:1], sound[4 * 16000 : 9 * 16000]]
    together = recognizer.hear(sounds, "en", batch_size=8)
    alone = [recognizer.hear([one], "en")[0] for one in sounds]
    assert together[0] is not None
    assert together[2] is not None
    for one, same in zip(together, alone, strict=True):
        assert (one is None) == (same is None)
        if one is None or same is None:
            continue
        assert [w.text for w in one.words] == [w.text for w in same.words]
        assert [w.start_s for w in one.words] == pytest.approx([w.start_s for w in same.words])


def test_a_gpu_hears_several_at_once() -> None:
    def on(device: str) -> SpeechRecognizer:
        return SpeechRecognizer(ModelIdentity("asr", "w", "0" * 64, device, "ctranslate2"), None)

    assert (on("cpu").batch_size, on("cuda:0").batch_size) == (1, 4)


def test_a_model_for_english_alone_is_not_asked_of_the_language() -> None:
    """It would raise: its vocabulary has no languages."""
    whisper = SimpleNamespace(supported_languages=["en"])
    identity = ModelIdentity("asr", "small.en", "0" * 64, "cpu", "ctranslate2")
    assert SpeechRecognizer(identity, whisper).language_of(np.zeros(16000)) == ("en", 1.0)


def test_an_unknown_language_is_refused(recognizer: SpeechRecognizer) -> None:
    with pytest.raises(ValueError, match=r"whisper_base_ct2 does not know the language 'english'"):
        recognizer.hear([np.zeros(16000, np.float32)], "english")


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


def test_a_gpu_gets_cublas_of_the_package_that_the_extra_brings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "nvidia" / "cublas" / "lib"
    folder.mkdir(parents=True)
    names = ["libcublasLt.so.12", "libcublas.so.12"]
    for name in names:
        (folder / name).touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    opened: list[str] = []
    monkeypatch.setattr(ctypes, "CDLL", opened.append)
    files = {"model.bin": Path("a/model.bin"), "config.json": Path("b/config.json")}
    # Stopped by the next check: there is no GPU to load the model on.
    with pytest.raises(ValueError, match="must lie in one folder"):
        load_whisper(
            ModelIdentity("asr", "w", "0" * 64, "cuda:0", "ctranslate2"), files, ModelChoice("w")
        )
    assert opened == [str(folder / name) for name in names]
