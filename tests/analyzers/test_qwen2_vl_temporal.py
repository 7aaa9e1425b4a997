"""qwen2_vl_temporal, composed: exact sentences from made evidence, and every claim traced."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from analyzers.background_segmentation import BackgroundSegmentation
from analyzers.base import AnalysisResult
from analyzers.body_pose import BodyPose
from analyzers.camera_analysis import CameraAnalysis
from analyzers.color_analysis import ColorAnalysis
from analyzers.composition_analysis import CompositionAnalysis
from analyzers.eye_tracking import EyeTracking
from analyzers.face_emotion import FaceEmotion
from analyzers.faces import FacesProduct
from analyzers.methods.evidence import evidence_row
from analyzers.models.lending import Models
from analyzers.object_detection import ObjectDetection
from analyzers.product_detection import ProductDetection
from analyzers.qwen2_vl_temporal import Qwen2VlTemporal
from analyzers.scene_segmentation import SceneSegmentation
from analyzers.text_overlay import TextOverlay
from analyzers.video import Video
from tests.analyzers.made import made_video
from tests.analyzers.made_upstream import made_result, made_shots

Upstream = dict[str, AnalysisResult]


def analyze(video: Video, upstream: Upstream) -> AnalysisResult:
    analyzer = Qwen2VlTemporal(Models({}))
    result = analyzer.analyze(video, upstream)
    analyzer.check(result, video.grid)
    json.dumps(result.summary)
    return result


def sentences(video: Video, upstream: Upstream) -> list[str]:
    """The description of each shot; every claim is traced on the way."""
    result = analyze(video, upstream)
    assert_traced(result, upstream)
    return result.observations["description"].to_pylist()


def holds(row: Mapping[str, Any], value: str) -> bool:
    """Whether a row holds a word: as a value, in a list, or as the name of a flag that is set."""
    if row.get(value) is True:
        return True
    return value in json.dumps(list(row.values()), ensure_ascii=False, default=str)


def assert_traced(result: AnalysisResult, upstream: Upstream) -> None:
    """Every id leads to a row, every claim's value stands in a row, every claim in the text."""
    for row in result.observations.to_pylist():
        assert row["model_kind"] == "composed"
        listed = set(row["evidence"])
        for claim in row["claims"]:
            assert claim["evidence"], claim
            assert set(claim["evidence"]) <= listed
            rows = [evidence_row(name, upstream) for name in claim["evidence"]]
            assert any(holds(row, claim["value"]) for row in rows), claim
            # Only what is hedged may be less than even.
            assert claim["hedged"] or claim["confidence"] >= 0.4, claim
    for name in result.summary["evidence"]:
        evidence_row(name, upstream)
    for row in result.segments.to_pylist():
        for name in row["action_evidence"]:
            evidence_row(name, upstream)


def thing(
    video: Video,
    label: str,
    corners: Sequence[float] = (0.4, 0.2, 0.6, 0.8),
    track_id: int = 0,
    sure: float = 0.8,
    span_s: tuple[float, float] = (0.0, 1e9),
    step: float = 0.0,
) -> list[dict[str, Any]]:
    """An object in every frame of a span, moved to the right by `step` from frame to frame."""
    x1, y1, x2, y2 = corners
    return [
        {"time_s": time_s, "frame": int(number), "track_id": track_id, "label": label,
         "detected_label": label, "confidence": sure, "x1": x1 + i * step, "y1": y1,
         "x2": x2 + i * step, "y2": y2}
        for i, (time_s, number) in enumerate(
            zip(video.analysis.times_s.tolist(), video.analysis.frame_numbers, strict=True)
        )
        if span_s[0] <= time_s < span_s[1]
    ]  # fmt: skip


def objects(video: Video, *rows: list[dict[str, Any]]) -> AnalysisResult:
    return made_result(ObjectDetection, video.grid, [row for part in rows for row in part])


def poses(video: Video, posture: str, gestures: Sequence[str] = (), **more: Any) -> AnalysisResult:
    rows = [
        {**row, "posture": posture, "gestures": list(gestures), **more}
        for row in thing(video, "person")
    ]
    names = [c.name for c in BodyPose.observation_columns]
    kept = [{k: v for k, v in row.items() if k in names} for row in rows]
    return made_result(BodyPose, video.grid, kept, {"gestures": [list(gestures)] * len(video.grid)})


