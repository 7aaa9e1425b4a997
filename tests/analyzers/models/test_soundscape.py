"""YAMNet: its classes, windows at the ends of the sound, what it hears in made and real sound."""

from pathlib import Path

import numpy as np
import pytest

from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.soundscape import (
    CLASS_COUNT,
    SAMPLE_RATE_HZ,
    WINDOW,
    SoundEventClassifier,
    load_yamnet,
)
from analyzers.models.weights import ModelMissing
from tests.analyzers.sample_sound import sample_sound

IDENTITY = ModelIdentity("soundscape", "yamnet", "0" * 64, "cpu", "litert")


@pytest.fixture(scope="module")
def classifier() -> SoundEventClassifier:
    try:
        with Models.embedded().lend("soundscape") as model:
            return model
    except ModelMissing as error:
        pytest.skip(str(error))


def heard(classifier: SoundEventClassifier, sound: np.ndarray) -> dict[str, float]:
    [found] = classifier.probabilities(sound, [0])
    return dict(zip(classifier.classes, found.tolist(), strict=True))


def test_the_file_names_the_classes(classifier: SoundEventClassifier) -> None:
    assert len(set(classifier.classes)) == CLASS_COUNT
    assert classifier.classes[0] == "Speech"
    assert {"Inside, small room", "Whoosh, swoosh, swish", "Mains hum"} < set(classifier.classes)


def test_speech_over_music(classifier: SoundEventClassifier) -> None:
    found = heard(classifier, sample_sound()[3 * SAMPLE_RATE_HZ :])
    assert found["Speech"] > 0.5
    assert found["Music"] > 0.5
    assert found["Wind"] < 0.05


def test_silence_and_a_beep(classifier: SoundEventClassifier) -> None:
    assert heard(classifier, np.zeros(WINDOW, np.float32))["Silence"] > 0.7
    t = np.arange(WINDOW) / SAMPLE_RATE_HZ
    sine = (0.3 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    assert heard(classifier, sine)["Beep, bleep"] > 0.5


def test_windows_reach_over_both_ends_of_the_sound() -> None:
    windows = []

    def network(window: np.ndarray) -> dict[str, np.ndarray]:
        windows.append(window)
        return {"scores": np.full((1, 2), 0.5, np.float32)}

    sound = np.arange(1, 101, dtype=np.float32)
    model = SoundEventClassifier(IDENTITY, network, ["a", "b"])
    with usage_log() as log:
        found = model.probabilities(sound, [-30, 0, 60, 200])
    assert found.shape == (4, 2)
    assert [len(w) for w in windows] == [WINDOW] * 4
    assert windows[0][:30].tolist() == [0.0] * 30
    assert windows[0][30:130].tolist() == sound.tolist()
    assert windows[1][:100].tolist() == sound.tolist()
    assert windows[2][:41].tolist() == [*sound[60:], 0.0]
    assert not windows[3].any()
    assert (log.uses[0].calls, log.uses[0].items) == (1, 4)


def test_a_file_without_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "yamnet.tflite"
    path.write_bytes(b"TFL3 and nothing attached")
    with pytest.raises(ValueError, match="yamnet names no classes"):
        load_yamnet(IDENTITY, {"yamnet.tflite": path}, ModelChoice("yamnet"))
