"""body_pose on scripted poses: rows, tracks, seconds, gestures, dancing, preview."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from analyzers.base import AnalysisResult
from analyzers.body_pose import BodyPose
from analyzers.methods.people.body import ANKLES, KNEES, WRISTS
from analyzers.models.base import ModelIdentity
from analyzers.models.lending import Models
from analyzers.models.pose import Poses
from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video
from tests.analyzers.made_poses import figure

#: Width by height of the pictures.
SIDES_PX = (640, 360)
ASPECT = SIDES_PX[1] / SIDES_PX[0]
#: Keypoints (17, 2) in heights of the frame, and which of them are not seen.
Seen = list[tuple[np.ndarray, tuple[int, ...]]]
LEFT, RIGHT = (0.17, 0.5), (0.4, 0.5)


class Scripted:
    """Stands in for a pose network: answers by the frame's number, which is in its first pixel."""

    batch_size = 4

    def __init__(self, script: Callable[[int], Seen], confidence: float = 0.8) -> None:
        self._confidence = confidence
        self.identity = ModelIdentity("pose", "scripted", "0" * 64, "cpu", "none")
        self._script = script
        self.asked: list[int] = []

    def estimate(self, frames: Sequence[np.ndarray], min_confidence: float) -> list[Poses]:
        numbers = [int(frame[0, 0, 0]) for frame in frames]
        self.asked += numbers
        return [poses(self._script(number), self._confidence) for number in numbers]


def poses(seen: Seen, confidence: float = 0.8) -> Poses:
    points = np.array([p for p, _ in seen], np.float32).reshape(-1, 17, 2) / [ASPECT, 1]
    sure = np.full((len(seen), 17), 0.9, np.float32)
    for row, (_, hidden) in zip(sure, seen, strict=True):
        row[list(hidden)] = 0.1
    return Poses(
        np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).astype(np.float32),
        np.full(len(seen), confidence, np.float32),
        points.astype(np.float32),
        sure,
    )


class Lender(Models):
    """Lends the scripted network."""

    def __init__(self, script: Callable[[int], Seen]) -> None:
        super().__init__({})
        self.model = Scripted(script)

    @contextmanager
    def lend(self, role: str) -> Iterator[Scripted]:
        assert role == "pose"
        yield self.model


def numbered_video(end_s: float = 4.0) -> Video:
    video = made_video(end_s)
    pixels = np.full((len(video.analysis), *SIDES_PX, 3), 60, np.uint8)
    pixels[:, 0, 0] = np.arange(len(pixels))[:, None]
    rung = video.analysis
    return replace(video, analysis=MappedFrames(rung.times_s, rung.frame_numbers, pixels))


def analyze(
    script: Callable[[int], Seen],
    upstream: dict[str, AnalysisResult] | None = None,
    video: Video | None = None,
    settings: BodyPose.Settings | None = None,
) -> tuple[AnalysisResult, Scripted]:
    video = video or numbered_video()
    models = Lender(script)
    analyzer = BodyPose(models, settings)
    result = analyzer.analyze(video, upstream or {})
    analyzer.check(result, video.grid)
    json.dumps(result.summary)
    return result, models.model


def objects(video: Video, boxes_at: Callable[[int], list[tuple[int, str, Any]]]) -> AnalysisResult:
    """What body_pose reads of object_detection: by frame, track, label and box."""
    rows = [
        {
            "frame": int(number),
            "track_id": track,
            "label": label,
            **dict(zip(("x1", "y1", "x2", "y2"), map(float, box), strict=True)),
        }
        for i, number in enumerate(video.analysis.frame_numbers)
        for track, label, box in boxes_at(i)
    ]
    names = ("frame", "track_id", "label", "x1", "y1", "x2", "y2")
    table = pa.table({name: [row[name] for row in rows] for name in names})
    return AnalysisResult(table, table, {})


def beats(times_s: np.ndarray) -> AnalysisResult:
    kinds = ["beat"] * len(times_s) + ["music"]
    table = pa.table({"kind": kinds, "time_s": [*times_s, 0.0]})
    return AnalysisResult(table, table, {})


def box_of(points: np.ndarray) -> np.ndarray:
    return poses([(points, ())]).boxes[0]


