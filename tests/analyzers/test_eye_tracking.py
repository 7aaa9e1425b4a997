"""eye_tracking on the sample's portrait, turned, mirrored and made smaller."""

import json

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.eye_tracking import EyeTracking
from analyzers.faces import FacesProduct
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.analyzers.sample_face import borrowed, portrait, turned, video_of, without_face


def analyzed(video: Video, settings: EyeTracking.Settings | None = None) -> AnalysisResult:
    for role in FacesProduct.models_used:
        borrowed(role)
    models = Models.embedded()
    faces = run_analyzer(FacesProduct(models), video, {})[0]
    return run_analyzer(EyeTracking(models, settings), video, {"faces": faces})[0]


@pytest.fixture(scope="module")
def still() -> tuple[Video, AnalysisResult]:
    video = video_of([portrait()])
    return video, analyzed(video)


def test_the_portrait_looks_into_the_camera(still: tuple[Video, AnalysisResult]) -> None:
    _, result = still
    rows = result.observations.to_pylist()
    assert len(rows) >= 12  # from the first sighting to the last, 0.8 s later
    assert {row["gaze"] for row in rows} == {"camera"}
    assert all(abs(row["gaze_yaw_deg"]) < 10 and abs(row["gaze_pitch_deg"]) < 10 for row in rows)
    assert all(row["eyes_closed"] < 0.2 for row in rows)
    [segment] = result.segments.to_pylist()
    assert (segment["face_count"], segment["main_track_id"]) == (1, 0)
    assert (segment["camera_share"], segment["gaze"], segment["blink_count"]) == (1, "camera", 0)
    # Teeth show in her smile, and her lips keep still.
    assert all(0.05 < row["mouth_opening_ratio"] < 0.3 for row in rows)
    assert segment["mouth_movement_per_s"] < 0.02
    summary = json.loads(json.dumps(result.summary))
    assert summary["gazes"] == [{"gaze": "camera", "share": 1}]
    assert summary["blinks_per_minute"] is None  # not after a second


@pytest.mark.parametrize("lean_deg", [-20, 20])
def test_roll_follows_the_picture(still: tuple[Video, AnalysisResult], lean_deg: float) -> None:
    upright = still[1].summary
    leaning = analyzed(video_of([turned(portrait(), lean_deg)])).summary
    assert leaning["roll_deg"] - upright["roll_deg"] == pytest.approx(lean_deg, abs=2)
    assert leaning["camera_share"] == 1


def test_a_mirrored_face_turns_the_other_way() -> None:
    """Of a woman whose head is made to look to the side by squeezing one half of the picture."""
    height, width = portrait().shape[:2]
    x = np.arange(width, dtype=np.float32)
    middle = 0.53 * width
    squeezed = np.where(x < middle, middle - (middle - x) * 1.5, middle + (x - middle) * 0.8)
    rows = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    columns = np.repeat(squeezed.astype(np.float32)[None], height, axis=0)
    aside = cv2.remap(portrait(), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    one = analyzed(video_of([aside])).summary
    other = analyzed(video_of([np.ascontiguousarray(aside[:, ::-1])])).summary
    assert one["yaw_deg"] < -5
    assert other["yaw_deg"] == pytest.approx(-one["yaw_deg"], abs=4)
    assert other["pitch_deg"] == pytest.approx(one["pitch_deg"], abs=4)


def test_the_setting_says_what_looks_into_the_camera(still: tuple[Video, AnalysisResult]) -> None:
    strict = analyzed(still[0], EyeTracking.Settings(camera_deg=0.1))
    assert strict.summary["camera_share"] == 0


def test_too_small_a_face_is_not_guessed() -> None:
    """A quarter of the size: 29 pixels."""
    small = cv2.resize(portrait(), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    result = analyzed(video_of([small]))
    assert result.status == "not_applicable"
    assert "large" in str(result.reason)


def test_without_a_face_not_applicable() -> None:
    result = analyzed(video_of([without_face()] * 2))
    assert (result.status, result.reason) == ("not_applicable", "no face in any frame")
    assert [s["face_count"] for s in result.segments.to_pylist()] == [0, 0]


def test_preview_is_a_picture(still: tuple[Video, AnalysisResult]) -> None:
    video, result = still
    preview = EyeTracking(Models.embedded()).preview(video, result)
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 8 * 150
