import struct

import numpy as np
import pytest

from resources.orientation import Orientation

EIGHT = [
    (1, 0, 0, 1),
    (0, 1, -1, 0),
    (-1, 0, 0, -1),
    (0, -1, 1, 0),
    (-1, 0, 0, 1),
    (1, 0, 0, -1),
    (0, 1, 1, 0),
    (0, -1, -1, 0),
]


def matrix(a: float, b: float, c: float, d: float) -> bytes:
    entries = [a, b, 0, c, d, 0, 0, 0]
    return struct.pack("<9i", *(round(v * 65536) for v in entries), 1 << 30)


@pytest.mark.parametrize("entries", EIGHT)
def test_every_pixel_goes_where_the_matrix_says(entries):
    a, b, c, d = entries
    stored = np.arange(6, dtype=np.uint8).reshape(2, 3)
    shown = [(a * x + c * y, b * x + d * y, stored[y, x]) for y in range(2) for x in range(3)]
    left, top = min(s[0] for s in shown), min(s[1] for s in shown)
    expected = np.zeros((2, 3) if a else (3, 2), np.uint8)
    for x, y, value in shown:
        expected[y - top, x - left] = value

    upright = Orientation.from_display_matrix(matrix(a, b, c, d)).upright(stored)

    np.testing.assert_array_equal(upright, expected)


def test_rotation_and_mirroring_are_told_apart():
    assert Orientation.from_display_matrix(matrix(0, 1, -1, 0)) == Orientation(90, False)
    assert Orientation.from_display_matrix(matrix(-1, 0, 0, 1)) == Orientation(0, True)
    assert Orientation.from_display_matrix(matrix(0, 1, 1, 0)) == Orientation(270, True)


def test_a_crooked_rotation_becomes_the_nearest_right_angle():
    cos, sin = np.cos(np.radians(93)), np.sin(np.radians(93))
    assert Orientation.from_display_matrix(matrix(cos, sin, -sin, cos)).rotation_deg == 90


@pytest.mark.parametrize("broken", [b"", b"\0" * 8, b"\0" * 36])
def test_a_useless_matrix_is_none(broken):
    assert Orientation.from_display_matrix(broken) == Orientation()
