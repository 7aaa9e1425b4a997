"""Jobs of the HTTP API that begin with a URL: queued, downloaded, taken by the folder, analyzed.

A job's id is made of the URL and the analyzers asked for, so that nothing is to be remembered.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection

import dagster as dg

from resources.url_lists import ListedUrl
from resources.url_queue import QueuedUrl, State
from resources.web_address import refusal
from tiktok_assets.api_jobs import AnalysisJobs, Launch, UnknownJob
from tiktok_assets.api_models import Job, JobState
from tiktok_assets.downloads import url_queue
from tiktok_assets.settings import Settings
from tiktok_assets.watched import drop_folder

PREFIX = "url-"
#: Before what is taken from lists: someone waits.
_PRIORITY = 10


class UrlRefused(ValueError):
    """A URL that may not be downloaded."""


class UrlJobs:
    """Hands URLs to the downloader and follows them until their video is analyzed."""

    def __init__(
        self,
        settings: Settings,
        instance: dg.DagsterInstance,
        launch: Launch,
        analyses: AnalysisJobs,
    ) -> None:
        self._settings = settings
        self._instance = instance
        self._launch = launch
        self._analyses = analyses
        self._queue = url_queue(settings)

    def start(self, url: str, analyzers: Collection[str] = ()) -> Job:
        """Queue a URL, or again one that failed, and have it downloaded.

        Raises `UrlRefused` for one that may not be downloaded.
        """
        if why := refusal(url, self._settings.urls.hosts):
            raise UrlRefused(f"{url!r} is not taken: {why}.")
        self._queue.add([ListedUrl(url, _PRIORITY)])
        self._queue.retry([url])
        queued = self._queue.find(url)
        if queued is not None and queued.state is State.QUEUED:
            self._download()
        return self.look(_id(url, analyzers))

    def look(self, job_id: str) -> Job:
        """How far a job is. Raises `UnknownJob` where there is none of this id."""
        url, analyzers = _meant(job_id)
        queued = self._queue.find(url)
        if queued is None:
            raise UnknownJob(job_id)
        if queued.state is State.DONE:
            job = self._downloaded(queued, analyzers)
        else:
            job = Job(job_id=job_id, state=JobState(queued.state), message=queued.reason or None)
        return job.model_copy(update={"job_id": job_id, "url": url})

    def _downloaded(self, queued: QueuedUrl, analyzers: Collection[str]) -> Job:
        if not queued.files:
            why = "The same video was downloaded before, from another URL."
            return Job(job_id="", state=JobState.DONE, message=why)
        name = queued.files[0]
        path = self._settings.watched_folders[0] / name
        video_id = drop_folder(self._settings).taken_as(path)
        if video_id is None:
            if path.exists():
                return Job(job_id="", state=JobState.QUEUED)  # the folder's sensor looks soon
            why = f"The downloaded file {name} was put aside as no video, or removed."
            return Job(job_id="", state=JobState.FAILED, message=why)
        return self._analyses.latest(video_id, analyzers) or Job(
            job_id="", state=JobState.QUEUED, video_id=video_id
        )

    def _download(self) -> None:
        """Have the download job run; one that only waits will take this URL as well."""
        waiting = dg.RunsFilter(
            job_name="download",
            statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED],
        )
        if not self._instance.get_runs_count(waiting):
            self._launch("download")


def _id(url: str, analyzers: Collection[str]) -> str:
    said = json.dumps([url, sorted(analyzers)]).encode()
    return PREFIX + base64.urlsafe_b64encode(said).decode().rstrip("=")


def _meant(job_id: str) -> tuple[str, list[str]]:
    code = job_id.removeprefix(PREFIX)
    try:
        url, analyzers = json.loads(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)))
        return str(url), [str(name) for name in analyzers]
    except (binascii.Error, ValueError, TypeError):
        raise UnknownJob(job_id) from None
