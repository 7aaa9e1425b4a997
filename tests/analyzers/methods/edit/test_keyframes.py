import cv2
import numpy as np
import pyarrow as pa

from analyzers.base import AnalysisResult
from analyzers.methods.edit.keyframes import FaceTimes, keyframe_of
from analyzers.video import MappedFrames

NONE = pa.table({"_": pa.nulls(0)})


def frames() -> MappedFrames:
    """Five pictures of noise; the third is sharp, the others more blurred from the first on."""
    rng = np.random.default_rng(1)
    sharp = rng.integers(0, 256, (90, 90, 3), np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    pictures = [cv2.GaussianBlur(sharp, (0, 0), sigma) for sigma in (2, 3, 0.1, 4, 5)]
    return MappedFrames(np.arange(5) / 5, np.arange(5) * 6, np.stack(pictures))


def rows(of: list[dict[str, object]]) -> AnalysisResult:
    return AnalysisResult(pa.Table.from_pylist(of), NONE, {})


def face(place: int, quality: str = "good") -> dict[str, object]:
    return {
        "frame": place * 6, "time_s": place / 5, "track_id": 0, "quality": quality,
        "x1": 0.3, "x2": 0.6, "y1": 0.2, "y2": 0.6,
    }  # fmt: skip


def eyes(place: int, closed: float) -> dict[str, object]:
    return {"time_s": place / 5 + 0.03, "track_id": 0, "eyes_closed": closed}


def test_the_sharpest_without_faces() -> None:
    found = keyframe_of(frames(), range(5), FaceTimes(None, None))
    assert (found.place, found.face) == (2, "none")
    assert keyframe_of(frames(), [0, 1, 3], FaceTimes(None, None)).place == 0


def test_open_eyes_come_before_sharpness() -> None:
    seen = rows([face(n) for n in (0, 1, 3)])
    looks = rows([eyes(0, 0.9), eyes(1, 0.1), eyes(3, 0.05)])
    found = keyframe_of(frames(), range(5), FaceTimes(seen, looks))
    assert (found.place, found.face) == (1, "open_eyes")


def test_a_face_comes_before_none_and_cast_down_eyes_are_not_open() -> None:
    found = keyframe_of(frames(), range(5), FaceTimes(rows([face(3)]), rows([eyes(3, 0.35)])))
    assert (found.place, found.face) == (3, "face")


def test_eyes_that_nobody_followed_are_unknown() -> None:
    times = FaceTimes(rows([face(0), face(4, "blurred")]), None)
    assert [times.of(n * 6, n / 5) for n in (0, 2, 4)] == ["face", "none", "face"]
    assert np.isclose(times.height(0), 0.4)
    assert times.height(12) == 0.0


def test_a_plain_picture_is_a_keyframe_where_there_is_no_other() -> None:
    grey = MappedFrames(np.zeros(1), np.zeros(1, np.int64), np.full((1, 360, 360, 3), 9, np.uint8))
    found = keyframe_of(grey, [0], FaceTimes(None, None))
    assert (found.place, found.sharpness) == (0, None)
