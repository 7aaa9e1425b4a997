"""Editing effects of known extent, put into real footage.

Each function of `EFFECTS` takes a shot and a strength (0 weak, 1 middle, 2 strong), with another
shot for those that need two, and returns the frames of the edited clip and the effect's true extent
in seconds: from the first frame that shows it to the first that does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

#: The extent of the effect: first frame with it, first frame without it.
Edited = tuple[np.ndarray, int, int]


@dataclass(frozen=True)
class Shot:
    """Frames, uint8 (n, height, width, 3) RGB, and their rate."""

    frames: np.ndarray
    fps: float


def footage(path: Path, start_s: float, seconds: float, height: int = 360) -> Shot:
    """A part of a file, reduced to a height."""
    frames = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate or 25)
        width = round(stream.width * height / stream.height / 2) * 2
        for frame in container.decode(stream):
            time_s = (frame.time or 0.0) - float((stream.start_time or 0) * stream.time_base)
            if time_s >= start_s + seconds:
                break
            if time_s >= start_s - 1e-6:
                frames.append(frame.reformat(width, height, "rgb24").to_ndarray())
    return Shot(np.stack(frames), fps)


def write_clip(path: Path, frames: np.ndarray, fps: float) -> Path:
    """An H.264 file of usual quality, so that repeats and edges are as encoders leave them."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=round(fps), options={"crf": "23", "preset": "veryfast"}
        )
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def video_of(shot: Shot) -> Video:
    """These frames as the ladder's rungs, without a codec between."""
    count = len(shot.frames)
    numbers = np.arange(count)
    height, width = shot.frames.shape[1:3]
    video = made_video(end_s=count / shot.fps, sound=False)

    def rung(rate_hz: float, made: Callable[[np.ndarray], np.ndarray]) -> MappedFrames:
        wanted = np.arange(0, count / shot.fps - 1e-9, 1 / rate_hz) * shot.fps
        taken = np.unique(np.ceil(wanted - 1e-6).astype(int).clip(0, count - 1))
        pixels = np.stack([made(shot.frames[i]) for i in taken])
        return MappedFrames(taken / shot.fps, taken, pixels)

    thumbs = np.stack([cv2.resize(f, (48, 27), interpolation=cv2.INTER_AREA) for f in shot.frames])
    return replace(
        video,
        info=replace(video.info, width_px=width, height_px=height, fps=shot.fps),
        thumbs=MappedFrames(numbers / shot.fps, numbers, thumbs),
        motion=rung(15, lambda frame: cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)),
        analysis=rung(5, lambda frame: frame),
    )


def _as_pixels(frames: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(frames), 0, 255).astype(np.uint8)


def _zoomed(frame: np.ndarray, scale: float) -> np.ndarray:
    height, width = frame.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, scale)
    return cv2.warpAffine(frame, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)


def freeze(shot: Shot, other: Shot, strength: int) -> Edited:
    """Half a second to a second and a half of one frame, inserted or in place of what moved on."""
    count = round((0.5, 0.8, 1.5)[strength] * shot.fps)
    start = len(shot.frames) // 3
    held = np.repeat(shot.frames[start : start + 1], count, axis=0)
    skipped = start + (1 if strength == 1 else count)
    # The first of the held frames is new: it is the second one that repeats.
    frames = np.concatenate([shot.frames[:start], held, shot.frames[skipped:]])
    return frames, start, start + count


def flash(shot: Shot, other: Shot, strength: int) -> Edited:
    """White (warm with strength 1) that comes at once and goes over a few frames."""
    levels = ((0.5, 0.25), (0.8, 0.6, 0.4, 0.2), (0.4, 1.0, 1.0, 0.75, 0.5, 0.25))[strength]
    colour = np.array((255, 235, 200) if strength == 1 else (255, 255, 255), np.float32)
    start = len(shot.frames) // 2
    frames = shot.frames.copy()
    for i, level in enumerate(levels):
        frames[start + i] = _as_pixels(shot.frames[start + i] * (1 - level) + level * colour)
    return frames, start, start + len(levels)


def glitch(shot: Shot, other: Shot, strength: int) -> Edited:
    """A third of a second of split colours, of displaced slices, or of both with noise."""
    rng = np.random.default_rng(5)
    count, start = round((0.2, 0.3, 0.5)[strength] * shot.fps), len(shot.frames) // 2
    frames = shot.frames.copy()
    height, width = frames.shape[1:3]
    for i in range(start, start + count):
        picture = frames[i].copy()
        if strength != 1:
            by = int(width * (0.03 + 0.02 * rng.random()))
            picture[..., 0] = np.roll(picture[..., 0], by, axis=1)
            picture[..., 2] = np.roll(picture[..., 2], -by, axis=1)
        if strength != 0:
            edges = np.sort(rng.integers(0, height, 12))
            for top, bottom in pairwise(edges):
                by = int(width * rng.uniform(-0.15, 0.15))
                picture[top:bottom] = np.roll(picture[top:bottom], by, axis=1)
        if strength == 2:
            lines = rng.random(height) < 0.2
            picture[lines] = rng.integers(0, 256, (int(lines.sum()), width, 3))
        frames[i] = picture
    return frames, start, start + count


