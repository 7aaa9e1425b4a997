"""composition_analysis on made pictures, with faces, boxes and poses of known places."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.body_pose import BodyPose
from analyzers.composition_analysis import CompositionAnalysis
from analyzers.faces import FacesProduct
from analyzers.models.lending import Models
from analyzers.models.pose import KEYPOINTS
from analyzers.object_detection import ObjectDetection
from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video
from tests.analyzers.made_upstream import made_result, made_shots

HEIGHT, WIDTH = 180, 320


def textured(seed: int = 0) -> np.ndarray:
    """Soft blobs without any symmetry, RGB."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(60, 190, (12, 20, 3), np.uint8)
    return cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def video_of(pictures: Sequence[np.ndarray], seconds: int = 2) -> Video:
    """A video that shows each picture for so long."""
    end_s = float(len(pictures) * seconds)
    made = made_video(end_s, sound=False)
    times_s = np.arange(int(end_s * 5)) / 5
    shown = np.stack([pictures[int(t // seconds)] for t in times_s])
    return replace(made, analysis=MappedFrames(times_s, np.arange(len(times_s)) * 6, shown))


def box(x1: float, y1: float, x2: float, y2: float) -> dict[str, float]:
    return {"x1": x1, "y1": y1, "x2": x2, "y2": y2}


def face(x1: float, y1: float, x2: float, y2: float, yaw_deg: float = 0.0) -> dict[str, Any]:
    """A face whose eyes lie a third down its box and whose mouth lies three quarters down."""
    row: dict[str, Any] = {**box(x1, y1, x2, y2), "confidence": 0.9, "yaw_deg": yaw_deg}
    for name, across, down in (
        ("right_eye", 0.3, 0.37), ("left_eye", 0.7, 0.37), ("nose", 0.5, 0.55),
        ("mouth_right", 0.35, 0.75), ("mouth_left", 0.65, 0.75),
    ):  # fmt: skip
        row[f"{name}_x"] = x1 + across * (x2 - x1)
        row[f"{name}_y"] = y1 + down * (y2 - y1)
    return row


def thing(label: str, *corners: float, track_id: int = 0, sure: float = 0.8) -> dict[str, Any]:
    return {**box(*corners), "label": label, "detected_label": label, "track_id": track_id,
            "confidence": sure}  # fmt: skip


def everywhere(video: Video, *rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    """These rows in every frame."""
    return [
        {"time_s": time_s, "frame": int(number), **row}
        for time_s, number in zip(
            video.analysis.times_s.tolist(), video.analysis.frame_numbers, strict=True
        )
        for row in rows
    ]


def analyze(
    video: Video,
    faces: Sequence[Mapping[str, Any]] = (),
    things: Sequence[Mapping[str, Any]] | None = None,
    poses: Sequence[Mapping[str, Any]] | None = None,
    starts_s: Sequence[float] = (0.0,),
) -> AnalysisResult:
    upstream = {
        "cut_analysis": made_shots(video.grid, starts_s),
        "faces": made_result(FacesProduct, video.grid, faces),
    }
    if things is not None:
        upstream["object_detection"] = made_result(ObjectDetection, video.grid, things)
    if poses is not None:
        upstream["body_pose"] = made_result(BodyPose, video.grid, poses)
    analyzer = CompositionAnalysis(Models({}))
    result = analyzer.analyze(video, upstream)
    analyzer.check(result, video.grid)
    json.dumps(result.summary)
    return result


def only_row(result: AnalysisResult) -> dict[str, Any]:
    [row] = result.observations.to_pylist()
    return row


@pytest.mark.parametrize(
    ("height", "scale"),
    [(0.9, "close_up"), (0.5, "close_up"), (0.33, "medium_close_up"), (0.22, "medium"),
     (0.14, "medium_long"), (0.09, "long"), (0.02, "extreme_long")],
)  # fmt: skip
def test_a_face_tells_the_scale_by_its_height(height: float, scale: str) -> None:
    video = video_of([textured()])
    row = only_row(analyze(video, everywhere(video, face(0.4, 0.05, 0.6, 0.05 + height))))
    assert row["shot_scale"] == scale
    assert row["shot_scale_basis"] == "face"
    assert row["frame_height_statures"] == pytest.approx(0.105 / height, rel=1e-3)


def test_a_face_that_the_frame_cuts_is_measured_by_eyes_and_mouth() -> None:
    video = video_of([textured()])
    cut = {**face(0.1, -0.6, 0.9, 1.2), **box(0.1, 0.0, 0.9, 1.0)}
    assert only_row(analyze(video, everywhere(video, cut)))["shot_scale"] == "extreme_close_up"


def standing(video: Video, top: float, stature: float) -> dict[str, Any]:
    """A pose from the front, by Drillis & Contini's levels; what is below the frame is unseen."""
    levels = {"nose": 0.07, "shoulder": 0.182, "elbow": 0.37, "wrist": 0.515, "hip": 0.47,
              "knee": 0.715, "ankle": 0.961}  # fmt: skip
    points = []
    for name in KEYPOINTS:
        side = 0.06 if name.startswith("left") else -0.06
        level = levels.get(name.split("_")[-1], 0.06)
        points.append((0.5 + side * stature * HEIGHT / WIDTH, top + level * stature))
    return {
        **box(0.4, max(0.0, top), 0.6, min(1.0, top + stature)), "track_id": 0, "confidence": 0.9,
        "keypoints_x": [x for x, _ in points], "keypoints_y": [min(1.0, y) for _, y in points],
        "keypoints_confidence": [0.9 if 0 <= y <= 1 else 0.0 for _, y in points],
        "posture": "unknown", "keypoints_seen": 17,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stature", "scale"), [(0.9, "long"), (1.3, "medium_long"), (1.9, "medium")]
)
def test_a_body_tells_the_scale_where_no_face_is_seen(stature: float, scale: str) -> None:
    video = video_of([textured()])
    row = only_row(analyze(video, poses=everywhere(video, standing(video, 0.06, stature))))
    assert (row["shot_scale"], row["shot_scale_basis"]) == (scale, "body")


def test_a_standing_figure_tells_it_by_its_box_and_hands_do_not() -> None:
    video = video_of([textured()])
    figure = thing("person", 0.45, 0.2, 0.55, 0.6)
    row = only_row(analyze(video, things=everywhere(video, figure)))
    assert (row["shot_scale"], row["shot_scale_basis"]) == ("long", "figure")
    hands = thing("person", 0.0, 0.0, 0.3, 0.6)
    row = only_row(analyze(video, things=everywhere(video, hands)))
    assert (row["shot_scale"], row["shot_scale_basis"]) == (None, "none")
    assert row["subject"] == "person"


def test_a_picture_within_the_picture_has_no_scale() -> None:
    """A head in a corner, cut off at its shoulders although the frame goes on below."""
    video = video_of([textured()])
    faces = everywhere(video, face(0.1, 0.16, 0.18, 0.28))
    inset = everywhere(video, thing("person", 0.05, 0.14, 0.22, 0.36))
    assert only_row(analyze(video, faces, inset))["shot_scale"] is None
    whole = everywhere(video, thing("person", 0.05, 0.14, 0.22, 0.99))
    assert only_row(analyze(video, faces, whole))["shot_scale"] == "medium_long"


def test_an_object_is_a_guess_and_only_where_nobody_is() -> None:
    video = video_of([textured()])
    cup = thing("cup", 0.4, 0.3, 0.6, 0.7)
    row = only_row(analyze(video, things=everywhere(video, cup)))
    assert (row["shot_scale"], row["shot_scale_basis"]) == ("close_up", "object")
    assert row["shot_scale_confidence"] < 0.8
    hand = thing("person", 0.0, 0.0, 0.3, 0.9, track_id=1)
    assert only_row(analyze(video, things=everywhere(video, cup, hand)))["shot_scale"] is None


def test_the_subject_on_a_third() -> None:
    video = video_of([textured()])
    faces = everywhere(video, face(1 / 3 - 0.04, 1 / 3 - 0.037, 1 / 3 + 0.04, 1 / 3 + 0.063))
    row = only_row(analyze(video, faces))
    assert row["placement"] == "left_third"
    assert row["thirds_score"] > 0.99
    assert row["thirds_distance_ratio"] < 0.01


def test_headroom_counts_from_the_crown() -> None:
    video = video_of([textured()])
    row = only_row(analyze(video, everywhere(video, face(0.4, 0.3, 0.6, 0.5))))
    assert row["headroom_ratio"] == pytest.approx(0.3 - 0.24 * 0.2, abs=1e-3)
    assert (row["look_direction"], row["look_room_ratio"]) == ("ahead", None)


def test_look_room_is_what_lies_before_the_eyes() -> None:
    video = video_of([textured()])
    for yaw_deg, direction, room in ((30, "right", 0.7), (-30, "left", 0.3)):
        row = only_row(analyze(video, everywhere(video, face(0.2, 0.2, 0.4, 0.5, yaw_deg))))
        assert row["look_direction"] == direction
        assert row["look_room_ratio"] == pytest.approx(room)


def test_a_person_comes_before_a_larger_thing_and_a_face_before_the_middle() -> None:
    video = video_of([textured()])
    things = everywhere(
        video, thing("couch", 0.1, 0.4, 0.9, 0.9), thing("person", 0.4, 0.1, 0.7, 0.8, track_id=1)
    )
    row = only_row(analyze(video, everywhere(video, face(0.5, 0.15, 0.6, 0.35)), things))
    assert row["subject"] == "person"
    assert row["subject_y"] == pytest.approx(0.15 + 0.37 * 0.2, abs=1e-3)
    assert row["depth_cues"] == ["overlap"]


def test_what_stands_out_is_the_subject_where_nothing_is_known() -> None:
    picture = np.random.default_rng(0).normal(120, 5, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    cv2.circle(picture, (80, 60), 12, (230, 40, 40), -1)
    row = only_row(analyze(video_of([picture]), things=[]))
    assert (row["subject"], row["confidence"]) == ("salient", None)
    assert row["x1"] < 80 / WIDTH < row["x2"]
    assert row["shot_scale"] is None


def test_a_blurred_ground_is_shallow_focus() -> None:
    sharp = textured()
    rng = np.random.default_rng(1)
    bars = rng.integers(20, 230, (HEIGHT // 6, WIDTH // 6, 3), np.uint8).repeat(6, 0).repeat(6, 1)
    sharp[: bars.shape[0], : bars.shape[1]] = bars
    blurred = cv2.GaussianBlur(sharp, (0, 0), 2.5)
    blurred[40:150, 120:220] = sharp[40:150, 120:220]
    person = (120 / WIDTH, 40 / HEIGHT, 220 / WIDTH, 150 / HEIGHT)
    for picture, cues in ((blurred, ["shallow_focus"]), (sharp, [])):
        video = video_of([picture])
        row = only_row(analyze(video, things=everywhere(video, thing("person", *person))))
        assert row["depth_cues"] == cues


def test_two_of_a_kind_of_different_size_show_depth() -> None:
    video = video_of([textured()])
    cars = (thing("car", 0.1, 0.4, 0.5, 0.9), thing("car", 0.7, 0.4, 0.8, 0.55, track_id=1))
    assert only_row(analyze(video, things=everywhere(video, *cars)))["depth_cues"] == [
        "relative_size"
    ]


def test_each_shot_has_a_row_and_each_second_its_shots_values() -> None:
    half = textured(3)[:, : WIDTH // 2]
    video = video_of([textured(1), np.hstack([half, half[:, ::-1]])])
    rows = everywhere(video, face(0.4, 0.1, 0.6, 0.6))
    faces = [row for row in rows if row["time_s"] < 2]
    result = analyze(video, faces, starts_s=(0.0, 2.0))
    first, second = result.observations.to_pylist()
    assert (first["shot_scale"], second["shot_scale"]) == ("close_up", None)
    assert second["symmetry"] > 0.98 > first["symmetry"] + 0.4
    assert result.segments["shot"].to_pylist() == [0, 0, 1, 1]
    assert result.segments["shot_scale"].to_pylist() == ["close_up", "close_up", None, None]
    assert result.summary["shot_scale"] == "close_up"
    assert result.summary["shot_scales"] == [{"shot_scale": "close_up", "share": 1.0}]
    assert result.summary["scaled_shot_count"] == 1


def test_what_is_missing_is_said() -> None:
    notes = analyze(video_of([textured()])).summary["notes"]
    assert notes == [
        "no objects: object_detection has no result",
        "no poses: body_pose has no result",
    ]


def test_a_video_of_black_has_no_composition_and_a_black_shot_no_values() -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    result = analyze(video_of([black]))
    assert (result.status, result.reason) == (
        "not_applicable",
        "nothing but a plain colour in any shot",
    )
    result = analyze(video_of([black, textured()]), starts_s=(0.0, 2.0))
    dark, _ = result.observations.to_pylist()
    assert dark["blank"]
    assert (dark["subject"], dark["symmetry"], dark["balance"]) == ("none", None, None)


def test_the_preview_is_a_picture() -> None:
    video = video_of([textured()])
    result = analyze(video, everywhere(video, face(0.4, 0.1, 0.6, 0.5, 30)))
    preview = CompositionAnalysis(Models({})).preview(video, result)
    assert cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR) is not None