def framed(scale: str, sure: float, subject: str, placement: str | None) -> dict[str, Any]:
    return {"shot": 0, "time_s": 0.0, "end_s": 4.0, "shot_scale": scale, "shot_scale_basis": "face",
            "shot_scale_confidence": sure, "subject": subject, "placement": placement}  # fmt: skip


def moves(video: Video, *spans: tuple[float, float, str, float]) -> AnalysisResult:
    rows = [
        {"type": "move", "time_s": start_s, "end_s": end_s, "kind": kind, "confidence": sure}
        for start_s, end_s, kind, sure in spans
    ]
    seconds: dict[str, list[Any]] = {"kind": [
        next((k for a, b, k, _ in spans if a <= s + 0.5 < b), "unknown")
        for s in range(len(video.grid))
    ], "confidence": [0.9] * len(video.grid)}  # fmt: skip
    return made_result(CameraAnalysis, video.grid, rows, seconds)


def colours(video: Video, grade: str, **palette: float) -> AnalysisResult:
    named = [{"hex": "#000000", "name": name.replace("_", " "), "share": share}
             for name, share in palette.items()]  # fmt: skip
    count = len(video.grid)
    seconds: dict[str, list[Any]] = {"grade": [grade] * count, "palette": [named] * count}
    return made_result(ColorAnalysis, video.grid, seconds=seconds)


def text(line: str, start_s: float, end_s: float, role: str = "caption", **more: Any) -> dict:
    return {"time_s": start_s, "end_s": end_s, "text": line, "role": role, "confidence": 0.99,
            "frames_read": 4, "y1": 0.1, "y2": 0.2, **more}  # fmt: skip


def test_a_shot_is_told_from_all_that_is_there() -> None:
    video = made_video(4.0)
    upstream = {
        "cut_analysis": made_shots(video.grid),
        "object_detection": objects(
            video, thing(video, "person"), thing(video, "sports ball", (0.1, 0.1, 0.2, 0.2), 1)
        ),
        "composition_analysis": made_result(
            CompositionAnalysis, video.grid, [framed("long", 0.9, "person", "right_third")]
        ),
        "background_segmentation": made_result(
            BackgroundSegmentation, video.grid, seconds={"setting": ["outdoor"] * 4}
        ),
        "scene_segmentation": made_result(
            SceneSegmentation,
            video.grid,
            seconds={"scene_label": ["street"] * 4, "scene_confidence": [0.9] * 4},
        ),
        "body_pose": poses(video, "standing", ["waving"], movement_energy=0.6),
        "camera_analysis": moves(video, (0.0, 2.0, "static", 0.9), (2.0, 4.0, "pan_left", 0.9)),
        "color_analysis": colours(video, "natural", olive=0.5, dark_grey=0.3, black=0.1),
        "text_overlay": made_result(
            TextOverlay,
            video.grid,
            [text("KICK IT", 0.0, 3.0), text("sample", 0.0, 4.0, "watermark")],
        ),
    }
    shot = (
        "A long shot of a person on the right and a sports ball, outdoors. The place looks like a "
        "street. The person stands, waves and moves about. The camera stands still, then pans or "
        "travels to the left. The main colours are olive and dark grey. Text in the picture reads "
        "“KICK IT”."
    )
    assert sentences(video, upstream) == [shot]
    result = analyze(video, upstream)
    assert result.summary["description"] == (
        f"The video lasts 4 seconds and is a single shot. {shot} “sample” is shown as a watermark."
    )
    assert result.summary["model_kind"] == "composed"
    assert result.summary["missing"] == ["faces", "product_detection", "face_emotion",
                                         "eye_tracking"]  # fmt: skip
    assert result.segments["actions"].to_pylist() == [
        ["waving"], ["waving"], ["waving", "camera pan left"], ["waving", "camera pan left"],
    ]  # fmt: skip
    assert result.segments["action_evidence"].to_pylist()[2] == [
        "body_pose@2", "camera_analysis@2",
    ]  # fmt: skip


