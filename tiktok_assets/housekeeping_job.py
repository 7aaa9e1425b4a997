"""Housekeeping as a job."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.

import dagster as dg

from tiktok_assets.housekeeping import sweep
from tiktok_assets.lanes import ERRANDS, QUEUE_TAG
from tiktok_assets.settings import Settings


def housekeeping_job(settings: Settings) -> dg.JobDefinition:
    """A job of one step that removes what the settings say."""

    @dg.op(description="Remove old videos, old runs, leftovers and the frame cache's excess.")
    def sweep_up(context: dg.OpExecutionContext) -> None:
        swept = sweep(context.instance, settings, context.log.info)
        context.log.info(swept.sentence())

    @dg.job(
        name="housekeeping",
        tags={QUEUE_TAG: ERRANDS},
        executor_def=dg.in_process_executor,
        description="What `tiktok-assets housekeeping` does; the schedule runs it every night.",
    )
    def housekeeping() -> None:
        sweep_up()

    return housekeeping
