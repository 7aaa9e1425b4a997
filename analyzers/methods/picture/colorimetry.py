"""Measures of a picture's light and colour, each with the publication that defines it.

Pixels are sRGB (IEC 61966-2-1). Lightness and hue are CIELAB's under D65, luma is Rec. 709's.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

#: Rec. ITU-R BT.709: luma weights of red, green and blue.
_LUMA = np.array([[0.2126, 0.7152, 0.0722]])
#: Linear sRGB to CIE XYZ (IEC 61966-2-1).
_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float64
)
_LINEAR = np.where(
    np.arange(256) <= 0.04045 * 255,
    np.arange(256) / 255 / 12.92,
    ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4,
)
#: Eight-bit luma at which shadows have lost their detail, and highlights theirs: 2 % from the ends.
_CRUSHED = 5
_BLOWN = 250
#: Short side to which a picture is reduced for colour; noise averages out, colours stay.
_SHORT_SIDE_PX = 64
#: A correlated colour temperature has no meaning further from the Planckian locus (CIE 15:2018).
_FARTHEST_DUV = 0.05
#: Where McCamy's formula is within 4 % of the temperature of a light (tests measure it).
_CCT_RANGE_K = (2000.0, 12500.0)
#: Mean relative luminance under which a picture is too dark to have a colour of light.
_TOO_DARK = 0.002


@dataclass(frozen=True)
class Light:
    """How light is spread in a picture: luma 0..1, and parts of the picture 0..1."""

    mean: float
    p01: float
    p05: float
    p95: float
    p99: float
    #: Standard deviation of luma: RMS contrast (Peli 1990, J. Opt. Soc. Am. A 7:2032).
    contrast_rms: float
    crushed_share: float
    blown_share: float


def light(picture: np.ndarray) -> Light:
    """Measures of an RGB picture, uint8 (height, width, 3)."""
    luma = cv2.transform(picture, _LUMA)
    counts = cv2.calcHist([luma], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    share = counts / counts.sum()
    levels = np.arange(256) / 255
    mean = float(share @ levels)
    below = np.cumsum(share)
    p01, p05, p95, p99 = (
        float(levels[min(255, int(np.searchsorted(below, p)))]) for p in (0.01, 0.05, 0.95, 0.99)
    )
    return Light(
        mean,
        p01,
        p05,
        p95,
        p99,
        contrast_rms=float(np.sqrt(share @ (levels - mean) ** 2)),
        crushed_share=float(share[: _CRUSHED + 1].sum()),
        blown_share=float(share[_BLOWN:].sum()),
    )


def reduced(picture: np.ndarray) -> np.ndarray:
    """The picture with a short side of 64 pixels, uint8; each pixel is the mean of an area."""
    height, width = picture.shape[:2]
    scale = min(1.0, _SHORT_SIDE_PX / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def lab(picture: np.ndarray) -> np.ndarray:
    """CIELAB of each pixel, float32 (pixels, 3): L* 0..100, a*, b*."""
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab).reshape(-1, 3)


def rgb_of(colours: np.ndarray) -> np.ndarray:
    """The nearest sRGB colours, uint8 (n, 3), of CIELAB ones (n, 3)."""
    rgb = cv2.cvtColor(colours.reshape(1, -1, 3).astype(np.float32), cv2.COLOR_Lab2RGB)
    return np.rint(rgb[0].clip(0, 1) * 255).astype(np.uint8)


def saturation(picture: np.ndarray) -> float:
    """HSV saturation 0..1, each pixel weighted by its value: noise in the dark hardly counts."""
    brightest = picture.max(axis=2).astype(np.float64)
    chroma = brightest - picture.min(axis=2)
    return float(chroma.sum() / brightest.sum()) if brightest.any() else 0.0


def colourfulness(picture: np.ndarray) -> float:
    """M3 of Hasler & Süsstrunk 2003 (Proc. SPIE 5007:87).

    Viewers called 15 slightly, 33 moderately, 45 averagely, 59 quite, 82 highly and 109 extremely
    colourful; a picture in greys has 0.
    """
    red, green, blue = picture.reshape(-1, 3).T.astype(np.float64)
    red_green = red - green
    yellow_blue = (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    offset = np.hypot(red_green.mean(), yellow_blue.mean())
    return float(spread + 0.3 * offset)


def correlated_colour_temperature_k(picture: np.ndarray) -> float | None:
    """The temperature, in kelvin, of the light that a picture's mean chromaticity stands for.

    The mean is taken as the light's colour (grey world, Buchsbaum 1980) in linear light, without
    crushed and blown pixels; the temperature is McCamy's (1992, Color Res. Appl. 17:142). What the
    camera's white balance took out is not seen, and a scene of one colour (a lawn, a brick wall)
    shifts it: it orders pictures by warmth better than it measures lamps.

    None where the mean lies too far from any light's colour (Duv over 0.05), beyond 2000 to
    12500 K, or where the picture is too dark.
    """
    luma = cv2.transform(picture, _LUMA)
    usable = picture[(luma > _CRUSHED) & (luma < _BLOWN)]
    if len(usable) == 0:
        return None
    x, y, z = _XYZ @ _LINEAR[usable].mean(axis=0)
    if y < _TOO_DARK or abs(_duv(x, y, z)) > _FARTHEST_DUV:
        return None
    total = x + y + z
    n = (x / total - 0.3320) / (0.1858 - y / total)
    kelvin = 449.0 * n**3 + 3525.0 * n**2 + 6823.3 * n + 5520.33
    return float(kelvin) if _CCT_RANGE_K[0] <= kelvin <= _CCT_RANGE_K[1] else None


def _duv(x: float, y: float, z: float) -> float:
    """Distance from the Planckian locus in CIE 1960 u, v (Ohno 2014, Leukos 10:47, eq. 9)."""
    u, v = 4 * x / (x + 15 * y + 3 * z), 6 * y / (x + 15 * y + 3 * z)
    distance = np.hypot(u - 0.292, v - 0.240)
    angle = np.arccos((u - 0.292) / distance)
    locus = np.polyval(
        [-0.00616793, 0.0893944, -0.5179722, 1.5317403, -2.4243787, 1.925865, -0.471106], angle
    )
    return float(distance - locus)


def warm_cool(pixels: np.ndarray) -> float:
    """Mean warm-cool scale of Ou, Luo, Woodcock & Wright 2004 (Color Res. Appl. 29:232, table IV).

    `pixels`: CIELAB (n, 3). Found from viewers' answers on single colours: over 0 is warm; a grey
    has -0.5, an ordinary picture lies within 0.3 of that.
    """
    _, a, b = pixels.T.astype(np.float64)
    chroma, hue = np.hypot(a, b), np.arctan2(b, a)
    return float(np.mean(-0.5 + 0.02 * chroma**1.07 * np.cos(hue - np.radians(50))))


@dataclass(frozen=True)
class Hues:
    """How a picture's colour is spread around CIELAB's hue circle, each pixel by its chroma."""

    #: Mean C*ab, and the C*ab that a hundredth of the pixels exceeds.
    chroma: float
    chroma_p99: float
    #: Direction of the mean; None where there is next to no colour.
    mean_deg: float | None
    #: 1 where all colour has one hue, 0 where hues cancel out: length of the mean vector.
    concentration: float
    #: Parts of all chroma in oranges (30 to 90 degrees) and in teals (180 to 270 degrees).
    orange_share: float
    teal_share: float


#: Mean C*ab under which a picture has no hue worth naming: compression leaves 1 to 2 in greys.
GREY_CHROMA = 2.5


def hues(pixels: np.ndarray) -> Hues:
    """The spread for pixels in CIELAB, (n, 3)."""
    a, b = pixels[:, 1].astype(np.float64), pixels[:, 2].astype(np.float64)
    chroma = np.hypot(a, b)
    total = chroma.sum()
    mean = float(chroma.mean())
    if total == 0:
        return Hues(0.0, 0.0, None, 0.0, 0.0, 0.0)
    angle = np.degrees(np.arctan2(b, a)) % 360
    return Hues(
        chroma=mean,
        chroma_p99=float(np.percentile(chroma, 99)),
        mean_deg=float(np.degrees(np.arctan2(b.sum(), a.sum())) % 360)
        if mean >= GREY_CHROMA
        else None,
        concentration=float(np.hypot(a.sum(), b.sum()) / total),
        orange_share=float(chroma[(angle >= 30) & (angle < 90)].sum() / total),
        teal_share=float(chroma[(angle >= 180) & (angle < 270)].sum() / total),
    )
