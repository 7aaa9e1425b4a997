"""The naive script beside the pipeline, and each analyzer beside the design's budget.

    python -m benchmarks.naive_against_pipeline [VIDEO...]

Both sides run in a process of their own, one after the other, on the CPU, with the embedded models
loaded and warm; loading is not timed. Without arguments the videos are the sample and the trailer.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import av
import typer
from rich.console import Console
from rich.table import Table

from analyzers.cores import available_cores
from analyzers.models import runtime
from analyzers.models.weights import models_dir

_ROOT = Path(__file__).resolve().parents[1]
_SAMPLE = _ROOT / "sample" / "street_portrait.mp4"
_TRAILER = _ROOT.parent / "shared" / "media" / "demo" / "trailer_text_overlays.mp4"
#: Long enough for speech, text, people and a cut, so that everything lazy is loaded.
_WARM_UP_S = 5.0
#: What the foundation is allowed, in budgets.
_ACCEPTED = 2.0


@dataclass(frozen=True)
class BudgetLine:
    """What some work may cost: CPU-seconds per second of video."""

    work: str
    budget: float
    parts: tuple[str, ...]


#: All that is done with faces, which has one budget.
FACES = ("faces", "face_emotion", "eye_tracking", "age_estimation")
#: All that works on sound but the transcript, likewise.
SOUND = (
    "voices",
    "audio_analysis",
    "speech_rate",
    "speech_flow",
    "speech_emotion",
    "audio_environment",
)

#: The design's budget (section 8), for what stands. `decode` is the frames with both audio rates,
#: `engine` what the pipeline spends beside decode and analyzers: Dagster, previews, results, the
#: document. A new analyzer is put into its line here.
BUDGET = (
    BudgetLine("decode, ladder, both audio rates", 0.12, ("decode",)),
    BudgetLine("object_detection", 0.08, ("object_detection",)),
    BudgetLine("body_pose (frames with people)", 0.07, ("body_pose",)),
    BudgetLine("background_segmentation (2 fps)", 0.05, ("background_segmentation",)),
    BudgetLine("faces: detection, landmarks, emotion, age, gaze together", 0.07, FACES),
    BudgetLine("text_overlay", 0.10, ("text_overlay",)),
    BudgetLine("cut_analysis", 0.12, ("cut_analysis",)),
    BudgetLine("camera_analysis", 0.04, ("camera_analysis",)),
    BudgetLine("color_analysis", 0.02, ("color_analysis",)),
    BudgetLine("content_quality", 0.02, ("content_quality",)),
    BudgetLine("composition_analysis", 0.02, ("composition_analysis",)),
    BudgetLine("visual_effects", 0.02, ("visual_effects",)),
    BudgetLine("product_detection", 0.02, ("product_detection",)),
    BudgetLine("scene_segmentation", 0.02, ("scene_segmentation",)),
    BudgetLine("speech_transcription", 0.10, ("speech_transcription",)),
    BudgetLine("all other sound", 0.06, SOUND),
    BudgetLine(
        "narrative, intelligence, document, engine",
        0.06,
        ("qwen2_vl_temporal", "temporal_flow", "cross_analyzer_intelligence", "engine"),
    ),
)


def main(
    videos: Annotated[list[Path] | None, typer.Argument(help="Videos to run both on.")] = None,
) -> None:
    console = Console()
    paths = [path.resolve() for path in videos or (_SAMPLE, _TRAILER)]
    if not videos and not _TRAILER.exists():
        console.print(f"Skipped {_TRAILER.name}: it is not beside this checkout, in ../shared.")
        paths.remove(_TRAILER)
    cores, load = available_cores(), os.getloadavg()[0]
    console.print(f"{cores} cores, load {load:.1f} before the start")
    if load > 0.5 * cores:
        console.print("[yellow]The machine is busy: trust CPU-seconds, not wall-clock time.[/]")
    with tempfile.TemporaryDirectory(prefix="tiktok-assets-bench-") as name:
        folder = Path(name)
        warm_up = folder / "warm-up.mp4"
        _cut(_SAMPLE, warm_up, _WARM_UP_S)
        arguments = [*map(str, paths), "--warm-up", str(warm_up)]
        with console.status("Running the naive script"):
            naive = _run("benchmarks.naive", [*arguments, "--out", name], folder)
        with console.status("Running the pipeline"):
            pipeline = _run("benchmarks.pipeline", arguments, folder)
    console.print(
        f"Not counted: the naive script loaded for {naive['load_s']:.1f} s, the pipeline loaded "
        f"and ran on {_WARM_UP_S:.0f} s of video for {pipeline['warm_up_s']:.1f} s."
    )
    for path, theirs, ours in zip(paths, naive["videos"], pipeline["videos"], strict=True):
        console.print(_totals(path.name, theirs, ours))
        console.print(_by_analyzer(theirs, ours))
    console.print(
        f"The budget is the design's; up to {_ACCEPTED:.0f} x is accepted in the foundation. "
        "Realtime: seconds of video in a second.\n"
        "Analyzers run one after the other here; `engine` is the rest of the pipeline's CPU time."
    )


def _cut(source: Path, target: Path, end_s: float) -> None:
    """The first seconds of a file, not encoded anew."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        streams = {
            stream.index: new.add_stream_from_template(stream)
            for stream in (*old.streams.video[:1], *old.streams.audio[:1])
        }
        for packet in old.demux([old.streams[index] for index in streams]):
            if packet.dts is not None and packet.dts * packet.time_base < end_s:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)


