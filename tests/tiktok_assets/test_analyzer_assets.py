"""The factory, the jobs and the document, with analyzers made on the spot."""

import json

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob

from analyzers.models.lending import Models
from resources.media import MediaLibrary
from resources.result_store import ResultMissing, ResultStore
from tests.analyzers.made import Brightness
from tests.made_media import write_video
from tests.tiktok_assets.made_analyzers import Breaks, Needs, made_analyze, made_definitions, tries
from tiktok_assets import analyze
from tiktok_assets.analysis import _upstream
from tiktok_assets.definitions import build_definitions
from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.settings import Settings


def _run(settings, instance, job, video_id):
    instance.add_dynamic_partitions("videos", [video_id])
    return (
        build_definitions(settings)
        .resolve_job_def(job)
        .execute_in_process(instance=instance, partition_key=video_id, raise_on_error=False)
    )


def _materialized(result):
    return {e.asset_key.to_user_string() for e in result.get_asset_materialization_events()}


def test_each_analyzer_is_an_asset_of_its_own(settings):
    graph = build_definitions(settings).resolve_asset_graph()
    node = graph.get(dg.AssetKey("forgives"))
    assert {k.to_user_string() for k in node.parent_keys} == {"frames", "breaks", "brightness"}
    assert node.group_name == "picture"
    assert node.code_version.startswith("1-")
    assert node.partitions_def.name == "videos"
    assert graph.get(dg.AssetKey("silent")).parent_keys == {dg.AssetKey("audio")}
    assert node.description == "Uses others where they are there."


def test_a_setting_changes_the_code_version_of_its_analyzer_alone(settings):
    def versions(changed):
        graph = build_definitions(changed).resolve_asset_graph()
        return {n: graph.get(dg.AssetKey(n)).code_version for n in ("brightness", "silent")}

    other = Settings(
        data_dir=settings.data_dir, analyzers={"brightness": {"settings": {"threshold": 0.7}}}
    )
    before, after = versions(settings), versions(other)
    assert before["brightness"] != after["brightness"]
    assert before["silent"] == after["silent"]


def test_a_run_writes_results_metadata_and_checks(settings, instance, video_id):
    result = _run(settings, instance, "analyze", video_id)
    store = ResultStore(url=settings.results)
    assert store.read("brightness", video_id).segments.num_rows == 2
    (event,) = [
        e
        for e in result.get_asset_materialization_events()
        if e.asset_key == dg.AssetKey("brightness")
    ]
    metadata = event.materialization.metadata
    assert metadata["dagster/row_count"].value == 10
    assert metadata["segments"].value == 2
    assert metadata["models"].value == ["mean (numpy)"]
    assert metadata["columns"].value.columns[0].name == "level"
    assert metadata["preview"].value.startswith("| time_s | level |")
    assert metadata["realtime_factor"].value > 0
    (check,) = [
        e for e in result.get_asset_check_evaluations() if e.asset_key.path == ["brightness"]
    ]
    assert check.passed
    assert {k: v.value for k, v in check.metadata.items()} == {
        "schema": "ok", "coverage": "ok", "ranges": "ok",
    }  # fmt: skip


def test_what_a_sidecar_says_is_shown_with_the_video(settings, instance, tmp_path):
    path = write_video(tmp_path / "clip.mp4")
    sidecar = {"uploader": "someone", "description": "look #Dance", "view_count": 7}
    (tmp_path / "clip.info.json").write_text(json.dumps(sidecar))
    video_id = MediaLibrary(settings.data_dir).register(path)
    result = _run(settings, instance, "analyze", video_id)
    (event,) = [
        e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey("video")
    ]
    metadata = event.materialization.metadata
    said = metadata["said_of_it"].value
    assert (said["author"], said["hashtags"], said["view_count"]) == ("someone", ["dance"], 7)
    assert "| author | someone |" in metadata["preview"].value
    assert len(metadata["sha256"].value) == 64


def test_a_failure_costs_itself_and_what_requires_it(settings, instance, video_id):
    seen = []
    outcome = analyze.analyze_video(instance, video_id, seen.append)
    assert {s.step for s in seen if s.success} >= {"video", "frames", "brightness", "joins"}
    assert not outcome.cancelled
    assert outcome.errors.keys() == {"breaks", "lies"}, outcome.errors
    assert "breaks of" in outcome.errors["breaks"]
    assert "the lens cap is on" in outcome.errors["breaks"]
    assert "does not cover" in outcome.errors["lies"]
    store = ResultStore(url=settings.results)
    assert not store.has("lies", video_id)
    assert store.read("forgives", video_id).summary["seen"] == "brightness"
    assert store.read("joins", video_id).summary["seen"] == "brightness,silent"
    assert not store.has("needs", video_id)

    document = store.read_json(DOCUMENT, video_id)
    about = document["metadata"]
    assert about["total_analyzers"] == 7
    assert about["successful_analyzers"] == 4
    assert about["failed_analyzers"].keys() == {"breaks", "lies", "needs"}
    assert about["source"]["video_id"] == video_id
    assert document["analyzer_results"]["silent"]["reason"] == "no light"
    assert document["analyzer_results"]["silent"]["notice"] == "Silence is no proof."
    assert document["analyzer_results"]["breaks"]["error"] == outcome.errors["breaks"]
    assert [row["segment"] for row in document["timeline"]] == [0, 1]
    assert document["timeline"][0]["brightness__level"] == pytest.approx(
        document["analyzer_results"]["brightness"]["segments"][0]["level"]
    )
    json.dumps(document, allow_nan=False)


