"""Object detectors: YOLO (Ultralytics) and YOLOX, behind one call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.lending import ModelChoice
from analyzers.models.networks import Network, open_network
from analyzers.models.ultralytics_torch import in_torch

#: The 80 classes of COCO detection (Lin et al. 2014, arXiv:1405.0312), in the networks' order.
COCO_LABELS: tuple[str, ...] = tuple(
    """person|bicycle|car|motorcycle|airplane|bus|train|truck|boat|traffic light|fire hydrant
    |stop sign|parking meter|bench|bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe
    |backpack|umbrella|handbag|tie|suitcase|frisbee|skis|snowboard|sports ball|kite|baseball bat
    |baseball glove|skateboard|surfboard|tennis racket|bottle|wine glass|cup|fork|knife|spoon|bowl
    |banana|apple|sandwich|orange|broccoli|carrot|hot dog|pizza|donut|cake|chair|couch
    |potted plant|bed|dining table|toilet|tv|laptop|mouse|remote|keyboard|cell phone|microwave
    |oven|toaster|sink|refrigerator|book|clock|vase|scissors|teddy bear|hair drier
    |toothbrush""".replace("\n    ", "").split("|")
)

#: Grey that both families were trained to see around a letterboxed picture.
_PAD_VALUE = 114
#: Deepest stride of the networks: sides of the input are multiples of it.
_STRIDE = 32
#: Overlap (IoU) over which two boxes of a class are one object, as YOLOX evaluates with.
_NMS_IOU = 0.65


@dataclass(frozen=True)
class Detections:
    """The objects found in one frame, most confident first.

    `boxes`: float32 (n, 4), corners x1, y1, x2, y2 relative to the frame, 0..1.
    `confidence`: float32 (n,). `class_ids`: int64 (n,), places in the detector's `labels`.
    """

    boxes: np.ndarray
    confidence: np.ndarray
    class_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


class Detector(Model):
    """Finds objects of known classes in pictures."""

    #: Names of the classes, in the order of `Detections.class_ids`.
    labels: tuple[str, ...] = COCO_LABELS

    def __init__(self, identity: ModelIdentity, network: Network, batch_size: int) -> None:
        super().__init__(identity)
        self._network = network
        #: How many frames `detect` likes to get at a time.
        self.batch_size = batch_size

    def detect(self, frames: Sequence[np.ndarray], min_confidence: float) -> list[Detections]:
        """Find the objects in RGB pictures of one size.

        `frames`: uint8 (height, width, 3) each. One `Detections` for each frame comes back.
        """
        height, width = frames[0].shape[:2]
        box = self._letterbox(height, width)
        output = self._network(self._batch([box.fit(frame) for frame in frames]))
        self.served(len(frames))
        found = []
        for raw in output:
            pixels, confidence, class_ids = self._decode(raw, box, min_confidence)
            order = np.argsort(-confidence, kind="stable")
            found.append(
                Detections(box.relative(pixels[order]), confidence[order], class_ids[order])
            )
        return found

    @abstractmethod
    def _letterbox(self, height: int, width: int) -> Letterbox:
        """How a picture of this size is put into the network's input."""

    @abstractmethod
    def _batch(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Letterboxed RGB pictures as the network's input, float32 (n, 3, height, width)."""

    @abstractmethod
    def _decode(
        self, raw: np.ndarray, box: Letterbox, min_confidence: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One picture's output as corners in input pixels (n, 4), confidence and class ids."""


@dataclass(frozen=True)
class Letterbox:
    """Scales a picture with its aspect kept and pads it to the network's input size."""

    source: tuple[int, int]
    scaled: tuple[int, int]
    padded: tuple[int, int]
    top: int
    left: int

    @classmethod
    def centred(cls, height: int, width: int, long_side_px: int) -> Letterbox:
        """For a picture of this size, as the YOLO family of Ultralytics wants it.

        Sides go only to the next multiple of the stride: 640x360 costs 0.6 of a square.
        """
        scale = long_side_px / max(height, width)
        scaled = (max(1, round(height * scale)), max(1, round(width * scale)))
        padded = tuple(-(-side // _STRIDE) * _STRIDE for side in scaled)
        return cls(
            (height, width),
            scaled,
            (padded[0], padded[1]),
            (padded[0] - scaled[0]) // 2,
            (padded[1] - scaled[1]) // 2,
        )

    def fit(self, picture: np.ndarray) -> np.ndarray:
        """The picture, scaled and padded."""
        if self.scaled != self.source:
            picture = cv2.resize(picture, self.scaled[::-1], interpolation=cv2.INTER_LINEAR)
        bottom = self.padded[0] - self.scaled[0] - self.top
        right = self.padded[1] - self.scaled[1] - self.left
        return cv2.copyMakeBorder(
            picture,
            self.top,
            bottom,
            self.left,
            right,
            cv2.BORDER_CONSTANT,
            value=(_PAD_VALUE,) * 3,
        )

    def relative(self, corners: np.ndarray) -> np.ndarray:
        """Corners in input pixels as parts of the picture's width and height, cut at its edges.

        The last axis is x, y, or x and y of several points in turn.
        """
        shifted = corners.reshape(-1, 2) - np.array([self.left, self.top], np.float32)
        parts = (shifted / np.array(self.scaled[::-1], np.float32)).clip(0, 1).astype(np.float32)
        return parts.reshape(corners.shape)


class Yolo(Detector):
    """The YOLO family as Ultralytics trains it (https://docs.ultralytics.com/models/yolo26).

    YOLO26 has a second head that needs no suppression of overlapping boxes. The classic one is
    taken, as Ultralytics does by default: on the demo clips it finds more for 2 CPU-ms a frame
    (dining table in 0.73 of the frames instead of 0.42, ball 0.67 and 0.56, cars 0.54 and 0.46).
    """

    #: Long side of the input these networks were trained on.
    _SIZE_PX = 640

    def _letterbox(self, height: int, width: int) -> Letterbox:
        return Letterbox.centred(height, width, self._SIZE_PX)

    def _batch(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return cv2.dnn.blobFromImages(list(pictures), 1 / 255)

    def _decode(
        self, raw: np.ndarray, box: Letterbox, min_confidence: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # Columns are places: centre x, centre y, width, height and one score for each class.
        return suppress(raw[:4].T, raw[4:], min_confidence)[:3]


class YoloX(Detector):
    """YOLOX (Ge et al. 2021, arXiv:2107.08430): Apache-2.0, code and weights.

    Wants BGR 0..255 in the top left of a square padded with grey; the output is relative to the
    cells of three grids and is decoded here.
    """

    _STRIDES = (8, 16, 32)

    #: Side of the square input; the files that are published have it fixed, and a batch of one.
    _SIZE_PX = 416

    def __init__(self, identity: ModelIdentity, network: Network) -> None:
        super().__init__(identity, network, batch_size=1)
        cells, strides = [], []
        for stride in self._STRIDES:
            side = self._SIZE_PX // stride
            y, x = np.mgrid[:side, :side]
            cells.append(np.stack([x, y], axis=-1).reshape(-1, 2))
            strides.append(np.full((side * side, 1), stride))
        self._cells = np.concatenate(cells).astype(np.float32)
        self._cell_px = np.concatenate(strides).astype(np.float32)

    def _letterbox(self, height: int, width: int) -> Letterbox:
        scale = self._SIZE_PX / max(height, width)
        scaled = (max(1, round(height * scale)), max(1, round(width * scale)))
        return Letterbox((height, width), scaled, (self._SIZE_PX, self._SIZE_PX), 0, 0)

    def _batch(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return cv2.dnn.blobFromImages(list(pictures), 1.0, swapRB=True)

    def _decode(
        self, raw: np.ndarray, box: Letterbox, min_confidence: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        centres = (raw[:, :2] + self._cells) * self._cell_px
        sides = np.exp(raw[:, 2:4]) * self._cell_px
        # The score of a class is how sure it is that something is there, times that it is this.
        return suppress(
            np.concatenate([centres, sides], axis=1), (raw[:, 4:5] * raw[:, 5:]).T, min_confidence
        )[:3]


def suppress(
    centred: np.ndarray, scores: np.ndarray, min_confidence: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Non-maximum suppression within each class; each place counts for its likeliest class.

    `centred`: centre x, centre y, width, height (places, 4). `scores`: (classes, places).
    Returns corners (n, 4), confidence, class ids and places of the n that are kept.
    """
    likely = np.flatnonzero(scores.max(axis=0) >= min_confidence)
    centred, scores = centred[likely], scores[:, likely]
    class_ids = scores.argmax(axis=0)
    confidence = scores.max(axis=0)
    corner_and_size = np.concatenate([centred[:, :2] - centred[:, 2:] / 2, centred[:, 2:]], axis=1)
    kept = np.asarray(
        cv2.dnn.NMSBoxesBatched(
            corner_and_size.tolist(), confidence.tolist(), class_ids.tolist(), 0.0, _NMS_IOU
        ),
        dtype=np.int64,
    ).reshape(-1)
    corners = np.concatenate(
        [corner_and_size[kept, :2], corner_and_size[kept, :2] + corner_and_size[kept, 2:]], axis=1
    )
    return corners, confidence[kept], class_ids[kept].astype(np.int64), likely[kept]


def load_yolo(identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice) -> Detector:
    """Load an Ultralytics detector in torch, or its conversion in another runtime.

    Raises `ValueError` for a network of other classes than COCO's, or as `open_network` does.
    """
    if identity.runtime == "torch":
        network = in_torch(identity, files, "detect", not_of_coco)
        return Yolo(identity, lambda batch: network(batch)[0], batch_size=8)
    return Yolo(*open_network(identity, files), batch_size=8)


def not_of_coco(model: Any) -> str:
    """What is wrong with a loaded model's classes; "" where they are COCO's."""
    known = tuple(model.names.values()) == COCO_LABELS
    return "" if known else "was not trained on the 80 classes of COCO"


def load_yolox(identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice) -> Detector:
    """Load a YOLOX network from its ONNX file. Raises as `open_network` does."""
    return YoloX(*open_network(identity, files))
