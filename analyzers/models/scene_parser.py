"""What every part of a picture is: SegFormer (Xie et al. 2021, arXiv:2105.15203) on ADE20K.

ADE20K (Zhou et al. 2017, "Scene parsing through ADE20K dataset") has 150 classes, of things and of
what surrounds them: wall, sky, floor, tree, road. Any network that transformers knows for semantic
segmentation is loaded alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.halving import HalvingBatches
from analyzers.models.pretrained import folder_of, open_pretrained

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice


class SceneParser(Model):
    """Tells of every part of a picture what it is. `labels`: the classes' names, by number."""

    #: How many pictures go through the network at once.
    batch_size = 8

    def __init__(self, identity: ModelIdentity, network: Any, processor: Any) -> None:
        super().__init__(identity)
        self._network = network
        self._processor = processor
        self._batches = HalvingBatches(identity.model_id)
        names = network.config.id2label
        #: Without the synonyms that ADE20K gives after a comma.
        self.labels = tuple(names[k].partition(",")[0].strip() for k in sorted(names))

    def parse(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Class numbers of RGB pictures, uint8 (height, width, 3) of any sizes.

        Comes back as int64 (n, rows, columns): a coarse map of the whole picture, stretched to the
        network's form, a quarter of its input's size. Raises `OutOfDeviceMemory`.
        """
        maps: list[np.ndarray] = self._batches.run(pictures, self._parsed, self.batch_size)
        return np.stack(maps)

    def _parsed(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        import torch

        inputs = self._processor(images=list(pictures), return_tensors="pt")
        with torch.inference_mode():
            logits = self._network(
                pixel_values=inputs["pixel_values"].to(self.identity.device, self._network.dtype)
            ).logits
        self.served(len(pictures))
        return list(logits.argmax(dim=1).cpu().numpy())


def load_scene_parser(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> SceneParser:
    """Loader for transformers' networks of semantic segmentation. Raises as `open_pretrained`."""
    from transformers import AutoImageProcessor, AutoModelForSemanticSegmentation

    processor = AutoImageProcessor.from_pretrained(
        folder_of(identity, files), local_files_only=True
    )
    network = open_pretrained(AutoModelForSemanticSegmentation, identity, files)
    return SceneParser(identity, network, processor)
