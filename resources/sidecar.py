"""What a downloader wrote beside a video: yt-dlp's `.info.json`, in this project's words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

#: Our name, and the sidecar's or the container's names for it, best first.
_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "fulltitle"),
    "author": ("uploader", "creator", "channel", "artist", "author"),
    "author_id": ("uploader_id", "channel_id"),
    "caption": ("description", "comment"),
    "source_url": ("webpage_url", "original_url", "purl"),
    "platform": ("extractor_key", "extractor"),
    "platform_id": ("id",),
    "track": ("track",),
    "artist": ("artist",),
    "view_count": ("view_count",),
    "like_count": ("like_count",),
    "comment_count": ("comment_count",),
    "repost_count": ("repost_count",),
}
_HASHTAG = re.compile(r"#(\w+)")


def sidecar_of(path: Path) -> Path | None:
    """The `.info.json` beside a media file, if there is one."""
    sidecar = path.with_suffix(".info.json")
    return sidecar if sidecar.is_file() else None


def read_metadata(sidecar: Path | None, tags: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """Metadata from a sidecar, else from the container's tags, and a remark on what was odd.

    `hashtags` come from the sidecar's tags and from the caption, lower case, without `#`;
    `published_at` and `created_at`, which the container says of itself, are ISO 8601.
    """
    said: dict[str, Any] = {}
    remark = ""
    if sidecar is not None and sidecar.is_file():
        try:
            loaded = json.loads(sidecar.read_text(encoding="utf-8"))
            if not isinstance(loaded, dict):
                raise ValueError("it is no JSON object")
            said = loaded
        except (OSError, ValueError) as error:
            remark = f"the sidecar {sidecar.name} cannot be read ({error})"
    lowered = {k.lower(): v for k, v in tags.items()}
    metadata: dict[str, Any] = {}
    for name, sources in _NAMES.items():
        wanted = (int, float) if name.endswith("_count") else (str,)
        for value in [*(said.get(s) for s in sources), *(lowered.get(s) for s in sources)]:
            if isinstance(value, wanted) and not isinstance(value, bool) and value != "":
                metadata[name] = value
                break
    tagged = said.get("tags")
    tagged = tagged if isinstance(tagged, list) else []
    words = [str(t).lstrip("#") for t in tagged] + _HASHTAG.findall(metadata.get("caption", ""))
    if hashtags := list(dict.fromkeys(w.lower() for w in words if w)):
        metadata["hashtags"] = hashtags
    labels = said.get("list_tags")  # of a list of URLs (resources/download.py)
    if isinstance(labels, list) and labels:
        metadata["list_tags"] = [str(label) for label in labels]
    if published := _published_at(said):
        metadata["published_at"] = published
    with suppress(ValueError):
        metadata["created_at"] = datetime.fromisoformat(
            lowered.get("creation_time", "")
        ).isoformat()
    return metadata, remark


def _published_at(said: Mapping[str, Any]) -> str | None:
    try:
        if isinstance(said.get("timestamp"), int | float):
            return datetime.fromtimestamp(said["timestamp"], UTC).isoformat()
        if isinstance(said.get("upload_date"), str):
            return datetime.strptime(said["upload_date"], "%Y%m%d").replace(tzinfo=UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
    return None
