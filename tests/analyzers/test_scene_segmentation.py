"""scene_segmentation on public pictures that are cut together A-B-A-B, with cuts given."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pyarrow as pa
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.scene_segmentation import SceneSegmentation
from analyzers.video import Video
from tests.analyzers.made_scenes import cuts
from tests.analyzers.sample_face import borrowed, video_of

data = pytest.importorskip("skimage.data")


def picture(name: str, shift_px: int = 0) -> np.ndarray:
    whole = getattr(data, name)()
    return np.ascontiguousarray(cv2.resize(whole, (640, 480))[:360, shift_px : shift_px + 600])


def analyzed(
    video: Video, bounds_s: Sequence[float], others: Mapping[str, AnalysisResult] | None = None
) -> AnalysisResult:
    borrowed("classifier")
    upstream = {"cut_analysis": cuts(bounds_s), **(others or {})}
    return run_analyzer(SceneSegmentation(Models.embedded()), video, upstream)[0]


def test_a_b_a_b_is_one_scene_and_c_another() -> None:
    shown = [picture(*of) for of in (
        ("coffee", 0), ("cat", 0), ("coffee", 30), ("cat", 30), ("rocket", 0), ("rocket", 20),
    )]  # fmt: skip
    video = video_of(shown)
    result = analyzed(video, [0, 1, 2, 3, 4, 6])
    rows = result.observations.to_pylist()
    scenes = [row for row in rows if row["type"] == "scene"]
    shots = [row for row in rows if row["type"] == "shot"]
    assert [(s["time_s"], s["end_s"], s["shot_count"], s["view_count"]) for s in scenes] == [
        (0, 4, 4, 2),
        (4, 6, 1, 1),
    ]
    assert [(s["scene"], s["view"]) for s in shots] == [(0, 0), (0, 1), (0, 0), (0, 1), (1, 2)]
    assert result.segments["scene"].to_pylist() == [0, 0, 0, 0, 1, 1]
    assert result.segments["scene_shot"].to_pylist() == [0, 1, 2, 3, 4, 4]
    assert (result.summary["scene_count"], result.summary["view_count"]) == (2, 3)
    assert result.summary["signs_known"] == []
    assert sorted(result.files) == [f"keyframe_{n:03d}.jpg" for n in range(5)]
    for row in shots:
        kept = cv2.imdecode(
            np.frombuffer(result.files[row["keyframe_file"]], np.uint8), cv2.IMREAD_COLOR_RGB
        )
        source = shown[int(row["keyframe_time_s"])]
        assert kept.shape == source.shape
        assert np.abs(kept.astype(int) - source).mean() < 8
        assert row["time_s"] <= row["keyframe_time_s"] < row["end_s"]
    sheet = SceneSegmentation(Models.embedded()).preview(video, result).image
    assert sheet[:2] == b"\xff\xd8"


def test_labels_of_single_shots() -> None:
    video = video_of([picture("coffee"), picture("cat"), np.full((360, 600, 3), 90, np.uint8)])
    result = analyzed(video, [0, 1, 2, 3])
    labels = result.segments["scene_label"].to_pylist()
    assert labels == ["food_and_drink", "animals", "uncertain"]
    assert result.summary["dominant_label"] in ("food_and_drink", "animals")
    assert sum(part["share"] for part in result.summary["labels"]) == pytest.approx(1)


def test_objects_count_and_are_named_as_evidence() -> None:
    video = video_of([np.full((360, 600, 3), 90, np.uint8)] * 2)
    rows = [
        {
            "frame": int(frame), "label": label, "confidence": 0.8,
            "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": 0.5,
        }
        for frame in video.analysis.frame_numbers
        for label in ("person", "bed")
    ]  # fmt: skip
    objects = AnalysisResult(pa.Table.from_pylist(rows), pa.table({"_": pa.nulls(0)}), {})
    result = analyzed(video, [0, 2], {"object_detection": objects})
    scene = result.observations.to_pylist()[0]
    assert (scene["type"], scene["label"]) == ("scene", "bedroom")
    # The first bed that is not in the margin of the shot.
    assert scene["evidence"] == ["object_detection/3"]
    assert result.summary["signs_known"] == ["object_detection"]


def test_a_shot_without_a_frame_of_its_own_takes_the_nearest() -> None:
    """Five frames a second, and a shot between two of them."""
    video = video_of([picture("coffee"), picture("cat")])
    result = analyzed(video, [0, 1.0, 1.05, 2])
    shots = [row for row in result.observations.to_pylist() if row["type"] == "shot"]
    assert [row["keyframe_frame"] for row in shots][1] == 30


def test_setting_is_what_most_seconds_say() -> None:
    video = video_of([picture("coffee")] * 3)
    segments = video.grid.table(pa.table({"setting": ["indoor", "uncertain", "indoor"]}))
    backgrounds = AnalysisResult(pa.table({"_": pa.nulls(0)}), segments, {})
    rows = analyzed(video, [0, 3], {"background_segmentation": backgrounds}).observations
    assert rows["setting"].to_pylist() == ["indoor", None]
