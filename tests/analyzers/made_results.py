"""Results of any analyzer of which only what a test needs is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from analyzers.base import AnalysisResult
from analyzers.methods.story.joined import Joined
from analyzers.models.lending import Models
from analyzers.registry import analyzer_classes
from analyzers.segments import SegmentGrid
from analyzers.video import Video

Rows = Sequence[Mapping[str, Any]]


def made_result(
    name: str,
    grid: SegmentGrid,
    rows: Rows = (),
    seconds: Mapping[str, Sequence[Any]] | None = None,
    summary: Mapping[str, Any] | None = None,
) -> AnalysisResult:
    """`rows` of observations and `seconds` by column; what is not given is null.

    A name with no analyzer behind it, or a column that it lacks, gets a table of what is given.
    """
    given = {"_": [None] * len(grid), **(seconds or {})}
    cls = analyzer_classes().get(name)
    if cls is None:
        return AnalysisResult(
            observations=pa.Table.from_pylist([dict(row) for row in rows]),
            segments=grid.table(pa.table(given)),
            summary=dict(summary or {}),
        )
    analyzer = cls(Models({}))
    columns = {c.name: c.type for c in cls.segment_columns}
    own = {
        column: pa.array(given.get(column, [None] * len(grid)), kind)
        for column, kind in columns.items()
    }
    assert set(seconds or {}) <= set(columns), f"{name} has no {set(seconds or {}) - set(columns)}"
    return AnalysisResult(
        observations=analyzer.observations(list(rows)),
        segments=grid.table(pa.table(own)),
        summary={**{c.name: None for c in cls.summary_columns}, **(summary or {})},
    )


def not_applicable(name: str, video: Video, reason: str = "made") -> AnalysisResult:
    """What a real analyzer returns where it has nothing to say."""
    return analyzer_classes()[name](Models({})).not_applicable(video, reason)


def joined(end_s: float, **results: Mapping[str, Any]) -> Joined:
    """Results by analyzer, joined: `joined(4, cut_analysis={"rows": [...]})`."""
    grid = SegmentGrid("made-00000000", end_s)
    made = {name: made_result(name, grid, **given) for name, given in results.items()}
    return Joined(grid, made, sorted(made))


def cut(time_s: float, shot: int = 1) -> dict[str, Any]:
    """A row of cut_analysis."""
    return {
        "type": "transition",
        "kind": "cut",
        "time_s": time_s,
        "end_s": time_s,
        "duration_s": 0.0,
        "confidence": 0.9,
        "shot": shot,
    }


def line(text: str, time_s: float, end_s: float, role: str = "caption", **more: Any) -> dict:
    """A row of text_overlay."""
    return {
        "text": text,
        "time_s": time_s,
        "end_s": end_s,
        "role": role,
        "confidence": 0.98,
        "word_count": len(text.split()),
        "y1": 0.1,
        "y2": 0.2,
        **more,
    }


def words(text: str, start_s: float, end_s: float, sentence: int = 0, speaker: str = "S1") -> list:
    """Rows of speech_transcription, evenly over a time."""
    said = text.split()
    step_s = (end_s - start_s) / len(said)
    return [
        {
            "word": word,
            "time_s": start_s + i * step_s,
            "end_s": start_s + (i + 1) * step_s,
            "confidence": 0.9,
            "sentence": sentence,
            "speaker": speaker,
        }
        for i, word in enumerate(said)
    ]


def voice(start_s: float, end_s: float) -> dict[str, Any]:
    """A row of voices."""
    return {"kind": "voice", "time_s": start_s, "end_s": end_s}
