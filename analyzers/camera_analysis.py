"""How the camera moves: pans, tilts, zooms, rolls, standing still, held by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa

from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    Column,
    Family,
    Preview,
    Stage,
    confidence,
)
from analyzers.methods.edit.camera_motion import Box, Rest, camera_motions
from analyzers.models.detector import COCO_LABELS
from analyzers.video import Video

#: Kinds of motion by component, for speeds above and below 0.
_DIRECTIONS: tuple[tuple[str, str], ...] = (
    ("pan_right", "pan_left"),
    ("tilt_up", "tilt_down"),
    ("zoom_in", "zoom_out"),
    ("roll_clockwise", "roll_counterclockwise"),
)
_MOVES = tuple(kind for pair in _DIRECTIONS for kind in pair)
KINDS = ("static", "handheld", *_MOVES, "unknown")

#: Slower than this, in frame widths a second at the edge of the frame, is standing still: on a
#: tripod 0.005 is measured in grainy film, and 0.001 otherwise.
_STILL = 0.02
#: Restlessness, in the same unit, from which a camera without direction is held by hand.
_RESTLESS = 0.02
#: Part of the way that remains when all steps are added: less has no direction.
_DIRECTED = 0.5
#: Half windows: for the direction at a moment, and for telling restlessness from direction.
_NEAR_S, _AROUND_S = 0.25, 0.5
#: Shorter stretches of a kind are counted to their neighbours.
_SHORTEST_S = 0.4

#: What may move by itself: people, vehicles, animals, balls and kites.
_SUBJECTS = frozenset(COCO_LABELS[i] for i in (*range(9), *range(14, 24), 32, 33))
_LEAST_SUBJECT_CONFIDENCE = 0.4
#: Roles of text that is drawn over the picture.
_OVERLAID = frozenset({"caption", "sticker", "watermark", "logo"})
#: A second move counts from this part of the strongest one's speed.
_ALSO = 0.5
#: Parallax from which a camera is said to travel: on moves made from a still it is 0.08 at most
#: (behind captions), on turns in made rooms 0.01, on travels through them nearly always 0.14 to
#: 0.5, on the sample's slider 0.08 to 0.2.
_TRAVELS = 0.12
#: Boxes hold for frames this far away: they are sampled every 0.2 s.
_BOX_REACH_S = 0.2


@dataclass(frozen=True)
class _Track:
    """The camera's speed between each two frames of the motion rung.

    `speeds`: float (n, 4): pan, tilt, zoom and roll in frame widths a second at the edge of the
    frame; NaN where it is unknown. `part`: number of the stretch without a cut or transition, one
    for each of the n steps. `rests`: n, what turning and zooming leave of the flow.
    """

    start_s: np.ndarray
    end_s: np.ndarray
    speeds: np.ndarray
    confidence: np.ndarray
    part: np.ndarray
    rests: Sequence[Rest | None]

    @property
    def known(self) -> np.ndarray:
        return ~np.isnan(self.speeds[:, 0])

    def within(self, half_s: float) -> Iterator[slice]:
        """For each step the steps of its own part whose middle is at most `half_s` away."""
        middle_s = (self.start_s + self.end_s) / 2
        for i, part in enumerate(self.part):
            first, stop = np.searchsorted(self.part, [part, part + 1])
            low, high = np.searchsorted(
                middle_s, [middle_s[i] - half_s - 1e-9, middle_s[i] + half_s + 1e-9]
            )
            yield slice(max(first, low), min(stop, high))


@dataclass(frozen=True)
class _Stretch:
    """Steps `first` to `stop - 1`, which are of one kind."""

    first: int
    stop: int
    kind: str


class CameraAnalysis(Analyzer):
    """Tells how the camera moves: pan, tilt, zoom, roll, static or handheld, how fast, how shaky.

    Corners of the background are followed through 15 frames a second, and a similarity transform
    is fitted that most of the picture agrees with. Directions are the camera's: it pans right
    when the picture's content goes left, tilts up when content goes down, zooms in when content
    grows, rolls clockwise when content turns counter-clockwise. Speeds are in frame widths a
    second, also the vertical ones; those of zoom and roll are the speed of the content at the left
    and right edges of the frame, so that all can be compared. Where boxes are there, people,
    animals, vehicles and text drawn over the picture are left out; flow across cuts and within
    fades and dissolves is ignored.

    A camera that travels sideways reads as a pan, and one that comes nearer as a zoom; `dolly_like`
    says so where the picture shows it: what is near then moves faster than what is far. It cannot
    be told along something flat or far away, below about 0.04 frame widths a second, and from a
    thing unknown to object_detection that fills much of the picture and moves along the pan. How
    large people are in the shot is composition_analysis's to say.

    Accuracy: over a still moved by a known amount (pan, tilt, zoom, roll at three speeds, noise, a
    figure crossing) kind and speed within 20 % in 48 of 48 seconds, worst error of speed 1 %;
    travel through made rooms told in 20 of 20 seconds and no turn in 8 taken for it; the sample's
    exact moves 12 of 12 seconds; static in every second of the six clips labelled so.
    """

    name: ClassVar[str] = "camera_analysis"
    version: ClassVar[str] = "2"
    family: ClassVar[Family] = Family.EDIT
    stage: ClassVar[Stage] = Stage.LIGHT_GPU
    kinds: ClassVar[tuple[str, ...]] = ("opencv",)
    rungs: ClassVar[tuple[str, ...]] = ("motion",)
    optional: ClassVar[tuple[str, ...]] = ("cut_analysis", "object_detection", "text_overlay")

    _MOTION_COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("kind", pa.string(), "The strongest motion", values=KINDS),
        Column(
            "speed",
            pa.float64(),
            "Of that motion, in frame widths a second at the edge of the frame; of all motion "
            "where it is static or handheld; null where unknown",
            True,
            minimum=0.0,
        ),
        Column(
            "also_kind",
            pa.string(),
            "A second move at the same time, at least half as fast; null where there is none",
            True,
            values=_MOVES,
        ),
        Column("pan_speed", pa.float64(), "To the right, frame widths a second", True),
        Column("tilt_speed", pa.float64(), "Upwards, frame widths a second", True),
        Column(
            "zoom_ratio_per_s",
            pa.float64(),
            "Growth of the content in a second; above 1 is in",
            True,
            minimum=0.0,
        ),
        Column("roll_deg_per_s", pa.float64(), "Clockwise, degrees a second", True),
        Column(
            "shake",
            pa.float64(),
            "Restlessness: root mean square of pan and tilt speed around their running median "
            "(half a second), frame widths a second; repeated frames add to it in fast moves",
            True,
            minimum=0.0,
        ),
        confidence(
            "Part of the picture with detail that follows a pan, tilt or zoom at its own speed, as "
            "what is near does when the camera travels; null in other kinds and where the move is "
            "too slow to tell",
            "parallax",
            True,
        ),
        Column(
            "dolly_like",
            pa.bool_(),
            "Whether the camera seems to travel and not only to turn or zoom: a zoom in is a dolly "
            "in then, a pan a truck, a tilt a pedestal; null where `parallax` is",
            True,
        ),
        confidence("Part of the picture with detail that agrees on the motion; 0 where unknown"),
    )
    observation_columns: ClassVar[tuple[Column, ...]] = (
        Column(
            "type",
            pa.string(),
            "`move`: a stretch of one kind of motion. `step`: from one frame to the next, 15 a "
            "second; its kind is that of its move",
            values=("move", "step"),
        ),
        TIME_S,
        END_S,
        *_MOTION_COLUMNS,
    )
    segment_columns: ClassVar[tuple[Column, ...]] = _MOTION_COLUMNS
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("dominant_kind", pa.string(), "The kind that lasts longest", values=KINDS),
        Column("move_count", pa.int32(), "Pans, tilts, zooms and rolls", minimum=0),
        *(
            Column(f"{kind}_ratio", pa.float64(), f"Part of the time: {kind}", False, 0.0, 1.0)
            for kind in KINDS
        ),
        Column(
            "mean_speed",
            pa.float64(),
            "Mean speed over the time in which it is known, frame widths a second",
            True,
            minimum=0.0,
        ),
        Column("fastest_move_speed", pa.float64(), "Of the fastest move", True, minimum=0.0),
        Column("shake", pa.float64(), "Mean shake", True, minimum=0.0),
        Column(
            "dolly_like_ratio", pa.float64(), "Part of the time: dolly-like moves", False, 0.0, 1.0
        ),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        if len(video.motion) < 2:
            return self.not_applicable(video, "a single frame shows no motion")
        track = _track(video, _transitions(upstream), _Subjects(upstream), _Overlays(upstream))
        stretches = _stretches(track)
        shake, parallax = _shake(track), _parallax(track)
        described = partial(_described, track, shake, parallax)
        moves = [described([s], slice(s.first, s.stop)) for s in stretches]
        rows = [
            {
                "type": "move",
                "time_s": float(track.start_s[stretch.first]),
                "end_s": float(track.end_s[stretch.stop - 1]),
                **move,
            }
            for stretch, move in zip(stretches, moves, strict=True)
        ]
        for stretch in stretches:
            for i in range(stretch.first, stretch.stop):
                rows.append(
                    {
                        "type": "step",
                        "time_s": float(track.start_s[i]),
                        "end_s": float(track.end_s[i]),
                        **described([stretch], slice(i, i + 1)),
                    }
                )
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, _segments(video, track, stretches, described)),
            summary=_summary(track, shake, stretches, moves),
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The speeds over time, with what they were taken for."""
        if result.status != "ok":
            return Preview(markdown=f"Not applicable: {result.reason}")
        chart = _chart(result.observations.to_pylist(), video.info.end_s)
        done, png = cv2.imencode(".png", cv2.cvtColor(chart, cv2.COLOR_RGB2BGR))
        return Preview(image=png.tobytes() if done else b"", image_type="image/png")


