"""dagster.yaml: what it sets, where its state goes, and how its launcher ends runs."""

import atexit
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock, patch

import dagster as dg
import pytest
import yaml
from dagster import RunsFilter
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.launcher import LaunchRunContext, WorkerStatus
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import should_retry
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from tests.tiktok_assets.running import PROJECT
from tiktok_assets import worker
from tiktok_assets.crash_ledger import Process
from tiktok_assets.lanes import LANE_TAG, PROCESS_TAG
from tiktok_assets.run_launcher import WarmWorkerRunLauncher
from tiktok_assets.worker import (
    _fail_abandoned,
    _fail_orphans,
    _fail_undelivered,
    _only_one,
    _tidy,
    code_location,
)

FAILURE = dg.DagsterRunStatus.FAILURE


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT))
    monkeypatch.setenv("TIKTOK_ASSETS_DATA_DIR", str(tmp_path / "data"))
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_all_state_lies_below_the_data_folder_whatever_the_working_folder(tmp_path: Path) -> None:
    """In a process of its own, as dagster-webserver or dagster-daemon find it."""
    code = """
import dagster as dg
with dg.DagsterInstance.get() as instance:
    instance.add_dynamic_partitions("videos", ["a"])
    instance.compute_log_manager.get_log_data(["a"])
    print(instance.root_directory)
"""
    away = tmp_path / "elsewhere"
    away.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code],
        cwd=away,
        env=os.environ
        | {"DAGSTER_HOME": str(PROJECT), "TIKTOK_ASSETS_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(tmp_path / "data" / "dagster")
    assert not list(away.iterdir())
    assert (tmp_path / "data" / "dagster" / "history" / "runs.db").exists()


def test_a_lost_worker_is_seen_and_retried_and_a_failed_step_is_not(
    instance: dg.DagsterInstance,
) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_poll_interval_seconds == 5
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries > 3  # two crashes, one isolated, and some to spare
    assert not instance.run_retries_retry_on_asset_or_op_failure
    assert not instance.telemetry_enabled
    assert instance.run_coordinator.dequeue_interval_seconds == 1


def test_ticks_are_not_kept_for_ever(instance: dg.DagsterInstance) -> None:
    sensors = instance.get_tick_retention_settings(InstigatorType.SENSOR)
    assert {status.value: days for status, days in sensors.items()} == {
        "SKIPPED": 1,
        "FAILURE": 30,
        "SUCCESS": 30,
        "STARTED": 1,
    }
    assert set(instance.get_tick_retention_settings(InstigatorType.SCHEDULE).values()) == {30}


def test_run_that_no_worker_has_taken_is_canceled_at_once(instance: dg.DagsterInstance) -> None:
    run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTING)
    assert instance.run_launcher.terminate(run.run_id)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.CANCELED
    assert not instance.run_launcher.terminate(run.run_id), "it has ended"


def test_running_run_is_asked_to_stop_by_its_status(instance: dg.DagsterInstance) -> None:
    run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
    assert instance.run_launcher.terminate(run.run_id)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.CANCELING


