"""Where a near person is, pixel by pixel: MediaPipe's selfie segmentation.

The general network (256x256) of MediaPipe 0.10.21, Apache-2.0, run under LiteRT; Google's model
card "MediaPipe Selfie Segmentation" names people within 2 metres of the camera as its purpose.
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

_SIDE_PX = 256


class SelfieMask(Model):
    """Tells for each pixel how sure it is part of a person."""

    def __init__(self, identity: ModelIdentity, network: TfliteNetwork) -> None:
        super().__init__(identity)
        self._network = network

    def mask(self, picture: np.ndarray) -> np.ndarray:
        """Confidence, float32 (height, width), 0..1, for one RGB picture, uint8.

        The picture is squeezed to a square, as MediaPipe does.
        """
        height, width = picture.shape[:2]
        square = cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_LINEAR)
        [found] = self._network((square.astype(np.float32) / 255)[None]).values()
        self.served()
        return cv2.resize(found[0, :, :, 0], (width, height), interpolation=cv2.INTER_LINEAR)


def load_selfie_mask(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> SelfieMask:
    """Loader of the network."""
    [path] = files.values()
    return SelfieMask(identity, open_tflite(path.read_bytes()))
