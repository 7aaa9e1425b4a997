"""The one-second grid in which all analyzers are joined."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class SegmentGrid:
    """Seconds `[i, i+1)` from the first frame's timestamp to the end of the last video frame.

    The last segment ends where the last frame ends, even where the container or the sound says
    longer. A video always has at least one segment.
    """

    video_id: str
    end_s: float

    KEYS: ClassVar[tuple[str, ...]] = ("video_id", "segment", "start_s", "end_s")
    SCHEMA: ClassVar[pa.Schema] = pa.schema(
        [
            pa.field("video_id", pa.string(), False, {"description": "The video's id"}),
            pa.field("segment", pa.int32(), False, {"description": "Number of the second, from 0"}),
            pa.field("start_s", pa.float64(), False, {"description": "Start of the segment"}),
            pa.field("end_s", pa.float64(), False, {"description": "End of the segment"}),
        ]
    )

    def __len__(self) -> int:
        # A frame that ends a rounding error past a full second does not open a new one.
        return max(1, math.ceil(self.end_s - 1e-3))

    def bounds_s(self, segment: int) -> tuple[float, float]:
        """Start and end of one segment, in seconds."""
        return float(segment), min(segment + 1.0, max(self.end_s, 1e-3))

    def windows_s(self, overlap_s: float) -> Iterator[tuple[float, float]]:
        """For each segment the span an aggregation looks at: its second and a little around it."""
        for segment in range(len(self)):
            start_s, end_s = self.bounds_s(segment)
            yield max(0.0, start_s - overlap_s), end_s + overlap_s

    def segment_of(self, time_s: float) -> int:
        """The number of the segment a time falls into (the last one for times past the end)."""
        return min(max(0, int(time_s)), len(self) - 1)

    def samples_in(self, times_s: np.ndarray, overlap_s: float) -> list[slice]:
        """For each segment the slice of sorted sample times within its window."""
        return [slice(*np.searchsorted(times_s, window)) for window in self.windows_s(overlap_s)]

    def pictures_in(self, times_s: np.ndarray, overlap_s: float) -> list[slice]:
        """As `samples_in`, but where no picture begins in a window, the one still on screen.

        Sources of a few frames, or with frames held for seconds, have such windows.
        """
        return [
            part if part.start < part.stop else slice(max(0, part.start - 1), max(1, part.start))
            for part in self.samples_in(times_s, overlap_s)
        ]

    def table(self, columns: pa.Table) -> pa.Table:
        """Put the key columns before an analyzer's own; `columns` has one row for each segment."""
        bounds = [self.bounds_s(i) for i in range(len(self))]
        keys = pa.table(
            {
                "video_id": [self.video_id] * len(self),
                "segment": list(range(len(self))),
                "start_s": [b[0] for b in bounds],
                "end_s": [b[1] for b in bounds],
            },
            self.SCHEMA,
        )
        if columns.num_rows != len(self):
            raise ValueError(f"{columns.num_rows} rows for {len(self)} segments")
        fields = [*self.SCHEMA, *columns.schema]
        return pa.table([*keys.columns, *columns.columns], schema=pa.schema(fields))

    def gap(self, table: pa.Table) -> str:
        """How a table's keys differ from this grid's, in a sentence; "" where they are the same."""
        if tuple(table.schema.names[:4]) != self.KEYS:
            return f"segments start with {table.schema.names[:4]}, not {list(self.KEYS)}"
        expected = self.table(pa.table({"_": pa.nulls(len(self))}))
        for key in self.KEYS:
            if table[key].combine_chunks() != expected[key].combine_chunks():
                return f"segments.{key} does not cover the video's {len(self)} seconds one by one"
        return ""
