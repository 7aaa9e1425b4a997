"""The broker and its results in folders, whose files survive a loss of power.

Kombu and Celery write into the file under its own name and sync nothing: a reader may see half of
it, and a machine that loses power leaves it empty. Here each file is written whole, and what is
torn nevertheless is passed over. A run whose message was lost
so is found at the worker's next start.
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from pathlib import Path
from typing import Any

from celery.backends.filesystem import FilesystemBackend
from celery.worker import state
from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps

from resources.whole_file import write_whole

log = logging.getLogger(__name__)


class QoS(virtual.QoS):
    """Takes no message while this process has one in hand.

    Celery counts a message as dealt with when its run begins, and would take the next one: that
    run would wait here while another worker has nothing to do.
    """

    def can_consume(self) -> bool:
        """Whether another message may be taken."""
        return not state.reserved_requests and super().can_consume()


class Channel(filesystem.Channel):
    """Messages as files."""

    QoS = QoS

    def _put(self, queue: str, message: Any, **_: Any) -> None:  # type: ignore[override]
        # By the wall clock, unlike Kombu's: the order is kept when the machine is started anew.
        name = f"{time.time_ns() // 1_000_000:015d}_{uuid.uuid4()}.{queue}.msg"
        write_whole(Path(self.data_folder_out, name), dumps(message).encode())

    def _get(self, queue: str, timeout: Any = None) -> Any:
        while True:
            try:
                return super()._get(queue)
            except ValueError:
                log.warning("a message in %s is torn and is passed over", self.data_folder_in)

    def _exchange_file(self, exchange: str) -> Path:
        """Where the queues of an exchange stand; a torn file is removed and so made anew."""
        file: Path = super()._exchange_file(exchange)
        if _is_torn(file):
            file.unlink(missing_ok=True)
        return file


class Transport(filesystem.Transport):
    """Kombu's, with this channel."""

    Channel = Channel


class Backend(FilesystemBackend):
    """What became of tasks, as files."""

    def get(self, key: Any) -> bytes | None:
        """A note; None where there is none, or it is torn."""
        return None if _is_torn(self._place(key)) else super().get(key)

    def set(self, key: Any, value: Any) -> None:
        """Write a note whole."""
        write_whole(self._place(key), value.encode() if isinstance(value, str) else value)

    def _place(self, key: Any) -> Path:
        return Path(os.fsdecode(self._filename(key)))

    def _do_directory_test(self, key: bytes) -> None:
        """Nothing to test: the launcher has made the folder."""


def waiting_tasks(messages: Path) -> set[str]:
    """Ids of the tasks that no worker has taken yet."""
    found = set()
    for path in messages.glob("*.msg"):
        try:
            found.add(json.loads(path.read_bytes())["headers"]["id"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            continue  # just taken, or torn
    return found


def _is_torn(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False
