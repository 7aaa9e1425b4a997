"""Who was at work when a process died, so that a crashing analyzer is found and contained.

Native code can take its whole process with it, and nothing inside lives to tell. So each analysis
writes down that it begins and strikes that out when it ends, however it ends. What a dead process
left standing was in flight when it died. After two such deaths an analysis is to run in a process
of its own (`isolate`), and if even then its process is lost it is to be given up (`give_up`).

A process that is stopped on purpose is no crash: who kills one calls `excuse` right after, or
`blame` where one analysis is known to be the cause.

One small JSON file for each analyzer and video, in `<data_dir>/state/crashes`. A process crash does
not lose written files, so nothing is synced; one that a loss of power has torn counts as none.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

ISOLATE_AFTER = 2
"""Deaths after which an analysis runs in a process of its own."""
GIVE_UP_AFTER = 3
"""Deaths after which it is not tried again in the same chain of retries."""


@dataclass(frozen=True)
class Attempt:
    """One try at analyzing one video."""

    analyzer: str
    video_id: str
    deaths: int

    @property
    def number(self) -> int:
        """1 for the first try; tries that ended with an error and not with a dead process do not
        count.
        """
        return self.deaths + 1

    @property
    def isolate(self) -> bool:
        """Whether to run it in a process of its own."""
        return self.deaths >= ISOLATE_AFTER

    @property
    def give_up(self) -> bool:
        """Whether not to run it at all, and raise an error that names the analyzer."""
        return self.deaths >= GIVE_UP_AFTER


@dataclass(frozen=True)
class Process:
    """A process, told from a later one with the same number by when it was started."""

    host: str
    pid: int
    created: float

    @classmethod
    def current(cls) -> Process:
        """This process."""
        return cls(socket.gethostname(), os.getpid(), psutil.Process().create_time())

    def gone(self) -> bool:
        """Whether it is no more.

        True also for another machine's process: an analysis moves on only after a death.
        """
        if self.host != socket.gethostname():
            return True
        try:
            return abs(psutil.Process(self.pid).create_time() - self.created) > 1.0
        except psutil.NoSuchProcess:
            return True

    def gone_from_here(self) -> bool:
        """Whether it was this machine's and is no more."""
        return self.host == socket.gethostname() and self.gone()

    def __str__(self) -> str:
        return f"{self.pid}:{self.created}:{self.host}"

    @classmethod
    def parse(cls, text: str) -> Process:
        """The process that `str` told."""
        pid, created, host = text.split(":", 2)
        return cls(host, int(pid), float(created))


@dataclass
class _Entry:
    deaths: int = 0
    in_flight: Process | None = None


class CrashLedger:
    """The record of analyses in flight and of those a process died in."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when first needed."""
        self._folder = folder

    @contextmanager
    def attempt(self, analyzer: str, video_id: str) -> Iterator[Attempt]:
        """Note that this process analyzes the video inside the block.

        Success clears the record; an exception leaves the count of deaths as it was. After giving
        up the count goes back, so that a later request gets one more try in isolation.
        """
        path = self._path(analyzer, video_id)
        deaths = self.deaths(analyzer, video_id)
        attempt = Attempt(analyzer, video_id, deaths)
        _write(path, _Entry(deaths, Process.current()))
        try:
            yield attempt
        except BaseException:
            _write(path, _Entry(min(deaths, ISOLATE_AFTER)))
            raise
        path.unlink(missing_ok=True)

    def deaths(self, analyzer: str, video_id: str) -> int:
        """How many processes died while they analyzed it, since it last came to an end."""
        entry = _read(self._path(analyzer, video_id))
        return entry.deaths + bool(entry.in_flight and entry.in_flight.gone())

    def excuse(self, pid: int) -> None:
        """Strike out what process `pid` of this machine has in flight: it is stopped on purpose."""
        self._settle(pid, guilty=None)

    def blame(self, pid: int, analyzer: str) -> None:
        """Excuse all that process `pid` has in flight, but for `analyzer`, which counts a death."""
        self._settle(pid, guilty=analyzer)

    def _settle(self, pid: int, guilty: str | None) -> None:
        host = socket.gethostname()
        for path in self._folder.glob("*/*.json"):
            entry = _read(path)
            if entry.in_flight and (entry.in_flight.host, entry.in_flight.pid) == (host, pid):
                _write(path, _Entry(entry.deaths + (path.parent.name == guilty)))

    def _path(self, analyzer: str, video_id: str) -> Path:
        return self._folder / analyzer / f"{video_id}.json"


def _read(path: Path) -> _Entry:
    try:
        stored = json.loads(path.read_text())
        in_flight = stored["in_flight"]
        return _Entry(stored["deaths"], Process(**in_flight) if in_flight else None)
    except FileNotFoundError:
        return _Entry()
    except (ValueError, KeyError, TypeError):
        return _Entry()  # torn by a loss of power, which is nobody's crash


def _write(path: Path, entry: _Entry) -> None:
    if entry == _Entry():
        with suppress(FileNotFoundError):
            path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(json.dumps(asdict(entry)))
    new.replace(path)
