"""People with their 17 COCO keypoints in a picture: YOLO pose networks (Ultralytics)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.detector import Letterbox
from analyzers.models.lending import ModelChoice
from analyzers.models.networks import Network, open_network
from analyzers.models.ultralytics_torch import in_torch

#: The 17 keypoints of COCO (Lin et al. 2014, arXiv:1405.0312), in the networks' order; left and
#: right are the person's own.
KEYPOINTS: tuple[str, ...] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
#: Which keypoints a limb joins, to draw a skeleton.
LIMBS: tuple[tuple[int, int], ...] = (
    (0, 1), (0, 2), (1, 3), (2, 4),
    (5, 6), (5, 7), (7, 9), (6, 8), (8, 10),
    (5, 11), (6, 12), (11, 12),
    (11, 13), (13, 15), (12, 14), (14, 16),
)  # fmt: skip

#: Overlap (IoU) over which two boxes are one person, as Ultralytics suppresses by default.
_NMS_IOU = 0.7


@dataclass(frozen=True)
class Poses:
    """The people found in one frame, most confident first.

    `boxes`: float32 (n, 4), corners relative to the frame, 0..1. `confidence`: float32 (n,).
    `points`: float32 (n, 17, 2), x and y relative to the frame, 0..1, in the order of `KEYPOINTS`.
    `point_confidence`: float32 (n, 17); 0 for a point that the network puts outside the frame.
    """

    boxes: np.ndarray
    confidence: np.ndarray
    points: np.ndarray
    point_confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


class PoseEstimator(Model):
    """YOLO pose networks (https://docs.ultralytics.com/tasks/pose): box and keypoints at once."""

    #: Long side of the input. They were trained on 640. 512 costs 0.6 of that and finds the same in
    #: juggle_man_football (keypoints 0.005 of his height apart), but in street_bikes_taxi a third
    #: fewer people: those in the distance.
    _SIZE_PX = 512
    #: How many frames `estimate` likes to get at a time.
    batch_size = 8

    def __init__(self, identity: ModelIdentity, network: Network) -> None:
        super().__init__(identity)
        self._network = network

    def estimate(self, frames: Sequence[np.ndarray], min_confidence: float) -> list[Poses]:
        """Find people in RGB pictures of one size.

        `frames`: uint8 (height, width, 3) each. One `Poses` for each frame comes back.
        """
        height, width = frames[0].shape[:2]
        box = Letterbox.centred(height, width, self._SIZE_PX)
        output = self._network(
            cv2.dnn.blobFromImages([box.fit(frame) for frame in frames], 1 / 255)
        )
        self.served(len(frames))
        return [_decode(raw, box, min_confidence) for raw in output]


def _decode(raw: np.ndarray, box: Letterbox, min_confidence: float) -> Poses:
    """One picture's output: columns are places; rows centre x, y, width, height, score, points."""
    rows = raw.T[raw[4] >= min_confidence]
    corner_and_size = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]], axis=1)
    kept = np.asarray(
        cv2.dnn.NMSBoxes(corner_and_size.tolist(), rows[:, 4].tolist(), 0.0, _NMS_IOU), np.int64
    ).reshape(-1)
    kept = kept[np.argsort(-rows[kept, 4], kind="stable")]
    corners = corner_and_size[kept]
    corners[:, 2:] += corners[:, :2]
    keypoints = rows[kept, 5:].reshape(-1, len(KEYPOINTS), 3)
    points, confidence = keypoints[..., :2], keypoints[..., 2].astype(np.float32)
    first = np.array([box.left, box.top])
    inside = ((points >= first) & (points <= first + box.scaled[::-1])).all(axis=-1)
    return Poses(
        box.relative(corners),
        rows[kept, 4].astype(np.float32),
        box.relative(points),
        np.where(inside, confidence, 0).clip(0, 1).astype(np.float32),
    )


def load_yolo_pose(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> PoseEstimator:
    """Load an Ultralytics pose network in torch, or its conversion in another runtime.

    Raises `ValueError` for a network of other keypoints than COCO's, or as `open_network` does.
    """
    if identity.runtime == "torch":
        network = in_torch(identity, files, "pose", _not_of_coco)
        return PoseEstimator(identity, lambda batch: network(batch)[0])
    return PoseEstimator(*open_network(identity, files))


def _not_of_coco(model: Any) -> str:
    known = tuple(model.kpt_shape) == (len(KEYPOINTS), 3)
    return "" if known else "was not trained on the 17 keypoints of COCO"
