"""Which way a head is turned, from points of the face in one picture.

The points of a head model are projected by a scaled orthography, which is fitted to the points in
the picture by least squares (the first step of POSIT; DeMenthon & Davis 1995,
doi:10.1007/BF01450852). It needs no focal length, which is not known of a downloaded video; a face
near the edge of a wide-angle picture is therefore seen turned by the angle at which it stands.

Signs, as the viewer of the picture sees them: `yaw` > 0 turns to the right of the picture, `pitch`
> 0 looks up, `roll` > 0 leans clockwise. A head that faces the camera has 0, 0, 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzers.models.faces import LANDMARKS

#: Index, x, y, z and weight of points of MediaPipe's canonical face that hardly move with the
#: expression: corners of the eyes, bridge and sides of the nose, temples. In cm; x to the right of
#: the picture, y up, z towards the camera. From the model's own geometry
#: (`geometry_pipeline_metadata_landmarks.binarypb` in `face_landmarker.task`).
_MESH_RIGID = (
    (4, 0.000, -0.463, 7.587, 0.0709),
    (6, 0.000, 2.473, 5.789, 0.0321),
    (10, 0.000, 8.262, 4.482, 0.0084),
    (33, -4.446, 2.664, 3.173, 0.0587),
    (54, -6.279, 6.615, 1.426, 0.0077),
    (67, -3.524, 8.006, 3.729, 0.0091),
    (127, -7.743, 2.365, -2.005, 0.0052),
    (129, -1.786, -0.978, 4.850, 0.1206),
    (133, -1.856, 2.585, 3.758, 0.0533),
    (143, -6.408, 2.236, 1.561, 0.0148),
    (198, -1.247, 0.230, 5.681, 0.0255),
    (263, 4.446, 2.664, 3.173, 0.0587),
    (284, 6.279, 6.615, 1.426, 0.0077),
    (297, 3.524, 8.006, 3.729, 0.0091),
    (356, 7.743, 2.365, -2.005, 0.0052),
    (358, 1.786, -0.978, 4.850, 0.1206),
    (362, 1.856, 2.585, 3.758, 0.0533),
    (372, 6.408, 2.236, 1.561, 0.0148),
    (420, 1.247, 0.230, 5.681, 0.0255),
)
_MESH_PLACES = np.array([row[0] for row in _MESH_RIGID])
_MESH_MODEL = np.array([row[1:4] for row in _MESH_RIGID])
_MESH_WEIGHTS = np.array([row[4] for row in _MESH_RIGID])

#: The detector's five points on the same head: the eyes' centres and the mouth's corners are means
#: or points of the canonical face.
_FIVE = {
    "right_eye": (-3.151, 2.625, 3.466),
    "left_eye": (3.151, 2.625, 3.466),
    "nose": (0.000, -0.463, 7.587),
    "mouth_right": (-2.456, -4.343, 4.284),
    "mouth_left": (2.456, -4.343, 4.284),
}


@dataclass(frozen=True)
class HeadPose:
    """Angles in degrees; see the module for their signs."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def pose_from_landmarks(landmarks: np.ndarray) -> HeadPose:
    """From the detector's five points, (5, 2), in pixels; good to tell a turned face from none."""
    model = np.array([_FIVE[name] for name in LANDMARKS])
    return _pose(model, landmarks, np.ones(len(model)))


def pose_from_mesh(points: np.ndarray) -> HeadPose:
    """From the face mesh, (478, 2 or 3), in pixels of an upright or turned picture."""
    return _pose(_MESH_MODEL, points[_MESH_PLACES, :2], _MESH_WEIGHTS)


def _pose(model: np.ndarray, seen: np.ndarray, weights: np.ndarray) -> HeadPose:
    share = (weights / weights.sum())[:, None]
    model = model - (share * model).sum(axis=0)
    flipped = (seen - (share * seen).sum(axis=0)) * [1, -1]  # y up, as in the model
    root = np.sqrt(share)
    projection = np.linalg.lstsq(root * model, root * flipped, rcond=None)[0].T
    # The nearest two rows of a rotation.
    left, _, right = np.linalg.svd(projection, full_matrices=False)
    rows = left @ right
    rotation = np.vstack([rows, np.cross(rows[0], rows[1])])
    # Where the face looks is the model's z axis after the rotation.
    x, y, z = rotation[:, 2]
    yaw, pitch = np.arctan2(x, z), np.arcsin(np.clip(y, -1, 1))
    return HeadPose(
        *(float(np.degrees(angle)) for angle in (yaw, pitch, _roll(rotation, yaw, pitch)))
    )


def _roll(rotation: np.ndarray, yaw: float, pitch: float) -> float:
    """The turn about the line of sight that is left when yaw and pitch are undone."""
    turned = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    raised = np.array(
        [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
    )
    rest = (turned @ raised).T @ rotation
    return float(np.arctan2(-rest[1, 0], rest[0, 0]))