class _Subjects:
    """Boxes of what may move by itself, by time."""

    def __init__(self, upstream: Mapping[str, AnalysisResult]) -> None:
        self._boxes: dict[float, list[Box]] = {}
        if "object_detection" in upstream:
            table = upstream["object_detection"].observations
            names = ("time_s", "label", "confidence", "x1", "y1", "x2", "y2")
            for time_s, label, score, x1, y1, x2, y2 in zip(
                *(table[name].to_pylist() for name in names), strict=True
            ):
                if label in _SUBJECTS and score >= _LEAST_SUBJECT_CONFIDENCE:
                    self._boxes.setdefault(time_s, []).append((x1, y1, x2, y2))
        self._times_s = np.array(list(self._boxes), np.float64)

    def at(self, time_s: float) -> Sequence[Box]:
        """The boxes of the nearest sampled frame, if that is close."""
        if not len(self._times_s):
            return ()
        nearest = float(self._times_s[np.abs(self._times_s - time_s).argmin()])
        return self._boxes[nearest] if abs(nearest - time_s) <= _BOX_REACH_S else ()


class _Overlays:
    """Boxes of text that is drawn over the picture and does not move with it, by time."""

    def __init__(self, upstream: Mapping[str, AnalysisResult]) -> None:
        self._lines: list[tuple[float, float, Box]] = []
        if "text_overlay" in upstream:
            for row in upstream["text_overlay"].observations.to_pylist():
                if row["role"] in _OVERLAID:
                    box = (row["x1"], row["y1"], row["x2"], row["y2"])
                    self._lines.append((row["time_s"], row["end_s"], box))

    def at(self, time_s: float) -> Sequence[Box]:
        """The boxes of the lines that can be read at a time."""
        return [box for from_s, to_s, box in self._lines if from_s <= time_s < to_s]


