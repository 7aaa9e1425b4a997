"""What a source file is, before it is decoded in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzers.video import AudioInfo
from resources.decode_child import run_decoder
from resources.ladder_settings import DecodeLimits


@dataclass(frozen=True)
class ProbeResult:
    """A file that has at least one good frame, and what its container says of the rest.

    `width_px` and `height_px` are of the upright frame with square pixels; `start_s` is the first
    good frame's time in the file; `duration_s` is what the container says, 0 where it does not.
    """

    container: str
    codec: str
    pixel_format: str
    width_px: int
    height_px: int
    rotation_deg: int
    mirrored: bool
    fps: float
    start_s: float
    duration_s: float
    audio: AudioInfo | None
    tags: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def probe_file(path: Path, name: str, limits: DecodeLimits) -> ProbeResult:
    """Probe one file in a child process, decoding up to its first good frame.

    `name` is what errors call it. Raises `MediaError` where it is not a video that can be analyzed.
    """
    answer = run_decoder({"what": "probe"}, path, name, limits)
    return ProbeResult(**{**answer, "audio": audio_info(answer["audio"])})


def check_opens(path: Path, limits: DecodeLimits) -> None:
    """Open a file in a child process, without decoding anything.

    Raises `NotAVideo` where it is no media file with a picture, `MediaError` where that could not
    be found out.
    """
    run_decoder({"what": "open"}, path, path.name, limits)


def audio_info(fields: dict[str, Any] | None) -> AudioInfo | None:
    """The child's words for a sound stream as `AudioInfo`."""
    return None if fields is None else AudioInfo(**fields)
