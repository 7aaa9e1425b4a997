import numpy as np
import pytest

from analyzers.methods.picture.framing import (
    balance_score,
    mirror_symmetry,
    placement_of,
    thirds_distance,
    thirds_score,
)


def noise(seed: int = 0) -> np.ndarray:
    """Soft blobs without any symmetry, RGB (180, 240, 3)."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (12, 16, 3), np.uint8).repeat(15, axis=0).repeat(15, axis=1)


def test_placement_is_the_nearest_line() -> None:
    places = [placement_of(x) for x in (0.05, 0.3, 0.5, 0.66, 0.95)]
    assert places == ["left_edge", "left_third", "centre", "right_third", "right_edge"]


def test_thirds() -> None:
    assert thirds_distance(2 / 3, 1 / 3) == pytest.approx(0)
    assert thirds_score(1 / 3, 2 / 3) == pytest.approx(1)
    assert thirds_distance(0.5, 0.5) == pytest.approx(1 / 3)
    assert thirds_score(0.5, 0.5) == pytest.approx(0.146, abs=0.005)


def test_balance_falls_with_the_distance_from_the_centre() -> None:
    assert balance_score(0.5, 0.5) == 1
    assert balance_score(0.7, 0.5) == pytest.approx(np.exp(-0.5))


def test_a_mirrored_picture_is_symmetric_and_noise_is_not() -> None:
    half = noise()[:, :120]
    mirrored = np.hstack([half, half[:, ::-1]])
    assert mirror_symmetry(mirrored) == pytest.approx(1, abs=0.01)
    assert max(mirror_symmetry(noise(seed)) for seed in range(5)) < 0.5


def test_the_axis_may_lie_a_little_off_the_middle() -> None:
    half = noise()[:, :120]
    mirrored = np.hstack([half, half[:, ::-1]])
    assert mirror_symmetry(mirrored[:, 15:]) > 0.85


def test_a_plain_picture_and_a_slope_of_light_have_no_form() -> None:
    plain = np.full((90, 160, 3), 128, np.uint8)
    assert mirror_symmetry(plain) is None
    slope = np.broadcast_to(np.linspace(90, 120, 160).astype(np.uint8)[None, :, None], (90, 160, 3))
    assert mirror_symmetry(np.ascontiguousarray(slope)) is None
