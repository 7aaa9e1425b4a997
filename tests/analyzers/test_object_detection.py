"""object_detection on scripted detections: rows, seconds, summary, shots, preview."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import cv2
import numpy as np
import pyarrow as pa
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.base import ModelIdentity
from analyzers.models.detector import COCO_LABELS, Detections
from analyzers.models.lending import Models
from analyzers.object_detection import ObjectDetection
from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

Seen = list[tuple[str, float, tuple[float, float, float, float]]]

LEFT_HALF = (0.0, 0.0, 0.5, 1.0)
RIGHT_HALF = (0.5, 0.0, 1.0, 1.0)
QUARTER = (0.0, 0.0, 0.5, 0.5)


class Scripted:
    """Stands in for a detector: answers with what the script says for the n-th frame."""

    batch_size = 4

    def __init__(self, script: Callable[[int], Seen]) -> None:
        self.identity = ModelIdentity("detector", "scripted", "0" * 64, "cpu", "none")
        self._script = script
        self._asked = 0

    def detect(self, frames: Sequence[np.ndarray], min_confidence: float) -> list[Detections]:
        seen = [self._script(self._asked + i) for i in range(len(frames))]
        self._asked += len(frames)
        return [
            Detections(
                np.array([s[2] for s in of_frame], np.float32).reshape(-1, 4),
                np.array([s[1] for s in of_frame], np.float32),
                np.array([COCO_LABELS.index(s[0]) for s in of_frame], np.int64),
            )
            for of_frame in seen
        ]


class Lender(Models):
    """Lends the scripted detector."""

    def __init__(self, script: Callable[[int], Seen]) -> None:
        super().__init__({})
        self._script = script

    @contextmanager
    def lend(self, role: str) -> Iterator[Scripted]:
        assert role == "detector"
        yield Scripted(self._script)


def analyze(
    script: Callable[[int], Seen],
    video: Video | None = None,
    upstream: dict[str, AnalysisResult] | None = None,
) -> tuple[AnalysisResult, Video]:
    video = video or made_video(end_s=3.0)
    analyzer = ObjectDetection(Lender(script))
    result = analyzer.analyze(video, upstream or {})
    analyzer.check(result, video.grid)
    json.dumps(result.summary)  # plain JSON, no NumPy numbers
    return result, video


def cut_at(time_s: float) -> AnalysisResult:
    """What object_detection reads of cut_analysis: where shots begin."""
    table = pa.table({"type": ["shot", "transition", "shot"], "time_s": [0.0, time_s, time_s]})
    return AnalysisResult(table, table, {})


def test_one_row_for_each_object_in_each_frame() -> None:
    result, video = analyze(lambda i: [("person", 0.9, LEFT_HALF)])
    rows = result.observations.to_pylist()
    assert [row["time_s"] for row in rows] == video.analysis.times_s.tolist()
    assert [row["frame"] for row in rows] == video.analysis.frame_numbers.tolist()
    assert {(row["track_id"], row["label"], row["screen_share"]) for row in rows} == {
        (0, "person", 0.5)
    }
    assert result.summary["track_count"] == result.summary["people_count"] == 1
    assert result.summary["people_frame_share"] == 1.0
    assert result.summary["dominant_label"] == "person"


def test_seconds_count_and_measure_what_they_hold() -> None:
    """Two people in the second second only; the overlap of a quarter second is no full frame."""
    both: Seen = [("person", 0.9, QUARTER), ("person", 0.8, RIGHT_HALF)]
    result, _ = analyze(lambda i: both if 7 <= i < 9 else [("person", 0.9, QUARTER)])
    segments = result.segments.to_pylist()
    assert [s["people_count"] for s in segments] == [1, 2, 1]
    assert [s["object_count"] for s in segments] == [1, 2, 1]
    assert segments[0]["people_screen_share"] == pytest.approx(0.25, abs=0.01)
    assert segments[0]["class_counts"] == [
        {"label": "person", "count": 1, "screen_share": pytest.approx(0.25, abs=0.01)}
    ]
    # Eight frames are in the window of second 1 (0.75 s to 2.25 s), two of them with both.
    assert segments[1]["people_screen_share"] == pytest.approx((6 * 0.25 + 2 * 0.75) / 8, abs=0.02)
    assert segments[1]["dominant_track_id"] == 0


def test_overlapping_boxes_are_covered_once() -> None:
    result, _ = analyze(
        lambda i: [("person", 0.9, LEFT_HALF), ("bicycle", 0.9, (0.25, 0.0, 0.75, 1.0))]
    )
    first = result.segments.to_pylist()[0]
    assert first["objects_screen_share"] == pytest.approx(0.75, abs=0.01)
    assert first["people_screen_share"] == pytest.approx(0.5, abs=0.01)


def test_ids_change_at_a_cut_and_only_there() -> None:
    still = [("person", 0.9, LEFT_HALF)]
    with_cut, _ = analyze(lambda i: still, upstream={"cut_analysis": cut_at(1.4)})
    ids = [(r["time_s"], r["track_id"]) for r in with_cut.observations.to_pylist()]
    assert {track for time_s, track in ids if time_s < 1.39} == {0}
    assert {track for time_s, track in ids if time_s > 1.39} == {1}
    assert with_cut.summary["shots_known"] is True

    without, _ = analyze(lambda i: still)
    assert set(without.observations["track_id"].to_pylist()) == {0}
    assert without.summary["shots_known"] is False


def test_people_seen_once_at_the_same_time_do_not_count() -> None:
    crowd: Seen = [("person", 0.9, (x, 0.2, x + 0.1, 0.4)) for x in (0.1, 0.4, 0.7)]
    result, _ = analyze(lambda i: crowd if i == 6 else crowd[:2])
    assert result.summary["people_count"] == 2


def test_faint_people_are_followed_and_not_counted() -> None:
    result, _ = analyze(lambda i: [("person", 0.9, QUARTER), ("person", 0.35, RIGHT_HALF)])
    assert result.summary["track_count"] == 2
    assert result.summary["people_count"] == 1
    assert result.segments["people_count"].to_pylist() == [1, 1, 1]
    assert result.segments["object_count"].to_pylist() == [2, 2, 2]


def test_a_held_picture_is_in_every_second() -> None:
    """Three frames over ten seconds, as some files have them."""
    rung = MappedFrames(
        np.array([0.0, 0.2, 8.0]), np.array([0, 1, 2]), np.zeros((3, 36, 64, 3), np.uint8)
    )
    video = replace(made_video(end_s=10.0), analysis=rung)
    result, _ = analyze(lambda i: [("dog", 0.9, QUARTER)], video=video)
    assert result.segments["object_count"].to_pylist() == [1] * 10


def test_classes_of_the_summary() -> None:
    result, _ = analyze(
        lambda i: [("dog", 0.8, QUARTER), *([("cup", 0.6, RIGHT_HALF)] if i < 3 else [])]
    )
    dog, cup = result.summary["classes"]
    assert (dog["label"], dog["frame_share"], dog["track_count"]) == ("dog", 1.0, 1)
    assert (cup["label"], cup["frame_share"]) == ("cup", 3 / 15)
    assert cup["first_s"] == 0.0
    assert cup["last_s"] == pytest.approx(0.4)
    assert cup["mean_screen_share"] == pytest.approx(0.5)
    assert dog["mean_confidence"] == pytest.approx(0.8)


def test_a_video_without_objects_has_an_answer() -> None:
    result, video = analyze(lambda i: [])
    assert result.status == "ok"
    assert result.observations.num_rows == 0
    assert result.summary["classes"] == []
    assert result.summary["dominant_label"] is None
    assert result.segments["dominant_label"].null_count == len(video.grid)
    assert result.segments["object_count"].to_pylist() == [0, 0, 0]


def test_a_video_of_one_frame() -> None:
    whole = made_video(end_s=0.2)
    result, _ = analyze(lambda i: [("person", 0.9, LEFT_HALF)], video=whole)
    assert result.observations.num_rows == 1
    assert result.summary["people_count"] == 1


@pytest.mark.parametrize("shape", [(640, 360), (360, 640)])
def test_preview_is_a_small_picture_with_the_boxes(shape: tuple[int, int]) -> None:
    rung = MappedFrames(
        np.arange(15) / 5, np.arange(15) * 6, np.full((15, *shape, 3), 60, np.uint8)
    )
    video = replace(made_video(end_s=3.0), analysis=rung)
    result, _ = analyze(lambda i: [("person", 0.9, (0.2, 0.2, 0.8, 0.8))], video=video)
    preview = ObjectDetection(Lender(lambda i: [])).preview(video, result)
    assert preview.image_type == "image/jpeg"
    assert len(preview.image) < 150_000
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[0] * picture.shape[1] == pytest.approx(8 * 90_000, rel=0.05)
    assert (picture.max(axis=2) > 200).mean() > 0.01  # lines and plates on a dark grey


def test_same_input_same_tables() -> None:
    def script(i: int) -> Seen:
        return [("dog", 0.5 + 0.02 * i, QUARTER), ("cat", 0.4, RIGHT_HALF)]

    one, _ = analyze(script)
    two, _ = analyze(script)
    assert one.observations.equals(two.observations)
    assert one.segments.equals(two.segments)
    assert one.summary == two.summary