def _transitions(upstream: Mapping[str, AnalysisResult]) -> list[tuple[float, float]]:
    """Start and end of every cut (one time) and gradual transition."""
    if "cut_analysis" not in upstream:
        return []
    rows = upstream["cut_analysis"].observations.to_pylist()
    return [(row["time_s"], row["end_s"]) for row in rows if row["type"] == "transition"]


def _track(
    video: Video,
    transitions: Sequence[tuple[float, float]],
    subjects: _Subjects,
    overlays: _Overlays,
) -> _Track:
    times_s = video.motion.times_s
    start_s, end_s = times_s[:-1], times_s[1:]
    crossed = np.zeros(len(start_s), bool)
    for from_s, to_s in transitions:
        crossed |= (start_s < to_s - 1e-6) & (end_s > from_s - 1e-6)
    motions = camera_motions(
        video.motion,
        lambda i: subjects.at(float(times_s[i])),
        lambda i: overlays.at(float(times_s[i])),
        crossed,
    )
    speeds = np.full((len(start_s), 4), np.nan)
    sure = np.zeros(len(start_s))
    for i, motion in enumerate(motions):
        if motion is None:
            continue
        # At the left and right edges, half a frame width from the centre.
        edges = (motion.pan, motion.tilt, motion.zoom / 2, motion.roll_rad / 2)
        speeds[i] = np.array(edges) / (end_s[i] - start_s[i])
        sure[i] = motion.confidence
    # A crossed stretch is a part of its own.
    part = np.cumsum(np.diff(crossed.astype(np.int8), prepend=0) != 0)
    rests = [motion.rest if motion is not None else None for motion in motions]
    return _Track(start_s, end_s, speeds, sure, part, rests)


