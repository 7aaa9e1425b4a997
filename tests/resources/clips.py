"""Small videos made on the spot with PyAV."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

Painter = Callable[[int], np.ndarray]
#: Adds a stream to an open file and returns what encodes it.
Part = Callable[[Any], Callable[[], None]]

#: Red, green, blue and white: one colour for each quarter, top left first, row by row.
QUARTERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))


def quarters(width_px: int, height_px: int) -> np.ndarray:
    """A picture whose orientation can be read from its corners."""
    picture = np.zeros((height_px, width_px, 3), np.uint8)
    for i, colour in enumerate(QUARTERS):
        rows = slice(0, height_px // 2) if i < 2 else slice(height_px // 2, None)
        columns = slice(0, width_px // 2) if i % 2 == 0 else slice(width_px // 2, None)
        picture[rows, columns] = colour
    return picture


def plain(width_px: int, height_px: int, colour: Sequence[int]) -> np.ndarray:
    return np.full((height_px, width_px, 3), colour, np.uint8)


def moving(width_px: int = 128, height_px: int = 72) -> Painter:
    """A textured picture that moves, so that every frame differs and compresses badly."""
    texture = np.random.default_rng(7).integers(0, 255, (height_px, width_px, 3), np.uint8)
    return lambda number: np.roll(texture, 3 * number, axis=1)


def video(
    paint: Painter,
    times_s: Sequence[float],
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    prepare: Callable[[Any], None] = lambda stream: None,
    paint_pixels: str = "rgb24",
) -> Part:
    """A video stream of painted frames at the given times (seconds)."""

    def add(out: Any) -> Callable[[], None]:
        stream = out.add_stream(codec, rate=30)
        stream.height, stream.width = paint(0).shape[:2]
        stream.pix_fmt = pixels
        stream.options = {"preset": "ultrafast", "crf": "12"} if options is None else options
        # Fine enough for any frame rate in these tests.
        stream.codec_context.time_base = Fraction(1, 12000)
        prepare(stream)

        def encode() -> None:
            for number, time_s in enumerate(times_s):
                frame = av.VideoFrame.from_ndarray(paint(number), format=paint_pixels)
                frame.pts, frame.time_base = round(time_s * 12000), Fraction(1, 12000)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))

        return encode

    return add


def sound(
    samples: np.ndarray,
    start_s: float = 0.0,
    codec: str = "flac",
    gap_at: int | None = None,
    gap_s: float = 0.0,
) -> Part:
    """A sound stream at 48 kHz (n x channels, -1..1), with a hole where one is given."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
    whole = (np.clip(samples, -1, 1) * 32767).astype(np.int16)

    def add(out: Any) -> Callable[[], None]:
        stream = out.add_stream(codec, rate=48000, layout=layout)

        def encode() -> None:
            size = stream.codec_context.frame_size or 4800
            for at in range(0, len(whole), size):
                part = whole[at : at + size]
                frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), format="s16", layout=layout)
                frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
                shift_s = start_s + (gap_s if gap_at is not None and at >= gap_at else 0.0)
                frame.pts = at + round(shift_s * 48000)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))

        return encode

    return add


def noise_packets(codec: str, count: int) -> Part:
    """A sound stream of packets that hold noise instead of sound."""

    def add(out: Any) -> Callable[[], None]:
        stream = out.add_stream(codec, rate=48000, layout="stereo")

        def write() -> None:
            for i in range(count):
                packet = av.Packet(np.random.default_rng(i).bytes(200))
                packet.stream, packet.pts, packet.dts = stream, i * 1024, i * 1024
                packet.time_base = Fraction(1, 48000)
                out.mux(packet)

        return write

    return add


def write(path: Path, *parts: Part) -> Path:
    """Write a file of these streams. A muxer wants all streams before the first packet."""
    with av.open(str(path), "w") as out:
        for encode in [part(out) for part in parts]:
            encode()
    return path


def steady(count: int, fps: float = 30.0, start_s: float = 0.0) -> list[float]:
    return [start_s + i / fps for i in range(count)]


def make_clip(
    path: Path,
    count: int = 30,
    paint: Painter | None = None,
    fps: float = 30.0,
    samples: np.ndarray | None = None,
    **options: Any,
) -> Path:
    """A clip of one video stream, and of sound where samples at 48 kHz are given."""
    parts = [video(paint or moving(), steady(count, fps), **options)]
    return write(path, *parts, *([] if samples is None else [sound(samples)]))


def tone(seconds: float, rate_hz: int = 48000, frequency_hz: float = 440.0) -> np.ndarray:
    """A sine on one channel."""
    at_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * at_s)).astype(np.float32)[:, None]


def set_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Patch the first track header of an MP4: a point (x, y) is shown at (ax + cy, bx + dy)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44  # version 0: ids and times, then the matrix
    entries = [a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]
    data[at : at + 36] = struct.pack(">9i", *entries)
    path.write_bytes(data)


def scramble(path: Path, start: float, end: float, seed: int = 3) -> None:
    """Overwrite a part of a file's media data (fractions of its size) with noise."""
    data = bytearray(path.read_bytes())
    first, last = int(len(data) * start), int(len(data) * end)
    data[first:last] = np.random.default_rng(seed).bytes(last - first)
    path.write_bytes(data)
