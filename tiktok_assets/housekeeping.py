"""Removes what is no longer wanted: old videos, old runs, leftovers, the frame cache's excess.

What still stands keeps its history: Dagster knows what is materialized by the events of the run
that did it, so a run goes only when a later one did the same, or its video is gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from resources.media import MediaLibrary
from resources.report_store import ReportStore
from resources.result_store import ResultStore
from tiktok_assets.settings import Settings

_DAY_S = 24 * 3600.0
_FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_UNFINISHED = [status for status in dg.DagsterRunStatus if status not in _FINISHED]
_PARTITION_TAG = "dagster/partition"
#: Runs looked at in one query.
_PAGE = 200


@dataclass
class Swept:
    """What was removed."""

    videos: list[str] = field(default_factory=list)
    runs: int = 0
    ladders: int = 0
    #: Files put aside as no videos.
    rejected: int = 0
    #: Half-written files of processes that were killed.
    leftovers: int = 0

    def sentence(self) -> str:
        """In words."""
        return (
            f"Removed {len(self.videos)} videos, {self.runs} runs, {self.ladders} frame ladders, "
            f"{self.rejected} rejected files, {self.leftovers} leftovers."
        )


def sweep(
    instance: dg.DagsterInstance, settings: Settings, tell: Callable[[str], None] = lambda _: None
) -> Swept:
    """Remove what the settings say; `tell` gets a line for each thing of consequence."""
    swept = Swept()
    library = MediaLibrary(settings.data_dir, settings.ladder)
    results, reports = ResultStore(url=settings.results), ReportStore(url=settings.reports)
    keep = settings.retention
    if keep.results_days:
        for video_id in _old_videos(library, results, keep.results_days):
            if _in_hand(instance, video_id):
                continue
            tell(f"{video_id}: no result is younger than {keep.results_days} days; it is removed.")
            results.remove(video_id)
            reports.remove(video_id)
            instance.delete_dynamic_partition("videos", video_id)
            library.remove(video_id)
            swept.videos.append(video_id)
    if keep.runs_days:
        for run in list(_old_runs(instance, keep.runs_days)):
            _delete_run(instance, run.run_id)
            swept.runs += 1
    swept.ladders = len(library.evict(int(settings.frame_cache_gb * 1e9)))
    if keep.rejected_days:
        aside = settings.data_dir / "rejected"
        swept.rejected = _remove_old(aside.glob("*"), keep.rejected_days * _DAY_S)
    half_written = [settings.data_dir / "library", settings.data_dir / "library" / ".sha256"]
    for folder in half_written:
        swept.leftovers += _remove_old(folder.glob(".new-*"), _DAY_S)
    swept.leftovers += _remove_old((settings.data_dir / "partial").glob("*"), 2 * _DAY_S)
    swept.leftovers += results.remove_leftovers(_DAY_S) + reports.remove_leftovers(_DAY_S)
    return swept


def _old_videos(library: MediaLibrary, results: ResultStore, days: int) -> Iterator[str]:
    limit = time.time() - days * _DAY_S
    for video_id in library.video_ids():
        newest_s = results.newest_s(video_id)
        if newest_s is not None and newest_s < limit:
            yield video_id


def _in_hand(instance: dg.DagsterInstance, video_id: str) -> bool:
    runs = dg.RunsFilter(tags={_PARTITION_TAG: video_id}, statuses=_UNFINISHED)
    return instance.get_runs_count(runs) > 0


def _old_runs(instance: dg.DagsterInstance, days: int) -> Iterator[dg.DagsterRun]:
    """Finished runs that are old and of which nothing stands any more."""
    before = datetime.now(UTC) - timedelta(days=days)
    videos = set(instance.get_dynamic_partitions("videos"))
    cursor = None
    while page := instance.get_run_records(
        dg.RunsFilter(statuses=_FINISHED, created_before=before), limit=_PAGE, cursor=cursor
    ):
        cursor = page[-1].dagster_run.run_id
        for record in page:
            run = record.dagster_run
            video_id = run.tags.get(_PARTITION_TAG)
            if video_id is None:
                # A run over several videos may hold the latest word on any of them.
                if not any(key.startswith("dagster/asset_partition_range") for key in run.tags):
                    yield run
            elif video_id not in videos or _done_again(instance, record):
                yield run


def _done_again(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether a later run did all that this one did or tried."""
    run = record.dagster_run
    later = instance.get_runs(
        dg.RunsFilter(
            job_name=run.job_name,
            statuses=[dg.DagsterRunStatus.SUCCESS],
            tags={_PARTITION_TAG: run.tags[_PARTITION_TAG]},
            created_after=record.create_timestamp,
        )
    )
    return any(_covers(other.asset_selection, run.asset_selection) for other in later)


def _covers(wide: Set[dg.AssetKey] | None, narrow: Set[dg.AssetKey] | None) -> bool:
    """Whether one selection has all of the other; None is the whole job."""
    return not wide or bool(narrow and wide >= narrow)


def _delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    instance.delete_run(run_id)
    if isinstance(instance.event_log_storage, SqliteEventLogStorage):
        # Dagster empties the run's own file but leaves it.
        shard = Path(instance.event_log_storage.path_for_shard(run_id))
        for path in (shard, *shard.parent.glob(f"{shard.name}-*")):
            path.unlink(missing_ok=True)


def _remove_old(paths: Iterator[Path] | Sequence[Path], older_than_s: float) -> int:
    limit = time.time() - older_than_s
    removed = 0
    for path in list(paths):
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < limit:
                path.unlink()
                removed += 1
    return removed
