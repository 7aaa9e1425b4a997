"""Runs over several videos in which an analyzer takes several at once, down to what is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pytest

from analyzers.base import AnalysisResult, Case
from analyzers.cut_analysis import CutAnalysis
from analyzers.methods.story.model_description import FramesAt
from analyzers.models.cache import process_cache
from analyzers.models.vlm import Answer, Ask
from analyzers.models.vlm_transformers import LocalVlm
from analyzers.models.weights import Manifest, ModelFiles
from analyzers.qwen2_vl_temporal import Qwen2VlTemporal
from resources.media import MediaLibrary
from resources.result_store import ResultStore
from tests.analyzers.made import Brightness
from tests.analyzers.made_upstream import made_shots
from tests.analyzers.models import tiny_vlm
from tests.analyzers.models.chat_server import chat_server
from tests.made_media import write_video
from tests.small_models import file_entry, manifest, model_entry
from tests.tiktok_assets.made_analyzers import made_analyze
from tiktok_assets.analysis import analyze_and_store, models_of
from tiktok_assets.crash_ledger import CrashLedger, Process
from tiktok_assets.settings import Settings


def run_over(
    instance: dg.DagsterInstance, videos: Sequence[str], *assets: str
) -> dg.ExecuteJobResult:
    """As a backfill does it."""
    instance.add_dynamic_partitions("videos", list(videos))
    tags = {
        "dagster/asset_partition_range_start": videos[0],
        "dagster/asset_partition_range_end": videos[-1],
    }
    selection = [dg.AssetKey(name) for name in ("video", "frames", *assets)]
    return dg.execute_job(
        dg.reconstructable(made_analyze), instance, tags=tags, asset_selection=selection
    )


def registered(settings: Settings, tmp_path: Path, count: int) -> list[str]:
    """Videos of unlike size and length."""
    library = MediaLibrary(settings.data_dir)
    sizes = [(96, 128), (160, 96), (128, 128)]
    return [
        library.register(
            write_video(tmp_path / f"{n}.mp4", 2.0 + n % 2, sizes[n % len(sizes)], seed=n)
        )
        for n in range(count)
    ]


class Pairs(Brightness):
    """Takes two at once, and fails on a bad one; `told_apart`: whether it knows which that is."""

    name = "pairs"
    videos_at_once = 2
    seen: ClassVar[list[list[str]]] = []
    at_work: ClassVar[list[int]] = []
    bad = ""
    told_apart = True

    def analyze_together(self, cases: Sequence[Case]) -> list[AnalysisResult | Exception]:
        self.seen.append([video.id for video, _ in cases])
        ledger = Settings().data_dir / "state" / "crashes" / "pairs"
        self.at_work.append(len(list(ledger.iterdir())))
        error = ValueError("the lens cap is on")
        if self.bad in self.seen[-1] and not self.told_apart:
            raise error
        return [
            error if video.id == self.bad else self.analyze(video, upstream)
            for video, upstream in cases
        ]


@pytest.fixture
def three(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    monkeypatch.setattr("tiktok_assets.settings.analyzer_classes", lambda: {"pairs": Pairs})
    Pairs.seen.clear()
    Pairs.at_work.clear()
    yield registered(settings, tmp_path, 3)
    Pairs.bad, Pairs.told_apart = "", True


def stored(settings: Settings) -> tuple[list[str], list[str]]:
    """Videos with a result, and those whose failure is recorded."""
    results = ResultStore(url=settings.results)
    return results.video_ids("pairs"), results.failed_video_ids("pairs")


def test_they_come_in_windows(
    settings: Settings, instance: dg.DagsterInstance, three: list[str]
) -> None:
    assert run_over(instance, three, "pairs").success
    assert Pairs.seen == [three[:2], three[2:]]
    assert Pairs.at_work == [2, 1]  # whom a crash would be counted for
    assert stored(settings) == (sorted(three), [])
    assert instance.get_materialized_partitions(dg.AssetKey("pairs")) == {*three}


@pytest.mark.parametrize("told_apart", [True, False])
def test_one_that_fails_costs_itself(
    settings: Settings, instance: dg.DagsterInstance, three: list[str], told_apart: bool
) -> None:
    Pairs.bad, Pairs.told_apart = three[1], told_apart
    with run_over(instance, three, "pairs") as result:
        [failed] = [e for e in result.all_events if e.is_step_failure]
    message = failed.step_failure_data.user_failure_data.description
    assert message.startswith(
        f"1 of 3 videos failed: {three[1]}: pairs of {three[1]}: the lens cap"
    )
    assert stored(settings) == (sorted({*three} - {three[1]}), [three[1]])
    alone = [] if told_apart else [three[:1], three[1:2]]
    assert Pairs.seen == [three[:2], *alone, three[2:]]


def test_one_that_a_process_died_of_takes_no_other_along(
    settings: Settings, instance: dg.DagsterInstance, three: list[str]
) -> None:
    folder = settings.data_dir / "state" / "crashes"
    path = folder / "pairs" / f"{three[0]}.json"
    path.parent.mkdir(parents=True)
    gone = Process("elsewhere", 1, 0.0)
    path.write_text(json.dumps({"deaths": 0, "in_flight": vars(gone)}))
    assert CrashLedger(folder).deaths("pairs", three[0]) == 1
    assert run_over(instance, three[:2], "pairs").success
    assert Pairs.seen == [[three[0]], [three[1]]]
    assert not list(folder.rglob("*.json"))


# The real one, with tiny models and a real server

SAYS = '{"description": "A red ball rolls over a table, and then it stops.", "actions": []}'


@pytest.fixture
def described(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings under which a tiny Qwen2-VL describes videos of two shots each."""
    folder = tmp_path / "models"
    (folder / "tiny").mkdir(parents=True)
    files = tiny_vlm.save("qwen2_vl", folder / "tiny", SAYS)
    entry = model_entry(
        {name: file_entry(path.read_bytes()) for name, path in files.items()},
        roles=["vlm"],
        loader="analyzers.models.vlm_transformers:load_vlm",
        runtimes={"cpu": ["torch"]},
    )
    real = Manifest.read()
    both = {**real.model_dump(), "models": {**real.models, **manifest({"tiny": entry}).models}}
    listed = ModelFiles(folder, Manifest.model_validate(both))
    monkeypatch.setattr(Settings, "files", lambda self: listed)
    classes = {"cut_analysis": CutAnalysis, "qwen2_vl_temporal": Qwen2VlTemporal}
    monkeypatch.setattr("tiktok_assets.settings.analyzer_classes", lambda: classes)
    monkeypatch.setattr(
        CutAnalysis, "analyze", lambda self, video, upstream: made_shots(video.grid, (0.0, 1.4))
    )
    monkeypatch.setenv("TIKTOK_ASSETS_MODELS", '{"vlm": {"model_id": "tiny"}}')
    own = {"qwen2_vl_temporal": {"settings": {"max_new_tokens": 40, "videos_per_batch": 3}}}
    monkeypatch.setenv("TIKTOK_ASSETS_ANALYZERS", json.dumps(own))
    yield Settings()
    process_cache.clear()


