"""MediaPipe's face landmarker: 478 points and 52 blendshapes of one face.

The networks are those of `face_landmarker.task` (Apache-2.0), a ZIP of `.tflite` files, run under
LiteRT; see Google's model cards "MediaPipe Face Mesh V2" and "Blendshape V2".
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.litert import TfliteNetwork, open_tflite

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice

#: Side of the square crop that the points are found in.
CROP_PX = 256
#: How much wider than the face's box that crop is.
CROP_SCALE = 1.5
#: Indices of the irises' centres among the points: of the person's right and left eye.
RIGHT_IRIS, LEFT_IRIS = 468, 473

#: The points that the blendshape network looks at (MediaPipe, face_blendshapes_graph.cc).
_BLENDSHAPE_POINTS = np.fromstring(
    """0 1 4 5 6 7 8 10 13 14 17 21 33 37 39 40 46 52 53 54 55 58 61 63 65 66 67 70 78 80 81 82 84
    87 88 91 93 95 103 105 107 109 127 132 133 136 144 145 146 148 149 150 152 153 154 155 157 158
    159 160 161 162 163 168 172 173 176 178 181 185 191 195 197 234 246 249 251 263 267 269 270 276
    282 283 284 285 288 291 293 295 296 297 300 308 310 311 312 314 317 318 321 323 324 332 334 336
    338 356 361 362 365 373 374 375 377 378 379 380 381 382 384 385 386 387 388 389 390 397 398 400
    402 405 409 415 454 466 468 469 470 471 472 473 474 475 476 477""",
    dtype=np.int64,
    sep=" ",
)
#: Places among the 52 blendshapes, the person's left eye and right eye: shut, and cast down.
EYE_BLINK_LEFT, EYE_BLINK_RIGHT = 9, 10
EYE_LOOK_DOWN_LEFT, EYE_LOOK_DOWN_RIGHT = 11, 12


@dataclass(frozen=True)
class FaceMesh:
    """The points of one face.

    `points`: float32 (478, 3), x and y in pixels of the crop, z in the same unit, smaller is
    nearer. `confidence`: that a face is in the crop at all, 0..1.
    """

    points: np.ndarray
    confidence: float


class FaceLandmarker(Model):
    """Finds the points of a face in an upright square crop around it."""

    def __init__(
        self, identity: ModelIdentity, points: TfliteNetwork, blendshapes: TfliteNetwork
    ) -> None:
        super().__init__(identity)
        self._points = points
        self._blendshapes = blendshapes

    def mesh(self, crop: np.ndarray) -> FaceMesh:
        """The points in one crop, uint8 RGB (256, 256, 3); 3.3 CPU-ms."""
        outputs = self._points((crop.astype(np.float32) / 255)[None])
        self.served()
        return FaceMesh(
            outputs["Identity"].reshape(-1, 3).copy(),
            float(1 / (1 + np.exp(-outputs["Identity_1"].item()))),
        )

    def blendshapes(self, mesh: FaceMesh) -> np.ndarray:
        """How much each of 52 movements is made, float32 (52,), 0..1, in ARKit's order."""
        given = mesh.points[_BLENDSHAPE_POINTS, :2].astype(np.float32)
        [scores] = self._blendshapes(given[None]).values()
        return scores.reshape(-1).copy()


def load_face_landmarker(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> FaceLandmarker:
    """Loader of the bundle; the networks are read out of it without unpacking to disk."""
    [path] = files.values()
    with zipfile.ZipFile(path) as bundle:
        return FaceLandmarker(
            identity,
            open_tflite(bundle.read("face_landmarks_detector.tflite")),
            open_tflite(bundle.read("face_blendshapes.tflite")),
        )
