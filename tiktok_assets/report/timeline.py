"""The timeline: lanes over the video's seconds, as places in percent that an SVG is drawn from.

Every place is in percent of the width, so that the drawing fits a phone, a screen and a sheet of
paper, with letters of the same size on each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from tiktok_assets.report.pictures import Picture, Pictures
from tiktok_assets.report.told import Row, Told
from tiktok_assets.report.wording import clipped, clock, number, plural, span, words

#: Widths of a lane on a phone and on a screen, and of a letter, for what fits into a bar.
_PHONE_PX, _SCREEN_PX, _LETTER_PX, _EDGE_PX = 330, 960, 6.4, 8
ROW_PX, GAP_PX = 18, 3
CURVE_PX = 64
#: How many frames the strip has, and the long side of each.
_STRIP_WIDE, _STRIP_UPRIGHT = (10, 160), (14, 176)
#: A text of which fewer letters fit is not begun.
_LEAST_CUT = 5
#: A bar is at least so wide, in percent: a cut has no length.
_LEAST_PERCENT = 0.35
#: Bars of one lane; those of an hour's cuts could not be told apart.
_MOST_BARS = 800
#: Colours that only part neighbours from each other.
_SHADES = ("ink", "grey")
_MOST_POINTS = 600
_MOST_ROWS = 6
_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_MOST_TICKS = 8
#: The end of a longer video is told in whole seconds.
_TENTHS_BELOW_S = 600.0
#: Below this a second is silent in the drawing.
_BOTTOM_LUFS, _LEVEL_LUFS = -60.0, -40.0
#: Names of the colours (Okabe & Ito 2008, for any colour vision) in the style sheet.
TONES = ("blue", "orange", "green", "purple", "sky", "vermilion", "yellow")
_QUIET = "grey"
_PARTS = {
    "hook": "vermilion", "build": "sky", "peak": "orange", "turn": "purple", "resolution": "green",
    "call_to_action": "blue", "loop": "yellow",
}  # fmt: skip
_ROLES = {"caption": "blue", "sticker": "orange", "watermark": _QUIET, "scene_text": "green"}
_EMOTIONS = {
    "happy": "yellow", "surprise": "orange", "neutral": _QUIET, "sad": "blue", "fear": "purple",
    "angry": "vermilion", "disgust": "green",
}  # fmt: skip
_SOUNDS = {"speech": "blue", "singing": "purple", "music": "orange", "silence": _QUIET}
_EFFECTS = {"helps": ("green", "+"), "costs": ("vermilion", "\u2212"), None: ("sky", "")}


@dataclass(frozen=True)
class Bar:
    """From and width in percent, in which row, in what colour, with what in it."""

    x: float
    width: float
    row: int
    tone: str
    title: str
    label: str = ""
    href: str = ""

    #: Whether the label may be cut where it does not fit, as a text may and a name may not.
    cut: bool = False

    @property
    def on_screen(self) -> str:
        """The label as it fits into the bar on a screen; "" where it does not."""
        return self._fitted(_SCREEN_PX)

    @property
    def on_phone(self) -> str:
        """The label as it fits on a phone or on paper."""
        return self._fitted(_PHONE_PX)

    def _fitted(self, lane_px: int) -> str:
        room = int((self.width / 100 * lane_px - _EDGE_PX) / _LETTER_PX)
        if len(self.label) <= room:
            return self.label
        return f"{self.label[: room - 1].rstrip()}\u2026" if self.cut and room >= _LEAST_CUT else ""


@dataclass(frozen=True)
class Curve:
    """Lines of points in a field of 1000 x 100, broken where nothing is known."""

    name: str
    tone: str
    lines: tuple[str, ...]
    dashed: bool = False


@dataclass
class Lane:
    """One kind of thing over time."""

    name: str
    #: In words, for who does not see it.
    about: str
    bars: list[Bar] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    #: Heights, 0..100 from the top, with what they stand for.
    levels: list[tuple[float, str]] = field(default_factory=list)
    #: Colour and name.
    legend: list[tuple[str, str]] = field(default_factory=list)

    @property
    def height_px(self) -> int:
        """Height of the drawing."""
        if self.curves:
            return CURVE_PX
        return (max((bar.row for bar in self.bars), default=0) + 1) * (ROW_PX + GAP_PX) - GAP_PX


@dataclass(frozen=True)
class Tick:
    """A time on the axis."""

    x: float
    label: str
    anchor: str


@dataclass(frozen=True)
class Timeline:
    """All lanes over one axis."""

    lanes: list[Lane]
    ticks: list[Tick]
    #: Frames at even steps, each from the middle of its part of the axis.
    strip: list[Picture]


def timeline(told: Told, pictures: Pictures) -> Timeline:
    """The lanes of which there is something to show."""
    made = (
        _arc(told), _scenes(told), _shots(told), _camera(told), _speakers(told), _sounds(told),
        _texts(told), _faces(told), _loudness(told), _energy(told), _findings(told),
    )  # fmt: skip
    lanes = [lane for lane in made if lane]
    return Timeline(lanes, ticks(told.end_s), _strip(told, pictures))


def _strip(told: Told, pictures: Pictures) -> list[Picture]:
    upright = told.source["height_px"] > told.source["width_px"]
    count, side_px = _STRIP_UPRIGHT if upright else _STRIP_WIDE
    step_s = told.end_s / count
    found = (pictures.at((i + 0.5) * step_s, side_px) for i in range(count))
    return [picture for picture in found if picture]


def ticks(end_s: float) -> list[Tick]:
    """Times at round steps; the last of the video always, its neighbour where there is room."""
    step_s = next((s for s in _STEPS_S if end_s / s <= _MOST_TICKS), _STEPS_S[-1])
    last = Tick(100, clock(end_s, end_s < _TENTHS_BELOW_S), "end")
    found = []
    for i in range(int(end_s / step_s) + 1):
        x, label = i * step_s / end_s * 100, clock(i * step_s, step_s < 1)
        needed_px = (len(last.label) + len(label) / 2) * _LETTER_PX
        if i == 0 or (100 - x) / 100 * _PHONE_PX >= needed_px:
            found.append(Tick(x, label, "start" if i == 0 else "middle"))
    return [*found, last]


def _bar(
    told: Told,
    row: Row,
    tone: str,
    label: str = "",
    title: str = "",
    *,
    place: int = 0,
    href: str = "",
    cut: bool = False,
) -> Bar:
    """A bar over a row's time."""
    start_s = min(max(0.0, row["time_s"]), told.end_s)
    end_s = min(max(start_s, row.get("end_s") or start_s), told.end_s)
    width = max(_LEAST_PERCENT, (end_s - start_s) / told.end_s * 100)
    x = min(start_s / told.end_s * 100, 100 - width)
    said = f"{span(start_s, end_s)}: {title or label}"
    return Bar(x, width, place, tone, said, label, href, cut)


