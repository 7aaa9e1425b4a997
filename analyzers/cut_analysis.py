"""Cuts, fades, dissolves and wipes, the shots between them, and the rhythm they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
from pydantic import Field

from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    AnalyzerSettings,
    Column,
    Family,
    Preview,
    Stage,
    confidence,
)
from analyzers.methods.edit.transitions import KINDS, Transition, find_transitions
from analyzers.segments import SegmentGrid
from analyzers.video import Frames, Video

#: The network was trained on film and web video of about this rate; faster video is thinned out.
_NETWORK_HZ = 30.0
#: Width of the sliding window in which pace is counted.
_PACE_WINDOW_S = 10.0


@dataclass(frozen=True)
class _Shot:
    """Frames `first` to `stop - 1` of `thumbs`, and how the shot begins and ends."""

    first: int
    stop: int
    time_s: float
    end_s: float
    begins: str
    ends: str


class CutAnalysis(Analyzer):
    """Finds every hard cut, fade, dissolve and wipe to the frame, and the shots between them.

    TransNet V2 scores every frame; what it marks is held against the pictures themselves, which
    tells cuts from fades and flashes. Wipes, which it does not know, are found by the time at which
    each pixel changes over. Observations hold two types of rows. `transition`: from the
    last frame of only the old shot to the first frame of only the new one (a cut: the time of the
    new shot's first frame, and no duration). `shot`: shots tile the video without gaps; one ends
    where the next begins, which is in the middle of a dissolve or wipe, in the middle of the black
    of a fade through black, and at the cut otherwise. Black or white that stands for more than a
    second between fades is a shot of its own.

    Accuracy: every labelled hard cut of the demo clips to the frame, none on the eight clips
    without cuts, and no fade taken for one; the labelled fades and the dissolve are overlapped by
    0.51 to 1.00 of their union. Of nine wipes put into real footage seven are found, to 0.04 s.
    """

    name: ClassVar[str] = "cut_analysis"
    version: ClassVar[str] = "2"
    family: ClassVar[Family] = Family.EDIT
    stage: ClassVar[Stage] = Stage.FAST
    kinds: ClassVar[tuple[str, ...]] = ("transnetv2", "openvino", "opencv")
    models_used: ClassVar[tuple[str, ...]] = ("shots",)
    rungs: ClassVar[tuple[str, ...]] = ("thumbs",)
    observation_columns: ClassVar[tuple[Column, ...]] = (
        Column("type", pa.string(), "What the row is", values=("shot", "transition")),
        TIME_S,
        END_S,
        Column("duration_s", pa.float64(), "Length; 0 for a cut", minimum=0.0),
        Column(
            "first_frame",
            pa.int64(),
            "Shot: number of its first frame. Transition: last frame of only the old shot",
            minimum=0,
        ),
        Column(
            "last_frame",
            pa.int64(),
            "Shot: number of its last frame. Transition: first frame of only the new shot",
            minimum=0,
        ),
        Column(
            "shot",
            pa.int32(),
            "Number of the shot, from 0; for a transition, of the shot it leads to, or of the "
            "last one where it ends the video",
            minimum=0,
        ),
        Column("kind", pa.string(), "Kind of transition; null for a shot", True, values=KINDS),
        confidence("Of a transition; null for a shot", nullable=True),
        Column(
            "begins_with",
            pa.string(),
            "How the shot begins: a kind of transition, or `start` of the video; null for a "
            "transition",
            True,
            values=("start", *KINDS),
        ),
        Column(
            "ends_with",
            pa.string(),
            "How the shot ends: a kind of transition, or `end` of the video; null for a transition",
            True,
            values=("end", *KINDS),
        ),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("shot", pa.int32(), "The shot that has most of this second", minimum=0),
        Column("shot_length_s", pa.float64(), "Length of that shot", minimum=0.0),
        Column("cut_count", pa.int32(), "Hard cuts in this second, each counted once", minimum=0),
        Column(
            "transition",
            pa.string(),
            "Kind of the longest transition that touches this second or a quarter second around "
            "it; `none` without",
            values=("none", *KINDS),
        ),
        Column(
            "shot_changes_per_minute",
            pa.float64(),
            "Pace: changes of shot of any kind in the 10 s around, for a minute",
            minimum=0.0,
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("shot_count", pa.int32(), "Shots", minimum=1),
        Column("cut_count", pa.int32(), "Hard cuts", minimum=0),
        Column("gradual_count", pa.int32(), "Fades, dissolves and wipes", minimum=0),
        *(
            Column(f"{kind}_count", pa.int32(), f"Transitions of the kind {kind}", minimum=0)
            for kind in KINDS
            if kind != "cut"
        ),
        Column("cuts_per_minute", pa.float64(), "Hard cuts for a minute", minimum=0.0),
        Column(
            "shot_changes_per_minute",
            pa.float64(),
            "Changes of shot of any kind for a minute",
            minimum=0.0,
        ),
        Column("mean_shot_length_s", pa.float64(), "Average shot length (ASL)", minimum=0.0),
        Column("median_shot_length_s", pa.float64(), "Median shot length", minimum=0.0),
        Column("shortest_shot_s", pa.float64(), "Length of the shortest shot", minimum=0.0),
        Column("longest_shot_s", pa.float64(), "Length of the longest shot", minimum=0.0),
        Column(
            "shot_length_std_s",
            pa.float64(),
            "Standard deviation of the shot lengths",
            minimum=0.0,
        ),
        Column(
            "rhythm_variation_ratio",
            pa.float64(),
            "Standard deviation of the shot lengths over their mean: 0 is a metronome",
            minimum=0.0,
        ),
        Column(
            "first_change_s",
            pa.float64(),
            "When the second shot begins; null with a single shot",
            True,
            minimum=0.0,
        ),
    )

    class Settings(AnalyzerSettings):
        """How sure the network has to be."""

        min_confidence: float = Field(
            0.5, gt=0, lt=1, description="Least score of the network for a hard cut (paper: 0.5)"
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        transitions = find_transitions(
            video.thumbs, self._scores(video), self.settings.min_confidence
        )
        shots = _shots(transitions, video)
        return AnalysisResult(
            observations=self.observations(
                [*_shot_rows(shots, video.thumbs), *_transition_rows(transitions, shots, video)]
            ),
            segments=self.segments(video.grid, _segments(transitions, shots, video)),
            summary=_summary(transitions, shots, video),
        )

    def _scores(self, video: Video) -> np.ndarray:
        step = max(1, round(video.info.fps / _NETWORK_HZ))
        with self.models.lend("shots") as network:
            scores = network.score(video.thumbs, step)
        return scores.repeat(step, axis=0)[: len(video.thumbs)]

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The first, middle and last look of each shot, and a bar of shots and transitions."""
        rows = result.observations.to_pylist()
        picture = _filmstrip(
            [row for row in rows if row["type"] == "shot"],
            [row for row in rows if row["type"] == "transition"],
            video,
        )
        done, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return Preview(image=jpeg.tobytes() if done else b"")


def _shots(transitions: Sequence[Transition], video: Video) -> list[_Shot]:
    between = [t for t in transitions if t.boundary is not None]
    starts = [0, *(t.boundary or 0 for t in between)]
    stops = [*starts[1:], len(video.thumbs)]
    at_ends = {t.kind for t in transitions if t.boundary is None}
    begins = "fade_in" if "fade_in" in at_ends else "start"
    ends = "fade_out" if "fade_out" in at_ends else "end"
    changes = [begins, *(t.kind for t in between), ends]
    times_s = [*(float(video.thumbs.times_s[i]) for i in starts), video.info.end_s]
    return [
        _Shot(start, stop, times_s[i], times_s[i + 1], changes[i], changes[i + 1])
        for i, (start, stop) in enumerate(zip(starts, stops, strict=True))
    ]


def _shot_rows(shots: Sequence[_Shot], thumbs: Frames) -> list[dict[str, Any]]:
    return [
        {
            "type": "shot",
            "time_s": shot.time_s,
            "end_s": shot.end_s,
            "duration_s": shot.end_s - shot.time_s,
            "first_frame": thumbs.frame_numbers[shot.first],
            "last_frame": thumbs.frame_numbers[shot.stop - 1],
            "shot": number,
            "begins_with": shot.begins,
            "ends_with": shot.ends,
        }
        for number, shot in enumerate(shots)
    ]


def _transition_rows(
    transitions: Sequence[Transition], shots: Sequence[_Shot], video: Video
) -> list[dict[str, Any]]:
    starts = [shot.first for shot in shots]
    rows = []
    for transition in transitions:
        start_s, end_s = _extent_s(transition, video)
        led_to = int(np.searchsorted(starts, transition.last, side="right")) - 1
        rows.append(
            {
                "type": "transition",
                "time_s": start_s,
                "end_s": end_s,
                "duration_s": end_s - start_s,
                "first_frame": video.thumbs.frame_numbers[transition.first],
                "last_frame": video.thumbs.frame_numbers[transition.last],
                "shot": led_to,
                "kind": transition.kind,
                "confidence": transition.confidence,
            }
        )
    return rows


def _extent_s(transition: Transition, video: Video) -> tuple[float, float]:
    times_s = video.thumbs.times_s
    end_s = float(times_s[transition.last])
    start_s = end_s if transition.kind == "cut" else float(times_s[transition.first])
    if transition.boundary is None and transition.kind == "fade_out":
        end_s = video.info.end_s
    return start_s, end_s


def _segments(
    transitions: Sequence[Transition], shots: Sequence[_Shot], video: Video
) -> dict[str, list[Any]]:
    grid: SegmentGrid = video.grid
    cuts_s = [_extent_s(t, video)[0] for t in transitions if t.kind == "cut"]
    changes_s = np.array([shot.time_s for shot in shots[1:]])
    cut_counts = np.bincount([grid.segment_of(t) for t in cuts_s], minlength=len(grid))
    extents = [(t.kind, *_extent_s(t, video)) for t in transitions]
    columns: dict[str, list[Any]] = {c.name: [] for c in CutAnalysis.segment_columns}
    for segment, (from_s, to_s) in enumerate(grid.windows_s(CutAnalysis.overlap_s)):
        start_s, end_s = grid.bounds_s(segment)
        shares = [min(end_s, shot.end_s) - max(start_s, shot.time_s) for shot in shots]
        number = int(np.argmax(shares))
        near = [(e - s, kind) for kind, s, e in extents if s <= to_s and e >= from_s]
        middle_s = (start_s + end_s) / 2
        low_s = max(0.0, middle_s - _PACE_WINDOW_S / 2)
        high_s = min(video.info.end_s, middle_s + _PACE_WINDOW_S / 2)
        changes = ((changes_s >= low_s) & (changes_s < high_s)).sum()
        columns["shot"].append(number)
        columns["shot_length_s"].append(shots[number].end_s - shots[number].time_s)
        columns["cut_count"].append(int(cut_counts[segment]))
        columns["transition"].append(max(near, key=lambda n: n[0])[1] if near else "none")
        columns["shot_changes_per_minute"].append(60 * float(changes) / max(high_s - low_s, 1e-3))
    return columns


def _summary(
    transitions: Sequence[Transition], shots: Sequence[_Shot], video: Video
) -> dict[str, Any]:
    counts = {kind: sum(t.kind == kind for t in transitions) for kind in KINDS}
    lengths_s = np.array([shot.end_s - shot.time_s for shot in shots])
    minutes = max(video.info.end_s, 1e-3) / 60
    return {
        "shot_count": len(shots),
        **{f"{kind}_count": count for kind, count in counts.items()},
        "gradual_count": len(transitions) - counts["cut"],
        "cuts_per_minute": counts["cut"] / minutes,
        "shot_changes_per_minute": (len(shots) - 1) / minutes,
        "mean_shot_length_s": float(lengths_s.mean()),
        "median_shot_length_s": float(np.median(lengths_s)),
        "shortest_shot_s": float(lengths_s.min()),
        "longest_shot_s": float(lengths_s.max()),
        "shot_length_std_s": float(lengths_s.std()),
        "rhythm_variation_ratio": float(lengths_s.std() / max(lengths_s.mean(), 1e-9)),
        "first_change_s": shots[1].time_s if len(shots) > 1 else None,
    }


#: The preview's layout, in pixels, and its colours (RGB).
_TILE_WIDTH, _TILE_GAP, _COLUMNS, _MOST_TILES = 150, 6, 8, 48
_INK, _PAPER, _FAINT = (30, 30, 30), (250, 250, 248), (150, 150, 150)
_MARKS = {"cut": (200, 40, 40), "dissolve": (40, 110, 200), "wipe": (30, 140, 80)}
_FADE_MARK = (120, 70, 170)


def _filmstrip(
    shots: Sequence[Mapping[str, Any]], transitions: Sequence[Mapping[str, Any]], video: Video
) -> np.ndarray:
    """One tile a shot (from its middle, past any transition), over a bar of the whole video."""
    shown = shots[:_MOST_TILES]
    tiles = [_tile(shot, video) for shot in shown]
    columns = min(_COLUMNS, max(len(tiles), 4))
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    canvas_width = columns * (width + _TILE_GAP) + _TILE_GAP
    canvas = np.full((rows * (height + _TILE_GAP) + _TILE_GAP + 74, canvas_width, 3), _PAPER, "u1")
    for i, tile in enumerate(tiles):
        y = _TILE_GAP + i // columns * (height + _TILE_GAP)
        x = _TILE_GAP + i % columns * (width + _TILE_GAP)
        canvas[y : y + height, x : x + width] = tile
    _draw_bar(canvas, shots, transitions, video.info.end_s)
    return canvas


def _tile(shot: Mapping[str, Any], video: Video) -> np.ndarray:
    middle_s = (shot["time_s"] + shot["end_s"]) / 2
    # The nearest picture that belongs to the shot; a very short one may have none but its thumb.
    place = int(np.abs(video.analysis.times_s - middle_s).argmin())
    inside = shot["time_s"] <= video.analysis.times_s[place] < shot["end_s"]
    thumb = int(np.searchsorted(video.thumbs.times_s, middle_s, side="right")) - 1
    picture = video.analysis[place] if inside else video.thumbs[max(thumb, 0)]
    info = video.info
    size = (_TILE_WIDTH, max(1, round(_TILE_WIDTH * info.height_px / info.width_px)))
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    label = np.full((34, _TILE_WIDTH, 3), _PAPER, np.uint8)
    _write(label, f"{shot['shot']}  {shot['time_s']:.2f}-{shot['end_s']:.2f} s", 0, 12, _INK)
    _write(label, shot["begins_with"].replace("_", " "), 0, 28, _FAINT)
    return np.vstack([picture, label])


def _draw_bar(
    canvas: np.ndarray,
    shots: Sequence[Mapping[str, Any]],
    transitions: Sequence[Mapping[str, Any]],
    end_s: float,
) -> None:
    height, width = canvas.shape[:2]
    top, bottom, left = height - 68, height - 44, _TILE_GAP
    scale = (width - 2 * _TILE_GAP) / max(end_s, 1e-3)
    for shot in shots:
        shade = (225, 225, 222) if shot["shot"] % 2 else (205, 205, 202)
        corners = (
            (int(left + shot["time_s"] * scale), top),
            (int(left + shot["end_s"] * scale), bottom),
        )
        cv2.rectangle(canvas, *corners, shade, -1)
    for transition in transitions:
        start, stop = (int(left + transition[key] * scale) for key in ("time_s", "end_s"))
        colour = _MARKS.get(transition["kind"], _FADE_MARK)
        cv2.rectangle(canvas, (start, top - 3), (max(stop, start + 1), bottom + 3), colour, -1)
    x = left
    for name, colour in (*_MARKS.items(), ("fade", _FADE_MARK)):
        cv2.rectangle(canvas, (x, height - 20), (x + 12, height - 8), colour, -1)
        x = _write(canvas, name, x + 17, height - 9, _INK) + 14
    text = f"{len(shots)} shot{'s' if len(shots) > 1 else ''} in {end_s:.1f} s"
    if len(shots) > _MOST_TILES:
        text += f" (the first {_MOST_TILES} shown)"
    _write(canvas, text, x, height - 9, _INK)


def _write(canvas: np.ndarray, text: str, x: int, y: int, colour: tuple[int, int, int]) -> int:
    """Write text with its baseline's left end at (x, y); returns where it ends."""
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)
    return x + cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.38, 1)[0][0]
