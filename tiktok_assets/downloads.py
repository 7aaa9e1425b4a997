"""Reads the lists of URLs, and downloads what is due of them: what the job and the command do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from filelock import FileLock, Timeout

from analyzers.progress import checkpoint
from resources.disk import too_full
from resources.downloader import Download, Downloaded, Downloader, Failed
from resources.url_lists import read_list
from resources.url_queue import QueuedUrl, State, UrlQueue
from tiktok_assets.settings import Settings

_POLL_S = 0.1
_SAY_EVERY_S = 10.0

Say = Callable[[str], None]


@dataclass
class Tally:
    """How many URLs came, how many were put off, how many failed for good."""

    done: int = 0
    put_off: int = 0
    failed: int = 0
    #: Why no more was begun although more is due; "" where all was.
    stopped: str = ""


def url_queue(settings: Settings) -> UrlQueue:
    """The URLs and what became of them."""
    return UrlQueue(settings.data_dir / "state" / "urls.sqlite")


def read_lists(settings: Settings, queue: UrlQueue) -> list[str]:
    """Queue what is new in the configured lists; a sentence about each thing that is wrong."""
    wrong: list[str] = []
    for path in settings.url_lists:
        if not path.exists() and not settings.urls.lists:
            continue
        try:
            urls, mistakes = read_list(path, settings.urls.hosts)
        except (OSError, ValueError) as error:
            wrong.append(str(error))
        else:
            queue.add(urls)
            wrong += mistakes
    return wrong


def download_due(settings: Settings, say: Say, warn: Say) -> Tally:
    """Download what is due, a few at a time, into the first watched folder.

    Only one process does so at a time. `say` gets progress, `warn` failures, a sentence each.
    Raises `RuntimeError` where another process is at it, `Cancelled` (see `analyzers.progress`)
    when asked to stop; what was not finished then is queued again and goes on where it was.
    """
    queue = url_queue(settings)
    lock = FileLock(settings.data_dir / "state" / "urls.lock")
    try:
        held = lock.acquire(timeout=0)
    except Timeout:
        raise RuntimeError("Another process downloads the URLs: wait until it is done.") from None
    with held:
        for mistake in read_lists(settings, queue):
            warn(mistake)
        return _Run(settings, queue, say, warn).run()


class _Run:
    """One pass over what is due."""

    def __init__(self, settings: Settings, queue: UrlQueue, say: Say, warn: Say) -> None:
        self._settings = settings
        self._queue = queue
        self._say, self._warn = say, warn
        self._downloader = Downloader(settings.urls, settings.data_dir, settings.watched_folders[0])
        self._running: dict[Download, QueuedUrl] = {}
        self._tally = Tally()
        self._next_start_s = self._next_words_s = 0.0

    def run(self) -> Tally:
        self._take_up_interrupted()
        try:
            while self._more():
                checkpoint()
                self._start()
                for download, queued in list(self._running.items()):
                    self._look(download, queued)
                self._say_progress()
                time.sleep(_POLL_S)
        finally:  # what still runs here is to stop: Ctrl-C, a cancelled run, a fault of ours
            for download, queued in self._running.items():
                download.stop()
                self._queue.give_back(queued.url)
        return self._tally

    def _take_up_interrupted(self) -> None:
        """Nobody else downloads now: what is marked so was of a process that was killed."""
        for queued in self._queue.rows(State.DOWNLOADING):
            why = Failed("crash", "the process was killed in the middle of the download.")
            self._failed(queued, why, after_s=0.0)

    def _more(self) -> bool:
        return bool(self._running) or (not self._tally.stopped and self._queue.due() > 0)

    def _start(self) -> None:
        """Begin one more, where there is room and the pause is over."""
        urls = self._settings.urls
        if len(self._running) >= urls.at_once or time.monotonic() < self._next_start_s:
            return
        self._tally.stopped = too_full(self._settings.data_dir, self._settings.min_free_gb)
        if self._tally.stopped:
            return
        if queued := self._queue.take():
            self._say(f"{queued.url}: begun, attempt {queued.attempts}.")
            self._running[self._downloader.start(queued.url, queued.tags)] = queued
            self._next_start_s = time.monotonic() + urls.pause_s

    def _look(self, download: Download, queued: QueuedUrl) -> None:
        answer = download.poll()
        for sentence in download.said:
            self._warn(f"{queued.url}: {sentence}")
        download.said.clear()
        if answer is None:
            return
        if not isinstance(answer, Failed):
            try:
                self._done(queued, self._downloader.finish(queued.url, answer))
            except OSError as error:
                answer = Failed("disk", f"it cannot be put into the watched folder ({error}).")
        if isinstance(answer, Failed):
            self._failed(queued, answer)
        del self._running[download]

    def _done(self, queued: QueuedUrl, downloaded: Downloaded) -> None:
        remark = "downloaded before" if downloaded.known else ""
        self._queue.done(queued.url, downloaded.files, remark)
        self._tally.done += 1
        self._say(f"{queued.url}: done: {', '.join(filter(None, (*downloaded.files, remark)))}.")

    def _failed(self, queued: QueuedUrl, why: Failed, after_s: float | None = None) -> None:
        """Note a failure, and when there will be another attempt, if there will be one."""
        urls = self._settings.urls
        if why.passes and queued.attempts < urls.most_attempts:
            if after_s is None:
                after_s = urls.retry_after_s * 2 ** (queued.attempts - 1)
            self._queue.try_later(queued.url, why.kind, why.reason, after_s)
            self._tally.put_off += 1
            self._warn(
                f"{queued.url}: {why.kind}: {why.reason} Attempt {queued.attempts} of "
                f"{urls.most_attempts}; the next in {after_s / 60:.0f} min at the earliest."
            )
            return
        self._downloader.forget(queued.url)
        self._queue.failed(queued.url, why.kind, why.reason)
        self._tally.failed += 1
        self._warn(f"{queued.url}: failed ({why.kind}): {why.reason}")

    def _say_progress(self) -> None:
        now = time.monotonic()
        if not self._running or now < self._next_words_s:
            return
        if self._next_words_s:
            for download in self._running:
                total = f" of {download.total_bytes / 1e6:.1f}" if download.total_bytes else ""
                self._say(f"{download.url}: {download.at_bytes / 1e6:.1f}{total} MB")
        self._next_words_s = now + _SAY_EVERY_S
