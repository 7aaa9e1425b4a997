"""Shots and transitions of known extents, in the size of the ladder's thumbs."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

FPS = 30


def scene(seed: int, count: int, speed_px: float = 0.15) -> np.ndarray:
    """A camera that passes a row of coloured boxes: float (count, 27, 48, 3), with some noise."""
    rng = np.random.default_rng(seed)
    wall = np.full((60, 600, 3), rng.uniform(40, 200, 3), np.float32)
    for _ in range(120):
        x, y = int(rng.integers(0, 600)), int(rng.integers(0, 60))
        width, height = int(rng.integers(4, 40)), int(rng.integers(4, 30))
        colour = rng.uniform(0, 255, 3).tolist()
        cv2.rectangle(wall, (x, y), (x + width, y + height), colour, -1)
    wall = cv2.GaussianBlur(wall, (0, 0), 1.0)
    frames = [
        cv2.warpAffine(
            wall, np.array([[1, 0, -20 - speed_px * i], [0, 1, -10]], np.float32), (48, 27)
        )
        for i in range(count)
    ]
    return np.stack(frames) + rng.normal(0, 1, (count, 27, 48, 3))


def gains(count: int) -> np.ndarray:
    """`count` steps strictly between 0 and 1, upwards, shaped to multiply frames."""
    return np.linspace(0, 1, count + 2)[1:-1, None, None, None]


def dissolve(old: np.ndarray, new: np.ndarray, count: int) -> np.ndarray:
    """The last `count` frames of one shot mixed with the first ones of the next."""
    mixed = old[-count:] * (1 - gains(count)) + new[:count] * gains(count)
    return np.concatenate([old[:-count], mixed, new[count:]])


def fade_out(shot: np.ndarray, count: int, level: float = 0.0) -> np.ndarray:
    """A shot whose last `count` frames go to black, or to a grey or white `level`."""
    faded = level + (shot[-count:] - level) * gains(count)[::-1]
    return np.concatenate([shot[:-count], faded])


def fade_in(shot: np.ndarray, count: int, level: float = 0.0) -> np.ndarray:
    """A shot whose first `count` frames come from black, or from a grey or white `level`."""
    return np.concatenate([level + (shot[:count] - level) * gains(count), shot[count:]])


def plain(count: int, level: float = 0.0) -> np.ndarray:
    """Frames of one grey level."""
    return np.full((count, 27, 48, 3), level)


def thumbs(*shots: np.ndarray, fps: float = FPS) -> MappedFrames:
    """Shots one after the other as the ladder's rung."""
    pixels = np.clip(np.rint(np.concatenate(shots)), 0, 255).astype(np.uint8)
    return MappedFrames(np.arange(len(pixels)) / fps, np.arange(len(pixels)), pixels)


def video_of(frames: MappedFrames, fps: float = FPS) -> Video:
    """A video with these thumbs; its other rungs are noise."""
    video = made_video(end_s=len(frames) / fps, sound=False)
    return replace(video, thumbs=frames, info=replace(video.info, fps=fps))
