"""camera_analysis on moves of known speed."""

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.methods.edit.camera_motion import camera_motions
from analyzers.models.lending import Models
from analyzers.registry import analyzer_classes, get_analyzer
from analyzers.run import run_analyzer
from analyzers.video import MappedFrames, Video
from tests.analyzers.made_moves import (
    FPS,
    HEIGHT,
    MOVES,
    ROOM,
    WIDTH,
    caption,
    moved,
    still,
    travelled,
    video_of,
    walker,
)

STILL = still()


def analyze(video: Video, upstream: dict[str, AnalysisResult] | None = None) -> AnalysisResult:
    return run_analyzer(get_analyzer("camera_analysis"), video, upstream or {})[0]


def seconds(result: AnalysisResult) -> list[dict]:
    return result.segments.to_pylist()


def moves(result: AnalysisResult) -> list[dict]:
    return [row for row in result.observations.to_pylist() if row["type"] == "move"]


def upstream_of(name: str, rows: list[dict]) -> dict[str, AnalysisResult]:
    """A result of another analyzer that holds these observations, the rest of each row null."""
    columns = analyzer_classes()[name].observation_columns
    table = analyzer_classes()[name](Models({})).observations(rows)
    assert table.schema.names == [c.name for c in columns]
    return {name: AnalysisResult(table, table, {})}


@pytest.mark.parametrize("foreground", [walker, caption])
@pytest.mark.parametrize(("kind", "move", "speed"), [MOVES[i] for i in (2, 8, 13, 20)])
def test_moves_behind_things_that_move_otherwise(kind, move, speed, foreground):
    video = video_of(moved(STILL, 1, noise=4, foreground=foreground, **move))
    for second in seconds(analyze(video)):
        assert second["kind"] == kind
        assert second["speed"] == pytest.approx(speed, rel=0.2)
        assert second["confidence"] >= 0.3


def test_the_units_of_each_component():
    pan = seconds(analyze(video_of(moved(STILL, 1, pan=0.3, tilt=-0.1))))[0]
    assert (pan["pan_speed"], pan["tilt_speed"]) == (
        pytest.approx(0.3, rel=0.03), pytest.approx(-0.1, rel=0.05)
    )  # fmt: skip
    assert seconds(analyze(video_of(moved(STILL, 1, zoom_ratio=1.3))))[0][
        "zoom_ratio_per_s"
    ] == pytest.approx(1.3, rel=0.02)
    assert seconds(analyze(video_of(moved(STILL, 1, roll_deg=-20))))[0][
        "roll_deg_per_s"
    ] == pytest.approx(-20, rel=0.03)


@pytest.mark.parametrize("foreground", [None, walker, caption])
def test_a_camera_on_a_tripod_stands_still(foreground):
    result = analyze(video_of(moved(STILL, 3, noise=6, foreground=foreground)))
    assert [m["kind"] for m in moves(result)] == ["static"]
    assert all(second["speed"] < 0.01 for second in seconds(result))
    assert result.summary["static_ratio"] == 1.0
    assert result.summary["move_count"] == 0


def test_a_large_subject_that_moves_as_one_is_not_the_camera():
    def wall(i: int, frame: np.ndarray) -> None:
        frame[120:520, 60:300] = STILL[100 + 6 * i : 500 + 6 * i, 900:1140]

    result = analyze(video_of(moved(STILL, 3, foreground=wall)))
    assert [m["kind"] for m in moves(result)] == ["static"]


def test_held_by_hand():
    rng = np.random.default_rng(3)
    smooth = np.stack([cv2.GaussianBlur(rng.normal(0, 1, (60, 1)), (0, 0), 1.2) for _ in range(2)])
    ways = smooth[:, :, 0] * 8
    frames = [
        STILL[500 + round(y) : 500 + HEIGHT + round(y), 900 + round(x) : 900 + WIDTH + round(x)]
        for x, y in ways.T
    ]
    result = analyze(video_of(np.clip(np.stack(frames), 0, 255).astype(np.uint8)))
    kinds = [second["kind"] for second in seconds(result)]
    assert kinds.count("handheld") >= 3, kinds
    assert all(second["shake"] > 0.05 for second in seconds(result))
    assert seconds(analyze(video_of(moved(STILL, 1))))[0]["shake"] < 0.005


