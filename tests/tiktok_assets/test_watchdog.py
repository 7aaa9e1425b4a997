"""The watchdog on a real child process that tells made-up pulses."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from analyzers import progress
from tiktok_assets.crash_ledger import CrashLedger
from tiktok_assets.watchdog import (
    DEFAULT_STALL_LIMIT_S,
    STALL_LIMIT_TAG,
    Heartbeat,
    Pulse,
    Watchdog,
    living,
    pulse_of,
    read_pulse,
)

_CHILD = """
import sys, time
from pathlib import Path
from tiktok_assets.crash_ledger import CrashLedger
ledger = CrashLedger(Path(sys.argv[1]))
with ledger.attempt("faces", "v"), ledger.attempt("text", "v"):
    print("in flight", flush=True)
    time.sleep(60)
"""


@dataclass
class Child:
    """A child with two analyses in flight, and its watchdog."""

    process: subprocess.Popen[str]
    folder: Path
    ledger: CrashLedger
    idle: bool = False
    watchdog: Watchdog = field(init=False)

    def __post_init__(self) -> None:
        self.watchdog = Watchdog(
            self.folder, self.ledger, lambda: [self.process.pid], lambda: self.idle, beat_limit_s=60
        )

    def after(self, pulse: Pulse) -> int | None:
        """The child's exit code after the watchdog has seen this pulse; None while it lives."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{self.process.pid}.json").write_text(json.dumps(asdict(pulse)))
        self.watchdog.look()
        try:
            return self.process.wait(0.5)
        except subprocess.TimeoutExpired:
            return None

    def numbers(self) -> tuple[int, int]:
        """The numbers of the next attempts of both analyses."""
        with self.ledger.attempt("faces", "v") as faces, self.ledger.attempt("text", "v") as text:
            return faces.number, text.number


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    crashes = tmp_path / "crashes"
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(crashes)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "in flight\n"
    yield Child(process, tmp_path / "workers", CrashLedger(crashes))
    process.kill()
    process.wait()
    process.stdout.close()


def test_progress_in_time_is_left_alone(child: Child) -> None:
    now = time.monotonic()
    assert child.after(Pulse(now, now + 5, "text", 10)) is None


def test_missed_deadline_kills_and_blames_that_step_only(child: Child) -> None:
    now = time.monotonic()
    assert child.after(Pulse(now, now - 1, "text", 10)) == -signal.SIGKILL
    assert child.numbers() == (1, 2)


def test_no_heartbeat_kills_and_blames_all_in_flight(child: Child) -> None:
    """A step that holds the interpreter's lock from its first moment is in no pulse."""
    now = time.monotonic()
    assert child.after(Pulse(now - 30)) is None
    assert child.after(Pulse(now - 61)) == -signal.SIGKILL
    assert child.numbers() == (2, 2)


def test_process_with_an_abandoned_step_is_replaced_between_runs(child: Child) -> None:
    now = time.monotonic()
    haunted = Pulse(now, now + 100, "text", 200, abandoned=("text",))
    assert child.after(haunted) is None, "it has a run in hand"
    child.idle = True
    assert child.after(haunted) == -signal.SIGKILL
    assert child.numbers() == (1, 1), "its run was cancelled: no crash"


def test_pulses_of_dead_processes_are_cleared_away(child: Child) -> None:
    child.after(Pulse(time.monotonic()))
    other = child.folder / "1.json"
    other.write_text("{}")
    child.watchdog.look()
    assert not other.exists()


@dataclass
class _Step:
    step_key: str
    started: float
    last_progress: float
    tags: dict[str, str] = field(default_factory=dict)
    abandoned: bool = False

    @property
    def task(self) -> Any:
        task = progress.Task(self.step_key)
        task.last_progress = self.last_progress
        return task


def test_pulse_names_the_first_deadline() -> None:
    now = time.monotonic()
    slow = _Step("slow", now - 50, now - 20, {STALL_LIMIT_TAG: "100"})
    quick = _Step("quick", now - 50, now - 5, {STALL_LIMIT_TAG: "30"})
    untold = _Step("untold", now - 9, now - 9, abandoned=True)
    pulse = pulse_of([slow, quick, untold])  # type: ignore[list-item]
    assert pulse.step_key == "quick"
    assert pulse.deadline == pytest.approx(now + 25)
    assert pulse.abandoned == ("untold",)
    assert pulse_of([untold]).deadline == pytest.approx(  # type: ignore[list-item]
        now - 9 + DEFAULT_STALL_LIMIT_S
    )
    assert pulse_of([]).deadline is None


def test_heartbeat_is_written_and_goes_on(tmp_path: Path) -> None:
    Heartbeat(tmp_path).start()
    until = time.monotonic() + 10
    seen = set()
    while len(seen) < 2 and time.monotonic() < until:
        if pulse := read_pulse(tmp_path, os.getpid()):
            seen.add(pulse.beat)
        time.sleep(0.05)
    assert len(seen) == 2


@pytest.mark.parametrize("torn", ["", "{", "\0\0"])
def test_a_pulse_torn_by_a_loss_of_power_is_none(tmp_path: Path, torn: str) -> None:
    (tmp_path / f"{os.getpid()}.json").write_text(torn)
    assert read_pulse(tmp_path, os.getpid()) is None
    assert living(tmp_path) == {}
