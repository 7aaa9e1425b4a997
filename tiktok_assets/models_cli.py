"""`tiktok-assets models`: list, pull, verify and find model weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from analyzers.models.weights import ModelFileError, ModelFiles, ModelMissing, UnknownModel
from resources.model_store import ModelStore, OnPull, PullProgress
from tiktok_assets.settings import Settings

app = typer.Typer(help="Model weights: what there is, where it lies, and how to get it.")

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)

ModelIds = Annotated[list[str] | None, typer.Argument(help="Ids of models (see `models list`).")]
Profile = Annotated[str, typer.Option(help="All models of this profile, where no ids are given.")]
Only = Annotated[
    list[str] | None,
    typer.Option(help="Of the profile, only this role's or this id's model; may be repeated."),
]


def _files() -> ModelFiles:
    return Settings().files()


def _store() -> ModelStore:
    settings = Settings()
    return ModelStore(settings.files(), settings.hub_endpoint, settings.models_mirror)


@app.command("list")
def list_models() -> None:
    """Show every model of the manifest, what it serves, and whether it is here."""
    files = _files()
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
def pull(ids: ModelIds = None, profile: Profile = "embedded", only: Only = None) -> None:
    """Fetch what is missing or damaged; what is there and right is left as it is.

    An interrupted download goes on where it stopped. Without a way to the model hub, set
    models_mirror to a copy of another machine's models folder.
    """
    store = _store()
    wanted = _wanted(store.files, ids, profile, only or [])
    for model_id in wanted:
        spec = store.files.spec(model_id)
        if spec.non_commercial:
            _err.print(
                f"[yellow]{model_id}[/] may not be used commercially: {escape(spec.licence)}",
                soft_wrap=True,
            )
    with _progress_bars() as on_progress:
        touched = store.pull(wanted, on_progress)
    size_mb = sum(store.files.spec(model_id).size_bytes for model_id in wanted) / 1e6
    ready = "1 model is" if len(wanted) == 1 else f"{len(wanted)} models are"
    news = f"new: {', '.join(touched)}" if touched else "nothing was missing"
    typer.echo(f"{ready} ready ({size_mb:.0f} MB) in {store.files.root}; {news}.")


def _wanted(
    files: ModelFiles, ids: list[str] | None, profile: str, only: Sequence[str] = ()
) -> list[str]:
    """The models that were named, or those of a profile; each once.

    Raises `UnknownModel` for what is not in the manifest, or not in the profile.
    """
    if ids:
        return list(dict.fromkeys(files.spec(model_id).model_id for model_id in ids))
    by_role = {role: choice.model for role, choice in files.manifest.profile(profile).items()}
    if strange := set(only) - {*by_role, *by_role.values()}:
        raise UnknownModel(
            f"the profile {profile} has no {', '.join(sorted(strange))}; there are "
            + ", ".join(f"{role} ({model_id})" for role, model_id in by_role.items())
        )
    chosen = [m for role, m in by_role.items() if not only or role in only or m in only]
    return list(dict.fromkeys(chosen))


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
    files = _files()
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
    files = _files()
    for name in [file] if file else list(files.spec(model_id).files):
        typer.echo(files.path(model_id, name))
