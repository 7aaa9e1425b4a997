"""A picture of arousal and valence over time, one mark for each utterance, for a preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from analyzers.methods.bars import PALETTE, WIDTH_PX, Colour, x_of

#: What is drawn, and what stands there where none is known.
_ROWS = {
    "arousal": "no other utterance to compare the voice with",
    "valence": "words not judged",
    "dominance": "no other utterance to compare the voice with",
}
_ROW_PX, _GAP_PX, _TOP_PX, _AXIS_PX = 84, 14, 56, 24
_MARK_PX = 5
_PAPER, _INK, _GRID, _PALE = (255, 255, 255), (24, 32, 48), (222, 227, 236), (150, 158, 172)
_COLOURS: Mapping[str, Colour] = {
    "excited": PALETTE[5],
    "tense": PALETTE[1],
    "sad": PALETTE[0],
    "calm": PALETTE[2],
    "neutral": PALETTE[4],
    "uncertain": _PALE,
}


def draw_emotion(title: str, rows: Sequence[Mapping[str, Any]], end_s: float) -> np.ndarray:
    """RGB picture, uint8 (h, w, 3): a line for each utterance at its height, -1 to 1, by class.

    `rows` have `time_s`, `end_s`, `arousal`, `valence`, `dominance` and `emotion`; what is None is
    not drawn.
    """
    bottom = _TOP_PX + len(_ROWS) * (_ROW_PX + _GAP_PX)
    picture = Image.new("RGB", (WIDTH_PX, bottom + _AXIS_PX), _PAPER)
    draw = ImageDraw.Draw(picture)
    font, small = ImageFont.load_default(14), ImageFont.load_default(11)
    draw.text((8, 8), title, fill=_INK, font=font)
    left, right = x_of(0.0, end_s), x_of(end_s, end_s)
    at = left
    for name, colour in _COLOURS.items():
        draw.rectangle((at, 34, at + 10, 44), fill=colour)
        draw.text((at + 15, 32), name, fill=_INK, font=small)
        at += 26 + round(draw.textlength(name, font=small)) + 12
    step_s = next(s for s in (1, 2, 5, 10, 30, 60, 300, 1800, 10**6) if end_s / s <= 15)
    for time_s in range(0, int(end_s) + 1, step_s):
        x = x_of(time_s, end_s)
        draw.line((x, _TOP_PX, x, bottom - _GAP_PX), fill=_GRID)
        draw.text((x - 4, bottom - _GAP_PX + 5), f"{time_s}", fill=_INK, font=small)
    for number, (name, missing) in enumerate(_ROWS.items()):
        top = _TOP_PX + number * (_ROW_PX + _GAP_PX)
        draw.text((8, top + _ROW_PX / 2 - 9), name, fill=_INK, font=font)
        for level in (-1, 0, 1):
            y = top + (1 - level) / 2 * _ROW_PX
            draw.line((left, y, right, y), fill=_PALE if level == 0 else _GRID)
            draw.text((left - 16, y - 7), f"{level}".rjust(2), fill=_INK, font=small)
        if all(row[name] is None for row in rows):
            draw.text((left + 8, top + _ROW_PX / 4 - 7), missing, fill=_PALE, font=small)
        for row in rows:
            if row[name] is None:
                continue
            y = top + (1 - row[name]) / 2 * _ROW_PX
            start, stop = x_of(row["time_s"], end_s), x_of(min(row["end_s"], end_s), end_s)
            mark = (start, y - _MARK_PX / 2, max(start + 2, stop - 2), y + _MARK_PX / 2)
            draw.rectangle(mark, fill=_COLOURS[row["emotion"]])
    return np.asarray(picture)
