"""Runs the steps of a run on threads in one process, under limits by stage.

Models are loaded once for all steps, and a step costs no process. The limits are those of Dagster's
own executors: `tag_concurrency_limits`, here on the op tag `tiktok/stage`; a total; pools; retries;
hooks; cancellation. Waiting, for a pool or a retry, costs next to no CPU.

Cancellation: a termination from the UI (seen as the run's status), SIGTERM and Ctrl-C all ask the
running steps to stop at their next `progress.checkpoint`. What had finished stays materialized.
A step that has not stopped after `cancel_grace_s`, because it hangs in native code, is given up:
it is recorded as failed and the run ends as canceled without it. Threads cannot be killed: the
given up one is a daemon, so it does not keep a process that wants to exit, and it stays in
`live_tasks()` until it returns, so that a warm worker can see that its process needs replacing.

Compute logs: a file descriptor belongs to the process, so what native code writes cannot be told
apart by step. It goes, together with everything else, to one capture for the run. What Python code
writes to `sys.stdout` and `sys.stderr` on a step's own thread goes also to a capture of that step,
which the UI shows when the step is selected. `context.log` is per step in the event log, as ever.

All private Dagster names that the project uses are imported in this file, since they may change
with any minor version: the tests beside it check the behaviour.
"""

from __future__ import annotations

import contextvars
import os
import queue
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO, Any

import dagster as dg
from dagster._core.definitions.assets.definition.asset_spec import AssetExecutionType
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.errors import (
    DagsterExecutionInterruptedError,
    DagsterUnmetExecutorRequirementsError,
)
from dagster._core.events import EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.compute_logs import create_compute_log_file_key
from dagster._core.execution.context.system import (
    PlanExecutionContext,
    PlanOrchestrationContext,
    StepExecutionContext,
)
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.execute_plan import (
    _trigger_hook,
    dagster_event_sequence_for_step,
)
from dagster._core.execution.plan.execute_step import _get_output_asset_events
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.objects import ErrorSource, StepFailureData
from dagster._core.execution.plan.outputs import StepOutputHandle
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode, get_retries_config
from dagster._core.execution.step_dependency_config import StepDependencyConfig
from dagster._core.executor.base import Executor
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)
from dagster._utils.error import SerializableErrorInfo, serializable_error_info_from_exc_info

from analyzers import progress
from analyzers.cores import available_cores
from tiktok_assets.step_streams import copy_to, streams_by_step

STAGE_TAG = "tiktok/stage"
#: Op tag: names, separated by commas, of upstream steps whose failure does not stop this one.
OPTIONAL_TAG = "tiktok/optional"
DEFAULT_STAGE_LIMITS: Mapping[str, int] = MappingProxyType(
    {"heavy_gpu": 1, "medium_gpu": 6, "light_gpu": 7, "fast": 10}
)

_POLL_S = 0.2  # how late a signal, a due retry or a freed pool slot is seen
_STATUS_POLL_S = 1.0  # how late a termination is seen that came with no signal
_STOP_STATUSES = (
    dg.DagsterRunStatus.CANCELING,
    dg.DagsterRunStatus.CANCELED,
    dg.DagsterRunStatus.FAILURE,
)


@dataclass(eq=False)
class LiveStep:
    """A step that is running now, or that was given up and has not returned."""

    context: StepExecutionContext
    task: progress.Task
    #: Seconds on the monotonic clock, as `task.last_progress`.
    started: float = field(default_factory=time.monotonic)
    abandoned: bool = False

    @property
    def run_id(self) -> str:
        """Id of the run it belongs to."""
        return self.context.run_id

    @property
    def step_key(self) -> str:
        """Dagster's key of the step, which is the asset's name."""
        return self.context.step.key

    @property
    def tags(self) -> Mapping[str, str]:
        """Tags of its op."""
        return self.context.step.tags or {}


_live: set[LiveStep] = set()
_live_lock = threading.Lock()


def live_tasks() -> list[LiveStep]:
    """The steps of this process that have not returned, oldest first: what a watchdog looks at."""
    with _live_lock:
        return sorted(_live, key=lambda step: step.started)