def test_one_row_for_each_person_in_each_frame() -> None:
    result, _ = analyze(lambda i: [(figure(centre=LEFT), ()), (figure(centre=RIGHT), (0, 9))])
    rows = result.observations.to_pylist()
    assert len(rows) == 2 * 20
    assert {row["track_id"] for row in rows} == {0, 1}
    left = next(row for row in rows if row["x1"] < 0.3)
    right = next(row for row in rows if row["x1"] > 0.3)
    expected = figure(centre=LEFT)
    np.testing.assert_allclose(left["keypoints_x"], expected[:, 0] / ASPECT, atol=1e-6)
    np.testing.assert_allclose(left["keypoints_y"], expected[:, 1], atol=1e-6)
    assert left["keypoints_confidence"] == pytest.approx([0.9] * 17)
    assert (left["keypoints_seen"], right["keypoints_seen"]) == (17, 15)
    assert {row["posture"] for row in rows} == {"standing"}
    assert left["lean_deg"] == pytest.approx(0, abs=0.1)
    assert result.summary["people_count"] == 2
    assert result.summary["posture"] == "standing"
    assert result.summary["people_known"] is False


def test_people_and_their_ids_come_from_object_detection() -> None:
    """Frames without people are not looked at; a bus is no person; a pose without one is none."""
    video = numbered_video()
    one, other = figure(centre=LEFT), figure(centre=RIGHT)
    found = objects(
        video,
        lambda i: [(7, "person", box_of(one)), (3, "bus", box_of(other))] if 5 <= i < 15 else [],
    )
    result, model = analyze(lambda i: [(other, ()), (one, ())], {"object_detection": found}, video)
    assert model.asked == list(range(5, 15))
    assert set(result.observations["track_id"].to_pylist()) == {7}
    assert result.observations.num_rows == 10
    assert result.summary["searched_frame_count"] == 10
    assert result.summary["people_known"] is True


def test_two_poses_never_share_a_person() -> None:
    video = numbered_video()
    person = figure(centre=LEFT)
    found = objects(video, lambda i: [(7, "person", box_of(person))])
    result, _ = analyze(
        lambda i: [(person, ()), (person + 0.004, ())], {"object_detection": found}, video
    )
    assert result.observations.num_rows == len(video.analysis)


def test_own_tracks_end_at_cuts() -> None:
    table = pa.table({"type": ["shot", "shot"], "time_s": [0.0, 2.0]})
    cuts = {"cut_analysis": AnalysisResult(table, table, {})}
    result, _ = analyze(lambda i: [(figure(centre=LEFT), ())], cuts)
    tracks = [(r["time_s"] >= 1.99, r["track_id"]) for r in result.observations.to_pylist()]
    assert set(tracks) == {(False, 0), (True, 1)}


@pytest.mark.parametrize("known", [True, False])
def test_no_person_is_not_applicable(known: bool) -> None:
    video = numbered_video()
    upstream = {"object_detection": objects(video, lambda i: [])} if known else {}
    result, model = analyze(lambda i: [], upstream, video)
    assert (result.status, result.reason) == ("not_applicable", "no person in any frame")
    assert len(model.asked) == (0 if known else 20)
    assert result.segments["people_count"].to_pylist() == [0] * 4
    preview = BodyPose(Lender(lambda i: [])).preview(video, result)
    assert preview.markdown == "no person in any frame"


def test_a_hand_is_no_pose() -> None:
    video = numbered_video()
    person = figure(centre=LEFT)
    found = objects(video, lambda i: [(7, "person", box_of(person))])
    result, _ = analyze(
        lambda i: [(person, tuple(k for k in range(17) if k not in WRISTS))],
        {"object_detection": found},
        video,
    )
    assert result.status == "not_applicable"
    assert result.reason == "no person in any frame of whom a pose is seen"


@pytest.mark.parametrize(("confidence", "status"), [(0.45, "not_applicable"), (0.55, "ok")])
def test_what_is_barely_taken_for_a_person_is_not_believed(confidence: float, status: str) -> None:
    models = Lender(lambda i: [])
    models.model = Scripted(lambda i: [(figure(centre=LEFT), ())], confidence)
    assert BodyPose(models).analyze(numbered_video(), {}).status == status


def test_what_is_not_seen_is_unknown() -> None:
    result, _ = analyze(lambda i: [(figure(centre=LEFT), (*KNEES, *ANKLES))])
    assert set(result.observations["posture"].to_pylist()) == {"unknown"}
    assert result.segments["posture"].to_pylist() == ["unknown"] * 4
    assert result.summary["posture"] == "unknown"

    face, _ = analyze(lambda i: [(figure(centre=LEFT), tuple(range(5, 17)))])
    for name in ("raised_hands", "lean_deg", "arm_spread", "movement_energy"):
        assert face.observations[name].null_count == 20
        assert face.segments[name].null_count == 4


