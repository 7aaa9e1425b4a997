"""Upright crops of a face, cut out of a picture by its box and its eyes."""

from __future__ import annotations

import cv2
import numpy as np

#: Where the eyes' centres and the base of the nose stand in a dlib "face chip" of side 1 without
#: padding: means of the eye corners of its five-point template, and its nose (get_face_chip_details
#: in dlib/image_transforms/interpolation.h).
_CHIP = np.array([[0.2273, 0.2214], [0.7528, 0.2212], [0.4901, 0.6278]])
#: The base of the nose lies this far from its tip towards the middle of the mouth, on MediaPipe's
#: canonical face; the detector gives the tip.
_NOSE_BASE = 0.42


def roll_deg(landmarks: np.ndarray) -> float:
    """By how much the line from the right to the left eye is turned clockwise in the picture.

    `landmarks`: (5, 2) in pixels, or in any unit that is the same across and down.
    """
    dx, dy = landmarks[1] - landmarks[0]
    return float(np.degrees(np.arctan2(dy, dx)))


def square_turn(
    picture: np.ndarray, box: np.ndarray, lean_deg: float, scale: float, side_px: int
) -> np.ndarray:
    """What takes pixels of the picture to pixels of a square crop, (2, 3); see `square_crop`.

    `lean_deg`: by how much the face leans clockwise; the crop has it upright.
    """
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box * np.array([width, height, width, height])
    side = scale * max(x2 - x1, y2 - y1, 1.0)
    centre = (float(x1 + x2) / 2, float(y1 + y2) / 2)
    turn = cv2.getRotationMatrix2D(centre, lean_deg, side_px / side)
    return turn + np.array([[0, 0, side_px / 2 - centre[0]], [0, 0, side_px / 2 - centre[1]]])


def square_crop(
    picture: np.ndarray, box: np.ndarray, landmarks: np.ndarray, scale: float, side_px: int
) -> np.ndarray:
    """A square around the face's box, `scale` times its longer side, with the eyes level.

    `picture`: uint8, colour or grey. `box`: corners (4,) and `landmarks` (5, 2), both relative to
    the picture. What lies outside of the picture repeats its edge.
    """
    height, width = picture.shape[:2]
    lean_deg = roll_deg(landmarks * np.array([width, height]))
    return warped(picture, square_turn(picture, box, lean_deg, scale, side_px), side_px)


def dlib_chip(
    picture: np.ndarray, landmarks: np.ndarray, side_px: int, padding: float = 0.2
) -> np.ndarray:
    """A face aligned as dlib does with five points, for networks trained on its chips.

    `picture`: uint8. `landmarks`: (5, 2) relative to the picture. `padding`: what is added on each
    side, relative to the chip, as dlib means it. With dlib's own alignment in its place, the median
    of the apparent age over a clip differs by 0.4 to 3.4 years.
    """
    height, width = picture.shape[:2]
    right_eye, left_eye, nose, *mouth = landmarks * np.array([width, height])
    base = nose + _NOSE_BASE * (np.mean(mouth, axis=0) - nose)
    wanted = (padding + _CHIP) / (2 * padding + 1) * side_px
    turn = _similarity(np.array([right_eye, left_eye, base]), wanted)
    return warped(picture, turn, side_px)


def _similarity(seen: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The turn, scaling and shift (2, 3) that takes points nearest to where they should be."""
    x, y = seen.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    equations = np.concatenate(
        [np.stack([x, -y, one, zero], axis=1), np.stack([y, x, zero, one], axis=1)]
    )
    a, b, dx, dy = np.linalg.lstsq(equations, wanted.T.reshape(-1), rcond=None)[0]
    return np.array([[a, -b, dx], [b, a, dy]])


def warped(picture: np.ndarray, turn: np.ndarray, side_px: int) -> np.ndarray:
    """Apply a similarity; where it shrinks, first blur by as much, so that nothing flickers."""
    scale = float(np.hypot(turn[0, 0], turn[0, 1]))
    if scale < 0.5:
        # A sigma of a quarter of the step is enough against aliasing.
        picture = cv2.GaussianBlur(picture, (0, 0), 0.25 / scale)
    return cv2.warpAffine(
        picture, turn, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
