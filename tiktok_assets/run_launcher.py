"""Hands runs to the warm workers through a Celery broker.

dagster-celery's launcher with three things changed: the broker needs no server by default, a
termination is told to the run by its status, and what it says of a worker that is lost is of use.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from celery import Signature
from celery.exceptions import DuplicateTaskNameWarning
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from tiktok_assets.settings import Settings

BROKER_POLL_S = 0.1
"""How long a message may lie in the file system before a worker sees it."""
_RESULTS_KEPT_S = 7 * 24 * 3600
_REDELIVERED_AFTER_S = 7 * 24 * 3600
"""Longer than any run: a Redis broker would give a run that takes longer to a second worker."""

# dagster-celery registers its task anew for each run that it launches.
warnings.filterwarnings("ignore", category=DuplicateTaskNameWarning, message=".*execute_job")


class WarmWorkerRunLauncher(CeleryRunLauncher):
    """Starts runs in the warm workers of this project."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        """What dagster.yaml gives goes before the project's defaults."""
        settings = Settings()
        url = config_value.get("broker") or settings.broker_url
        own = _remote(url) if url else _file_system(settings.data_dir.resolve() / "broker")
        given = {k: v for k, v in config_value.items() if k not in ("broker", "backend")}
        source = own.pop("config_source") | (given.pop("config_source", None) or {})
        return cls(inst_data=inst_data, **given, **own, config_source=source)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Send a run to the broker."""
        if context.dagster_run.tags.get(DAGSTER_CELERY_TASK_ID_TAG):
            # A retry inherits the lost task of its parent, and would be taken for lost as well.
            self._instance.add_run_tags(
                context.dagster_run.run_id, {DAGSTER_CELERY_TASK_ID_TAG: ""}
            )
        super().launch_run(context)

    def _launch_celery_task_run(
        self, run: DagsterRun, task_signature: Signature, routing_key: str
    ) -> None:
        # The other way round a run whose daemon is stopped in between has a task that nobody knows.
        task_id = str(uuid.uuid4())
        self._instance.add_run_tags(run.run_id, {DAGSTER_CELERY_TASK_ID_TAG: task_id})
        super()._launch_celery_task_run(run, task_signature.set(task_id=task_id), routing_key)

    def terminate(self, run_id: str) -> bool:
        """Ask a run to stop: its executor looks at its status every second.

        Unlike a signal through the broker that works with any broker and on any machine, and it
        makes the run end as canceled, which is not retried; a process that dies of a signal looks
        like a crash, which is.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        if run.status in (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING):
            self._instance.report_run_canceled(run, "Canceled before a worker took it.")
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether a run's worker process is alive, as far as the workers have noted."""
        if not run.tags.get(DAGSTER_CELERY_TASK_ID_TAG):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "It is being sent to a worker.")
        health = super().check_run_worker_health(run)
        if health.status == WorkerStatus.FAILED:
            return CheckRunHealthResult(
                WorkerStatus.FAILED, "The worker's process was lost (killed or crashed)."
            )
        return health

    def get_run_worker_debug_info(
        self, run: DagsterRun, include_container_logs: bool | None = True
    ) -> str | None:
        """What a person can do about a run whose worker is lost, or that none has taken."""
        task = self.celery.AsyncResult(run.tags.get(DAGSTER_CELERY_TASK_ID_TAG, ""))
        if task.state == "PENDING":
            return "No worker has taken the run: `tiktok-assets up` starts one."
        return f"Worker's note on the run: {task.state} {task.result!r}"


def _file_system(folder: Path) -> dict[str, Any]:
    """A broker in a folder; no server."""
    names = ("messages", "taken", "control", "results")
    messages, taken, control, results = (folder / name for name in names)
    for path in (messages, taken, control, results):
        path.mkdir(parents=True, exist_ok=True)
    return {
        "broker": "filesystem://localhost",
        "backend": f"tiktok_assets.broker_files.Backend+file://{results}",
        "config_source": {
            "broker_transport": "tiktok_assets.broker_files:Transport",
            "result_expires": _RESULTS_KEPT_S,
            "broker_transport_options": {
                "data_folder_in": str(messages),
                "data_folder_out": str(messages),
                # On the same file system: a message is taken by renaming it, which only one can.
                "processed_folder": str(taken),
                "store_processed": True,
                "control_folder": str(control),
                "polling_interval": BROKER_POLL_S,
            },
        },
    }


def _remote(url: str) -> dict[str, Any]:
    """A broker that also keeps the results, such as Redis."""
    return {
        "broker": url,
        "backend": url,
        "config_source": {
            "result_expires": _RESULTS_KEPT_S,
            # As `broker_files.QoS`; Celery has it for Redis alone.
            "worker_disable_prefetch": True,
            "broker_transport_options": {"visibility_timeout": _REDELIVERED_AFTER_S},
        },
    }
