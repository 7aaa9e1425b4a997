"""A run over several videos of which one is broken: what the asset factory builds on."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from tiktok_assets.batch import each_partition
from tiktok_assets.executor import OPTIONAL_TAG, threaded_executor

VIDEOS = dg.DynamicPartitionsDefinition(name="videos")
KEYS = ["a", "b", "c", "d"]
GOOD = ["a", "c", "d"]
ASSETS = ["video", "frames", "audio", "faces", "text", "speech", "summary"]


def _broken(context: dg.AssetExecutionContext) -> set[str]:
    """The toy videos `<asset>.<key>` that the test broke, as files in the instance's folder."""
    folder = Path(context.instance.root_directory)
    return {p.suffix[1:] for p in folder.glob(f"{context.asset_key.to_user_string()}.*")}


def _toy(name: str, deps: list[str], optional: str = "") -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        deps=deps,
        op_tags={OPTIONAL_TAG: optional},
        partitions_def=VIDEOS,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=4),
        retry_policy=dg.RetryPolicy(max_retries=2),
        code_version="1",
    )
    def toy(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        def work(key: str) -> dg.MaterializeResult:
            if key in _broken(context):
                raise ValueError(f"{key}.mp4: moov atom missing")
            return dg.MaterializeResult(metadata={"key": key})

        yield from each_partition(context, work)

    return toy


defs = dg.Definitions(
    assets=[
        _toy("video", []),
        _toy("frames", ["video"]),
        _toy("audio", ["video"]),
        _toy("faces", ["frames"]),
        _toy("text", ["frames"]),
        _toy("speech", ["audio"]),
        _toy("summary", ["frames", "speech"], optional="speech"),
    ],
    jobs=[
        dg.define_asset_job("analyze", executor_def=threaded_executor),
        dg.define_asset_job("reference", executor_def=dg.in_process_executor),
    ],
)


def analyze() -> dg.JobDefinition:
    return defs.resolve_job_def("analyze")


def reference() -> dg.JobDefinition:
    return defs.resolve_job_def("reference")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    overrides = {
        "telemetry": {"enabled": False},
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
    }
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance:
        instance.add_dynamic_partitions("videos", KEYS)
        yield instance


def _run(instance: dg.DagsterInstance, job=analyze, first="a", last="d"):
    tags = {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}
    return dg.execute_job(dg.reconstructable(job), instance, tags=tags)


def _materialized(instance: dg.DagsterInstance, asset: str) -> list[str]:
    return sorted(instance.get_materialized_partitions(dg.AssetKey(asset)))


def _failed(instance: dg.DagsterInstance, asset: str) -> list[str]:
    """What the UI paints red."""
    statuses = instance.get_status_by_partition(dg.AssetKey(asset), KEYS, VIDEOS)
    assert statuses is not None
    return sorted(key for key, status in statuses.items() if status and status.value == "FAILED")


def _materialization_tags(instance: dg.DagsterInstance, asset: str, key: str) -> dict[str, str]:
    (record,) = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[key]), limit=1
    ).records
    return {k: v for k, v in record.asset_materialization.tags.items() if "pointer" not in k}


def test_one_broken_of_four(instance, tmp_path):
    (tmp_path / "video.b").touch()
    with _run(instance) as result:
        assert not result.success
        failures = [e for e in result.all_events if e.is_step_failure]
        assert [e.step_key for e in failures] == ["video"]  # the culprit, and it alone
        message = failures[0].step_failure_data.user_failure_data.description
        assert message == "1 of 4 videos failed: b: b.mp4: moov atom missing"
        assert not [e for e in result.all_events if e.is_step_up_for_retry]
        events = result.get_asset_materialization_events()
    assert instance.get_run_by_id(result.run_id).status == dg.DagsterRunStatus.FAILURE
    for asset in ASSETS:
        assert _materialized(instance, asset) == GOOD, asset
        assert _failed(instance, asset) == ["b"], asset
    reported = sorted((e.asset_key.to_user_string(), e.partition) for e in events)
    assert reported == sorted((asset, key) for asset in ASSETS for key in GOOD)  # each once
    for event in events:
        metadata = event.step_materialization_data.materialization.metadata
        assert metadata == {"key": dg.TextMetadataValue(event.partition)}