def test_broker_is_a_folder_unless_one_is_named(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = instance.run_launcher
    assert isinstance(launcher, WarmWorkerRunLauncher)
    assert launcher.broker.startswith("filesystem://")
    assert (tmp_path / "data" / "broker" / "messages").is_dir()

    monkeypatch.setenv("TIKTOK_ASSETS_BROKER_URL", "redis://example.test:6379/3")
    with dg.DagsterInstance.get() as other:
        assert other.run_launcher.broker == "redis://example.test:6379/3"
        assert other.run_launcher.backend == "redis://example.test:6379/3"


def test_retry_on_its_way_to_the_worker_is_not_taken_for_lost(
    instance: dg.DagsterInstance,
) -> None:
    """It has its parent's tags, and with them the parent's task, which was lost."""
    launcher = instance.run_launcher
    assert isinstance(launcher, WarmWorkerRunLauncher)
    launcher.celery.backend.mark_as_failure("parents-task", RuntimeError("lost"))
    run = create_run_for_test(
        instance,
        status=dg.DagsterRunStatus.STARTED,
        tags={DAGSTER_CELERY_TASK_ID_TAG: "parents-task"},
    )
    assert launcher.check_run_worker_health(run).status == WorkerStatus.FAILED
    with patch.object(CeleryRunLauncher, "launch_run") as sent:
        launcher.launch_run(LaunchRunContext(run, None))
        assert sent.called
    reloaded = instance.get_run_by_id(run.run_id)
    assert launcher.check_run_worker_health(reloaded).status == WorkerStatus.RUNNING


def test_failure_is_seen_by_the_daemon_no_sooner_than_the_run_is_marked(
    instance: dg.DagsterInstance,
) -> None:
    """Else its retry was lost when the daemon looked between the two."""
    run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED)
    store = instance.event_log_storage.store_event
    seen = []

    def store_and_look(event: dg.EventLogEntry) -> None:
        store(event)
        stored = instance.get_run_by_id(run.run_id)
        seen.append((stored.status, should_retry(stored, instance)))

    with patch.object(instance.event_log_storage, "store_event", store_and_look):
        instance.report_run_failed(run, "The worker's process was lost.")
    assert seen == [(FAILURE, True)]
    assert instance.get_run_by_id(run.run_id).tags["dagster/will_retry"] == "true"


