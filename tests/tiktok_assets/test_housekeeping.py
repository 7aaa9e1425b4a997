import os
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test, freeze_time

from resources.media import MediaLibrary
from resources.result_store import ResultStore
from tiktok_assets.analyze import analyze_video
from tiktok_assets.housekeeping import sweep
from tiktok_assets.settings import RetentionSettings, Settings

DAY_S = 24 * 3600
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE


def _keeping(settings, **days) -> Settings:
    retention = RetentionSettings(**{"results_days": 0, "runs_days": 0, "rejected_days": 0, **days})
    return settings.model_copy(update={"retention": retention})


def _run(instance, days_ago, status=SUCCESS, job="analyze", video="clip-1", selection=None):
    tags = {"dagster/partition": video} if video else {}
    with freeze_time(datetime.now(UTC) - timedelta(days=days_ago)):
        return create_run_for_test(
            instance, job_name=job, status=status, tags=tags, asset_selection=selection
        ).run_id


def _left(instance):
    return {run.run_id for run in instance.get_runs()}


@pytest.fixture
def known(instance):
    instance.add_dynamic_partitions("videos", ["clip-1"])


def test_a_run_is_removed_when_it_is_old_and_a_later_one_did_the_same(instance, settings, known):
    first = _run(instance, 90)
    second = _run(instance, 60)
    young = _run(instance, 1)
    assert sweep(instance, _keeping(settings, runs_days=30)).runs == 2
    assert _left(instance) == {young}
    assert first != second


def test_the_last_run_of_a_video_stays_however_old(instance, settings, known):
    kept = {
        _run(instance, 90),
        _run(instance, 90, job="finish"),
        _run(instance, 80, status=FAILURE),
        _run(instance, 70, job="only_cuts"),
    }
    sweep(instance, _keeping(settings, runs_days=30))
    assert _left(instance) == kept


def test_a_part_does_not_stand_for_the_whole(instance, settings, known):
    whole = _run(instance, 90)
    _run(instance, 60, selection=frozenset({dg.AssetKey("cuts")}))
    sweep(instance, _keeping(settings, runs_days=30))
    assert whole in _left(instance)


def test_runs_of_videos_that_are_gone_and_of_errands_are_removed(instance, settings, known):
    _run(instance, 90, video="gone-2")
    _run(instance, 90, job="housekeeping", video=None)
    assert sweep(instance, _keeping(settings, runs_days=30)).runs == 2


def test_a_run_that_has_not_ended_stays(instance, settings, known):
    started = _run(instance, 90, status=dg.DagsterRunStatus.STARTED)
    _run(instance, 60)
    sweep(instance, _keeping(settings, runs_days=30))
    assert started in _left(instance)


def test_a_removed_run_leaves_no_file(instance, settings, known, tmp_path):
    gone = _run(instance, 90)
    instance.all_logs(gone)
    _run(instance, 60)
    sweep(instance, _keeping(settings, runs_days=30))
    root = instance.root_directory
    assert not [p for _, _, names in os.walk(root) for p in names if gone in p]


def test_an_old_video_is_removed_with_all_that_was_made_of_it(instance, settings, video_id):
    analyze_video(instance, video_id)
    results, library = ResultStore(url=settings.results), MediaLibrary(settings.data_dir)
    for path in settings.data_dir.rglob("*.json"):
        os.utime(path, (time.time() - 8 * DAY_S,) * 2)
    assert not sweep(instance, _keeping(settings, results_days=9)).videos
    assert library.video_ids() == [video_id]
    assert sweep(instance, _keeping(settings, results_days=7)).videos == [video_id]
    assert not library.video_ids()
    assert not results.has("brightness", video_id)
    assert not instance.get_dynamic_partitions("videos")
    left = [p for p in settings.data_dir.rglob("*") if p.is_file() and video_id in p.name]
    assert left == []


def test_a_video_in_hand_is_not_removed(instance, settings, video_id):
    analyze_video(instance, video_id)
    for path in settings.data_dir.rglob("*.json"):
        os.utime(path, (time.time() - 8 * DAY_S,) * 2)
    _run(instance, 0, status=dg.DagsterRunStatus.STARTED, video=video_id)
    assert not sweep(instance, _keeping(settings, results_days=7)).videos


def test_leftovers_and_rejected_files_go_when_they_are_old(instance, settings):
    MediaLibrary(settings.data_dir)
    old = {
        "library/.new-1", "library/.sha256/.new-2", "partial/clip.mp4.part",
        "results/cuts/json/.a.json.1.tmp", "reports/.a.html.1.tmp", "rejected/song.mp4",
        "rejected/song.mp4.txt",
    }  # fmt: skip
    for name in old:
        for path in (settings.data_dir / name, settings.data_dir / f"{name}-young.tmp"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        os.utime(settings.data_dir / name, (time.time() - 31 * DAY_S,) * 2)
    swept = sweep(instance, _keeping(settings, rejected_days=30))
    assert (swept.rejected, swept.leftovers) == (2, 5)
    assert not [name for name in old if (settings.data_dir / name).exists()]
    assert all((settings.data_dir / f"{name}-young.tmp").exists() for name in old)


def test_the_frame_cache_is_brought_under_its_bound(instance, settings, video_id):
    library = MediaLibrary(settings.data_dir)
    with library.open(video_id):
        pass
    small = _keeping(settings).model_copy(update={"frame_cache_gb": 1e-9})
    assert sweep(instance, small).ladders == 1