def test_what_lasts_is_one_action_and_a_second_on_a_cut_counts_for_one_shot() -> None:
    video = made_video(6.0)
    upstream = {
        "cut_analysis": made_shots(video.grid, (0.0, 3.6)),
        "camera_analysis": moves(video, (1.0, 3.0, "pan_left", 0.9), (3.6, 6.0, "zoom_in", 0.9)),
    }
    actions = analyze(video, upstream).observations["actions"].to_pylist()
    assert actions == [
        [{"action": "camera pan left", "time_s": 1.0, "end_s": 3.0}],
        [{"action": "camera zoom in", "time_s": 4.0, "end_s": 6.0}],
    ]
    upstream["cut_analysis"] = made_shots(video.grid, (0.0, 3.4))
    upstream["camera_analysis"] = moves(video, (3.4, 6.0, "zoom_in", 0.9))
    assert analyze(video, upstream).observations["actions"].to_pylist() == [
        [], [{"action": "camera zoom in", "time_s": 3.4, "end_s": 6.0}],
    ]  # fmt: skip


def test_evidence_is_the_rows_that_hold_the_word() -> None:
    video = made_video(2.0)
    upstream = {
        "object_detection": objects(
            video, thing(video, "dog"), thing(video, "cat", (0.1, 0.1, 0.2, 0.2), 1)
        )
    }
    [row] = analyze(video, upstream).observations.to_pylist()
    dog, cat = row["claims"]
    assert (dog["text"], dog["value"]) == ("a dog", "dog")
    assert {evidence_row(name, upstream)["label"] for name in dog["evidence"]} == {"dog"}
    assert {evidence_row(name, upstream)["label"] for name in cat["evidence"]} == {"cat"}
    assert row["evidence"] == [*dog["evidence"], *cat["evidence"]]
    assert row["confidence"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("sure", "told"),
    [
        (0.9, "The shot shows a dog."),
        (0.55, "The shot shows what looks like a dog."),
        (0.45, "Nothing in this shot was recognised."),
    ],
)
def test_what_is_not_seen_surely_is_hedged_or_left_out(sure: float, told: str) -> None:
    video = made_video(2.0)
    upstream = {"object_detection": objects(video, thing(video, "dog", sure=sure))}
    assert sentences(video, upstream) == [told]


def test_a_doubtful_scale_and_move_are_hedged() -> None:
    video = made_video(4.0)
    upstream = {
        "object_detection": objects(video, thing(video, "bottle"), thing(video, "bottle",
                                    (0.1, 0.2, 0.2, 0.8), 1)),
        "composition_analysis": made_result(
            CompositionAnalysis, video.grid, [framed("medium_close_up", 0.4, "bottle", "left_edge")]
        ),
        "camera_analysis": moves(video, (0.0, 4.0, "zoom_in", 0.55)),
    }  # fmt: skip
    assert sentences(video, upstream) == [
        "Probably a medium close-up of two bottles. The camera seems to zoom in or come nearer."
    ]


def test_a_glimpse_makes_no_claim() -> None:
    video = made_video(10.0)
    glimpse = thing(video, "dog", span_s=(1.0, 2.0))
    assert sentences(video, {"object_detection": objects(video, glimpse)}) == [
        "Nothing in this shot was recognised."
    ]


def test_how_many_there_are() -> None:
    video = made_video(4.0)
    boxes = [(0.1 + 0.2 * i, 0.2, 0.2 + 0.2 * i, 0.8) for i in range(3)]
    three = [thing(video, "bottle", box, i) for i, box in enumerate(boxes)]
    assert sentences(video, {"object_detection": objects(video, *three)}) == [
        "The shot shows three bottles."
    ]
    passing = thing(video, "bottle", boxes[2], 2, span_s=(0.0, 2.2))
    fourth = thing(video, "bottle", (0.8, 0.2, 0.9, 0.8), 3, span_s=(0.0, 1.8))
    some = objects(video, *three[:2], passing, fourth)
    assert sentences(video, {"object_detection": some}) == [
        "The shot shows at least three bottles."
    ]


def test_hands_are_part_of_a_person_and_are_not_counted() -> None:
    video = made_video(2.0)
    hands = [thing(video, "person", (0.0, 0.0, 0.3, 0.6)),
             thing(video, "person", (0.7, 0.0, 1.0, 0.6), 1)]  # fmt: skip
    assert sentences(video, {"object_detection": objects(video, *hands)}) == [
        "The shot shows part of a person."
    ]


