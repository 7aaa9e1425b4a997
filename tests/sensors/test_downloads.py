import json

import dagster as dg
import pytest

from resources import disk
from resources.drop_folder import DropFolder
from resources.media import MediaLibrary
from sensors.downloads import MOST_WAITING, downloads_sensor

VIDEOS = dg.DynamicPartitionsDefinition(name="videos")


@dg.asset(partitions_def=VIDEOS)
def frames():
    pass


ANALYZE = dg.define_asset_job("analyze", selection=["frames"])


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def tick(tmp_path, instance):
    """One tick after the other: the sensor's answer, of which nothing is carried out."""
    drop = tmp_path / "downloads"
    drop.mkdir()
    sensor = downloads_sensor(
        ANALYZE,
        VIDEOS,
        lambda: DropFolder(
            [drop],
            MediaLibrary(tmp_path),
            tmp_path / "rejected",
            tmp_path / "state" / "downloads.sqlite",
            settle_s=0.0,
            check=lambda path, limits: None,
        ),
        tmp_path,
        min_free_gb=0.001,
        most_runs=3,
        budget_s=20.0,
    )
    defs = dg.Definitions(assets=[frames], jobs=[ANALYZE], sensors=[sensor])
    cursor = None

    def evaluate():
        nonlocal cursor
        context = dg.build_sensor_context(instance, cursor=cursor, definitions=defs)
        answer = sensor(context)
        if isinstance(answer, dg.SensorResult):
            cursor = answer.cursor
        return answer

    evaluate.drop = drop
    return evaluate


def _carry_out(instance, answer):
    """What the daemon makes of an answer."""
    for request in answer.dynamic_partitions_requests:
        instance.add_dynamic_partitions("videos", list(request.partition_keys))
    for request in answer.run_requests:
        instance.create_run_for_job(
            dg.Definitions(assets=[frames], jobs=[ANALYZE]).resolve_job_def("analyze"),
            tags={"dagster/run_key": request.run_key, "dagster/partition": request.partition_key},
        )


def _drop(tick, count):
    for number in range(count):
        (tick.drop / f"clip{number}.mp4").write_bytes(b"%d" % number)


def test_a_tick_adds_the_partition_and_requests_the_run(tick, instance):
    _drop(tick, 1)
    answer = tick()
    (request,) = answer.run_requests
    assert request.partition_key == "clip0-5feceb66"
    assert answer.dynamic_partitions_requests[0].partition_keys == ["clip0-5feceb66"]
    _carry_out(instance, answer)
    assert not tick().run_requests


def test_a_tick_takes_no_more_than_it_may(tick, instance):
    _drop(tick, 7)
    seen = []
    for _ in range(3):
        answer = tick()
        assert len(answer.run_requests) <= 3
        seen += [request.partition_key for request in answer.run_requests]
        _carry_out(instance, answer)
    assert len(seen) == len(set(seen)) == 7


def test_a_daemon_killed_before_it_made_the_run_asks_for_the_same_one_again(tick, instance):
    _drop(tick, 2)
    first = {r.run_key: r.partition_key for r in tick().run_requests}
    again = tick()
    assert {r.run_key: r.partition_key for r in again.run_requests} == first
    _carry_out(instance, again)
    assert not tick().run_requests


def test_the_tick_says_what_is_the_same_video(tick, instance):
    _drop(tick, 1)
    _carry_out(instance, tick())
    (tick.drop / "copy.mp4").write_bytes(b"0")
    answer = tick()
    assert not answer.run_requests
    said = str(answer.skip_reason)
    assert "copy.mp4: the same bytes as clip0-5feceb66, not analyzed again." in said


def test_a_full_disk_is_said_and_nothing_is_begun(tick, monkeypatch):
    _drop(tick, 1)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: type("", (), {"free": 100_000}))
    answer = tick()
    assert isinstance(answer, dg.SkipReason)
    assert "less than the 0.001 GB" in answer.skip_message


def test_files_wait_while_many_runs_do(tick, instance, monkeypatch):
    _drop(tick, 1)
    monkeypatch.setattr(type(instance), "get_runs_count", lambda *_, **__: MOST_WAITING)
    answer = tick()
    assert isinstance(answer, dg.SkipReason)
    assert "wait for a worker" in answer.skip_message


def test_the_cursor_holds_only_what_is_waited_for(tick, instance):
    _drop(tick, 5)
    answer = tick()
    assert len(json.loads(answer.cursor)) == 2
    _carry_out(instance, answer)
    assert json.loads(tick().cursor) == {}
