"""The shared product `faces` on the sample's portrait: rows, quality, tracks, second opinion."""

import json
from collections.abc import Mapping

import cv2
import numpy as np
import pyarrow as pa
import pytest

from analyzers.base import AnalysisResult
from analyzers.faces import FacesProduct
from analyzers.methods.people.face_rows import FacePictures, box_of, face_rows, landmarks_of
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.analyzers.sample_face import borrowed, portrait, video_of, without_face


def analyzed(video: Video, upstream: Mapping[str, AnalysisResult] | None = None) -> AnalysisResult:
    for role in FacesProduct.models_used:
        borrowed(role)
    return run_analyzer(FacesProduct(Models.embedded()), video, upstream or {})[0]


@pytest.fixture(scope="module")
def come_and_gone() -> tuple[Video, AnalysisResult]:
    """A second without a face, a second with one."""
    empty = np.vstack([without_face(), without_face()[:260]])
    video = video_of([empty, portrait()])
    return video, analyzed(video)


def test_one_face_in_the_second_that_shows_it(
    come_and_gone: tuple[Video, AnalysisResult],
) -> None:
    _, result = come_and_gone
    rows = face_rows(result)
    assert [row["time_s"] for row in rows] == pytest.approx([1.0, 1.2, 1.4, 1.6, 1.8])
    assert {row["track_id"] for row in rows} == {0}
    assert {row["quality"] for row in rows} == {"good"}
    assert {row["picture"] for row in rows} == {"analysis"}
    segments = result.segments.to_pylist()
    # The first second looks a little past its end, and sees the face's first frame.
    assert [s["face_count"] for s in segments] == [1, 1]
    assert segments[1]["largest_face_share"] > segments[0]["largest_face_share"]
    assert segments[1]["main_track_id"] == 0
    assert json.loads(json.dumps(result.summary)) == {
        "sampled_frame_count": 10,
        "track_count": 1,
        "face_count": 1,
        "face_frame_share": 0.5,
        "rejected_track_count": 0,
        "shots_known": False,
        "people_known": False,
    }


def test_rows_read_back_as_boxes_and_points(come_and_gone: tuple[Video, AnalysisResult]) -> None:
    video, result = come_and_gone
    row = face_rows(result)[0]
    [expected] = [borrowed("faces").detect(portrait(), 0.5)]
    assert np.allclose(box_of(row), expected.boxes[0], atol=1e-6)
    assert np.allclose(landmarks_of(row), expected.landmarks[0], atol=1e-6)
    assert (FacePictures(video).of(row) == portrait()).all()


def test_no_face_is_an_answer() -> None:
    result = analyzed(video_of([without_face()] * 2))
    assert result.status == "ok"
    assert result.summary["track_count"] == 0
    assert [s["face_count"] for s in result.segments.to_pylist()] == [0, 0]
    assert [s["main_track_id"] for s in result.segments.to_pylist()] == [None, None]


@pytest.mark.parametrize(
    ("quality", "spoil"),
    [
        ("blurred", lambda p: cv2.GaussianBlur(p, (0, 0), 5)),
        ("small", lambda p: cv2.resize(p, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)),
    ],
)
def test_a_spoilt_face_is_said_to_be_so(quality: str, spoil: object) -> None:
    assert callable(spoil)
    rows = face_rows(analyzed(video_of([spoil(portrait())])))
    assert {row["quality"] for row in rows} == {quality}


def test_small_faces_are_cut_from_the_full_size_picture() -> None:
    """Where there is one: each second has one, and four frames without."""
    small = cv2.resize(portrait(), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    rows = face_rows(analyzed(video_of([small])))
    assert [row["picture"] for row in rows] == ["detail"] + ["analysis"] * 4


@pytest.mark.parametrize(("confidence", "believed"), [(0.7, 0), (0.85, 1)])
def test_what_the_landmarker_doubts_has_to_be_sure(
    confidence: float, believed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The space suit's neck, called a face: it needs more than a detector's suspicion."""
    suspect(confidence, monkeypatch)
    result = analyzed(suit())
    assert result.summary["track_count"] == believed
    assert result.summary["rejected_track_count"] == 1 - believed


def suspect(confidence: float, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Have the detector see a face of this confidence where the portrait has one; its box."""
    detector = borrowed("faces")
    real = detector.detect(portrait(), 0.5)
    found = type(real)(real.boxes, real.landmarks, np.array([confidence], np.float32))
    monkeypatch.setattr(detector, "detect", lambda frame, min_confidence: found)
    return real.boxes[0]


def suit() -> Video:
    return video_of([np.vstack([without_face(), without_face()[:260]])])


@pytest.mark.parametrize(
    ("confidence", "around", "believed"),
    [
        pytest.param(0.7, [("person", -0.2, 4.0)], 1, id="head"),
        pytest.param(0.6, [("person", -0.2, 4.0)], 0, id="unsure"),
        pytest.param(0.7, [("person", -3.0, 1.5)], 0, id="knee"),
        pytest.param(0.7, [("person", -0.2, 1.2)], 0, id="hand"),
        pytest.param(0.7, [("person", -0.2, 4.0), ("dog", -0.1, 3.0)], 0, id="dog in arms"),
    ],
)
def test_where_people_have_their_heads_a_suspicion_is_enough(
    confidence: float,
    around: list[tuple[str, float, float]],
    believed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Boxes of objects reach from above the face to below it, in heights of the face."""
    x1, y1, x2, y2 = suspect(confidence, monkeypatch)
    height = y2 - y1
    video = suit()
    rows = [
        {"frame": n, "label": label, "x1": x1, "x2": x2, "y1": y1 + up * height,
         "y2": y1 + down * height}
        for n in video.analysis.frame_numbers.tolist()
        for label, up, down in around
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows)
    result = analyzed(video, {"object_detection": AnalysisResult(table, table, {})})
    assert result.summary["track_count"] == believed
    assert result.summary["people_known"]


def test_preview_is_a_picture(come_and_gone: tuple[Video, AnalysisResult]) -> None:
    video, result = come_and_gone
    preview = FacesProduct(Models.embedded()).preview(video, result)
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] > 200
    assert picture.shape[1] > 800
