"""The results of several analyzers of one video, joined by second, with ids for what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from analyzers.base import AnalysisResult
from analyzers.methods.evidence import observation_id, second_id
from analyzers.segments import SegmentGrid

#: Every analyzer that can be joined with others, and both shared products.
ALL = (
    "age_estimation",
    "audio_analysis",
    "audio_environment",
    "background_segmentation",
    "body_pose",
    "camera_analysis",
    "color_analysis",
    "composition_analysis",
    "content_quality",
    "cut_analysis",
    "eye_tracking",
    "face_emotion",
    "faces",
    "object_detection",
    "product_detection",
    "qwen2_vl_temporal",
    "scene_segmentation",
    "speech_emotion",
    "speech_flow",
    "speech_rate",
    "speech_transcription",
    "temporal_flow",
    "text_overlay",
    "visual_effects",
    "voices",
)

#: A row of observations by column, with its evidence id under `id`.
Row = Mapping[str, Any]


class Joined:
    """What is there of a video: rows by time, columns by second, and what is missing.

    `wanted` are the analyzers that could be there. One that has no result is missing; one that is
    not applicable is there and has nothing to say. Nothing raises for either, so that a rule need
    not ask twice: their rows are empty and their columns null. `aspect`: the picture's width over
    its height.
    """

    def __init__(
        self,
        grid: SegmentGrid,
        results: Mapping[str, AnalysisResult],
        wanted: Sequence[str],
        aspect: float = 9 / 16,
    ) -> None:
        self.grid = grid
        self.aspect = aspect
        self.results = results
        #: Analyzers without a result, sorted.
        self.missing = sorted(name for name in wanted if name not in results)
        #: Why those that are there have nothing to say.
        self.not_applicable = {
            name: results[name].reason or ""
            for name in sorted(results)
            if results[name].status != "ok"
        }
        self._rows: dict[str, list[Row]] = {}
        self._columns: dict[tuple[str, str], list[Any]] = {}

    def __contains__(self, name: str) -> bool:
        """Whether an analyzer has a result, be it not applicable."""
        return name in self.results

    def speaks(self, name: str) -> bool:
        """Whether an analyzer has a result that says something."""
        return name in self.results and self.results[name].status == "ok"

    def rows(self, name: str, **values: Any) -> list[Row]:
        """Its observations, with their ids; with `values` only those whose columns have them."""
        if name not in self._rows:
            table = self.results[name].observations.to_pylist() if self.speaks(name) else []
            self._rows[name] = [
                {**row, "id": observation_id(name, number)} for number, row in enumerate(table)
            ]
        return [r for r in self._rows[name] if all(r.get(k) == v for k, v in values.items())]

    def column(self, name: str, column: str) -> list[Any]:
        """What it says of each second; nulls where it, or the column, is not there."""
        key = (name, column)
        if key not in self._columns:
            known = self.speaks(name) and column in self.results[name].segments.schema.names
            self._columns[key] = (
                self.results[name].segments[column].to_pylist()
                if known
                else [None] * len(self.grid)
            )
        return self._columns[key]

    def of_summary(self, name: str, field: str) -> Any:
        """A field of its summary; None where it is not there."""
        return self.results[name].summary.get(field) if self.speaks(name) else None

    def seconds_of(self, start_s: float, end_s: float) -> range:
        """The numbers of the seconds that a time touches."""
        first = self.grid.segment_of(start_s)
        last = self.grid.segment_of(max(start_s, end_s - 1e-6))
        return range(first, last + 1)

    def second_ids(self, name: str, seconds: Iterable[int]) -> list[str]:
        """Evidence ids of what an analyzer says of some seconds."""
        return [second_id(name, second) for second in seconds]


def between(rows: Iterable[Row], start_s: float, end_s: float) -> list[Row]:
    """The rows that touch a time; one without `end_s` is a moment."""
    return [r for r in rows if r["time_s"] < end_s and end_of(r) >= start_s]


def shot_changes(joined: Joined) -> list[Row]:
    """cut_analysis's transitions from one shot to another: a fade that opens or ends is none."""
    rows = joined.rows("cut_analysis", type="transition")
    return [row for row in rows if row["kind"] not in ("fade_in", "fade_out")]


def end_of(row: Row) -> float:
    """When a row ends; a moment ends when it begins."""
    end_s = row.get("end_s")
    return float(row["time_s"] if end_s is None else end_s)
