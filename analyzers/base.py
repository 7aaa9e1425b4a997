"""What an analyzer is, what it declares, and what it returns.

An analyzer is a class in a file of its own in this package. It declares the columns it delivers,
the models, rungs and other results it needs, and turns one video into an `AnalysisResult`.
It knows nothing of Dagster, of files' places or of other analyzers' code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from analyzers.segments import SegmentGrid

if TYPE_CHECKING:
    from analyzers.models.lending import Models
    from analyzers.video import Video

Status = Literal["ok", "not_applicable"]

#: A video, and the results of other analyzers on it.
Case = tuple["Video", Mapping[str, "AnalysisResult"]]


class Stage(StrEnum):
    """How dear an analyzer is; the engine limits how many of a stage run at once."""

    HEAVY_GPU = "heavy_gpu"
    MEDIUM_GPU = "medium_gpu"
    LIGHT_GPU = "light_gpu"
    FAST = "fast"


class Family(StrEnum):
    """The group under which an analyzer stands in the UI."""

    PICTURE = "picture"
    PEOPLE = "people"
    EDIT = "edit"
    SOUND = "sound"
    SPEECH = "speech"
    STORY = "story"


@dataclass(frozen=True)
class Column:
    """One column of a table, or one field of a summary.

    `minimum` and `maximum` are inclusive and are enforced where results are written.
    The unit is the last part of the name (`_s`, `_hz`, `_px`, `_deg`, `_ratio`, `_db`, `_lufs`).
    """

    name: str
    type: pa.DataType
    description: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] | None = None


TIME_S = Column(
    "time_s", pa.float64(), "Start, in seconds from the first presented frame", minimum=0.0
)
END_S = Column(
    "end_s",
    pa.float64(),
    "End of what lasts, in seconds from the first presented frame",
    minimum=0.0,
)


def confidence(description: str, name: str = "confidence", nullable: bool = False) -> Column:
    """A score column, 0..1."""
    return Column(name, pa.float32(), description, nullable=nullable, minimum=0.0, maximum=1.0)


def box_columns(of: str, nullable: bool = False) -> tuple[Column, Column, Column, Column]:
    """Box corners `x1, y1, x2, y2`, relative to the upright frame, 0..1, origin at the top left."""
    return tuple(  # type: ignore[return-value]
        Column(name, pa.float32(), f"{side} of {of}", nullable=nullable, minimum=0.0, maximum=1.0)
        for name, side in (
            ("x1", "Left edge"),
            ("y1", "Top edge"),
            ("x2", "Right edge"),
            ("y2", "Bottom edge"),
        )
    )


def records(**parts: pa.DataType) -> pa.DataType:
    """The type of a list of records, each with all of these parts."""
    fields = [pa.field(name, kind, nullable=False) for name, kind in parts.items()]
    return pa.list_(pa.struct(fields))


def shares_column(name: str, of: str, description: str) -> Column:
    """A list of `of` and `share`, each one's part of the whole, 0..1; see `shares`."""
    return Column(name, records(**{of: pa.string()}, share=pa.float32()), description)


def shares(values: Sequence[str], of: str) -> list[dict[str, Any]]:
    """Each value's part of all, largest first, for a `shares_column`."""
    counts = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    return [{of: value, "share": count / len(values)} for value, count in counts]


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of declared columns, with each description as field metadata.

    Every field is nullable, since a `not_applicable` result holds nulls and all files of an
    analyzer are to have one schema; what is declared as required is enforced by `Analyzer.check`.
    """
    return pa.schema(
        [pa.field(c.name, c.type, metadata={"description": c.description}) for c in columns]
    )


def table_of(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows (one mapping each) as a table of exactly the declared columns, cast to their types.

    Raises `SchemaViolation` for a row with an undeclared key.
    """
    schema = schema_of(columns)
    names = set(schema.names)
    for row in rows:
        if extra := row.keys() - names:
            raise SchemaViolation(f"undeclared columns {sorted(extra)}")
    return pa.table(
        {n: _array([r.get(n) for r in rows], schema.field(n)) for n in schema.names}, schema
    )


