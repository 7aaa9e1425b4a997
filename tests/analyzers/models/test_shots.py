"""TransNet V2 as it is run here: its inputs, its windows, its two runtimes."""

import numpy as np
import pytest

from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.shots import (
    CONTEXT,
    WINDOW,
    ShotBoundaryNet,
    colour_histograms,
    load_transnetv2,
)
from analyzers.models.weights import ModelMissing
from tests.analyzers.made_shots import dissolve, scene, thumbs

IDENTITY = ModelIdentity("shots", "transnetv2", "0" * 64, "cpu", "torch")
MIDDLE = WINDOW - 2 * CONTEXT


def test_colour_histograms_count_512_colours_at_unit_length():
    frames = np.zeros((2, 27, 48, 3), np.uint8)
    frames[1, :, :24] = (255, 0, 32)
    black, half = colour_histograms(frames)
    assert black[0] == 1.0
    assert np.flatnonzero(half).tolist() == [0, (7 << 6) + 1]
    assert np.linalg.norm(half) == pytest.approx(1.0)


@pytest.mark.parametrize("count", [1, MIDDLE, MIDDLE + 1, 2 * MIDDLE + 7])
def test_windows_cover_every_frame_once_with_its_context(count):
    # Each frame carries its number; the network returns what it got in the middle.
    pixels = np.zeros((count, 27, 48, 3), np.uint8)
    pixels[:, 0, 0, 0], pixels[:, 0, 0, 1] = np.arange(count) % 256, np.arange(count) // 256
    windows = []

    def network(frames: np.ndarray, histograms: np.ndarray) -> np.ndarray:
        assert frames.shape == (WINDOW, 27, 48, 3)
        assert histograms.shape == (WINDOW, 512)
        low, high = frames[:, 0, 0, :2].T.astype(int)
        windows.append(low + 256 * high)
        return windows[-1][CONTEXT : WINDOW - CONTEXT, None].repeat(2, axis=1).astype(np.float32)

    with usage_log() as log:
        scores = ShotBoundaryNet(IDENTITY, network).score(thumbs(pixels))
    assert scores[:, 0].tolist() == list(range(count))
    assert windows[0][:CONTEXT].tolist() == [0] * CONTEXT
    assert log.uses[0].items == count
    assert log.uses[0].calls == -(-count // MIDDLE)


def test_a_step_takes_every_second_frame():
    pixels = np.zeros((301, 27, 48, 3), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(301) % 256

    def network(frames: np.ndarray, histograms: np.ndarray) -> np.ndarray:
        return frames[CONTEXT : WINDOW - CONTEXT, 0, 0, :2].astype(np.float32)

    scores = ShotBoundaryNet(IDENTITY, network).score(thumbs(pixels), step=2)
    assert scores[:, 0].tolist() == [i % 256 for i in range(0, 301, 2)]


def test_an_unknown_runtime_is_refused():
    identity = ModelIdentity("shots", "transnetv2", "0" * 64, "cpu", "tflite")
    with pytest.raises(ValueError, match="transnetv2 cannot run in 'tflite'; choose openvino"):
        load_transnetv2(identity, {}, ModelChoice("transnetv2"))


def test_torch_and_openvino_agree():
    frames = thumbs(scene(1, 60), dissolve(scene(2, 45), scene(3, 45), 15))
    scores = {}
    try:
        for runtime in ("torch", "openvino"):
            models = Models({"shots": ModelChoice("transnetv2", "cpu", runtime)})
            with models.lend("shots") as network:
                scores[runtime] = network.score(frames)
                # The precision is recorded with every result.
                assert network.identity.runtime in (runtime, f"{runtime}-bf16", f"{runtime}-f32")
    except ModelMissing as error:
        pytest.skip(str(error))
    assert scores["torch"][59, 0] > 0.9
    assert np.abs(scores["torch"] - scores["openvino"]).max() < 0.03
