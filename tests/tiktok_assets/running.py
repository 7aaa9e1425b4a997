"""`up` as a process of its own, with the toy code location, and what its UI would do."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).resolve().parents[2]
_WORKSPACE = """
load_from:
  - python_module:
      module_name: tests.tiktok_assets.toy_definitions
      location_name: toy
"""
_UP = """
import sys
from pathlib import Path
from tiktok_assets.up import UpError, up
sys.stdout.reconfigure(line_buffering=True)
try:
    up(port=int(sys.argv[1]), workspace=Path(sys.argv[2]))
except UpError as error:
    sys.exit(f"UpError: {error}")
"""
_LAUNCH = """
mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
} }
"""
_TERMINATE = """
mutation($run: String!) { terminateRun(runId: $run) { __typename } }
"""
_RUN = """
query($run: ID!) { runOrError(runId: $run) { ... on Run {
  runId status creationTime tags { key value } rootRunId
  stepStats { stepKey status startTime }
  eventConnection(limit: 1000) { events { ... on MessageEvent { message timestamp } } }
} } }
"""
_RUNS = """
{ runsOrError { ... on Runs { results { runId status rootRunId creationTime } } } }
"""
FINISHED = {"SUCCESS", "FAILURE", "CANCELED"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """A running `up`. Times in seconds since the epoch."""

    location = "toy"

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.toy = self.data / "toy"
        self.port = port or free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def command(self) -> list[str]:
        """What Python is to run."""
        workspace = self.folder / "workspace.yaml"
        workspace.write_text(_WORKSPACE)
        return ["-c", _UP, str(self.port), str(workspace)]

    def environment(self) -> dict[str, str]:
        return {
            "TIKTOK_ASSETS_DATA_DIR": str(self.data),
            "DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "1",  # not 5: retries
        }

    def start(self) -> None:
        self.output = self.folder / f"up-{uuid.uuid4()}.log"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.command()],
                cwd=PROJECT,
                env=os.environ | self.environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        self.wait(lambda: "is at http" in self.said(), 90)
        self.wait(self.child, 60)

    def said(self) -> str:
        return self.output.read_text()

    def logs(self) -> str:
        files = [self.output, *sorted((self.data / "logs").glob("*.log"))]
        return "\n".join(f"--- {f.name}\n{f.read_text()[-6000:]}" for f in files if f.exists())

    def wait(self, condition: Callable[[], Any], timeout_s: float) -> Any:
        """The first true answer of `condition`; an AssertionError with the logs after the time."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if found := condition():
                return found
            assert self.process.poll() is None, f"`up` has ended\n{self.logs()}"
            time.sleep(0.1)
        raise AssertionError(f"not within {timeout_s} s\n{self.logs()}")

    def family(self) -> set[psutil.Process]:
        return set(psutil.Process(self.process.pid).children(recursive=True))

    def child(self) -> psutil.Process | None:
        """The child of the worker that analyzes, once it is up."""
        for process in self.family():
            if (self.data / "state/workers/worker" / f"{process.pid}.json").exists():
                return process
        return None

    def query(self, text: str, **variables: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": text, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            content = json.load(answer)
        assert not content.get("errors"), content
        return content["data"]

    def launch(self, job: str, **tags: str) -> str:
        """Start a job as the launchpad does; its run's id."""
        selector = {
            "repositoryLocationName": self.location,
            "repositoryName": "__repository__",
            "jobName": job,
        }
        params: dict[str, Any] = {"selector": selector, "runConfigData": {}, "mode": "default"}
        told = [{"key": f"dagster/{name}", "value": value} for name, value in tags.items()]
        params["executionMetadata"] = {"tags": told}
        answer = self.query(_LAUNCH, params=params)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def terminate(self, run_id: str) -> None:
        assert self.query(_TERMINATE, run=run_id)["terminateRun"]["__typename"] == (
            "TerminateRunSuccess"
        )

    def run(self, run_id: str) -> dict[str, Any]:
        return self.query(_RUN, run=run_id)["runOrError"]

    def runs(self, root_run_id: str) -> list[dict[str, Any]]:
        """A run and its retries, oldest first."""
        found = [
            run
            for run in self.query(_RUNS)["runsOrError"]["results"]
            if root_run_id in (run["runId"], run["rootRunId"])
        ]
        return sorted(found, key=lambda run: run["creationTime"])

    def finished(self, run_id: str, timeout_s: float = 60) -> dict[str, Any]:
        return self.wait(lambda: (run := self.run(run_id))["status"] in FINISHED and run, timeout_s)

    def retried(self, run_id: str, timeout_s: float = 60) -> list[dict[str, Any]]:
        """The run and its retry, once that has succeeded."""
        return self.wait(
            lambda: len(runs := self.runs(run_id)) > 1 and runs[-1]["status"] == "SUCCESS" and runs,
            timeout_s,
        )

    @staticmethod
    def time_of(run: dict[str, Any], message: str) -> float:
        """When the first of a run's events came that says so."""
        events = run["eventConnection"]["events"]
        return next(
            float(event["timestamp"]) / 1000 for event in events if message in event["message"]
        )

    def notes(self, step: str) -> list[dict[str, Any]]:
        """What a toy asset has written down of its executions."""
        file = self.toy / f"{step}.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def stop(self, number: signal.Signals = signal.SIGINT) -> set[psutil.Process]:
        """Stop it; the processes that are left of it."""
        family = self.family() if self.process.poll() is None else set()
        self.process.send_signal(number)
        self.process.wait(60)
        _, left = psutil.wait_procs(family, timeout=20)
        for process in left:
            process.kill()
        return set(left)
