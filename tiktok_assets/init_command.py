"""`tiktok-assets init`: the folders, and a configuration file with every setting commented out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from resources.whole_file import write_whole
from tiktok_assets.configuration import config_text
from tiktok_assets.settings import Settings, config_file


def init(settings: Settings, force: bool = False) -> list[str]:
    """Make what is missing; returns a sentence for each thing made or left.

    A configuration file that is there stays as it is, unless `force` is given.
    """
    told = []
    for folder in _folders(settings):
        if not folder.is_dir():
            folder.mkdir(parents=True)
            told.append(f"Made the folder {folder}")
    file = config_file()
    if file.exists() and not force:
        told.append(f"{file} is there and stays as it is (--force writes it anew)")
        return told
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, config_text().encode())
    told.append(f"Wrote {file}: every setting with its default, commented out")
    return told


def _folders(settings: Settings) -> list[Path]:
    local = urlsplit(settings.results).scheme in ("", "file")
    results = [Path(settings.results.removeprefix("file://"))] if local else []
    return [settings.data_dir, *settings.watched_folders, settings.files().root, *results]
