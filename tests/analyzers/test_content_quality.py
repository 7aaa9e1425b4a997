"""content_quality on pictures with known faults, one state a second."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.camera_analysis import CameraAnalysis
from analyzers.content_quality import ContentQuality
from analyzers.methods.picture.quality_score import PARTS
from analyzers.models.lending import Models
from analyzers.registry import get_analyzer
from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video
from tests.analyzers.made_degradations import DEGRADATIONS, as_jpeg, degraded, scene, states
from tests.analyzers.made_moves import HEIGHT, WIDTH, still
from tests.analyzers.made_moves import video_of as moving


def video_of(pictures: Sequence[np.ndarray], times_s: Sequence[float] | None = None) -> Video:
    """One picture a second on the full-size rung, as JPEG of the ladder's quality."""
    times = np.arange(len(pictures), dtype=float) if times_s is None else np.array(times_s)
    numbers = np.round(times * 30).astype(np.int64)
    height, width = pictures[0].shape[:2]
    made = made_video(end_s=float(len(pictures)))
    return replace(
        made,
        info=replace(made.info, width_px=width, height_px=height),
        analysis=MappedFrames(times, numbers, np.stack(pictures)),
        detail=MappedFrames(times, numbers, np.stack([as_jpeg(p, 92) for p in pictures])),
    )


def analyze(
    video: Video, upstream: Mapping[str, AnalysisResult] | None = None, **settings: float
) -> AnalysisResult:
    analyzer = ContentQuality(Models({}), ContentQuality.Settings(**settings))
    result = analyzer.analyze(video, upstream or {})
    analyzer.check(result, video.grid)
    json.dumps(result.summary)  # plain JSON, no NumPy numbers
    return result


@pytest.fixture(scope="module")
def by_state() -> dict[tuple[str, int], dict[str, Any]]:
    """The segment of each state of one picture."""
    picture = scene()
    result = analyze(video_of([degraded(picture, *state) for state in states(picture)]))
    return dict(zip(states(picture), result.segments.to_pylist(), strict=True))


@pytest.mark.parametrize("fault", DEGRADATIONS)
def test_a_fault_lowers_its_part_and_the_score_and_little_else(
    fault: str, by_state: dict[tuple[str, int], dict[str, Any]]
) -> None:
    own = f"{DEGRADATIONS[fault][0]}_score"
    rows = [by_state["", 0], *(by_state[fault, strength] for strength in (1, 2, 3))]
    for weaker, stronger in pairwise(rows):
        assert stronger[own] < weaker[own]
        assert stronger["score"] < weaker["score"]
    assert rows[0][own] - rows[3][own] > 50
    for part in PARTS:
        name = f"{part.name}_score"
        if name not in (own, "loudness_score") and None not in (rows[0][name], rows[3][name]):
            assert min(row[name] for row in rows) > rows[0][name] - 12, name


def test_a_row_for_every_picture_and_a_segment_for_every_second() -> None:
    video = video_of([scene(seed=i) for i in range(3)])
    result = analyze(video)
    assert result.observations["time_s"].to_pylist() == [0.0, 1.0, 2.0]
    assert result.observations["frame"].to_pylist() == [0, 30, 60]
    assert result.segments.num_rows == 3
    assert result.summary["sampled_frame_count"] == 3
    assert result.status == "ok"


@pytest.mark.parametrize(
    ("level", "bad"), [(0, "darkness"), (128, None), (255, "overexposure")]
)  # fmt: skip
def test_plain_colours_have_sane_values(level: int, bad: str | None) -> None:
    video = video_of([np.full((1080, 1920, 3), level, np.uint8)] * 2)
    summary = analyze(video).summary
    assert summary["blank_frame_count"] == 2
    assert summary["sharpness"] is None
    assert summary["blockiness"] == 0
    assert summary["banding_ratio"] == 0
    assert summary["weakest_part"] == bad
    assert summary["score"] == (100 if bad is None else pytest.approx(5, abs=0.1))


def test_blank_pictures_do_not_spoil_the_video() -> None:
    picture = scene()
    black = np.zeros_like(picture)
    result = analyze(video_of([black, picture, picture, black]))
    alone = analyze(video_of([picture, picture]))
    assert result.summary["score"] == pytest.approx(alone.summary["score"])
    assert result.segments["blank"].to_pylist() == [True, False, False, True]
    assert result.segments["score"][0].as_py() < 10
    assert result.summary["worst_time_s"] in (1.0, 2.0)


def test_good_seconds_do_not_hide_bad_ones() -> None:
    sharp, soft = scene(), degraded(scene(), "blur", 3)
    result = analyze(video_of([sharp, soft]))
    one, other = result.segments["sharpness_score"].to_pylist()
    assert one == 100
    assert result.summary["sharpness_score"] == pytest.approx((one + other) / 2)


def test_a_title_on_black_is_neither_dark_nor_noisy() -> None:
    title = np.zeros((360, 640, 3), np.uint8)
    cv2.putText(title, "Made with", (200, 180), cv2.FONT_HERSHEY_DUPLEX, 1.5, (255,) * 3, 3)
    summary = analyze(video_of([title])).summary
    assert summary["darkness_score"] == 100
    assert summary["noise_score"] is None


