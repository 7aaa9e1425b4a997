"""Many short clips through one warm worker: do memory, open files and threads stay flat?

    python -m benchmarks.soak [--clips 200] [--csv samples.csv]

Starts `tiktok-assets up` on a scratch folder with a few real analyzers (two of them networks) and a
small frame cache, drops clips into its watched folder, and looks at its processes after each video
whose document is written. Growth is the median of the slopes between all pairs of samples
(Theil-Sen) after the first 20 videos, so that a peak in mid-run does not count as growth. Exit code
1 where something grows faster than its bound.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import psutil
import typer
from rich.console import Console
from rich.table import Table
from scipy.stats import theilslopes

from analyzers.models.weights import models_dir
from analyzers.registry import analyzer_classes
from benchmarks.short_clips import cut

PROJECT = Path(__file__).resolve().parents[1]
ANALYZERS = {"object_detection", "cut_analysis", "color_analysis", "voices", "audio_analysis"}
FRAME_CACHE_GB = 0.2
WARM_UP = 20
"""Videos after which everything has been loaded once and is to stay flat."""
BOUNDS = {"memory_mb": 25.0, "open_files": 2.0, "threads": 2.0}
"""Growth that is let pass in 100 videos. 25 MB of 16 GB is a restart after 60,000 videos."""
_AHEAD = 6  # clips that wait in the folder: the worker is never idle, the queue never long
_PATIENCE_S = 600.0
_BLOCKS = "▁▂▃▄▅▆▇█"

console = Console(highlight=False, width=140 if not sys.stdout.isatty() else None)


@dataclass(frozen=True)
class Site:
    """A running `up`, by its data folder and its processes."""

    data: Path
    processes: dict[str, psutil.Process]

    def documents(self) -> int:
        """Videos that are done."""
        return len(list((self.data / "results" / "production_document" / "json").glob("*.json")))

    def frame_cache_mb(self) -> float:
        """What the frame cache takes on the disk."""
        total = 0
        for folder, _, names in os.walk(self.data / "cache"):
            for name in names:
                try:
                    total += (Path(folder) / name).stat().st_size
                except FileNotFoundError:
                    continue  # evicted in the meantime
        return total / 1e6

    def sample(self) -> dict[str, float]:
        """All figures of this moment, by what they are of."""
        found = {"frame cache disk_mb": self.frame_cache_mb()}
        for name, process in self.processes.items():
            with process.oneshot():
                found[f"{name} memory_mb"] = process.memory_info().rss / 1e6
                found[f"{name} threads"] = process.num_threads()
            found[f"{name} open_files"] = process.num_fds()
        return found


@contextmanager
def running(folder: Path) -> Iterator[Site]:
    """`tiktok-assets up` on an empty folder, ready to work."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config, log, data = folder / "soak.toml", folder / "up.log", folder / "data"
    off = sorted(analyzer_classes().keys() - ANALYZERS)
    config.write_text(
        f"min_free_gb = 0.5\nframe_cache_gb = {FRAME_CACHE_GB}\nwatch.settle_s = 1.0\n[analyzers]\n"
        + "".join(f"{name}.enabled = false\n" for name in off)
    )
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tiktok_assets", "up", "--port", str(port), "--api-port", "0"],
            cwd=PROJECT,
            env=os.environ
            | {
                "TIKTOK_ASSETS_CONFIG": str(config),
                "TIKTOK_ASSETS_DATA_DIR": str(data),
                "TIKTOK_ASSETS_MODELS_DIR": str(models_dir().resolve()),
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        pulses = data / "state" / "workers" / "worker"
        give_up_at = time.monotonic() + _PATIENCE_S
        while "is at http" not in log.read_text() or not list(pulses.glob("*.json")):
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"`up` does not start: {log.read_text()}")
            time.sleep(0.5)
        yield Site(data, _processes(process.pid, pulses))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _processes(up: int, pulses: Path) -> dict[str, psutil.Process]:
    (child,) = (int(path.stem) for path in pulses.glob("*.json"))
    parts = {
        "worker parent": "tiktok_assets.worker",
        "code server": "grpc",
        "daemon": "dagster._daemon",
        "webserver": "dagster_webserver",
    }
    found = {"worker": psutil.Process(child)}
    children = psutil.Process(up).children()
    for name, word in parts.items():
        found[name] = next(
            p for p in children if word in p.cmdline() and "errands" not in p.cmdline()
        )
    return found


