"""pyannote's speaker segmentation: one voice is one speaker, two at once are two."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from analyzers.models import speaker_activity
from analyzers.models.base import usage_log
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.speaker_activity import (
    FIELD,
    SAMPLE_RATE_HZ,
    SPEAKERS,
    STEP,
    SpeakerActivity,
    sinc_filters,
)
from analyzers.models.weights import ModelMissing
from tests.analyzers.sample_sound import sample_sound

CHUNK = 5 * SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def network() -> SpeakerActivity:
    try:
        with Models.embedded().lend("speaker_activity") as model:
            return model
    except ModelMissing as error:
        pytest.skip(str(error))


def alone_and_over() -> list[np.ndarray]:
    """The sample's voice, and over it from 2 to 4 s its copy, a fourth deeper."""
    voice = sample_sound()[11 * SAMPLE_RATE_HZ : 11 * SAMPLE_RATE_HZ + CHUNK]
    deeper = resample_poly(sample_sound()[5600:35200], 27, 20)[: 2 * SAMPLE_RATE_HZ]
    both = voice.copy()
    both[2 * SAMPLE_RATE_HZ : 4 * SAMPLE_RATE_HZ] += deeper
    return [voice, both]


def test_two_voices_at_once_are_two_speakers(network: SpeakerActivity) -> None:
    found = network.probabilities(alone_and_over())
    assert found.shape == (2, (CHUNK - FIELD) // STEP + 1, SPEAKERS)
    assert 0 <= found.min() <= found.max() <= 1
    likeliest = np.sort(found, axis=2)[:, :, ::-1]
    assert likeliest[0, :, 0].mean() > 0.8
    assert likeliest[0, :, 1].max() < 0.4
    doubled = likeliest[1, :, 1] > 0.5
    times_s = (np.arange(len(doubled)) * STEP + FIELD / 2) / SAMPLE_RATE_HZ
    assert doubled[(times_s > 2.2) & (times_s < 3.6)].mean() > 0.8
    assert not doubled[(times_s < 1.8) | (times_s > 4.2)].any()


def test_any_batch_and_length(network: SpeakerActivity, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = alone_and_over()
    together = network.probabilities(chunks)
    monkeypatch.setattr(speaker_activity, "_BATCH", 1)
    with usage_log() as log:
        assert network.probabilities(chunks) == pytest.approx(together, abs=1e-4)
    assert log.uses[0].calls == 2
    assert network.probabilities([chunks[0][:FIELD]]).shape == (1, 1, SPEAKERS)
    assert network.probabilities([]).shape == (0, 0, SPEAKERS)


def test_the_network_hears_one_length_only(network: SpeakerActivity) -> None:
    """Each further length cost 5 MB for good, and short clips have each a length of its own."""
    heard = []

    def listen(batch: np.ndarray) -> np.ndarray:
        heard.append(batch.shape)
        return np.zeros((len(batch), (batch.shape[1] - FIELD) // STEP + 1, SPEAKERS), np.float32)

    model = SpeakerActivity(network.identity, listen)
    for samples in (FIELD, 2 * SAMPLE_RATE_HZ + 7, CHUNK):
        found = model.probabilities([np.zeros(samples, np.float32)])
        assert found.shape == (1, (samples - FIELD) // STEP + 1, SPEAKERS)
    assert heard == [(1, CHUNK)] * 3


def test_torch_and_openvino_say_the_same(network: SpeakerActivity) -> None:
    models = Models({"speaker_activity": ModelChoice("pyannote_segmentation", runtime="torch")})
    with models.lend("speaker_activity") as in_torch:
        assert in_torch.identity.runtime == "torch"
        expected = network.probabilities(alone_and_over())
        assert in_torch.probabilities(alone_and_over()) == pytest.approx(expected, abs=1e-4)


def test_filters_pass_their_band_alone_and_90_degrees_on() -> None:
    filters = sinc_filters(np.array([500.0, 3000.0]), np.array([1500.0, 8000.0]))
    assert filters.shape == (4, 251)
    samples = np.arange(4000) / SAMPLE_RATE_HZ

    def levels(hz: float) -> np.ndarray:
        """What comes out of a tone: amplitude of the pair, which is steady where they are 90 on."""
        out = [np.convolve(np.sin(2 * np.pi * hz * samples), f, "valid") for f in filters]
        gains = np.array([[2 * 1000], [2 * 5000]]) / SAMPLE_RATE_HZ
        pairs = np.hypot(out[:2], out[2:]) * gains
        assert np.ptp(pairs, axis=1).max() < 0.01
        return pairs.mean(axis=1)

    assert levels(1000) == pytest.approx([1.0, 0.0], abs=0.01)
    assert levels(5000) == pytest.approx([0.0, 1.0], abs=0.01)
    assert levels(2300) == pytest.approx([0.0, 0.0], abs=0.01)
