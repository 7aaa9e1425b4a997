import threading

import pytest

from resources.url_lists import ListedUrl
from resources.url_queue import State, UrlQueue


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def queue(tmp_path, clock):
    return UrlQueue(tmp_path / "urls.sqlite", lambda: clock[0])


def _add(queue, **priorities):
    return queue.add(ListedUrl(url, priority) for url, priority in priorities.items())


def test_higher_priority_first_then_the_order_of_adding(queue):
    _add(queue, a=0, b=5, c=5, d=-1)
    assert [queue.take().url for _ in range(4)] == ["b", "c", "a", "d"]
    assert queue.take() is None


def test_a_url_is_there_once_with_the_higher_priority(queue):
    assert _add(queue, a=1, b=2) == 2
    assert _add(queue, a=9) == 0
    assert _add(queue, a=0) == 0
    assert [(row.url, row.priority) for row in queue.rows()] == [("a", 9), ("b", 2)]


def test_what_is_done_is_not_queued_again_by_the_list(queue):
    _add(queue, a=0)
    queue.take()
    queue.done("a", ["a.mp4"])
    assert _add(queue, a=9) == 0
    assert queue.take() is None
    assert queue.rows()[0].files == ("a.mp4",)


def test_another_attempt_has_its_time(queue, clock):
    _add(queue, a=0)
    assert queue.take().attempts == 1
    queue.try_later("a", "network", "it is gone", after_s=60)
    assert (queue.due(), queue.take()) == (0, None)
    clock[0] += 60
    assert queue.due() == 1
    again = queue.take()
    assert (again.attempts, again.kind, again.reason) == (2, "network", "it is gone")


def test_failed_is_for_good_until_retry(queue, clock):
    _add(queue, a=0, b=0, c=0)
    queue.take()
    queue.failed("a", "private", "it is private")
    queue.take()
    queue.try_later("b", "network", "it is gone", after_s=60)
    assert queue.take().url == "c"
    assert queue.take() is None
    assert queue.retry(["a"]) == 1
    assert queue.rows(State.QUEUED)[0].attempts == 0
    assert queue.retry() == 1  # b; a is queued already, c is downloading
    assert [queue.take().url for _ in range(2)] == ["a", "b"]


def test_what_was_stopped_is_queued_as_if_it_had_not_begun(queue):
    _add(queue, a=0)
    queue.take()
    queue.give_back("a")
    assert queue.take().attempts == 1


def test_it_survives_a_restart(queue, tmp_path):
    queue.add([ListedUrl("a", 1, ("cats",))])
    queue.take()
    (row,) = UrlQueue(tmp_path / "urls.sqlite").rows()
    assert (row.url, row.tags, row.state) == ("a", ("cats",), State.DOWNLOADING)
    assert UrlQueue(tmp_path / "urls.sqlite").counts() == {
        "queued": 0, "downloading": 1, "done": 0, "failed": 0
    }  # fmt: skip


def test_two_who_take_never_get_the_same(queue, tmp_path):
    _add(queue, **{f"u{number}": 0 for number in range(40)})
    taken = []

    def work():
        own = UrlQueue(tmp_path / "urls.sqlite", lambda: 1000.0)
        while one := own.take():
            taken.append(one.url)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 40
