"""How a long analysis tells that it is alive, and learns that it should stop.

Whoever runs an analyzer makes a `Task` and runs the analysis under `run_task(task)`. The analyzer
calls `checkpoint(done, total)` between batches and needs to know nothing else: without a task it
does nothing.

The task is kept in a context variable. A thread that an analyzer starts by itself does not inherit
it; start it through `contextvars.copy_context().run` where it should call `checkpoint`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Cancelled(BaseException):
    """Raised by `checkpoint` in a task that was asked to stop.

    Not an `Exception`, like asyncio's: what survives a bad batch with `except Exception` must not
    survive this.
    """


class Task:
    """One piece of work that can be asked to stop and shows when it last moved."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: Share of the work done, 0..1; None as long as the task does not say.
        self.share: float | None = None
        #: Seconds on the monotonic clock (`time.monotonic`).
        self.last_progress = time.monotonic()
        self._cancel = threading.Event()

    def cancel(self) -> None:
        """Ask the task to stop at its next checkpoint; may be called from any thread."""
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        """Whether the task was asked to stop."""
        return self._cancel.is_set()


_task: ContextVar[Task | None] = ContextVar("task", default=None)


def current_task() -> Task | None:
    """The task that the calling code runs under, if any."""
    return _task.get()


@contextmanager
def run_task(task: Task) -> Iterator[Task]:
    """Make `task` the current one inside the block."""
    token = _task.set(task)
    try:
        yield task
    finally:
        _task.reset(token)


def checkpoint(done: float | None = None, total: float | None = None) -> None:
    """Say that work goes on, `done` of `total` in any unit, and stop here if that was asked for.

    Raises:
        Cancelled: the current task was asked to stop.
    """
    task = _task.get()
    if task is None:
        return
    task.last_progress = time.monotonic()
    if task.cancelled:
        raise Cancelled(f"{task.name} was asked to stop")
    if done is not None and total:
        task.share = min(1.0, done / total)
