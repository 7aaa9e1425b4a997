"""The URLs that are to be downloaded, and what became of them.

A table of its own and not Dagster's storage: there a URL could be a dynamic partition or an asset
event, but neither has a state that one process can take and change at once, an order by priority or
a time of the next attempt, and events are deleted after some weeks, with them the reasons.
"""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from resources.sqlite_file import open_sqlite
from resources.url_lists import ListedUrl

_TABLES = sa.MetaData()
_URLS = sa.Table(
    "urls",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("url", sa.String, nullable=False, unique=True),
    sa.Column("priority", sa.Integer, nullable=False, default=0),
    sa.Column("tags", sa.String, nullable=False, default="[]"),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    #: Seconds since 1970.
    sa.Column("next_attempt_s", sa.Float, nullable=False, default=0.0),
    sa.Column("kind", sa.String, nullable=False, default=""),
    sa.Column("reason", sa.String, nullable=False, default=""),
    sa.Column("files", sa.String, nullable=False, default="[]"),
    sa.Column("changed_s", sa.Float, nullable=False),
    sa.Index("urls_in_order", "state", "priority"),
)


class State(enum.StrEnum):
    """What became of a URL."""

    QUEUED = "queued"
    DOWNLOADING = "downloading"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class QueuedUrl:
    """A URL and its state.

    `kind` and `reason` tell the last failure, also of one that is queued again, or a remark on one
    that is done. `files` are names in the watched folder. Times are seconds since 1970.
    """

    url: str
    priority: int
    tags: tuple[str, ...]
    state: State
    attempts: int
    next_attempt_s: float
    kind: str
    reason: str
    files: tuple[str, ...]
    changed_s: float


class UrlQueue:
    """The table, in a SQLite file that several processes may use at once."""

    def __init__(self, file: Path, now_s: Callable[[], float] = time.time) -> None:
        self._engine = open_sqlite(file, _TABLES)
        self._now_s = now_s

    def add(self, urls: Iterable[ListedUrl]) -> int:
        """Queue URLs; returns how many were new.

        One that is there already keeps its state; while it is queued it gets the higher priority of
        the two.
        """
        wanted: dict[str, ListedUrl] = {}
        for listed in urls:
            known = wanted.get(listed.url)
            if known is None or listed.priority > known.priority:
                wanted[listed.url] = listed
        with self._engine.begin() as connection:
            there = {
                row.url: row
                for row in connection.execute(sa.select(_URLS.c.url, _URLS.c.id, _URLS.c.priority))
            }
            new = [
                {
                    "url": listed.url,
                    "priority": listed.priority,
                    "tags": json.dumps(listed.tags),
                    "state": State.QUEUED,
                    "changed_s": self._now_s(),
                }
                for listed in wanted.values()
                if listed.url not in there
            ]
            if new:
                connection.execute(sa.insert(_URLS), new)
            for listed in wanted.values():
                row = there.get(listed.url)
                if row is not None and listed.priority > row.priority:
                    connection.execute(
                        sa.update(_URLS)
                        .where(_URLS.c.id == row.id, _URLS.c.state == State.QUEUED)
                        .values(priority=listed.priority)
                    )
        return len(new)

    def take(self) -> QueuedUrl | None:
        """Mark the next URL that is due as downloading, an attempt more; None where none is due."""
        due = (
            sa.select(_URLS.c.id)
            .where(_URLS.c.state == State.QUEUED, _URLS.c.next_attempt_s <= self._now_s())
            .order_by(_URLS.c.priority.desc(), _URLS.c.id)
            .limit(1)
            .scalar_subquery()
        )
        taken = (
            sa.update(_URLS)
            .where(_URLS.c.id == due)
            .values(
                state=State.DOWNLOADING,
                attempts=_URLS.c.attempts + 1,
                changed_s=self._now_s(),
            )
            .returning(*_URLS.c)
        )
        with self._engine.begin() as connection:
            row = connection.execute(taken).one_or_none()
        return None if row is None else _queued(row)

    def due(self) -> int:
        """How many URLs are to be downloaded now."""
        query = sa.select(sa.func.count()).where(
            _URLS.c.state == State.QUEUED, _URLS.c.next_attempt_s <= self._now_s()
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def done(self, url: str, files: Sequence[str], remark: str = "") -> None:
        """A URL's videos are in the watched folder."""
        self._set(url, state=State.DONE, files=json.dumps(files), kind="", reason=remark)

    def failed(self, url: str, kind: str, reason: str) -> None:
        """A URL failed for good: until `retry` is asked for."""
        self._set(url, state=State.FAILED, kind=kind, reason=reason)

    def try_later(self, url: str, kind: str, reason: str, after_s: float) -> None:
        """A URL failed for a time: it is queued again, due `after_s` seconds from now."""
        due_s = self._now_s() + after_s
        self._set(url, state=State.QUEUED, kind=kind, reason=reason, next_attempt_s=due_s)

    def give_back(self, url: str) -> None:
        """Queue a URL again that was stopped through no fault of its own."""
        self._set(url, state=State.QUEUED, attempts=_URLS.c.attempts - 1)

    def retry(self, urls: Collection[str] = ()) -> int:
        """Queue what failed again, and what waits for another attempt at once; returns how many.

        All of it, or those among `urls`.
        """
        waiting = sa.and_(_URLS.c.state == State.QUEUED, _URLS.c.next_attempt_s > self._now_s())
        wanted = sa.or_(_URLS.c.state == State.FAILED, waiting)
        if urls:
            wanted = sa.and_(wanted, _URLS.c.url.in_(list(urls)))
        again = sa.update(_URLS).where(wanted).values(
            state=State.QUEUED, attempts=0, next_attempt_s=0.0, changed_s=self._now_s()
        )  # fmt: skip
        with self._engine.begin() as connection:
            return connection.execute(again).rowcount

    def rows(self, state: State | None = None) -> list[QueuedUrl]:
        """All URLs, or those in one state, in the order in which they are taken."""
        query = sa.select(_URLS).order_by(_URLS.c.priority.desc(), _URLS.c.id)
        if state is not None:
            query = query.where(_URLS.c.state == state)
        with self._engine.connect() as connection:
            return [_queued(row) for row in connection.execute(query)]

    def find(self, url: str) -> QueuedUrl | None:
        """One URL; None where it was never added."""
        query = sa.select(_URLS).where(_URLS.c.url == url)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _queued(row)

    def counts(self) -> dict[State, int]:
        """How many URLs are in each state."""
        query = sa.select(_URLS.c.state, sa.func.count()).group_by(_URLS.c.state)
        with self._engine.connect() as connection:
            found: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in State}

    def _set(self, url: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(_URLS).where(_URLS.c.url == url).values(changed_s=self._now_s(), **values)
            )


def _queued(row: Any) -> QueuedUrl:
    return QueuedUrl(
        url=row.url,
        priority=row.priority,
        tags=tuple(json.loads(row.tags)),
        state=State(row.state),
        attempts=row.attempts,
        next_attempt_s=row.next_attempt_s,
        kind=row.kind,
        reason=row.reason,
        files=tuple(json.loads(row.files)),
        changed_s=row.changed_s,
    )