def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many questions went into each batch that the model generates from."""
    sizes: list[int] = []
    generate = LocalVlm._generate

    def counted(self: LocalVlm, asks: Sequence[Ask], max_new_tokens: int) -> list[Answer]:
        sizes.append(len(asks))
        return generate(self, asks, max_new_tokens)

    monkeypatch.setattr(LocalVlm, "_generate", counted)
    return sizes


def descriptions(settings: Settings, video_id: str) -> tuple[Any, ...]:
    result = ResultStore(url=settings.results).read("qwen2_vl_temporal", video_id)
    return result.observations.to_pylist(), result.segments.to_pylist(), result.summary


def test_shots_of_several_videos_share_batches(
    described: Settings,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    videos = registered(described, tmp_path, 4)
    sizes = batches(monkeypatch)
    assert run_over(instance, videos, "cut_analysis", "qwen2_vl_temporal").success
    # Three videos: their six shots, then the three videos; and the fourth by itself.
    assert sizes == [6, 3, 2, 1]
    together = {video_id: descriptions(described, video_id) for video_id in videos}
    results = ResultStore(url=described.results)
    costs = [results.read_json("qwen2_vl_temporal", video_id) for video_id in videos]
    # Each video's own calls and frames: two of each shot, and a text that counts for one.
    uses = [(cost["models"][0]["calls"], cost["models"][0]["items"]) for cost in costs]
    assert uses == [(2, 5)] * 4
    lengths = [cost["seconds"] * cost["realtime_factor"] for cost in costs]
    assert lengths == pytest.approx([2.0, 3.0, 2.0, 3.0], rel=0.05)
    assert len({cost["realtime_factor"] for cost in costs[:3]}) == 1

    sizes.clear()
    analyzer = Qwen2VlTemporal(
        models_of(Qwen2VlTemporal, described), described.analyzer_settings(Qwen2VlTemporal)
    )
    library = MediaLibrary(described.data_dir, described.ladder)
    for video_id in videos:
        with library.open(video_id) as video:
            analyze_and_store(analyzer, video, results, described.enabled())
    assert sizes == [2, 1] * 4
    assert {video_id: descriptions(described, video_id) for video_id in videos} == together
    assert together[videos[0]][2]["described_shot_count"] == 2


def test_frames_that_cannot_be_read_cost_their_video_alone(
    described: Settings,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    videos = registered(described, tmp_path, 3)
    with MediaLibrary(described.data_dir, described.ladder).open(videos[1]) as video:
        torn = len(video.analysis)
    read = FramesAt.__getitem__

    def breaks(self: FramesAt, index: Any) -> Any:
        if len(self._rung) == torn:
            raise OSError("the frames are torn")
        return read(self, index)

    monkeypatch.setattr(FramesAt, "__getitem__", breaks)
    with run_over(instance, videos, "cut_analysis", "qwen2_vl_temporal") as result:
        [failed] = [e for e in result.all_events if e.is_step_failure]
    assert "1 of 3 videos failed" in failed.step_failure_data.user_failure_data.description
    results = ResultStore(url=described.results)
    assert results.video_ids("qwen2_vl_temporal") == sorted([videos[0], videos[2]])
    failure = results.failure("qwen2_vl_temporal", videos[1])
    assert failure
    assert "torn" in failure.error


def test_a_result_that_cannot_be_put_together_has_no_one_asked_again(
    described: Settings,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    videos = registered(described, tmp_path, 3)
    sizes = batches(monkeypatch)
    put_together = Qwen2VlTemporal._result

    def breaks(self: Qwen2VlTemporal, video: Any, *given: Any) -> Any:
        if video.id == videos[1]:
            raise ValueError("no sentence fits")
        return put_together(self, video, *given)

    monkeypatch.setattr(Qwen2VlTemporal, "_result", breaks)
    assert not run_over(instance, videos, "cut_analysis", "qwen2_vl_temporal").success
    assert sizes == [6, 3]
    results = ResultStore(url=described.results)
    assert results.video_ids("qwen2_vl_temporal") == sorted([videos[0], videos[2]])
    failure = results.failure("qwen2_vl_temporal", videos[1])
    assert failure
    assert "no sentence fits" in failure.error


def test_a_server_is_asked_about_several_videos_at_a_time(
    described: Settings,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    videos = registered(described, tmp_path, 3)
    with chat_server(lambda body: (SAYS, "stop")) as chat:
        chat.takes_s = 0.2
        own = {"server_url": chat.url, "server_requests": 5}
        monkeypatch.setenv(
            "TIKTOK_ASSETS_ANALYZERS", json.dumps({"qwen2_vl_temporal": {"settings": own}})
        )
        assert run_over(instance, videos, "cut_analysis", "qwen2_vl_temporal").success
        assert (chat.most_at_once, len(chat.asked)) == (5, 9)  # a video alone has two shots
    results = ResultStore(url=described.results)
    [use] = results.read_json("qwen2_vl_temporal", videos[0])["models"]
    assert (use["calls"], use["items"]) == (3, 5)
