"""What can be heard: Audio Spectrogram Transformer (Gong, Chung & Glass 2021, arXiv:2104.01778).

All 527 classes of AudioSet under AudioSet's own names, YAMNet's 521 among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzers.models.base import ModelIdentity
from analyzers.models.halving import HalvingBatches
from analyzers.models.pretrained import folder_of, open_pretrained
from analyzers.models.soundscape import SAMPLE_RATE_HZ, SoundEventClassifier, windows_of

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice


class SpectrogramTransformer(SoundEventClassifier):
    """Hears the windows of a second that YAMNet does, each padded to the ten it was trained on."""

    #: How many windows go through the network at once.
    batch_size = 32

    def __init__(self, identity: ModelIdentity, network: Any, processor: Any) -> None:
        names = network.config.id2label
        super().__init__(identity, network, [names[k] for k in sorted(names)])
        self._processor = processor
        self._batches = HalvingBatches(identity.model_id)

    def probabilities(self, sound: np.ndarray, starts: Sequence[int]) -> np.ndarray:
        """As YAMNet's, float32 (n, classes); each class's own probability.

        Raises `OutOfDeviceMemory`.
        """
        windows = windows_of(sound, starts)
        found = self._batches.run(windows, self._heard, self.batch_size)
        self.served(len(starts))
        return np.stack(found) if found else np.zeros((0, len(self.classes)), np.float32)

    def _heard(self, windows: Sequence[np.ndarray]) -> list[np.ndarray]:
        import torch

        inputs = self._processor(list(windows), sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
        with torch.inference_mode():
            logits = self._network(
                inputs["input_values"].to(self.identity.device, self._network.dtype)
            ).logits
        return list(logits.float().sigmoid().cpu().numpy())


def load_spectrogram_transformer(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> SpectrogramTransformer:
    """Loader for transformers' AST. Raises as `open_pretrained` does."""
    from transformers import ASTFeatureExtractor, ASTForAudioClassification

    processor = ASTFeatureExtractor.from_pretrained(
        folder_of(identity, files), local_files_only=True
    )
    network = open_pretrained(ASTForAudioClassification, identity, files)
    return SpectrogramTransformer(identity, network, processor)
