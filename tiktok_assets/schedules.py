"""What runs by the clock."""

from __future__ import annotations

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from resources.disk import too_full
from tiktok_assets.downloads import read_lists, url_queue
from tiktok_assets.settings import Settings


def download_schedule(job: dg.JobDefinition, settings: Settings) -> dg.ScheduleDefinition:
    """The download job, hourly by default. Off until it is switched on."""

    @dg.schedule(
        name="download_urls",
        job=job,
        cron_schedule=settings.urls.schedule,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Downloads what is due of the lists of URLs.",
    )
    def download_urls(
        context: dg.ScheduleEvaluationContext,
    ) -> dg.RunRequest | dg.SkipReason:
        if full := too_full(settings.data_dir, settings.min_free_gb):
            return dg.SkipReason(full)
        if context.instance.get_runs_count(
            dg.RunsFilter(job_name=job.name, statuses=NOT_FINISHED_STATUSES)
        ):
            return dg.SkipReason("The run before this one is not finished.")
        queue = url_queue(settings)
        wrong = read_lists(settings, queue)
        for sentence in wrong:
            context.log.warning(sentence)
        if not queue.due():
            return dg.SkipReason(" ".join(["Nothing is due.", *wrong]))
        return dg.RunRequest()

    return download_urls


def housekeeping_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """Housekeeping, every night at four (UTC)."""
    return dg.ScheduleDefinition(
        name="housekeeping_nightly",
        job=job,
        cron_schedule="0 4 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
