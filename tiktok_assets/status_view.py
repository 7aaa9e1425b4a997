"""The project's status as tables for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from tiktok_assets.status import Disk, ProjectStatus, Queue, Worker

_STATES = ("queued", "downloading", "done", "failed")


def show(status: ProjectStatus, console: Console) -> None:
    """All of it, with the reasons of failures at the end."""
    console.print(heading(status), highlight=False)
    console.print(analyzers(status))
    console.print(surroundings(status))
    for reason in reasons(status):
        console.print(f"  {escape(reason)}", soft_wrap=True, highlight=False)


def heading(status: ProjectStatus) -> Text:
    """One line: how many videos, documents and reports, where."""
    refused = len({video_id for found in status.refused.values() for video_id in found})
    made = f"{status.documents} documents, {status.reports} reports"
    line = Text(f"{len(status.videos)} videos, {made} in {status.data_dir}")
    if refused:
        line.append(f"; {refused} could not be read", style="red")
    return line


def analyzers(status: ProjectStatus) -> Table:
    """A row for each analyzer."""
    table = Table(header_style="bold")
    table.add_column("analyzer")
    for name in ("results", "failed", "missing", "success"):
        table.add_column(name, justify="right")
    for row in status.analyzers:
        failed = f"[red]{len(row.failures)}[/]" if row.failures else "0"
        ratio = row.success_ratio
        success = "" if ratio is None else f"{ratio:.1%}"
        table.add_row(row.analyzer, str(row.results), failed, str(row.missing), success)
    return table


def surroundings(status: ProjectStatus) -> Table:
    """Queue, workers with their models, GPUs and disk."""
    table = Table(show_header=False, box=None, padding=(0, 1))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for part in (_queue(status.queue), _workers(status.workers), _gpus(status), _disk(status.disk)):
        for name, said in part:
            table.add_row(name, Text.from_markup(said))
    return table


def reasons(status: ProjectStatus) -> list[str]:
    """Why what failed did, each in a sentence."""
    media = [why for found in status.refused.values() for why in found.values()]
    return media + [why for row in status.analyzers for why in row.failures.values()]


Rows = list[tuple[str, str]]


def _queue(queue: Queue) -> Rows:
    waiting = ", ".join(f"{count} in {lane}" for lane, count in sorted(queue.waiting.items()))
    rows = [("runs waiting", waiting or "none")]
    for run in queue.running:
        of = f" of {escape(run.video_id)}" if run.video_id else ""
        rows.append(("run", f"{escape(run.job)}{of}, {run.lane}, for {run.seconds:.0f} s"))
    if queue.urls:
        rows.append(("URLs", ", ".join(f"{queue.urls.get(s, 0)} {s}" for s in _STATES)))
    return rows


def _workers(workers: list[Worker]) -> Rows:
    if not workers:
        return [("worker", "none runs here (`tiktok-assets up` starts it)")]
    rows = []
    for worker in workers:
        resident = [model for model in worker.models if model.resident]
        models = ", ".join(f"{m.model_id} ({m.device})" for m in resident)
        taken = sum(model.memory_mb for model in resident) / 1e3
        rows.append(
            (worker.name, f"process {worker.pid}, {worker.memory_bytes / 1e9:.1f} GB, "
             f"last sign of life {worker.silent_s:.0f} s ago")
        )  # fmt: skip
        if worker.steps:
            steps = (n if s is None else f"{n} {s:.0%}" for n, s in sorted(worker.steps.items()))
            rows.append(("  works on", escape(", ".join(steps))))
        if resident:
            rows.append(("  models", f"{len(resident)}, {taken:.1f} GB declared: {escape(models)}"))
    return rows


def _gpus(status: ProjectStatus) -> Rows:
    rows = []
    for gpu in status.gpus:
        used, total = gpu.memory_used_bytes / 1e9, gpu.memory_total_bytes / 1e9
        busy = "" if gpu.utilization_ratio is None else f", {gpu.utilization_ratio:.0%} busy"
        rows.append((f"GPU {gpu.index}", f"{escape(gpu.name)}, {used:.1f} of {total:.1f} GB{busy}"))
    return rows or [("GPU", "none")]


def _disk(disk: Disk) -> Rows:
    free, floor = disk.free_bytes / 1e9, disk.floor_bytes / 1e9
    said = f"{free:.1f} GB free, nothing new below {floor:g} GB"
    folders = ", ".join(
        f"{name.replace('_', ' ')} {size / 1e9:.2f} GB" for name, size in disk.folder_bytes.items()
    )
    return [("disk", said if free >= floor else f"[red]{said}[/]"), ("  folders", folders)]
