"""`tiktok-assets refresh`: makes again what is stale, and nothing else."""

from __future__ import annotations

from collections.abc import Collection

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from tiktok_assets.analyze import remake
from tiktok_assets.partitions import VIDEOS
from tiktok_assets.settings import Settings
from tiktok_assets.staleness import NEVER_MADE, OTHER_CODE, stale_assets


def refresh(
    settings: Settings,
    console: Console,
    videos: Collection[str] = (),
    analyzers: Collection[str] = (),
    failed_too: bool = False,
    dry_run: bool = False,
) -> int:
    """Make stale assets again, of some videos and analyzers or of all. Returns the exit code.

    What rests on an asset is made again only where that turned out different.
    Raises `LookupError` for a name that no asset has.
    """
    if unknown := set(analyzers) - settings.enabled().keys():
        raise LookupError(f"no such analyzer is switched on: {', '.join(sorted(unknown))}")
    with dg.DagsterInstance.get() as instance:
        if unknown := set(videos) - set(instance.get_dynamic_partitions(str(VIDEOS.name))):
            raise LookupError(f"no such video: {', '.join(sorted(unknown))}")
        found = stale_assets(instance, settings, videos or None, failed_too)
        stale = {
            video_id: wanted
            for video_id, own in track(found, "Looking", console=console, transient=True)
            if (wanted := {n: w for n, w in own.items() if not analyzers or n in analyzers})
        }
        if not stale:
            console.print("Nothing is stale.")
        elif dry_run:
            _show(stale, console)
        else:
            return max(_remake(instance, settings, v, w, console) for v, w in stale.items())
    return 0


def _remake(
    instance: dg.DagsterInstance,
    settings: Settings,
    video_id: str,
    wanted: dict[str, str],
    console: Console,
) -> int:
    """Make assets of one video again, and what turns out to be stale by that."""
    code = 0
    tried: set[str] = set()
    while wanted:
        console.print(f"{video_id}: {', '.join(wanted)}", highlight=False, soft_wrap=True)
        tried |= wanted.keys()
        outcome = remake(instance, video_id, wanted)
        for error in outcome.errors.values():
            console.print(f"[red]failed[/] {escape(error)}", soft_wrap=True)
            code = 1
        if outcome.cancelled:
            raise KeyboardInterrupt
        ((_, stale),) = stale_assets(instance, settings, [video_id])
        wanted = {
            name: why
            for name, why in stale.items()
            if name not in tried and why not in (NEVER_MADE, OTHER_CODE)
        }
    return code


def _show(stale: dict[str, dict[str, str]], console: Console) -> None:
    table = Table("video", "asset", "why", header_style="bold")
    for video_id, wanted in stale.items():
        for name, why in wanted.items():
            table.add_row(video_id, name, escape(why))
    console.print(table)
