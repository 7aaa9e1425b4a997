"""Takes the videos that lie still in the watched folders into the library.

What was taken stays where it lies, and is remembered by place, size and time of change; so a file
is hashed once, and a process that is killed at any point loses no file and takes none twice.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from resources.decode_child import MediaError, NotAVideo
from resources.ladder_settings import DecodeLimits
from resources.media import MediaLibrary
from resources.probe import check_opens
from resources.sqlite_file import open_sqlite
from resources.video_files import video_files

#: Files that are waited for at a time: their states are kept in the sensor's cursor.
_WATCHED = 200
#: A file that cannot be looked at so many times is put aside like one that is no video.
_MOST_ATTEMPTS = 3

_TABLES = sa.MetaData()
_TAKEN = sa.Table(
    "taken",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("mtime_ns", sa.Integer, nullable=False),
    #: Null for one that is no video and could not be moved away.
    sa.Column("video_id", sa.String),
    #: The key of the run to be requested; null where none is wanted, or it is there.
    sa.Column("run_key", sa.String),
)


@dataclass(frozen=True)
class Sighting:
    """A file as it was last seen: how long it has been so, and how often looking at it failed."""

    size_bytes: int
    mtime_ns: int
    since_s: float
    attempts: int = 0


@dataclass
class Intake:
    """What came of one look into the folders."""

    #: By place, of files that are taken: their video ids.
    taken: dict[str, str] = field(default_factory=dict)
    #: By place, of files whose bytes are in the library already: their video ids.
    known: dict[str, str] = field(default_factory=dict)
    #: By place, of files that are no videos: why.
    rejected: dict[str, str] = field(default_factory=dict)
    #: Sentences about files that could not be looked at; they are tried again.
    troubles: list[str] = field(default_factory=list)
    #: By place, the files that are waited for: the `sightings` of the next look.
    sightings: dict[str, Sighting] = field(default_factory=dict)
    #: Files that were not looked at for want of time.
    left: int = 0


class DropFolder:
    """Watched folders, the library their videos go to, and what is remembered of them."""

    def __init__(
        self,
        folders: Sequence[Path],
        library: MediaLibrary,
        rejected: Path,
        memory: Path,
        settle_s: float,
        check: Callable[[Path, DecodeLimits], None] = check_opens,
    ) -> None:
        """`rejected` is the folder for what is no video, `memory` a SQLite file.

        A file is taken when its size and time of change were the same for `settle_s`. `check`
        raises `NotAVideo` for what does not open, `MediaError` where that cannot be said.
        """
        self._folders = folders
        self._library = library
        self._rejected = rejected
        self._settle_s = settle_s
        self._check = check
        self._engine = open_sqlite(memory, _TABLES)

    def look(
        self,
        sightings: Mapping[str, Sighting],
        is_known: Callable[[str], bool],
        most: int,
        stop_at_s: float,
        now_s: Callable[[], float] = time.time,
    ) -> Intake:
        """Take at most `most` files, and begin with none after `stop_at_s` (as `now_s` tells).

        `sightings` are those of the last look; `is_known` says of a video id whether it was there
        before. One file may take longer than the time that is left: hashing reads all of it.
        """
        intake = Intake()
        found = self._new_files()
        self._forget_missing(found.keys())
        # Those that make trouble come last, so that they never keep others from being seen.
        order = sorted(
            found, key=lambda p: (sightings[p].attempts if p in sightings else 0, found[p][1], p)
        )
        with self._engine.connect():  # the last to close the file syncs it: not once a video
            for place in order:
                seen = sightings.get(place)
                if seen is None or (seen.size_bytes, seen.mtime_ns) != found[place]:
                    seen = Sighting(*found[place], since_s=now_s())
                done = len(intake.taken) + len(intake.known) + len(intake.rejected)
                if now_s() - seen.since_s < self._settle_s or done >= most or now_s() >= stop_at_s:
                    if len(intake.sightings) < _WATCHED:
                        intake.sightings[place] = seen
                    else:
                        intake.left += 1
                    continue
                self._take(Path(place), seen, is_known, intake)
        return intake

    def wanted_runs(self) -> dict[str, str]:
        """Video ids by the key of the run that is to be requested, in the order of taking."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(_TAKEN.c.run_key, _TAKEN.c.video_id)
                .where(_TAKEN.c.run_key.is_not(None))
                .order_by(_TAKEN.c.id)
            )
            return {row.run_key: row.video_id for row in rows}

    def runs_are_there(self, run_keys: Iterable[str]) -> None:
        """Request these runs no more."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(_TAKEN).where(_TAKEN.c.run_key.in_(list(run_keys))).values(run_key=None)
            )

    def taken_as(self, path: Path) -> str | None:
        """The video id of a file in the folders; None as long as it is not taken."""
        with self._engine.connect() as connection:
            return connection.scalar(
                sa.select(_TAKEN.c.video_id)
                .where(_TAKEN.c.path == str(path))
                .order_by(_TAKEN.c.id.desc())
                .limit(1)
            )

    def _new_files(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of each file that was not taken as it now is."""
        found: dict[str, tuple[int, int]] = {}
        for folder in self._folders:
            for path in video_files(folder):
                try:
                    stat = path.stat()
                except FileNotFoundError:  # gone in the meantime, or a link to nothing
                    continue
                found[str(path)] = (stat.st_size, stat.st_mtime_ns)
        with self._engine.connect() as connection:
            for row in connection.execute(sa.select(_TAKEN)):
                if found.get(row.path) == (row.size_bytes, row.mtime_ns):
                    del found[row.path]
        return found

    def _forget_missing(self, new: Iterable[str]) -> None:
        """Forget files that are gone, or changed, so that the memory does not grow for ever."""
        changed = set(new)
        with self._engine.begin() as connection:
            kept = connection.execute(sa.select(_TAKEN).where(_TAKEN.c.run_key.is_(None)))
            gone = [row.id for row in kept if row.path in changed or not os.path.lexists(row.path)]
            for first in range(0, len(gone), 500):
                connection.execute(
                    sa.delete(_TAKEN).where(_TAKEN.c.id.in_(gone[first : first + 500]))
                )

    def _take(
        self, path: Path, seen: Sighting, is_known: Callable[[str], bool], intake: Intake
    ) -> None:
        place = str(path)
        try:
            self._check(path, self._library.limits)
            video_id = self._library.register(path)
        except NotAVideo as refusal:
            intake.rejected[place] = str(refusal)
            self._put_aside(path, seen, str(refusal))
            return
        except (MediaError, OSError) as error:
            attempts = seen.attempts + 1
            if attempts >= _MOST_ATTEMPTS and isinstance(error, MediaError) and os.access(path, 4):
                intake.rejected[place] = str(error)
                self._put_aside(path, seen, str(error))
                return
            intake.troubles.append(str(error))
            intake.sightings[place] = Sighting(
                seen.size_bytes, seen.mtime_ns, seen.since_s, attempts
            )
            return
        twice = is_known(video_id) or video_id in self.wanted_runs().values()
        (intake.known if twice else intake.taken)[place] = video_id
        self._remember(path, seen, video_id, None if twice else f"{video_id}:{uuid.uuid4().hex}")

    def _remember(
        self, path: Path, seen: Sighting, video_id: str | None, run_key: str | None
    ) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.insert(_TAKEN).values(
                    path=str(path),
                    size_bytes=seen.size_bytes,
                    mtime_ns=seen.mtime_ns,
                    video_id=video_id,
                    run_key=run_key,
                )
            )

    def _put_aside(self, path: Path, seen: Sighting, why: str) -> None:
        """Move a file to the rejected ones, with a text that says why."""
        self._rejected.mkdir(parents=True, exist_ok=True)
        target = self._rejected / path.name
        number = 1
        while target.exists():
            number += 1
            target = self._rejected / f"{path.stem} ({number}){path.suffix}"
        # The text first: a file among the rejected ones always has its reason beside it.
        target.with_name(target.name + ".txt").write_text(f"{why}\nIt lay at {path}\n")
        try:
            shutil.move(path, target)
        except OSError:  # a folder that may only be read: leave it there and do not ask again
            self._remember(path, seen, None, None)
