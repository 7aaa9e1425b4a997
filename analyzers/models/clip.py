"""How well sentences describe a picture: CLIP (Radford et al. 2021, arXiv:2103.00020).

It puts pictures and sentences into one space, so that any sentence is a class without training. The
sentences that the analyzers ask about stand in `analyzers.methods.picture.prompts`.
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


class Clip(Model):
    """Compares pictures with sentences, and pictures with each other."""

    #: How many pictures go through the network at once.
    batch_size = 16

    def __init__(self, identity: ModelIdentity, network: Any, processor: Any) -> None:
        super().__init__(identity)
        self._network = network
        self._processor = processor
        self._batches = HalvingBatches(identity.model_id)
        self._texts: dict[tuple[str, ...], np.ndarray] = {}

    def embed(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Vectors of unit length, float32 (n, d), of RGB pictures, uint8 (height, width, 3).

        The processor cuts a square out of the middle; the dot product of two says how alike the
        pictures are. Raises `OutOfDeviceMemory`.
        """
        vectors = self._batches.run(pictures, self._embedded, self.batch_size)
        width = self._network.config.projection_dim
        return _unit(np.stack(vectors) if vectors else np.zeros((0, width), np.float32))

    def _embedded(self, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
        import torch

        pixels = self._processor(images=list(pictures), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            told = self._network.vision_model(
                pixel_values=pixels.to(self.identity.device, self._network.dtype)
            ).pooler_output
            vectors = self._network.visual_projection(told).float().cpu().numpy()
        self.served(len(pictures))
        return list(vectors)

    def probabilities(
        self, embeddings: np.ndarray, prompts: Mapping[str, Sequence[str]]
    ) -> np.ndarray:
        """Of each class for each picture, float32 (n, classes), each row with a sum of 1.

        `embeddings`: of `embed`. `prompts`: sentences by class; a class is the mean of its
        sentences (Radford et al. 2021, section 3.1.4). Softmax at the temperature CLIP learnt.
        """
        classes = np.stack([self._text(tuple(sentences)) for sentences in prompts.values()])
        scale = float(self._network.logit_scale.detach().float().exp().cpu())
        logits = scale * embeddings @ classes.T
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (likely / likely.sum(axis=1, keepdims=True)).astype(np.float32)

    def _text(self, sentences: tuple[str, ...]) -> np.ndarray:
        """One class's vector; kept, since the same sentences are asked about in every video."""
        import torch

        if sentences not in self._texts:
            tokens = self._processor(
                text=list(sentences), return_tensors="pt", padding=True, truncation=True
            ).to(self.identity.device)
            with torch.inference_mode():
                told = self._network.text_model(**tokens).pooler_output
                vectors = self._network.text_projection(told).float().cpu().numpy()
            self._texts[sentences] = _unit(_unit(vectors).mean(axis=0))
        return self._texts[sentences]


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-6)).astype(np.float32)


def load_clip(identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice) -> Clip:
    """Loader for transformers' CLIP. Raises as `open_pretrained` does."""
    from transformers import CLIPModel, CLIPProcessor

    processor = CLIPProcessor.from_pretrained(folder_of(identity, files), local_files_only=True)
    return Clip(identity, open_pretrained(CLIPModel, identity, files), processor)
