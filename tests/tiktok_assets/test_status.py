"""What `status`, the live view and the metrics tell of a library made on the spot."""

import json
import os
import re
import time
import uuid
from dataclasses import asdict
from pathlib import Path

import dagster as dg
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from resources.gpu import Gpu
from resources.media import MediaLibrary
from resources.result_store import ResultStore
from resources.url_lists import ListedUrl
from resources.url_queue import UrlQueue
from tiktok_assets import lanes, status_view
from tiktok_assets.analysis import analyze_and_store, models_of
from tiktok_assets.analyze import remake
from tiktok_assets.metrics import registry
from tiktok_assets.monitor import monitor
from tiktok_assets.partitions import add_video
from tiktok_assets.status import OWN_PROCESS, collect
from tiktok_assets.watchdog import HeldModel, Pulse

DASHBOARD = Path(__file__).resolve().parents[2] / "docs" / "grafana-dashboard.json"


@pytest.fixture
def broken_id(settings, tmp_path):
    """A registered file that is no video."""
    file = tmp_path / "broken.mp4"
    file.write_bytes(b"not a video at all" * 100)
    return MediaLibrary(settings.data_dir).register(file)


@pytest.fixture
def attempt(settings):
    """Tries an analyzer on a video, and stores what came of it."""
    results = ResultStore(url=settings.results)
    library = MediaLibrary(settings.data_dir)

    def call(name, video_id):
        cls = settings.enabled()[name]
        try:
            with library.open(video_id) as video:
                analyzer = cls(models_of(cls, settings), settings.analyzer_settings(cls))
                analyze_and_store(analyzer, video, results, settings.enabled())
        except ValueError as error:
            results.write_failure(name, video_id, str(error))

    return call


def _rows(settings, instance):
    return {row.analyzer: row for row in collect(settings, instance).analyzers}


def test_failures_have_reasons(settings, instance, video_id, broken_id, attempt):
    attempt("brightness", video_id)
    attempt("breaks", video_id)
    add_video(instance, broken_id)
    remake(instance, broken_id, ["video"])
    status = collect(settings, instance)
    rows = _rows(settings, instance)
    assert status.videos == sorted([video_id, broken_id])
    assert list(status.refused["video"]) == [broken_id]
    assert "broken.mp4" in status.refused["video"][broken_id]
    assert rows["brightness"].results == 1
    assert rows["brightness"].missing == 0  # the broken one is told once, at the top
    assert rows["silent"].missing == 1
    assert rows["brightness"].success_ratio == 1.0
    assert rows["silent"].success_ratio is None
    assert "the lens cap is on" in rows["breaks"].failures[video_id]
    assert rows["breaks"].success_ratio == 0.0
    assert "needs breaks, which failed" in rows["needs"].failures[video_id]


def test_a_result_is_no_success_when_what_it_requires_failed_since(
    settings, instance, video_id, attempt, monkeypatch
):
    enabled = settings.enabled()
    with monkeypatch.context() as mended:
        mended.setattr(enabled["breaks"], "analyze", enabled["brightness"].analyze)
        attempt("breaks", video_id)
    attempt("needs", video_id)
    rows = _rows(settings, instance)
    assert (rows["breaks"].results, rows["needs"].results) == (1, 1)
    attempt("breaks", video_id)
    rows = _rows(settings, instance)
    assert (rows["breaks"].results, rows["needs"].results) == (0, 0)
    assert rows["needs"].failures.keys() == {video_id}


def test_a_video_that_is_mended_is_refused_no_more(settings, instance, video_id):
    library = MediaLibrary(settings.data_dir)
    file = library.path(video_id)
    content = file.read_bytes()
    file.unlink()
    add_video(instance, video_id)
    remake(instance, video_id, ["video"])
    assert "bytes are gone" in collect(settings, instance).refused["video"][video_id]
    file.write_bytes(content)
    remake(instance, video_id, ["video"])
    assert collect(settings, instance).refused == {"video": {}, "frames": {}, "audio": {}}


def _run_of(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, **tags: str) -> None:
    instance.add_run(
        dg.DagsterRun(job_name="analyze", run_id=str(uuid.uuid4()), status=status,
                      tags={key.replace("__", "/"): value for key, value in tags.items()})
    )  # fmt: skip


def _busy_worker(folder: Path) -> None:
    """As this process would tell of itself, were it a worker."""
    model = HeldModel("yolo26n", "detector", "cpu", 120.0, resident=True, loads=1, hits=4)
    gone = HeldModel("fer", "emotion", "cpu", 30.0, resident=False, loads=2, hits=0)
    pulse = Pulse(time.monotonic() - 3, steps={"faces": 0.5, "voices": None}, models=(model, gone))
    folder.mkdir(parents=True)
    (folder / f"{os.getpid()}.json").write_text(json.dumps(asdict(pulse)))
    (folder / "999999999.json").write_text(json.dumps(asdict(pulse)))  # a process that is gone