def test_the_report_tells_where_it_is_and_how_large(settings, instance, video_id):
    analyze.analyze_video(instance, video_id)
    event = instance.get_latest_materialization_event(dg.AssetKey("report"))
    metadata = event.asset_materialization.metadata
    file = settings.data_dir / "reports" / f"{video_id}.html"
    assert metadata["report"].value == str(file)
    assert metadata["size_bytes"].value == file.stat().st_size > 10_000
    assert metadata["seconds"].value > 0
    assert event.asset_materialization.partition == video_id

    # The document stands; the video's file is lost.
    MediaLibrary(settings.data_dir).path(video_id).unlink()
    run = (
        made_definitions()
        .resolve_job_def("finish")
        .execute_in_process(
            instance=instance, partition_key=video_id, asset_selection=[dg.AssetKey("report")]
        )
    )
    assert run.success
    assert "frames are not at hand" in file.read_text()


def test_reports_may_stand_at_any_url(settings, instance, video_id, monkeypatch):
    monkeypatch.setenv("TIKTOK_ASSETS_REPORTS_URL", "memory://reports-of-a-test")
    ReconstructableJob.get_definition.cache_clear()
    analyze.analyze_video(instance, video_id)
    event = instance.get_latest_materialization_event(dg.AssetKey("report"))
    where = event.asset_materialization.metadata["report"].value
    assert where == f"memory:///reports-of-a-test/{video_id}.html"
    assert not (settings.data_dir / "reports").exists()


def test_an_error_is_told_where_it_cannot_be_recorded(settings, instance, video_id, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ResultStore, "write_failure", full)
    outcome = analyze.analyze_video(instance, video_id)
    assert outcome.errors["breaks"].startswith(f"breaks of {video_id}: the lens cap is on")


def test_what_needs_a_failed_one_does_not_pass_for_current(
    settings, instance, video_id, monkeypatch
):
    with monkeypatch.context() as mended:
        mended.setattr(Breaks, "analyze", Brightness.analyze)
        assert "needs" in analyze.analyze_video(instance, video_id).done
    store = ResultStore(url=settings.results)
    assert store.has("needs", video_id)
    outcome = analyze.analyze_video(instance, video_id)
    assert "needs" not in outcome.done | outcome.errors.keys()
    entry = store.read_json(DOCUMENT, video_id)["analyzer_results"]["needs"]
    assert entry["status"] == "failed"
    assert entry["error"].startswith("needs needs breaks, which failed: breaks of")
    # Nor is it made of what a failed attempt left standing.
    with pytest.raises(ResultMissing, match="the last attempt at breaks failed"):
        _upstream(Needs(Models({})), store, video_id, settings.enabled())


def test_an_interrupted_finish_and_a_run_that_breaks_outside_of_its_steps_are_told(
    settings, instance, video_id, monkeypatch
):
    def interrupted(self, active):
        if self._context.job_name != "finish":
            return False
        instance.report_run_canceling(self._context.dagster_run)
        return True

    with monkeypatch.context() as stopped:
        stopped.setattr("tiktok_assets.executor._Interrupts.received", interrupted)
        assert analyze.analyze_video(instance, video_id).cancelled

    def broken(*_):
        raise ValueError("no such place")

    monkeypatch.setattr("tiktok_assets.executor._start", broken)
    outcome = analyze.analyze_video(instance, video_id)
    assert "no such place" in outcome.errors["analyze"]


def test_a_backfill_run_loses_only_the_broken_video(settings, instance, tmp_path):
    library = MediaLibrary(settings.data_dir)
    good = library.register(write_video(tmp_path / "good.mp4"))
    fine = library.register(write_video(tmp_path / "fine.mp4", seed=1))
    (tmp_path / "cut off.mp4").write_bytes((tmp_path / "good.mp4").read_bytes()[:900])
    broken = library.register(tmp_path / "cut off.mp4")
    instance.add_dynamic_partitions("videos", [good, broken, fine])
    tags = {
        "dagster/asset_partition_range_start": good,
        "dagster/asset_partition_range_end": fine,
    }
    with dg.execute_job(dg.reconstructable(made_analyze), instance, tags=tags) as result:
        failed = {e.step_key: analyze._sentence(e) for e in result.all_events if e.is_step_failure}
    assert "1 of 3 videos failed" in failed["video"]
    assert broken in failed["video"]
    store = ResultStore(url=settings.results)
    for name in ("brightness", "silent", "forgives"):
        assert store.video_ids(name) == sorted([good, fine])
        made = instance.get_materialized_partitions(dg.AssetKey(name))
        assert made == {good, fine}
    assert store.failed_video_ids("breaks") == sorted([good, fine])


def test_what_may_pass_is_tried_again_in_a_backfill_run_too(
    settings, instance, tmp_path, monkeypatch
):
    monkeypatch.setenv("TIKTOK_ASSETS_ANALYZERS", '{"moody": {"enabled": true}}')
    library = MediaLibrary(settings.data_dir)
    videos = [library.register(write_video(tmp_path / f"{n}.mp4", seed=n)) for n in range(2)]
    instance.add_dynamic_partitions("videos", videos)
    tries.clear()
    tags = {
        "dagster/asset_partition_range_start": videos[0],
        "dagster/asset_partition_range_end": videos[1],
    }
    selection = [dg.AssetKey(n) for n in ("video", "frames", "moody")]
    with dg.execute_job(
        dg.reconstructable(made_analyze), instance, tags=tags, asset_selection=selection
    ) as result:
        assert result.success
        [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("contract", True)
    assert {k: v.value for k, v in check.metadata.items()} == {"videos": 2, "broken": []}
    assert tries == [videos[0], videos[0], videos[1]]
    assert instance.get_materialized_partitions(dg.AssetKey("moody")) == set(videos)
