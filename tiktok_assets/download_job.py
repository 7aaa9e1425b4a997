"""The job that downloads what is due of the lists of URLs."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.

import dagster as dg

from tiktok_assets.downloads import download_due
from tiktok_assets.lanes import ERRANDS, QUEUE_TAG
from tiktok_assets.settings import Settings


def download_job(settings: Settings) -> dg.JobDefinition:
    """One op, in the lane of errands, so that it holds up no analysis."""

    @dg.op(description="Downloads what is due into the watched folder, a few at a time.")
    def download_urls(context: dg.OpExecutionContext) -> None:
        tally = download_due(settings, context.log.info, context.log.warning)
        if tally.stopped:
            context.log.warning(tally.stopped)
        context.add_output_metadata(
            {"done": tally.done, "put off": tally.put_off, "failed": tally.failed}
        )

    @dg.job(
        name="download",
        tags={QUEUE_TAG: ERRANDS},
        description="Download the URLs of the lists into the watched folder.",
    )
    def download() -> None:
        download_urls()

    return download
