"""Who speaks, as numbers: the speaker encoder of Resemblyzer.

Network and front end: Wan et al., "Generalized end-to-end loss for speaker verification" (ICASSP
2018, https://arxiv.org/abs/1710.10467), trained by https://github.com/resemble-ai/Resemblyzer on
LibriSpeech and VoxCeleb, mostly English.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import fft
from scipy.signal import get_window

from analyzers import progress
from analyzers.models.base import Model, ModelIdentity
from analyzers.models.openvino_graph import compiled, save_graph

if TYPE_CHECKING:
    from torch import nn

    from analyzers.models.lending import ModelChoice

SAMPLE_RATE_HZ = 16000
EMBEDDING_SIZE = 256
#: The front end that the network was trained with: 25 ms every 10 ms, 40 mel bands, no logarithm.
_FRAME, _HOP, _BANDS = 400, 160, 40
#: Softer sound is raised to this level (-30 dBFS), as in training; louder sound is left.
_LEVEL = 10 ** (-30 / 20)
_HIDDEN, _LAYERS = 256, 3
#: Frames of a piece in training, 1.6 s.
_TRAINED_FRAMES = 160
#: Pieces of one call.
_BATCH = 32

#: Takes mel bands, float32 (n, frames, 40), and gives float32 (n, 256), not negative, of any
#: length. May be called from several threads.
Network = Callable[[np.ndarray], np.ndarray]


class SpeakerEncoder(Model):
    """Gives the same direction for the same voice. Safe to call from several threads."""

    def __init__(self, identity: ModelIdentity, network: Network) -> None:
        super().__init__(identity)
        self._network = network
        self._mel = mel_bands()
        self._window = get_window("hann", _FRAME).astype(np.float32)

    def embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        """Unit vectors, float32 (n, 256); their dot product tells how alike two voices are.

        `pieces`: mono float32 at 16 kHz, each with one voice. From 1.6 s on they can be told apart
        well; half a second is a hint. Parts of one voice have 0.6 to 0.9, two voices 0.3 to 0.55.
        """
        found = np.zeros((len(pieces), EMBEDDING_SIZE), np.float32)
        # A batch has one length: the network's answer is its state after the last frame.
        alike: dict[int, list[int]] = defaultdict(list)
        for number, piece in enumerate(pieces):
            alike[len(piece) // _HOP].append(number)
        batches = [
            numbers[i : i + _BATCH]
            for numbers in alike.values()
            for i in range(0, len(numbers), _BATCH)
        ]
        for done, batch in enumerate(batches):
            progress.checkpoint(done, len(batches))
            raw = self._network(np.stack([self._bands(pieces[number]) for number in batch]))
            found[batch] = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-9)
            self.served(len(batch))
        return found

    def _bands(self, piece: np.ndarray) -> np.ndarray:
        sound = np.asarray(piece, np.float32)
        level = float(np.sqrt(np.square(sound).mean())) if len(sound) else 0.0
        if 0 < level < _LEVEL:
            sound = sound * (_LEVEL / level)
        sound = np.pad(sound, _FRAME // 2)
        frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP]
        power = np.square(np.abs(fft.rfft(frames * self._window)))
        return np.asarray(power @ self._mel, np.float32)


def mel_bands() -> np.ndarray:
    """Weights of 40 mel bands up to 8 kHz for the bins of a frame, float32 (201, 40).

    Slaney's scale (Auditory Toolbox, 1998), linear to 1 kHz and logarithmic above, with bands of
    equal area. The same as librosa's, whose import alone takes a second.
    """
    knee_mel, per_octave = 15.0, 27 / np.log(6.4)
    top_mel = knee_mel + per_octave * np.log(SAMPLE_RATE_HZ / 2 / 1000)
    mels = np.linspace(0.0, top_mel, _BANDS + 2)
    above_hz = 1000 * np.exp((mels - knee_mel) / per_octave)
    edges_hz = np.where(mels < knee_mel, mels * 200 / 3, above_hz)
    bins_hz = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE_HZ)[:, None]
    low, middle, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (bins_hz - low) / (middle - low)
    falling = (high - bins_hz) / (high - middle)
    bands = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (high - low)
    return np.asarray(bands, np.float32)


def load_resemblyzer(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> SpeakerEncoder:
    """Load Resemblyzer in torch, or as `to_openvino` converted it (CPU, in float32).

    Raises `ValueError` for another runtime, or for OpenVINO on another device.
    """
    if identity.runtime == "openvino":
        # In float32: the errors of bfloat16 would add up from frame to frame.
        return SpeakerEncoder(identity, compiled(identity, files["openvino"]))
    if identity.runtime == "torch":
        return SpeakerEncoder(identity, _in_torch(identity, files["pretrained.pt"]))
    raise ValueError(
        f"{identity.model_id} cannot run in {identity.runtime!r}; choose openvino or torch"
    )


def to_openvino(weights: Path) -> Path:
    """Convert the published weights for OpenVINO, into a folder beside them; done at pull time."""
    import torch

    example = torch.zeros(2, _TRAINED_FRAMES, _BANDS)
    return save_graph(_resemblyzer(weights), [example], [(-1, -1, _BANDS)], weights)


def _in_torch(identity: ModelIdentity, weights: Path) -> Network:
    import torch

    network = _resemblyzer(weights).to(identity.device)

    def run(bands: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            found: np.ndarray = network(torch.from_numpy(bands).to(identity.device)).cpu().numpy()
        return found

    return run


def _resemblyzer(weights: Path) -> nn.Module:
    import torch
    from torch import nn

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(_BANDS, _HIDDEN, _LAYERS, batch_first=True)
            self.linear = nn.Linear(_HIDDEN, EMBEDDING_SIZE)

        def forward(self, bands: torch.Tensor) -> torch.Tensor:
            states, _ = self.lstm(bands)
            return torch.relu(self.linear(states[:, -1]))

    # What the file has beside the weights (the optimizer's state) was saved on a GPU.
    state = torch.load(weights, map_location="cpu", weights_only=True)["model_state"]
    network = Encoder()
    network.load_state_dict({k: v for k, v in state.items() if not k.startswith("similarity_")})
    return network.eval()
