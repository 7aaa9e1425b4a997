import cv2
import numpy as np
import pytest

from analyzers.methods.picture.defocus import edge_blur_px


def edges(blur_px: float) -> np.ndarray:
    """Bars with edges blurred by a Gaussian."""
    bars = np.tile(np.repeat(np.array([40, 200], np.uint8), 30), 4)[None].repeat(120, axis=0)
    return cv2.GaussianBlur(bars, (0, 0), blur_px) if blur_px else bars


@pytest.mark.parametrize("blur_px", [1.0, 2.0, 3.0])
def test_a_known_blur_is_measured(blur_px: float) -> None:
    everywhere = np.ones((120, 240), bool)
    assert edge_blur_px(edges(blur_px), everywhere) == pytest.approx(blur_px, rel=0.3)


def test_only_the_edges_in_the_mask_count() -> None:
    picture = np.vstack([edges(0.8), edges(3.0)])
    above = np.zeros((240, 240), bool)
    above[:110] = True
    below = np.zeros((240, 240), bool)
    below[130:] = True
    assert edge_blur_px(picture, below) > 2 * edge_blur_px(picture, above)


def test_without_edges_there_is_no_answer() -> None:
    plain = np.full((120, 240), 90, np.uint8)
    assert edge_blur_px(plain, np.ones((120, 240), bool)) is None
