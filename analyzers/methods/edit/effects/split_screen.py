"""Split screens: panels side by side or one above the other, with straight edges between them."""

from __future__ import annotations

import cv2
import numpy as np

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.letterbox import to_the_frame
from analyzers.methods.edit.effects.signals import Signals
from analyzers.methods.mask_runs import mask_runs

NAME = "split_screen"

#: Layouts and where their edges are: across the width (x) and down the height (y).
_LAYOUTS: dict[str, tuple[tuple[str, float], ...]] = {
    "quarters": (("x", 1 / 2), ("y", 1 / 2)),
    "three_side_by_side": (("x", 1 / 3), ("x", 2 / 3)),
    "three_above_each_other": (("y", 1 / 3), ("y", 2 / 3)),
    "side_by_side": (("x", 1 / 2),),
    "above_each_other": (("y", 1 / 2),),
}
#: How far an edge may be from its place, as a part of the side.
_REACH = 0.02
#: The same picture in each panel, or its mirror image in halves: their difference, against the
#: picture's own contrast (standard deviation). Real pictures' halves and thirds have 0.6 and more.
_SAME, _LEAST_CONTRAST = 0.12, 12.0
#: ... and so much of it must have detail of so many levels between neighbours.
_DETAIL, _LEAST_DETAIL = 4.0, 0.35
#: A pixel is on an edge where neighbours two apart differ by so many levels (of 255), and most of
#: that within one step. The edge is there where it holds for this part of its length and this part
#: of each eighth of it, and the lines around have much less. Door and window frames reach neither
#: end of the picture, or are not sharp to the pixel, or not straight.
_LEVELS, _LEAST_LENGTH, _LEAST_EIGHTH, _AROUND = 8.0, 0.6, 0.2, 0.35
#: Smaller pictures have no room for panels.
_LEAST_SIDE_PX = 32
_SHORTEST_S = 0.8
#: Of the 5 frames a second so many may miss the edge where both panels are alike there.
_GAP = 3


def find(signals: Signals) -> list[Effect]:
    """Stretches in which the picture is split."""
    times_s = signals.video.analysis.times_s
    if min(signals.video.analysis[0].shape[:2]) < _LEAST_SIDE_PX:
        return []
    lines = sorted({line for layout in _LAYOUTS.values() for line in layout})
    seen = {line: np.zeros(len(times_s)) for line in lines}
    for part, frames in signals.analysis_batches():
        for number, frame in enumerate(frames):
            grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
            for line in lines:
                seen[line][part.start + number] = _edge(grey, line)
    alike = {layout: _alike(signals, layout) for layout in _LAYOUTS}
    found: list[Effect] = []
    taken = np.zeros(len(times_s), bool)
    for layout, needed in _LAYOUTS.items():
        strength = np.min([seen[line] for line in needed], axis=0)
        strength = np.maximum(strength, alike[layout])
        there = (strength >= _LEAST_LENGTH) & ~taken
        for start, stop in mask_runs(~there):
            if start > 0 and stop < len(there) and stop - start <= _GAP and not taken[start]:
                there[start:stop] = True
        for start, stop in mask_runs(there):
            start_s = float(times_s[start])
            end_s = float(times_s[stop]) if stop < len(times_s) else signals.end_s
            if end_s - start_s < _SHORTEST_S:
                continue
            taken[start:stop] = True
            sure = float(np.clip(np.mean(strength[start:stop]), 0, 1))
            start_s, end_s = (to_the_frame(signals, t) for t in (start_s, end_s))
            found.append(Effect(NAME, start_s, end_s, sure, layout))
    return found


def _alike(signals: Signals, layout: str) -> np.ndarray:
    """1 for each analysis frame whose panels show the same, else 0."""
    vertical = _LAYOUTS[layout][0][0] == "x"
    halves = len(_LAYOUTS[layout]) == 1
    panels = 2 if halves or layout == "quarters" else 3
    alike = np.zeros(len(signals.video.analysis.times_s))
    for number, time_s in enumerate(signals.video.analysis.times_s):
        picture = signals.thumbs[signals.place(float(time_s))].astype(np.float32)
        picture = picture if vertical else picture.transpose(1, 0, 2)
        size = picture.shape[1] // panels
        first = picture[:, :size]
        contrast = float(first.std())
        # Titles on a plain ground are alike left and right without being panels.
        detailed = np.abs(np.diff(first, axis=1)).max(2) > _DETAIL
        if contrast < _LEAST_CONTRAST or detailed.mean() < _LEAST_DETAIL:
            continue
        # With an odd number of pixels the last panel begins one later.
        others = [picture[:, -size:]] + ([picture[:, size : 2 * size]] if panels == 3 else [])
        apart = max(float(np.abs(first - other).mean()) for other in others)
        if halves:
            apart = min(apart, float(np.abs(first - picture[:, : -size - 1 : -1]).mean()))
        alike[number] = float(apart <= _SAME * contrast)
    if layout == "quarters":
        below = _alike(signals, "above_each_other")
        return alike * below
    return alike


def _edge(grey: np.ndarray, line: tuple[str, float]) -> float:
    """The part of a line's length along which an edge runs, 0 where it is none."""
    axis, place = line
    picture = grey if axis == "x" else grey.T
    width = picture.shape[1]
    middle, reach = round(place * width), max(2, round(_REACH * width))
    low, high = max(8, middle - reach - 8), min(width - 8, middle + reach + 8)
    strip = picture[:, low - 2 : high + 2].astype(np.int16)
    step = np.abs(np.diff(strip, axis=1))
    wide = np.abs(strip[:, 3:] - strip[:, :-3])
    # step[:, i + 1] lies in the middle of wide[:, i].
    # A line on something, or between things, has the same on both of its sides.
    left, right = strip[:, :-9], strip[:, 9:]
    sides = np.zeros_like(wide)
    sides[:, 3 : 3 + left.shape[1]] = np.abs(left - right)
    sharp = (wide >= _LEVELS) & (2 * step[:, 1 : wide.shape[1] + 1] >= wide) & (sides >= _LEVELS)
    length = sharp.mean(0)
    inner = slice(8, len(length) - 8)
    if inner.stop <= inner.start:
        return 0.0
    best = 8 + int(length[inner].argmax())
    around = np.r_[length[max(0, best - 8) : best - 2], length[best + 3 : best + 9]]
    if length[best] < _LEAST_LENGTH or np.median(around) > _AROUND * length[best]:
        return 0.0
    eighths = [part.mean() for part in np.array_split(sharp[:, best], 8)]
    return float(length[best]) if min(eighths) >= _LEAST_EIGHTH else 0.0