def test_somebody_the_detector_doubts_is_a_person_if_a_pose_is_seen() -> None:
    video = made_video(3.0)
    upstream = {"object_detection": objects(video, thing(video, "person", sure=0.35))}
    assert sentences(video, upstream) == ["Nothing in this shot was recognised."]
    upstream["body_pose"] = poses(video, "unknown")
    assert sentences(video, upstream) == ["The shot shows what looks like a person."]


def test_a_drawn_face_is_a_face() -> None:
    video = made_video(3.0)
    rows = [{k: row[k] for k in ("time_s", "frame", "confidence", "x1", "y1", "x2", "y2")}
            for row in thing(video, "person")]  # fmt: skip
    upstream = {"faces": made_result(FacesProduct, video.grid, rows)}
    assert sentences(video, upstream) == ["The shot shows a face."]


def test_expressions_in_their_order() -> None:
    video = made_video(9.0)
    emotions = ["sad"] * 4 + ["fear"] * 2 + ["happy"] * 3
    upstream = {
        "object_detection": objects(video, thing(video, "person")),
        "face_emotion": made_result(
            FaceEmotion, video.grid, seconds={"emotion": emotions, "emotion_confidence": [0.9] * 9}
        ),
    }
    assert sentences(video, upstream) == [
        "The shot shows a person. The person looks sad at first, then happy."
    ]
    actions = analyze(video, upstream).segments["actions"].to_pylist()
    assert actions[0] == ["face looks sad"]
    assert actions[8] == ["face looks happy"]


def test_looking_into_the_camera_and_keeping_still() -> None:
    video = made_video(4.0)
    upstream = {
        "object_detection": objects(video, thing(video, "person")),
        "body_pose": poses(video, "sitting", movement_energy=0.01),
        "eye_tracking": made_result(
            EyeTracking,
            video.grid,
            seconds={"gaze": ["camera"] * 3 + ["left"], "camera_share": [0.9, 0.9, 0.8, 0.1]},
        ),
    }
    assert sentences(video, upstream) == [
        "The shot shows a person. The person sits, hardly moves and looks into the camera."
    ]


def test_of_several_people_a_body_and_a_face_may_be_two() -> None:
    video = made_video(4.0)
    upstream = {
        "object_detection": objects(
            video, thing(video, "person"), thing(video, "person", (0.7, 0.2, 0.9, 0.8), 1)
        ),
        "body_pose": poses(video, "sitting", movement_energy=0.01),
        "face_emotion": made_result(
            FaceEmotion,
            video.grid,
            seconds={"emotion": ["happy"] * 4, "emotion_confidence": [0.9] * 4},
        ),
    }
    assert sentences(video, upstream) == [
        "The shot shows two people. One of the people sits and hardly moves, and one looks happy."
    ]


def test_a_setting_that_some_seconds_do_not_tell_is_hedged() -> None:
    video = made_video(4.0)
    seconds = {"setting": ["indoor", "indoor", "indoor", "outdoor"]}
    upstream = {
        "background_segmentation": made_result(BackgroundSegmentation, video.grid, seconds=seconds)
    }
    assert sentences(video, upstream) == ["The shot is probably indoors."]


def test_several_watermarks() -> None:
    video = made_video(4.0)
    marks = [text(line, 0.0, 4.0, "watermark") for line in ("made", "by me", "made")]
    upstream = {"text_overlay": made_result(TextOverlay, video.grid, marks)}
    told = analyze(video, upstream).summary["description"]
    assert told.endswith("“made” and “by me” are shown as watermarks.")


def test_a_way_through_the_picture_counts_only_if_the_camera_stands_still() -> None:
    video = made_video(4.0)
    upstream = {
        "object_detection": objects(video, thing(video, "car", (0.0, 0.4, 0.2, 0.6), step=0.04)),
        "camera_analysis": moves(video, (0.0, 4.0, "static", 0.9)),
    }
    assert sentences(video, upstream) == [
        "The shot shows a car. The car moves to the right. The camera stands still."
    ]
    upstream["camera_analysis"] = moves(video, (0.0, 4.0, "pan_left", 0.9))
    assert sentences(video, upstream) == [
        "The shot shows a car. The camera pans or travels to the left."
    ]