def test_moves_begin_and_end_in_time():
    video = video_of(moved(STILL, 2), moved(STILL, 2, pan=0.4), moved(STILL, 2, zoom_ratio=1.4))
    found = [(m["kind"], m["time_s"], m["end_s"]) for m in moves(analyze(video))]
    found = [f for f in found if f[0] != "unknown"]
    assert [kind for kind, _, _ in found] == ["static", "pan_right", "zoom_in"]
    assert found[1][1:] == (pytest.approx(2, abs=0.2), pytest.approx(4, abs=0.2))


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(np.full((HEIGHT, WIDTH), 0, np.uint8), id="black"),
        pytest.param(np.full((HEIGHT, WIDTH), 255, np.uint8), id="white"),
        pytest.param(
            np.tile(np.linspace(40, 200, WIDTH).astype(np.uint8), (HEIGHT, 1)), id="gradient"
        ),
    ],
)
def test_a_picture_without_detail_tells_nothing(frame):
    noise = np.random.default_rng(0).normal(0, 1.5, (30, HEIGHT, WIDTH))
    for frames in (np.stack([frame] * 30), np.clip(frame + noise, 0, 255).astype(np.uint8)):
        result = analyze(video_of(frames))
        for second in seconds(result):
            assert second["kind"] == "unknown"
            assert second["speed"] is None
            assert second["confidence"] == 0.0


def test_pure_noise_tells_nothing():
    frames = np.random.default_rng(0).integers(0, 256, (30, HEIGHT, WIDTH), np.uint8)
    assert {second["kind"] for second in seconds(analyze(video_of(frames)))} == {"unknown"}


def test_flow_across_a_cut_is_ignored():
    other = still(7)
    video = video_of(moved(STILL, 2, pan=0.2), moved(other, 2))
    cut = {"type": "transition", "kind": "cut", "time_s": 2.0, "end_s": 2.0, "duration_s": 0.0}
    rows = [{**cut, "first_frame": 59, "last_frame": 60, "shot": 1, "confidence": 1.0}]
    for upstream in (upstream_of("cut_analysis", rows), {}):
        result = analyze(video, upstream)
        steps = [r for r in result.observations.to_pylist() if r["type"] == "step"]
        assert [s["time_s"] for s in steps if s["pan_speed"] is None] == [pytest.approx(29 / FPS)]
        kinds = [s["kind"] for s in seconds(result)]
        assert kinds == ["pan_right", "pan_right", "static", "static"]


def test_boxes_of_subjects_are_left_out():
    def crowd(i: int, frame: np.ndarray) -> None:
        # All but a strip on the left moves as one: by itself that reads as the camera.
        frame[:, 90:] = STILL[400 : 400 + HEIGHT, 600 + 6 * i : 600 + 6 * i + WIDTH - 90]

    video = video_of(moved(STILL, 2, foreground=crowd))
    assert seconds(analyze(video))[0]["kind"] == "pan_right"
    box = {"x1": 0.25, "y1": 0.0, "x2": 1.0, "y2": 1.0, "screen_share": 0.75}
    who = {"label": "person", "detected_label": "person", "track_id": 0, "confidence": 0.9}
    boxes = [{"time_s": t / 5, "frame": 6 * t, **who, **box} for t in range(10)]
    result = analyze(video, upstream_of("object_detection", boxes))
    assert [s["kind"] for s in seconds(result)] == ["static", "static"]


def test_captions_are_left_out():
    def banded(i: int, frame: np.ndarray) -> None:
        # A band that pans between two captions, as a wide picture is shown upright.
        band = frame[200:440].copy()
        frame[:] = 90
        frame[200:440] = band
        caption(i, frame)
        frame[480:600] = frame[100:220]
        frame[580:] = 90

    video = video_of(moved(STILL, 2, pan=0.1, foreground=banded))
    assert seconds(analyze(video))[0]["kind"] == "static"
    line = {"time_s": 0.0, "end_s": 2.0, "role": "caption", "x1": 0.0, "x2": 1.0}
    lines = [{**line, "y1": 0.0, "y2": 0.31}, {**line, "y1": 0.69, "y2": 1.0}]
    for second in seconds(analyze(video, upstream_of("text_overlay", lines))):
        assert second["kind"] == "pan_right"
        assert second["speed"] == pytest.approx(0.1, rel=0.2)


