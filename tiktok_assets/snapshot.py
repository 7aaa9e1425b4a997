"""The status, read again only when it is worth the work: in a large library that takes seconds."""

from __future__ import annotations

import threading
import time

import dagster as dg

from tiktok_assets.settings import Settings
from tiktok_assets.status import ProjectStatus, collect

_LEAST_AGE_S = 1.0
#: Reading takes at most a tenth of the time.
_AGE_PER_READING = 9.0


class Snapshot:
    """The latest status, shared by all threads that ask."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self._settings = settings
        self._instance = instance
        self._lock = threading.Lock()
        self._status: ProjectStatus | None = None
        self._good_until_s = 0.0

    def latest(self) -> ProjectStatus:
        """The status, at most nine times as old as reading it takes, or a second."""
        with self._lock:
            if self._status is None or time.monotonic() >= self._good_until_s:
                started = time.monotonic()
                self._status = collect(self._settings, self._instance)
                ended = time.monotonic()
                age_s = max(_LEAST_AGE_S, _AGE_PER_READING * (ended - started))
                self._good_until_s = ended + age_s
            return self._status
