"""The crash ledger, with processes that really die."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tiktok_assets.crash_ledger import CrashLedger

_DIE = """
import os, sys
from pathlib import Path
from tiktok_assets.crash_ledger import CrashLedger
ledger = CrashLedger(Path(sys.argv[1]))
with ledger.attempt("faces", "v"), ledger.attempt("text", "v"):
    exec(sys.argv[2])
    os.abort()
"""


@pytest.fixture
def ledger(tmp_path: Path) -> CrashLedger:
    return CrashLedger(tmp_path / "crashes")


@pytest.fixture
def die(tmp_path: Path) -> Callable[..., None]:
    def run(before: str = "pass") -> None:
        command = [sys.executable, "-c", _DIE, str(tmp_path / "crashes"), before]
        died = subprocess.run(command, stderr=subprocess.PIPE, check=False)
        assert died.returncode < 0, died.stderr

    return run


def numbers(ledger: CrashLedger, video_id: str = "v") -> tuple[int, int]:
    """The number of the next attempt of both analyzers, without spending it."""
    found = []
    for analyzer in ("faces", "text"):
        with pytest.raises(StopAsyncIteration), ledger.attempt(analyzer, video_id) as attempt:  # noqa: PT012
            found.append(attempt.number)
            raise StopAsyncIteration
    return found[0], found[1]


def test_first_attempt_runs_in_process_and_leaves_nothing(
    ledger: CrashLedger, tmp_path: Path
) -> None:
    with ledger.attempt("faces", "v") as attempt:
        assert (attempt.number, attempt.isolate, attempt.give_up) == (1, False, False)
    assert not list(tmp_path.rglob("*.json"))


def test_an_error_is_no_death(ledger: CrashLedger, tmp_path: Path) -> None:
    for _ in range(3):
        with pytest.raises(ValueError, match="bad"), ledger.attempt("faces", "v"):
            raise ValueError("bad")
    assert numbers(ledger) == (1, 1)
    assert not list(tmp_path.rglob("*.json"))


def test_death_counts_for_all_in_flight_and_for_this_video_only(
    ledger: CrashLedger, die: Callable[..., None]
) -> None:
    die()
    assert numbers(ledger) == (2, 2)
    assert numbers(ledger, "another") == (1, 1)


def test_two_deaths_isolate_three_give_up_and_a_later_request_is_isolated_again(
    ledger: CrashLedger, die: Callable[..., None]
) -> None:
    die()
    die()
    with ledger.attempt("faces", "v") as attempt:
        assert attempt.isolate
        assert not attempt.give_up
    die()  # takes `text` to three, and `faces`, which has succeeded since, to one
    with pytest.raises(RuntimeError), ledger.attempt("text", "v") as attempt:  # noqa: PT012
        assert attempt.give_up
        raise RuntimeError
    with ledger.attempt("text", "v") as attempt:
        assert attempt.isolate
        assert not attempt.give_up
    assert numbers(ledger) == (2, 1)


def test_a_process_stopped_on_purpose_is_no_crash(
    ledger: CrashLedger, die: Callable[..., None]
) -> None:
    die("ledger.excuse(os.getpid())")
    assert numbers(ledger) == (1, 1)


def test_blame_counts_the_guilty_only(ledger: CrashLedger, die: Callable[..., None]) -> None:
    die("ledger.blame(os.getpid(), 'text')")
    assert numbers(ledger) == (1, 2)


def test_an_attempt_of_a_living_process_is_not_counted(ledger: CrashLedger) -> None:
    with ledger.attempt("faces", "v"), ledger.attempt("faces", "v") as second:
        assert second.number == 1


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"deaths": 1}'])
def test_a_record_torn_by_a_loss_of_power_is_nobodys_crash(
    ledger: CrashLedger, die: Callable[..., None], tmp_path: Path, torn: str
) -> None:
    die()
    for record in (tmp_path / "crashes").glob("*/*.json"):
        record.write_text(torn)
    ledger.excuse(1)
    with ledger.attempt("faces", "v") as attempt:
        assert attempt.number == 1
