"""Whether there is room to begin something new."""

from __future__ import annotations

import shutil
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