def test_the_floor_is_a_setting() -> None:
    result, _ = analyze(
        lambda i: [(figure(centre=LEFT), (*KNEES, *ANKLES))],
        settings=BodyPose.Settings(min_keypoint_confidence=0.05),
    )
    assert set(result.observations["posture"].to_pylist()) == {"standing"}


def test_the_main_person_is_the_largest() -> None:
    small = 0.5 * figure(left_leg=(85, 0), right_leg=(-85, 0))
    result, _ = analyze(lambda i: [(small, ()), (figure(centre=RIGHT), ())])
    for row in result.segments.to_pylist():
        assert row["posture"] == "standing"
        assert {p["posture"] for p in row["postures"]} == {"standing", "sitting"}


def test_gestures_are_in_rows_seconds_and_summary() -> None:
    result, _ = analyze(
        lambda i: [(figure(left_arm=(165, 175) if 5 <= i < 10 else (8, 8), centre=LEFT), ())]
    )
    assert [bool(g) for g in result.observations["gestures"].to_pylist()] == [
        5 <= i < 10 for i in range(20)
    ]
    # A quarter second around a second belongs to it.
    assert result.segments["gestures"].to_pylist() == [["hands_raised"]] * 3 + [[]]
    assert result.segments["raised_hands"].to_pylist() == [1, 1, 1, 0]
    [gesture] = result.summary["gestures"]
    assert gesture == {
        "gesture": "hands_raised",
        "track_id": 0,
        "start_s": pytest.approx(1.0),
        "end_s": pytest.approx(1.8),
    }


def sway(i: int) -> Seen:
    """One turn a second."""
    turn = 2 * np.pi * i / 5
    return [
        (
            figure(
                left_arm=(50 + 25 * np.sin(turn), 90 + 30 * np.sin(turn)),
                left_leg=(8 * np.sin(turn), -8 * np.sin(turn)),
                centre=(0.25 + 0.03 * np.sin(turn), 0.5),
            ),
            (),
        )
    ]


def test_dancing_needs_the_beats() -> None:
    video = numbered_video(8.0)
    times_s = np.arange(0, 8, 0.5)
    with_beats, _ = analyze(sway, {"audio_analysis": beats(times_s)}, video)
    without, _ = analyze(sway, {}, video)
    silent, _ = analyze(sway, {"audio_analysis": beats(times_s[:0])}, video)
    assert with_beats.segments["dancing"].to_pylist()[2:6] == [True] * 4
    assert with_beats.summary["dancing_seconds"] >= 4
    for result in (without, silent):
        assert result.segments["dancing"].null_count == 8
        assert result.summary["dancing_seconds"] is None
        assert result.segments["rhythm_hz"].to_pylist()[3] == pytest.approx(1.0)


def test_a_held_picture_is_in_every_second() -> None:
    pixels = np.full((3, *SIDES_PX, 3), 60, np.uint8)
    rung = MappedFrames(np.array([0.0, 0.2, 8.0]), np.array([0, 1, 2]), pixels)
    video = replace(made_video(end_s=10.0), analysis=rung)
    result, _ = analyze(lambda i: [(figure(centre=LEFT), ())], video=video)
    assert result.segments["people_count"].to_pylist() == [1] * 10


def test_a_video_of_one_frame() -> None:
    result, _ = analyze(lambda i: [(figure(centre=LEFT), ())], video=numbered_video(0.2))
    assert result.observations.num_rows == 1
    assert result.segments["posture"].to_pylist() == ["standing"]


def test_preview_shows_the_skeletons() -> None:
    video = numbered_video()
    result, _ = analyze(lambda i: [(figure(centre=LEFT), ())], video=video)
    preview = BodyPose(Lender(lambda i: [])).preview(video, result)
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[0] * picture.shape[1] == pytest.approx(8 * 90_000, rel=0.05)
    assert (picture.max(axis=2) > 200).mean() > 0.01
    assert len(preview.image) < 150_000


def test_same_input_same_tables() -> None:
    one, _ = analyze(sway)
    two, _ = analyze(sway)
    assert one.observations.equals(two.observations)
    assert one.segments.equals(two.segments)
    assert one.summary == two.summary
