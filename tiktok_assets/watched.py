"""The watched folders as the settings name them."""

from __future__ import annotations

from resources.drop_folder import DropFolder
from resources.media import MediaLibrary
from tiktok_assets.settings import Settings


def drop_folder(settings: Settings) -> DropFolder:
    """The watched folders, which are made where they are not there."""
    for folder in settings.watched_folders:
        folder.mkdir(parents=True, exist_ok=True)
    return DropFolder(
        settings.watched_folders,
        MediaLibrary(settings.data_dir, settings.ladder),
        rejected=settings.data_dir / "rejected",
        memory=settings.data_dir / "state" / "downloads.sqlite",
        settle_s=settings.watch.settle_s,
    )
