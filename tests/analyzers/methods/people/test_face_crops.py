import cv2
import numpy as np
import pytest

from analyzers.methods.people.face_crops import dlib_chip, roll_deg, square_crop

#: Eyes, nose and mouth of a drawn face, in pixels of a 200x300 picture.
POINTS = np.array([[80.0, 130], [120, 130], [100, 150], [85, 170], [115, 170]])
BOX = np.array([70.0, 100, 130, 180])


def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey picture with a bright spot on each eye; the face's box and points, relative."""
    picture = np.full((300, 200), 50, np.uint8)
    for x, y in POINTS[:2].astype(int):
        cv2.circle(picture, (x, y), 3, 255, -1)
    return picture, BOX / [200, 300, 200, 300], POINTS / [200, 300]


def spots(crop: np.ndarray) -> np.ndarray:
    """Where the bright spots are, from left to right."""
    _, _, _, centres = cv2.connectedComponentsWithStats((crop > 150).astype(np.uint8))
    return centres[1:][np.argsort(centres[1:, 0])]


@pytest.mark.parametrize("lean_deg", [-30, 0, 20])
def test_square_crop_levels_the_eyes(lean_deg: float) -> None:
    picture, box, points = drawn()
    rotation = cv2.getRotationMatrix2D((100, 140), -lean_deg, 1)
    leaning = cv2.warpAffine(picture, rotation, (200, 300), borderValue=50)
    moved = (points * [200, 300]) @ rotation[:, :2].T + rotation[:, 2]
    assert roll_deg(moved) == pytest.approx(lean_deg, abs=0.01)
    crop = square_crop(leaning, box, moved / [200, 300], 1.5, 240)
    left, right = spots(crop)
    assert left[1] == pytest.approx(right[1], abs=1)
    # 1.5 times the box's height of 80 px is 120, shown in 240: twice as large.
    assert right[0] - left[0] == pytest.approx(80, abs=1.5)


def test_dlib_chip_puts_the_eyes_where_dlib_does() -> None:
    """On dlib's own template the fit is exact: eyes at 0.2273 and 0.7528, padded by 0.2."""
    wanted = (0.2 + np.array([[0.2273, 0.2214], [0.7528, 0.2212]])) / 1.4 * 64
    nose_base = np.array([0.4901, 0.6278]) * 80
    eyes = np.array([[0.2273, 0.2214], [0.7528, 0.2212]]) * 80
    tip = np.array([0.4901, 0.5]) * 80
    mouth = tip + (nose_base - tip) / 0.42
    points = np.vstack([eyes, tip, mouth, mouth]) + np.array([60, 100])
    picture = np.full((300, 200), 50, np.uint8)
    for x, y in points[:2]:
        cv2.circle(picture, (round(x), round(y)), 3, 255, -1)
    chip = dlib_chip(picture, points / [200, 300], 64)
    assert chip.shape == (64, 64)
    assert np.abs(spots(chip) - wanted).max() < 1


def test_outside_of_the_picture_its_edge_is_repeated() -> None:
    picture, _, points = drawn()
    crop = square_crop(picture, np.array([-0.2, 0.0, 0.4, 0.4]), points, 1.5, 64)
    assert crop.min() >= 49
