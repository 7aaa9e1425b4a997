"""Writes docs/schema.md from the analyzers' declarations: `python -m tiktok_assets.schema_page`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

import pyarrow as pa

from analyzers.base import Analyzer, Column
from analyzers.registry import builtin
from analyzers.segments import SegmentGrid


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Schema of the results"
    yield ""
    yield "Made from the analyzers' declarations by `make docs`; a test holds it current."
    yield ""
    yield (
        "Times are seconds from the first presented frame. Coordinates are relative to the upright "
        "frame, 0..1, from the top left. Each observation table starts with `video_id`; each "
        "segment table starts with:"
    )
    yield ""
    yield from _table(
        [
            Column(f.name, f.type, (f.metadata or {})[b"description"].decode(), f.nullable)
            for f in SegmentGrid.SCHEMA
        ]
    )
    for cls in builtin():
        yield from _analyzer(cls)


def _analyzer(cls: type[Analyzer]) -> Iterator[str]:
    yield f"## {cls.name}"
    yield ""
    yield inspect.getdoc(cls) or ""
    yield ""
    needs = [f"stage {cls.stage.value}", f"version {cls.version}"]
    for label, names in (
        ("models", cls.models_used),
        ("models where configured", cls.optional_models),
        ("rungs", cls.rungs),
        ("requires", cls.requires),
        ("uses where present", cls.optional),
    ):
        if names:
            needs.append(f"{label}: {', '.join(names)}")
    if not cls.enabled_by_default:
        needs.append("off by default")
    yield "; ".join(needs) + "."
    if cls.notice:
        yield ""
        yield f"**{cls.notice}**"
    for title, columns in (
        ("Observations", cls.observation_columns),
        ("Segments", cls.segment_columns),
        ("Summary", cls.summary_columns),
    ):
        yield ""
        yield f"### {title} of {cls.name}"
        yield ""
        yield from _table(columns)
    if cls.Settings.model_fields:
        yield f"### Settings of {cls.name}"
        yield ""
        yield "| setting | default | what it does |"
        yield "| --- | --- | --- |"
        for name, field in cls.Settings.model_fields.items():
            yield f"| `{name}` | `{field.default}` | {_cell(field.description or '')} |"
        yield ""


def _table(columns: Sequence[Column]) -> Iterator[str]:
    yield "| column | type | null | range | description |"
    yield "| --- | --- | --- | --- | --- |"
    for c in columns:
        null = "yes" if c.nullable else ""
        yield f"| `{c.name}` | {_type(c.type)} | {null} | {_range(c)} | {_cell(c.description)} |"
    yield ""


def _type(kind: pa.DataType) -> str:
    return str(kind).replace("<", "&lt;").replace(">", "&gt;")


def _range(column: Column) -> str:
    if column.values is not None:
        return _cell(", ".join(f"`{value}`" for value in column.values))
    if column.minimum is None and column.maximum is None:
        return ""
    low = "" if column.minimum is None else f"{column.minimum:g}"
    high = "" if column.maximum is None else f"{column.maximum:g}"
    return f"{low}..{high}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    print(page(), end="")
