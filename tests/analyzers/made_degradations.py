"""What goes wrong with pictures, each at three rising strengths, and a picture to do it to."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

#: Degrades a picture, RGB uint8; the generator is for what is random.
Degrade = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def _blurred(picture: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma * min(picture.shape[:2]) / 360)


def _noisy(picture: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    return _clipped(picture + rng.normal(0, sigma, picture.shape[:2])[..., None])


def _blocky(picture: np.ndarray, quality: float, rng: np.random.Generator) -> np.ndarray:
    return as_jpeg(picture, int(quality))


def _darker(picture: np.ndarray, gain: float, rng: np.random.Generator) -> np.ndarray:
    return _clipped(picture * gain)


def _overexposed(picture: np.ndarray, part: float, rng: np.random.Generator) -> np.ndarray:
    """Brightened until about so much of the picture is white."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return _clipped(picture * (255 / max(1.0, float(np.quantile(luma, 1 - part)))))


def _clipped(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def as_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """A picture after it was a JPEG."""
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)


#: By name: the part of the score it is to lower, how it is done, and strengths from weak to strong.
DEGRADATIONS: dict[str, tuple[str, Degrade, tuple[float, float, float]]] = {
    "blur": ("sharpness", _blurred, (1.3, 2.0, 3.0)),
    "noise": ("noise", _noisy, (6.0, 10.0, 16.0)),
    "blocks": ("blockiness", _blocky, (25, 12, 5)),
    "dark": ("darkness", _darker, (0.4, 0.25, 0.12)),
    "over-exposed": ("overexposure", _overexposed, (0.3, 0.45, 0.6)),
}


def states(picture: np.ndarray) -> list[tuple[str, int]]:
    """The picture as it is (`""`, 0) and then every degradation at strengths 1 to 3."""
    return [("", 0), *((name, strength) for name in DEGRADATIONS for strength in (1, 2, 3))]


def degraded(picture: np.ndarray, name: str, strength: int, seed: int = 0) -> np.ndarray:
    """The picture with one degradation at strength 1 to 3; as it is for ""."""
    if not name:
        return picture
    _, degrade, strengths = DEGRADATIONS[name]
    return degrade(picture, strengths[strength - 1], np.random.default_rng(seed))


def scene(width: int = 640, height: int = 360, seed: int = 0) -> np.ndarray:
    """Things in front of clouds: edges, soft parts and fine detail in colour, well lit.

    The clouds' amplitudes fall with frequency as those of photographs do (Field 1987), a little
    faster.
    """
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    falling = np.maximum(np.hypot(fx, fy), 1 / width) ** -1.4
    clouds = np.fft.irfft2(
        falling * np.exp(2j * np.pi * rng.random(falling.shape)), (height, width)
    )
    picture = 118 + 38 * (clouds / clouds.std())[..., None] * np.array([0.9, 1.0, 1.1])
    picture = np.ascontiguousarray(picture, np.float32)
    for _ in range(25):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        size = int(rng.integers(width // 40, width // 10))
        colour = rng.uniform(40, 215, 3).tolist()
        cv2.rectangle(picture, (x, y), (x + size, y + size), colour, -1)
    return _clipped(picture)