def zoom_punch(shot: Shot, other: Shot, strength: int) -> Edited:
    """In by 15 % at once, by 30 % over a sixth of a second, or by half and back again."""
    start = len(shot.frames) // 2
    scale, ramp = ((1.15, 1), (1.3, max(2, round(shot.fps / 6))), (1.5, 3))[strength]
    frames = shot.frames.copy()
    for i in range(start, len(frames)):
        part = min(1.0, (i - start + 1) / ramp)
        if strength == 2:
            part = min(part, max(0.0, 1 - (i - start - 3 - ramp) / ramp))
        frames[i] = _zoomed(frames[i], 1 + (scale - 1) * part)
    return frames, start, start + (ramp if strength < 2 else 2 * ramp + 3)


def speed_ramp(shot: Shot, other: Shot, strength: int) -> Edited:
    """A part at half speed with doubled frames, at three times the speed, or at a third of it."""
    start = len(shot.frames) // 3
    rate = (0.5, 3.0, 1 / 3)[strength]
    part = round(len(shot.frames) * (0.5 if rate > 1 else 0.2))
    places = np.floor(start + np.arange(0, part, rate)).astype(int)
    frames = np.concatenate([shot.frames[:start], shot.frames[places], shot.frames[start + part :]])
    return frames, start, start + len(places)


def split_screen(shot: Shot, other: Shot, strength: int) -> Edited:
    """Two shots one above the other, two side by side, or the same one three times."""
    count = min(len(shot.frames), len(other.frames))
    height, width = shot.frames.shape[1:3]
    start, stop = count // 4, count
    frames = shot.frames[:count].copy()
    if strength == 2:
        third = width // 3
        left = (width - third) // 2
        tile = shot.frames[:, :, left : left + third]
        spare = width - 3 * third
        last = shot.frames[:, :, left : left + third + spare]
        frames[start:stop] = np.concatenate([tile, tile, last], axis=2)[start:stop]
        return frames, start, stop
    resized = np.stack([cv2.resize(f, (width, height)) for f in other.frames[:count]])
    if strength == 0:
        quarter, half = height // 4, height // 2
        frames[start:stop, :half] = shot.frames[start:stop, quarter : quarter + half]
        frames[start:stop, half:] = resized[start:stop, quarter : quarter + height - half]
    else:
        quarter, half = width // 4, width // 2
        frames[start:stop, :, :half] = shot.frames[start:stop, :, quarter : quarter + half]
        frames[start:stop, :, half:] = resized[start:stop, :, quarter : quarter + width - half]
    return frames, start, stop


def letterbox(shot: Shot, other: Shot, strength: int) -> Edited:
    """Bars above and below from some moment on, throughout, or at the sides."""
    frames = shot.frames.copy()
    height, width = frames.shape[1:3]
    start = len(frames) // 3 if strength == 0 else 0
    if strength == 2:
        bar = round(width * 0.15)
        frames[:, :, :bar], frames[:, :, -bar:] = 0, 0
    else:
        bar = round(height * (0.08, 0.14)[strength])
        frames[start:, :bar], frames[start:, -bar:] = 0, 0
    return frames, start, len(frames)


def green_screen(shot: Shot, other: Shot, strength: int) -> Edited:
    """The middle of a shot before a green or blue screen that is lit unevenly, with noise."""
    colour = np.array(((0, 177, 64), (20, 160, 50), (0, 71, 187))[strength], np.float32)
    rng = np.random.default_rng(2)
    height, width = shot.frames.shape[1:3]
    y, x = np.mgrid[:height, :width]
    axes = ((0.20, 0.40), (0.28, 0.42), (0.33, 0.48))[strength]
    inside = ((x / width - 0.5) / axes[0]) ** 2 + ((y / height - 0.55) / axes[1]) ** 2
    alpha = np.clip((1 - inside) * 12, 0, 1).astype(np.float32)[..., None]
    light = (1 - 0.2 * np.hypot(x / width - 0.4, y / height - 0.4))[..., None].astype(np.float32)
    frames = []
    for frame in shot.frames:
        screen = colour * light + rng.normal(0, 2, frame.shape).astype(np.float32)
        frames.append(_as_pixels(frame * alpha + screen * (1 - alpha)))
    return np.stack(frames), 0, len(frames)


