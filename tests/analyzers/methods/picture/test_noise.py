"""The noise estimate against noise of known strength."""

import cv2
import numpy as np
import pytest

from analyzers.methods.picture.noise import noise_sigma
from tests.analyzers.made_degradations import scene


def with_noise(luma: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, sigma, luma.shape)
    return np.rint(np.clip(luma + noise, 0, 255)).astype(np.uint8)


@pytest.mark.parametrize("sigma", [3.0, 6.0, 12.0, 20.0])
def test_a_plain_ground_gives_the_true_sigma(sigma: float) -> None:
    estimate = noise_sigma(with_noise(np.full((360, 640), 120.0), sigma))
    assert estimate == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("sigma", [6.0, 12.0, 20.0])
def test_a_picture_changes_little(sigma: float) -> None:
    luma = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY).astype(float)
    assert noise_sigma(with_noise(luma, sigma)) == pytest.approx(sigma, rel=0.15)


def test_no_noise_and_nothing_to_judge_by() -> None:
    assert noise_sigma(np.full((360, 640), 120, np.uint8)) == 0
    assert noise_sigma(np.zeros((360, 640), np.uint8)) is None
    assert noise_sigma(np.full((360, 640), 255, np.uint8)) is None
    assert noise_sigma(np.full((10, 10), 120, np.uint8)) is None


def test_a_title_on_black_is_not_judged() -> None:
    title = np.zeros((360, 640), np.uint8)
    cv2.putText(title, "Made with", (250, 180), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, 2, cv2.LINE_AA)
    assert noise_sigma(title) is None
