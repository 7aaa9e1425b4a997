"""Several GPUs in one machine: a worker for each, and as many runs at once. No GPU is needed."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from resources import gpu
from resources.gpu import Gpu, visible_gpus
from tests.tiktok_assets.running import PROJECT
from tiktok_assets.settings import Settings
from tiktok_assets.up import _Part, _workers

WORKSPACE = PROJECT / "workspace.yaml"


@pytest.fixture(autouse=True)
def asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    visible_gpus.cache_clear()
    yield
    visible_gpus.cache_clear()


def cards(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    found = [Gpu(i, "card", 0, 16 << 30, 0.0) for i in range(count)]
    monkeypatch.setattr(gpu, "gpus", lambda: found)


def started(tmp_path: Path, **settings: object) -> list[_Part]:
    return _workers(Settings.model_validate(settings), WORKSPACE, tmp_path)


def test_a_worker_for_each_card_that_is_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (visible_gpus(), Settings().worker_count()) == ((), 1)
    visible_gpus.cache_clear()
    cards(monkeypatch, 3)
    assert (visible_gpus(), Settings().worker_count()) == (("0", "1", "2"), 3)
    visible_gpus.cache_clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-5ef")
    assert (visible_gpus(), Settings().worker_count()) == (("2", "GPU-5ef"), 2)
    assert Settings(workers=5).worker_count() == 5
    visible_gpus.cache_clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")  # how one hides them all
    assert (visible_gpus(), Settings().worker_count()) == ((), 1)


def test_one_worker_is_as_it_was(tmp_path: Path) -> None:
    [worker] = started(tmp_path)
    assert worker.name == "worker"
    assert (worker.env, worker.cores) == ({}, frozenset())
    assert worker.command[1:] == ["-m", "tiktok_assets.worker", "-w", str(WORKSPACE)]


def test_each_worker_sees_its_own_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards(monkeypatch, 2)
    workers = started(tmp_path)
    assert [w.env["CUDA_VISIBLE_DEVICES"] for w in workers] == ["0", "1"]
    assert [w.env["TIKTOK_ASSETS_GPU_SHARERS"] for w in workers] == ["1", "1"]
    assert [w.env["TIKTOK_ASSETS_RAM_SHARERS"] for w in workers] == ["2", "2"]
    assert [w.command[-1] for w in workers] == ["worker-0", "worker-1"]
    crowded = started(tmp_path, workers=3)
    assert [w.env["CUDA_VISIBLE_DEVICES"] for w in crowded] == ["0", "1", "0"]
    assert [w.env["TIKTOK_ASSETS_GPU_SHARERS"] for w in crowded] == ["2", "1", "2"]


def test_cores_are_parted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 4, 5, 6, 9})
    assert [w.cores for w in started(tmp_path, workers=2)] == [{3, 5, 9}, {4, 6}]
    assert [w.cores for w in started(tmp_path, workers=6)] == [frozenset()] * 6


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_a_worker_has_what_it_was_given(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    code = """
import os
from analyzers.cores import available_cores
from resources.gpu import visible_gpus
print(available_cores(), visible_gpus())
"""
    made = _Part("w", [sys.executable, "-c", code], tmp_path / "w.log")
    part = replace(made, env={"CUDA_VISIBLE_DEVICES": "1"}, cores=frozenset([core]))
    part.start()
    assert part.process is not None
    assert part.process.wait(60) == 0
    assert part.log_file.read_text().strip() == "1 ('1',)"


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_runs_are_admitted_as_there_are_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT))
    monkeypatch.setenv("TIKTOK_ASSETS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TIKTOK_ASSETS_WORKERS", str(workers))
    with dg.DagsterInstance.get() as instance:
        queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_concurrent_runs == workers + 1
    limits = {str(limit.get("value")): limit["limit"] for limit in queue.tag_concurrency_limits}
    if workers == 1:
        assert list(limits.values()) == [1]  # one for each lane, as dagster.yaml has it
    else:
        assert limits == {"dagster": 3, "errands": 1}
