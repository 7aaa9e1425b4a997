"""Silero: speech of the sample against its cues, blocks, silence."""

import json

import numpy as np
import pytest

from analyzers.models import vad
from analyzers.models.base import usage_log
from analyzers.models.lending import Models
from analyzers.models.vad import WINDOW_S, VoiceDetector
from analyzers.models.weights import ModelMissing
from tests.analyzers.sample_sound import SAMPLE, sample_sound


@pytest.fixture(scope="module")
def voice() -> VoiceDetector:
    try:
        with Models.embedded().lend("vad") as model:
            return model
    except ModelMissing as error:
        pytest.skip(str(error))


def test_hears_the_cues_and_nothing_between(voice: VoiceDetector) -> None:
    cues = json.loads(SAMPLE.with_suffix(".gt.json").read_text())["cues"]
    likely = voice.probabilities(sample_sound())
    times_s = (np.arange(len(likely)) + 0.5) * WINDOW_S
    spoken = np.zeros(len(likely), bool)
    for cue in cues:
        inside = (times_s >= cue["start_s"]) & (times_s < cue["end_s"])
        spoken |= inside
        assert likely[inside].max() > 0.9, cue
    assert (likely[~spoken] > 0.5).mean() < 0.15


def test_blocks_do_not_change_the_answer(
    voice: VoiceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = sample_sound()[: 5 * 16000 + 100]
    whole = voice.probabilities(sound)
    monkeypatch.setattr(vad, "_BLOCK", 40)
    with usage_log() as log:
        parts = voice.probabilities(sound)
    assert whole.dtype == np.float32
    assert len(whole) == -(-len(sound) // 512)
    np.testing.assert_allclose(parts, whole, atol=1e-4)
    [use] = log.uses
    assert (use.calls, use.items) == (4, len(whole))


def test_no_voice_in_silence_nor_in_noise(voice: VoiceDetector) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 32000).astype(np.float32)
    assert voice.probabilities(np.zeros(32000, np.float32)).max() < 0.3
    assert voice.probabilities(noise).max() < 0.5
    assert voice.probabilities(np.zeros(0, np.float32)).shape == (0,)
