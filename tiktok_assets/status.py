"""What stands: videos, results by analyzer, failures with their reasons."""

from __future__ import annotations

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from resources.media import MediaLibrary
from resources.result_store import ResultStore
from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.settings import Settings


class AnalyzerStatus(BaseModel):
    """One analyzer over all registered videos."""

    analyzer: str
    results: int
    missing: int
    #: By video id, why the last attempt failed.
    failures: dict[str, str]


class ProjectStatus(BaseModel):
    """The whole library."""

    data_dir: str
    videos: list[str]
    documents: int
    analyzers: list[AnalyzerStatus]


def collect(settings: Settings) -> ProjectStatus:
    """Read it off the library and the result store; Dagster need not run."""
    library = MediaLibrary(data_dir=settings.data_dir, settings=settings.ladder)
    results = ResultStore(url=settings.results)
    videos = library.video_ids()
    rows = []
    for name in sorted(settings.enabled()):
        done = set(results.video_ids(name))
        failures = {
            failure.video_id: failure.error
            for video_id in results.failed_video_ids(name)
            if (failure := results.failure(name, video_id))
        }
        rows.append(
            AnalyzerStatus(
                analyzer=name,
                results=len(done - failures.keys()),
                missing=len(set(videos) - done - failures.keys()),
                failures=failures,
            )
        )
    return ProjectStatus(
        data_dir=str(settings.data_dir),
        videos=videos,
        documents=len(results.video_ids(DOCUMENT)),
        analyzers=rows,
    )


def show(status: ProjectStatus, console: Console) -> None:
    """As a table, with the reasons of failures below it."""
    console.print(
        f"{len(status.videos)} videos, {status.documents} documents in {status.data_dir}",
        highlight=False,
    )
    table = Table(header_style="bold")
    table.add_column("analyzer")
    for heading in ("results", "failed", "missing"):
        table.add_column(heading, justify="right")
    for row in status.analyzers:
        failed = f"[red]{len(row.failures)}[/]" if row.failures else "0"
        table.add_row(row.analyzer, str(row.results), failed, str(row.missing))
    console.print(table)
    for row in status.analyzers:
        for reason in row.failures.values():
            console.print(f"  {escape(reason)}", soft_wrap=True)
