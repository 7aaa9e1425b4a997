"""Shot boundaries: TransNet V2 (Souček & Lokoč 2020, https://arxiv.org/abs/2008.04838)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers import progress
from analyzers.models.base import Model, ModelIdentity
from analyzers.models.lending import ModelChoice
from analyzers.models.openvino_graph import compiled, cpu_precision, save_graph
from analyzers.video import Frames

if TYPE_CHECKING:
    from torch import nn

#: Frames the network sees at once. The paper takes 100, of which the middle 50 count; 200 gives
#: the same cuts on the labelled clips (scores within 0.02) for two thirds of the work.
WINDOW = 200
#: Frames at each end of a window that only give context, as in the paper.
CONTEXT = 25
#: Frames before and after to which each frame is compared.
_LOOKUP = 50
#: 8 levels for each of red, green and blue.
_COLOURS = 512
_DILATIONS = (1, 2, 4, 8)

#: Scores `WINDOW - 2 * CONTEXT` middle frames: takes uint8 (WINDOW, 27, 48, 3) and float32
#: (WINDOW, 512), gives float32 (WINDOW - 2 * CONTEXT, 2). May be called from several threads.
Network = Callable[[np.ndarray, np.ndarray], np.ndarray]


class ShotBoundaryNet(Model):
    """Scores each frame for being the last one of a shot, and for lying in a transition."""

    def __init__(self, identity: ModelIdentity, network: Network) -> None:
        super().__init__(identity)
        self._network = network

    def score(self, thumbs: Frames, step: int = 1) -> np.ndarray:
        """Scores of every `step`-th frame, float32 (ceil(n / step), 2), 0..1.

        `thumbs`: uint8 frames, 27x48 RGB. Column 0: the shot's last frame (in a gradual
        transition its middle). Column 1: the frame is part of a transition.
        """
        chosen = np.arange(0, len(thumbs), step)
        scores = np.empty((len(chosen), 2), np.float32)
        middle = WINDOW - 2 * CONTEXT
        for first in range(0, len(chosen), middle):
            progress.checkpoint(first, len(chosen))
            # Beyond both ends of the video its first and its last frame are repeated.
            places = np.arange(first - CONTEXT, first + middle + CONTEXT)
            window = np.stack([thumbs[i] for i in chosen[places.clip(0, len(chosen) - 1)]])
            part = scores[first : first + middle]
            part[:] = self._network(window, colour_histograms(window))[: len(part)]
            self.served(len(part))
        return scores


def colour_histograms(frames: np.ndarray) -> np.ndarray:
    """Unit-length histograms of 8x8x8 RGB levels: uint8 (n, h, w, 3) to float32 (n, 512)."""
    levels = (frames >> 5).reshape(len(frames), -1, 3).astype(np.int64)
    colours = (levels[..., 0] << 6) + (levels[..., 1] << 3) + levels[..., 2]
    places = colours + np.arange(len(frames))[:, None] * _COLOURS
    counts = np.bincount(places.ravel(), minlength=len(frames) * _COLOURS)
    histograms = counts.reshape(len(frames), _COLOURS).astype(np.float32)
    return histograms / np.linalg.norm(histograms, axis=1, keepdims=True)


def load_transnetv2(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> ShotBoundaryNet:
    """Load TransNet V2 in torch, or as `to_openvino` converted it (CPU).

    OpenVINO computes in bfloat16 where the CPU has instructions for it (scores within 0.003 of
    float32); the model's identity says which.
    Raises `ValueError` for another runtime, or for OpenVINO on another device.
    """
    if identity.runtime == "openvino":
        return _in_openvino(identity, files["openvino"])
    if identity.runtime == "torch":
        return _in_torch(identity, files)
    raise ValueError(
        f"{identity.model_id} cannot run in {identity.runtime!r}; choose openvino or torch"
    )


def to_openvino(weights: Path) -> Path:
    """Convert the published weights for OpenVINO, into a folder beside them; done at pull time.

    Tracing takes 4 s, loading what it wrote 0.2 s.
    """
    import torch

    example = (
        torch.zeros(WINDOW, 27, 48, 3, dtype=torch.uint8),
        torch.zeros(WINDOW, _COLOURS),
    )
    return save_graph(
        _transnetv2(weights), example, [tuple(tensor.shape) for tensor in example], weights
    )


def _in_openvino(identity: ModelIdentity, folder: Path) -> ShotBoundaryNet:
    precision = cpu_precision()
    run = compiled(identity, folder, precision)
    return ShotBoundaryNet(replace(identity, runtime=f"openvino-{precision}"), run)


def _in_torch(identity: ModelIdentity, files: Mapping[str, Path]) -> ShotBoundaryNet:
    import torch

    [weights] = files.values()
    network = _transnetv2(weights).to(identity.device)

    def run(frames: np.ndarray, histograms: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            scores = network(
                torch.from_numpy(frames).to(identity.device),
                torch.from_numpy(histograms).to(identity.device),
            )
        return scores.cpu().numpy()

    return ShotBoundaryNet(identity, run)


def _transnetv2(weights: Path) -> nn.Module:
    """The network with its published weights, for windows of `WINDOW` frames.

    The paper's 3-D convolutions are factorized into one over space and one over time, so both are
    2-D convolutions here, and the spatial ones of the four dilations are one: same sums, less
    work. Colour histograms come in ready-made.
    """
    import torch
    from torch import nn
    from torch.nn import functional

    class Cell(nn.Module):
        """A dilated cell: 3x3 over space, then 3 over time at four dilations, side by side."""

        def __init__(self, channels: int, width: int) -> None:
            super().__init__()
            self.width = width
            self.space = nn.Conv2d(channels, 8 * width, 3, padding=1, bias=False)
            self.time = nn.ModuleList(
                nn.Conv2d(2 * width, width, (3, 1), dilation=(d, 1), padding=(d, 0), bias=False)
                for d in _DILATIONS
            )
            self.norm = nn.BatchNorm2d(4 * width, eps=1e-3)

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            """(frames, channels, h, w) to (frames, 4 * width, h, w)."""
            count, _, height, width = frames.shape
            x = self.space(frames).transpose(0, 1).reshape(1, -1, count, height * width)
            parts = x.split(2 * self.width, dim=1)
            x = torch.cat([conv(p) for conv, p in zip(self.time, parts, strict=True)], dim=1)
            return self.norm(x).reshape(-1, count, height, width).transpose(0, 1)

    class Block(nn.Module):
        """Two cells with a skip connection, then half the picture size."""

        def __init__(self, channels: int, width: int) -> None:
            super().__init__()
            self.first = Cell(channels, width)
            self.second = Cell(4 * width, width)

        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            """(frames, channels, h, w) to (frames, 4 * width, h // 2, w // 2)."""
            first = functional.relu(self.first(frames))
            return functional.avg_pool2d(functional.relu(self.second(first)) + first, 2)

    class TransNetV2(nn.Module):
        places: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([Block(3, 16), Block(64, 32), Block(128, 64)])
            self.projection = nn.Linear(64 + 128 + 256, 128)
            self.similar_features = nn.Linear(2 * _LOOKUP + 1, 128)
            self.similar_colours = nn.Linear(2 * _LOOKUP + 1, 128)
            self.hidden = nn.Linear(3 * 6 * 256 + 128 + 128, 1024)
            self.last_of_shot = nn.Linear(1024, 1)
            self.in_transition = nn.Linear(1024, 1)
            rows = np.arange(CONTEXT, WINDOW - CONTEXT)[:, None]
            places = rows * (WINDOW + 2 * _LOOKUP) + rows + np.arange(2 * _LOOKUP + 1)
            self.register_buffer("places", torch.from_numpy(places.ravel()), persistent=False)

        def similarities(self, vectors: torch.Tensor) -> torch.Tensor:
            """Of each middle frame to the 50 before and after it; 0 beyond the window."""
            products = functional.pad(vectors @ vectors.t(), (_LOOKUP, _LOOKUP))
            return products.reshape(-1)[self.places].reshape(-1, 2 * _LOOKUP + 1)

        def forward(self, frames: torch.Tensor, histograms: torch.Tensor) -> torch.Tensor:
            """(WINDOW, 27, 48, 3) and (WINDOW, 512) to (WINDOW - 2 * CONTEXT, 2)."""
            x = frames.permute(0, 3, 1, 2).float() / 255
            means = []
            for block in self.blocks:
                x = block(x)
                means.append(x.mean((2, 3)))
            features = functional.normalize(self.projection(torch.cat(means, dim=1)), dim=1)
            middle = x[CONTEXT : WINDOW - CONTEXT].permute(0, 2, 3, 1).flatten(1)
            joined = torch.cat(
                [
                    functional.relu(self.similar_colours(self.similarities(histograms))),
                    functional.relu(self.similar_features(self.similarities(features))),
                    middle,
                ],
                dim=1,
            )
            hidden = functional.relu(self.hidden(joined))
            scores = torch.cat([self.last_of_shot(hidden), self.in_transition(hidden)], dim=1)
            return torch.sigmoid(scores)

    network = TransNetV2()
    network.load_state_dict(_renamed(torch.load(weights, map_location="cpu", weights_only=True)))
    return network.eval()


def _renamed(weights: Mapping[str, Any]) -> dict[str, Any]:
    """The published weights under the names and in the shapes used above."""
    import torch

    renamed: dict[str, Any] = {}
    for block in range(3):
        for cell, name in enumerate(("first", "second")):
            source = f"SDDCNN.{block}.DDCNN.{cell}."
            target = f"blocks.{block}.{name}."
            spatial = [weights[f"{source}Conv3D_{d}.layers.0.weight"] for d in _DILATIONS]
            renamed[f"{target}space.weight"] = torch.cat(spatial).squeeze(2)
            for place, dilation in enumerate(_DILATIONS):
                temporal = weights[f"{source}Conv3D_{dilation}.layers.1.weight"]
                renamed[f"{target}time.{place}.weight"] = temporal.squeeze(-1)
            for key in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                renamed[f"{target}norm.{key}"] = weights[f"{source}bn.{key}"]
    for target, source in (
        ("projection", "frame_sim_layer.projection"),
        ("similar_features", "frame_sim_layer.fc"),
        ("similar_colours", "color_hist_layer.fc"),
        ("hidden", "fc1"),
        ("last_of_shot", "cls_layer1"),
        ("in_transition", "cls_layer2"),
    ):
        for key in ("weight", "bias"):
            renamed[f"{target}.{key}"] = weights[f"{source}.{key}"]
    return renamed