@dg.executor(
    name="threads",
    config_schema={
        "stage_limits": dg.Field(
            {stage: dg.Field(int, default_value=n) for stage, n in DEFAULT_STAGE_LIMITS.items()},
            description=f"How many steps of each stage (op tag {STAGE_TAG}) run at once in a run.",
        ),
        "max_concurrent": dg.Field(
            dg.Noneable(int),
            default_value=None,
            description="How many steps run at once in a run; by default one for each core.",
        ),
        "cancel_grace_s": dg.Field(
            float,
            default_value=5.0,
            description="How long steps may take to stop when the run is terminated.",
        ),
        "retries": get_retries_config(),
    },
)
def threaded_executor(init_context: dg.InitExecutorContext) -> Executor:
    """Runs the steps of a run on threads in one process, under limits by stage."""
    config: Mapping[str, Any] = init_context.executor_config
    limits = config["stage_limits"]
    max_concurrent = config["max_concurrent"]
    if max_concurrent is None:
        max_concurrent = available_cores()
    for name, limit in {**limits, "max_concurrent": max_concurrent}.items():
        if limit < 1:
            raise DagsterUnmetExecutorRequirementsError(
                f"The executor's {name} is {limit}, so some steps could never run; "
                "make it 1 or more."
            )
    return ThreadedExecutor(
        retries=RetryMode.from_config(config["retries"]) or RetryMode.ENABLED,
        max_concurrent=max_concurrent,
        stage_limits=limits,
        cancel_grace_s=config["cancel_grace_s"],
    )