def _array(values: list[Any], column: pa.Field) -> pa.Array:
    plain = [v.item() if isinstance(v, np.generic) else v for v in values]
    try:
        return pa.array(plain, type=column.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise SchemaViolation(f"column {column.name!r}: {error}") from error


class SchemaViolation(ValueError):
    """A result does not keep what its analyzer declared."""


class AnalyzerSettings(BaseModel):
    """Base of an analyzer's own settings; each field has a default and a description."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Preview:
    """What a person sees of a result in the UI: Markdown, or a picture (PNG or JPEG bytes)."""

    markdown: str = ""
    image: bytes = b""
    image_type: Literal["image/png", "image/jpeg"] = "image/jpeg"


@dataclass(frozen=True)
class AnalysisResult:
    """What one analyzer saw in one video.

    `observations`: time-stamped rows in the analyzer's `observation_columns`, sorted by `time_s`.
    `segments`: one row for every second, no gaps: `video_id, segment, start_s, end_s` and then the
    analyzer's `segment_columns` (make it with `SegmentGrid.table`).
    `summary`: exactly the analyzer's `summary_columns`, JSON scalars and short lists.
    `files`: further files by suffix, e.g. `{"srt": b"..."}`.
    """

    observations: pa.Table
    segments: pa.Table
    summary: Mapping[str, Any]
    status: Status = "ok"
    reason: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


class Analyzer(ABC):
    """Base of all analyzers. The class docstring is its description in the UI and the docs.

    Class attributes are the declaration; `analyze` is the work. An instance is made for each use
    and may keep no state between videos.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    family: ClassVar[Family]
    stage: ClassVar[Stage]
    #: Libraries and methods, shown as badges in the UI.
    kinds: ClassVar[tuple[str, ...]] = ()
    #: Roles of the models used (see `analyzers.models`), e.g. `("detector",)`.
    models_used: ClassVar[tuple[str, ...]] = ()
    #: Roles whose models are used where the profile or the settings name one.
    optional_models: ClassVar[tuple[str, ...]] = ()
    #: Rungs of the frame ladder read: thumbs, motion, analysis, detail; audio_16k, audio_44k.
    rungs: ClassVar[tuple[str, ...]] = ()
    #: Names of analyzers whose results must be there.
    requires: ClassVar[tuple[str, ...]] = ()
    #: Names of analyzers whose results are used where they are there.
    optional: ClassVar[tuple[str, ...]] = ()
    #: True for what others build on (faces found once for all that need them) and nobody counts as
    #: one of the analyzers; it stands with the media assets.
    shared_product: ClassVar[bool] = False
    #: True where it joins other analyzers' results; such run in the finish job.
    joins: ClassVar[bool] = False
    observation_columns: ClassVar[tuple[Column, ...]]
    segment_columns: ClassVar[tuple[Column, ...]]
    summary_columns: ClassVar[tuple[Column, ...]]
    #: How far aggregation to a segment looks past both ends of its second.
    overlap_s: ClassVar[float] = 0.25
    #: Longest time without progress (`progress.checkpoint`) before the watchdog steps in.
    stall_limit_s: ClassVar[float] = 300.0
    #: What people must be told wherever its results are shown; "" where nothing special.
    notice: ClassVar[str] = ""
    #: False leaves it off unless it is switched on by configuration.
    enabled_by_default: ClassVar[bool] = True

    class Settings(AnalyzerSettings):
        """No settings of its own."""

    def __init__(self, models: Models, settings: AnalyzerSettings | None = None) -> None:
        self.models = models
        self.settings = settings if settings is not None else self.Settings()

    @abstractmethod
    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Analyze one video.

        `upstream` holds the results of `requires` and of those `optional` ones that are there.
        Call `progress.checkpoint` between batches. Raises whatever goes wrong: the caller names
        the file and the analyzer.
        """

    @property
    def videos_at_once(self) -> int:
        """How many videos `analyze_together` is worth being given, where there are so many."""
        return 1

    def analyze_together(self, cases: Sequence[Case]) -> list[AnalysisResult | Exception]:
        """Analyze several videos; for those that can share work between them.

        What went wrong with one video alone stands in the place of its result. Raises whatever
        goes wrong with all of them, or cannot be told apart: each is then to be analyzed alone.
        """
        return [self.analyze(video, upstream) for video, upstream in cases]

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """A table of the first rows; override it where people would rather look at a picture."""
        head = result.observations.slice(0, 8).to_pandas()
        return Preview(markdown=markdown_table(head.columns, head.itertuples(index=False)))

    def observations(self, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
        """Rows as this analyzer's observation table, sorted by time."""
        return table_of(self.observation_columns, sorted(rows, key=lambda r: r["time_s"]))

    def segments(self, grid: SegmentGrid, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
        """Columns (one value for each segment) as this analyzer's segment table."""
        schema = schema_of(self.segment_columns)
        if set(columns) != set(schema.names):
            raise SchemaViolation(
                f"segment columns {sorted(columns)} are not the declared {sorted(schema.names)}"
            )
        arrays = {n: _array(list(columns[n]), schema.field(n)) for n in schema.names}
        return grid.table(pa.table(arrays, schema))

    def not_applicable(
        self, video: Video, reason: str, segment_defaults: Mapping[str, Any] | None = None
    ) -> AnalysisResult:
        """The answer for a video this analyzer has nothing to say about; not a failure.

        Each segment column is null, or its value in `segment_defaults`; so is each summary field.
        """
        given = segment_defaults or {}
        count = len(video.grid)
        return AnalysisResult(
            observations=self.observations([]),
            segments=self.segments(
                video.grid, {c.name: [given.get(c.name)] * count for c in self.segment_columns}
            ),
            summary={c.name: given.get(c.name) for c in self.summary_columns},
            status="not_applicable",
            reason=reason,
        )

    def check(self, result: AnalysisResult, grid: SegmentGrid) -> None:
        """Hold a result against the declaration.

        Raises `SchemaViolation`, which names the table, the column and the first bad value.
        """
        for violation in self.violations(result, grid).values():
            if violation:
                raise SchemaViolation(violation)

    def violations(self, result: AnalysisResult, grid: SegmentGrid) -> dict[str, str]:
        """What is wrong with a result, by kind: schema, coverage, ranges; "" where all is well.

        A `not_applicable` result may hold nulls in every segment column and summary field.
        """
        empty = result.status == "not_applicable"
        coverage = grid.gap(result.segments)
        try:
            own = result.segments.drop_columns(list(SegmentGrid.KEYS))
            summary = table_of(self.summary_columns, [result.summary])
        except (KeyError, SchemaViolation) as error:
            return {"schema": f"summary or segments: {error}", "coverage": coverage, "ranges": ""}
        parts = (
            ("observations", result.observations, self.observation_columns, False),
            ("segments", own, self.segment_columns, empty),
            ("summary", summary, self.summary_columns, empty),
        )
        schema = next(filter(None, (_schema_violation(*part) for part in parts)), "")
        if not schema and (missing := {c.name for c in self.summary_columns} - {*result.summary}):
            schema = f"summary lacks {', '.join(sorted(missing))}"
        if not schema and empty and not result.reason:
            schema = "a not_applicable result must say its reason"
        # Ranges of columns that are not as declared cannot be judged.
        ranges = "" if schema else next(filter(None, (_range_violation(*p[:3]) for p in parts)), "")
        return {"schema": schema, "coverage": coverage, "ranges": ranges}


def _schema_violation(
    label: str, table: pa.Table, columns: Sequence[Column], nulls_allowed: bool
) -> str:
    if table.schema.names != [c.name for c in columns]:
        return f"{label}: columns {table.schema.names} are not {[c.name for c in columns]}"
    for column in columns:
        values = table[column.name]
        where = f"{label}.{column.name}"
        if values.type != column.type:
            return f"{where}: type {values.type} is not {column.type}"
        if values.null_count and not (column.nullable or nulls_allowed):
            return f"{where}: {values.null_count} nulls in a required column"
        if _has_no_number(values):
            return f"{where}: NaN or infinite, which JSON cannot say; use null"
    return ""


def _has_no_number(values: pa.ChunkedArray) -> bool:
    """Whether a NaN or an infinity stands in a column of floats, or in lists of them."""
    while pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
        values = pc.list_flatten(values)
    if not pa.types.is_floating(values.type):
        return False
    return pc.any(pc.invert(pc.is_finite(values))).as_py() or False


def _range_violation(label: str, table: pa.Table, columns: Sequence[Column]) -> str:
    for column in columns:
        values = table[column.name]
        where = f"{label}.{column.name}"
        for limit, outside in ((column.minimum, pc.less), (column.maximum, pc.greater)):
            if limit is None:
                continue
            bad = values.filter(outside(values, pa.scalar(limit, type=values.type)))
            if len(bad):
                return f"{where}: {bad[0].as_py()!r} is beyond {limit}"
        if column.values is not None:
            known = pa.array([*column.values, None], pa.string())
            strange = values.filter(pc.invert(pc.is_in(values, known)))
            if len(strange):
                return f"{where}: {strange[0].as_py()!r} is none of {', '.join(column.values)}"
    return ""


def markdown_table(header: Sequence[Any], rows: Any) -> str:
    """A GitHub-style Markdown table; floats with three significant decimals."""

    def cell(value: Any) -> str:
        text = f"{value:.3f}" if isinstance(value, float) else str(value)
        return text.replace("|", "\\|").replace("\n", " ")

    lines = ["| " + " | ".join(map(str, header)) + " |", "|" + " --- |" * len(list(header))]
    lines += ["| " + " | ".join(cell(v) for v in row) + " |" for row in rows]
    return "\n".join(lines)
