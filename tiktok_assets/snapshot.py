"""The status, read again only when it is worth the work: in a large library that takes seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tiktok_assets.status import ProjectStatus

_LEAST_AGE_S = 1.0
#: Reading takes at most a tenth of the time.
_AGE_PER_READING = 9.0
#: Nobody is made to wait longer than this but the first: Prometheus gives up after ten seconds.
_PATIENCE_S = 2.0


class Snapshot:
    """The latest status, shared by all threads that ask."""

    def __init__(self, read: Callable[[], ProjectStatus]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._status: ProjectStatus | None = None
        self._took_s = 0.0
        self._read_at_s = 0.0
        self._reader: threading.Thread | None = None

    def latest(self) -> ProjectStatus:
        """The status, a second old at most, or nine times as old as reading it takes.

        Where that takes longer than two seconds, it is done in the background, and this is the
        status before. Raises what reading it raised, once.
        """
        with self._lock:
            status = self._status
            if status is None or (self._is_old() and self._took_s < _PATIENCE_S):
                return self._refresh()
            if self._is_old() and (self._reader is None or not self._reader.is_alive()):
                self._reader = threading.Thread(target=self._in_background, daemon=True)
                self._reader.start()
            return status

    def _is_old(self) -> bool:
        age_s = time.monotonic() - self._read_at_s
        return age_s >= max(_LEAST_AGE_S, _AGE_PER_READING * self._took_s)

    def _in_background(self) -> None:
        try:
            self._refresh()
        except Exception:
            self._status = None  # whoever asks next reads it, and gets the error
            raise

    def _refresh(self) -> ProjectStatus:
        started = time.monotonic()
        status = self._status = self._read()
        self._read_at_s = time.monotonic()
        self._took_s = self._read_at_s - started
        return status
