"""Palettes of pictures painted in known colours, and hue templates of known hues."""

import colorsys

import numpy as np
import pytest

from analyzers.methods.picture.color_harmony import harmony
from analyzers.methods.picture.colorimetry import lab
from analyzers.methods.picture.palette import name_of, palette, rgb


def painted(parts: dict[str, int], noise: float = 0.0) -> np.ndarray:
    """RGB pixels: `parts` says how many pixels each hex colour gets."""
    pixels = np.concatenate([np.tile(rgb(code), (count, 1)) for code, count in parts.items()])
    spread = np.random.default_rng(0).normal(0, noise, pixels.shape)
    return (pixels + spread).clip(0, 255).astype(np.uint8)


def near(one: str, other: str) -> bool:
    colours = lab(np.array([[rgb(one), rgb(other)]], np.uint8))
    return float(np.linalg.norm(colours[0] - colours[1])) < 5


def test_painted_colours_come_back_with_their_shares() -> None:
    parts = {"#d02020": 5000, "#2040c0": 3000, "#e8dcc0": 2000}
    found = palette(lab(painted(parts, noise=4)[None]), 6)
    assert [round(colour.share, 2) for colour in found] == [0.5, 0.3, 0.2]
    assert all(near(colour.hex, code) for colour, code in zip(found, parts, strict=True))
    assert [colour.name for colour in found] == ["red", "blue", "beige"]


def test_shades_of_one_colour_are_one() -> None:
    [only] = palette(lab(painted({"#808080": 1000}, noise=2)[None]), 6)
    assert (only.name, only.share) == ("grey", 1.0)
    assert near(only.hex, "#808080")


def test_a_speck_is_left_out() -> None:
    found = palette(lab(painted({"#000000": 9960, "#ff0000": 40})[None]), 6)
    assert [colour.name for colour in found] == ["black"]


def test_same_pixels_same_palette() -> None:
    pixels = lab(np.random.default_rng(5).integers(0, 256, (1, 9000, 3), np.uint8))
    assert palette(pixels, 6) == palette(pixels, 6)


def test_fewer_pixels_than_colours() -> None:
    found = palette(lab(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)), 6)
    assert {colour.hex for colour in found} == {"#ff0000", "#0000ff"}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("#000000", "black"),
        ("#ffffff", "white"),
        ("#7a7a7a", "grey"),
        ("#e01818", "red"),
        ("#ff9010", "orange"),
        ("#ffe820", "yellow"),
        ("#128a8a", "teal"),
        ("#10184a", "navy"),
        ("#8a4a9a", "purple"),
        ("#6b4423", "brown"),
    ],
)
def test_names_are_what_people_say(code: str, name: str) -> None:
    assert name_of(lab(np.array([[rgb(code)]], np.uint8))[0]) == name


def of_hues(*degrees: float, spread_deg: float = 0.0) -> np.ndarray:
    """Pixels in equal parts of fully saturated hues."""
    hues = np.repeat(degrees, 500) + np.random.default_rng(0).uniform(
        -spread_deg, spread_deg, 500 * len(degrees)
    )
    pixels = [colorsys.hsv_to_rgb(hue % 360 / 360, 0.9, 0.8) for hue in hues]
    return np.rint(np.array(pixels) * 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "template"),
    [
        (of_hues(200, spread_deg=8), "monochromatic"),
        (of_hues(30, 210, spread_deg=8), "complementary"),
        (of_hues(100, spread_deg=45), "analogous"),
        (of_hues(340, 20, 60, 200, spread_deg=5), "split_complementary"),
        (of_hues(5, 50, 90, 130, 175, spread_deg=5), "half_wheel"),
        (of_hues(30, 70, 210, 250, spread_deg=12), "double_complementary"),
        (of_hues(0, 60, 120, 180, 240, 300, spread_deg=20), "none"),
        (painted({"#303030": 500, "#c0c0c0": 500}), "achromatic"),
    ],
)
def test_harmonies(pixels: np.ndarray, template: str) -> None:
    assert harmony(pixels).template == template


def test_the_main_sector_is_where_the_hues_are() -> None:
    found = harmony(of_hues(200, spread_deg=5))
    assert found.hue_deg == pytest.approx(200, abs=5)
    assert found.distance_deg == pytest.approx(0, abs=2)


def test_hues_around_red_are_one_hue() -> None:
    """355 and 5 degrees are neighbours."""
    assert harmony(of_hues(355, 5)).template == "monochromatic"
