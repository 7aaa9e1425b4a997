"""The warm worker: `python -m tiktok_assets.worker -w workspace.yaml`.

A Celery worker with one child process that runs one Dagster run at a time and lives from run to
run, so that imports, models and the GPU context stay. The parent never imports the code location
or a machine-learning library: CUDA does not survive a fork. It hands runs to the child, replaces it
when it dies, watches over it, and on SIGTERM ends the run in hand so that it goes on at the next
start.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import logging
import os
import shutil
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from celery import Celery, signals
from celery.platforms import SecurityWarning
from celery.worker import state as celery_state
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.events import JobFailureData, RunFailureReason
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task

from analyzers.memory import give_back_free
from analyzers.models import runtime
from tiktok_assets.broker_files import waiting_tasks
from tiktok_assets.crash_ledger import CrashLedger, Process
from tiktok_assets.lanes import LANE_TAG, PROCESS_TAG
from tiktok_assets.run_launcher import WarmWorkerRunLauncher
from tiktok_assets.settings import PROJECT_DIR, Settings
from tiktok_assets.watchdog import Heartbeat, Watchdog

STOP_GRACE_S = 10.0
"""How long a run may take to stop when the worker is stopped."""
_LOST_AFTER_S = 1.0
"""A child that died may have handed in its result just before: how long to wait for it."""
_LAUNCHED_WITHIN_S = 10.0
"""From the mark that a run is being launched to its message in the broker, at most."""
_UNFINISHED = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]

log = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a worker until it is told to stop. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tiktok_assets.worker", description=__doc__)
    parser.add_argument("-w", "--workspace", type=Path, default=PROJECT_DIR / "workspace.yaml")
    parser.add_argument("--name", default="worker", help="one for each worker on a machine")
    parser.add_argument("--queue", default="dagster", help="runs tagged dagster-celery/queue")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Celery warns root of pickled messages; here only JSON is accepted.
    warnings.simplefilter("ignore", SecurityWarning)

    settings = Settings()
    settings.export()
    runtime.prepare()
    state = settings.data_dir.resolve() / "state"
    name = f"{arguments.name}@{socket.gethostname()}"
    with _only_one(state / f"{name}.lock", arguments.queue):
        pulses = state / "workers" / arguments.name
        shutil.rmtree(pulses, ignore_errors=True)  # of processes that are no more
        ledger = CrashLedger(state / "crashes")
        with DagsterInstance.get() as instance:
            launcher = instance.run_launcher
            if not isinstance(launcher, WarmWorkerRunLauncher):
                raise SystemExit(
                    f"dagster.yaml gives runs to {type(launcher).__name__}, so a worker would wait "
                    "forever: set run_launcher to tiktok_assets.run_launcher's."
                )
            app = launcher.celery
            _fail_orphans(instance, app, name, state)
            _fail_undelivered(instance, app, arguments.queue, locks=state, own=name)
            _fail_abandoned(instance)
        _tidy(app)
        return _work(
            app,
            name,
            arguments.queue,
            arguments.workspace,
            pulses,
            ledger,
        )


def _work(
    app: Celery, name: str, queue: str, workspace: Path, pulses: Path, ledger: CrashLedger
) -> int:
    create_execute_job_task(app)
    create_resume_job_task(app)
    app.conf.update(
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,  # the executor captures them, by run and by step
        worker_lost_wait=_LOST_AFTER_S,
        worker_proc_alive_timeout=600,  # a child is up when it has imported everything
        worker_prefetch_multiplier=1,
    )
    worker = app.Worker(
        hostname=name,
        pool="prefork",
        concurrency=1,
        queues=[queue],
        loglevel="INFO",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )

    def children() -> list[int]:
        pool = worker.pool._pool if worker.pool else None
        return [child.pid for child in pool._pool if child.pid] if pool else []

    def idle() -> bool:
        return not celery_state.reserved_requests

    def warm_up(**_: Any) -> None:
        started = time.monotonic()
        importlib.import_module(code_location(workspace)[1])
        Heartbeat(pulses).start()
        log.info("process %d is ready after %.1f s", os.getpid(), time.monotonic() - started)

    def stop(**_: Any) -> None:
        # Called in a signal handler, where a thread is all that may be safely begun.
        threading.Thread(target=_stop_run, args=(children, ledger), name="stop").start()

    def watch(**_: Any) -> None:
        Watchdog(pulses, ledger, children, idle).start()

    def tidy_up(**_: Any) -> None:
        give_back_free()

    signals.worker_process_init.connect(warm_up)
    signals.task_postrun.connect(tidy_up)
    signals.worker_ready.connect(watch)
    signals.worker_shutting_down.connect(stop)
    worker.start()
    return worker.exitcode or 0


def code_location(workspace: Path) -> tuple[str, str]:
    """Name and Python module of the one code location that a workspace file names."""
    (entry,) = yaml.safe_load(workspace.read_text())["load_from"]
    return entry["python_module"]["location_name"], entry["python_module"]["module_name"]


def _stop_run(children: Any, ledger: CrashLedger) -> None:
    """End the run in hand, then the process.

    The run is recorded as failed by a lost worker, which Dagster retries when it next runs, and
    whose executor stops when it sees that.
    """
    with DagsterInstance.get() as instance:
        in_hand = {request.id for request in celery_state.reserved_requests}
        for task_id, run in _unfinished_runs(instance):
            if task_id in in_hand:
                _record_loss(instance, run, "The worker was stopped.")
    stop_at = time.monotonic() + STOP_GRACE_S
    while celery_state.reserved_requests and time.monotonic() < stop_at:
        time.sleep(0.1)
    for pid in children():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        ledger.excuse(pid)
    os._exit(0)  # nothing is left to do, and Celery's own way out takes up to ten seconds


def _fail_orphans(instance: DagsterInstance, app: Celery, name: str, locks: Path) -> None:
    """Fail the runs that a worker had in hand when it and its child were killed.

    Nobody was left to note their loss, and Dagster would wait for them forever. Told by the name of
    the worker that had started them: this one's, which has them no more, or another's of this
    data folder whose lock is free (a container has a new host name after each start).
    """
    for task_id, run in _unfinished_runs(instance):
        note = app.backend.get_task_meta(task_id)
        if note["status"] != "STARTED":
            continue
        worker = note["result"].get("hostname")
        if worker == name or _is_free(locks / f"{worker}.lock"):
            _record_loss(instance, run, "The worker was killed.")


def _fail_undelivered(
    instance: DagsterInstance, app: Celery, queue: str, locks: Path, own: str
) -> None:
    """Fail the runs whose message no worker has any more, and of which none has noted the start.

    A machine that lost power may have lost both, and Dagster would wait for five minutes. Only told
    where the broker is a folder, and while no other worker of the queue lives that may have taken
    the message just now. A run that is being launched has its message in a moment.
    """
    folder = app.conf.broker_transport_options.get("data_folder_in")
    if folder is None or _others_live(locks, queue, own):
        return
    waiting = waiting_tasks(Path(folder))
    before = time.time() - _LAUNCHED_WITHIN_S
    for record in instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.STARTING])):
        run = record.dagster_run
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, "")
        if (
            run.tags.get(LANE_TAG) == queue
            and record.update_timestamp.timestamp() < before
            and task_id not in waiting
            and (not task_id or app.backend.get_task_meta(task_id)["status"] == "PENDING")
        ):
            _record_loss(instance, run, "Its message to the worker was lost.")


def _fail_abandoned(instance: DagsterInstance) -> None:
    """Fail the runs of command lines that were killed: they would take a place in the queue."""
    for run in instance.get_runs(RunsFilter(statuses=_UNFINISHED)):
        if (told := run.tags.get(PROCESS_TAG)) and Process.parse(told).gone_from_here():
            instance.report_run_failed(run, "The process that ran it was killed.")


def _others_live(locks: Path, queue: str, own: str) -> bool:
    """Whether another worker of a queue runs on this data folder."""
    for path in locks.glob("*.lock"):
        if path.stem != own and not _is_free(path) and path.read_text() == queue:
            return True
    return False


def _unfinished_runs(instance: DagsterInstance) -> Iterator[tuple[str, DagsterRun]]:
    """The runs that some worker should have in hand, and their Celery tasks' ids."""
    for run in instance.get_runs(RunsFilter(statuses=_UNFINISHED)):
        if task_id := run.tags.get(DAGSTER_CELERY_TASK_ID_TAG):
            yield task_id, run


def _record_loss(instance: DagsterInstance, run: DagsterRun, why: str) -> None:
    if run.status == DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, f"{why} The run had been asked to stop.")
    else:
        reason = JobFailureData(error=None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION)
        instance.report_run_failed(run, f"{why} The run is retried from where it stood.", reason)


@contextmanager
def _only_one(path: Path, queue: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(
                f"A worker named {path.stem} already runs here: stop it, or give --name."
            ) from None
        lock.truncate(0)
        lock.write(queue)
        lock.flush()
        yield


def _tidy(app: Celery) -> None:
    """Delete what the broker's folders keep of runs that are long over."""
    app.backend.cleanup()
    oldest = time.time() - app.conf.result_expires
    if taken := app.conf.broker_transport_options.get("processed_folder"):
        for message in Path(taken).iterdir():
            if message.stat().st_mtime < oldest:
                message.unlink(missing_ok=True)


def _is_free(path: Path) -> bool:
    """Whether a lock was taken once and is held by nobody now."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
