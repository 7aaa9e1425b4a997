"""Blocks on a grid, and what is none."""

import cv2
import numpy as np
import pytest

from analyzers.methods.picture.blockiness import blockiness
from tests.analyzers.made_degradations import as_jpeg, scene


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def test_rises_as_a_jpeg_gets_worse() -> None:
    values = [blockiness(grey(as_jpeg(scene(), quality))) for quality in (92, 40, 20, 8)]
    assert values == sorted(values)
    assert values[0] < 0.7
    assert values[1] > 1.5


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 5), (7, 1)])
def test_the_grid_may_begin_anywhere(top: int, left: int) -> None:
    blocky = grey(as_jpeg(scene(), 20))
    cut = blockiness(blocky[top:, left:])
    assert cut == pytest.approx(blockiness(blocky), rel=0.05)


def test_steps_of_known_height() -> None:
    """Blocks of two levels, 10 apart, over a soft ramp."""
    blocks = np.kron(np.indices((40, 60)).sum(axis=0) % 2 * 10, np.ones((8, 8)))
    assert blockiness((100 + blocks).astype(np.uint8)) == pytest.approx(10, abs=0.1)


def test_edges_of_the_picture_itself_are_no_blocks() -> None:
    picture = scene()
    picture[:40], picture[-40:] = 0, 0  # bars, on the grid
    cv2.putText(picture, "FOLLOW", (40, 200), cv2.FONT_HERSHEY_SIMPLEX, 4, (255, 255, 255), 12)
    assert blockiness(grey(picture)) < 0.3


def test_plain_and_tiny_pictures_have_none() -> None:
    assert blockiness(np.full((360, 640), 50, np.uint8)) == 0
    assert blockiness(np.full((12, 10), 50, np.uint8)) == 0
