"""From a display matrix to an upright picture."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Orientation:
    """How stored frames are turned upright: mirror left to right first, then rotate clockwise."""

    rotation_deg: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """True where the upright width is the stored height."""
        return self.rotation_deg in (90, 270)

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """The nearest of the eight orientations to a 3x3 display matrix of little-endian int32.

        A stored point (x, y) is shown at (a x + c y, b x + d y), y down; a, b are the first row's
        and c, d the second row's first entries (ISO/IEC 14496-12, 8.3.2).
        """
        if len(matrix) < 36:
            return cls()
        a, b, _, c, d = struct.unpack("<5i", matrix[:20])
        determinant = a * d - b * c
        if determinant == 0:
            return cls()
        mirrored = determinant < 0
        if mirrored:
            a, b = -a, -b
        if abs(a) >= abs(b):
            return cls(0 if a > 0 else 180, mirrored)
        return cls(90 if b > 0 else 270, mirrored)

    def upright(self, picture: np.ndarray) -> np.ndarray:
        """A picture (height x width, or x 3) turned upright, contiguous in memory."""
        if self.mirrored:
            picture = cv2.flip(picture, 1)
        if self.rotation_deg:
            turn = {
                90: cv2.ROTATE_90_CLOCKWISE,
                180: cv2.ROTATE_180,
                270: cv2.ROTATE_90_COUNTERCLOCKWISE,
            }[self.rotation_deg]
            picture = cv2.rotate(picture, turn)
        return picture
