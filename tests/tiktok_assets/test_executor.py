"""The behaviour of the threaded executor, on toy assets; it rests on private Dagster names."""

import collections
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from analyzers import progress
from tiktok_assets.executor import (
    DEFAULT_STAGE_LIMITS,
    OPTIONAL_TAG,
    STAGE_TAG,
    live_tasks,
    threaded_executor,
)

NO_COMPUTE_LOGS = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}
REPOSITORY = Path(__file__).resolve().parents[2]


def _instance(folder: Path, **overrides) -> dg.DagsterInstance:
    overrides["telemetry"] = {"enabled": False}
    return dg.DagsterInstance.local_temp(str(folder), overrides=overrides)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with _instance(tmp_path, **NO_COMPUTE_LOGS) as instance:
        yield instance


def _job(*assets: dg.AssetsDefinition, hooks: frozenset = frozenset()) -> dg.JobDefinition:
    job = dg.define_asset_job("job", executor_def=threaded_executor, hooks=hooks or None)
    return dg.Definitions(assets=assets, jobs=[job]).resolve_job_def("job")


def _run(instance: dg.DagsterInstance, job: Callable[[], dg.JobDefinition], **config):
    run_config = {"execution": {"config": {"max_concurrent": 8, **config}}}
    return dg.execute_job(dg.reconstructable(job), instance, run_config=run_config)


def _keys(result, kind: str) -> list[str]:
    return sorted(e.step_key for e in result.all_events if e.event_type_value == kind)


def _status(instance: dg.DagsterInstance, result) -> dg.DagsterRunStatus:
    return instance.get_run_by_id(result.run_id).status


# Limits


