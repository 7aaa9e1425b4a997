"""The face detector YuNet (Wu et al. 2023, doi:10.1007/s11633-023-1423-y), MIT licence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from analyzers.models.base import Model, ModelIdentity

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

#: The five points, left and right as the person has them.
LANDMARKS: tuple[str, ...] = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")

_STRIDES = (8, 16, 32)
#: Overlap (IoU) from which two boxes are one face, as OpenCV's FaceDetectorYN has it.
_NMS_IOU = 0.3


@dataclass(frozen=True)
class Faces:
    """The faces found in one frame, most confident first.

    `boxes`: float32 (n, 4), corners x1, y1, x2, y2 relative to the frame, 0..1.
    `landmarks`: float32 (n, 5, 2), the points of `LANDMARKS` as x, y relative to the frame; they
    may lie a little outside of it. `confidence`: float32 (n,).
    """

    boxes: np.ndarray
    landmarks: np.ndarray
    confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


class FaceDetector(Model):
    """Finds faces from about 10 pixels of width on, with five points each."""

    def __init__(self, identity: ModelIdentity, network: Any) -> None:
        super().__init__(identity)
        self._network = network

    def detect(self, frame: np.ndarray, min_confidence: float) -> Faces:
        """Find the faces in one RGB picture, uint8 (height, width, 3)."""
        height, width = frame.shape[:2]
        padded = cv2.copyMakeBorder(
            frame,
            0,
            -height % _STRIDES[-1],
            0,
            -width % _STRIDES[-1],
            cv2.BORDER_CONSTANT,
            value=(0, 0, 0),
        )
        # Wants BGR 0..255. A request of its own for each call: one cannot be shared by threads.
        blob = cv2.dnn.blobFromImage(padded, swapRB=True)
        request = self._network.create_infer_request()
        request.infer([blob])
        self.served()

        def output(name: str) -> np.ndarray:
            return request.get_tensor(name).data[0]

        found = [_decode(output, s, padded.shape[1] // s, min_confidence) for s in _STRIDES]
        boxes, points, confidence = (np.concatenate(part) for part in zip(*found, strict=True))
        kept = np.asarray(
            cv2.dnn.NMSBoxes(boxes.tolist(), confidence.tolist(), 0.0, _NMS_IOU), np.int64
        ).reshape(-1)
        boxes, points, confidence = boxes[kept], points[kept], confidence[kept]
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        size = np.array([width, height], np.float32)
        return Faces(
            (corners / np.tile(size, 2)).clip(0, 1).astype(np.float32),
            (points.reshape(-1, 5, 2) / size).astype(np.float32),
            confidence.astype(np.float32),
        )


def _decode(
    output: Callable[[str], np.ndarray], stride: int, columns: int, min_confidence: float
) -> Sequence[np.ndarray]:
    """Boxes (left, top, width, height), points and confidence on one grid, in input pixels."""
    score = np.sqrt(
        output(f"cls_{stride}")[:, 0].clip(0, 1) * output(f"obj_{stride}")[:, 0].clip(0, 1)
    )
    likely = np.flatnonzero(score >= min_confidence)
    cells = np.stack([likely % columns, likely // columns], axis=1).astype(np.float32)
    box = output(f"bbox_{stride}")[likely]
    sides = np.exp(box[:, 2:]) * stride
    corner = (cells + box[:, :2]) * stride - sides / 2
    points = (output(f"kps_{stride}")[likely] + np.tile(cells, 5)) * stride
    return np.concatenate([corner, sides], axis=1), points, score[likely]


def load_yunet(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> FaceDetector:
    """Loader of YuNet's ONNX file in OpenVINO (5 CPU-ms at 640x384; OpenCV's own takes 10).

    Pictures of any size go in. One thread: a second one nearly doubles the CPU time of a net this
    small. Kept in float32: its points are used to a fraction of a pixel.
    """
    import openvino

    [path] = files.values()
    core = openvino.Core()
    network = core.read_model(path)
    network.reshape([1, 3, -1, -1])
    compiled = core.compile_model(
        network,
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1},
    )
    return FaceDetector(identity, compiled)