def test_a_smaller_picture_scores_lower() -> None:
    sizes = ((1080, 1920), (720, 1280), (360, 640), (144, 176))
    scores = [
        analyze(video_of([scene(width, height)])).summary["resolution_score"]
        for height, width in sizes
    ]
    assert scores[0] == 100
    assert scores == sorted(scores, reverse=True)


def hand_held(sway_px: float, misread: bool = False) -> Video:
    """Two seconds of a still 360 pixels wide, by an unsteady hand; `misread`: jumps twice."""
    rng = np.random.default_rng(0)
    offsets = rng.normal(0, sway_px, (30, 2))
    if misread:
        offsets[[7, 22]] += 16
    frames = []
    for x, y in offsets.tolist():
        matrix = np.float32([[1, 0, x - 300], [0, 1, y - 200]])
        frames.append(cv2.warpAffine(_STILL, matrix, (WIDTH, HEIGHT)))
    video = moving(np.stack(frames))
    pictures = video_of([scene()] * 2)
    return replace(pictures, motion=video.motion)


_STILL = np.rint(still(size_px=1200).clip(0, 255)).astype(np.uint8)


def steady(video: Video) -> AnalysisResult:
    return analyze(video, {"camera_analysis": CameraAnalysis(Models({})).analyze(video, {})})


def test_shake_lowers_stability_only() -> None:
    results = [steady(hand_held(sway_px)) for sway_px in (0.0, 0.6, 1.2, 2.4)]
    scores = [result.summary["stability_score"] for result in results]
    assert scores[0] == 100
    assert all(weaker > stronger for weaker, stronger in pairwise(scores))
    assert scores[-1] < 50
    overall = [result.summary["score"] for result in results]
    assert all(weaker > stronger for weaker, stronger in pairwise(overall))
    assert {result.summary["sharpness_score"] for result in results} == {100}
    assert results[-1].segments["stability_score"].to_pylist() == pytest.approx(
        [scores[-1]] * 2, abs=20
    )


def test_single_jumps_are_no_shake() -> None:
    assert steady(hand_held(0.0, misread=True)).summary["stability_score"] == 100


def heard(video: Video, **summary: Any) -> AnalysisResult:
    """A result of audio_analysis with these figures."""
    blank = get_analyzer("audio_analysis", Models({})).not_applicable(video, "made for a test")
    return replace(blank, status="ok", reason=None, summary={**blank.summary, **summary})


def test_loudness_is_held_against_the_target() -> None:
    video = video_of([scene()])

    def summary(lufs: float | None, **settings: float) -> Mapping[str, Any]:
        sound = heard(video, loudness_lufs=lufs)
        return analyze(video, {"audio_analysis": sound}, **settings).summary

    assert summary(-14.5)["loudness_score"] == 100
    assert summary(-25.0)["loudness_score"] == pytest.approx(50)
    assert summary(-25.0)["loudness_offset_lu"] == pytest.approx(-11)
    assert summary(-3.0)["loudness_score"] == pytest.approx(50)
    assert summary(-25.0)["score"] < summary(-14.0)["score"]
    assert summary(-23.0, target_lufs=-23.0)["loudness_score"] == 100
    assert summary(None)["loudness_score"] is None


def test_notes_say_what_is_missing() -> None:
    video = video_of([scene()])
    silent = get_analyzer("audio_analysis", Models({})).not_applicable(video, "no audio track")
    summary = analyze(video, {"audio_analysis": silent}).summary
    assert summary["notes"] == [
        "no stability: camera_analysis has no result",
        "no loudness: no audio track",
    ]
    assert summary["stability_score"] is None
    assert summary["loudness_score"] is None


def test_a_held_picture_is_in_every_second() -> None:
    video = video_of([scene()] * 2, times_s=[0.0, 5.0])
    video = replace(video, info=replace(video.info, end_s=8.0))
    result = analyze(video)
    assert result.segments.num_rows == 8
    assert len(set(result.segments["score"].to_pylist())) == 1


def test_same_input_same_tables() -> None:
    one, two = (analyze(video_of([scene(), scene(seed=2)])) for _ in range(2))
    assert one.observations.equals(two.observations)
    assert one.segments.equals(two.segments)
    assert one.summary == two.summary


@pytest.mark.parametrize("turn", [lambda p: p, np.rot90], ids=["landscape", "portrait"])
def test_preview_shows_best_and_worst_and_the_parts(
    turn: Callable[[np.ndarray], np.ndarray],
) -> None:
    dark = degraded(scene(), "dark", 3)
    video = video_of([np.ascontiguousarray(turn(p)) for p in (scene(), dark)])
    result = analyze(video)
    assert (result.summary["best_time_s"], result.summary["worst_time_s"]) == (0.0, 1.0)
    preview = ContentQuality(Models({})).preview(video, result)
    assert len(preview.image) < 200_000
    sheet = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR_RGB)
    left, right = sheet[60:200, 20:90], sheet[60:200, 500:570]
    assert left.mean() > 2 * right.mean()


def test_preview_of_one_picture() -> None:
    video = video_of([scene()])
    preview = ContentQuality(Models({})).preview(video, analyze(video))
    assert cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR) is not None
