"""`tiktok-assets up` on a data folder of its own, with a few of the real analyzers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import psutil

from analyzers.models.weights import models_dir
from analyzers.registry import analyzer_classes
from tests.tiktok_assets.running import FINISHED, PROJECT, Running, free_port
from tiktok_assets.watchdog import read_pulse

ANALYZERS = {"object_detection", "cut_analysis", "color_analysis", "voices", "audio_analysis"}
DOCUMENT = "production_document"
REPORT = "report"
MEDIA = {"video", "frames", "audio"}

_CONFIG = """
min_free_gb = 0.5

[watch]
settle_s = 1.0

[urls]
hosts = ["127.0.0.1"]
private_networks = ["127.0.0.0/8"]
pause_s = 0.5

[analyzers]
"""
_ASSET = """
query($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
  partitionKeys assetMaterializations { partition }
} } }
"""
_RUNS = """
{ runsOrError { ... on Runs { results {
  runId status jobName tags { key value }
} } } }
"""
_BACKFILL = """
mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on PythonError { message }
} }
"""
_TICKS = """
query($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor {
  sensorState { ticks { status skipReason error { message } } }
} } }
"""


class Site(Running):
    """The real thing; every wait says what it waits for."""

    location = "tiktok_assets"

    def command(self) -> list[str]:
        ports = ["--port", str(self.port), "--api-port", str(free_port())]
        return ["-m", "tiktok_assets", "up", *ports]

    def environment(self) -> dict[str, str]:
        config = self.folder / "tiktok-assets.toml"
        off = sorted(analyzer_classes().keys() - ANALYZERS)
        config.write_text(_CONFIG + "".join(f"{name}.enabled = false\n" for name in off))
        return super().environment() | {
            "TIKTOK_ASSETS_CONFIG": str(config),
            "TIKTOK_ASSETS_MODELS_DIR": str(models_dir().resolve()),
        }

    @property
    def downloads(self) -> Path:
        return self.data / "downloads"

    def until(self, what: str, condition: Callable[[], Any], timeout_s: float = 300) -> Any:
        """Wait for the first true answer, and say for what and how long."""
        print(f"  waiting for {what} ...", end="", flush=True)
        started = time.monotonic()
        found = self.wait(condition, timeout_s)
        print(f" {time.monotonic() - started:.1f} s")
        return found

    def tell(self, *arguments: str) -> str:
        """What a `tiktok-assets` command of this site prints."""
        done = subprocess.run(
            [sys.executable, "-m", "tiktok_assets", *arguments],
            cwd=PROJECT,
            env=os.environ | self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert not done.returncode, done.stdout + done.stderr
        return done.stdout

    def asset(self, name: str) -> dict[str, Any]:
        return self.query(_ASSET, path=[name])["assetNodeOrError"]

    def all_runs(self) -> list[dict[str, Any]]:
        """Every run, newest first, with the video it is about."""
        runs = self.query(_RUNS)["runsOrError"]["results"]
        for run in runs:
            run["tags"] = {tag["key"]: tag["value"] for tag in run["tags"]}
            run["video"] = run["tags"].get("dagster/partition")
        return runs

    def backfill(self, name: str, videos: Collection[str]) -> None:
        """Have an asset made for these videos, as the web page's Materialize does."""
        params = {"assetSelection": [{"path": [name]}], "partitionNames": sorted(videos)}
        answer = self.query(_BACKFILL, params=params)["launchPartitionBackfill"]
        assert answer["__typename"] == "LaunchBackfillSuccess", answer

    def ticks(self, sensor: str) -> list[dict[str, Any]]:
        selector = {
            "repositoryLocationName": self.location,
            "repositoryName": "__repository__",
            "sensorName": sensor,
        }
        return self.query(_TICKS, selector=selector)["sensorOrError"]["sensorState"]["ticks"]

    def videos(self) -> set[str]:
        return set(self.asset("video")["partitionKeys"])

    def documented(self) -> set[str]:
        """The videos whose document and report Dagster has seen."""
        return set(self.materialized(REPORT))

    def materialized(self, name: str) -> Counter[str]:
        """How often an asset was materialized, by video."""
        return Counter(m["partition"] for m in self.asset(name)["assetMaterializations"])

    def quiet(self) -> bool:
        """Whether nothing runs and nothing waits."""
        return all(run["status"] in FINISHED for run in self.all_runs())

    def at_work(self) -> list[str]:
        """The analyzers that the worker's child runs now, by its own word."""
        child = self.child()
        pulse = read_pulse(self.data / "state" / "workers" / "worker", child.pid) if child else None
        return sorted(pulse.steps.keys() & ANALYZERS) if pulse else []

    def part(self, module: str) -> psutil.Process:
        """The process of `up` that runs this module."""
        (found,) = (
            process
            for process in psutil.Process(self.process.pid).children()
            if module in process.cmdline()
        )
        return found

    def documents(self) -> dict[str, dict[str, Any]]:
        """The documents on disk, by video."""
        folder = self.data / "results" / DOCUMENT / "json"
        return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}

    def half_written(self) -> list[Path]:
        """What a process that was killed may have left."""
        patterns = ("*.tmp", "*.partial", ".new-*", "*.part", "*.ytdl")
        return [path for pattern in patterns for path in self.data.rglob(pattern)]