def test_runs_of_killed_workers_are_failed_and_those_of_living_ones_left(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    app = instance.run_launcher.celery

    def started_by(worker: str) -> str:
        task_id = f"task-of-{worker}"
        app.backend.store_result(task_id, {"pid": 1, "hostname": worker}, "STARTED")
        run = create_run_for_test(
            instance,
            status=dg.DagsterRunStatus.STARTED,
            tags={DAGSTER_CELERY_TASK_ID_TAG: task_id},
        )
        return run.run_id

    own, dead, living, distant = map(started_by, ("own", "dead", "living", "distant"))
    (tmp_path / "dead.lock").touch()
    with (tmp_path / "living.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _fail_orphans(instance, app, "own", tmp_path)
    failed = {run.run_id for run in instance.get_runs(RunsFilter(statuses=[FAILURE]))}
    assert failed == {own, dead}
    assert {run.run_id for run in instance.get_runs()} - failed == {living, distant}


def test_runs_whose_message_was_lost_are_failed_and_those_being_launched_left(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = instance.run_launcher.celery
    messages = tmp_path / "data" / "broker" / "messages"

    def launched(task_id: str, lane: str = "dagster", **tags: str) -> str:
        told = {DAGSTER_CELERY_TASK_ID_TAG: task_id, LANE_TAG: lane, **tags}
        run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTING, tags=told)
        return run.run_id

    lost, untagged = launched("lost"), launched("")
    launched("waits")
    launched("begun")
    launched("elsewhere", "errands")
    (messages / "1_a.dagster.msg").write_text('{"headers": {"id": "waits"}}')
    (messages / "2_b.dagster.msg").write_bytes(b"")
    app.backend.store_result("begun", {"pid": 1, "hostname": "w"}, "STARTED")

    def failed() -> set[str]:
        _fail_undelivered(instance, app, "dagster", tmp_path, "own")
        return {run.run_id for run in instance.get_runs(RunsFilter(statuses=[FAILURE]))}

    assert not failed(), "they may be on their way to the broker"
    monkeypatch.setattr(worker, "_LAUNCHED_WITHIN_S", -1.0)
    with _only_one(tmp_path / "other.lock", "dagster"):
        assert not failed(), "another worker may have taken them"
    with _only_one(tmp_path / "other.lock", "errands"):
        assert failed() == {lost, untagged}
    for run_id in (lost, untagged):
        assert instance.get_run_by_id(run_id).tags["dagster/will_retry"] == "true"


def test_a_run_of_a_killed_command_line_is_failed_and_not_retried(
    instance: dg.DagsterInstance,
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    own = Process.current()
    processes = {
        "own": own,
        "gone": Process(own.host, gone.pid, own.created),
        "of another machine": Process("elsewhere", gone.pid, own.created),
    }
    runs = {
        name: create_run_for_test(
            instance,
            status=dg.DagsterRunStatus.STARTED,
            tags={PROCESS_TAG: str(process), "dagster/max_retries": "0"},
        ).run_id
        for name, process in processes.items()
    }
    _fail_abandoned(instance)
    (failed,) = instance.get_runs(RunsFilter(statuses=[FAILURE]))
    assert failed.run_id == runs["gone"]
    assert failed.tags.get("dagster/will_retry") != "true"


def test_a_task_is_known_to_its_run_before_it_is_sent(instance: dg.DagsterInstance) -> None:
    launcher = instance.run_launcher
    assert isinstance(launcher, WarmWorkerRunLauncher)
    run = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTING)
    seen = []

    class Sent:
        def set(self, task_id: str) -> "Sent":
            self.task_id = task_id
            return self

        def apply_async(self, **_: object) -> "Sent":
            seen.append(instance.get_run_by_id(run.run_id).tags[DAGSTER_CELERY_TASK_ID_TAG])
            return self

    sent = Sent()
    launcher._launch_celery_task_run(run, sent, "job")
    assert seen == [sent.task_id]


def test_brokers_folders_are_tidied(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    app = instance.run_launcher.celery
    broker = tmp_path / "data" / "broker"
    kept = [broker / "taken" / "new.msg", broker / "results" / "celery-task-meta-new"]
    old = [broker / "taken" / "old.msg", broker / "results" / "celery-task-meta-old"]
    for path in (*kept, *old):
        path.touch()
    for path in old:
        os.utime(path, (0, 0))
    _tidy(app)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in old)


def test_worker_loads_the_code_location_of_the_workspace(tmp_path: Path) -> None:
    assert code_location(PROJECT / "workspace.yaml") == (
        "tiktok_assets",
        "tiktok_assets.definitions",
    )
    entry = {"python_module": {"module_name": "a.b", "location_name": "x"}}
    (tmp_path / "w.yaml").write_text(yaml.safe_dump({"load_from": [entry]}))
    assert code_location(tmp_path / "w.yaml") == ("x", "a.b")


def test_worker_parent_stays_free_of_what_does_not_survive_a_fork() -> None:
    code = """
import sys, tiktok_assets.worker
heavy = {"torch", "onnxruntime", "openvino", "ctranslate2", "numba", "tiktok_assets.definitions"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("tags", "lane"), [({}, "dagster"), ({"dagster-celery/queue": "errands"}, "errands")]
)
def test_a_run_waits_in_the_lane_of_its_queue(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tags: dict[str, str], lane: str
) -> None:
    """However it was made: the web page and retries know nothing of lanes."""
    monkeypatch.setattr(
        dg.DagsterInstance, "submit_run", lambda self, run_id, _: self.get_run_by_id(run_id)
    )
    run = create_run_for_test(instance, job_name="analyze", tags=tags)
    assert instance.submit_run(run.run_id, Mock()).tags["tiktok/lane"] == lane


def test_each_lane_runs_one_at_a_time(instance: dg.DagsterInstance) -> None:
    config = instance.get_concurrency_config().run_queue_config
    assert config is not None
    assert config.max_concurrent_runs == 2
    assert config.tag_concurrency_limits == [
        {"key": "tiktok/lane", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    ]


def test_instances_made_one_after_the_other_leave_nothing_to_be_done_at_exit(
    instance: dg.DagsterInstance,
) -> None:
    before = atexit._ncallbacks()  # type: ignore[attr-defined]
    for _ in range(3):  # as the code server does, one for each tick of a sensor
        with dg.DagsterInstance.from_ref(instance.get_ref()) as another:
            another.get_runs(limit=1)
            another.all_instigator_state()
    assert atexit._ncallbacks() == before  # type: ignore[attr-defined]
