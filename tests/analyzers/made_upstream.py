"""Results of other analyzers made on the spot: each row is given by what matters about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from analyzers.base import AnalysisResult, Analyzer, Column
from analyzers.models.lending import Models
from analyzers.segments import SegmentGrid


def made_result(
    cls: type[Analyzer],
    grid: SegmentGrid,
    rows: Sequence[Mapping[str, Any]] = (),
    seconds: Mapping[str, Sequence[Any]] | None = None,
    summary: Mapping[str, Any] | None = None,
) -> AnalysisResult:
    """An analyzer's result with these observations and these columns by second.

    What is not given is 0, False, "" or an empty list, or null where the column allows it.
    """
    analyzer = cls(Models({}))
    given = dict(seconds or {})
    columns = {
        c.name: given.pop(c.name, [_nothing(c)] * len(grid)) for c in analyzer.segment_columns
    }
    assert not given, f"{analyzer.name} has no columns {sorted(given)}"
    return AnalysisResult(
        observations=analyzer.observations(
            [{**{c.name: _nothing(c) for c in analyzer.observation_columns}, **r} for r in rows]
        ),
        segments=analyzer.segments(grid, columns),
        summary={**{c.name: _nothing(c) for c in analyzer.summary_columns}, **(summary or {})},
    )


def _nothing(column: Column) -> Any:
    if column.nullable:
        return None
    if pa.types.is_list(column.type):
        return []
    if pa.types.is_fixed_size_list(column.type):
        return [0.0] * column.type.list_size
    if pa.types.is_boolean(column.type):
        return False
    if pa.types.is_string(column.type):
        return column.values[0] if column.values else ""
    return 0


def made_shots(grid: SegmentGrid, starts_s: Sequence[float] = (0.0,)) -> AnalysisResult:
    """cut_analysis's result for shots that begin at these times."""
    from analyzers.cut_analysis import CutAnalysis

    ends_s = [*starts_s[1:], grid.end_s]
    shot_of = [int(np.searchsorted(starts_s, s + 0.5, side="right")) - 1 for s in range(len(grid))]
    rows = [
        {"type": "shot", "shot": i, "time_s": start_s, "end_s": end_s,
         "duration_s": end_s - start_s, "begins_with": "start", "ends_with": "end"}
        for i, (start_s, end_s) in enumerate(zip(starts_s, ends_s, strict=True))
    ]  # fmt: skip
    return made_result(
        CutAnalysis,
        grid,
        rows,
        {"shot": shot_of, "transition": ["none"] * len(grid)},
        {"shot_count": len(rows)},
    )
