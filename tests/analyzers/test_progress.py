import contextlib
import threading
import time

import pytest

from analyzers import progress


def test_without_a_task_a_checkpoint_does_nothing():
    assert progress.current_task() is None
    progress.checkpoint(1, 2)


def test_a_checkpoint_tells_progress():
    task = progress.Task("faces")
    start = task.last_progress
    time.sleep(0.02)
    with progress.run_task(task):
        progress.checkpoint()
        assert task.share is None
        progress.checkpoint(3, 9)
    assert task.share == pytest.approx(1 / 3)
    assert 0.02 <= task.last_progress - start < 5
    assert progress.current_task() is None


def test_a_cancelled_task_stops_at_its_next_checkpoint():
    task = progress.Task("faces")
    threading.Thread(target=task.cancel).start()

    def work() -> None:
        for _ in range(1000):
            with contextlib.suppress(Exception):  # what survives a bad batch must not survive this
                progress.checkpoint()
            time.sleep(0.01)

    with progress.run_task(task), pytest.raises(progress.Cancelled, match="faces was asked to"):
        work()
    assert task.cancelled
    assert progress.current_task() is None


def test_threads_have_their_own_tasks():
    names = {}
    barrier = threading.Barrier(2, timeout=5)

    def work(name: str) -> None:
        with progress.run_task(progress.Task(name)):
            barrier.wait()
            names[name] = progress.current_task().name

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == {"a": "a", "b": "b"}
