"""The speaker encoder: a voice is like itself, its slowed copy is another; any batch and length."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from analyzers.models import speakers
from analyzers.models.base import usage_log
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.speakers import EMBEDDING_SIZE, SpeakerEncoder
from analyzers.models.weights import ModelMissing
from tests.analyzers.sample_sound import sample_sound

#: Speech of the sample, from its cues.
SPOKEN_S = ((0.4, 2.0), (13.4, 15.0), (15.4, 17.0))


@pytest.fixture(scope="module")
def encoder() -> SpeakerEncoder:
    try:
        with Models.embedded().lend("speaker") as model:
            return model
    except ModelMissing as error:
        pytest.skip(str(error))


def pieces() -> list[np.ndarray]:
    return [sample_sound()[round(a * 16000) : round(b * 16000)] for a, b in SPOKEN_S]


def test_one_voice_is_like_itself_and_another_is_not(encoder: SpeakerEncoder) -> None:
    deeper = [resample_poly(piece, 27, 20).astype(np.float32) for piece in pieces()]
    found = encoder.embed([*pieces(), *deeper])
    assert found.shape == (6, EMBEDDING_SIZE)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1.0, abs=1e-4)
    alike = found @ found.T
    within = [alike[a, b] for n in (0, 3) for a in range(n, n + 3) for b in range(a + 1, n + 3)]
    assert min(within) > alike[:3, 3:].max()


def test_softer_is_the_same_voice(encoder: SpeakerEncoder) -> None:
    [loud, soft] = encoder.embed([0.05 * pieces()[0], 0.002 * pieces()[0]])
    assert float(loud @ soft) > 0.99


def test_any_length_and_batch(encoder: SpeakerEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    various = [
        piece[: round(16000 * s)] for piece, s in zip(pieces(), (0.5, 1.6, 1.1), strict=True)
    ]
    whole = encoder.embed(various)
    monkeypatch.setattr(speakers, "_BATCH", 1)
    with usage_log() as log:
        parts = encoder.embed(various)
    assert log.uses[0].calls == 3
    assert parts == pytest.approx(whole, abs=1e-5)
    together = encoder.embed([various[1], various[1]])
    assert together == pytest.approx(np.stack([whole[1]] * 2), abs=1e-5)
    assert np.isfinite(encoder.embed([np.zeros(100, np.float32), np.zeros(0, np.float32)])).all()
    assert encoder.embed([]).shape == (0, EMBEDDING_SIZE)


def test_the_bands_are_those_of_training() -> None:
    from librosa.filters import mel

    expected = mel(sr=16000, n_fft=400, n_mels=40).T
    assert speakers.mel_bands() == pytest.approx(expected, abs=1e-7)


def test_torch_and_openvino_say_the_same(encoder: SpeakerEncoder) -> None:
    models = Models({"speaker": ModelChoice("resemblyzer", runtime="torch")})
    with models.lend("speaker") as in_torch:
        assert in_torch.identity.runtime == "torch"
        assert in_torch.embed(pieces()) == pytest.approx(encoder.embed(pieces()), abs=1e-4)
