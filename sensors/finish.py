"""Requests the finish job after every run that analyzed a video, however it ended."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import dagster as dg

NAME = "finish_ended_runs"

#: Tag of a run whose starter runs finish itself, as the command line does.
INLINE_TAG = "tiktok/finish"

PRIORITY_TAG = "dagster/priority"
_ENDINGS = (
    dg.DagsterEventType.RUN_SUCCESS,
    dg.DagsterEventType.RUN_FAILURE,
    # What was finished before is shown; a run that had no frames yet gets no document.
    dg.DagsterEventType.RUN_CANCELED,
)
#: So many ends of each kind are looked at in a tick.
_MOST_EVENTS = 100
_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def finish_sensor(
    job: dg.UnresolvedAssetJobDefinition,
    last: str,
    analyzed: Collection[str],
    videos: dg.DynamicPartitionsDefinition,
    most_runs: int,
) -> dg.SensorDefinition:
    """The sensor: a tick requests at most `most_runs` runs, the rest in the next ones.

    `last` is the asset that the job ends with, `analyzed` are the assets it joins, and `videos` is
    their partitioning. Not one of Dagster's run status sensors: those request the runs of one event
    a tick, and short videos are analyzed faster than that.
    """

    @dg.sensor(
        name=NAME,
        job=job,
        minimum_interval_seconds=4,  # the daemon looks every 5 s, and not to the millisecond
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes the document and the report of each video whose analysis has ended.",
    )
    def finish_ended_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        instance = context.instance
        if context.cursor is None:
            return dg.SensorResult(
                cursor=_written({ending: _Place(_latest(instance, ending)) for ending in _ENDINGS}),
                skip_reason="Videos are finished whose runs end from now on.",
            )
        known = {name: _Place(*place) for name, place in json.loads(context.cursor).items()}
        requests: list[dg.RunRequest] = []
        places = {}
        for ending in _ENDINGS:
            place = known[ending.value]
            for after, run in _ended(instance, ending, place.after):
                if run is not None and _wants_finish(run, job.name, last, analyzed):
                    waiting = _rest(_videos_of(run, videos, instance), place.video)
                    taken = waiting[: most_runs - len(requests)]
                    requests += _requests(run, taken, job.name)
                    if len(taken) < len(waiting):
                        place = _Place(place.after, taken[-1] if taken else place.video)
                        break
                place = _Place(after)
            places[ending] = place
        if requests:  # a question for the whole library, and so not asked in vain
            ready = instance.get_materialized_partitions(dg.AssetKey("frames"))
            requests = [request for request in requests if request.partition_key in ready]
        return dg.SensorResult(
            run_requests=requests,
            cursor=_written(places),
            skip_reason=None if requests else "No analysis has ended.",
        )

    return finish_ended_runs


class _Place(NamedTuple):
    """Where the sensor stands among the events of one kind."""

    after: int
    """Storage id of the last event whose videos were all requested."""
    video: str | None = None
    """The last video that was requested of the event that follows."""


def _written(places: Mapping[dg.DagsterEventType, _Place]) -> str:
    return json.dumps({ending.value: place for ending, place in places.items()})


def _latest(instance: dg.DagsterInstance, ending: dg.DagsterEventType) -> int:
    newest = instance.fetch_run_status_changes(ending, limit=1).records
    return newest[0].storage_id if newest else 0


def _ended(
    instance: dg.DagsterInstance, ending: dg.DagsterEventType, after: int
) -> Iterator[tuple[int, dg.DagsterRun | None]]:
    """Ends of this kind after one, oldest first, by storage id; the run, unless it was deleted."""
    events = instance.fetch_run_status_changes(
        dg.RunStatusChangeRecordsFilter(ending, after_storage_id=after),  # type: ignore[arg-type]
        limit=_MOST_EVENTS,
        ascending=True,
    ).records
    if not events:  # no ids to filter by would be all runs
        return
    wanted = dg.RunsFilter(run_ids=list({event.run_id for event in events}))
    runs = {run.run_id: run for run in instance.get_runs(wanted)}
    for event in events:
        yield event.storage_id, runs.get(event.run_id)


def _rest(videos: Sequence[str], last: str | None) -> Sequence[str]:
    """Those after the last one; all where that one is gone: Dagster makes no run twice."""
    return videos[videos.index(last) + 1 :] if last in videos else videos


def _requests(run: dg.DagsterRun, videos: Sequence[str], job_name: str) -> list[dg.RunRequest]:
    return [
        dg.RunRequest(
            run_key=f"{run.run_id}:{video}",
            job_name=job_name,
            partition_key=video,
            tags={PRIORITY_TAG: "1"},  # before the next video's analysis
        )
        for video in videos
    ]


def _wants_finish(run: dg.DagsterRun, finish: str, last: str, analyzed: Collection[str]) -> bool:
    if run.job_name == finish or run.tags.get("dagster/will_retry") == "true":
        return False
    if run.tags.get(INLINE_TAG) == "inline":
        return False
    selected = {key.to_user_string() for key in run.asset_selection or ()}
    if not selected:  # a whole job
        return True
    return last not in selected and not selected.isdisjoint(analyzed)


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
            # A bound that was deleted since leaves no range.
            with suppress(dg.DagsterInvalidInvocationError):
                return videos.get_partition_keys_in_range(dg.PartitionKeyRange(start, end))
    return []