def filter_change(shot: Shot, other: Shot, strength: int) -> Edited:
    """Warm and pale, black and white, or teal with contrast, for a second and a half."""
    start = len(shot.frames) // 3
    stop = len(shot.frames) if strength == 1 else start + round(1.5 * shot.fps)
    frames = shot.frames.copy()
    matrices = (
        np.array([[1.08, 0.05, 0.0], [0.05, 0.92, 0.05], [0.05, 0.1, 0.68]]),
        np.tile([0.299, 0.587, 0.114], (3, 1)),
        np.array([[1.1, -0.1, -0.1], [0.0, 1.25, 0.0], [0.0, 0.15, 1.25]]),
    )
    offset = np.array(((12, 8, 0), (0, 0, 0), (-20, -16, -6))[strength], np.float32)
    matrix = matrices[strength].T.astype(np.float32)
    for i in range(start, stop):
        frames[i] = _as_pixels(frames[i].astype(np.float32) @ matrix + offset)
    return frames, start, stop


def fade(shot: Shot, other: Shot, strength: int) -> Edited:
    """In from black, out to black, or through white to another shot."""
    frames = shot.frames.astype(np.float32)
    count = round((0.5, 0.8, 0.5)[strength] * shot.fps)
    up = (np.arange(count) / count)[:, None, None, None]
    if strength == 0:
        frames[:count] *= up
        return _as_pixels(frames), 0, count
    if strength == 1:
        frames[-count:] *= 1 - up
        return _as_pixels(frames), len(frames) - count, len(frames)
    middle = len(frames) // 2
    old, new = frames[:middle], other.frames[: len(frames) - middle].astype(np.float32)
    old[-count:] += (255 - old[-count:]) * up
    new[:count] = 255 + (new[:count] - 255) * up
    return _as_pixels(np.concatenate([old, new])), middle - count, middle + count


def wipe(shot: Shot, other: Shot, strength: int) -> Edited:
    """From the left with a soft edge, from above, or a diagonal one."""
    count = round((0.8, 0.5, 1.2)[strength] * shot.fps)
    length = min(len(shot.frames), len(other.frames))
    start = (length - count) // 2
    frames = np.concatenate([shot.frames[:start], other.frames[start:length]])
    height, width = frames.shape[1:3]
    y, x = np.mgrid[:height, :width]
    place = (x / width, y / height, (x / width + y / height) / 2)[strength]
    soft = (0.05, 0.005, 0.02)[strength]
    for i in range(count):
        edge = (i + 1) / (count + 1) * (1 + 2 * soft) - soft
        new = np.clip((edge - place) / soft + 0.5, 0, 1)[..., None]
        mixed = shot.frames[start + i] * (1 - new) + other.frames[start + i] * new
        frames[start + i] = _as_pixels(mixed)
    return frames, start, start + count


def whip_pan(shot: Shot, other: Shot, strength: int) -> Edited:
    """A blurred sweep into another shot, within the same one, or upwards into another."""
    count = round((0.25, 0.3, 0.4)[strength] * shot.fps)
    length = min(len(shot.frames), len(other.frames))
    start = (length - count) // 2
    second = shot if strength == 1 else other
    frames = np.concatenate([shot.frames[:start], second.frames[start:length]])
    axis = 0 if strength == 2 else 1
    side = frames.shape[1 + axis]
    for i in range(count):
        old, new = shot.frames[start], second.frames[start + count]
        # Both shots and a mirrored stretch between them, as a camera that swings past the scene.
        strip = np.concatenate([old, np.flip(old, axis), np.flip(new, axis), new], axis=axis)
        progress = (i + 0.5) / count
        at = round(3 * side * (3 * progress**2 - 2 * progress**3))
        slowest = 6 * progress * (1 - progress) * 3 * side / count
        blur = max(3, round(0.8 * slowest)) | 1
        size = (1, blur) if axis == 0 else (blur, 1)
        strip = cv2.blur(strip, size, borderType=cv2.BORDER_REFLECT)
        frames[start + i] = strip[at : at + side] if axis == 0 else strip[:, at : at + side]
    return frames, start, start + count


EFFECTS: dict[str, Callable[[Shot, Shot, int], Edited]] = {
    effect.__name__: effect
    for effect in (
        freeze, flash, glitch, zoom_punch, speed_ramp, split_screen, letterbox, green_screen,
        filter_change, fade, wipe, whip_pan,
    )
}  # fmt: skip
STRENGTHS = (0, 1, 2)
