"""Small video files made on the spot."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np


def write_video(
    path: Path,
    seconds: float = 2.0,
    size: tuple[int, int] = (96, 128),
    fps: int = 15,
    seed: int = 0,
) -> Path:
    """An H.264 file with AAC sound: a square that moves over noise, and a tone.

    `size` is (width, height) in pixels.
    """
    width, height = size
    rng = np.random.default_rng(seed)
    ground = rng.integers(0, 255, (height, width, 3), np.uint8)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        sound = container.add_stream("aac", rate=44100)
        for number in range(round(seconds * fps)):
            picture = ground.copy()
            left = number * 2 % (width - 24)
            picture[40:64, left : left + 24] = (250, 40, 40)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode())
        times_s = np.arange(round(seconds * 44100)) / 44100
        tone = (0.3 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)[None]
        for start in range(0, tone.shape[1], 1024):
            block = av.AudioFrame.from_ndarray(tone[:, start : start + 1024], "fltp", "mono")
            block.sample_rate, block.pts = 44100, start
            container.mux(sound.encode(block))
        container.mux(sound.encode())
    return path