def soak(site: Site, clips: int) -> pd.DataFrame:
    """Feed the clips; a row for each finished video."""
    downloads = site.data / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    samples: list[dict[str, float]] = []
    fed, started, last = 0, time.monotonic(), time.monotonic()
    while len(samples) < clips:
        while fed < min(clips, len(samples) + _AHEAD):
            hidden = downloads / f".clip {fed:03d}.mp4"
            cut(hidden, 2 + fed % 31 / 30, title=f"clip {fed}")
            hidden.rename(downloads / hidden.name.removeprefix("."))
            fed += 1
        if site.documents() > len(samples):
            last = time.monotonic()
            samples.append({"minutes": (last - started) / 60, **site.sample()})
            console.print(f"{len(samples)} of {clips} videos; {_words(samples[-1])}", style="dim")
        if time.monotonic() - last > _PATIENCE_S:
            raise RuntimeError(f"no video was finished for {_PATIENCE_S:g} s; see {site.data}/logs")
        time.sleep(0.1)
    return pd.DataFrame(samples, index=pd.RangeIndex(1, clips + 1, name="video"))


def _words(sample: dict[str, float]) -> str:
    return ", ".join(
        f"{name} {sample[f'{name} memory_mb']:.0f} MB, {sample[f'{name} open_files']:.0f} files"
        for name in ("worker", "code server", "daemon")
    )


def judge(samples: pd.DataFrame) -> tuple[Table, list[str]]:
    """The table of the curves, and what grows faster than its bound."""
    late = samples.iloc[WARM_UP:]
    table = Table("of", "what", f"after {WARM_UP}", "at the end", "most", "in 100 videos", "bound",
                  f"curve over {len(samples)} videos", "", header_style="bold")  # fmt: skip
    growing = []
    for column in samples.columns.drop("minutes"):
        of, what = column.rsplit(" ", 1)
        values = late[column]
        if what in BOUNDS:
            growth = 100 * theilslopes(values, values.index).slope
            flat, grown, bound = growth <= BOUNDS[what], f"{growth:+.1f}", f"{BOUNDS[what]:g}"
        else:
            limit_mb = FRAME_CACHE_GB * 1000
            flat, grown, bound = values.max() <= limit_mb, "", f"{limit_mb:g} in all"
        if not flat:
            growing.append(f"{what} of the {of}")
        table.add_row(of, what, f"{values.iloc[0]:.0f}", f"{values.iloc[-1]:.0f}",
                      f"{samples[column].max():.0f}", grown, bound, _curve(samples[column]),
                      "flat" if flat else "[bold red]grows[/]")  # fmt: skip
    return table, growing


def _curve(values: pd.Series, width: int = 30) -> str:
    """A line of blocks from the least to the greatest value, means of neighbours."""
    means = np.array([part.mean() for part in np.array_split(values.to_numpy(), width)])
    low, high = means.min(), means.max()
    steps = np.round((means - low) / ((high - low) or 1) * (len(_BLOCKS) - 1))
    return "".join(_BLOCKS[int(step)] for step in steps)


def main(
    clips: Annotated[int, typer.Option(min=60, help="How many videos; the more, the surer.")] = 200,
    csv: Annotated[Path | None, typer.Option(help="Keep all samples here.")] = None,
) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="tiktok-assets-soak-") as folder,
        running(Path(folder)) as site,
    ):
        samples = soak(site, clips)
    if csv:
        samples.to_csv(csv)
    table, growing = judge(samples)
    console.print(table)
    minutes = samples["minutes"].iloc[-1]
    console.print(
        f"{clips} videos of 2 to 3 s in {minutes:.1f} min, one worker process throughout."
    )
    if growing:
        console.print(f"[bold red]Not flat:[/] {', '.join(growing)}.")
        raise typer.Exit(1)
    console.print(f"All flat after the first {WARM_UP} videos.")


if __name__ == "__main__":
    typer.run(main)