def _run(module: str, arguments: list[str], data_dir: Path) -> Any:
    """What a side measured. Raises `RuntimeError` with its last words where it fails."""
    ended = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        env=_environment(data_dir),
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise RuntimeError(f"{module} failed:\n{ended.stderr[-4000:]}")
    return json.loads(ended.stdout.splitlines()[-1])


def _environment(data_dir: Path) -> dict[str, str]:
    """Offline and quiet for both sides; the thread budget is the pipeline's own, set by itself."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TIKTOK_ASSETS_")}
    quiet = {
        k: v for k, v in runtime.environment().items() if "THREADS" not in k and "OMP_" not in k
    }
    return {
        **quiet,
        **inherited,
        "TIKTOK_ASSETS_DATA_DIR": str(data_dir),
        "TIKTOK_ASSETS_MODELS_DIR": str(models_dir().resolve()),
        "TIKTOK_ASSETS_CONFIG": str(data_dir / "defaults.toml"),  # not there: all by default
        "DAGSTER_HOME": str(_ROOT),
        "CUDA_VISIBLE_DEVICES": "",  # the budget is for a CPU
    }


def _totals(name: str, naive: dict[str, Any], pipeline: dict[str, Any]) -> Table:
    video_s = pipeline["video_s"]
    table = Table(title=f"{name}: {video_s:.1f} s of video", title_justify="left")
    table.add_column("")
    for column in ("wall s", "CPU s", "CPU s per s", "realtime"):
        table.add_column(column, justify="right")
    for side, cost in (("naive script", naive["whole"]), ("pipeline", pipeline["whole"])):
        wall_s, cpu_s = cost["wall_s"], cost["cpu_s"]
        table.add_row(
            side,
            f"{wall_s:.1f}",
            f"{cpu_s:.1f}",
            f"{cpu_s / video_s:.2f}",
            f"{video_s / wall_s:.2f} x",
        )
    wall, cpu = (naive["whole"][k] / pipeline["whole"][k] for k in ("wall_s", "cpu_s"))
    table.add_row("naive / pipeline", f"{wall:.2f} x", f"{cpu:.2f} x", style="bold")
    return table


def _by_analyzer(naive: dict[str, Any], pipeline: dict[str, Any]) -> Table:
    video_s = pipeline["video_s"]
    ours = {part: cost["cpu_s"] / video_s for part, cost in pipeline["parts"].items()}
    ours["engine"] = pipeline["whole"]["cpu_s"] / video_s - sum(ours.values())
    theirs = {part: cost["cpu_s"] / video_s for part, cost in naive["parts"].items()}
    table = Table(title="CPU-seconds per second of video", title_justify="left")
    table.add_column("work", min_width=20)
    for column in ("naive", "pipeline", "budget", "of budget"):
        table.add_column(column, justify="right")
    table.add_column("")
    for line in BUDGET:
        cost = sum(ours[part] for part in line.parts)
        table.add_row(
            line.work,
            _figure(theirs, line.parts),
            f"{cost:.3f}",
            f"{line.budget:.2f}",
            f"{cost / line.budget:.1f} x",
            _verdict(cost / line.budget),
        )
        for part in line.parts if len(line.parts) > 1 else ():
            table.add_row(f"  {part}", _figure(theirs, (part,)), f"{ours[part]:.3f}", style="dim")
    total, budget = sum(ours.values()), sum(line.budget for line in BUDGET)
    table.add_section()
    table.add_row(
        "all",
        _figure(theirs, tuple(theirs)),
        f"{total:.3f}",
        f"{budget:.2f}",
        f"{total / budget:.1f} x",
        _verdict(total / budget),
    )
    return table


def _figure(costs: dict[str, float], parts: tuple[str, ...]) -> str:
    """The sum; nothing where the script has no such part."""
    known = [costs[part] for part in parts if part in costs]
    return f"{sum(known):.3f}" if known else ""


def _verdict(of_budget: float) -> str:
    if of_budget <= 1:
        return "[green]within[/]"
    if of_budget <= _ACCEPTED:
        return f"[yellow]within {_ACCEPTED:.0f} x[/]"
    return f"[red]over {_ACCEPTED:.0f} x[/]"


if __name__ == "__main__":
    typer.run(main)
