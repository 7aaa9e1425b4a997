"""Where shots begin, from cut_analysis's result."""

from __future__ import annotations

import pyarrow.compute as pc

from analyzers.base import AnalysisResult


def shot_starts_s(cuts: AnalysisResult | None) -> list[float]:
    """Where the shots after the first one begin; none where cuts are not known."""
    if cuts is None:
        return []
    table = cuts.observations
    shots = table.filter(pc.equal(table["type"], "shot"))
    return [start_s for start_s in shots["time_s"].to_pylist() if start_s > 0]
