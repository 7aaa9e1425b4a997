"""The command line: `tiktok-assets analyze | status | doctor | models | up`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analyzers.models import runtime
from tiktok_assets import models_cli, urls_cli
from tiktok_assets.settings import Settings

app = typer.Typer(
    name="tiktok-assets",
    help="A film-production document of every short video, second by second.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(models_cli.app, name="models", help="The models' weights: list, pull, verify.")
app.add_typer(urls_cli.app, name="urls")
console = Console()
errors = Console(stderr=True)
_debug = False


@app.callback()
def _settings(
    debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False,
) -> None:
    global _debug
    _debug = debug
    settings = Settings()
    settings.export()
    os.environ.setdefault("DAGSTER_HOME", str(settings.dagster_home()))
    runtime.prepare()


def main() -> None:
    """The console script: an error is one sentence unless `--debug` is given."""
    try:
        app()
    except Exception as error:
        if _debug:
            raise
        message = str(error).strip() or type(error).__name__
        errors.print(f"[bold red]Error:[/] {escape(message)}", highlight=False, soft_wrap=True)
        errors.print("[dim]`tiktok-assets --debug ...` shows the traceback.[/]")
        sys.exit(1)


@app.command()
def analyze(
    paths: Annotated[list[Path], typer.Argument(help="Videos, or folders of videos.")],
    analyzer: Annotated[
        list[str] | None, typer.Option(help="Only this analyzer, and what it rests on.")
    ] = None,
) -> None:
    """Register videos and analyze them in this process, without worker or daemon.

    Exit code 0 when every analyzer of every video succeeded or had nothing to say, 1 otherwise,
    130 when it was interrupted.
    """
    from tiktok_assets.analyze_command import analyze_paths

    raise typer.Exit(analyze_paths(paths, Settings(), console, analyzer or ()))


@app.command()
def refresh(
    videos: Annotated[list[str] | None, typer.Argument(help="Video ids; none: all.")] = None,
    analyzer: Annotated[list[str] | None, typer.Option(help="Only this analyzer.")] = None,
    failed: Annotated[bool, typer.Option(help="Also what failed at its last attempt.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only show what is stale, and why.")] = False,
) -> None:
    """Make again what other code, models or settings would now make otherwise, and what is missing.

    In this process, without worker or daemon. Exit code 0 when all went well, 1 otherwise, 130 when
    it was interrupted.
    """
    from tiktok_assets.refresh_command import refresh as run

    code = run(Settings(), console, videos or (), analyzer or (), failed, dry_run)
    raise typer.Exit(code)


@app.command()
def status(
    json_output: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Videos, results and failures with reasons; queue, workers, models, GPUs, disk."""
    import dagster as dg

    from tiktok_assets.status import collect
    from tiktok_assets.status_view import show

    with dg.DagsterInstance.get() as instance:
        found = collect(Settings(), instance)
    if json_output:
        typer.echo(found.model_dump_json(indent=1))
    else:
        show(found, console)


@app.command()
def monitor(
    every: Annotated[float, typer.Option(min=0.5, help="Seconds between looks.")] = 2.0,
    once: Annotated[bool, typer.Option(help="Look once and end.")] = False,
) -> None:
    """The status, live: analyzers, queue, workers with their steps and models, GPUs, disk."""
    from tiktok_assets.monitor import monitor as run

    with suppress(KeyboardInterrupt):
        run(Settings(), console, every, most_looks=1 if once else None)


@app.command()
def init(
    force: Annotated[bool, typer.Option(help="Write the file anew where there is one.")] = False,
) -> None:
    """Make the folders, and tiktok-assets.toml with every setting commented out."""
    from tiktok_assets.init_command import init as make

    for sentence in make(Settings(), force):
        console.print(escape(sentence), soft_wrap=True, highlight=False)


@app.command()
def housekeeping() -> None:
    """Remove what the settings under [retention] say, leftovers, and the frame cache's excess."""
    import dagster as dg

    from tiktok_assets.housekeeping import sweep

    with dg.DagsterInstance.get() as instance:
        console.print(sweep(instance, Settings(), console.print).sentence())


@app.command()
def doctor() -> None:
    """Check this machine and this installation, and say what to do about what is missing."""
    from tiktok_assets.doctor import examine

    findings = examine(Settings())
    table = Table(show_header=True, header_style="bold")
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading)
    marks = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "problem": "[red]problem[/]"}
    for finding in findings:
        table.add_row(marks[finding.level], finding.what, finding.found, finding.way_out)
    console.print(table)
    raise typer.Exit(int(any(finding.level == "problem" for finding in findings)))


@app.command()
def up(
    host: Annotated[str, typer.Option(help="Address the web page listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 3000,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page.")] = False,
    api_port: Annotated[
        int | None, typer.Option(help="Port of the HTTP API; 0: off; else as set (8000).")
    ] = None,
) -> None:
    """Start the web page, the daemon, the warm workers and the HTTP API; Ctrl-C stops them."""
    from tiktok_assets.up import up as start

    if api_port is None:
        api_port = Settings().api.port
    start(host, port, open_browser=open_browser, api_port=api_port)


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Its port; else as set (8000).")] = None,
    dagster: Annotated[str, typer.Option(help="Address of Dagster's page.")] = (
        "http://127.0.0.1:3000"
    ),
) -> None:
    """The HTTP API alone, beside a web page, a daemon and a worker that run already."""
    from tiktok_assets.api import serve as run

    settings = Settings()
    run(settings, dagster, port or settings.api.port or 8000)
