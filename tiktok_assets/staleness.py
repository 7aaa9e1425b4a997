"""What of a video is not what the present code, models and settings would make of it.

As the web page tells it, by Dagster's own resolver: a private name, of the minor version that
pyproject.toml holds Dagster to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import (
    CachingStaleStatusResolver,
    StaleCauseCategory,
    StaleStatus,
)
from dagster._core.loader import LoadingContext

from resources.result_store import ResultStore
from tiktok_assets import definitions
from tiktok_assets.analysis import failure_behind
from tiktok_assets.partitions import VIDEOS
from tiktok_assets.settings import Settings

NEVER_MADE = "it was never made"
OTHER_CODE = "its code, models or settings are others now"
FAILED = "its last attempt failed"


class _Loading(LoadingContext):
    """What Dagster's resolver keeps its queries in."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._loaders: dict[type, Any] = {}

    @property
    def instance(self) -> dg.DagsterInstance:
        return self._instance

    @property
    def loaders(self) -> dict[type, Any]:
        return self._loaders


def stale_assets(
    instance: dg.DagsterInstance,
    settings: Settings,
    videos: Iterable[str] | None = None,
    failed_too: bool = False,
) -> Iterator[tuple[str, dict[str, str]]]:
    """For each video that could be decoded, its stale assets, and why; also where there are none.

    `videos` are all that there are by default. What was never made counts. What failed at its last
    attempt, or requires what did, does not, unless `failed_too`.
    """
    results, analyzers = ResultStore(url=settings.results), settings.enabled()
    graph = definitions.analyze().asset_layer.asset_graph
    keys = [key for key in graph.toposorted_asset_keys if graph.get(key).is_executable]
    decoded = instance.get_materialized_partitions(dg.AssetKey("frames"))
    known = instance.get_dynamic_partitions(str(VIDEOS.name)) if videos is None else videos
    for video_id in sorted(decoded.intersection(known)):
        resolver = CachingStaleStatusResolver(instance, graph, _Loading(instance))
        stale = {}
        for key in keys:
            name = key.to_user_string()
            if name in analyzers and failure_behind(name, video_id, analyzers, results):
                why = FAILED if failed_too else ""
            else:
                why = _why(resolver, key, video_id)
            if why:
                stale[name] = why
        yield video_id, stale


def _why(resolver: CachingStaleStatusResolver, key: dg.AssetKey, video_id: str) -> str:
    status = resolver.get_status(key, video_id)
    if status == StaleStatus.FRESH:
        return ""
    if status == StaleStatus.MISSING:
        return NEVER_MADE
    causes = resolver.get_stale_causes(key, video_id)
    if any(cause.category == StaleCauseCategory.CODE for cause in causes):
        return OTHER_CODE
    others = [c.dependency_asset_key for c in causes]
    names = sorted({other.to_user_string() for other in others if other is not None})
    return f"{', '.join(names)}: another now"
