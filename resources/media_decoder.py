"""The media library as a Dagster resource."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from analyzers.video import Video, VideoInfo
from resources.media import LadderSettings, MediaLibrary, ProbeResult


class MediaDecoder(dg.ConfigurableResource):
    """Decodes each video once into a cached frame ladder that all analyzers read."""

    data_dir: str = Field(description="Folder with `library` and `cache`")
    frame_cache_gb: float = Field(20.0, description="Bound of the frame cache on disk")
    ladder: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of the ladder that differ from the defaults",
    )

    @cached_property
    def library(self) -> MediaLibrary:
        """The library itself."""
        return MediaLibrary(
            Path(self.data_dir),
            LadderSettings(**self.ladder),
            max_cache_bytes=int(self.frame_cache_gb * 1e9),
        )

    def probe(self, video_id: str) -> ProbeResult:
        """What a registered file is. Raises `MediaError` where it cannot be analyzed."""
        return self.library.probe(video_id)

    def open(self, video_id: str) -> AbstractContextManager[Video]:
        """The decoded video; its ladder is built on a miss. Raises `MediaError`."""
        return self.library.open(video_id)

    def info(self, video_id: str) -> VideoInfo:
        """What is known of a decoded video. Raises `MediaError`."""
        with self.open(video_id) as video:
            return video.info
