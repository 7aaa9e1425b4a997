"""Which hues go together in a picture: the hue templates of Matsuda (1995), fitted as Cohen-Or,
Sorkine, Gal, Leyvand & Xu 2006 do (Color Harmonization, ACM TOG 25:624).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

_BIN_DEG = 5
_BINS = 360 // _BIN_DEG

#: Sectors of each template as (centre, width), degrees, narrowest template first. The letters are
#: Matsuda's; widths are those of Cohen-Or et al., figure 2.
_TEMPLATES: dict[str, tuple[tuple[float, float], ...]] = {
    "monochromatic": ((0, 18),),  # i
    "complementary": ((0, 18), (180, 18)),  # I
    "analogous": ((0, 93.6),),  # V
    "analogous_with_accent": ((0, 79.2), (90, 18)),  # L
    "split_complementary": ((0, 93.6), (180, 18)),  # Y
    "half_wheel": ((0, 180),),  # T
    "double_complementary": ((0, 93.6), (180, 93.6)),  # X
}
#: What `harmony` can answer: no colour, a template, or none of them.
HARMONIES = ("achromatic", *_TEMPLATES, "none")
#: A wider template always fits better, so the narrowest counts whose hues lie, on the average, no
#: further outside its sectors than this.
_FITS_DEG = 4.0
#: Mean HSV chroma (0..1) under which there are no hues to go together.
_LEAST_CHROMA = 0.03


@dataclass(frozen=True)
class Harmony:
    """The template that fits, where its main sector lies, and how far hues lie outside of it."""

    template: str
    #: HSV hue of the main sector's centre, degrees; None without a template.
    hue_deg: float | None
    #: Mean distance of hues from the template's sectors, degrees, weighted by chroma.
    distance_deg: float | None


def harmony(pixels: np.ndarray) -> Harmony:
    """The harmony of RGB pixels, uint8 (n, 3).

    Hues are HSV's. They count by chroma (saturation times value) and not by saturation alone as in
    the paper, since the hue of near-black pixels is noise.
    """
    hsv = cv2.cvtColor(pixels.reshape(1, -1, 3), cv2.COLOR_RGB2HSV_FULL)[0].astype(np.float64)
    chroma = hsv[:, 1] * hsv[:, 2] / 255**2
    if chroma.mean() < _LEAST_CHROMA:
        return Harmony("achromatic", None, None)
    bins = (hsv[:, 0] * 360 / 256 / _BIN_DEG).astype(int) % _BINS
    weight = np.bincount(bins, chroma, minlength=_BINS) / chroma.sum()
    nearest = Harmony("none", None, None)
    for template, distances in _distances().items():
        fit = distances @ weight
        turn = int(np.argmin(fit))
        if fit[turn] <= _FITS_DEG:
            return Harmony(template, float(turn * _BIN_DEG), float(fit[turn]))
        nearest = Harmony("none", None, float(fit[turn]))
    return nearest


@cache
def _distances() -> dict[str, np.ndarray]:
    """For each template: distance in degrees of each hue bin, at each turn; (turns, bins)."""
    turns = np.arange(_BINS)[:, None] * _BIN_DEG
    hue = np.arange(_BINS)[None, :] * _BIN_DEG + _BIN_DEG / 2
    tables = {}
    for template, sectors in _TEMPLATES.items():
        outside = [
            np.maximum(0, np.abs((hue - turns - centre + 180) % 360 - 180) - width / 2)
            for centre, width in sectors
        ]
        tables[template] = np.min(outside, axis=0)
    return tables
