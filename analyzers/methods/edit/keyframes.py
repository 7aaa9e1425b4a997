"""The picture that stands for a shot: faces with open eyes first, then the sharpest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from analyzers.base import AnalysisResult
from analyzers.methods.picture.sharpness import sharpness
from analyzers.video import Frames

#: What a keyframe shows of the largest face, worst first.
FACES = ("none", "face", "open_eyes")
#: Eyes are open up to this. eye_tracking calls them closed from 0.5 on; between lie lids that are
#: cast down, as of somebody who cries (0.35), and eyes that look ahead read 0.2 and less.
_OPEN = 0.2
#: Furthest that eye_tracking's look at a face, 15 a second, may lie from the frame.
_NEAR_S = 0.1


@dataclass(frozen=True)
class Keyframe:
    """A frame of the analysis rung by its place, and why it was taken."""

    place: int
    face: str
    #: As `methods.sharpness` measures it; None where nothing in the picture has an edge.
    sharpness: float | None

    @property
    def rank(self) -> tuple[int, float]:
        """Sorts keyframes, the best last."""
        return FACES.index(self.face), -1.0 if self.sharpness is None else self.sharpness


class FaceTimes:
    """When a face is to be seen and its eyes are open."""

    def __init__(self, faces: AnalysisResult | None, eyes: AnalysisResult | None) -> None:
        self._largest: dict[int, Mapping[str, Any]] = {}
        for row in _rows(faces):
            known = self._largest.get(row["frame"])
            if known is None or _area(row) > _area(known):
                self._largest[row["frame"]] = row
        eyes_of: dict[int, list[tuple[float, float]]] = {}
        for row in _rows(eyes):
            eyes_of.setdefault(row["track_id"], []).append((row["time_s"], row["eyes_closed"]))
        #: For each track times and how far the eyes are closed, (n, 2).
        self._eyes = {track_id: np.array(told) for track_id, told in eyes_of.items()}

    def of(self, frame: int, time_s: float) -> str:
        """`open_eyes` where the largest face of a frame can be judged and its eyes are open, `face`
        where eyes are shut, cast down, unknown or hard to see, `none` without a face.
        """
        row = self._largest.get(frame)
        if row is None:
            return "none"
        eyes = self._eyes.get(row["track_id"])
        if row["quality"] != "good" or eyes is None:
            return "face"
        at_s, closed = eyes[np.abs(eyes[:, 0] - time_s).argmin()]
        seen = abs(at_s - time_s) <= _NEAR_S and closed <= _OPEN
        return "open_eyes" if seen else "face"

    def height(self, frame: int) -> float:
        """Of the largest face, as part of the frame; 0 without one."""
        row = self._largest.get(frame)
        return row["y2"] - row["y1"] if row else 0.0


def keyframe_of(frames: Frames, places: Sequence[int], faces: FaceTimes) -> Keyframe:
    """The best of some frames of the analysis rung; the earliest of equals.

    Frames without a face are measured only if no other has one.
    """
    seen = [(faces.of(int(frames.frame_numbers[p]), float(frames.times_s[p])), p) for p in places]
    most = max(FACES.index(face) for face, _ in seen)
    candidates = [
        Keyframe(place, face, sharpness(cv2.cvtColor(frames[place], cv2.COLOR_RGB2GRAY)))
        for face, place in seen
        if FACES.index(face) == most
    ]
    return max(candidates, key=lambda keyframe: keyframe.rank)


def _rows(result: AnalysisResult | None) -> list[dict[str, Any]]:
    return [] if result is None or result.status != "ok" else result.observations.to_pylist()


def _area(row: Mapping[str, Any]) -> float:
    return (row["x2"] - row["x1"]) * (row["y2"] - row["y1"])
