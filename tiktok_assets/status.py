"""What stands and what goes on: videos, results, failures, queue, disk, models, GPUs.

The command `status`, the live view, the metrics and the HTTP API all show what `collect` finds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import psutil
from pydantic import BaseModel

from resources.disk import size_bytes
from resources.gpu import Gpu, gpus
from resources.media import MediaLibrary
from resources.report_store import ReportStore
from resources.result_store import ResultStore
from resources.url_queue import UrlQueue
from tiktok_assets import lanes
from tiktok_assets.analysis import Analyzers, failure_behind
from tiktok_assets.analyzer_assets import media_deps
from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.jobs import MEDIA
from tiktok_assets.settings import Settings
from tiktok_assets.watchdog import HeldModel, living

_WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
_UNDER_WAY = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
#: The lane of runs that waited in none: the command line's.
OWN_PROCESS = "own process"
_LANES = {lanes.ANALYSIS: "analysis", lanes.ERRANDS: "errands", "": OWN_PROCESS}


class AnalyzerStatus(BaseModel):
    """One analyzer over all registered videos."""

    analyzer: str
    results: int
    #: Videos that it was not tried on. Those whose media failed are not among them.
    missing: int
    #: By video id, why the last attempt failed, or that of an analyzer that it requires.
    failures: dict[str, str]

    @property
    def success_ratio(self) -> float | None:
        """Share of the attempts that gave a result, 0..1; None where there was none."""
        tried = self.results + len(self.failures)
        return self.results / tried if tried else None


class RunUnderWay(BaseModel):
    """A run of Dagster that has begun and not ended."""

    run_id: str
    job: str
    lane: str
    #: The one video of a run that has one.
    video_id: str | None
    seconds: float


class Queue(BaseModel):
    """What waits and what is worked on."""

    #: By lane, how many runs wait for a worker.
    waiting: dict[str, int]
    running: list[RunUnderWay]
    #: By state; empty where no URL was ever added.
    urls: dict[str, int]


class Disk(BaseModel):
    """Room on the disk of the data folder."""

    free_bytes: int
    #: With less than this free nothing new is begun.
    floor_bytes: int
    #: By what they hold, what the folders take. What is in an object store is not measured.
    folder_bytes: dict[str, int]
    frame_cache_limit_bytes: int


class Worker(BaseModel):
    """A warm worker's process on this machine."""

    name: str
    pid: int
    memory_bytes: int
    #: Since its last sign of life.
    silent_s: float
    #: The steps it works on, with the share done (0..1) where they tell it.
    steps: dict[str, float | None]
    models: list[HeldModel]


class ProjectStatus(BaseModel):
    """The whole project."""

    data_dir: str
    videos: list[str]
    #: Media that could not be read: by asset and video id, why. No analyzer runs on these videos.
    refused: dict[str, dict[str, str]]
    documents: int
    reports: int
    analyzers: list[AnalyzerStatus]
    queue: Queue
    disk: Disk
    workers: list[Worker]
    gpus: list[Gpu]


def collect(settings: Settings, instance: dg.DagsterInstance) -> ProjectStatus:
    """Read it off the folders and Dagster's storage; none of Dagster's processes need run."""
    library = MediaLibrary(data_dir=settings.data_dir, settings=settings.ladder)
    results = ResultStore(url=settings.results)
    videos = library.video_ids()
    refused = {name: _reasons(name, results) for name in MEDIA}
    return ProjectStatus(
        data_dir=str(settings.data_dir),
        videos=videos,
        refused=refused,
        documents=len(results.video_ids(DOCUMENT)),
        reports=len(ReportStore(url=settings.reports).video_ids()),
        analyzers=[
            _analyzer(name, settings.enabled(), videos, refused, results)
            for name in sorted(settings.enabled())
        ],
        queue=_queue(settings, instance),
        disk=_disk(settings),
        workers=_workers(settings.data_dir / "state" / "workers"),
        gpus=gpus(),
    )


def _reasons(name: str, results: ResultStore) -> dict[str, str]:
    return {
        video_id: failure.error
        for video_id in results.failed_video_ids(name)
        if (failure := results.failure(name, video_id))
    }


def _analyzer(
    name: str,
    analyzers: Analyzers,
    videos: Collection[str],
    refused: dict[str, dict[str, str]],
    results: ResultStore,
) -> AnalyzerStatus:
    failures = {}
    for video_id in sorted(_touched_by_failures(name, analyzers, results)):
        if (failure := failure_behind(name, video_id, analyzers, results)) is not None:
            failures[video_id] = failure.error
    done = set(results.video_ids(name)) - failures.keys()
    unread = {v for media in ("video", *media_deps(analyzers[name])) for v in refused[media]}
    return AnalyzerStatus(
        analyzer=name,
        results=len(done),
        missing=len(set(videos) - done - failures.keys() - unread),
        failures=failures,
    )


def _touched_by_failures(name: str, analyzers: Analyzers, results: ResultStore) -> set[str]:
    """The videos at which an analyzer, or one that it rests on, failed."""
    touched = set(results.failed_video_ids(name))
    for required in analyzers[name].requires:
        touched |= _touched_by_failures(required, analyzers, results)
    return touched


def _queue(settings: Settings, instance: dg.DagsterInstance) -> Queue:
    waiting = Counter(_lane(run) for run in instance.get_runs(dg.RunsFilter(statuses=_WAITING)))
    file = settings.data_dir / "state" / "urls.sqlite"
    return Queue(
        waiting=dict(waiting),
        running=[
            RunUnderWay(
                run_id=record.dagster_run.run_id,
                job=record.dagster_run.job_name,
                lane=_lane(record.dagster_run),
                video_id=record.dagster_run.tags.get("dagster/partition"),
                seconds=time.time() - (record.start_time or time.time()),
            )
            for record in instance.get_run_records(dg.RunsFilter(statuses=_UNDER_WAY))
        ],
        urls={str(s): n for s, n in UrlQueue(file).counts().items()} if file.exists() else {},
    )


def _lane(run: dg.DagsterRun) -> str:
    tag = run.tags.get(lanes.LANE_TAG, "")
    return _LANES.get(tag, tag)


def _disk(settings: Settings) -> Disk:
    data = settings.data_dir
    folders = {
        "library": data / "library",
        "frame_cache": data / "cache",
        "dagster": data / "dagster",
        "models": settings.models_dir or data / "models",
    }
    for name, url in (("results", settings.results), ("reports", settings.reports)):
        if urlsplit(url).scheme in ("", "file"):
            folders[name] = Path(url.removeprefix("file://"))
    return Disk(
        free_bytes=psutil.disk_usage(str(data)).free,
        floor_bytes=int(settings.min_free_gb * 1e9),
        folder_bytes={name: size_bytes(folder) for name, folder in folders.items()},
        frame_cache_limit_bytes=int(settings.frame_cache_gb * 1e9),
    )


def _workers(folder: Path) -> list[Worker]:
    now = time.monotonic()
    return [
        Worker(
            name=place.name,
            pid=pid,
            memory_bytes=psutil.Process(pid).memory_info().rss,
            silent_s=max(0.0, now - pulse.beat),
            steps=pulse.steps,
            models=list(pulse.models),
        )
        for place in sorted(folder.glob("*"))
        for pid, pulse in living(place).items()
        if now >= pulse.beat  # else it is from before the machine was started
    ]