class Peak:
    """How many were inside at once, at most, by name."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now: collections.Counter[str] = collections.Counter()
        self.peak: collections.Counter[str] = collections.Counter()

    def stay(self, *names: str, seconds: float = 0.3) -> None:
        with self.lock:
            for name in names:
                self.now[name] += 1
                self.peak[name] = max(self.peak[name], self.now[name])
        time.sleep(seconds)
        with self.lock:
            self.now.subtract(names)


peak = Peak()


def _staged(stage: str, number: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"{stage}_{number}", op_tags={STAGE_TAG: stage})
    def staged() -> None:
        peak.stay(stage, "total")

    return staged


def staged_job() -> dg.JobDefinition:
    return _job(*(_staged(stage, n) for stage in DEFAULT_STAGE_LIMITS for n in range(4)))


def test_stage_limits_hold_within_a_run(instance):
    limits = {"heavy_gpu": 1, "medium_gpu": 2, "light_gpu": 3, "fast": 4}
    peak.__init__()
    assert _run(instance, staged_job, stage_limits=limits, max_concurrent=16).success
    assert {stage: peak.peak[stage] for stage in limits} == limits
    assert peak.peak["total"] > 4  # stages do run beside each other


def test_total_limit_holds(instance):
    peak.__init__()
    assert _run(instance, staged_job, max_concurrent=3).success
    assert peak.peak["total"] == 3


def test_a_limit_of_zero_is_refused(instance):
    result = _run(instance, staged_job, stage_limits={"fast": 0})
    (failure,) = [e for e in result.all_events if e.is_failure]
    assert "fast is 0, so some steps could never run; make it 1 or more" in str(failure)


def test_an_unknown_stage_is_refused(instance):
    with pytest.raises(dg.DagsterInvalidConfigError, match="slow"):
        _run(instance, staged_job, stage_limits={"slow": 1})


# Failures


@dg.asset
def first() -> None:
    pass


@dg.asset(deps=[first])
def breaks() -> None:
    raise ValueError("no faces model")


@dg.asset(deps=[breaks])
def after_breaks() -> None:
    raise AssertionError("must not run")


@dg.asset(deps=[first])
def beside() -> None:
    time.sleep(0.2)  # ends after the failure


@dg.asset(deps=[beside])
def after_beside() -> None:
    pass


def failing_job() -> dg.JobDefinition:
    return _job(first, breaks, after_breaks, beside, after_beside)


def test_a_step_that_raises_leaves_the_others_whole(instance):
    result = _run(instance, failing_job)
    assert _status(instance, result) == dg.DagsterRunStatus.FAILURE
    assert _keys(result, "STEP_FAILURE") == ["breaks"]
    assert _keys(result, "STEP_START") == ["after_beside", "beside", "breaks", "first"]
    materialized = _keys(result, "ASSET_MATERIALIZATION")
    assert materialized == ["after_beside", "beside", "first"]


@dg.asset(deps=[breaks, beside], op_tags={OPTIONAL_TAG: "breaks"})
def joins() -> None:
    pass


@dg.asset(deps=[breaks, beside], op_tags={OPTIONAL_TAG: "beside"})
def needs() -> None:
    raise AssertionError("must not run")


@dg.asset(deps=[after_breaks, joins], op_tags={OPTIONAL_TAG: "after_breaks"})
def joins_later() -> None:
    pass


def forgiving_job() -> dg.JobDefinition:
    return _job(first, breaks, after_breaks, beside, joins, needs, joins_later)


def test_a_step_runs_without_an_optional_upstream_that_was_lost(instance):
    result = _run(instance, forgiving_job)
    assert _status(instance, result) == dg.DagsterRunStatus.FAILURE
    materialized = _keys(result, "ASSET_MATERIALIZATION")
    assert materialized == ["beside", "first", "joins", "joins_later"]
    order = [e.step_key for e in result.all_events if e.event_type_value == "STEP_START"]
    assert order.index("joins") > order.index("beside")


def test_one_step_can_be_executed_again(instance):
    parent = _run(instance, failing_job)
    again = dg.ReexecutionOptions(parent.run_id, step_selection=["after_beside"])
    result = dg.execute_job(dg.reconstructable(failing_job), instance, reexecution_options=again)
    assert result.success
    assert _keys(result, "STEP_SUCCESS") == ["after_beside"]


def test_raise_on_error_raises_the_step_s_own_error(instance):
    with pytest.raises(ValueError, match="no faces model"):
        dg.execute_job(dg.reconstructable(failing_job), instance, raise_on_error=True)


@dg.asset(check_specs=[dg.AssetCheckSpec("covers", asset="checked", blocking=True)])
def checked() -> dg.MaterializeResult:
    check = dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.ERROR)
    return dg.MaterializeResult(check_results=[check])


@dg.asset(deps=[checked])
def after_checked() -> None:
    raise AssertionError("must not run")


def checked_job() -> dg.JobDefinition:
    return _job(checked, after_checked)


def test_a_blocking_check_blocks(instance):
    result = _run(instance, checked_job)
    assert _keys(result, "STEP_FAILURE") == ["checked"]
    assert _keys(result, "STEP_START") == ["checked"]


attempts: collections.Counter[str] = collections.Counter()


@dg.asset(retry_policy=dg.RetryPolicy(max_retries=2, delay=0.3))
def by_policy() -> None:
    attempts["by_policy"] += 1
    if attempts["by_policy"] < 3:
        raise OSError("hiccup")


@dg.asset
def by_request() -> None:
    attempts["by_request"] += 1
    if attempts["by_request"] < 2:
        raise dg.RetryRequested(max_retries=1)


@dg.asset(deps=[by_policy, by_request])
def after_retries() -> None:
    pass


def retrying_job() -> dg.JobDefinition:
    return _job(by_policy, by_request, after_retries)


def test_retries(instance):
    attempts.clear()
    start = time.monotonic()
    result = _run(instance, retrying_job)
    assert result.success
    assert attempts == {"by_policy": 3, "by_request": 2}
    assert time.monotonic() - start > 0.6  # the policy's delay, twice
    assert _keys(result, "STEP_SUCCESS") == ["after_retries", "by_policy", "by_request"]


def test_retries_disabled(instance):
    attempts.clear()
    result = _run(instance, retrying_job, retries={"disabled": {}})
    assert not result.success
    assert attempts == {"by_policy": 1, "by_request": 1}


hooked: list[tuple[str, str]] = []


@dg.success_hook
def on_success(context: dg.HookContext) -> None:
    hooked.append(("success", context.op.name))


@dg.failure_hook
def on_failure(context: dg.HookContext) -> None:
    hooked.append((str(context.op_exception), context.op.name))


def hooked_job() -> dg.JobDefinition:
    return _job(first, breaks, hooks=frozenset({on_success, on_failure}))


def test_hooks_run(instance):
    hooked.clear()
    result = _run(instance, hooked_job)
    assert sorted(hooked) == [("no faces model", "breaks"), ("success", "first")]
    assert _keys(result, "HOOK_COMPLETED") == ["breaks", "first"]


# Pools


def _pooled(number: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"pooled_{number}", pool="gpu")
    def pooled() -> None:
        peak.stay("gpu")

    return pooled


def pooled_job() -> dg.JobDefinition:
    return _job(*(_pooled(n) for n in range(3)))


def test_pools_are_honoured_and_waiting_is_idle(instance):
    storage = instance.event_log_storage
    storage.set_concurrency_slots("gpu", 1)
    storage.claim_concurrency_slot("gpu", "another run", "its step")
    freed = threading.Timer(
        1.5, storage.free_concurrency_slot_for_step, ("another run", "its step")
    )
    freed.start()
    peak.__init__()
    start, start_cpu = time.monotonic(), time.process_time()
    assert _run(instance, pooled_job).success
    wall_s, cpu_s = time.monotonic() - start, time.process_time() - start_cpu
    assert wall_s > 1.5
    assert cpu_s < 0.6 * wall_s  # Dagster's in-process executor spins: 1.0
    assert peak.peak["gpu"] == 1


# Cancellation


@dg.asset
def finished() -> None:
    pass


def _work_until_cancelled(context: dg.AssetExecutionContext) -> None:
    Path(context.instance.root_directory, "working").touch()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.02)
        progress.checkpoint()


@dg.asset(deps=[finished], retry_policy=dg.RetryPolicy(max_retries=5))
def working(context: dg.AssetExecutionContext) -> None:
    try:
        _work_until_cancelled(context)
    except Exception:  # a loop that survives bad batches must not survive a cancellation
        raise AssertionError("Cancelled was caught") from None


@dg.asset(deps=[working])
def after_working() -> None:
    raise AssertionError("must not run")


@dg.asset(deps=[finished])
def terminated_from_the_ui(context: dg.AssetExecutionContext) -> None:
    """What the UI does to a run whose launcher reaches no process: the status, and no signal."""
    while not Path(context.instance.root_directory, "working").exists():
        time.sleep(0.02)
    context.instance.report_run_canceling(context.run)


def canceled_job() -> dg.JobDefinition:
    return _job(finished, working, after_working, terminated_from_the_ui)


def test_cancellation_leaves_what_is_finished(instance):
    start = time.monotonic()
    result = _run(instance, canceled_job)
    assert time.monotonic() - start < 20
    assert _status(instance, result) == dg.DagsterRunStatus.CANCELED
    assert _keys(result, "STEP_FAILURE") == ["working"]
    assert not _keys(result, "STEP_UP_FOR_RETRY")
    materialized = _keys(result, "ASSET_MATERIALIZATION")
    assert materialized == ["finished", "terminated_from_the_ui"]
    assert live_tasks() == []


def _sleep_in_c(seconds: int) -> None:
    ctypes.CDLL(None).sleep(seconds)


@dg.asset(deps=[finished])
def hung(context: dg.AssetExecutionContext) -> None:
    Path(context.instance.root_directory, "working").touch()
    _sleep_in_c(int(os.environ.get("HUNG_S", "6")))


def hung_job() -> dg.JobDefinition:
    return _job(finished, hung, terminated_from_the_ui)


def test_a_step_that_hangs_in_native_code_is_given_up(instance):
    result = _run(instance, hung_job, cancel_grace_s=0.3)
    assert _status(instance, result) == dg.DagsterRunStatus.CANCELED
    (failure,) = [e for e in result.all_events if e.is_step_failure]
    assert failure.step_key == "hung"
    assert "given up" in failure.step_failure_data.error.message
    assert _keys(result, "ASSET_MATERIALIZATION") == ["finished", "terminated_from_the_ui"]
    (left,) = live_tasks()  # the run has ended before the step returned
    assert left.abandoned
    assert left.step_key == "hung"
    assert left.run_id == result.run_id
    assert left.task.cancelled
    deadline = time.monotonic() + 15
    while live_tasks() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert live_tasks() == []


def working_job() -> dg.JobDefinition:
    return _job(finished, working, after_working)


def working_and_hung_job() -> dg.JobDefinition:
    return _job(finished, working, after_working, hung)


def run_in_this_process(folder: str, job: str) -> None:
    """Entry point of the process below."""
    with dg.DagsterInstance.from_config(folder) as instance:
        _run(instance, globals()[job], cancel_grace_s=0.5)


@pytest.mark.parametrize(
    ("signal_number", "job"),
    [(signal.SIGINT, "working_job"), (signal.SIGTERM, "working_and_hung_job")],
    ids=["INT", "TERM, hung"],
)
def test_a_signal_ends_the_run_and_its_process(tmp_path, signal_number, job):
    with _instance(tmp_path, **NO_COMPUTE_LOGS) as instance:
        config = "telemetry: {enabled: false}\n"
        (tmp_path / "dagster.yaml").write_text(config)
        call = f"from {__name__} import run_in_this_process as r; r({str(tmp_path)!r}, {job!r})"
        process = subprocess.Popen(
            [sys.executable, "-c", call],
            cwd=REPOSITORY,
            env={**os.environ, "DAGSTER_HOME": str(tmp_path), "HUNG_S": "600"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            deadline = time.monotonic() + 60
            while not (tmp_path / "working").exists() and time.monotonic() < deadline:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
            start = time.monotonic()
            process.send_signal(signal_number)
            process.communicate(timeout=30)
        finally:
            process.kill()
        assert time.monotonic() - start < 10
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.CANCELED
        assert instance.get_latest_materialization_event(dg.AssetKey("finished"))
        assert not instance.get_latest_materialization_event(dg.AssetKey("working"))


# What a step sees and leaves

seen: dict[str, dict] = {}


def _seeing(number: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"seeing_{number}")
    def seeing(context: dg.AssetExecutionContext) -> None:
        task = progress.current_task()
        before = task.last_progress
        print(f"from {task.name}")
        print(f"error of {task.name}", file=sys.stderr)
        os.write(sys.stdout.fileno(), f"native {task.name}\n".encode())
        time.sleep(0.3)
        progress.checkpoint(1, 2)
        name = context.asset_key.to_user_string()
        (live,) = [step for step in live_tasks() if step.step_key == name]
        seen[name] = {
            "task": task,
            "live": live.task,
            "moved_s": task.last_progress - before,
            "run_id": live.run_id,
            "beside": len(live_tasks()),
        }

    return seeing


def seeing_job() -> dg.JobDefinition:
    return _job(*(_seeing(n) for n in range(3)))


def test_each_step_has_its_own_task_and_log(tmp_path):
    seen.clear()
    with _instance(tmp_path) as instance:
        streams = sys.stdout, sys.stderr
        result = _run(instance, seeing_job)
        assert (sys.stdout, sys.stderr) == streams
        assert result.success
        captures = {
            tuple(e.event_specific_data.step_keys): instance.compute_log_manager.get_log_data(
                [result.run_id, "compute_logs", e.event_specific_data.file_key]
            )
            for e in result.all_events
            if e.event_type_value == "LOGS_CAPTURED"
        }
    assert set(seen) == {"seeing_0", "seeing_1", "seeing_2"}
    assert max(one["beside"] for one in seen.values()) > 1
    for name, one in seen.items():
        assert one["task"].name == name
        assert one["task"] is one["live"]
        assert one["moved_s"] >= 0.3
        assert one["run_id"] == result.run_id
        assert captures[(name,)].stdout.decode() == f"from {name}\n"
        errors = captures[(name,)].stderr.decode()  # with Dagster's own lines, of this step alone
        assert f"error of {name}\n" in errors
        assert "STEP_SUCCESS" in errors
        assert not any(other in errors for other in seen if other != name)
    everything = captures[()].stdout.decode()  # the run's own capture: no step is named
    for name in seen:
        assert f"from {name}\n" in everything
        assert f"native {name}\n" in everything


def _chatty(number: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"chatty_{number}")
    def chatty(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        for line in range(5):
            context.log.info(f"line {line}")
        return dg.MaterializeResult(metadata={"number": number})

    return chatty


def chatty_job() -> dg.JobDefinition:
    return _job(*(_chatty(n) for n in range(24)))


def test_events_of_many_threads_are_complete_and_in_order(instance):
    result = _run(instance, chatty_job, max_concurrent=16)
    assert result.success
    by_step = collections.defaultdict(list)
    stored = collections.defaultdict(list)
    for event in result.all_events:
        if event.step_key:
            by_step[event.step_key].append(event.event_type_value)
    for entry in instance.all_logs(result.run_id):
        if entry.step_key and entry.dagster_event:
            stored[entry.step_key].append(entry.dagster_event.event_type_value)
        elif entry.step_key:
            stored[entry.step_key].append(entry.user_message)
    assert len(by_step) == 24
    for key, kinds in by_step.items():
        order = ["STEP_START", "STEP_OUTPUT", "ASSET_MATERIALIZATION", "STEP_SUCCESS"]
        assert [kind for kind in kinds if kind in order] == order, key
        lines = [kind for kind in stored[key] if kind.startswith("line")]
        assert lines == [f"line {n}" for n in range(5)]