class ThreadedExecutor(Executor):
    """See the module's docstring."""

    def __init__(
        self,
        retries: RetryMode,
        max_concurrent: int,
        stage_limits: Mapping[str, int],
        cancel_grace_s: float,
    ) -> None:
        self._retries = retries
        self._max_concurrent = max_concurrent
        self._tag_limits = [
            {"key": STAGE_TAG, "value": stage, "limit": n} for stage, n in stage_limits.items()
        ]
        self._cancel_grace_s = cancel_grace_s

    @property
    def retries(self) -> RetryMode:
        """Whether steps that ask for a retry get one."""
        return self._retries

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Run the plan's steps and yield their events, those of one step in their order."""
        pid = os.getpid()
        yield dg.DagsterEvent.engine_event(
            plan_context,
            f"Executing steps on up to {self._max_concurrent} threads (pid: {pid})",
            EngineEventData.in_process(pid, execution_plan.step_keys_to_execute),
        )
        yield from ExecuteRunWithPlanIterable(
            execution_plan=execution_plan,
            iterator=self._run_steps,
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=plan_context.retry_mode,
                execution_plan=execution_plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
            ),
        )

    def _run_steps(
        self, job_context: PlanExecutionContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        messages: queue.SimpleQueue[tuple[LiveStep, dg.DagsterEvent | BaseException | None]]
        messages = queue.SimpleQueue()
        running: set[LiveStep] = set()
        stop_at: float | None = None
        interrupts = _Interrupts(job_context)
        with ExitStack() as stack:
            active = stack.enter_context(
                _Execution(
                    execution_plan,
                    job_context.dagster_run,
                    retry_mode=self._retries,
                    max_concurrent=self._max_concurrent,
                    tag_concurrency_limits=self._tag_limits,
                    instance_concurrency_context=stack.enter_context(
                        InstanceConcurrencyContext(job_context.instance, job_context.dagster_run)
                    ),
                )
            )
            yield from _capture_run(job_context, stack)
            stack.callback(_cancel, running)

            while running or not (stop_at or active.is_complete):
                if not stop_at and interrupts.received(active):
                    yield dg.DagsterEvent.engine_event(
                        job_context,
                        "Termination requested: asking the running steps to stop",
                        EngineEventData.interrupted([step.step_key for step in running]),
                    )
                    stop_at = time.monotonic() + self._cancel_grace_s
                    active.mark_interrupted()
                    _cancel(running)
                if not stop_at:
                    for ready in active.get_steps_to_execute(self._max_concurrent - len(running)):
                        context = job_context.for_step(ready, active.get_known_state())
                        running.add(_start(context, messages))
                    yield from active.concurrency_event_iterator(job_context)
                elif time.monotonic() > stop_at:
                    yield from _give_up(running, active, self._cancel_grace_s)
                    break
                try:
                    step, message = messages.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if isinstance(message, dg.DagsterEvent):
                    yield message
                    active.handle_event(message)
                elif isinstance(message, BaseException):
                    if job_context.raise_on_error and not stop_at:
                        raise message
                    yield _engine_error(step.context, "Error outside of the step's code", message)
                else:
                    running.discard(step)
                    if step.step_key not in {other.step_key for other in running}:  # a retry
                        active.verify_complete(job_context, step.step_key)
                yield from active.plan_events_iterator(job_context)
            if stop_at:
                raise DagsterExecutionInterruptedError("The run was terminated")


class _Execution(ActiveExecution):
    """Dagster's own order of steps, with two differences.

    A step that names an upstream in its tag `OPTIONAL_TAG` waits for it, and runs without it if it
    was lost. And in a run over several partitions a step starts on what an upstream step put out
    before it failed (see batch.py); in other runs it needs that step's success, as in Dagster's
    executors, so that it is held back where a blocking check fails.
    """

    def __init__(self, plan: ExecutionPlan, run: dg.DagsterRun, **settings: Any) -> None:
        tags = run.tags
        self._several_partitions = tags.get(ASSET_PARTITION_RANGE_START_TAG) != tags.get(
            ASSET_PARTITION_RANGE_END_TAG
        )
        # The mode in which ActiveExecution asks the two methods below.
        by_output = StepDependencyConfig(require_upstream_step_success=False)
        super().__init__(plan, step_dependency_config=by_output, **settings)

    def _all_upstream_outputs_failed_or_abandoned(self, step_key: str) -> bool:
        lost = self._failed | self._abandoned
        return any(
            handle.step_key in lost and not self._counts(handle)
            for handle in self._upstream(step_key)
        )

    def _all_upstream_outputs_produced(self, step_key: str) -> bool:
        succeeded = self._success | self._skipped
        return all(
            handle in self._step_outputs
            and (self._several_partitions or handle.step_key in succeeded)
            for handle in self._upstream(step_key)
            if handle.step_key in self._plan.step_keys_to_execute  # others are taken as there
        )

    def _counts(self, handle: StepOutputHandle) -> bool:
        """Whether the output counts although its step failed."""
        return self._several_partitions and handle in self._step_outputs

    def _upstream(self, step_key: str) -> list[StepOutputHandle]:
        """The outputs that a step waits for: all but the optional ones that were lost."""
        step = self.get_step_by_key(step_key)
        forgiven = optional_steps(step.tags) & (self._failed | self._abandoned)
        return [
            handle
            for step_input in step.step_inputs
            for handle in step_input.get_step_output_handle_dependencies()
            if handle.step_key not in forgiven or self._counts(handle)
        ]


def optional_steps(tags: Mapping[str, str] | None) -> frozenset[str]:
    """The upstream steps that a step, or asset, with these op tags can do without."""
    return frozenset(filter(None, (tags or {}).get(OPTIONAL_TAG, "").split(",")))


class _Interrupts:
    """Whether the run is to stop: by a signal, or by its status in the instance.

    The status is for a worker that no signal reaches, on another machine or behind a broker.
    """

    def __init__(self, job_context: PlanExecutionContext) -> None:
        self._context = job_context
        self._next_look = time.monotonic() + _STATUS_POLL_S

    def received(self, active: ActiveExecution) -> bool:
        instance, run = self._context.instance, self._context.dagster_run
        if active.check_for_interrupts():
            # Without this Dagster takes the signal for a crash, which would be retried.
            stored = instance.get_run_by_id(run.run_id)
            if stored and stored.status == dg.DagsterRunStatus.STARTED:
                instance.report_run_canceling(run, "Caught a termination signal.")
            return True
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _STATUS_POLL_S
        stored = instance.get_run_by_id(run.run_id)
        return stored is None or stored.status in _STOP_STATUSES


def _start(
    context: StepExecutionContext,
    messages: queue.SimpleQueue[tuple[LiveStep, dg.DagsterEvent | BaseException | None]],
) -> LiveStep:
    """Run a step on a thread of its own: its events, then perhaps an error, then None."""
    step = LiveStep(context, progress.Task(context.step.key))

    def work() -> None:
        try:
            with progress.run_task(step.task), ExitStack() as logs:
                events = []
                messages.put((step, _capture_step(context, logs)))
                for event in dagster_event_sequence_for_step(context):
                    events.append(event)
                    messages.put((step, event))
                for event in _trigger_hook(context, events):
                    messages.put((step, event))
        except (progress.Cancelled, KeyboardInterrupt, DagsterExecutionInterruptedError):
            pass  # the step's failure event tells it
        except BaseException as error:
            messages.put((step, error))
        finally:
            with _live_lock:
                _live.discard(step)
            messages.put((step, None))

    with _live_lock:
        _live.add(step)
    # A daemon, unlike the threads of concurrent.futures: a hung step must not keep the process.
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(work,), name=step.step_key, daemon=True).start()
    return step