def _placed(rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
    """Rows of time, each with the first of a few lines in which it hides no other.

    What finds no place there goes into the last.
    """
    ends = [0.0] * _MOST_ROWS
    for row in rows:
        free = (i for i, end_s in enumerate(ends) if row["time_s"] >= end_s - 1e-6)
        place = next(free, _MOST_ROWS - 1)
        ends[place] = max(ends[place], row.get("end_s") or row["time_s"])
        yield place, row


def _lane(
    name: str, about: str, bars: Sequence[Bar], legend: Sequence[tuple[str, str]] = ()
) -> Lane | None:
    if not bars:
        return None
    return Lane(name, about, _drawn(bars), legend=list(legend))


def _drawn(bars: Sequence[Bar]) -> list[Bar]:
    """The bars; where there are too many to tell apart, neighbours become one."""
    if len(bars) <= _MOST_BARS:
        return list(bars)
    last: dict[tuple[int, str], int] = {}
    merged: list[Bar] = []
    counts: list[int] = []
    for bar in bars:
        key = (bar.row, bar.tone if bar.tone not in _SHADES else "")
        before = last.get(key)
        if before is not None and bar.x <= merged[before].x + merged[before].width + _LEAST_PERCENT:
            end = max(merged[before].x + merged[before].width, bar.x + bar.width)
            counts[before] += 1
            title = f"{number(counts[before], 0)} together"
            merged[before] = replace(
                merged[before], width=end - merged[before].x, title=title, label="", href=""
            )
            continue
        last[key] = len(merged)
        merged.append(bar)
        counts.append(1)
    return merged


def _arc(told: Told) -> Lane | None:
    parts = told.rows("temporal_flow")
    bars = [
        _bar(told, row, _PARTS.get(row["part"], _QUIET), words(row["part"]),
             f"{words(row['part'])}. {row['why']}", place=place)
        for place, row in _placed(parts)
    ]  # fmt: skip
    told_parts = (f"{words(r['part'])} {span(r['time_s'], r['end_s'])}" for r in parts)
    legend = [(_PARTS.get(p, _QUIET), words(p)) for p in dict.fromkeys(r["part"] for r in parts)]
    return _lane("Story", ", ".join(told_parts), bars, legend=legend)


def _scenes(told: Told) -> Lane | None:
    scenes = [row for row in told.rows("scene_segmentation") if row["type"] == "scene"]
    bars = [
        _bar(
            told,
            row,
            ("sky", "green")[i % 2],
            _scene_name(row, i),
            f"scene {i + 1}, {words(row['label'])} ({row['confidence']:.2f})",
        )
        for i, row in enumerate(scenes)
    ]
    return _lane("Scenes", plural(len(scenes), "scene"), bars)


def _scene_name(row: Row, place: int) -> str:
    return f"{place + 1}" if row["label"] == "uncertain" else f"{place + 1} {words(row['label'])}"


def _shots(told: Told) -> Lane | None:
    shots = [row for row in told.rows("cut_analysis") if row["type"] == "shot"]
    bars = [
        _bar(
            told,
            row,
            ("ink", _QUIET)[row["shot"] % 2],
            str(row["shot"] + 1),
            f"shot {row['shot'] + 1}",
            href=f"#shot-{row['shot'] + 1}",
        )
        for row in shots
    ]
    return _lane("Shots", plural(len(shots), "shot"), bars)


def _camera(told: Told) -> Lane | None:
    moves = [
        row
        for row in told.rows("camera_analysis")
        if row["type"] == "move" and row["kind"] not in ("unknown", "static")
    ]
    bars = [_bar(told, row, "purple", words(row["kind"])) for row in moves]
    return _lane("Camera", f"{plural(len(moves), 'move')}; else still or not known", bars)


def _speakers(told: Told) -> Lane | None:
    turns = [row for row in told.rows("voices") if row["kind"] == "turn"]
    names = list(dict.fromkeys(row["speaker"] for row in turns))
    bars = [
        _bar(told, row, TONES[names.index(row["speaker"]) % len(TONES)], row["speaker"] or "?",
             place=min(names.index(row["speaker"]), _MOST_ROWS - 1))
        for row in turns
    ]  # fmt: skip
    legend = [(TONES[i % len(TONES)], name or "?") for i, name in enumerate(names)]
    shown = legend if len(legend) > 1 else ()
    return _lane("Speakers", plural(len(names), "speaker"), bars, legend=shown)


def _sounds(told: Told) -> Lane | None:
    spans = [row for row in told.rows("audio_analysis") if row["kind"] in _SOUNDS]
    kinds = [kind for kind in _SOUNDS if any(row["kind"] == kind for row in spans)]
    bars = [
        _bar(told, row, _SOUNDS[row["kind"]], row["kind"], place=kinds.index(row["kind"]))
        for row in spans
    ]
    bars += [
        _bar(told, row, "green", words(row["kind"]), place=len(kinds))
        for row in told.rows("sound_effects")
    ]
    legend = [(_SOUNDS[kind], kind) for kind in kinds]
    return _lane("Sound", ", ".join(kinds), bars, legend)


def _texts(told: Told) -> Lane | None:
    lines = told.rows("text_overlay")
    bars = [
        _bar(
            told,
            row,
            _ROLES.get(row["role"], "purple"),
            clipped(row["text"], 120),
            f"{words(row['role'])}: {clipped(row['text'], 200)}",
            place=place,
            cut=True,
        )
        for place, row in _placed(lines)
    ]
    roles = dict.fromkeys(row["role"] for row in lines)
    legend = [(_ROLES.get(role, "purple"), words(role)) for role in roles]
    return _lane("Text", plural(len(lines), "line"), bars, legend=legend)


def _faces(told: Told) -> Lane | None:
    """Seconds with a face, in one colour, or with what its expression looks like."""
    counts = told.seconds("faces", "face_count")
    emotions = told.seconds("face_emotion", "emotion") or [None] * len(counts)
    seen = [
        (second, _EMOTIONS.get(emotion or "", ""), emotion)
        for second, (count, emotion) in enumerate(zip(counts, emotions, strict=False))
        if count
    ]
    bars = []
    # What stands next to each other and is the same becomes one bar.
    for (_, tone, emotion), group in groupby(
        enumerate(seen), key=lambda item: (item[0] - item[1][0], item[1][1], item[1][2])
    ):
        run = [item[1][0] for item in group]
        judged = emotion if tone else "face"
        row = Row(time_s=float(run[0]), end_s=run[-1] + 1.0)
        title = f"apparent expression: {judged}" if tone else "a face, its expression not judged"
        bars.append(_bar(told, row, tone or _QUIET, judged or "", title))
    shown = [e for e in _EMOTIONS if any(bar.label == e for bar in bars)]
    legend = [(_EMOTIONS[e], f"looks {e}" if e != "neutral" else e) for e in shown]
    return _lane("Faces", f"a face in {plural(len(seen), 'second')}", bars, legend=legend)


def _loudness(told: Told) -> Lane | None:
    levels = told.seconds("audio_analysis", "momentary_max_lufs")
    if all(level is None for level in levels):
        return None
    shares = [None if v is None else (v - _BOTTOM_LUFS) / -_BOTTOM_LUFS for v in levels]
    lane = Lane("Loudness", "the loudest 400 ms of each second, in LUFS")
    lane.curves = [_curve(told, "loudest 400 ms of the second", "blue", shares)]
    levels = [(_LEVEL_LUFS, f"{number(_LEVEL_LUFS)} LUFS")]
    if (target := target_lufs(told)) is not None:
        levels.append((target, f"{number(target)} LUFS, target"))
    lane.levels = [(_height((v - _BOTTOM_LUFS) / -_BOTTOM_LUFS), label) for v, label in levels]
    return lane


def target_lufs(told: Told) -> float | None:
    """The loudness to aim at, as content_quality was told."""
    return told.entries.get("content_quality", {}).get("settings", {}).get("target_lufs")


def _energy(told: Told) -> Lane | None:
    energy, pacing = (told.seconds("temporal_flow", name) for name in ("energy", "pacing"))
    if not any(value is not None for value in energy):
        return None
    lane = Lane("Energy", "energy and pacing of each second, from 0 to 1")
    lane.curves = [
        _curve(told, "energy", "vermilion", energy),
        _curve(told, "pacing", "blue", pacing, dashed=True),
    ]
    lane.levels = [(_height(0.5), "0.5")]
    lane.legend = [(curve.tone, curve.name) for curve in lane.curves]
    return lane


def _curve(
    told: Told, name: str, tone: str, values: Sequence[float | None], dashed: bool = False
) -> Curve:
    """Values by second, 0..1, as lines through the middles of their seconds."""
    step = -(-len(values) // _MOST_POINTS)  # so many seconds are one point
    points: list[tuple[float, float, float | None]] = []
    for first in range(0, len(values), step):
        known = [v for v in values[first : first + step] if v is not None]
        mean = sum(known) / len(known) if known else None
        points.append((first, min(first + step, told.end_s), mean))
    lines = []
    for there, group in groupby(points, key=lambda point: point[2] is not None):
        if there:
            run = list(group)
            places = [(run[0][0], run[0][2])]
            places += [((start + end) / 2, value) for start, end, value in run]
            places += [(run[-1][1], run[-1][2])]
            lines.append(
                " ".join(
                    f"{x / told.end_s * 1000:.1f},{_height(float(y or 0)):.1f}" for x, y in places
                )
            )
    return Curve(name, tone, tuple(lines), dashed)


def _height(share: float) -> float:
    """Of 0..1 the place from the top, in percent, with a little room at both ends."""
    return 96 - min(max(share, 0.0), 1.0) * 92


def _findings(told: Told) -> Lane | None:
    found = told.rows("cross_analyzer_intelligence")
    bars = []
    for place, row in _placed(found):
        tone, sign = _EFFECTS.get(row["effect"], ("sky", ""))
        label = f"{sign} {words(row['rule'])}".strip()
        bars.append(
            _bar(told, row, tone, label, f"{words(row['rule'])}. {row['finding']}", place=place)
        )
    effects = dict.fromkeys(row["effect"] for row in found)
    names = {"helps": "helps staying", "costs": "costs staying", None: "also found"}
    legend = [
        (tone, f"{sign} {names[e]}".strip()) for e, (tone, sign) in _EFFECTS.items() if e in effects
    ]
    return _lane("Findings", plural(len(found), "finding"), bars, legend=legend)
