"""The blur metric on a known picture."""

import cv2
import numpy as np

from analyzers.methods.picture.sharpness import sharpness
from tests.analyzers.made_degradations import scene


def grey(width: int = 640, height: int = 360) -> np.ndarray:
    return cv2.cvtColor(scene(width, height), cv2.COLOR_RGB2GRAY)


def blurred(luma: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(luma, (0, 0), sigma)


def test_falls_with_blur_at_any_size() -> None:
    for size, sigmas in (((640, 360), (1, 2, 3, 4)), ((1080, 1920), (2, 4, 7, 10))):
        luma = grey(*size)
        values = [sharpness(luma), *(sharpness(blurred(luma, sigma)) for sigma in sigmas)]
        assert values == sorted(values, reverse=True)
        assert values[0] > 0.6
        assert values[-1] < 0.3


def test_motion_blur_along_one_direction_counts() -> None:
    luma = grey()
    assert sharpness(cv2.blur(luma, (15, 1))) < 0.6 * sharpness(luma)
    assert sharpness(cv2.blur(luma, (1, 15))) < 0.6 * sharpness(luma)


def test_brightness_and_contrast_do_not_change_it_much() -> None:
    luma = grey()
    for gain in (0.7, 0.4):
        assert abs(sharpness((luma * gain).astype(np.uint8)) - sharpness(luma)) < 0.08


def test_a_plain_colour_has_none() -> None:
    assert sharpness(np.full((360, 640), 90, np.uint8)) is None
    assert sharpness(np.full((16, 9), 90, np.uint8)) is None
