"""How `up` treats its parts, with small programs in their place."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tiktok_assets.up import UpError, _look_after, _Part, _start

_WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[list[_Part]]:
    made: list[_Part] = []
    yield made
    for part in made:
        part.stop()


def _part(folder: Path, code: str) -> _Part:
    return _Part("thing", [sys.executable, "-c", code], folder / "logs" / "thing.log")


def _wait_until_lost(part: _Part) -> None:
    until = time.monotonic() + 20
    while not part.lost() and time.monotonic() < until:
        time.sleep(0.05)
    assert part.lost()


def test_part_that_does_not_start_is_named_with_its_last_words(
    tmp_path: Path, parts: list[_Part]
) -> None:
    parts.append(_part(tmp_path, "raise SystemExit('no module named x')"))
    parts[0].ready = lambda: False
    with pytest.raises(UpError, match=r"The thing does not start: no module named x \(all of it"):
        _start(parts, threading.Event())


def test_start_ends_when_asked_to_stop(tmp_path: Path, parts: list[_Part]) -> None:
    parts.append(_part(tmp_path, "import time; time.sleep(60)"))
    parts[0].ready = lambda: False
    stopping = threading.Event()
    stopping.set()
    assert not _start(parts, stopping)


def test_killed_part_is_started_again(tmp_path: Path, parts: list[_Part]) -> None:
    parts.append(_part(tmp_path, "import time; time.sleep(60)"))
    parts[0].start()
    assert parts[0].process
    first = parts[0].process
    first.kill()
    _wait_until_lost(parts[0])
    said: list[str] = []
    _look_after(parts, said.append)
    assert parts[0].process is not first
    assert not parts[0].lost()
    assert "thing has ended and is started again" in said[0]


def test_part_that_dies_three_times_within_a_minute_is_given_up_with_its_last_words(
    tmp_path: Path, parts: list[_Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiktok_assets.up._RESTART_PAUSE_S", 0.05)
    parts.append(_part(tmp_path, "print('out of disk')"))
    parts[0].start()
    for _ in range(2):
        _wait_until_lost(parts[0])
        _look_after(parts, print)
    _wait_until_lost(parts[0])
    with pytest.raises(UpError, match=r"3 times within 60 s, so it is not .*: out of disk"):
        _look_after(parts, print)


def test_deaths_that_lie_far_apart_do_not_add_up(
    tmp_path: Path, parts: list[_Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiktok_assets.up._RESTART_PAUSE_S", 0.05)
    monkeypatch.setattr("tiktok_assets.up._DEATHS_WITHIN_S", 0.04)
    parts.append(_part(tmp_path, "print('one run')"))
    parts[0].start()
    said: list[str] = []
    for _ in range(4):
        _wait_until_lost(parts[0])
        _look_after(parts, said.append)
    assert len(said) == 4


def test_stop_leaves_none_of_a_parts_children(tmp_path: Path, parts: list[_Part]) -> None:
    parts.append(_part(tmp_path, _WITH_CHILD))
    parts[0].start()
    until = time.monotonic() + 20
    while not (said := parts[0].log_file.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.05)
    child = psutil.Process(int(said))
    parts[0].stop()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
