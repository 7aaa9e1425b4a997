import cv2
import numpy as np
import pytest

from analyzers.methods.picture.saliency import centre_of_weight, saliency, salient_box


def ground(height: int = 360, width: int = 640) -> np.ndarray:
    """A fine even texture."""
    rng = np.random.default_rng(0)
    return rng.normal(120, 6, (height, width, 3)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "place"),
    [((360, 640), (0.25, 0.3)), ((360, 640), (0.8, 0.7)), ((640, 360), (0.5, 0.2))],
)
def test_an_odd_patch_stands_out(size: tuple[int, int], place: tuple[float, float]) -> None:
    picture = ground(*size)
    centre = (int(place[0] * size[1]), int(place[1] * size[0]))
    cv2.circle(picture, centre, 22, (230, 40, 40), -1)
    salient = saliency(picture)
    assert salient.sum() == pytest.approx(1, abs=1e-3)
    x1, y1, x2, y2 = salient_box(salient)
    assert x1 < place[0] < x2
    assert y1 < place[1] < y2
    assert (x2 - x1) * (y2 - y1) < 0.12
    x, y = centre_of_weight(salient)
    assert abs(x - place[0]) < 0.15
    assert abs(y - place[1]) < 0.15


def test_a_plain_picture_has_no_map() -> None:
    assert saliency(np.full((360, 640, 3), 70, np.uint8)) is None
