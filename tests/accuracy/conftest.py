"""What the accuracy tests share: decoded clips, their labels, and one table of figures at the end.

`report(analyzer, clip, measure, value, target)` adds a row; the assertions stay in the tests, so
that a figure is printed whether its target is met or not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from analyzers.video import Video
from resources.media import open_video

_ROWS = pytest.StashKey[list[tuple[str, ...]]]()

Report = Callable[[str, str, str, object, str], None]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """`report(analyzer, clip, measure, value, target)` adds a row to the table."""

    def add(analyzer: str, clip: str, measure: str, value: object, target: str) -> None:
        shown = f"{value:.3g}" if isinstance(value, float) else str(value)
        pytestconfig.stash[_ROWS].append((analyzer, clip, measure, shown, target))

    return add


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = config.stash[_ROWS]
    if not rows:
        return
    table = Table("analyzer", "clip", "measure", "value", "target", title="Accuracy")
    for row in sorted(rows):
        table.add_row(*row)
    console = Console(width=140)
    with console.capture() as capture:
        console.print(table)
    terminalreporter.write(capture.get())


@pytest.fixture(scope="session")
def demo_video(
    demo_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Video]]:
    """`demo_video("friday_dialogue_bw")`: a labelled clip, decoded once for all tests."""
    data_dir = tmp_path_factory.mktemp("accuracy")
    with ExitStack() as stack:

        @cache
        def decoded(name: str) -> Video:
            [path] = [p for p in demo_dir.glob(f"{name}.*") if p.suffix in (".mp4", ".webm")]
            return stack.enter_context(open_video(path, data_dir=data_dir))

        yield decoded


@pytest.fixture(scope="session")
def sample_video(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Video]:
    """The sample that lies in the repository."""
    [path] = _SAMPLE.glob("*.mp4")
    with open_video(path, data_dir=tmp_path_factory.mktemp("sample")) as video:
        yield video


@pytest.fixture(scope="session")
def sample_labels() -> dict[str, Any]:
    """The exact truth of the sample."""
    [path] = _SAMPLE.glob("*.gt.json")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def demo_labels(demo_dir: Path) -> Callable[[str], dict[str, Any]]:
    """`demo_labels("friday_dialogue_bw")`: the labels of a clip."""
    return lambda name: json.loads((demo_dir / f"{name}.gt.json").read_text(encoding="utf-8"))


_SAMPLE = Path(__file__).resolve().parents[2] / "sample"
