"""Runs the two jobs on one video in this process: no worker, no daemon."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import dagster as dg

from sensors.finish import INLINE_TAG
from tiktok_assets import definitions
from tiktok_assets.crash_ledger import Process
from tiktok_assets.executor import live_tasks
from tiktok_assets.jobs import MEDIA
from tiktok_assets.lanes import PROCESS_TAG
from tiktok_assets.partitions import add_video

_POLL_S = 0.2
#: Dagster's own lines would tear the progress board; they are in the UI and the event log.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class StepState:
    """A step of the run in hand; `success` is None as long as it is not known."""

    step: str
    success: bool | None = None
    #: Share of the work done, 0..1; None where the step does not say.
    share: float | None = None


OnStep = Callable[[StepState], None]


@dataclass(frozen=True)
class Outcome:
    """How the analysis of one video ended."""

    video_id: str
    #: By asset, the error of each step that failed, in a sentence.
    #: Under a job's name, that of a run that failed outside of its steps.
    errors: dict[str, str] = field(default_factory=dict)
    #: The assets made anew.
    done: frozenset[str] = frozenset()
    #: Wall-clock time of both jobs, in seconds.
    seconds: float = 0.0
    cancelled: bool = False


def analyze_video(
    instance: dg.DagsterInstance,
    video_id: str,
    on_step: OnStep = lambda _: None,
    analyzers: Collection[str] | None = None,
) -> Outcome:
    """Run analyze, then finish, as the sensor would; a failed analyzer does not stop the rest.

    `on_step` is called from a thread of its own. `analyzers`: only these of the analyze job, with
    all that they require; None is all.
    """
    selected = [] if analyzers is None else [*MEDIA, *sorted(analyzers)]
    started = time.perf_counter()
    add_video(instance, video_id)
    errors: dict[str, str] = {}
    done: set[str] = set()
    cancelled = _run(instance, definitions.analyze, video_id, on_step, errors, done, selected)
    if not cancelled and "frames" in done:
        cancelled = _run(instance, definitions.finish, video_id, on_step, errors, done)
    seconds = time.perf_counter() - started
    return Outcome(video_id, errors, frozenset(done), seconds, cancelled)


def remake(
    instance: dg.DagsterInstance,
    video_id: str,
    assets: Collection[str],
    on_step: OnStep = lambda _: None,
) -> Outcome:
    """Make some assets of a video anew: those that join others after the rest."""
    started = time.perf_counter()
    errors: dict[str, str] = {}
    done: set[str] = set()
    cancelled = False
    for job in (definitions.analyze, definitions.finish):
        members = {key.to_user_string() for key in job().asset_layer.executable_asset_keys}
        if (selected := members.intersection(assets)) and not cancelled:
            cancelled = _run(instance, job, video_id, on_step, errors, done, sorted(selected))
    seconds = time.perf_counter() - started
    return Outcome(video_id, errors, frozenset(done), seconds, cancelled)


def _run(
    instance: dg.DagsterInstance,
    job: Callable[[], dg.JobDefinition],
    video_id: str,
    on_step: OnStep,
    errors: dict[str, str],
    done: set[str],
    selected: Sequence[str] = (),
) -> bool:
    """Run a job, or some assets of it, and add what failed and what was made.

    Returns whether it was interrupted.
    """
    tags = {
        "dagster/partition": video_id,
        INLINE_TAG: "inline",
        PROCESS_TAG: str(Process.current()),
        "dagster/max_retries": "0",
    }
    with _told_progress(on_step):
        result = dg.execute_job(
            dg.reconstructable(job),
            instance,
            run_config=_QUIET,
            tags=tags,
            asset_selection=[dg.AssetKey(name) for name in selected] or None,
        )
    with result:
        for event in result.all_events:
            if event.is_step_failure:
                errors[event.step_key or ""] = _sentence(event)
                on_step(StepState(event.step_key or "", success=False))
            elif event.is_step_success:
                done.add(event.step_key or "")
                on_step(StepState(event.step_key or "", success=True))
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        if run.status == dg.DagsterRunStatus.FAILURE and not any(
            event.is_step_failure for event in result.all_events
        ):
            told = [e for e in result.all_events if e.is_run_failure]
            errors[run.job_name] = _run_sentence(run.job_name, told)
    return run.status == dg.DagsterRunStatus.CANCELED


def _run_sentence(job: str, failures: list[dg.DagsterEvent]) -> str:
    for event in failures:
        if (error := event.job_failure_data.error) is not None:
            root = error.cause or error
            return f"The run of {job} failed: {root.message.strip()}"
    return f"The run of {job} failed; its events are on the web page (`tiktok-assets up`)."


def _sentence(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    return data.error.message.strip() if data.error else "it failed without an error"


@contextmanager
def _told_progress(on_step: OnStep) -> Iterator[None]:
    """Tell which steps run, until the block ends."""
    done = Event()

    def tell() -> None:
        running: set[str] = set()
        while not done.wait(_POLL_S):
            steps = {s.step_key: s.task for s in live_tasks()}
            for ended in running - steps.keys():
                on_step(StepState(ended, share=1.0))  # how it ended is known when the run is over
            for name, task in steps.items():
                on_step(StepState(name, share=task.share))
            running = set(steps)

    thread = Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
