"""Room on the disk: whether there is enough to begin something new, and what takes it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


def too_full(folder: Path, min_free_gb: float) -> str:
    """Why nothing new may be begun, in a sentence; "" where there is room.

    `folder` is made where it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb >= min_free_gb:
        return ""
    return (
        f"{free_gb:.1f} GB are free on the disk of {folder}, less than the {min_free_gb:g} GB that "
        "are to stay free: nothing new is begun. Free space, run `tiktok-assets housekeeping`, or "
        "lower min_free_gb."
    )


def size_bytes(folder: Path) -> int:
    """What the files in a folder and below it take; 0 where it is not there."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # gone in the meantime
                total += os.lstat(Path(place) / name).st_size
    return total
