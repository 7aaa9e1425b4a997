"""What the pipeline costs on some videos: as a whole, and analyzer by analyzer.

    python -m benchmarks.pipeline VIDEO... --warm-up CLIP

The whole is what `tiktok-assets analyze` does, in a process that is warm as the worker is: both
jobs through Dagster, from a file that was never seen to results and document. Then the frames are
decoded anew and the analyzers run one after the other, so that the CPU time of the process is that
of the analyzer. Data go where TIKTOK_ASSETS_DATA_DIR says; `benchmarks.naive_against_pipeline`
gives a folder that is empty. The last line printed is the result.
"""

import json
import time
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Annotated

import dagster as dg
import typer

from analyzers import AnalysisResult, Analyzer, get_analyzer
from analyzers.run import run_analyzer
from benchmarks.cost import Cost, CostMeter
from resources.media import MediaLibrary
from tiktok_assets.analyze import analyze_video
from tiktok_assets.settings import Settings


def in_order(classes: dict[str, type[Analyzer]]) -> list[str]:
    """The analyzers, each after those whose results it takes."""
    takes = {name: classes.keys() & {*cls.requires, *cls.optional} for name, cls in classes.items()}
    return list(TopologicalSorter(takes).static_order())


def whole(instance: dg.DagsterInstance, library: MediaLibrary, path: Path) -> tuple[str, Cost]:
    """Analyze a file from its registration to the document; returns its video id.

    Raises `RuntimeError` where an analyzer failed: its time would be worth nothing.
    """
    meter = CostMeter()
    video_id = library.register(path)
    outcome = analyze_video(instance, video_id)
    cost = meter.read()
    if outcome.errors:
        raise RuntimeError(f"{path.name} cannot be measured: {'; '.join(outcome.errors.values())}")
    return video_id, cost


def parts(library: MediaLibrary, video_id: str, names: list[str]) -> tuple[float, dict[str, Cost]]:
    """Seconds of video, and what the decode and each analyzer cost, one after the other."""
    library.evict(0)
    costs: dict[str, Cost] = {}
    results: dict[str, AnalysisResult] = {}
    meter = CostMeter()
    with library.open(video_id) as video:
        costs["decode"] = meter.read()
        for name in names:
            analyzer = get_analyzer(name)
            takes = {*analyzer.requires, *analyzer.optional}
            meter = CostMeter()
            results[name], _ = run_analyzer(
                analyzer, video, {key: results[key] for key in takes & results.keys()}
            )
            costs[name] = meter.read()
        return video.info.end_s, costs


def main(
    paths: list[Path],
    warm_up: Annotated[Path, typer.Option(help="A clip to analyze once before, untimed.")],
) -> None:
    settings = Settings()
    names = in_order(settings.enabled())
    library = MediaLibrary(settings.data_dir, settings.ladder)
    costs = []
    with dg.DagsterInstance.get() as instance:
        started = time.perf_counter()
        whole(instance, library, warm_up)
        warm_up_s = time.perf_counter() - started
        for path in paths:
            video_id, cost = whole(instance, library, path)
            video_s, by_part = parts(library, video_id, names)
            costs.append({"whole": cost, "parts": by_part, "video_s": video_s})
    print(json.dumps({"warm_up_s": warm_up_s, "videos": costs}))


if __name__ == "__main__":
    typer.run(main)
