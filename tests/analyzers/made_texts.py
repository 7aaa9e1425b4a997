"""Videos with text drawn on them, whose truth is exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

WIDTH_PX, HEIGHT_PX = 360, 640


def moving_ground(time_s: float) -> np.ndarray:
    """Soft blobs that drift, RGB: a picture that moves and holds no text."""
    rng = np.random.default_rng(5)
    blobs = rng.integers(30, 190, (20, 12, 3), dtype=np.uint8)
    picture = cv2.resize(blobs, (WIDTH_PX * 2, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    shift = int(time_s * 60) % WIDTH_PX
    return np.ascontiguousarray(picture[:, shift : shift + WIDTH_PX])


def still_ground(time_s: float) -> np.ndarray:
    """The same picture all the time."""
    return moving_ground(0.0)


def write(
    picture: np.ndarray,
    text: str,
    middle: tuple[float, float],
    size_px: int = 40,
    opacity: float = 1.0,
    tilt_deg: float = 0.0,
) -> np.ndarray:
    """White letters with a dark edge, `middle` relative to the frame, tilted clockwise."""
    layer = Image.new("RGBA", (WIDTH_PX, HEIGHT_PX))
    place = (middle[0] * WIDTH_PX, middle[1] * HEIGHT_PX)
    ImageDraw.Draw(layer).text(
        place,
        text,
        font=ImageFont.load_default(size=size_px),
        fill=(255, 255, 255, 255),
        stroke_width=2,
        stroke_fill=(0, 0, 0, 255),
        anchor="mm",
    )
    if tilt_deg:
        layer = layer.rotate(-tilt_deg, center=place, resample=Image.Resampling.BICUBIC)
    drawn = np.asarray(layer, np.float32)
    alpha = drawn[..., 3:] / 255 * opacity
    return (picture * (1 - alpha) + drawn[..., :3] * alpha).round().astype(np.uint8)


def text_video(draw: Callable[[float], np.ndarray], end_s: float) -> Video:
    """A video whose frame at each time is `draw(time_s)`, RGB, with the rates of the ladder."""

    def rung(rate_hz: int) -> MappedFrames:
        times_s = np.arange(0.0, end_s - 1e-9, 1 / rate_hz)
        pixels = np.stack([draw(float(t)) for t in times_s])
        return MappedFrames(times_s, np.round(times_s * 30).astype(np.int64), pixels)

    motion = rung(15)
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in motion.pixels])
    video = made_video(end_s, video_id="text-00000000", sound=False)
    return replace(
        video,
        info=replace(video.info, width_px=WIDTH_PX, height_px=HEIGHT_PX),
        motion=replace(motion, pixels=grey),
        analysis=rung(5),
        detail=rung(1),
    )
