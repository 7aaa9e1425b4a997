"""Who of up to three speakers is active, frame by frame: pyannote's speaker segmentation.

Bredin & Laurent, "End-to-end speaker segmentation for overlap-aware resegmentation" (Interspeech
2021, https://arxiv.org/abs/2104.04045), trained on AMI, DIHARD 3 and VoxConverse. The front end is
SincNet: Ravanelli & Bengio, "Speaker recognition from raw waveform with SincNet" (SLT 2018,
https://arxiv.org/abs/1808.00158); with each band-pass filter comes its copy 90 degrees on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers import progress
from analyzers.models.base import Model, ModelIdentity
from analyzers.models.openvino_graph import compiled, save_graph

if TYPE_CHECKING:
    import torch
    from torch import nn

    from analyzers.models.lending import ModelChoice

SAMPLE_RATE_HZ = 16000
#: How much the network was trained to hear at once.
CHUNK_S = 5.0
#: Speakers that it tells apart in one chunk.
SPEAKERS = 3
#: From one frame to the next.
STEP = 270
STEP_S = STEP / SAMPLE_RATE_HZ
#: Samples that one frame is made of.
FIELD = 991

_FILTERS, _TAPS, _STRIDE, _CHANNELS = 80, 251, 10, 60
#: Lowest edge and least width of a filter's band, to which what was learned is added.
_LEAST_HZ = 50.0
_HIDDEN, _LAYERS, _WIDTH = 128, 4, 128
_CHUNK = round(CHUNK_S * SAMPLE_RATE_HZ)
#: Chunks of one call.
_BATCH = 8

#: What the file says of its training: names that torch would have to import, and nothing reads.
_UNREAD = (
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "pyannote.audio.core.model.Introspection",
    "pyannote.audio.core.task.Problem",
    "pyannote.audio.core.task.Resolution",
    "pyannote.audio.core.task.Specifications",
    "torch.torch_version.TorchVersion",
    "typing.Any",
)

#: Takes sound, float32 (n, samples), and gives probabilities, float32 (n, frames, 3). May be called
#: from several threads.
Network = Callable[[np.ndarray], np.ndarray]


class SpeakerActivity(Model):
    """Tells speakers apart within a chunk of sound. Safe to call from several threads."""

    def __init__(self, identity: ModelIdentity, network: Network) -> None:
        super().__init__(identity)
        self._network = network

    def probabilities(self, chunks: Sequence[np.ndarray]) -> np.ndarray:
        """How probably each of three speakers is active, float32 (n, frames, 3).

        `chunks`: mono float32 at 16 kHz, all of one length, of `CHUNK_S` as in training or of less
        where there is no more; at least `FIELD` samples. Frame i rests on the samples from
        `STEP` * i to `STEP` * i + `FIELD`. The order of speakers is another in each chunk.
        """
        if not chunks:
            return np.empty((0, 0, SPEAKERS), np.float32)
        frames = (len(chunks[0]) - FIELD) // STEP + 1
        found = []
        for first in range(0, len(chunks), _BATCH):
            progress.checkpoint(first, len(chunks))
            batch = np.stack(chunks[first : first + _BATCH]).astype(np.float32, copy=False)
            # Always the trained length, with silence after what is shorter: a graph in OpenVINO
            # keeps 5 MB for each length that it meets.
            missing = max(0, _CHUNK - batch.shape[1])
            found.append(self._network(np.pad(batch, ((0, 0), (0, missing))))[:, :frames])
            self.served(len(batch))
        return np.concatenate(found)


def load_pyannote_segmentation(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> SpeakerActivity:
    """Load pyannote's segmentation in torch, or as `to_openvino` converted it (CPU, in float32).

    Raises `ValueError` for another runtime, or for OpenVINO on another device.
    """
    if identity.runtime == "openvino":
        return SpeakerActivity(identity, compiled(identity, files["openvino"]))
    if identity.runtime == "torch":
        return SpeakerActivity(identity, _in_torch(identity, files["segmentation.pt"]))
    raise ValueError(
        f"{identity.model_id} cannot run in {identity.runtime!r}; choose openvino or torch"
    )


def to_openvino(weights: Path) -> Path:
    """Convert the published weights for OpenVINO, into a folder beside them; done at pull time."""
    import torch

    example = torch.zeros(2, _CHUNK)
    return save_graph(_pyannote_segmentation(weights), [example], [(-1, -1)], weights)


def _in_torch(identity: ModelIdentity, weights: Path) -> Network:
    import torch

    network = _pyannote_segmentation(weights).to(identity.device)

    def run(chunks: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            found: np.ndarray = network(torch.from_numpy(chunks).to(identity.device)).cpu().numpy()
        return found

    return run


def sinc_filters(low_hz: np.ndarray, high_hz: np.ndarray) -> np.ndarray:
    """Band-pass filters whose middle tap is 1, then the same 90 degrees on; float64 (2 n, 251).

    `low_hz`, `high_hz`: edges of the bands, shape (n,). The ideal filters are cut to 251 taps by a
    Hamming window.
    """
    times_s = (np.arange(_TAPS) - _TAPS // 2) / SAMPLE_RATE_HZ
    low_hz, high_hz = low_hz[:, None], high_hz[:, None]

    def low_pass(edge_hz: np.ndarray) -> np.ndarray:
        return np.asarray(2 * edge_hz * np.sinc(2 * edge_hz * times_s))

    def turned(edge_hz: np.ndarray) -> np.ndarray:
        """(1 - cos(2 pi f t)) / (pi t): a low pass whose every frequency is 90 degrees on."""
        return np.asarray(2 * low_pass(edge_hz / 2) * np.sin(np.pi * edge_hz * times_s))

    pairs = [band(high_hz) - band(low_hz) for band in (low_pass, turned)]
    return np.vstack(pairs) * np.hamming(_TAPS) / np.tile(2 * (high_hz - low_hz), (2, 1))


def _pyannote_segmentation(weights: Path) -> nn.Module:
    import torch
    from torch import nn
    from torch.nn import functional

    class Segmentation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wav_norm1d = nn.InstanceNorm1d(1, affine=True)
            self.conv1d = nn.ModuleList(
                [
                    nn.Conv1d(1, _FILTERS, _TAPS, stride=_STRIDE, bias=False),
                    nn.Conv1d(_FILTERS, _CHANNELS, 5),
                    nn.Conv1d(_CHANNELS, _CHANNELS, 5),
                ]
            )
            self.norm1d = nn.ModuleList(
                nn.InstanceNorm1d(n, affine=True) for n in (_FILTERS, _CHANNELS, _CHANNELS)
            )
            self.lstm = nn.LSTM(_CHANNELS, _HIDDEN, _LAYERS, batch_first=True, bidirectional=True)
            self.linear = nn.ModuleList([nn.Linear(2 * _HIDDEN, _WIDTH), nn.Linear(_WIDTH, _WIDTH)])
            self.classifier = nn.Linear(_WIDTH, SPEAKERS)

        def forward(self, sound: torch.Tensor) -> torch.Tensor:
            found = self.wav_norm1d(sound[:, None])
            found = self.conv1d[0](found).abs()
            for number, norm in enumerate(self.norm1d):
                if number:
                    found = self.conv1d[number](found)
                found = functional.leaky_relu(norm(functional.max_pool1d(found, 3)))
            states, _ = self.lstm(found.transpose(1, 2))
            for layer in self.linear:
                states = functional.leaky_relu(layer(states))
            return torch.sigmoid(self.classifier(states))

    published = _state(weights)
    bank = "sincnet.conv1d.0.filterbank."
    state = {
        name.removeprefix("sincnet."): tensor
        for name, tensor in published.items()
        if not name.startswith(bank)
    }
    low_hz = _LEAST_HZ + published[bank + "low_hz_"].double().abs().numpy().ravel()
    wide_hz = _LEAST_HZ + published[bank + "band_hz_"].double().abs().numpy().ravel()
    filters = sinc_filters(low_hz, np.minimum(low_hz + wide_hz, SAMPLE_RATE_HZ / 2))
    state["conv1d.0.weight"] = torch.from_numpy(filters[:, None]).float()
    network = Segmentation()
    network.load_state_dict(state)
    return network.eval()


class _Unread:
    """Stands in for whatever the file says of its training."""

    def __init__(self, *args: object) -> None: ...


def _state(weights: Path) -> dict[str, Any]:
    """The tensors by name; of what else the file holds nothing is imported."""
    import torch

    stand_ins: list[Any] = [(_Unread, name) for name in _UNREAD]
    # For good and not for this call alone: taking them back would race with another load.
    torch.serialization.add_safe_globals([*stand_ins, defaultdict, dict, int, list])
    state: dict[str, Any] = torch.load(weights, map_location="cpu", weights_only=True)["state_dict"]
    return state
