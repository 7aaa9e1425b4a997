"""What becomes of odd and corrupt files: `python -m benchmarks.broken_files FOLDER TABLE.md`.

Each goes through everything that `tiktok-assets analyze` does with it.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from analyzers.models.weights import models_dir
from resources.media import MediaError, MediaLibrary
from resources.result_store import ResultStore
from tiktok_assets.document import NAME as DOCUMENT


@dataclass(frozen=True)
class Outcome:
    """What became of one file: `remark` is the reason it was refused for, or what was odd."""

    file: str
    analyzed: bool
    remark: str
    wall_s: float


def decode_outcome(library: MediaLibrary, path: Path) -> Outcome:
    """Register, probe and decode one file, and read a frame of each rung."""
    started = time.monotonic()
    try:
        video_id = library.register(path)
        library.probe(video_id)
        with library.open(video_id) as video:
            for rung in (video.thumbs, video.motion, video.analysis, video.detail):
                if not len(rung) or not rung[len(rung) - 1].size:
                    raise AssertionError(f"{path.name}: a rung is empty")
            info = video.info
            facts = f"{info.width_px}x{info.height_px}, {info.end_s:.2f} s, {info.codec}"
            remark = "; ".join([facts, *info.warnings])
            analyzed = True
    except MediaError as error:
        remark, analyzed = str(error).removeprefix(f"{path.name}: "), False
    return Outcome(path.name, analyzed, remark, time.monotonic() - started)


def media_files(folder: Path) -> list[Path]:
    """The media files of a folder, sorted."""
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix != ".json")


def decode_outcomes(paths: Sequence[Path], data_dir: Path, jobs: int = 2) -> Iterator[Outcome]:
    """The outcome of each file, in order; an exception that is no `MediaError` passes through."""
    library = MediaLibrary(data_dir)
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda path: decode_outcome(library, path), paths)


def analyze_outcome(
    instance: dg.DagsterInstance, library: MediaLibrary, results: ResultStore, path: Path
) -> Outcome:
    """Register one file and run both jobs on it; the data folder must be set by then."""
    from tiktok_assets.analyze import analyze_video

    started = time.monotonic()
    try:
        outcome = analyze_video(instance, library.register(path))
    except MediaError as error:
        return Outcome(path.name, False, str(error), time.monotonic() - started)
    for asset in ("video", "frames"):
        if asset in outcome.errors:
            remark = outcome.errors[asset].split(f"{path.name}: ")[-1]
            return Outcome(path.name, False, remark, time.monotonic() - started)
    with library.open(outcome.video_id) as video:
        info = video.info
    document = results.read_json(DOCUMENT, outcome.video_id)
    statuses = Counter(entry["status"] for entry in document["analyzer_results"].values())
    remark = "; ".join(
        [
            f"{info.width_px}x{info.height_px}, {info.end_s:.2f} s, {info.codec}",
            ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in statuses.items()),
            *info.warnings,
            *outcome.errors.values(),
        ]
    )
    return Outcome(path.name, True, remark, time.monotonic() - started)


def table(outcomes: Sequence[Outcome], what_is_odd: dict[str, str]) -> str:
    """A Markdown table of outcomes; `what_is_odd` describes the files."""
    analyzed = sum(o.analyzed for o in outcomes)
    lines = [
        "# Odd and corrupt files",
        "",
        f"What becomes of {len(outcomes)} odd files: {analyzed} are analyzed, "
        f"{len(outcomes) - analyzed} are refused with a reason. "
        "Made by `python -m benchmarks.broken_files`.",
        "",
        "| file | what is odd | outcome | what was said |",
        "| --- | --- | --- | --- |",
    ]
    for o in outcomes:
        cells = (o.file, what_is_odd.get(o.file, ""), "analyzed" if o.analyzed else "refused")
        lines.append("| " + " | ".join(c.replace("|", "\\|") for c in (*cells, o.remark)) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the files, with a MANIFEST.json if there is one")
    parser.add_argument("table", type=Path, help="the Markdown file to write")
    arguments = parser.parse_args()
    manifest = arguments.folder / "MANIFEST.json"
    files = json.loads(manifest.read_text())["files"] if manifest.exists() else []
    outcomes = []
    with tempfile.TemporaryDirectory() as data_dir, dg.DagsterInstance.local_temp() as instance:
        os.environ["TIKTOK_ASSETS_MODELS_DIR"] = str(models_dir().resolve())
        os.environ["TIKTOK_ASSETS_DATA_DIR"] = data_dir
        library, results = MediaLibrary(Path(data_dir)), ResultStore(url=f"{data_dir}/results")
        for path in media_files(arguments.folder):
            outcomes.append(analyze_outcome(instance, library, results, path))
            print(f"{outcomes[-1].wall_s:6.1f} s  {path.name}: {outcomes[-1].remark}", flush=True)
    arguments.table.write_text(table(outcomes, {f["file"]: f["what_is_odd"] for f in files}))
    slowest = max(outcomes, key=lambda o: o.wall_s)
    print(f"{len(outcomes)} files; the slowest, {slowest.file}, took {slowest.wall_s:.1f} s")


if __name__ == "__main__":
    main()
