"""`tiktok-assets analyze`: registers videos, shows progress and what came out."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from resources.media import MediaError, MediaLibrary
from resources.report_store import ReportStore
from resources.result_store import ResultStore
from resources.video_files import video_files
from tiktok_assets.analyze import Outcome, StepState, analyze_video
from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.report import NAME as REPORT
from tiktok_assets.settings import Settings

_ENDED = {None: "[cyan]running[/]", True: "[green]done[/]", False: "[red]failed[/]"}


def analyze_paths(
    paths: Iterable[Path], settings: Settings, console: Console, analyzers: Collection[str] = ()
) -> int:
    """Analyze files, and the videos in folders. Returns the exit code.

    `analyzers`: only these and what they rest on; none is all. A file that cannot be read costs
    only itself. Raises `FileNotFoundError` for a path that is not there, and `LookupError` for an
    unknown analyzer, before anything is begun.
    """
    wanted = settings.with_required(analyzers or settings.enabled())
    before_the_join = [n for n, cls in wanted.items() if not cls.joins] if analyzers else None
    files = list(dict.fromkeys(_videos_in(paths)))
    library = MediaLibrary(data_dir=settings.data_dir, settings=settings.ladder)
    results = ResultStore(url=settings.results)
    refused: list[tuple[Path, str]] = []
    outcomes: list[Outcome] = []
    with dg.DagsterInstance.get() as instance:
        for number, file in enumerate(files, 1):
            console.rule(f"{number} of {len(files)}: {escape(file.name)}", align="left")
            try:
                video_id = library.register(file)
            except (MediaError, OSError) as error:
                refused.append((file, str(error)))
                console.print(f"[red]refused[/] {escape(str(error))}", soft_wrap=True)
                continue
            with _StepBoard(console) as board:
                outcome = _analyzed(instance, video_id, board, before_the_join)
            outcomes.append(outcome)
            _show(outcome, sorted(wanted), settings, results, console)
            if outcome.cancelled:
                console.print("Interrupted; what was finished is kept.")
                return 130
    if len(files) > 1:
        lost = [o for o in outcomes if o.errors]
        console.rule(align="left")
        console.print(
            f"{len(files)} files: {len(outcomes) - len(lost)} analyzed, "
            f"{len(lost)} with failures, {len(refused)} refused."
        )
    return int(bool(refused) or any(outcome.errors for outcome in outcomes))


def _analyzed(
    instance: dg.DagsterInstance,
    video_id: str,
    board: _StepBoard,
    analyzers: Collection[str] | None,
) -> Outcome:
    """Analyze one video; an error outside of its steps, as of a resource, costs it alone."""
    try:
        return analyze_video(instance, video_id, board.update, analyzers)
    except Exception as error:
        root = error.__cause__ or error
        told = str(root).strip() or type(root).__name__
        return Outcome(video_id, {"run": f"The run of {video_id} failed: {told}"})


def _videos_in(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(video_files(path))
            if not found:
                raise FileNotFoundError(f"no videos in the folder {path}")
            yield from found
        elif path.exists():
            yield path
        else:
            raise FileNotFoundError(f"{path} is not there")


class _StepBoard:
    """One line for each step of the video in hand, on a terminal.

    While a run goes on, the executor captures what goes to standard output, so the board writes to
    a copy of the terminal's descriptor.
    """

    def __init__(self, console: Console) -> None:
        self._lines: dict[str, TaskID] = {}
        self._file = os.fdopen(os.dup(console.file.fileno()), "w") if console.is_terminal else None
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<24}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=Console(file=self._file, force_terminal=True, width=console.width),
            transient=True,
            disable=self._file is None,
        )

    def __enter__(self) -> _StepBoard:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        if self._file is not None:
            self._file.close()

    def update(self, step: StepState) -> None:
        """Show a step's state."""
        if step.step not in self._lines:
            self._lines[step.step] = self._progress.add_task(step.step, total=None, state="")
        share = 1.0 if step.success is not None else step.share
        self._progress.update(
            self._lines[step.step],
            total=None if share is None else 1.0,
            completed=share or 0.0,
            state="ended" if step.success is None and share == 1.0 else _ENDED[step.success],
        )


def _show(
    outcome: Outcome,
    analyzers: Sequence[str],
    settings: Settings,
    results: ResultStore,
    console: Console,
) -> None:
    table = Table(header_style="bold")
    for heading, justify in (
        ("analyzer", "left"),
        ("status", "left"),
        ("rows", "right"),
        ("seconds", "right"),
        ("model", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    reasons = []
    for asset in outcome.errors:
        if asset not in analyzers:  # the media, the document, the report, or a run as a whole
            table.add_row(asset, "[red]failed[/]", "", "", "")
            reasons.append(outcome.errors[asset])
    for name in analyzers:
        if name in outcome.errors:
            table.add_row(name, "[red]failed[/]", "", "", "")
            reasons.append(outcome.errors[name])
        elif name in outcome.done:
            stored = results.read_json(name, outcome.video_id)
            if stored["reason"]:
                reasons.append(f"{name}: {stored['reason']}")
            table.add_row(
                name,
                "[green]ok[/]" if stored["status"] == "ok" else "[yellow]not applicable[/]",
                str(stored["observation_count"]),
                f"{stored['seconds']:.1f}",
                ", ".join(f"{m['model_id']} ({m['runtime']})" for m in stored["models"]),
            )
        else:
            table.add_row(name, "[dim]not run[/]", "", "", "")
    console.print(table)
    for reason in reasons:
        console.print(f"  {escape(reason)}", soft_wrap=True)
    console.print(f"{outcome.seconds:.1f} s, video id {outcome.video_id}", highlight=False)
    if DOCUMENT in outcome.done:
        where = results.location(DOCUMENT, "json", outcome.video_id)
        console.print(f"Document: {where}", soft_wrap=True, highlight=False)
    if REPORT in outcome.done:
        where = ReportStore(url=settings.reports).location(outcome.video_id)
        console.print(f"Report:   {where}", soft_wrap=True, highlight=False)
    console.print(f"Results:  {settings.results}", soft_wrap=True, highlight=False)
