"""Which files are taken for videos."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

VIDEO_SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        "3gp", "avi", "flv", "gif", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "ogv", "ts",
        "webm", "wmv",
    )
)  # fmt: skip
#: What browsers and downloaders put after the name of a file that is not finished.
PARTIAL_SUFFIXES = (".part", ".tmp", ".crdownload", ".ytdl", ".aria2", ".download")


def video_files(folder: Path) -> Iterator[Path]:
    """The videos in a folder and below it, by name.

    Hidden files and folders are left out, and so is a file beside which a downloader keeps a mark
    (`clip.mp4.part`): some reserve the whole file before they fill it.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        present = set(names)
        for name in sorted(names):
            if name.startswith(".") or Path(name).suffix.lower() not in VIDEO_SUFFIXES:
                continue
            if not any(name + mark in present for mark in PARTIAL_SUFFIXES):
                yield Path(place) / name
