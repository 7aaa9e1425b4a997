"""What it brings that shots of several videos share the batches of a vision-language model.

    python -m benchmarks.vlm_batches [--videos 4] [--device cpu]

A medium-sized Qwen2-VL (150 M random weights) describes each video alone and then all at once,
through the adapter, processor and batches that the analyzer uses, with a fixed number of new
tokens: how often it generates, and seconds a video. `benchmarks.gpu` does the same with the full
size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import rich
import typer
from rich.table import Table

from analyzers.models import runtime
from analyzers.models.base import usage_log
from analyzers.models.vlm import Ask
from benchmarks import random_networks
from benchmarks.cost import CostMeter

if TYPE_CHECKING:
    from analyzers.models.vlm_transformers import LocalVlm


@dataclass(frozen=True)
class Load:
    """What is asked about each video: some frames of every shot, then a text about the video."""

    shots: int
    frames: int
    frame_px: tuple[int, int]
    question_tokens: int
    new_tokens: int


def describe(model: LocalVlm, videos: int, load: Load, batch_size: int) -> dict[str, Any]:
    """Ask about so many videos at once: seconds, and how often the model generated."""
    frame = np.random.default_rng(0).integers(0, 255, (*load.frame_px, 3), dtype=np.uint8)
    question = "?" * load.question_tokens
    times_s = [float(i) for i in range(load.frames)]
    shot = Ask([frame] * load.frames, times_s, question)
    meter = CostMeter()
    with usage_log() as log:
        model.answer([shot] * (videos * load.shots), load.new_tokens, batch_size)
        model.answer([Ask((), (), question)] * videos, load.new_tokens, batch_size)
    cost = meter.read()
    [use] = log.uses
    return {
        "videos": videos, "batch_size": batch_size, "generate_calls_per_video": use.calls / videos,
        "seconds_per_video": cost["wall_s"] / videos, "cpu_s_per_video": cost["cpu_s"] / videos,
    }  # fmt: skip


def alone_and_together(
    model: LocalVlm, videos: int, load: Load, batch_sizes: Sequence[int]
) -> list[dict[str, Any]]:
    """One video alone, then several at once with each size of batches, after one that is not told.

    `ratio`: seconds a video alone over seconds a video together.
    """
    describe(model, 1, load, batch_sizes[0])
    rows = [describe(model, 1, load, batch_sizes[0])]
    rows += [describe(model, videos, load, size) for size in batch_sizes]
    alone_s = rows[0]["seconds_per_video"]
    return [{**row, "ratio": alone_s / row["seconds_per_video"]} for row in rows]


def main(
    videos: Annotated[int, typer.Option(help="How many at once.")] = 4,
    device: Annotated[str, typer.Option(help="cpu or cuda:N.")] = "cpu",
) -> None:
    """Print a table."""
    runtime.prepare()
    model = random_networks.describer(random_networks.qwen2_vl(device, "medium"), device)
    load = Load(shots=2, frames=2, frame_px=(252, 140), question_tokens=100, new_tokens=48)
    rows = alone_and_together(model, videos, load, [16])
    table = Table(title=f"{load.shots} shots a video, {load.new_tokens} new tokens, {device}")
    for column in rows[0]:
        table.add_column(column.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(f"{value:.3g}" for value in row.values()))
    rich.print(table)


if __name__ == "__main__":
    typer.run(main)
