"""Watches folders for videos: registers what lies still and requests its analysis."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from resources.disk import too_full
from resources.drop_folder import DropFolder, Intake, Sighting

NAME = "downloads"
#: So many runs may wait in Dagster's queue, which its daemon reads once a second.
MOST_WAITING = 200


def downloads_sensor(
    job: dg.UnresolvedAssetJobDefinition,
    videos: dg.DynamicPartitionsDefinition,
    open_folder: Callable[[], DropFolder],
    data_dir: Path,
    min_free_gb: float,
    most_runs: int,
    budget_s: float,
) -> dg.SensorDefinition:
    """The sensor: a tick takes at most `most_runs` files and begins with none after `budget_s`.

    A video is first taken into the library and remembered, then its partition and run are
    requested, and it is forgotten only when a later tick sees the run: whatever is killed in
    between, nothing is lost, and Dagster makes no second run of the same key.
    """

    @dg.sensor(
        name=NAME,
        job=job,
        minimum_interval_seconds=4,  # the daemon looks every 5 s, and not to the millisecond
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Takes the videos that appear in the watched folders, and analyzes each.",
    )
    def downloads(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if full := too_full(data_dir, min_free_gb):
            return dg.SkipReason(full)
        waiting = context.instance.get_runs_count(
            dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])
        )
        if waiting >= MOST_WAITING:
            return dg.SkipReason(
                f"{waiting} runs wait for a worker: further files are taken when they are fewer "
                f"than {MOST_WAITING}."
            )
        folder = open_folder()
        wanted = folder.wanted_runs()
        folder.runs_are_there(_requested(context.instance, list(wanted)))
        intake = folder.look(
            _sightings(context.cursor),
            lambda video_id: context.instance.has_dynamic_partition(str(videos.name), video_id),
            most=most_runs - min(most_runs, len(folder.wanted_runs())),
            stop_at_s=time.time() + budget_s,
        )
        runs = list(folder.wanted_runs().items())[:most_runs]
        said = _said(intake)
        for sentence in said:
            context.log.info(sentence)
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(run_key=key, partition_key=video_id) for key, video_id in runs
            ],
            dynamic_partitions_requests=[
                videos.build_add_request([video_id for _, video_id in runs])
            ],
            cursor=json.dumps({p: list(asdict(s).values()) for p, s in intake.sightings.items()}),
            skip_reason=None if runs else " ".join(said) or "Nothing new.",
        )

    return downloads


def _sightings(cursor: str | None) -> dict[str, Sighting]:
    return {place: Sighting(*seen) for place, seen in json.loads(cursor or "{}").items()}


def _requested(instance: dg.DagsterInstance, run_keys: list[str]) -> list[str]:
    """Which of these keys have a run."""
    if not run_keys:
        return []
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": run_keys}))
    return [run.tags["dagster/run_key"] for run in runs]


def _said(intake: Intake) -> list[str]:
    """What a person may want to know of this tick."""
    said = [f"{Path(p).name}: the same bytes as {v}, not analyzed again." for p, v in
            intake.known.items()]  # fmt: skip
    said += [f"Put aside: {why}" for why in intake.rejected.values()]
    said += [f"Tried again later: {why}" for why in intake.troubles]
    if waiting := len(intake.sightings) + intake.left:
        said.append(f"{waiting} more files wait to be taken, or to lie still.")
    return said
