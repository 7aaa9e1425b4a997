"""How a finding names the rows of other analyzers that it rests on.

An evidence id is a string a reader can look up: `object_detection/17` is row 17, from 0, of
object_detection's observations of the same video, and `camera_analysis@3` is the row of second 3 of
camera_analysis's segments. The ids hold for the results they were made from: an analyzer that is
run anew may number its observations differently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from analyzers.base import AnalysisResult

_ID = re.compile(r"([a-z0-9_]+)([/@])(\d+)")


def observation_id(analyzer: str, row: int) -> str:
    """The id of a row of an analyzer's observations, counted from 0."""
    return f"{analyzer}/{row}"


def second_id(analyzer: str, segment: int) -> str:
    """The id of what an analyzer says of a second."""
    return f"{analyzer}@{segment}"


def analyzer_of(evidence_id: str) -> str:
    """Whose row an id names.

    Raises:
        ValueError: it is not an evidence id.
    """
    return _parts(evidence_id)[0]


def evidence_row(evidence_id: str, results: Mapping[str, AnalysisResult]) -> dict[str, Any]:
    """The row that an id names, by column.

    Raises:
        ValueError: it is not an evidence id.
        LookupError: there is no such analyzer or row among the results.
    """
    analyzer, kind, row = _parts(evidence_id)
    if analyzer not in results:
        raise LookupError(f"evidence {evidence_id!r}: {analyzer} has no result here")
    table = results[analyzer].observations if kind == "/" else results[analyzer].segments
    if row >= table.num_rows:
        raise LookupError(f"evidence {evidence_id!r}: there are {table.num_rows} rows")
    return table.slice(row, 1).to_pylist()[0]


def _parts(evidence_id: str) -> tuple[str, str, int]:
    match = _ID.fullmatch(evidence_id)
    if match is None:
        raise ValueError(
            f"{evidence_id!r} is not an evidence id like object_detection/17 or camera_analysis@3"
        )
    return match[1], match[2], int(match[3])
