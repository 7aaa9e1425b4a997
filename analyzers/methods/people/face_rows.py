"""How analyzers read the shared product `faces`: its rows, and the pictures to cut them from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from analyzers.base import AnalysisResult
from analyzers.methods.people.face_crops import square_crop
from analyzers.models.faces import LANDMARKS
from analyzers.video import Video

#: Rungs a face may be cut from.
PICTURES = ("analysis", "detail")
#: Whether a face can be judged, or why not, worst first after `good`.
FLAWS = ("good", "small", "turned", "blurred")
#: Side of a face's tile in a preview, in pixels.
TILE_PX = 150
_LEVEL = np.array([[0.0, 0], [1, 0], [0, 0], [0, 0], [0, 0]])

#: A row of the product, or of an analyzer that is about one face.
_Row = TypeVar("_Row", bound=Mapping[str, Any])


def face_rows(faces: AnalysisResult) -> list[dict[str, Any]]:
    """The rows of the product, in the order of time."""
    return faces.observations.to_pylist()


def box_of(row: Mapping[str, Any]) -> np.ndarray:
    """Corners x1, y1, x2, y2 relative to the frame, (4,)."""
    return np.array([row["x1"], row["y1"], row["x2"], row["y2"]])


def landmarks_of(row: Mapping[str, Any]) -> np.ndarray:
    """The five points relative to the frame, (5, 2), in the detector's order."""
    return np.array([[row[f"{point}_x"], row[f"{point}_y"]] for point in LANDMARKS])


def by_track(rows: Iterable[_Row]) -> dict[int, list[_Row]]:
    """The rows of each face, by rising `track_id`."""
    tracks: dict[int, list[_Row]] = {}
    for row in rows:
        tracks.setdefault(row["track_id"], []).append(row)
    return dict(sorted(tracks.items()))


def area_of(rows: Iterable[Mapping[str, Any]]) -> float:
    """What faces cover together, in frames: above 1 for many."""
    return sum(float((row["x2"] - row["x1"]) * (row["y2"] - row["y1"])) for row in rows)


def usual_flaw(flaws: Sequence[str]) -> str:
    """The one that comes most often."""
    return max(sorted(set(flaws)), key=flaws.count)


def face_tile(picture: np.ndarray, row: Mapping[str, Any]) -> np.ndarray:
    """A face with what is around it, for a preview: (TILE_PX, TILE_PX) and the picture's depth."""
    return square_crop(picture, box_of(row), _LEVEL, 1.6, TILE_PX)


class FacePictures:
    """The pictures of a video by frame number; keeps the last one of each rung opened."""

    def __init__(self, video: Video) -> None:
        self._rungs = {"analysis": video.analysis, "detail": video.detail}
        self._places = {
            name: {int(n): i for i, n in enumerate(rung.frame_numbers)}
            for name, rung in self._rungs.items()
        }
        self._last: dict[str, tuple[int, np.ndarray]] = {}

    def has_detail(self, frame: int) -> bool:
        """Whether there is a full-size picture of a frame."""
        return frame in self._places["detail"]

    def get(self, frame: int, rung: str) -> np.ndarray:
        """The RGB picture of a frame number from a rung."""
        if self._last.get(rung, (-1, None))[0] != frame:
            self._last[rung] = (frame, self._rungs[rung][self._places[rung][frame]])
        return self._last[rung][1]

    def of(self, row: Mapping[str, Any]) -> np.ndarray:
        """The picture that a row of the product is to be cut from."""
        return self.get(row["frame"], row["picture"])
