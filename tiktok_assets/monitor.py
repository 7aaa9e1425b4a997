"""`tiktok-assets monitor`: the status, live in the terminal."""

from __future__ import annotations

import time
from datetime import datetime
from functools import partial

import dagster as dg
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tiktok_assets import status_view
from tiktok_assets.settings import Settings
from tiktok_assets.snapshot import Snapshot
from tiktok_assets.status import ProjectStatus, collect

_REASONS = 5
#: Columns of a terminal in which both tables stand side by side.
_WIDE = 120


def monitor(
    settings: Settings, console: Console, every_s: float, most_looks: int | None = None
) -> None:
    """Show it until Ctrl-C, or for so many looks."""
    with (
        dg.DagsterInstance.get() as instance,
        Live(console=console, auto_refresh=False, screen=console.is_terminal) as live,
    ):
        snapshot = Snapshot(partial(collect, settings, instance))
        looks = 0
        while most_looks is None or looks < most_looks:
            if looks:
                time.sleep(every_s)
            live.update(_view(snapshot.latest(), console.width), refresh=True)
            looks += 1


def _side_by_side(status: ProjectStatus) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_row(status_view.analyzers(status), status_view.surroundings(status))
    return grid


def _one_below_the_other(status: ProjectStatus) -> RenderableType:
    return Group(status_view.surroundings(status), status_view.analyzers(status))


def _view(status: ProjectStatus, width: int) -> RenderableType:
    now = Text(f"{datetime.now():%H:%M:%S}, Ctrl-C ends it", style="dim")
    parts: list[RenderableType] = [
        status_view.heading(status),
        now,
        _side_by_side(status) if width >= _WIDE else _one_below_the_other(status),
    ]
    reasons = status_view.reasons(status)
    for reason in reasons[:_REASONS]:
        parts.append(Text(reason, style="red", overflow="ellipsis", no_wrap=True))
    if (left := len(reasons) - _REASONS) > 0:
        parts.append(Text(f"and {left} more: `tiktok-assets status`", style="red"))
    return Group(*parts)
