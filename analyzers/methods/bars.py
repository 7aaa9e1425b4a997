"""A picture of what lasts: rows of bars, and curves, over one time axis, for previews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
#: From, to (seconds) and colour.
Bar = tuple[float, float, Colour]

WIDTH_PX = 900
#: The time axis lies between these margins.
_LEFT_PX, _RIGHT_PX = 110, 20
_ROW_PX, _BAR_PX = 28, 20
_TOP_PX, _AXIS_PX = 34, 24
_PAPER, _INK, _GRID = (255, 255, 255), (24, 32, 48), (228, 232, 240)
#: Speakers and the like, told apart by people with any colour vision (Okabe & Ito 2008).
PALETTE: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
)


def x_of(time_s: float, end_s: float) -> int:
    """The column of a time, in pixels."""
    return _LEFT_PX + round(time_s / max(end_s, 1e-3) * (WIDTH_PX - _LEFT_PX - _RIGHT_PX))


def draw_bars(title: str, rows: Mapping[str, Sequence[Bar]], end_s: float) -> np.ndarray:
    """RGB picture: the title, one row of bars for each name, and seconds below; uint8 (h, w, 3)."""
    bottom = _TOP_PX + len(rows) * _ROW_PX
    picture = Image.new("RGB", (WIDTH_PX, bottom + _AXIS_PX), _PAPER)
    draw = ImageDraw.Draw(picture)
    font, small = ImageFont.load_default(14), ImageFont.load_default(11)
    draw.text((8, 8), title, fill=_INK, font=font)
    step_s = next(s for s in (1, 2, 5, 10, 30, 60, 300, 1800, 10**6) if end_s / s <= 15)
    for time_s in range(0, int(end_s) + 1, step_s):
        x = x_of(time_s, end_s)
        draw.line((x, _TOP_PX, x, bottom), fill=_GRID)
        draw.text((x - 4, bottom + 5), f"{time_s}", fill=_INK, font=small)
    for number, (name, bars) in enumerate(rows.items()):
        top = _TOP_PX + number * _ROW_PX
        draw.text((8, top + 2), name, fill=_INK, font=font)
        for start_s, stop_s, colour in bars:
            left, right = x_of(start_s, end_s), x_of(min(stop_s, end_s), end_s)
            draw.rectangle((left, top, max(left + 1, right), top + _BAR_PX), fill=colour)
    return np.asarray(picture)


def draw_curves(
    curves: Mapping[str, tuple[Sequence[float], Colour]], end_s: float, height_px: int = 150
) -> np.ndarray:
    """RGB picture of curves by second, 0..1, under the axis of `draw_bars`; uint8 (h, w, 3)."""
    picture = Image.new("RGB", (WIDTH_PX, height_px), _PAPER)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(14)
    bottom = height_px - 12
    for level in (0.0, 0.5, 1.0):
        y = bottom - round(level * (bottom - 8))
        draw.line((x_of(0, end_s), y, x_of(end_s, end_s), y), fill=_GRID)
    for number, (name, (values, colour)) in enumerate(curves.items()):
        draw.text((8, 8 + 20 * number), name, fill=colour, font=font)
        points = [
            (x_of(min(second + 0.5, end_s), end_s), bottom - round(value * (bottom - 8)))
            for second, value in enumerate(values)
        ]
        draw.line([points[0], *points], fill=colour, width=3, joint="curve")
    return np.asarray(picture)
