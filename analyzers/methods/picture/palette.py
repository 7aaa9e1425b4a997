"""The main colours of pictures: k-means in CIELAB, with hex codes and plain names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from analyzers.methods.picture.colorimetry import lab, rgb_of

#: Centres closer than this (CIE 1976 colour difference) are shades of one colour to the eye.
_SAME_COLOUR = 10.0
#: Colours with less of the picture are left out.
_LEAST_SHARE = 0.01
_SEED = 20060730
_ROUNDS = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 25, 0.3)

#: The eleven basic colour terms of Berlin & Kay 1969, with dark, light and a few in-between ones
#: that people who work with pictures use; each by a typical colour. The nearest one gives the name.
_NAMES = {
    "black": "#000000", "dark grey": "#404040", "grey": "#808080", "light grey": "#bcbcbc",
    "white": "#ffffff", "dark red": "#701010", "red": "#d81e1e", "salmon": "#f08878",
    "pink": "#f7b6c6", "deep pink": "#e83e8c", "dark brown": "#40281a", "brown": "#85552d",
    "tan": "#c8a27a", "beige": "#e8dcc0", "rust": "#b04a1a", "orange": "#ff8c1a",
    "peach": "#ffcba4", "mustard": "#b8921a", "yellow": "#ffe01a", "pale yellow": "#fff5b0",
    "dark olive": "#3a3d1c", "olive": "#74752c", "dark green": "#1d4a20", "green": "#2f9138",
    "light green": "#98d890", "yellow green": "#a5cc3a", "dark teal": "#0e4548",
    "teal": "#1e8a8a", "turquoise": "#50d0c8", "pale cyan": "#cdeff0", "navy": "#141e4a",
    "blue": "#2450c8", "sky blue": "#7fb6ea", "pale blue": "#d2e2f4", "slate blue": "#5566a8",
    "dark purple": "#381a4c", "purple": "#7d3c98", "lavender": "#bfa5de", "magenta": "#c81e9a",
    "moss": "#5a6a45", "sage": "#93a37f", "taupe": "#867263", "umber": "#55402f",
    "mauve": "#7a6478", "blue grey": "#66748a",
}  # fmt: skip


@dataclass(frozen=True)
class PaletteColour:
    """One main colour: `#rrggbb`, its plain name, and the part of the picture it stands for."""

    hex: str
    name: str
    share: float


def palette(pixels: np.ndarray, most: int) -> list[PaletteColour]:
    """At most `most` colours of CIELAB pixels, float32 (n, 3) with n > 1, largest share first.

    The same pixels give the same palette: k-means++ starts from a fixed seed.
    """
    count = min(most, len(pixels))
    cv2.setRNGSeed(_SEED)
    _, labels, centres = cv2.kmeans(
        np.ascontiguousarray(pixels, np.float32), count, None, _ROUNDS, 1, cv2.KMEANS_PP_CENTERS
    )  # type: ignore[call-overload]
    shares = np.bincount(labels.ravel(), minlength=count) / len(pixels)
    merged: list[tuple[np.ndarray, float]] = []
    for i in np.argsort(-shares, kind="stable"):
        for k, (centre, share) in enumerate(merged):
            if np.linalg.norm(centre - centres[i]) < _SAME_COLOUR:
                total = share + shares[i]
                merged[k] = ((centre * share + centres[i] * shares[i]) / total, total)
                break
        else:
            merged.append((centres[i], float(shares[i])))
    merged.sort(key=lambda colour: -colour[1])
    return [
        PaletteColour("#{:02x}{:02x}{:02x}".format(*rgb_of(centre)[0]), name_of(centre), share)
        for centre, share in merged
        if share >= _LEAST_SHARE
    ]


def name_of(colour: np.ndarray) -> str:
    """The plain name of a colour in CIELAB."""
    names, anchors = _anchors()
    return names[int(np.argmin(np.linalg.norm(anchors - colour, axis=1)))]


@cache
def _anchors() -> tuple[Sequence[str], np.ndarray]:
    return list(_NAMES), lab(np.array([[rgb(code) for code in _NAMES.values()]], np.uint8))


def rgb(code: str) -> tuple[int, int, int]:
    """Red, green and blue, 0..255, of `#rrggbb`."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)
