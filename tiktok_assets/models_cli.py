"""`tiktok-assets models`: list, pull, verify and find model weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from analyzers.models.pickle_names import UnsafePickle
from analyzers.models.weights import ModelFileError, ModelFiles, ModelMissing
from resources.model_store import ModelStore, OnPull, PullProgress

app = typer.Typer(help="Model weights: what there is, where it lies, and how to get it.")

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)

ModelIds = Annotated[list[str] | None, typer.Argument(help="Ids of models (see `models list`).")]
Profile = Annotated[str, typer.Option(help="All models of this profile, where no ids are given.")]


@app.command("list")
def list_models() -> None:
    """Show every model of the manifest, what it serves, and whether it is here."""
    files = ModelFiles()
    profiles = {
        name: {choice.model for choice in roles.values()}
        for name, roles in files.manifest.profiles.items()
    }
    table = Table(title=f"Models in {files.root}", title_justify="left")
    for name in ("model", "role", "profiles", "licence", "MB", "state"):
        table.add_column(name, justify="right" if name == "MB" else "left", overflow="fold")
    for spec in files.manifest.models.values():
        used = [name for name, ids in profiles.items() if spec.model_id in ids]
        table.add_row(
            spec.model_id,
            ", ".join(spec.roles),
            ", ".join(used),
            spec.licence,
            f"{spec.size_bytes / 1e6:.1f}",
            _state(files, spec.model_id),
        )
    _out.print(table)


def _state(files: ModelFiles, model_id: str) -> str:
    try:
        for runtime in [None, *files.spec(model_id).convert]:
            files.paths(model_id, runtime)
    except ModelMissing:
        return "[yellow]to pull[/]"
    except (ModelFileError, UnsafePickle):
        return "[red]damaged[/]"
    return "[green]here[/]"


@app.command()
def pull(ids: ModelIds = None, profile: Profile = "embedded") -> None:
    """Fetch what is missing or damaged; what is there and right is left as it is."""
    store = ModelStore()
    wanted = _wanted(store.files, ids, profile)
    with _progress_bars() as on_progress:
        touched = store.pull(wanted, on_progress)
    size_mb = sum(store.files.spec(model_id).size_bytes for model_id in wanted) / 1e6
    ready = "1 model is" if len(wanted) == 1 else f"{len(wanted)} models are"
    news = f"new: {', '.join(touched)}" if touched else "nothing was missing"
    typer.echo(f"{ready} ready ({size_mb:.0f} MB) in {store.files.root}; {news}.")


def _wanted(files: ModelFiles, ids: list[str] | None, profile: str) -> list[str]:
    """The models that were named, or those of a profile; each once."""
    named = ids or [choice.model for choice in files.manifest.profile(profile).values()]
    return list(dict.fromkeys(files.spec(model_id).model_id for model_id in named))


@contextmanager
def _progress_bars() -> Iterator[OnPull]:
    """One bar for each file that is fetched; no terminal, no bars."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_err) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def show(news: PullProgress) -> None:
            key = (news.model_id, news.file)
            text = f"{news.model_id}: {news.file}"
            if news.step == "converting":
                text = f"{news.model_id}: converting to {news.file}"
            if key not in tasks:
                tasks[key] = bars.add_task(text, total=news.size_bytes)
            # A conversion has no bytes to count: its bar pulses until it is done.
            total = None if news.step == "converting" else news.size_bytes
            bars.update(tasks[key], completed=news.done_bytes, total=total)

        yield show


@app.command()
def verify(ids: ModelIds = None, profile: Profile = "embedded") -> None:
    """Read every file again and compare its SHA-256; exit code 1 if one is missing or differs."""
    files = ModelFiles()
    bad = 0
    for model_id in _wanted(files, ids, profile):
        try:
            files.verify(model_id)
        except (ModelFileError, UnsafePickle) as error:
            bad += 1
            _err.print(f"[red]bad[/]  {model_id}: {escape(str(error))}", soft_wrap=True)
        else:
            _out.print(f"[green]good[/] {model_id}")
    if bad:
        raise typer.Exit(1)


@app.command()
def path(
    model_id: Annotated[str, typer.Argument(help="Id of a model (see `models list`).")],
    file: Annotated[str | None, typer.Option(help="Name of one of its files.")] = None,
) -> None:
    """Print where a model's verified files lie, one a line."""
    files = ModelFiles()
    for name in [file] if file else list(files.spec(model_id).files):
        typer.echo(files.path(model_id, name))
