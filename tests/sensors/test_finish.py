import uuid

import dagster as dg
import pytest

from sensors.finish import INLINE_TAG, finish_sensor

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
    sensors=[finish_sensor(FINISH, "document", {"frames", "colour"}, VIDEOS, most_runs=3)],
)


A, B = "a-00000001", "b-00000002"


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("videos", [A, B])
        yield instance


class _Watch:
    """The sensor from tick to tick; what it requests is kept."""

    def __init__(self, instance):
        self._instance, self._cursor, self.asked = instance, None, []
        assert self.tick() == []

    def tick(self):
        context = dg.build_sensor_context(self._instance, cursor=self._cursor)
        answer = DEFS.resolve_sensor_def("finish_ended_runs")(context)
        self._cursor = answer.cursor
        self.asked += answer.run_requests or []
        return [request.partition_key for request in answer.run_requests or []]


@pytest.fixture
def watch(instance):
    return _Watch(instance)


def _run(instance, job="analyze", key=A, tags=None, fail=None):
    DEFS.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=key,
        tags={**(tags or {}), **({"toy/fail": fail} if fail else {})},
        raise_on_error=False,
    )


def _ended(instance, status, assets=(), **tags):
    """A run that is over without having been one, as a backfill's or a canceled one."""
    run = instance.add_run(
        dg.DagsterRun(
            job_name="analyze",
            run_id=str(uuid.uuid4()),
            tags={f"dagster/{k}": v for k, v in tags.items()},
            asset_selection={dg.AssetKey(name) for name in assets} or None,
        )
    )
    instance.report_dagster_event(dg.DagsterEvent(status.value, "analyze"), run.run_id)


def _backfill(instance, first, last):
    _ended(
        instance,
        dg.DagsterEventType.RUN_SUCCESS,
        asset_partition_range_start=first,
        asset_partition_range_end=last,
    )


def test_a_run_that_succeeded_is_finished_once(instance, watch):
    _run(instance)
    assert watch.tick() == [A]
    [request] = watch.asked
    assert (request.job_name, request.tags["dagster/priority"]) == ("finish", "1")
    assert watch.tick() == []


def test_runs_that_ended_together_are_finished_in_one_tick(instance, watch):
    _run(instance)
    _run(instance, job="finish")
    _run(instance, key=B, fail="colour")
    _run(instance)
    assert sorted(watch.tick()) == [A, A, B]
    assert len({request.run_key for request in watch.asked}) == 3


def test_what_ended_before_the_first_tick_is_left_alone(instance):
    _run(instance)
    assert _Watch(instance).tick() == []


def test_a_run_that_lost_an_analyzer_is_finished_too(instance, watch):
    _run(instance, fail="colour")
    assert watch.tick() == [A]


def test_a_video_that_was_never_decoded_gets_no_document(instance, watch):
    _run(instance, fail="frames")
    assert watch.tick() == []


def test_a_run_that_was_canceled_is_finished_where_there_are_frames(instance, watch):
    _run(instance, tags={INLINE_TAG: "inline"})
    for key in (A, B):
        _ended(instance, dg.DagsterEventType.RUN_CANCELED, partition=key)
    assert watch.tick() == [A]


@pytest.mark.parametrize(
    ("job", "tags"),
    [
        ("finish", {}),
        ("analyze", {INLINE_TAG: "inline"}),  # whoever started it makes the rest
        ("analyze", {"dagster/will_retry": "true"}),
    ],
)
def test_nothing_is_requested_twice(instance, watch, job, tags):
    _run(instance, job=job, tags=tags)
    assert watch.tick() == []


@pytest.mark.parametrize(
    ("assets", "finished"),
    [(["colour"], [A]), (["colour", "document"], []), (["other"], [])],
)
def test_a_run_of_chosen_assets_is_finished_where_it_analyzed_and_did_not_finish(
    instance, watch, assets, finished
):
    _run(instance, tags={INLINE_TAG: "inline"})
    _ended(instance, dg.DagsterEventType.RUN_SUCCESS, assets, partition=A)
    assert watch.tick() == finished


def test_each_video_of_a_backfill_is_finished(instance, watch):
    for key in (A, B):
        _run(instance, key=key, tags={INLINE_TAG: "inline"})
    _backfill(instance, A, B)
    assert watch.tick() == [A, B]


def test_a_large_backfill_is_finished_over_several_ticks(instance, watch):
    many = [f"v-{n:08d}" for n in range(7)]
    instance.add_dynamic_partitions("videos", many)
    for key in many:
        _run(instance, key=key, tags={INLINE_TAG: "inline"})
    _backfill(instance, many[0], many[-1])
    _run(instance, key=A)
    assert [watch.tick() for _ in range(5)] == [many[:3], many[3:6], [many[6], A], [], []]


def test_a_video_deleted_in_between_costs_no_other(instance, watch):
    many = [f"v-{n:08d}" for n in range(5)]
    instance.add_dynamic_partitions("videos", many)
    for key in many:
        _run(instance, key=key, tags={INLINE_TAG: "inline"})
    _backfill(instance, many[0], many[-1])
    assert watch.tick() == many[:3]
    instance.delete_dynamic_partition("videos", many[2])
    asked = [key for _ in range(3) for key in watch.tick()]
    assert set(asked) >= {many[3], many[4]}
    # One is asked for again by the same key, of which Dagster makes no second run.
    assert len({request.run_key for request in watch.asked}) == 5


def test_a_range_whose_bound_was_deleted_holds_up_nothing(instance, watch):
    _backfill(instance, A, "gone-00000003")
    _run(instance, key=B)
    assert watch.tick() == [B]


def test_a_run_that_was_deleted_holds_up_nothing(instance, watch):
    _run(instance)
    instance.delete_run(instance.get_runs()[0].run_id)
    _run(instance, key=B)
    assert watch.tick() == [B]
