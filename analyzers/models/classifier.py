"""What a picture shows, in the thousand classes of ImageNet, and a vector to compare it by.

EfficientNet-Lite3 (Tan & Le 2019, arXiv:1905.11946; https://github.com/tensorflow/tpu, Apache-2.0),
quantized to 8 bits by its makers: 79 % right at the first guess on ImageNet's pictures, where one
object fills the frame. A street, a portrait or a drawing is none of its classes: what it says there
is not sure of itself, and is to be held under a floor of confidence.

MobileNetV2 was measured beside it on crops of objects in the demo clips: 5 CPU-ms instead of 7, but
sure of what is not so (a football is an Angora rabbit at 0.72, a dot on a slide show).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

_SIDE_PX = 280
#: Length of the vector before the classes.
_FEATURES = 1280
#: Mean and scale the EfficientNet-Lite family was trained with, in levels of 8 bits.
_MEAN, _SCALE = 127.0, 128.0
#: Step and zero of the network's 8-bit input, as its file declares them.
_STEP, _ZERO = 0.012667336501181126, 130
#: The network's input for each of 256 levels.
_INPUT = np.clip(np.rint((np.arange(256) - _MEAN) / _SCALE / _STEP + _ZERO), 0, 255).astype(
    np.uint8
)


@dataclass(frozen=True)
class Classified:
    """What was made of some pictures.

    `probabilities`: float32 (n, 1000), in the order of the classifier's `labels`; each sums to 1.
    `embeddings`: float32 (n, 1280) of unit length: the dot product of two says how alike the
    pictures are, 1 for the same.
    """

    probabilities: np.ndarray
    embeddings: np.ndarray


class ImageClassifier(Model):
    """Tells how probable each class of ImageNet is for a picture that shows one thing."""

    def __init__(self, identity: ModelIdentity, network: Any, labels: Sequence[str]) -> None:
        super().__init__(identity)
        self._network = network
        #: Names of the classes, each the first of its synonyms ("crane" and "maillot" stand twice).
        self.labels = tuple(labels)

    def classify(self, pictures: Sequence[np.ndarray]) -> Classified:
        """Classify RGB pictures, uint8 (height, width, 3) of any sizes.

        A picture is made square by stretching; cut it square beforehand where shape matters.
        """
        answers = [self._network([_square(picture)[None]]) for picture in pictures]
        if pictures:
            self.served(len(pictures))
        probabilities = np.array([a[0] for a in answers], np.float32).reshape(-1, len(self.labels))
        features = np.array([a[1] for a in answers], np.float32).reshape(-1, _FEATURES)
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return Classified(probabilities, features / np.maximum(lengths, 1e-6))


def _square(picture: np.ndarray) -> np.ndarray:
    shrinks = min(picture.shape[:2]) > _SIDE_PX
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.LUT(cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=method), _INPUT)


def load_efficientnet_lite(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> ImageClassifier:
    """Loader of the `.tflite` network in OpenVINO, which gives inner layers as well.

    7 CPU-ms a picture, as LiteRT takes, which gives out no more than probabilities rounded to 8
    bits. One thread: a second one only waits. Raises `ValueError` where the names are not 1000.
    """
    import openvino

    path = next(p for name, p in files.items() if name.endswith(".tflite"))
    names = next(p for name, p in files.items() if name.endswith(".txt"))
    lines = names.read_text(encoding="utf-8").splitlines()
    labels = [line.partition(",")[0].strip() for line in lines if line.strip()]
    if len(labels) != 1000:
        raise ValueError(f"{names.name} of {identity.model_id} has {len(labels)} names, not 1000")
    core = openvino.Core()
    whole = core.read_model(path)
    [softmax] = [op for op in whole.get_ops() if op.get_type_name() == "Softmax"]
    [pooled] = [op for op in whole.get_ops() if op.get_type_name() == "AvgPool"]
    network = openvino.Model([softmax.output(0), pooled.output(0)], whole.get_parameters())
    compiled = core.compile_model(
        network, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    )

    def run(inputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        # A request of its own for each call: one cannot be shared by threads.
        probabilities, features = compiled.create_infer_request().infer(inputs).values()
        return probabilities, features

    return ImageClassifier(identity, run, labels)