def test_a_fast_picture_does_not_carry_its_captions_away():
    def filled(i: int, frame: np.ndarray) -> None:
        # A wide picture over a blurred, larger copy of itself, both moving, captions over both.
        left = 600 + 16 * i
        band = STILL[800:1040, left : left + WIDTH]
        fill = cv2.GaussianBlur(cv2.resize(band, None, fx=2.7, fy=2.7), (0, 0), 18)
        frame[:] = 0.6 * fill[:HEIGHT, 300 : 300 + WIDTH]
        frame[190:450] = cv2.resize(band, (WIDTH, 260))
        caption(i, frame)

    for second in seconds(analyze(video_of(moved(STILL, 1.5, foreground=filled)))):
        assert second["kind"] == "pan_right"
        assert second["speed"] == pytest.approx(16 * FPS / WIDTH, rel=0.02)
        assert second["shake"] < 0.01


def test_a_second_move_is_named_beside_the_strongest():
    both = seconds(analyze(video_of(moved(STILL, 1, pan=0.3, tilt=0.2))))[0]
    assert (both["kind"], both["also_kind"]) == ("pan_right", "tilt_up")
    one = seconds(analyze(video_of(moved(STILL, 1, pan=0.3, tilt=0.1))))[0]
    assert (one["kind"], one["also_kind"]) == ("pan_right", None)


@pytest.mark.parametrize(
    ("kind", "travel"), [("pan_right", {"truck": 1.0}), ("zoom_in", {"dolly": 1.2})]
)
def test_a_camera_that_travels_shows_what_is_near(kind, travel):
    result = analyze(video_of(travelled(ROOM, 2, **travel)))
    for second in seconds(result):
        assert (second["kind"], second["dolly_like"]) == (kind, True)
        assert second["parallax"] > 0.1
    assert result.summary["dolly_like_ratio"] == 1.0


def test_a_camera_that_turns_on_the_spot_does_not():
    result = analyze(video_of(travelled(ROOM, 2, pan_deg=20)))
    for second in seconds(result):
        assert (second["kind"], second["dolly_like"]) == ("pan_right", False)
        assert second["parallax"] < 0.05
    assert result.summary["dolly_like_ratio"] == 0.0


@pytest.mark.parametrize("move", [{}, {"roll_deg": 20}, {"pan": 0.025}])
def test_travel_is_not_told_where_it_cannot_be(move):
    for second in seconds(analyze(video_of(moved(STILL, 1, **move)))):
        assert second["dolly_like"] is None
        assert second["parallax"] is None


def test_uneven_times_give_even_speeds():
    video = video_of(moved(STILL, 4, pan=0.3))
    kept = np.sort(np.random.default_rng(0).permutation(60)[:45])
    motion = video.motion
    uneven = MappedFrames(
        motion.times_s[kept], motion.frame_numbers[kept], np.asarray(motion.pixels)[kept]
    )
    for second in seconds(analyze(replace(video, motion=uneven))):
        assert second["pan_speed"] == pytest.approx(0.3, rel=0.05)


def test_a_single_frame_is_not_applicable():
    result = analyze(video_of(moved(STILL, 1 / FPS)))
    assert result.status == "not_applicable"
    assert "single frame" in result.reason


def test_slivers_are_not_blown_up():
    """A picture of 2 x 2000 pixels with the short side of 180 has 32 million of them."""
    rng = np.random.default_rng(7)
    frames = rng.integers(0, 256, (4, 2, 2000), np.uint8)
    tracemalloc.start()
    motions = camera_motions(
        MappedFrames(np.arange(4) / 15, np.arange(4), frames),
        lambda i: (),
        lambda i: (),
        np.zeros(3, bool),
    )
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(motions) == 3
    assert peak_bytes < 50e6


def test_twice_gives_equal_tables():
    video = video_of(moved(STILL, 2, pan=0.1, foreground=walker))
    one, two = analyze(video), analyze(video)
    assert one.observations.equals(two.observations)
    assert one.segments.equals(two.segments)


def test_the_preview_draws_the_curves():
    video = video_of(moved(STILL, 1), moved(STILL, 1, pan=0.4))
    preview = get_analyzer("camera_analysis").preview(video, analyze(video))
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    red = (picture[..., 2] > 180) & (picture[..., 1] < 100)
    assert red[:, 60:600].sum() > 100
    assert red[:200, 700:].sum() > 100
