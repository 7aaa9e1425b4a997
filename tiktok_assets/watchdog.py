"""Finds a worker process in which a step hangs, from outside of it.

A step that hangs in native code may hold the interpreter's lock, and then no thread of its process
runs. So the process that does the work only writes down, in a small file, until when it is to be
trusted (`Heartbeat`); its parent reads that and kills (`Watchdog`). The run is then failed by
Dagster's run monitoring and retried from where it stood.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from analyzers.models.cache import process_cache
from tiktok_assets.crash_ledger import CrashLedger
from tiktok_assets.executor import LiveStep, live_tasks

STALL_LIMIT_TAG = "tiktok/stall_limit_s"
"""Op tag: the longest time in seconds that a step may show no progress."""
DEFAULT_STALL_LIMIT_S = 600.0
_BEAT_S = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeldModel:
    """What the cache of models of a process did for one model."""

    model_id: str
    role: str
    device: str
    memory_mb: float
    resident: bool
    loads: int
    hits: int


@dataclass(frozen=True)
class Pulse:
    """What a worker process last said of itself. Times are on the machine's monotonic clock, which
    its processes share.
    """

    beat: float
    #: When the first of its steps has to have shown progress; None while none is running.
    deadline: float | None = None
    #: The step that has this deadline, and its limit.
    step_key: str = ""
    limit_s: float = 0.0
    #: Steps that were given up when their run was cancelled, and still have not returned.
    abandoned: tuple[str, ...] = ()
    #: The steps it works on, by name, with the share of the work done (0..1) where they tell it.
    steps: dict[str, float | None] = field(default_factory=dict)
    models: tuple[HeldModel, ...] = ()


def pulse_of(steps: Iterable[LiveStep]) -> Pulse:
    """The state of a process that runs these steps."""
    now = time.monotonic()
    first = Pulse(now)
    abandoned = []
    shares = {}
    for step in steps:
        if step.abandoned:
            abandoned.append(step.step_key)
        else:
            shares[step.step_key] = step.task.share
        limit_s = float(step.tags.get(STALL_LIMIT_TAG, DEFAULT_STALL_LIMIT_S))
        deadline = max(step.started, step.task.last_progress) + limit_s
        if first.deadline is None or deadline < first.deadline:
            first = Pulse(now, deadline, step.step_key, limit_s)
    return Pulse(
        now, first.deadline, first.step_key, first.limit_s, tuple(abandoned), shares, _held_models()
    )


def _held_models() -> tuple[HeldModel, ...]:
    return tuple(
        HeldModel(
            model_id=known.identity.model_id,
            role=known.identity.role,
            device=known.identity.device,
            memory_mb=known.memory_mb,
            resident=known.resident,
            loads=known.loads,
            hits=known.hits,
        )
        for known in process_cache.stats()
    )


class Heartbeat:
    """In the process that works: writes its pulse twice a second."""

    def __init__(self, folder: Path) -> None:
        self._path = _pulse_path(folder, os.getpid())

    def start(self) -> None:
        """Begin, on a thread that does not keep the process."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def _beat(self) -> None:
        new = self._path.with_suffix(".new")
        while True:
            new.write_text(json.dumps(asdict(pulse_of(live_tasks()))))
            new.replace(self._path)
            time.sleep(_BEAT_S)


class Watchdog:
    """In the parent: kills a child that shows no progress, or has a step that never returned."""

    def __init__(
        self,
        folder: Path,
        ledger: CrashLedger,
        children: Callable[[], Iterable[int]],
        idle: Callable[[], bool],
        beat_limit_s: float = 120.0,
    ) -> None:
        """Watch over the processes that `children` lists.

        `idle` tells whether they have no run in hand. A child whose interpreter has not let its
        heartbeat through for `beat_limit_s` is taken for hung whatever its steps are.
        """
        self._folder = folder
        self._ledger = ledger
        self._children = children
        self._idle = idle
        self._beat_limit_s = beat_limit_s

    def start(self) -> None:
        """Begin, on a thread that does not keep the process."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(_BEAT_S)
            try:
                self.look()
            except Exception:  # one bad look must not end the watch
                log.exception("the watchdog could not look")

    def look(self) -> None:
        """Look at each child once, and kill it if it must be."""
        children = set(self._children())
        for pid in children:
            if pulse := read_pulse(self._folder, pid):
                self._judge(pid, pulse)
        for path in self._folder.glob("*.json"):
            if int(path.stem) not in children:
                path.unlink(missing_ok=True)

    def _judge(self, pid: int, pulse: Pulse) -> None:
        now = time.monotonic()
        if pulse.deadline is not None and now > pulse.deadline:
            self._kill(pid, f"step {pulse.step_key} showed no progress for {pulse.limit_s:g} s")
            self._ledger.blame(pid, pulse.step_key)
        elif now > pulse.beat + self._beat_limit_s:
            self._kill(pid, f"no sign of life for {now - pulse.beat:.0f} s")
        elif pulse.abandoned and self._idle():
            self._kill(pid, f"{', '.join(pulse.abandoned)} never returned")
            self._ledger.excuse(pid)

    def _kill(self, pid: int, why: str) -> None:
        log.error("killing worker process %d: %s", pid, why)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _pulse_path(self._folder, pid).unlink(missing_ok=True)


def read_pulse(folder: Path, pid: int) -> Pulse | None:
    """The last pulse of a process, if it has written one."""
    try:
        told = json.loads(_pulse_path(folder, pid).read_text())
    except (FileNotFoundError, ValueError):  # torn by a loss of power: it is of no process any more
        return None
    models = tuple(HeldModel(**model) for model in told.pop("models", ()))
    return Pulse(**told, models=models)


def living(folder: Path) -> dict[int, Pulse]:
    """The pulses in a folder by process id, of processes that are there."""
    pids = [int(path.stem) for path in folder.glob("*.json")]
    pulses = {pid: read_pulse(folder, pid) for pid in pids if psutil.pid_exists(pid)}
    return {pid: pulse for pid, pulse in pulses.items() if pulse is not None}


def _pulse_path(folder: Path, pid: int) -> Path:
    return folder / f"{pid}.json"