def test_broken_in_the_middle_and_at_the_end(instance, tmp_path):
    (tmp_path / "frames.a").touch()
    (tmp_path / "speech.c").touch()
    with _run(instance) as result:
        failed = {e.step_key for e in result.all_events if e.is_step_failure}
    assert failed == {"frames", "speech"}
    assert _materialized(instance, "video") == KEYS
    assert _materialized(instance, "audio") == KEYS
    for asset in ("frames", "faces", "text", "summary"):  # which can do without speech
        assert _materialized(instance, asset) == ["b", "c", "d"]
    assert _materialized(instance, "speech") == ["a", "b", "d"]


def test_all_broken(instance, tmp_path):
    for key in KEYS:
        (tmp_path / f"video.{key}").touch()
    with _run(instance) as result:
        ran = {e.step_key for e in result.all_events if e.is_step_start}
    assert ran == {"video"}
    assert all(_materialized(instance, asset) == [] for asset in ASSETS)


def test_an_older_result_does_not_hide_a_failure(instance, tmp_path):
    with _run(instance) as result:
        assert result.success
    assert all(_materialized(instance, asset) == KEYS for asset in ASSETS)
    (tmp_path / "video.b").touch()
    with _run(instance) as result:
        events = result.get_asset_materialization_events()
    assert {e.partition for e in events} == set(GOOD)


def test_single_partition_is_plain_dagster(instance, tmp_path):
    (tmp_path / "video.b").touch()
    with _run(instance, first="b", last="b") as result:
        ran = {e.step_key for e in result.all_events if e.is_step_start}
        retries = [e for e in result.all_events if e.is_step_up_for_retry]
    assert ran == {"video"}
    assert len(retries) == 2  # its own RetryPolicy, its own error
    with _run(instance, first="c", last="c") as result:
        assert result.success
    assert all(_materialized(instance, asset) == ["c"] for asset in ASSETS)


def test_re_execution_from_failure_completes_what_was_passed_over(instance, tmp_path):
    (tmp_path / "frames.b").touch()
    first = _run(instance)
    (tmp_path / "frames.b").unlink()
    options = dg.ReexecutionOptions.from_failure(first.run_id, instance)
    tags = first.dagster_run.tags
    second = dg.execute_job(
        dg.reconstructable(analyze), instance, tags=tags, reexecution_options=options
    )
    assert second.success
    ran = {e.step_key for e in second.all_events if e.is_step_start}
    assert ran == {
        "frames",
        "faces",
        "text",
        "summary",
    }  # the failed step and what lies downstream of it
    assert all(_materialized(instance, asset) == KEYS for asset in ASSETS)
    assert all(_failed(instance, asset) == [] for asset in ASSETS)


def test_what_any_run_before_in_the_chain_of_retries_made_counts(instance, tmp_path):
    (tmp_path / "video.b").touch()
    (tmp_path / "faces.b").touch()
    (tmp_path / "text.b").touch()
    last = _run(instance)
    for mended in ("video", "faces", "text"):
        (tmp_path / f"{mended}.b").unlink()
        options = dg.ReexecutionOptions.from_failure(last.run_id, instance)
        tags = {**last.dagster_run.tags}
        last = dg.execute_job(
            dg.reconstructable(analyze), instance, tags=tags, reexecution_options=options
        )
    assert last.success
    assert {e.step_key for e in last.all_events if e.is_step_start} == {"text"}
    assert _materialized(instance, "text") == KEYS


def test_events_carry_the_tags_that_dagster_writes_itself(instance):
    with _run(instance, first="a", last="b") as result:
        assert result.success
    with _run(instance, first="c", last="c") as result:
        assert result.success
    for asset in ("video", "faces"):
        ours = _materialization_tags(instance, asset, "a")
        theirs = _materialization_tags(instance, asset, "c")
        assert set(theirs) <= set(ours)
        assert ours["dagster/code_version"] == theirs["dagster/code_version"] == "1"
    # So that the UI calls both fresh, and what is not there missing.
    graph = defs.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    for asset in ASSETS:
        statuses = [resolver.get_status(dg.AssetKey(asset), key).name for key in KEYS]
        assert statuses == ["FRESH", "FRESH", "FRESH", "MISSING"], asset


def test_other_executors_mark_nothing_that_is_not(instance, tmp_path):
    """Without the threaded executor a batch with a broken video stops there, and says so."""
    (tmp_path / "video.b").touch()
    with _run(instance, job=reference) as result:
        assert not result.success
    assert _materialized(instance, "video") == GOOD
    assert all(_materialized(instance, asset) == [] for asset in ASSETS[1:])
