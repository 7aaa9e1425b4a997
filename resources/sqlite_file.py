"""A small SQLite file that several processes may use at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, NullPool, create_engine, event


def open_sqlite(path: Path, tables: MetaData) -> Engine:
    """An engine on the file, which is made with its tables where it is not there.

    A process that is killed loses nothing that it had committed, a machine that loses power at most
    the last moments (write-ahead log, synced at checkpoints). One that finds the file locked waits
    for up to 30 s. The file is open only while it is used: engines are made by the tick, and kept
    connections would stay open until the garbage collector comes by.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30}, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    tables.create_all(engine)
    return engine
