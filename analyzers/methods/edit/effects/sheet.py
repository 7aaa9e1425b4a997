"""The picture of a result: effects as bars over time, and below them how each one looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from analyzers.methods.bars import PALETTE, WIDTH_PX, Bar, draw_bars
from analyzers.video import Frames, Video

#: Tiles of a row, and most of them; each shows the picture before the effect and within it.
_COLUMNS, _MOST = 4, 24
_GAP_PX, _LABEL_PX = 6, 34
_PAPER, _INK, _FAINT = (255, 255, 255), (24, 32, 48), (120, 126, 140)


def effect_sheet(video: Video, rows: Sequence[Mapping[str, Any]], kinds: Sequence[str]) -> bytes:
    """JPEG of the rows of observations; there must be at least one."""
    present = [kind for kind in kinds if any(row["effect"] == kind for row in rows)]
    bars: dict[str, list[Bar]] = {
        kind.replace("_", " "): [
            (row["time_s"], row["end_s"], PALETTE[number % len(PALETTE)])
            for row in rows
            if row["effect"] == kind
        ]
        for number, kind in enumerate(present)
    }
    shown = rows[:_MOST]
    title = f"{len(rows)} effect" + "s" * (len(rows) > 1)
    if len(rows) > _MOST:
        title += f" (pictures of the first {_MOST}: before it, and within it)"
    else:
        title += " (below: the picture before, and within)"
    tiles = [_tile(video, row) for row in shown]
    missing = -len(tiles) % _COLUMNS
    tiles += [np.full_like(tiles[0], 255)] * missing
    lines = [np.hstack(tiles[i : i + _COLUMNS]) for i in range(0, len(tiles), _COLUMNS)]
    chart = draw_bars(title, bars, video.info.end_s)
    spare = np.full((chart.shape[0], lines[0].shape[1] - chart.shape[1], 3), 255, np.uint8)
    sheet = np.vstack([np.hstack([chart, spare]), *lines])
    _, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 78]
    )
    return jpeg.tobytes()


def _tile(video: Video, row: Mapping[str, Any]) -> np.ndarray:
    width = (WIDTH_PX + _COLUMNS - 1) // _COLUMNS
    side = (width - 2 * _GAP_PX) // 2
    height = int(np.clip(round(side * video.info.height_px / video.info.width_px), 1, 200))
    tile = np.full((height + _LABEL_PX + _GAP_PX, width, 3), _PAPER, np.uint8)
    middle_s = (row["time_s"] + row["end_s"]) / 2
    if row["time_s"] > 0:
        before = _picture(video, row["time_s"], 0.0, row["time_s"])
        tile[:height, _GAP_PX : _GAP_PX + side] = _fitted(before, side, height)
    within = _picture(video, middle_s, row["time_s"], row["end_s"])
    left = 2 * _GAP_PX + side
    tile[:height, left : left + side] = _fitted(within, side, height)
    label = row["effect"].replace("_", " ")
    if row["detail"]:
        label += f" {row['detail'].replace('_', ' ')}"
    times = f"{row['time_s']:.2f} - {row['end_s']:.2f} s   {row['confidence']:.2f}"
    for text, y, colour in ((label, height + 13, _INK), (times, height + 28, _FAINT)):
        place = (_GAP_PX, y)
        cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)
    return tile


def _picture(video: Video, near_s: float, from_s: float, to_s: float) -> np.ndarray:
    """The frame nearest to a time within a stretch; short effects are in the thumbs only."""
    frames: Frames
    for frames in (video.analysis, video.thumbs):
        inside = np.flatnonzero((frames.times_s >= from_s - 1e-6) & (frames.times_s < to_s - 1e-6))
        if len(inside):
            return frames[int(inside[np.abs(frames.times_s[inside] - near_s).argmin()])]
    return video.thumbs[int(np.abs(video.thumbs.times_s - near_s).argmin())]


def _fitted(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    # Thumbs are squeezed to 16:9 whatever the aspect, so all are stretched to the video's.
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
