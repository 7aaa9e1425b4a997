"""False contours in gradients, and what is none."""

import cv2
import numpy as np
import pytest

from analyzers.methods.picture.banding import banding_ratio
from tests.analyzers.made_degradations import as_jpeg, scene


def gradient(step: int, span: int = 100) -> np.ndarray:
    """A sky that falls by `span` levels, in steps of so many levels."""
    down = np.linspace(200, 200 - span, 360)[:, None] * np.ones((1, 640))
    return np.rint(down / step).astype(np.uint8) * np.uint8(step)


@pytest.mark.parametrize("step", [4, 6, 8])
def test_bands_are_seen(step: int) -> None:
    assert banding_ratio(gradient(step)) > 0.1


@pytest.mark.parametrize("span", [25, 50, 100, 190])
def test_a_gradient_in_8_bits_has_none(span: int) -> None:
    assert banding_ratio(gradient(1, span)) == 0


def test_noise_hides_bands() -> None:
    noise = np.random.default_rng(0).normal(0, 3, (360, 640))
    assert banding_ratio(np.clip(gradient(6) + noise, 0, 255).astype(np.uint8)) < 0.01


def test_a_lone_soft_edge_is_none() -> None:
    picture = np.full((360, 640), 100, np.uint8)
    picture[:, 300:] = 108
    assert banding_ratio(picture) == 0


def test_pictures_have_next_to_none() -> None:
    assert banding_ratio(cv2.cvtColor(as_jpeg(scene(), 92), cv2.COLOR_RGB2GRAY)) < 0.005
    assert banding_ratio(np.zeros((8, 8), np.uint8)) == 0
