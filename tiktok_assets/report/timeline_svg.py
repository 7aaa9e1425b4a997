"""The drawing of the timeline: bars, curves and ticks as places in percent of its width.

So the drawing fits a phone, a screen and a sheet of paper, with letters of the same size on each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby
from unicodedata import east_asian_width

from tiktok_assets.report.told import Row
from tiktok_assets.report.wording import clock, number, span

#: Widths of a lane on a phone and on a screen, and of a letter, for what fits into a bar.
_PHONE_PX, _SCREEN_PX, _LETTER_PX, _EDGE_PX = 330, 960, 6.4, 8
#: Capitals, and letters as wide as they are high: Chinese, Japanese, Korean, emoji.
_CAPITAL_PX, _SQUARE_PX = 7.8, 12.0
ROW_PX, GAP_PX = 18, 3
CURVE_PX = 64
#: A text of which fewer letters fit is not begun.
_LEAST_CUT = 5
#: A bar is at least so wide, in percent: a cut has no length.
_LEAST_PERCENT = 0.35
#: Bars of one lane; those of an hour's cuts could not be told apart.
_MOST_BARS = 800
#: Colours that only part neighbours from each other.
_SHADES = ("ink", "grey")
#: Points of one curve.
_MOST_POINTS = 600
#: Rows of one lane: what finds no place in them hides something.
MOST_ROWS = 6
_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
_MOST_TICKS = 8
#: The end of a longer video is told in whole seconds.
_TENTHS_BELOW_S = 600.0


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
        room_px = self.width / 100 * lane_px - _EDGE_PX
        ends_px = list(accumulate(_width_px(letter) for letter in self.label))
        if not ends_px or ends_px[-1] <= room_px:
            return self.label
        kept = bisect_right(ends_px, room_px - _LETTER_PX)  # a letter's room is the ellipsis's
        return f"{self.label[:kept].rstrip()}\u2026" if self.cut and kept + 1 >= _LEAST_CUT else ""


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
    def links(self) -> bool:
        """Whether bars lead somewhere: what is one picture to a reader can hold no links."""
        return any(bar.href for bar in self.bars)

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


def _width_px(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return _SQUARE_PX
    return _CAPITAL_PX if letter.isupper() else _LETTER_PX


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


def bar(
    end_s: float,
    row: Row,
    tone: str,
    label: str = "",
    title: str = "",
    *,
    place: int = 0,
    href: str = "",
    cut: bool = False,
) -> Bar:
    """A bar over a row's time, in a video that ends at `end_s`."""
    from_s = min(max(0.0, row["time_s"]), end_s)
    to_s = min(max(from_s, row.get("end_s") or from_s), end_s)
    width = max(_LEAST_PERCENT, (to_s - from_s) / end_s * 100)
    x = min(from_s / end_s * 100, 100 - width)
    said = f"{span(from_s, to_s)}: {title or label}"
    return Bar(x, width, place, tone, said, label, href, cut)


def placed(rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
    """Rows of time, each with the first of a few lines in which it hides no other.

    What finds no place there goes into the last.
    """
    ends = [0.0] * MOST_ROWS
    for row in rows:
        free = (i for i, end_s in enumerate(ends) if row["time_s"] >= end_s - 1e-6)
        place = next(free, MOST_ROWS - 1)
        ends[place] = max(ends[place], row.get("end_s") or row["time_s"])
        yield place, row


def lane(
    name: str, about: str, bars: Sequence[Bar], legend: Sequence[tuple[str, str]] = ()
) -> Lane | None:
    """A lane of bars; None where there are none."""
    if not bars:
        return None
    return Lane(name, about, drawn(bars), legend=list(legend))


def drawn(bars: Sequence[Bar]) -> list[Bar]:
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


def curve(
    end_s: float, name: str, tone: str, values: Sequence[float | None], dashed: bool = False
) -> Curve:
    """Values by second, 0..1, as lines through the middles of their seconds."""
    step = -(-len(values) // _MOST_POINTS)  # so many seconds are one point
    points: list[tuple[float, float, float | None]] = []
    for first in range(0, len(values), step):
        known = [v for v in values[first : first + step] if v is not None]
        mean = sum(known) / len(known) if known else None
        points.append((first, min(first + step, end_s), mean))
    lines = []
    for there, group in groupby(points, key=lambda point: point[2] is not None):
        if there:
            run = list(group)
            places = [(run[0][0], run[0][2])]
            places += [((start + end) / 2, value) for start, end, value in run]
            places += [(run[-1][1], run[-1][2])]
            lines.append(
                " ".join(f"{x / end_s * 1000:.1f},{height(float(y or 0)):.1f}" for x, y in places)
            )
    return Curve(name, tone, tuple(lines), dashed)


def height(share: float) -> float:
    """Of 0..1 the place from the top, in percent, with a little room at both ends."""
    return 96 - min(max(share, 0.0), 1.0) * 92
