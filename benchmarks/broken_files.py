"""What becomes of odd and corrupt files: `python -m benchmarks.broken_files FOLDER TABLE.md`."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from resources.media import MediaError, MediaLibrary


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


def table(outcomes: Sequence[Outcome], what_is_odd: dict[str, str]) -> str:
    """A Markdown table of outcomes; `what_is_odd` describes the files."""
    analyzed = sum(o.analyzed for o in outcomes)
    lines = [
        "# Odd and corrupt files",
        "",
        f"What becomes of {len(outcomes)} odd files: {analyzed} are decoded, "
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
    with tempfile.TemporaryDirectory() as data_dir:
        outcomes = list(decode_outcomes(media_files(arguments.folder), Path(data_dir)))
    arguments.table.write_text(table(outcomes, {f["file"]: f["what_is_odd"] for f in files}))
    slowest = max(outcomes, key=lambda o: o.wall_s)
    print(f"{len(outcomes)} files; the slowest, {slowest.file}, took {slowest.wall_s:.1f} s")


if __name__ == "__main__":
    main()
