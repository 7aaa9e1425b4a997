"""Where Dagster keeps its own state: below the project's data folder, not beside the code.

`dagster.yaml` names this class, so that every Dagster command that runs with DAGSTER_HOME at the
folder of that file finds the same place, whatever its working directory is.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import alembic.util
from dagster import DagsterInstance, DagsterRun, EventLogEntry
from dagster._core.events import DagsterEventBatchMetadata
from dagster._core.instance.config import ConcurrencyConfig
from dagster._core.instance.ref import InstanceRef
from dagster._core.workspace.context import BaseWorkspaceRequestContext

from tiktok_assets.lanes import ANALYSIS, ERRANDS, LANE_TAG, QUEUE_TAG
from tiktok_assets.settings import PROJECT_DIR, Settings

# dagster.yaml switches telemetry off, but only this keeps the webserver from making the folders
# for it beside the code.
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")

# Dagster makes an instance for every tick of a sensor, each asks alembic thrice where its
# migrations lie, and alembic each time registers something to be done at exit: 8 kB a tick, 400 MB
# a day in the code server.
alembic.util.coerce_resource_to_filename = functools.cache(alembic.util.coerce_resource_to_filename)


class ProjectInstance(DagsterInstance):
    """Dagster's instance with its state in `<data_dir>/dagster`, and no retry lost."""

    @classmethod
    def config_schema(cls) -> Mapping[str, Any]:
        """No settings of its own in dagster.yaml."""
        return {}

    @staticmethod
    def config_defaults(dagster_home: str) -> Mapping[str, Any]:
        """Storage, compute logs and artifacts, for what dagster.yaml leaves open.

        Raises `RuntimeError` where DAGSTER_HOME is for SQLite and the setting database_url names a
        Postgres: some of the processes would else look into another database.
        """
        settings = Settings()
        home = settings.dagster_home()
        if home != PROJECT_DIR and Path(dagster_home).resolve() == PROJECT_DIR:
            raise RuntimeError(
                "The setting database_url keeps Dagster's state in Postgres, but DAGSTER_HOME is "
                f"{dagster_home}, whose dagster.yaml is for SQLite: set it to {home}, or unset it."
            )
        settings.export()
        folder = settings.data_dir.resolve() / "dagster"
        folder.mkdir(parents=True, exist_ok=True)
        return InstanceRef.config_defaults(str(folder))

    def get_concurrency_config(self) -> ConcurrencyConfig:
        """Dagster's limits, with as many analysis runs at once as there are workers for them.

        dagster.yaml admits one run to each lane, which is right for one worker.
        """
        config = super().get_concurrency_config()
        workers = Settings().worker_count()
        if config.run_queue_config is None or workers == 1:
            return config
        queue = config.run_queue_config
        others = [limit for limit in queue.tag_concurrency_limits if limit["key"] != LANE_TAG]
        lanes = [
            {"key": LANE_TAG, "value": ANALYSIS, "limit": workers},
            {"key": LANE_TAG, "value": ERRANDS, "limit": 1},
        ]
        wider = queue._replace(
            max_concurrent_runs=workers + 1, tag_concurrency_limits=[*lanes, *others]
        )
        return ConcurrencyConfig(pool_config=config.pool_config, run_queue_config=wider)

    def submit_run(self, run_id: str, workspace: BaseWorkspaceRequestContext) -> DagsterRun:
        """Queue a run, marked with the lane it waits in.

        Here, since runs come from sensors, schedules, backfills, retries and the web page.
        """
        run = self.get_run_by_id(run_id)
        if run is not None:
            self.add_run_tags(run_id, {LANE_TAG: run.tags.get(QUEUE_TAG, ANALYSIS)})
        return super().submit_run(run_id, workspace)

    def handle_new_event(
        self, event: EventLogEntry, *, batch_metadata: DagsterEventBatchMetadata | None = None
    ) -> None:
        """Store an event; of a run's failure, first what it makes of the run.

        Dagster does it the other way round, and its daemon, which retries failed runs by their
        events, now and then sees the event before the run is marked as failed, takes it for one
        not to be retried, and never looks again.
        """
        happened = event.dagster_event
        if happened is not None and happened.is_run_failure:
            at = datetime.fromtimestamp(event.timestamp, tz=UTC)
            self.run_storage.handle_run_event(event.run_id, happened, at)
        super().handle_new_event(event, batch_metadata=batch_metadata)
