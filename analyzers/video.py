"""A decoded video as analyzers read it: frames with timestamps, sound, and what was probed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from analyzers.segments import SegmentGrid


@dataclass(frozen=True)
class AudioInfo:
    """The sound stream that was chosen."""

    codec: str
    sample_rate_hz: int
    channels: int
    duration_s: float


@dataclass(frozen=True)
class VideoInfo:
    """What a source file is, after its best stream was chosen, turned upright and decoded.

    Times are seconds from the first presented frame; `start_s` is that frame's time in the file.
    `width_px` and `height_px` are of the upright frame with square pixels.
    """

    video_id: str
    path: str
    sha256: str
    size_bytes: int
    container: str
    codec: str
    pixel_format: str
    width_px: int
    height_px: int
    rotation_deg: int
    mirrored: bool
    fps: float
    start_s: float
    end_s: float
    frame_count: int
    corrupt_frame_count: int
    audio: AudioInfo | None
    #: What the file or a sidecar (`.info.json`) says: title, author, caption, hashtags, ...
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: What was odd about the file, in sentences.
    warnings: Sequence[str] = ()
    #: What decoded its pictures: `cpu`, or `nvdec` (an NVIDIA GPU's own decoder).
    decoder: str = "cpu"


class Frames(Protocol):
    """One rung of the frame ladder: `frames[i]` is a `uint8` array, height x width (x 3, RGB)."""

    @property
    def times_s(self) -> np.ndarray:
        """Presentation times, float64 seconds from the first frame, sorted, one for each frame."""

    @property
    def frame_numbers(self) -> np.ndarray:
        """Numbers of the frames in the source, int64, from 0."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> np.ndarray: ...


def windows(frames: Frames, size: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Frames in consecutive stacks of at most `size`, so that length costs no memory."""
    for first in range(0, len(frames), size):
        part = slice(first, min(first + size, len(frames)))
        yield part, np.stack([frames[i] for i in range(part.start, part.stop)])


@dataclass(frozen=True)
class MappedFrames:
    """A rung in one memory-mapped array of frames."""

    times_s: np.ndarray
    frame_numbers: np.ndarray
    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.pixels[index]


@dataclass(frozen=True)
class JpegFrames:
    """A rung of full-size pictures in JPEG files, decoded when asked for."""

    times_s: np.ndarray
    frame_numbers: np.ndarray
    files: Sequence[Path]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> np.ndarray:
        picture = cv2.imread(str(self.files[index]), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise OSError(f"{self.files[index].name}: not a readable JPEG; clear the frame cache")
        return picture


@dataclass(frozen=True)
class Video:
    """One video, decoded once, as every analyzer reads it.

    `thumbs`: every frame, 48x27 RGB whatever the aspect. `motion`: 15 fps, short side 360, grey.
    `analysis`: 5 fps, short side 360, RGB. `detail`: 1 fps, full size (short side at most 1080),
    RGB. `audio_16k`: mono float32 at 16 kHz, shape (n,), None without sound; `audio_44k`: float32
    at 44.1 kHz, shape (n, channels), one or two channels. Sample 0 is at the first frame's time.
    """

    info: VideoInfo
    thumbs: Frames
    motion: Frames
    analysis: Frames
    detail: Frames
    audio_16k: np.ndarray | None
    audio_44k: np.ndarray | None

    @cached_property
    def grid(self) -> SegmentGrid:
        """The seconds of this video."""
        return SegmentGrid(self.info.video_id, self.info.end_s)

    @property
    def id(self) -> str:
        """The video id, which is the partition key."""
        return self.info.video_id