@pytest.fixture
def busy(settings, instance, video_id, monkeypatch):
    """Something of everything."""
    queued, started = dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED
    _run_of(instance, queued, tiktok__lane=lanes.ANALYSIS)
    _run_of(instance, queued, tiktok__lane=lanes.ANALYSIS)
    _run_of(instance, started, tiktok__lane=lanes.ERRANDS)
    _run_of(instance, started, dagster__partition=video_id)
    _run_of(instance, dg.DagsterRunStatus.SUCCESS, tiktok__lane=lanes.ANALYSIS)
    urls = UrlQueue(settings.data_dir / "state" / "urls.sqlite")
    urls.add([ListedUrl("https://example.com/1"), ListedUrl("https://example.com/2")])
    urls.failed("https://example.com/2", "private", "it is private")
    _busy_worker(settings.data_dir / "state" / "workers" / "worker")
    gpu = Gpu(0, "NVIDIA H200", 10 * 10**9, 150 * 10**9, 0.25)
    monkeypatch.setattr("tiktok_assets.status.gpus", lambda: [gpu])
    return collect(settings, instance)


def test_queue_worker_models_gpu_and_disk(busy, video_id):
    assert busy.queue.waiting == {"analysis": 2}
    assert {(run.lane, run.video_id) for run in busy.queue.running} == {
        ("errands", None),
        (OWN_PROCESS, video_id),
    }
    assert busy.queue.urls == {"queued": 1, "downloading": 0, "done": 0, "failed": 1}
    (worker,) = busy.workers
    assert (worker.name, worker.pid) == ("worker", os.getpid())
    assert 3 <= worker.silent_s < 30
    assert worker.memory_bytes > 10**7
    assert [(model.model_id, model.resident) for model in worker.models] == [
        ("yolo26n", True),
        ("fer", False),
    ]
    assert busy.disk.free_bytes > 0
    assert busy.disk.folder_bytes["library"] > 0
    assert json.loads(busy.model_dump_json())["gpus"][0]["memory_used_bytes"] == 10**10


def test_all_of_it_is_shown(busy):
    console = Console(width=200, record=True, force_terminal=False)
    status_view.show(busy, console)
    shown = console.export_text()
    for said in ("2 in analysis", "1 queued", "1 failed", "faces 50%", "yolo26n (cpu)",
                 "NVIDIA H200, 10.0 of 150.0 GB, 25% busy", "nothing new below 5 GB"):  # fmt: skip
        assert said in shown
    assert "fer" not in shown.split()  # it is not resident


@pytest.mark.parametrize("width", [80, 160])
def test_the_live_view_fits_the_terminal(settings, instance, busy, width):
    console = Console(width=width, record=True, force_terminal=False)
    monitor(settings, console, every_s=0.0, most_looks=2)
    shown = console.export_text()
    assert "brightness" in shown
    assert "works on" in shown
    assert max(len(line) for line in shown.splitlines()) <= width


def _scraped(status) -> dict[str, dict[tuple[str, ...], float]]:
    """By name, the values by labels, which are in the order of their names."""
    text = generate_latest(registry(lambda: status)).decode()
    return {
        sample.name: {
            tuple(s.labels.values()): s.value for s in family.samples if s.name == sample.name
        }
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_metrics_are_those_of_the_status(busy):
    found = _scraped(busy)
    assert found["tiktok_assets_videos"] == {(): 1}
    assert found["tiktok_assets_analyzer_missing_videos"][("brightness",)] == 1
    assert found["tiktok_assets_runs_queued"] == {("analysis",): 2, ("errands",): 0}
    assert found["tiktok_assets_runs_in_progress"] == {
        ("analysis",): 0, ("errands",): 1, (OWN_PROCESS,): 1,
    }  # fmt: skip
    assert found["tiktok_assets_urls"][("failed",)] == 1
    assert found["tiktok_assets_model_resident"][("cpu", "yolo26n", "worker")] == 1
    assert found["tiktok_assets_model_loads_total"][("cpu", "fer", "worker")] == 2
    assert found["tiktok_assets_gpu_memory_used_bytes"] == {("0", "NVIDIA H200"): 10**10}
    assert found["tiktok_assets_disk_floor_bytes"] == {(): 5e9}


def test_the_dashboard_asks_only_for_metrics_there_are(busy):
    dashboard = json.loads(DASHBOARD.read_text())
    asked = {
        metric
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
        for metric in re.findall(r"tiktok_assets_\w+", target["expr"])
    }
    there = set(_scraped(busy)) | {"tiktok_assets_analyzer_success_ratio"}  # nothing was tried
    assert len(asked) > 10
    assert asked <= there
    places = [tuple(panel["gridPos"].values()) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