def _cancel(running: Iterable[LiveStep]) -> None:
    for step in running:
        step.task.cancel()


def _give_up(
    running: set[LiveStep], active: ActiveExecution, grace_s: float
) -> Iterator[dg.DagsterEvent]:
    for step in running:
        step.abandoned = True
        error = SerializableErrorInfo(
            f"{step.step_key} did not stop within {grace_s:g} s of the run's termination and was "
            "given up; its thread ends with this process.",
            [],
            None,
        )
        event = dg.DagsterEvent.step_failure_event(
            step.context, StepFailureData(error, None, error_source=ErrorSource.INTERRUPT)
        )
        yield event
        active.handle_event(event)


def _engine_error(
    context: PlanExecutionContext, message: str, error: BaseException
) -> dg.DagsterEvent:
    try:
        raise error
    except BaseException:
        info = serializable_error_info_from_exc_info(sys.exc_info())
    return dg.DagsterEvent.engine_event(context, message, EngineEventData.engine_error(info))


# Compute logs


def _capture_run(job_context: PlanExecutionContext, stack: ExitStack) -> Iterator[dg.DagsterEvent]:
    """Capture all output of the process until the stack is left."""
    manager = job_context.instance.compute_log_manager
    key = manager.build_log_key_for_run(job_context.run_id, create_compute_log_file_key())
    try:
        captured = stack.enter_context(manager.capture_logs(key))
    except Exception as error:  # a log that cannot be kept is no reason not to run
        yield _engine_error(job_context, "Exception while setting up compute log capture", error)
        return
    stack.enter_context(streams_by_step())
    yield dg.DagsterEvent.capture_logs(job_context, [], key, captured)


def _capture_step(context: StepExecutionContext, stack: ExitStack) -> dg.DagsterEvent:
    """Capture what the calling thread writes to Python's streams until the stack is left."""
    manager = context.instance.compute_log_manager
    key = manager.build_log_key_for_run(context.run_id, create_compute_log_file_key())
    files: dict[str, IO[Any]] = {}
    try:
        for io_type in ComputeIOType:
            if file := stack.enter_context(manager.open_log_stream(key, io_type)):
                files[io_type.value] = file
    except Exception as error:
        return _engine_error(context, "Exception while setting up compute log capture", error)
    stack.enter_context(copy_to(files))
    return dg.DagsterEvent.capture_logs(context, [context.step.key], key, CapturedLogContext(key))


# Runs over several partitions; batch.py says how they are used

#: Metadata of a result for which Dagster is to write no materialization by itself.
REPORTED_BY_STEP: Mapping[str, bool] = MappingProxyType(
    {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
)


def partition_materialization(
    context: dg.AssetExecutionContext, partition_key: str, result: dg.MaterializeResult
) -> dg.AssetMaterialization:
    """The event that Dagster itself would write for `result` if it were of this partition alone.

    With the tags for code and data version, which tell the UI what is stale.
    """
    step_context = context.op_execution_context.get_step_execution_context()
    (event,) = _get_output_asset_events(
        asset_key=context.asset_key,
        asset_partitions=[partition_key],
        output=dg.Output(
            None,
            metadata=result.metadata,
            data_version=result.data_version,
            tags=result.tags,
        ),
        output_def=step_context.op_def.output_defs[0],
        io_manager_metadata={},
        step_context=step_context,
        execution_type=AssetExecutionType.MATERIALIZATION,
    )
    assert isinstance(event, dg.AssetMaterialization)
    return event
