import dagster as dg
import pytest

from sensors.finish import INLINE_TAG, _nothing_to_do, finish_sensors

VIDEOS = dg.DynamicPartitionsDefinition(name="videos")
_made: list[str] = []


def _asset(name, **kwargs):
    def compute(context):
        _made.append(name)
        if context.run.tags.get("toy/fail") == name:
            raise ValueError("toy failure")

    compute.__name__ = name
    return dg.asset(name=name, partitions_def=VIDEOS, **kwargs)(compute)


FINISH = dg.define_asset_job("finish", selection=["document"])
ANALYZE = dg.define_asset_job("analyze", selection=["frames", "colour"])
DEFS = dg.Definitions(
    assets=[
        _asset("frames"),
        _asset("colour", deps=["frames"]),
        _asset("document", deps=["colour"]),
    ],
    jobs=[ANALYZE, FINISH],
    sensors=finish_sensors(FINISH, "document", {"frames", "colour"}, VIDEOS),
)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("videos", ["a-00000001", "b-00000002"])
        yield instance


def _ask(instance, sensor, job, tags=None, fail=None):
    result = DEFS.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key="a-00000001",
        tags={**(tags or {}), **({"toy/fail": fail} if fail else {})},
        raise_on_error=False,
    )
    event = result.get_run_failure_event() if fail else result.get_run_success_event()
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor,
        dagster_instance=instance,
        dagster_run=instance.get_run_by_id(result.run_id),
        dagster_event=event,
    )
    if fail:
        context = context.for_run_failure()
    return DEFS.get_sensor_def(sensor)(context)


def _requested(answer):
    return [(r.job_name, r.partition_key) for r in answer]


def test_a_run_that_succeeded_is_finished(instance):
    answer = _ask(instance, "finish_after_success", "analyze")
    assert _requested(answer) == [("finish", "a-00000001")]
    assert answer[0].tags["dagster/priority"] == "1"


def test_a_run_that_lost_an_analyzer_is_finished_too(instance):
    answer = _ask(instance, "finish_after_failure", "analyze", fail="colour")
    assert _requested(answer) == [("finish", "a-00000001")]


def test_a_video_that_was_never_decoded_gets_no_document(instance):
    assert _requested(_ask(instance, "finish_after_failure", "analyze", fail="frames")) == []


def _canceled(instance, key):
    run = dg.DagsterRun(
        job_name="analyze",
        run_id="00000000-0000-0000-0000-000000000001",
        tags={"dagster/partition": key},
    )
    event = dg.DagsterEvent(event_type_value="PIPELINE_CANCELED", job_name="analyze")
    context = dg.build_run_status_sensor_context(
        sensor_name="finish_after_cancellation",
        dagster_instance=instance,
        dagster_run=run,
        dagster_event=event,
    )
    return DEFS.get_sensor_def("finish_after_cancellation")(context)


def test_a_run_that_was_canceled_is_finished_where_there_are_frames(instance):
    _ask(instance, "finish_after_failure", "analyze", fail="colour")
    assert _requested(_canceled(instance, "a-00000001")) == [("finish", "a-00000001")]
    assert _requested(_canceled(instance, "b-00000002")) == []


@pytest.mark.parametrize(
    ("job", "tags", "why"),
    [
        ("finish", {}, "a finish run needs no other"),
        ("analyze", {INLINE_TAG: "inline"}, "whoever started the run"),
        ("analyze", {"dagster/will_retry": "true"}, "will be retried"),
    ],
)
def test_nothing_is_requested_twice(instance, job, tags, why):
    answer = _ask(instance, "finish_after_success", job, tags)
    assert isinstance(answer, dg.SkipReason)
    assert why in answer.skip_message


def test_each_video_of_a_backfill_is_finished(instance):
    job = DEFS.resolve_job_def("analyze")
    for key in ("a-00000001", "b-00000002"):
        last = job.execute_in_process(instance=instance, partition_key=key)
    run = dg.DagsterRun(
        job_name="analyze",
        run_id="00000000-0000-0000-0000-000000000000",
        tags={
            "dagster/asset_partition_range_start": "a-00000001",
            "dagster/asset_partition_range_end": "b-00000002",
        },
    )
    context = dg.build_run_status_sensor_context(
        sensor_name="finish_after_success",
        dagster_instance=instance,
        dagster_run=run,
        dagster_event=last.get_run_success_event(),
    )
    answer = DEFS.get_sensor_def("finish_after_success")(context)
    assert _requested(answer) == [("finish", "a-00000001"), ("finish", "b-00000002")]


def test_a_ui_run_of_all_needs_no_finish(instance):
    run = dg.DagsterRun(
        job_name="__ASSET_JOB",
        run_id="00000000-0000-0000-0000-000000000000",
        asset_selection={dg.AssetKey("colour"), dg.AssetKey("document")},
        tags={"dagster/partition": "a-00000001"},
    )
    assert "made the document" in _nothing_to_do(run, "finish", "document", {"colour"})
