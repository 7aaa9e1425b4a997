import cv2
import numpy as np
import pytest

from analyzers.methods.picture.leading_lines import lines_of


def drawn(lines: list[tuple[tuple[float, float], tuple[float, float]]]) -> np.ndarray:
    picture = np.full((360, 640, 3), 120, np.uint8)
    for one, other in lines:
        ends = [(int(x * 640), int(y * 360)) for x, y in (one, other)]
        cv2.line(picture, ends[0], ends[1], (240, 240, 240), 4, cv2.LINE_AA)
    return picture


def towards(x: float, y: float) -> np.ndarray:
    """A road's edges and rails: from the rim of the picture most of the way to a point."""
    rims = [(0.0, 1.0), (0.25, 1.0), (0.8, 1.0), (1.0, 0.9), (0.0, 0.7)]
    return drawn(
        [(rim, (rim[0] + 0.7 * (x - rim[0]), rim[1] + 0.7 * (y - rim[1]))) for rim in rims]
    )


@pytest.mark.parametrize("point", [(0.5, 0.4), (0.7, 0.25), (0.3, 0.5)])
def test_lines_to_a_vanishing_point_are_found(point: tuple[float, float]) -> None:
    lines = lines_of(towards(*point))
    assert lines.vanishing_point == pytest.approx(point, abs=0.02)
    assert len(lines.leading) >= 5
    assert lines.direction == "diagonal"


def test_parallel_level_and_upright_lines_lead_nowhere() -> None:
    fence = drawn([((0.1 * i, 0.1), (0.1 * i, 0.9)) for i in range(1, 10)])
    shelves = drawn([((0.1, 0.1 * i), (0.9, 0.1 * i)) for i in range(1, 10)])
    stripes = drawn([((0.1 * i, 0.1), (0.1 * i + 0.2, 0.9)) for i in range(1, 8)])
    assert [lines_of(p).vanishing_point for p in (fence, shelves, stripes)] == [None] * 3
    assert [lines_of(p).direction for p in (fence, shelves)] == ["vertical", "horizontal"]


def test_noise_and_a_plain_picture_have_no_leading_lines() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    for picture in (noise, np.full((360, 640, 3), 9, np.uint8)):
        lines = lines_of(picture)
        assert lines.vanishing_point is None
        assert lines.leading.shape == (0, 4)
