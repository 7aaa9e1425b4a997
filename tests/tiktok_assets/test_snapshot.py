import threading

import pytest

from tiktok_assets import snapshot
from tiktok_assets.snapshot import Snapshot


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when the test says so."""

    class Clock:
        now = 0.0

    monkeypatch.setattr(snapshot.time, "monotonic", lambda: Clock.now)
    return Clock


def test_it_is_read_again_only_when_it_is_old(clock):
    readings = []

    def read():
        clock.now += 0.5
        readings.append(clock.now)
        return len(readings)

    found = Snapshot(read)
    assert [found.latest(), found.latest()] == [1, 1]
    clock.now += 4.4  # reading took half a second
    assert found.latest() == 1
    clock.now += 0.2
    assert found.latest() == 2


def test_nobody_waits_where_reading_takes_long(clock):
    may_end = threading.Event()
    readings = []

    def read():
        if readings:
            assert may_end.wait(20)
        clock.now += 3
        readings.append(clock.now)
        return len(readings)

    found = Snapshot(read)
    assert found.latest() == 1
    clock.now += 100
    assert [found.latest(), found.latest()] == [1, 1]
    may_end.set()
    found._reader.join(20)
    assert found.latest() == 2
    assert len(readings) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_in_the_background_is_told_to_the_next(clock):
    answers = iter([1, OSError("gone"), OSError("still gone"), 2])

    def read():
        clock.now += 3
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    found = Snapshot(read)
    assert found.latest() == 1
    clock.now += 100
    assert found.latest() == 1
    found._reader.join(20)
    with pytest.raises(OSError, match="still gone"):
        found.latest()
    assert found.latest() == 2
