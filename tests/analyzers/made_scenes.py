"""Cuts that are given, in place of cut_analysis's, for tests of what reads shots."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pyarrow as pa

from analyzers.base import AnalysisResult


def cuts(bounds_s: Sequence[float]) -> AnalysisResult:
    """Shots between these times, the first of which is 0 and the last the video's end."""
    rows = [
        {"type": "shot", "shot": shot, "time_s": float(start_s), "end_s": float(end_s)}
        for shot, (start_s, end_s) in enumerate(pairwise(bounds_s))
    ]
    return AnalysisResult(pa.Table.from_pylist(rows), pa.table({"_": pa.nulls(0)}), {})
