"""What the engine itself costs: steps on threads against Dagster's own executors.

    python benchmarks/engine.py [--torch]

Each executor runs the same job in a fresh process: steps that do nothing but import the usual
heavy libraries. CPU-seconds include all child processes. "first run" pays for the imports, "warm"
is the median of the runs after it in the same process, which is what the warm worker does; the
multiprocess executor has no warm run, since its steps are new processes each time.
"""

import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import dagster as dg
import rich
import typer
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tiktok_assets.executor import STAGE_TAG, threaded_executor

STEPS = 28
LIBRARIES = os.environ.get("ENGINE_BENCHMARK_LIBRARIES", "numpy pandas cv2").split()
EXECUTORS = {
    "threads": threaded_executor,
    "in_process": dg.in_process_executor,
    "multiprocess": dg.multiprocess_executor,
}


def _step(number: int) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"step_{number}",
        deps=["step_0"] if number else [],
        op_tags={STAGE_TAG: ["heavy_gpu", "medium_gpu", "light_gpu", "fast"][number % 4]},
    )
    def step() -> dg.MaterializeResult:
        for library in LIBRARIES:
            importlib.import_module(library)
        return dg.MaterializeResult(metadata={"rows": number})

    return step


def _job(executor: str) -> dg.JobDefinition:
    job = dg.define_asset_job("engine", executor_def=EXECUTORS[executor])
    assets = [_step(number) for number in range(STEPS)]
    return dg.Definitions(assets=assets, jobs=[job]).resolve_job_def("engine")


def threads() -> dg.JobDefinition:
    return _job("threads")


def in_process() -> dg.JobDefinition:
    return _job("in_process")


def multiprocess() -> dg.JobDefinition:
    return _job("multiprocess")


def _cpu_s() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _measure(executor: str, runs: int) -> list[tuple[float, float]]:
    """Wall and CPU seconds of each run."""
    job = dg.reconstructable(globals()[executor])
    measured = []
    with (
        tempfile.TemporaryDirectory() as folder,
        dg.DagsterInstance.local_temp(
            folder, overrides={"telemetry": {"enabled": False}}
        ) as instance,
    ):
        for _ in range(runs):
            wall, cpu = time.monotonic(), _cpu_s()
            with dg.execute_job(job, instance) as result:
                assert result.success
                assert sum(event.is_step_success for event in result.all_events) == STEPS
            measured.append((time.monotonic() - wall, _cpu_s() - cpu))
    return measured


def main(
    torch: Annotated[bool, typer.Option(help="Import torch in the steps as well.")] = False,
    runs: Annotated[int, typer.Option(help="Runs for each executor in one process.")] = 4,
    measure: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    if measure:
        print(json.dumps(_measure(measure, runs)))
        return
    libraries = [*LIBRARIES, *(["torch"] if torch else [])]
    table = Table(title=f"{STEPS} steps that import {', '.join(libraries)}")
    for column in ("executor", "run", "wall s", "CPU s", "wall ms a step", "CPU s a step", "ratio"):
        table.add_column(column, justify="left" if column in ("executor", "run") else "right")
    base: float | None = None
    for executor in EXECUTORS:
        count = runs if executor != "multiprocess" else 1
        output = subprocess.run(
            [sys.executable, __file__, "--measure", executor, "--runs", str(count)],
            env={**os.environ, "ENGINE_BENCHMARK_LIBRARIES": " ".join(libraries)},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ).stdout
        first, *warm = json.loads(output.splitlines()[-1])
        rows = {"first run": first}
        if warm:
            rows[f"warm ({len(warm)})"] = [
                statistics.median(column) for column in zip(*warm, strict=True)
            ]
        for name, (wall_s, cpu_s) in rows.items():
            per_step_s = cpu_s / STEPS
            if executor == "threads" and name != "first run":
                base = per_step_s
            table.add_row(
                executor,
                name,
                f"{wall_s:.2f}",
                f"{cpu_s:.2f}",
                f"{1000 * wall_s / STEPS:.0f}",
                f"{per_step_s:.3f}",
                f"{per_step_s / base:.1f} x" if base else "",
            )
    rich.print(table)
    rich.print("ratio: CPU seconds a step against threads, warm")


if __name__ == "__main__":
    typer.run(main)
