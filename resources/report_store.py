"""Where the reports stand: one HTML file a video, below any fsspec URL."""

from __future__ import annotations

from functools import cached_property

import dagster as dg
from pydantic import Field

from resources.file_store import FileStore


class ReportMissing(LookupError):
    """No report of this video."""


class ReportStore(dg.ConfigurableResource):
    """Writes and reads reports, each whole or absent: `<url>/<video id>.html`."""

    url: str = Field(description="Folder or fsspec URL (s3://, gs://, memory://) of the reports")

    @cached_property
    def _files(self) -> FileStore:
        return FileStore(self.url)

    def write(self, video_id: str, page: bytes) -> None:
        """Put a report in place of the one before. Raises `OSError` where that is not possible."""
        self._files.put({_name(video_id): page})

    def read(self, video_id: str) -> bytes:
        """A report's bytes. Raises `ReportMissing`."""
        try:
            return self._files.get(_name(video_id))
        except FileNotFoundError:
            raise ReportMissing(
                f"no report of {video_id}; materialize report, after production_document"
            ) from None

    def has(self, video_id: str) -> bool:
        """Whether a report stands."""
        return self._files.has(_name(video_id))

    def video_ids(self) -> list[str]:
        """Ids of the videos that have a report, sorted."""
        names = self._files.names()
        return [name.removesuffix(".html") for name in names if name.endswith(".html")]

    def location(self, video_id: str) -> str:
        """Path or full URL of a report."""
        return self._files.location(_name(video_id))

    def remove(self, video_id: str) -> bool:
        """Remove a report; returns whether there was one."""
        return self._files.remove(_name(video_id))

    def remove_leftovers(self, older_than_s: float) -> int:
        """Remove what processes that were killed left half written; returns the number of files."""
        return self._files.remove_leftovers(".", older_than_s)


def _name(video_id: str) -> str:
    return f"{video_id}.html"
