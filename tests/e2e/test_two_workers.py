"""Two workers for analysis: runs are spread, and one that is killed costs the other nothing.

The two GPUs are only said to be there: each worker sees its own as its only one, and works on the
CPU, where torch finds none.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from benchmarks.short_clips import cut
from resources.result_store import ResultStore
from tests.e2e.site import ANALYZERS, DOCUMENT, MEDIA, Site
from tests.tiktok_assets.running import free_port
from tiktok_assets.watchdog import Pulse, living

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

NAMES = ("worker-0", "worker-1")
VIDEOS = 6


class TwoWorkers(Site):
    """`up` on a machine that says it has two GPUs."""

    def command(self) -> list[str]:
        self.api_port = free_port()
        ports = ["--port", str(self.port), "--api-port", str(self.api_port)]
        return ["-m", "tiktok_assets", "up", *ports]

    def environment(self) -> dict[str, str]:
        return super().environment() | {"CUDA_VISIBLE_DEVICES": "0,1"}

    def pulses(self) -> dict[str, tuple[int, Pulse]]:
        """The child of each worker that is up, and what it says of itself."""
        found = {}
        for name in NAMES:
            for pid, pulse in living(self.data / "state" / "workers" / name).items():
                found[name] = (pid, pulse)
        return found

    def at_work_on(self) -> dict[str, list[str]]:
        """The analyzers that each worker is at."""
        steps = {name: sorted(p.steps.keys() & ANALYZERS) for name, (_, p) in self.pulses().items()}
        return {name: own for name, own in steps.items() if own}

    def processes_of_runs(self) -> dict[str, int]:
        """In which process each run was, by its id."""
        pids = {}
        for run in self.all_runs():
            for event in self.run(run["runId"])["eventConnection"]["events"]:
                if "Executing steps on up to" in (said := event.get("message", "")):
                    pids[run["runId"]] = int(said.rpartition("pid: ")[2].rstrip(")"))
        return pids

    def metrics(self) -> str:
        with urlopen(f"http://127.0.0.1:{self.api_port}/metrics", timeout=30) as answer:
            return answer.read().decode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWorkers]:
    site = TwoWorkers(tmp_path_factory.mktemp("two"))
    print(f"\n  data folder: {site.data}")
    try:
        site.until("webserver, daemon and workers", lambda: "is at http" in site.said())
        site.until("both workers' processes", lambda: site.pulses().keys() == {*NAMES})
        yield site
    finally:
        site.stop()


def test_each_has_its_own_card_and_cores(site: TwoWorkers) -> None:
    assert "2 workers analyze" in site.said()
    children = [psutil.Process(pid) for _, (pid, _) in sorted(site.pulses().items())]
    environments = [child.environ() for child in children]
    assert [e["CUDA_VISIBLE_DEVICES"] for e in environments] == ["0", "1"]
    assert [e["TIKTOK_ASSETS_RAM_SHARERS"] for e in environments] == ["2", "2"]
    cores = [set(child.cpu_affinity()) for child in children]
    if (psutil.cpu_count() or 1) > 1:
        assert not cores[0] & cores[1]


def test_both_take_runs_and_one_that_is_killed_costs_its_run_one_retry(
    site: TwoWorkers, tmp_path: Path
) -> None:
    site.downloads.mkdir(parents=True, exist_ok=True)
    for number in range(VIDEOS):
        shutil.copy(cut(tmp_path / f"clip {number}.mp4", 5 + number), site.downloads)
    site.until("partitions", lambda: len(site.videos()) == VIDEOS)
    steps = site.until("both to be at work", lambda: len(found := site.at_work_on()) == 2 and found)
    print(f"  at work: {steps}")
    status = json.loads(site.tell("status", "--json"))
    assert [worker["name"] for worker in status["workers"]] == ["errands", *NAMES]
    print("  " + site.tell("monitor", "--once").replace("\n", "\n  "))
    metrics = site.until(
        "the metrics",
        lambda: 'worker_steps{worker="worker-1"}' in (said := site.metrics()) and said,
    )
    assert 'worker_memory_bytes{worker="worker-0"}' in metrics

    before = site.pulses()
    killed, other = before[NAMES[0]][0], before[NAMES[1]][0]
    site.until("the first to be at work", lambda: NAMES[0] in site.at_work_on())
    print(f"  killed in the midst of {site.at_work_on()}")
    psutil.Process(killed).kill()
    at = time.monotonic()
    site.until(
        "its next process", lambda: (now := site.pulses().get(NAMES[0])) and now[0] != killed
    )
    print(f"  it was there after {time.monotonic() - at:.1f} s")
    site.until("all documents", lambda: len(site.documented()) == VIDEOS, 600)
    site.until("all runs to be over", site.quiet)
    assert site.pulses()[NAMES[1]][0] == other, "the other worker's process is what it was"

    names = {pid: name for name, (pid, _) in [*before.items(), *site.pulses().items()]}
    analyses = [run for run in site.all_runs() if run["jobName"] == "analyze"]
    pids = site.processes_of_runs()
    shares = Counter(names[pids[run["runId"]]] for run in analyses if run["runId"] in pids)
    print(f"  runs by worker: {dict(shares)}")
    assert min(shares[name] for name in NAMES) >= 2
    lost = [run for run in analyses if run["status"] == "FAILURE"]
    assert [run["tags"].get("dagster/will_retry") for run in lost] == ["true"]
    assert pids[lost[0]["runId"]] == killed
    assert len(analyses) == VIDEOS + 1

    # Both have loaded the models for themselves.
    held = {name: {m.model_id for m in p.models} for name, (_, p) in site.pulses().items()}
    assert held[NAMES[0]] == held[NAMES[1]] != set()


def test_all_is_finished_once(site: TwoWorkers) -> None:
    videos = site.videos()
    made: Counter[tuple[str, str]] = Counter()
    for name in sorted({*ANALYZERS, *MEDIA, DOCUMENT}):
        materialized = site.materialized(name)
        assert materialized.keys() == videos, name
        made.update({(name, video): count for video, count in materialized.items()})
    twice = {one: count for one, count in made.items() if count > 1}
    # One may have been done when its process was killed, and not yet noted as done.
    assert list(twice.values()) in ([], [2]), twice
    store = ResultStore(url=str(site.data / "results"))
    for name in ANALYZERS:
        assert {*store.video_ids(name)} == videos
    assert not site.half_written()
    assert not list((site.data / "state" / "crashes").rglob("*.json"))


def test_ctrl_c_stops_both_at_work_and_the_next_start_finishes(
    site: TwoWorkers, tmp_path: Path
) -> None:
    for number in range(2):
        shutil.copy(cut(tmp_path / f"late {number}.mp4", 15 + number), site.downloads)
    site.until("both to be at work", lambda: len(site.at_work_on()) == 2)
    print(f"  stopped in the midst of {site.at_work_on()}")
    started = time.monotonic()
    assert not site.stop(signal.SIGINT), "nothing outlives `up`"
    print(f"  stopped after {time.monotonic() - started:.1f} s")
    assert site.process.returncode == 0
    site.start()
    site.until("webserver, daemon and workers", lambda: "is at http" in site.said())
    site.until("all documents", lambda: len(site.documented()) == VIDEOS + 2)
    site.until("all runs to be over", site.quiet)
    stopped = [run for run in site.all_runs() if run["status"] == "FAILURE"]
    assert len(stopped) == 3, "the one that was killed, and the two that were stopped"
    assert not list((site.data / "state" / "crashes").rglob("*.json")), "a stop is no crash"
