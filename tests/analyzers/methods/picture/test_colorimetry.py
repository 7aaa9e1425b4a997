"""Measures of light and colour on pictures whose values are known."""

import numpy as np
import pytest

from analyzers.methods.picture.colorimetry import (
    colourfulness,
    correlated_colour_temperature_k,
    hues,
    lab,
    light,
    reduced,
    rgb_of,
    saturation,
    warm_cool,
)


def flat(*rgb: int, shape: tuple[int, int] = (36, 64)) -> np.ndarray:
    return np.full((*shape, 3), rgb, np.uint8)


def halves(left: tuple[int, int, int], right: tuple[int, int, int]) -> np.ndarray:
    picture = flat(*left)
    picture[:, 32:] = right
    return picture


def test_luma_is_rec_709() -> None:
    assert light(flat(255, 0, 0)).mean == pytest.approx(0.2126, abs=0.003)
    assert light(flat(0, 255, 0)).mean == pytest.approx(0.7152, abs=0.003)
    assert light(flat(0, 0, 255)).mean == pytest.approx(0.0722, abs=0.003)


def test_light_of_a_picture_half_black_half_white() -> None:
    found = light(halves((0, 0, 0), (255, 255, 255)))
    assert (found.mean, found.contrast_rms) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (found.crushed_share, found.blown_share) == (0.5, 0.5)
    assert (found.p05, found.p95) == (0.0, 1.0)


def test_what_is_nearly_black_is_crushed_and_dark_grey_is_not() -> None:
    picture = flat(128, 128, 128)
    picture[:9] = 4
    picture[9:18] = 12
    picture[18:20] = 252
    found = light(picture)
    assert found.crushed_share == pytest.approx(9 / 36)
    assert found.blown_share == pytest.approx(2 / 36)


def test_percentiles_of_a_ramp() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    found = light(ramp)
    assert (found.p05, found.p95) == (pytest.approx(0.05, abs=0.01), pytest.approx(0.95, abs=0.01))
    assert found.contrast_rms == pytest.approx(np.arange(256).std() / 255, abs=0.001)


def of_light(kelvin: float) -> tuple[int, int, int]:
    """sRGB of a light: CIE daylight (CIE 15:2018, 4.1) from 4000 K, below it a black body.

    The black body's chromaticity is the cubic fit of Kim et al. (US patent 7024034).
    """
    t = kelvin
    if t >= 7000:
        x = -2.0064e9 / t**3 + 1.9018e6 / t**2 + 0.24748e3 / t + 0.237040
    elif t >= 4000:
        x = -4.6070e9 / t**3 + 2.9678e6 / t**2 + 0.09911e3 / t + 0.244063
    else:
        x = -0.2661239e9 / t**3 - 0.2343589e6 / t**2 + 0.8776956e3 / t + 0.179910
    if t >= 4000:
        y = -3 * x**2 + 2.870 * x - 0.275
    else:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    matrix = [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
    linear = np.array(matrix) @ xyz
    linear = linear / linear.max() * 0.8
    encoded = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    red, green, blue = np.rint(encoded * 255).astype(int)
    return int(red), int(green), int(blue)


@pytest.mark.parametrize("kelvin", [2500, 3000, 4000, 5000, 6500, 8000, 10000, 12000])
def test_temperature_of_a_white_wall_in_known_light(kelvin: float) -> None:
    found = correlated_colour_temperature_k(flat(*of_light(kelvin)))
    assert found == pytest.approx(kelvin, rel=0.04)


def test_temperature_is_exact_at_daylight() -> None:
    assert correlated_colour_temperature_k(flat(128, 128, 128)) == pytest.approx(6504, abs=5)


def test_temperatures_are_in_order_from_candle_to_shade() -> None:
    casts = [(255, 170, 90), (255, 200, 140), (255, 230, 200), (240, 240, 255), (200, 215, 255)]
    found = [correlated_colour_temperature_k(flat(*cast)) for cast in casts]
    assert None not in found
    assert found == sorted(found)  # type: ignore[type-var]


@pytest.mark.parametrize("rgb", [(0, 255, 0), (255, 0, 255), (0, 0, 255), (3, 3, 3)])
def test_what_is_no_colour_of_a_light_has_no_temperature(rgb: tuple[int, int, int]) -> None:
    assert correlated_colour_temperature_k(flat(*rgb)) is None


def test_blown_pixels_do_not_hide_the_colour_of_the_light() -> None:
    warm = flat(200, 150, 90)
    half_blown = warm.copy()
    half_blown[:18] = 255
    assert correlated_colour_temperature_k(half_blown) == pytest.approx(
        correlated_colour_temperature_k(warm)
    )


def test_saturation() -> None:
    assert saturation(flat(90, 90, 90)) == 0.0
    assert saturation(flat(200, 0, 0)) == 1.0
    assert saturation(flat(200, 100, 100)) == pytest.approx(0.5)
    assert saturation(flat(0, 0, 0)) == 0.0
    # Saturated noise in the dark hardly counts beside a bright grey.
    assert saturation(halves((4, 0, 0), (200, 200, 200))) < 0.03


def test_colourfulness_follows_the_paper() -> None:
    """By hand: rg = R - G, yb = (R + G) / 2 - B; M3 = |std| + 0.3 |mean|."""
    assert colourfulness(flat(77, 77, 77)) == 0.0
    # One colour has no spread: 0.3 times the distance of (255, 127.5) from the origin.
    assert colourfulness(flat(255, 0, 0)) == pytest.approx(0.3 * np.hypot(255, 127.5))
    # Red and green halves: rg is +-255, so its spread is 255 and its mean 0; yb is 127.5 all over.
    assert colourfulness(halves((255, 0, 0), (0, 255, 0))) == pytest.approx(255 + 0.3 * 127.5)


def test_warm_and_cool() -> None:
    orange, grey, azure = (
        warm_cool(lab(flat(*rgb))) for rgb in ((230, 130, 40), (128, 128, 128), (50, 120, 200))
    )
    assert orange > 0 > grey > azure
    assert grey == pytest.approx(-0.5, abs=0.01)


def test_hues() -> None:
    red = hues(lab(flat(200, 30, 30)))
    assert red.mean_deg == pytest.approx(35, abs=8)
    assert red.concentration == pytest.approx(1.0)
    both = hues(lab(halves((220, 130, 40), (0, 140, 160))))
    assert both.concentration < 0.5 < red.concentration
    assert both.orange_share + both.teal_share == pytest.approx(1.0)
    grey = hues(lab(flat(128, 128, 128)))
    assert grey.mean_deg is None
    assert grey.chroma < 0.1
    assert hues(np.zeros((4, 3), np.float32)).concentration == 0.0


def test_lab_and_back() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (50, 1, 3), np.uint8)
    difference = rgb_of(lab(colours)).astype(int) - colours.reshape(-1, 3)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("shape", [(360, 640), (640, 360), (10, 12), (2, 900)])
def test_reduced_keeps_the_mean_colour(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    small = reduced(picture)
    assert min(small.shape[:2]) <= 64
    assert small.mean() == pytest.approx(picture.mean(), abs=1.5)
