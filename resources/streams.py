"""Which streams of a file are read, and what is known of them before they are decoded."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from resources.encryption import encrypted_by

#: Smaller pictures are placeholders, not videos.
_SMALLEST_SIDE_PX = 16
#: Demuxers and file brands of single pictures.
_STILL_DEMUXERS = {"image2", "ico"}
_STILL_BRANDS = {"heic", "heix", "mif1", "avif"}
#: Names that make FFmpeg look for MP4 boxes, and the boxes that come first.
_MP4_SUFFIXES = {".mp4", ".m4v", ".mov", ".3gp"}
_FIRST_BOXES = set(b"ftyp styp moov moof mdat free skip wide sidx uuid".split())
#: How HLS, DASH, FFmpeg's concatenation and SDP begin: lists of other files or addresses.
_PLAYLIST = re.compile(rb"\s*(#EXTM3U|(<\?xml[^>]*>\s*)?<MPD|ffconcat|v=0\s)")


class Refused(Exception):
    """The file cannot be analyzed: the cause, without the file's name, and the way out."""

    def __init__(
        self, cause: str, way_out: str = "give a file that plays, or leave it out"
    ) -> None:
        self.cause, self.way_out = cause, way_out
        super().__init__(cause)


@dataclass
class Source:
    """An open file and its chosen streams."""

    container: InputContainer
    video: VideoStream
    audio: Any | None
    warnings: list[str] = field(default_factory=list)

    @property
    def nominal_fps(self) -> float:
        """Frames a second as the container says, 25 where it says nothing sensible."""
        rates = (self.video.average_rate, self.video.guessed_rate)
        return next((float(r) for r in rates if r and 0.1 <= r <= 480), 25.0)

    @property
    def pixel_aspect_ratio(self) -> float:
        """Width of a stored pixel over its height; 1 where the file says nothing sensible."""
        ratio = self.video.sample_aspect_ratio
        value = float(ratio) if ratio else 1.0
        return value if 0.1 <= value <= 10 else 1.0

    @property
    def duration_s(self) -> float:
        """What the container says, or 0."""
        stream = self.video
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return (self.container.duration or 0) / av.time_base


def open_source(
    path: Path, threads: int, frame_threads: bool, hardware: HWAccel | None = None
) -> Source:
    """Open a file and choose its streams. Raises `Refused`, or what PyAV raises.

    With `frame_threads` several frames are decoded at once, which is fastest; in a corrupt file
    it loses more frames, and not the same ones each time. `hardware`: what decodes in place of the
    CPU; see `resources.nvdec`.
    """
    if path.stat().st_size == 0:
        raise Refused("empty file (0 bytes)")
    if (cipher := encrypted_by(path)) is not None:
        raise Refused(f"encrypted ({cipher})", "give a copy without protection")
    with path.open("rb") as file:
        head = file.read(256)
    if _PLAYLIST.match(head):
        raise Refused("a playlist, not a media file", "give the video itself")
    try:
        # Nor may a list that looks otherwise make the decoder open addresses.
        container = av.open(
            str(path),
            metadata_errors="replace",
            options={"protocol_whitelist": "file"},
            hwaccel=hardware,
        )
    except av.error.InvalidDataError:
        if path.suffix.lower() in _MP4_SUFFIXES and head[4:8] not in _FIRST_BOXES:
            # FFmpeg believes the name and misses a box, where the file is something else.
            raise Refused(
                f"not a media file, in spite of its name (it begins {head[:8]!r})"
            ) from None
        raise
    _refuse_still(container)
    warnings: list[str] = []
    video = _best_video(container, warnings)
    audio = _best_audio(container, warnings)
    video.thread_type = "AUTO" if frame_threads else "SLICE"
    video.codec_context.thread_count = threads
    return Source(container, video, audio, warnings)


def _refuse_still(container: InputContainer) -> None:
    name = container.format.name
    brand = container.metadata.get("major_brand", "").strip()
    still = name in _STILL_DEMUXERS or name.endswith("_pipe") or brand in _STILL_BRANDS
    if still or (name == "gif" and container.streams.video[0].frames == 1):
        raise Refused("a still picture, not a video", "give a video")


def _best_video(container: InputContainer, warnings: list[str]) -> VideoStream:
    real = [
        s
        for s in container.streams.video
        if not s.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    ]
    if not real:
        if container.streams.video:
            raise Refused(
                "no video stream, only a cover picture", "give a file with a picture track"
            )
        held: list[str] = sorted({s.type for s in container.streams}) or ["nothing"]
        raise Refused(
            f"no video stream (the file holds {', '.join(held)})",
            "give a file with a picture track",
        )
    decodable = [s for s in real if s.codec_context is not None]
    if not decodable:
        raise Refused(
            f"no decoder for its video stream{_tag(real[0])}", "convert the file to H.264"
        )
    counted = any(s.frames for s in decodable)
    counts = {s.index: s.frames if counted else math.inf for s in decodable}
    most = max(counts.values())

    def rank(stream: VideoStream) -> tuple[bool, bool, bool, int, int]:
        width, height = stream.codec_context.width, stream.codec_context.height
        return (
            min(width, height) >= _SMALLEST_SIDE_PX,
            counts[stream.index] >= most / 2,
            bool(stream.disposition & Disposition.default),
            width * height,
            -stream.index,
        )

    best = max(decodable, key=rank)
    if len(real) > 1:
        size = f"{best.codec_context.width}x{best.codec_context.height}"
        warnings.append(f"{len(real)} video streams; stream {best.index} ({size}) was taken")
    return best


def _tag(stream: VideoStream) -> str:
    tag = getattr(stream, "codec_tag", None)
    return f" ({tag})" if tag and tag.isprintable() else ""


def _best_audio(container: InputContainer, warnings: list[str]) -> Any | None:
    streams = container.streams.audio
    usable = [s for s in streams if s.codec_context is not None and s.codec_context.sample_rate]
    if len(usable) < len(streams):
        warnings.append(f"{len(streams) - len(usable)} of its audio streams have no decoder")
    if not usable:
        return None
    return max(
        usable,
        key=lambda s: (
            bool(s.disposition & Disposition.default),
            s.codec_context.channels,
            s.codec_context.sample_rate,
            -s.index,
        ),
    )
