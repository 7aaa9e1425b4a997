"""Camera moves of known speed over a still, with noise and, where wanted, things in front of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

FPS = 15
WIDTH, HEIGHT = 360, 640

#: Draws on a frame (its number, the frame).
Foreground = Callable[[int, np.ndarray], None]


def still(seed: int = 0, size_px: int = 2400) -> np.ndarray:
    """A large grey picture with detail of many sizes: boxes, lines and clouds."""
    rng = np.random.default_rng(seed)
    picture = np.full((size_px, size_px), 120, np.float32)
    for cells in (8, 24, 80):
        clouds = rng.normal(0, 25, (cells, cells)).astype(np.float32)
        picture += cv2.resize(clouds, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    for _ in range(900):
        x, y = (int(v) for v in rng.integers(0, size_px, 2))
        width, height = (int(v) for v in rng.integers(8, 120, 2))
        cv2.rectangle(picture, (x, y), (x + width, y + height), float(rng.uniform(10, 245)), -1)
    return cv2.GaussianBlur(picture, (0, 0), 1.2)


def moved(
    picture: np.ndarray,
    seconds: float,
    *,
    pan: float = 0.0,
    tilt: float = 0.0,
    zoom_ratio: float = 1.0,
    roll_deg: float = 0.0,
    noise: float = 2.0,
    foreground: Foreground | None = None,
) -> np.ndarray:
    """What a camera sees that pans right, tilts up (frame widths a second), zooms in and rolls.

    `zoom_ratio`: growth of the content in a second. `roll_deg`: clockwise, in a second. uint8
    (n, HEIGHT, WIDTH). The middle of the move looks at the middle of the picture.
    """
    rng = np.random.default_rng(1)
    count = round(seconds * FPS)
    frames = []
    for i in range(count):
        t = (i - count / 2) / FPS
        scale = zoom_ratio**t
        # The camera's turn is the content's the other way round; OpenCV's angle is against the
        # clock.
        matrix = cv2.getRotationMatrix2D(
            (picture.shape[1] / 2, picture.shape[0] / 2), roll_deg * t, scale
        )
        matrix[:, 2] += [
            WIDTH / 2 - picture.shape[1] / 2 - pan * t * WIDTH,
            HEIGHT / 2 - picture.shape[0] / 2 + tilt * t * WIDTH,
        ]
        frame = cv2.warpAffine(
            picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        if foreground is not None:
            foreground(i, frame)
        frames.append(frame + rng.normal(0, noise, frame.shape))
    return np.clip(np.rint(np.stack(frames)), 0, 255).astype(np.uint8)


def walker(i: int, frame: np.ndarray) -> None:
    """A striped figure that crosses the frame, a fifth of its area."""
    x = int(30 + 12 * i) % (WIDTH + 160) - 160
    top = 160 + int(12 * np.sin(i / 2))
    body = frame[max(0, top) : top + 400, max(0, x) : max(0, x + 130)]
    body[:] = 60
    body[::14] = 200
    body[:, ::11] = 230


def caption(i: int, frame: np.ndarray) -> None:
    """Two lines of white text with a dark edge, as burned-in captions are."""
    drawn = np.clip(frame, 0, 255).astype(np.uint8)
    for line, text in enumerate(("WAIT FOR THE", "VERY LAST ONE")):
        place = (40, 120 + 46 * line)
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.1, 0, 8, cv2.LINE_AA)
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.1, 255, 3, cv2.LINE_AA)
    frame[:] = drawn


def video_of(*shots: np.ndarray) -> Video:
    """Shots one after the other as a video's motion rung; its other rungs are noise."""
    pixels = np.concatenate(shots)
    video = made_video(end_s=len(pixels) / FPS, sound=False)
    frames = MappedFrames(np.arange(len(pixels)) / FPS, 2 * np.arange(len(pixels)), pixels)
    info = replace(video.info, width_px=pixels.shape[2], height_px=pixels.shape[1])
    return replace(video, motion=frames, info=info)