def _stretches(track: _Track) -> list[_Stretch]:
    """Stretches of one kind, without gaps, none across a cut or transition."""
    kinds = [
        _kind(track.speeds[near], track.speeds[around])
        for near, around in zip(track.within(_NEAR_S), track.within(_AROUND_S), strict=True)
    ]
    found: list[_Stretch] = []
    for part in np.unique(track.part):
        first, stop = (int(i) for i in np.searchsorted(track.part, [part, part + 1]))
        found += _without_short(track, _runs(kinds, first, stop))
    return found


def _kind(near: np.ndarray, around: np.ndarray) -> str:
    """What the motion at a moment is, from the speeds close to it and those further around."""
    near, known = near[~np.isnan(near[:, 0])], around[~np.isnan(around[:, 0])]
    if 2 * len(near) < max(2, len(known) // 2) or 2 * len(known) < len(around):
        return "unknown"
    flat = known[:, :2]
    way = np.linalg.norm(flat, axis=1).sum()
    restless = np.sqrt((flat**2).sum(axis=1).mean()) >= _RESTLESS
    undirected = np.linalg.norm(flat.sum(axis=0)) < _DIRECTED * way
    middle = np.median(near, axis=0)
    strongest = int(np.abs(middle).argmax())
    if restless and undirected and strongest < 2:
        return "handheld"
    if abs(middle[strongest]) >= _STILL:
        return _DIRECTIONS[strongest][int(middle[strongest] < 0)]
    return "handheld" if restless and undirected else "static"


def _runs(kinds: Sequence[str], first: int, stop: int) -> list[_Stretch]:
    edges = [i for i in range(first + 1, stop) if kinds[i] != kinds[i - 1]]
    return [_Stretch(a, b, kinds[a]) for a, b in zip([first, *edges], [*edges, stop], strict=True)]


def _without_short(track: _Track, runs: list[_Stretch]) -> list[_Stretch]:
    """Give each stretch that is too short, the shortest first, to its longer neighbour."""

    def length_s(run: _Stretch) -> float:
        return float(track.end_s[run.stop - 1] - track.start_s[run.first])

    runs = list(runs)
    while len(runs) > 1:
        place = min(range(len(runs)), key=lambda i: length_s(runs[i]))
        if length_s(runs[place]) >= _SHORTEST_S:
            break
        beside = [i for i in (place - 1, place + 1) if 0 <= i < len(runs)]
        kind = runs[max(beside, key=lambda i: length_s(runs[i]))].kind
        # It joins its neighbours of that kind: one of them, or both.
        low, high = place, place
        if place > 0 and runs[place - 1].kind == kind:
            low -= 1
        if place + 1 < len(runs) and runs[place + 1].kind == kind:
            high += 1
        runs[low : high + 1] = [_Stretch(runs[low].first, runs[high].stop, kind)]
    return runs


def _shake(track: _Track) -> np.ndarray:
    """Squared distance of pan and tilt speed from their running median, (n,); NaN if unknown."""
    squared = np.full(len(track.speeds), np.nan)
    for i, near in enumerate(track.within(_NEAR_S)):
        if track.known[i]:
            middle = np.nanmedian(track.speeds[near, :2], axis=0)
            squared[i] = ((track.speeds[i, :2] - middle) ** 2).sum()
    return squared


def _parallax(track: _Track) -> np.ndarray:
    """The parallax around each step, (n,); NaN where it cannot be told."""
    found = np.full(len(track.speeds), np.nan)
    lasts_s = track.end_s - track.start_s
    for i, around in enumerate(track.within(_AROUND_S)):
        rest = track.rests[i]
        if rest is None:
            continue
        span_s = rest.step_count * float(lasts_s[i])
        pan, tilt, zoom, _ = np.nanmedian(track.speeds[around], axis=0) * span_s
        told = rest.parallax(pan, tilt, 2 * zoom)
        found[i] = np.nan if told is None else told
    return found


def _described(
    track: _Track,
    shake: np.ndarray,
    parallax: np.ndarray,
    stretches: Sequence[_Stretch],
    steps: slice | np.ndarray,
) -> dict[str, Any]:
    """The motion columns for some steps; the kind is the first stretch's."""
    kind = stretches[0].kind
    known = track.known[steps]
    if kind == "unknown" or not known.any():
        return {"kind": kind, "confidence": 0.0}
    pan, tilt, zoom, roll = (float(v) for v in track.speeds[steps][known].mean(axis=0))
    if kind in _MOVES:
        own = _MOVES.index(kind) // 2
        speed = abs((pan, tilt, zoom, roll)[own])
        also = _also(own, (pan, tilt, zoom, roll))
        told = parallax[steps][~np.isnan(parallax[steps])]
        depth = float(told.mean()) if len(told) and own < 3 else None
    else:
        also = depth = None
        edges = track.speeds[steps][known]
        speed = float(np.linalg.norm(edges, axis=1).mean())
    return {
        "kind": kind,
        "speed": speed,
        "also_kind": also,
        "pan_speed": pan,
        "tilt_speed": tilt,
        "zoom_ratio_per_s": float(np.exp(2 * zoom)),
        "roll_deg_per_s": float(np.degrees(2 * roll)),
        "shake": float(np.sqrt(shake[steps][known].mean())),
        "parallax": depth,
        "dolly_like": None if depth is None else depth >= _TRAVELS,
        "confidence": float(track.confidence[steps].mean()),
    }


def _also(own: int, speeds: Sequence[float]) -> str | None:
    """The strongest move beside the component `own`, if it is strong enough to be named."""
    _, other = max((abs(speed), i) for i, speed in enumerate(speeds) if i != own)
    if abs(speeds[other]) < max(_STILL, _ALSO * abs(speeds[own])):
        return None
    return _DIRECTIONS[other][int(speeds[other] < 0)]


def _segments(
    video: Video,
    track: _Track,
    stretches: Sequence[_Stretch],
    described: Callable[[Sequence[_Stretch], np.ndarray], dict[str, Any]],
) -> dict[str, list[Any]]:
    rows = []
    nothing = _Stretch(0, 0, "unknown")
    windows_s = video.grid.windows_s(CameraAnalysis.overlap_s)
    for segment, (from_s, to_s) in enumerate(windows_s):
        start_s, end_s = video.grid.bounds_s(segment)
        shares: dict[str, float] = {}
        for stretch in stretches:
            low_s = max(start_s, track.start_s[stretch.first])
            high_s = min(end_s, track.end_s[stretch.stop - 1])
            if high_s > low_s:
                shares[stretch.kind] = shares.get(stretch.kind, 0.0) + high_s - low_s
        # The last frame's own time has no step after it: its second may be without one.
        kind = max(shares, key=lambda k: shares[k]) if shares else stretches[-1].kind
        same = [s for s in stretches if s.kind == kind]
        steps = np.concatenate([np.arange(s.first, s.stop) for s in same])
        inside = steps[(track.start_s[steps] < to_s) & (track.end_s[steps] > from_s)]
        rows.append(described(same or [nothing], inside))
    return {c.name: [row.get(c.name) for row in rows] for c in CameraAnalysis.segment_columns}


def _summary(
    track: _Track,
    shake: np.ndarray,
    stretches: Sequence[_Stretch],
    moves: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    lengths_s = track.end_s - track.start_s
    lasting = dict.fromkeys(KINDS, 0.0)
    for stretch in stretches:
        lasting[stretch.kind] += float(lengths_s[stretch.first : stretch.stop].sum())
    total_s = float(lengths_s.sum())
    travelled_s = sum(
        float(lengths_s[stretch.first : stretch.stop].sum())
        for stretch, move in zip(stretches, moves, strict=True)
        if move.get("dolly_like")
    )
    speeds = [move["speed"] for move in moves if move["kind"] in _MOVES and "speed" in move]
    known = track.known
    return {
        "dominant_kind": max(KINDS, key=lambda kind: lasting[kind]),
        "move_count": sum(stretch.kind in _MOVES for stretch in stretches),
        **{f"{kind}_ratio": min(1.0, lasting[kind] / total_s) for kind in KINDS},
        "mean_speed": (
            float(np.linalg.norm(track.speeds[known], axis=1).mean()) if known.any() else None
        ),
        "fastest_move_speed": max(speeds, default=None),
        "shake": float(np.sqrt(shake[known].mean())) if known.any() else None,
        "dolly_like_ratio": min(1.0, travelled_s / total_s),
    }


#: The chart's layout, in pixels, and its colours (RGB).
_WIDTH, _HEIGHT = 1200, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 14, 30, 60
_INK, _PAPER, _GRID = (40, 40, 40), (250, 250, 248), (222, 222, 220)
_CURVES = (
    ("pan right +", "pan", (205, 60, 50)),
    ("tilt up +", "tilt", (40, 100, 200)),
    ("zoom in +", "zoom", (30, 140, 80)),
    ("roll clockwise +", "roll", (150, 80, 170)),
)
_SHADES = {
    "static": (238, 240, 243), "handheld": (250, 236, 205), "unknown": (228, 228, 228),
    "pan": (249, 221, 217), "tilt": (216, 228, 247), "zoom": (216, 239, 225),
    "roll": (234, 220, 240),
}  # fmt: skip


def _chart(rows: Sequence[Mapping[str, Any]], end_s: float) -> np.ndarray:
    """Speeds over time as curves, over stripes in the colour of each move."""
    moves = [row for row in rows if row["type"] == "move"]
    steps = [row for row in rows if row["type"] == "step"]
    canvas = np.full((_HEIGHT, _WIDTH, 3), _PAPER, np.uint8)
    floor = _HEIGHT - _BOTTOM
    values = np.array([_edge_speeds(step) for step in steps])
    known = np.abs(values[~np.isnan(values)])
    top = max(0.1, float(np.quantile(known, 0.995)) * 1.15) if len(known) else 0.1

    def x(time_s: float) -> int:
        return round(_LEFT + time_s / max(end_s, 1e-3) * (_WIDTH - _LEFT - _RIGHT))

    def y(speed: float) -> int:
        half = (floor - _TOP) / 2
        return round(_TOP + half - float(np.clip(speed / top, -1, 1)) * half)

    for move in moves:
        shade = _SHADES[move["kind"].split("_")[0]]
        corners = (x(move["time_s"]), _TOP), (max(x(move["end_s"]) - 1, 0), floor)
        cv2.rectangle(canvas, *corners, shade, -1)
    for speed in (-top, -top / 2, 0.0, top / 2, top):
        cv2.line(canvas, (_LEFT, y(speed)), (_WIDTH - _RIGHT, y(speed)), _GRID, 1)
        _write(canvas, f"{speed:+.2f}", 8, y(speed) + 4, _INK)
    for second in range(0, int(end_s - 0.3) + 1, max(1, round(end_s / 12))):
        _write(canvas, f"{second} s", x(second), floor + 16, _INK)
    for curve, (_, _, colour) in enumerate(_CURVES):
        for i in range(1, len(steps)):
            pair = values[i - 1 : i + 1, curve]
            if not np.isnan(pair).any() and steps[i - 1]["end_s"] == steps[i]["time_s"]:
                from_, to = ((x(steps[j]["time_s"]), y(values[j, curve])) for j in (i - 1, i))
                cv2.line(canvas, from_, to, colour, 1, cv2.LINE_AA)
    for move in moves:
        label = _label(move)
        place = x(move["time_s"]) + 3
        if place + _text_width(label) < x(move["end_s"]):
            _write(canvas, label, place, _TOP + 13, _INK)
    _write(canvas, "camera speed at the frame's edge, frame widths a second", _LEFT, 18, _INK)
    place = _LEFT
    for name, _, colour in _CURVES:
        cv2.line(canvas, (place, _HEIGHT - 16), (place + 20, _HEIGHT - 16), colour, 2)
        place = _write(canvas, name, place + 26, _HEIGHT - 12, _INK) + 22
    return canvas


def _label(move: Mapping[str, Any]) -> str:
    """A move's kind, a second one, and whether the camera seems to travel."""
    kinds = [move["kind"], *([move["also_kind"]] if move["also_kind"] else [])]
    words = " + ".join(kind.replace("_", " ") for kind in kinds)
    return f"{words}, dolly-like" if move["dolly_like"] else words


def _edge_speeds(step: Mapping[str, Any]) -> list[float]:
    if step["pan_speed"] is None:
        return [np.nan] * 4
    return [
        step["pan_speed"],
        step["tilt_speed"],
        float(np.log(step["zoom_ratio_per_s"])) / 2,
        float(np.radians(step["roll_deg_per_s"])) / 2,
    ]


def _write(canvas: np.ndarray, text: str, x: int, y: int, colour: tuple[int, int, int]) -> int:
    """Write text with its baseline's left end at (x, y); returns where it ends."""
    cv2.putText(canvas, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
    return x + _text_width(text)


def _text_width(text: str) -> int:
    return cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)[0][0]