@pytest.mark.parametrize(
    ("dolly_like", "told"),
    [
        (None, "The camera zooms in or comes nearer."),
        (True, "The camera comes nearer."),
        (False, "The camera zooms in."),
    ],
)
def test_a_journey_of_the_camera_and_a_turn(dolly_like: bool | None, told: str) -> None:
    video = made_video(4.0)
    move = {"type": "move", "time_s": 0.0, "end_s": 4.0, "kind": "zoom_in", "confidence": 0.9,
            "dolly_like": dolly_like}  # fmt: skip
    upstream = {"camera_analysis": made_result(CameraAnalysis, video.grid, [move])}
    assert sentences(video, upstream) == [told]


def test_a_thing_in_a_hand() -> None:
    video = made_video(2.0)
    held = {"time_s": 0.0, "end_s": 2.0, "label": "cup", "confidence": 0.8, "held": True}
    upstream = {
        "object_detection": objects(video, thing(video, "cup")),
        "product_detection": made_result(ProductDetection, video.grid, [held]),
    }
    assert sentences(video, upstream) == ["The shot shows a cup. The cup is held in a hand."]


def test_text_that_may_be_misread_is_not_quoted() -> None:
    video = made_video(4.0)
    lines = [
        text("SURE", 0.0, 4.0),
        text("UNSURE", 0.0, 4.0, confidence=0.8),
        text(".09", 0.0, 4.0),
        text("ONCE", 1.0, 1.2, "scene_text", frames_read=1, confidence=0.95),
    ]
    upstream = {"text_overlay": made_result(TextOverlay, video.grid, lines)}
    assert sentences(video, upstream) == ["Text in the picture reads “SURE”."]


def test_several_shots_make_a_paragraph() -> None:
    video = made_video(6.0)
    parts = {0: (0.0, 2.0), 1: (2.0, 4.0), 2: (4.0, 6.0)}
    upstream = {
        "cut_analysis": made_shots(video.grid, (0.0, 2.0, 4.0)),
        "object_detection": objects(
            video,
            thing(video, "person", span_s=parts[0]),
            thing(video, "person", track_id=1, span_s=parts[1]),
            thing(video, "umbrella", track_id=2, span_s=parts[1]),
            thing(video, "cat", track_id=3, span_s=parts[2], sure=0.55),
        ),
        "camera_analysis": moves(
            video, (0.0, 2.0, "static", 0.9), (2.0, 4.0, "static", 0.9), (4.0, 6.0, "tilt_up", 0.9)
        ),
        "color_analysis": colours(video, "black_and_white", grey=1.0),
        "text_overlay": made_result(TextOverlay, video.grid, [text("THE END", 4.5, 6.0)]),
    }
    assert sentences(video, upstream) == [
        "The shot shows a person. The camera stands still. The picture is black and white.",
        "The shot shows a person and an umbrella. The camera stands still. The picture is black "
        "and white.",
        "The shot shows what looks like a cat. The camera tilts or travels up. The picture is "
        "black and white. Text in the picture reads “THE END”.",
    ]
    result = analyze(video, upstream)
    assert result.summary["description"] == (
        "The video lasts 6 seconds and has three shots. It shows somebody in two of the three "
        "shots, an umbrella in one and what looks like a cat in one. The camera stands still in "
        "two of the three shots; in shot 3 it tilts or travels up. The picture is black and white. "
        "Text in the picture reads “THE END”."
    )
    assert result.segments["shot"].to_pylist() == [0, 0, 1, 1, 2, 2]
    assert result.summary["evidence"][:3] == ["cut_analysis/0", "cut_analysis/1", "cut_analysis/2"]


def test_without_any_other_result_there_is_nothing_to_tell() -> None:
    video = made_video(2.0)
    result = analyze(video, {})
    assert (result.status, result.reason) == (
        "not_applicable",
        "no other analyzer has a result to describe from",
    )


def test_what_is_not_applicable_elsewhere_is_no_evidence() -> None:
    video = made_video(2.0)
    pose = BodyPose(Models({})).not_applicable(video, "no person in any frame")
    assert sentences(video, {"body_pose": pose}) == ["Nothing in this shot was recognised."]


def test_the_preview_says_what_wrote_it() -> None:
    video = made_video(2.0)
    analyzer = Qwen2VlTemporal(Models({}))
    upstream = {"object_detection": objects(video, thing(video, "dog"))}
    preview = analyzer.preview(video, analyzer.analyze(video, upstream)).markdown
    assert "model_kind: composed" in preview
    assert "no vision-language model" in preview
    assert "a dog" in preview
    assert "object_detection/0" in preview
