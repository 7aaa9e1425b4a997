"""The partition key of everything: the video id."""

from __future__ import annotations

import dagster as dg

#: `<slug>-<first 8 hex of the file's SHA-256>`, added when a file is registered.
VIDEOS = dg.DynamicPartitionsDefinition(name="videos")


def add_video(instance: dg.DagsterInstance, video_id: str) -> None:
    """Make a registered video known to Dagster; nothing happens when it already is."""
    instance.add_dynamic_partitions("videos", [video_id])
