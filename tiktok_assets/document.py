"""The production document: every analyzer's results of one video merged, from what there is."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from analyzers.base import Analyzer
from analyzers.segments import SegmentGrid
from analyzers.video import VideoInfo
from resources.result_store import ResultMissing, ResultStore
from tiktok_assets.analysis import failure_behind

NAME = "production_document"
#: Between an analyzer's name and its column, in the timeline.
SEPARATOR = "__"


def build_document(
    info: VideoInfo, analyzers: Mapping[str, type[Analyzer]], results: ResultStore
) -> tuple[dict[str, Any], pa.Table]:
    """The document and its timeline: one row a second, with every analyzer's columns joined.

    `analyzers` are those that are enabled. One that failed, or has not run, is listed with its
    error, and the rest still stands. Shared products have their place in it, but are not counted
    among the analyzers. `processing_time_seconds` is the work of all analyzers added
    up; since some run at once, it is more than the wall-clock time.
    """
    names = sorted(analyzers)
    grid = SegmentGrid(info.video_id, info.end_s)
    timeline = grid.table(pa.table({"_": pa.nulls(len(grid))})).drop_columns(["_"])
    analyzer_results: dict[str, Any] = {}
    for name in names:
        entry, segments = _entry(name, info.video_id, analyzers, results)
        analyzer_results[name] = entry
        if segments is None:
            continue
        own = segments.drop_columns(list(SegmentGrid.KEYS))
        entry["segments"] = segments.drop_columns(["video_id"]).to_pylist()
        for column in own.schema:
            timeline = timeline.append_column(
                column.with_name(f"{name}{SEPARATOR}{column.name}").with_nullable(True),
                own[column.name],
            )
    done = [n for n in names if analyzer_results[n]["status"] in ("ok", "not_applicable")]
    counted = [n for n in names if not analyzers[n].shared_product]
    seconds = sum(analyzer_results[n]["seconds"] for n in done)
    document = {
        "result_id": uuid.uuid4().hex,
        "metadata": {
            "source": asdict(info),
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "processing_time_seconds": round(seconds, 3),
            "realtime_factor": round(info.end_s / seconds, 3) if seconds else None,
            "successful_analyzers": len(set(done) & set(counted)),
            "total_analyzers": len(counted),
            "failed_analyzers": {n: analyzer_results[n]["error"] for n in names if n not in done},
        },
        "analyzer_results": analyzer_results,
        "timeline": timeline.drop_columns(["video_id"]).to_pylist(),
    }
    return document, timeline


def _entry(
    name: str, video_id: str, analyzers: Mapping[str, type[Analyzer]], results: ResultStore
) -> tuple[dict[str, Any], pa.Table | None]:
    if (failure := failure_behind(name, video_id, analyzers, results)) is not None:
        return {"status": "failed", "error": failure.error, "failed_at": failure.failed_at}, None
    if not results.has(name, video_id):
        return {"status": "missing", "error": f"{name} has not been materialized"}, None
    try:
        stored = results.read_json(name, video_id)
        segments = results.read(name, video_id).segments
    except ResultMissing as error:  # damaged, or half replaced
        return {"status": "missing", "error": str(error)}, None
    kept = (
        "status", "reason", "summary", "models", "settings", "seconds", "realtime_factor",
        "analyzer_version", "observation_count", "created_at",
    )  # fmt: skip
    entry = {key: stored[key] for key in kept}
    if notice := analyzers[name].notice:
        entry["notice"] = notice
    return entry, segments
