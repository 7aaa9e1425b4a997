"""`up` and the warm worker, through real processes and Dagster's own HTTP interface.

Times are printed (`-s`) and the asserted bounds are wide: the machine may be busy.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.tiktok_assets.running import PROJECT, Running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    up = Running(tmp_path_factory.mktemp("up"))
    try:
        up.wait_until_ready()
        yield up
    finally:
        up.stop()


def _trouble(running: Running, kind: str) -> str:
    running.toy.mkdir(parents=True, exist_ok=True)
    (running.toy / "kind").write_text(kind)
    for note in running.toy.glob("*.jsonl"):
        note.unlink()
    return running.launch("chain")


def _costs_one_retry(running: Running, run_id: str) -> list[dict]:
    """That the run failed once, and that its retry did what was unfinished and no more."""
    runs = running.retried(run_id)
    assert [run["status"] for run in runs] == ["FAILURE", "SUCCESS"]
    steps = {step["stepKey"] for step in running.run(runs[1]["runId"])["stepStats"]}
    assert steps == {"trouble", "after"}
    assert len(running.notes("before")) == 1
    assert len(running.notes("after")) == 1
    return running.notes("trouble")


def test_second_run_starts_fast_in_the_same_process_with_its_models(running: Running) -> None:
    running.finished(running.launch("short"))
    starts = []
    for _ in range(3):
        launched = time.time()
        run = running.finished(running.launch("short"))
        assert run["status"] == "SUCCESS", running.logs()
        starts.append(run["stepStats"][0]["startTime"] - launched)
    print(f"\nfrom launch to the first step, s: {[f'{s:.2f}' for s in starts]}")
    notes = running.notes("model_user")
    assert len({note["pid"] for note in notes}) == 1
    assert len({note["loaded"] for note in notes}) == 1
    assert min(starts) < 5


def test_killed_child_fails_its_run_and_the_retry_does_the_rest(running: Running) -> None:
    run_id = running.launch("long")
    (note,) = running.wait(lambda: running.notes("long_one"), 30)
    killed = time.time()
    os.kill(note["pid"], signal.SIGKILL)
    run = running.finished(run_id)
    assert run["status"] == "FAILURE"
    running.retried(run_id)
    first, second = running.notes("long_one")
    failed_after_s = running.time_of(run, "Marking run") - killed
    print(f"\nkilled to failed {failed_after_s:.1f} s, to retried {second['time'] - killed:.1f} s")
    assert failed_after_s < 20
    assert second["pid"] != first["pid"]
    assert (first["attempt"], second["attempt"]) == (1, 2)


def test_abort_in_native_code_costs_one_retry(running: Running) -> None:
    run_id = _trouble(running, "abort")
    notes = _costs_one_retry(running, run_id)
    assert [note["attempt"] for note in notes] == [1, 2]


def test_hang_in_native_code_is_killed_and_costs_one_retry(running: Running) -> None:
    run_id = _trouble(running, "hang")
    notes = _costs_one_retry(running, run_id)
    print(f"\nhang to retry {notes[1]['time'] - notes[0]['time']:.1f} s, with a limit of 3 s")
    assert [note["attempt"] for note in notes] == [1, 2]
    assert "trouble showed no progress for 3 s" in running.logs()


@pytest.mark.parametrize("tags", [{}, {"backfill": "abcdefgh"}], ids=["single", "backfill"])
def test_terminated_run_stays_terminated_and_is_no_crash(
    running: Running, tags: dict[str, str]
) -> None:
    before = len(running.notes("long_one"))
    child = running.child()
    run_id = running.launch("long", **tags)
    running.wait(lambda: len(running.notes("long_one")) > before, 30)
    asked = time.time()
    running.terminate(run_id)
    run = running.finished(run_id)
    print(f"\nterminated after {time.time() - asked:.1f} s")
    assert run["status"] == "CANCELED"
    time.sleep(3)  # Dagster looks for runs to retry every second here
    assert [run["runId"] for run in running.runs(run_id)] == [run_id]
    assert running.child() == child, "the process is whole and keeps its models"
    assert not list((running.data / "state" / "crashes").rglob("*.json"))


def test_lost_worker_is_started_again_and_its_run_retried(running: Running) -> None:
    before = len(running.notes("long_one"))
    run_id = running.launch("long")
    running.wait(lambda: len(running.notes("long_one")) > before, 30)
    child = running.child()
    assert child
    parent = child.parent()
    assert parent
    parent.kill()
    gone, _ = psutil.wait_procs([child], timeout=5)
    assert gone, "the child dies with its parent"
    runs = running.retried(run_id, 90)
    assert runs[0]["status"] == "FAILURE"
    assert "worker has ended and is started again" in running.said()


def test_second_up_on_the_same_folder_is_refused(running: Running) -> None:
    other = Running(running.folder)
    assert other.process.wait(30) == 1
    assert f"It already runs on this data folder: http://127.0.0.1:{running.port}" in other.said()


def test_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = Running(tmp_path, taken.getsockname()[1])
        assert other.process.wait(30) == 1
    assert "choose another port with --port" in other.said()


def test_nothing_is_written_beside_the_code(running: Running) -> None:
    unwanted = ("history", "schedules", "storage", "logs", ".logs_queue", ".telemetry", ".nux")
    running.finished(running.launch("short"))
    assert not [name for name in unwanted if (PROJECT / name).exists()]


def test_no_part_gives_a_warning(running: Running) -> None:
    said = [
        line
        for log_file in (running.data / "logs").glob("*.log")
        for line in log_file.read_text().splitlines()
        # Dagster says the excepted one once, on a fresh storage.
        if "warn" in line.lower() and "No cursor for event type" not in line
    ]
    assert not said


def test_ctrl_c_stops_all_and_the_run_in_hand_goes_on_at_the_next_start(running: Running) -> None:
    """Last: it stops what the others share."""
    run_id = running.launch("long")
    before = len(running.notes("long_one"))
    running.wait(lambda: len(running.notes("long_one")) > before, 30)
    asked = time.time()
    assert not running.stop(signal.SIGINT)
    stopped = time.time()
    print(f"\nstopped in {stopped - asked:.1f} s")
    assert running.process.returncode == 0

    again = Running(running.folder)
    try:
        again.wait_until_ready()
        runs = again.retried(run_id)
        assert [run["status"] for run in runs] == ["FAILURE", "SUCCESS"]
        assert again.time_of(again.run(run_id), "The worker was stopped.") < stopped
        assert again.notes("long_one")[-1]["attempt"] == 1, "a stop is no crash"
        assert not again.stop(signal.SIGKILL), "nothing outlives `up`, even if it is killed"
    finally:
        if again.process.poll() is None:
            again.stop()


def test_a_run_open_when_the_machine_lost_power_goes_on_after_the_restart(
    running: Running,
) -> None:
    """After the last one: everything is killed at once, and small files are left empty."""
    before = Running(running.folder)
    try:
        before.wait_until_ready()
        count = len(before.notes("long_one"))
        run_id = before.launch("long")
        waiting_id = before.launch("short")
        before.wait(lambda: len(before.notes("long_one")) > count, 30)
    finally:
        left = before.stop(signal.SIGKILL)
    assert not left
    state, broker = before.data / "state", before.data / "broker"
    torn = [p for folder in (state, broker) for p in folder.rglob("*") if p.is_file()]
    for path in torn:
        if path.suffix != ".sqlite":
            path.write_bytes(b"")
    assert any(path.parent.name == "control" for path in torn)

    after = Running(running.folder)
    try:
        after.wait_until_ready()
        runs = after.retried(run_id)
        assert [run["status"] for run in runs] == ["FAILURE", "SUCCESS"]
        assert after.finished(waiting_id)["status"] == "SUCCESS", "it had waited in the queue"
    finally:
        after.stop()
