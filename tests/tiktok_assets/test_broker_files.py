"""The broker's folders when their files were torn by a loss of power."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from celery import Celery
from celery.worker import state
from kombu import Connection
from kombu.simple import SimpleQueue

from tiktok_assets.broker_files import Transport, waiting_tasks
from tiktok_assets.run_launcher import _file_system

TORN = pytest.mark.parametrize("torn", [b"", b"\0" * 64, b'{"body": "abc', b"\xff\xfe"])


@pytest.fixture
def app(tmp_path: Path) -> Celery:
    """A Celery app on the folders, as the launcher makes it."""
    Transport.global_state.clear()  # a process keeps in mind what it has declared
    own = _file_system(tmp_path)
    app = Celery("test", broker=own["broker"], backend=own["backend"])
    app.conf.update(own["config_source"])
    return app


@pytest.fixture
def queue(app: Celery) -> Iterator[SimpleQueue]:
    """The queue of a worker."""
    connection: Connection
    with app.connection_for_write() as connection, connection.SimpleQueue("dagster") as queue:
        yield queue


@TORN
def test_a_torn_message_is_passed_over(tmp_path: Path, queue: SimpleQueue, torn: bytes) -> None:
    queue.put({"text": "first"})
    (first,) = (tmp_path / "messages").iterdir()
    first.write_bytes(torn)
    queue.put({"text": "second"})
    assert queue.get(timeout=5).payload == {"text": "second"}
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_messages_come_in_the_order_in_which_they_were_put(queue: SimpleQueue) -> None:
    for number in range(5):
        queue.put(number)
    assert sorted(queue.get(timeout=5).payload for _ in range(5)) == list(range(5))


def test_a_worker_with_a_run_in_hand_leaves_the_next_to_others(queue: SimpleQueue) -> None:
    queue.put("run")
    in_hand = Mock()
    state.reserved_requests.add(in_hand)
    with pytest.raises(queue.Empty):
        queue.get(timeout=0.3)
    state.reserved_requests.discard(in_hand)
    assert queue.get(timeout=5).payload == "run"


@TORN
def test_a_torn_file_of_an_exchange_is_made_anew(
    tmp_path: Path, app: Celery, queue: SimpleQueue, torn: bytes
) -> None:
    (exchange,) = (tmp_path / "control").iterdir()
    whole = exchange.read_bytes()
    exchange.write_bytes(torn)
    Transport.global_state.clear()  # as in a process started anew
    with app.connection_for_write() as connection, connection.SimpleQueue("dagster") as again:
        again.put("text")
    assert exchange.read_bytes() == whole
    assert queue.get(timeout=5).payload == "text"


@TORN
def test_a_torn_note_of_a_task_is_none(tmp_path: Path, app: Celery, torn: bytes) -> None:
    app.backend.store_result("task", {"pid": 1}, "STARTED")
    assert app.AsyncResult("task").state == "STARTED"
    (note,) = (tmp_path / "results").iterdir()
    note.write_bytes(torn)
    assert app.AsyncResult("task").state == "PENDING"
    app.backend.store_result("task", {"pid": 2}, "STARTED")
    assert app.AsyncResult("task").info == {"pid": 2}


def test_waiting_tasks_are_those_of_whole_messages(tmp_path: Path, app: Celery) -> None:
    for task_id in ("one", "two"):
        app.send_task("nothing", task_id=task_id, queue="dagster")
    messages = tmp_path / "messages"
    assert waiting_tasks(messages) == {"one", "two"}
    for path in messages.iterdir():
        if b'"two"' in path.read_bytes():
            path.write_bytes(b"")
    assert waiting_tasks(messages) == {"one"}
