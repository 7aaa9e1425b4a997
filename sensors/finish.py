"""Requests the finish job after every run that analyzed a video, however it ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import dagster as dg

#: Tag of a run whose starter runs finish itself, as the command line does.
INLINE_TAG = "tiktok/finish"

PRIORITY_TAG = "dagster/priority"
_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def finish_sensors(
    job: dg.UnresolvedAssetJobDefinition,
    last: str,
    analyzed: Collection[str],
    videos: dg.DynamicPartitionsDefinition,
) -> list[dg.SensorDefinition]:
    """One sensor each for runs that succeeded, that failed and that were canceled.

    `last` is the asset that the job ends with, `analyzed` are the assets it joins, and `videos` is
    their partitioning.
    """

    def evaluate(
        context: dg.RunStatusSensorContext,
    ) -> Sequence[dg.RunRequest] | dg.SkipReason:
        run = context.dagster_run
        if reason := _nothing_to_do(run, job.name, last, analyzed):
            return dg.SkipReason(reason)
        ready = context.instance.get_materialized_partitions(dg.AssetKey("frames"))
        return [
            dg.RunRequest(
                run_key=f"{run.run_id}:{v}",
                job_name=job.name,
                partition_key=v,
                tags={PRIORITY_TAG: "1"},  # before the next video's analysis
            )
            for v in _videos_of(run, videos, context.instance)
            if v in ready
        ]

    return [
        dg.run_status_sensor(
            run_status=status,
            name=name,
            request_job=job,
            default_status=dg.DefaultSensorStatus.RUNNING,
            minimum_interval_seconds=5,
            description=f"Writes the document and the report of each video after a run {ended}.",
        )(evaluate)
        for status, name, ended in (
            (dg.DagsterRunStatus.SUCCESS, "finish_after_success", "that succeeded"),
            (dg.DagsterRunStatus.FAILURE, "finish_after_failure", "that failed"),
            # What was finished before is shown; a run that had no frames yet gets no document.
            (dg.DagsterRunStatus.CANCELED, "finish_after_cancellation", "that was canceled"),
        )
    ]


def _nothing_to_do(run: dg.DagsterRun, finish: str, last: str, analyzed: Collection[str]) -> str:
    if run.job_name == finish:
        return "a finish run needs no other"
    if run.tags.get(INLINE_TAG) == "inline":
        return "whoever started the run makes the rest"
    if run.tags.get("dagster/will_retry") == "true":
        return "the run will be retried"
    if run.asset_selection:  # empty for a whole job
        selected = {key.to_user_string() for key in run.asset_selection}
        if last in selected:
            return f"the run made the {last} itself"
        if selected.isdisjoint(analyzed):
            return "the run analyzed nothing"
    return ""


def _videos_of(
    run: dg.DagsterRun, videos: dg.DynamicPartitionsDefinition, instance: dg.DagsterInstance
) -> Sequence[str]:
    if key := run.tags.get("dagster/partition"):
        return [key]
    start, end = (run.tags.get(tag) for tag in _RANGE_TAGS)
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        if run.partitions_subset is not None:
            return sorted(run.partitions_subset.get_partition_keys())
        if start and end:
            return videos.get_partition_keys_in_range(dg.PartitionKeyRange(start, end))
    return []
