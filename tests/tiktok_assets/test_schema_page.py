import inspect
from pathlib import Path

from analyzers.registry import builtin
from tiktok_assets.schema_page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "schema.md"


def test_the_page_is_current():
    assert PAGE.read_text() == page(), "the declarations changed: run `make docs`"


def test_every_setting_and_column_is_described():
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert rows
    assert not [row for row in rows if row.rstrip(" |").endswith("|")]


def test_every_analyzer_says_how_accurate_it_is():
    """A figure, or "Accuracy: not measured"."""
    assert not [cls.name for cls in builtin() if "ccuracy" not in inspect.getdoc(cls)]
