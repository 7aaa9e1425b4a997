"""`tiktok-assets urls`: add, status, retry, download."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.url_lists import ListedUrl, read_list
from resources.url_queue import QueuedUrl, State
from resources.web_address import refusal
from tiktok_assets.downloads import download_due, url_queue
from tiktok_assets.settings import Settings

app = typer.Typer(help="URLs of videos that are downloaded into the watched folder.")

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def add(
    sources: Annotated[
        list[str], typer.Argument(metavar="FILE|URL...", help="Lists of URLs, or URLs.")
    ],
    priority: Annotated[int, typer.Option(help="Of those that name none; the highest first.")] = 0,
    tag: Annotated[list[str] | None, typer.Option(help="A label, kept with the video.")] = None,
) -> None:
    """Queue the URLs of lists: text (one a line, # comments) or CSV (url, priority, tags).

    Exit code 1 where something was not taken; the rest is queued.
    """
    settings = Settings()
    urls: list[ListedUrl] = []
    wrong: list[str] = []
    for source in sources:
        if "://" in source:
            if why := refusal(source, settings.urls.hosts):
                wrong.append(f"{source!r} is not taken: {why}.")
            else:
                urls.append(ListedUrl(source, priority))
        else:
            found, mistakes = read_list(Path(source), settings.urls.hosts, priority)
            urls += found
            wrong += mistakes
    labelled = [dataclasses.replace(u, tags=(*u.tags, *(tag or ()))) for u in urls]
    new = url_queue(settings).add(labelled)
    for sentence in wrong:
        _err.print(escape(sentence))
    _out.print(f"{new} new, {len(urls) - new} known before, {len(wrong)} not taken.")
    raise typer.Exit(int(bool(wrong)))


@app.command()
def status(
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """What is queued, downloading, done and failed, with the reasons."""
    queue = url_queue(Settings())
    counts, rows = queue.counts(), queue.rows(state)
    if json_output:
        found = {"counts": counts, "urls": [dataclasses.asdict(row) for row in rows]}
        typer.echo(json.dumps(found, indent=1))
        return
    if rows:
        table = Table("state", "priority", header_style="bold")
        table.add_column("URL", overflow="fold")
        table.add_column("what is known", overflow="fold")
        for row in rows:
            table.add_row(row.state, str(row.priority), escape(row.url), escape(_words(row)))
        Console().print(table)
    _out.print(", ".join(f"{count} {name}" for name, count in counts.items()))


def _words(row: QueuedUrl) -> str:
    words = [*row.files, f"{row.kind}: {row.reason}" if row.kind else row.reason]
    if row.state is State.QUEUED and row.attempts:
        due = datetime.fromtimestamp(row.next_attempt_s, UTC).astimezone()
        words.append(f"attempt {row.attempts + 1} after {due:%d %b %H:%M}")
    return " ".join(filter(None, words))


@app.command()
def retry(
    urls: Annotated[list[str] | None, typer.Argument(help="URLs; none: all.")] = None,
) -> None:
    """Queue what failed again, and what waits for another attempt at once."""
    _out.print(f"{url_queue(Settings()).retry(urls or ())} queued again.")


@app.command()
def download() -> None:
    """Download what is due now, in this process, without worker or daemon.

    Exit code 0 when all came, 1 otherwise, 130 when it was interrupted.
    """
    settings = Settings()
    try:
        tally = download_due(
            settings,
            lambda sentence: _out.print(escape(sentence)),
            lambda sentence: _err.print(f"[yellow]{escape(sentence)}[/]"),
        )
    except KeyboardInterrupt:
        _err.print("Interrupted; what was not finished is queued again.")
        raise typer.Exit(130) from None
    if tally.stopped:
        _err.print(escape(tally.stopped))
    _out.print(f"{tally.done} done, {tally.put_off} put off, {tally.failed} failed.")
    if tally.done:
        _out.print(
            f"They lie in {settings.watched_folders[0]}: `tiktok-assets up` analyzes what is there."
        )
    raise typer.Exit(int(bool(tally.put_off or tally.failed or tally.stopped)))
