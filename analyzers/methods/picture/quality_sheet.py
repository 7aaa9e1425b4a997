"""A picture of quality: the best and the worst frame, and every part of the score over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

_WIDTH_PX, _LEFT_PX, _MARGIN_PX = 960, 110, 12
_TALL_PX, _ROW_PX, _LINE_PX = 300, 18, 17
_INK, _PAPER, _UNKNOWN = (40, 40, 40), 250, (215, 215, 215)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def quality_sheet(
    title: str,
    pictures: Sequence[tuple[np.ndarray, Sequence[str]]],
    rows: Mapping[str, Sequence[float | None]],
) -> bytes:
    """A JPEG. `pictures`: RGB frames, each with lines of text to its right. `rows`: by name, a
    score 0..100 for every second, dark for bad and light for good, grey where it is not known.
    """
    heading = _paper(26)
    _write(heading, title, 0, 17, 0.5)
    wide = _WIDTH_PX // max(1, len(pictures))
    cards = [_card(picture, lines, wide) for picture, lines in pictures]
    tall = max((len(card) for card in cards), default=0)
    top = np.hstack(
        [np.pad(c, ((0, tall - len(c)), (0, 0), (0, 0)), constant_values=_PAPER) for c in cards]
    )
    top = np.pad(top, ((0, 0), (0, _WIDTH_PX - top.shape[1]), (0, 0)), constant_values=_PAPER)
    sheet = np.vstack([heading, top, *(_row(*row) for row in rows.items()), _legend(rows)])
    margin = ((_MARGIN_PX, _MARGIN_PX), (_MARGIN_PX, _MARGIN_PX), (0, 0))
    sheet = np.pad(sheet, margin, constant_values=_PAPER)
    _, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    return jpeg.tobytes()


def _card(picture: np.ndarray, lines: Sequence[str], wide_px: int) -> np.ndarray:
    """A picture with text to its right."""
    text_px = 190
    height, width = picture.shape[:2]
    scale = min((wide_px - text_px - 10) / width, _TALL_PX / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    card = np.full((max(size[1], len(lines) * _LINE_PX) + 10, wide_px, 3), _PAPER, np.uint8)
    card[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    for i, line in enumerate(lines):
        _write(card, line, size[0] + 8, 12 + i * _LINE_PX)
    return card


def _row(name: str, scores: Sequence[float | None]) -> np.ndarray:
    row = _paper(_ROW_PX)
    _write(row, name, 0, 13)
    edges = np.linspace(_LEFT_PX, _WIDTH_PX, len(scores) + 1).round().astype(int)
    for score, left, right in zip(scores, edges, edges[1:], strict=False):
        row[1:-1, left:right] = _UNKNOWN if score is None else _colour(score)
    return row


def _legend(rows: Mapping[str, Sequence[float | None]]) -> np.ndarray:
    legend = _paper(46)
    count = max((len(scores) for scores in rows.values()), default=1)
    step = next(s for s in (1, 2, 5, 10, 30, 60, 300, 1800, 10**6) if count / s <= 15)
    for second in range(0, count, step):
        _write(legend, f"{second}", _LEFT_PX + round(second / count * (_WIDTH_PX - _LEFT_PX)), 13)
    _write(legend, "seconds", 0, 13)
    left = _LEFT_PX
    for text, colour in (*((f"{s}", _colour(s)) for s in (0, 25, 50, 75, 100)), ("?", _UNKNOWN)):
        legend[26:40, left : left + 24] = colour
        _write(legend, text, left + 30, 38)
        left += 70
    _write(legend, "score", 0, 38)
    return legend


def _colour(score: float) -> np.ndarray:
    """Cividis, which reads the same with any colour vision."""
    bgr = cv2.applyColorMap(np.array([[round(score * 2.55)]], np.uint8), cv2.COLORMAP_CIVIDIS)
    return np.asarray(bgr[0, 0, ::-1])


def _paper(height_px: int) -> np.ndarray:
    return np.full((height_px, _WIDTH_PX, 3), _PAPER, np.uint8)


def _write(canvas: np.ndarray, text: str, left: int, base: int, size: float = 0.4) -> None:
    cv2.putText(canvas, text, (left, base), _FONT, size, _INK, 1, cv2.LINE_AA)
