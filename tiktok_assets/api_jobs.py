"""Analyses that the HTTP API starts, and how far they are: all of it read off Dagster's storage.

A job's id is the id of its analyze run. It is done when the document has been written after that
run, or its last retry, has ended: a run of finish, which the sensor requests, does that, and has
ended too.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Any, Protocol

import dagster as dg

from resources.report_store import ReportStore
from resources.result_store import ResultStore
from tiktok_assets.api_models import Job, JobState
from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.jobs import MEDIA
from tiktok_assets.partitions import add_video
from tiktok_assets.report import NAME as REPORT
from tiktok_assets.settings import Settings

_PARTITION_TAG = "dagster/partition"
#: The analyzers that were asked for, where not all were.
_WANTED_TAG = "tiktok/analyzers"
_WAITING = {dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED}
_ENDED = {
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
}


class UnknownJob(LookupError):
    """No job of this id."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id}.")


class Launch(Protocol):
    """Starts a job of Dagster; returns the run's id."""

    def __call__(
        self, job: str, tags: dict[str, str] | None = None, assets: Sequence[str] | None = None
    ) -> str:
        """`assets` are a part of the job's."""


class AnalysisJobs:
    """Starts analyses and tells how far they are."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance, launch: Launch) -> None:
        self._settings = settings
        self._instance = instance
        self._launch = launch
        self._results = ResultStore(url=settings.results)
        self._reports = ReportStore(url=settings.reports)
        self._starting = threading.Lock()

    def start(self, video_id: str, analyzers: Collection[str] = (), again: bool = False) -> Job:
        """Analyze a registered video.

        Where an analysis of it is under way or has succeeded, that is the job, unless `again`.
        """
        assets = self._assets(analyzers)
        with self._starting:
            add_video(self._instance, video_id)
            if not again and (standing := self._standing(video_id, assets)) is not None:
                return self._job(standing, analyzers)
            tags = {_PARTITION_TAG: video_id}
            if analyzers:
                tags[_WANTED_TAG] = ",".join(sorted(analyzers))
            job_id = self._launch("analyze", tags, assets)
        return self.look(job_id)

    def look(self, job_id: str) -> Job:
        """How far a job is. Raises `UnknownJob` where there is none of this id."""
        run = self._instance.get_run_by_id(job_id)
        if run is None or run.job_name != "analyze" or _PARTITION_TAG not in run.tags:
            raise UnknownJob(job_id)
        wanted = run.tags.get(_WANTED_TAG, "")
        return self._job(run, wanted.split(",") if wanted else ())

    def latest(self, video_id: str, analyzers: Collection[str] = ()) -> Job | None:
        """The latest analysis of a video, whoever started it; None where there was none."""
        runs = self._instance.get_runs(_analyses(video_id), limit=1)
        return self._job(runs[0], analyzers) if runs else None

    def _assets(self, analyzers: Collection[str]) -> list[str] | None:
        """What of the analyze job is to be made; None is all of it."""
        if not analyzers:
            return None
        wanted = self._settings.with_required(analyzers)
        return [*MEDIA, *sorted(name for name, cls in wanted.items() if not cls.joins)]

    def _standing(self, video_id: str, assets: list[str] | None) -> dg.DagsterRun | None:
        for run in self._instance.get_runs(_analyses(video_id)):
            made = {key.to_user_string() for key in run.asset_selection or ()}
            if made and (assets is None or not made.issuperset(assets)):
                continue
            state, _ = self._state(run, video_id)
            if state is JobState.DONE:  # the document may also tell of analyzers that failed
                last = self._last_attempt(run).dagster_run
                return run if last.status == dg.DagsterRunStatus.SUCCESS else None
            return None if state.ended else run
        return None

    def _job(self, run: dg.DagsterRun, analyzers: Collection[str]) -> Job:
        video_id = run.tags[_PARTITION_TAG]
        state, message = self._state(run, video_id)
        job = Job(job_id=run.run_id, state=state, video_id=video_id, message=message)
        if state is JobState.DONE:
            document = self._results.read_json(DOCUMENT, video_id)
            job = job.model_copy(update=_figures(document, self._counted(analyzers)))
            job.results_file = self._results.location(DOCUMENT, "json", video_id)
            if self._has_current_report(video_id):
                job.report_file = self._reports.location(video_id)
            else:
                job.message = "The report was not written; see the run of finish on Dagster's page."
        return job

    def _has_current_report(self, video_id: str) -> bool:
        """Whether the report is of the document that stands, and not of one before."""
        of, made = (self._materialized(asset, video_id) for asset in (DOCUMENT, REPORT))
        current = made is not None and (of is None or made.timestamp >= of.timestamp)
        return current and self._reports.has(video_id)

    def _counted(self, analyzers: Collection[str]) -> list[str]:
        shared = {n for n, cls in self._settings.enabled().items() if cls.shared_product}
        return sorted(analyzers or self._settings.enabled().keys() - shared)

    def _state(self, run: dg.DagsterRun, video_id: str) -> tuple[JobState, str | None]:
        last = self._last_attempt(run)
        latest = last.dagster_run
        if latest.status in _WAITING:
            return JobState.QUEUED, None
        if latest.status not in _ENDED or latest.tags.get("dagster/will_retry") == "true":
            return JobState.RUNNING, None
        if latest.status == dg.DagsterRunStatus.CANCELED:
            return JobState.CANCELED, "The run was canceled."
        for media in MEDIA:
            if media != "audio" and (refused := self._results.failure(media, video_id)):
                return JobState.FAILED, refused.error
        return self._after(last, video_id)

    def _after(self, analyzed: dg.RunRecord, video_id: str) -> tuple[JobState, str | None]:
        """What became of the document after the last attempt at the analysis has ended."""
        ended_s = analyzed.end_time or analyzed.update_timestamp.timestamp()
        written = self._materialized(DOCUMENT, video_id)
        there = self._results.has(DOCUMENT, video_id)  # housekeeping may have removed it
        finish = self._finish_since(ended_s, video_id)
        if there and written is not None and written.timestamp >= ended_s:
            # The report follows the document in the same run.
            over = finish is None or finish.status in _ENDED
            return (JobState.DONE if over else JobState.RUNNING), None
        if self._materialized("frames", video_id) is None:
            why = f"The run {analyzed.dagster_run.run_id} failed; its events are on Dagster's page."
            return JobState.FAILED, why
        retried = finish is not None and finish.tags.get("dagster/will_retry") == "true"
        if finish is not None and finish.status in _ENDED and not retried:
            why = f"The document was not written, or removed since: see run {finish.run_id}."
            return JobState.FAILED, why
        return JobState.RUNNING, None

    def _finish_since(self, ended_s: float, video_id: str) -> dg.DagsterRun | None:
        """The latest run of finish that was requested since."""
        finishes = self._instance.get_run_records(
            dg.RunsFilter(job_name="finish", tags={_PARTITION_TAG: video_id}), limit=1
        )
        requested = finishes and finishes[0].create_timestamp.timestamp() >= ended_s
        return finishes[0].dagster_run if requested else None

    def _last_attempt(self, run: dg.DagsterRun) -> dg.RunRecord:
        retries = self._instance.get_run_records(
            dg.RunsFilter(tags={"dagster/root_run_id": run.root_run_id or run.run_id}), limit=1
        )
        if retries:
            return retries[0]
        return self._instance.get_run_records(dg.RunsFilter(run_ids=[run.run_id]))[0]

    def _materialized(self, asset: str, video_id: str) -> dg.EventLogRecord | None:
        found = self._instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[video_id]),
            limit=1,
        )
        return found.records[0] if found.records else None


def _analyses(video_id: str) -> dg.RunsFilter:
    return dg.RunsFilter(job_name="analyze", tags={_PARTITION_TAG: video_id})


def _figures(document: dict[str, Any], analyzers: Sequence[str]) -> dict[str, Any]:
    """What the document says of these analyzers."""
    entries = {name: document["analyzer_results"].get(name, {}) for name in analyzers}
    done = [entry for entry in entries.values() if "seconds" in entry]
    seconds = sum(entry["seconds"] for entry in done)
    return {
        "successful_analyzers": len(done),
        "total_analyzers": len(entries),
        "failed_analyzers": {
            name: entry.get("error", "it is not in the document")
            for name, entry in entries.items()
            if "seconds" not in entry
        },
        "processing_time_seconds": round(seconds, 3),
        "realtime_factor": (
            round(document["metadata"]["source"]["end_s"] / seconds, 3) if seconds else None
        ),
    }
