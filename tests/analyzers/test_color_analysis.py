"""color_analysis on synthetic videos of known colours: rows, seconds, grades, moods, preview."""

import json
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.color_analysis import ColorAnalysis
from analyzers.models.lending import Models
from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

Paint = Callable[[int], np.ndarray]
HEIGHT, WIDTH = 180, 320


def flat(*rgb: int) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), rgb, np.uint8)


def ramp(dark: tuple[int, ...], bright: tuple[int, ...]) -> np.ndarray:
    """From one colour at the left to another at the right."""
    across = np.linspace(0, 1, WIDTH)[None, :, None]
    row = np.array(dark) * (1 - across) + np.array(bright) * across
    return np.repeat(row, HEIGHT, axis=0).astype(np.uint8)


def scenery(seed: int = 0) -> np.ndarray:
    """A picture with many colours and all tones."""
    rng = np.random.default_rng(seed)
    return cv2.resize(
        rng.integers(0, 256, (9, 16, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
    )


def in_sepia(picture: np.ndarray) -> np.ndarray:
    """The usual sepia matrix of picture editors."""
    matrix = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]
    return (picture.astype(float) @ np.array(matrix).T).clip(0, 255).astype(np.uint8)


def video_of(paint: Paint, end_s: float = 3.0) -> Video:
    count = round(end_s * 5)
    rung = MappedFrames(
        np.arange(count) / 5, np.arange(count) * 6, np.stack([paint(i) for i in range(count)])
    )
    return replace(made_video(end_s=end_s), analysis=rung)


def analyze(paint: Paint, end_s: float = 3.0) -> tuple[AnalysisResult, Video]:
    video = video_of(paint, end_s)
    analyzer = ColorAnalysis(Models({}))
    result = analyzer.analyze(video, {})
    analyzer.check(result, video.grid)
    json.dumps(result.summary)  # plain JSON, no NumPy numbers
    return result, video


def grade_of(picture: np.ndarray) -> str:
    return str(analyze(lambda i: picture, end_s=1.0)[0].summary["grade"])


def test_a_row_for_every_frame_and_a_segment_for_every_second() -> None:
    result, video = analyze(lambda i: scenery(i))
    assert result.observations["time_s"].to_pylist() == video.analysis.times_s.tolist()
    assert result.observations["frame"].to_pylist() == video.analysis.frame_numbers.tolist()
    assert result.segments.num_rows == 3
    assert result.summary["sampled_frame_count"] == 15


def test_palette_changes_with_the_picture() -> None:
    result, _ = analyze(lambda i: flat(216, 30, 30) if i < 7 else flat(36, 80, 200), end_s=4.0)
    palettes = result.segments["palette"].to_pylist()
    assert [colour["name"] for colour in palettes[0]] == ["red"]
    assert {colour["name"] for colour in palettes[1]} == {"red", "blue"}
    assert [colour["name"] for colour in palettes[3]] == ["blue"]
    whole = {colour["name"]: colour["share"] for colour in result.summary["palette"]}
    assert whole == {"blue": pytest.approx(13 / 20), "red": pytest.approx(7 / 20)}


def test_temperature_and_tone_order_warm_to_cool() -> None:
    seconds = [flat(230, 170, 110), flat(200, 200, 200), flat(185, 202, 230)]
    result, _ = analyze(lambda i: seconds[min(2, i // 5)])
    rows = result.observations.to_pylist()
    kelvin = [rows[i]["color_temperature_k"] for i in (0, 7, 14)]
    assert kelvin == sorted(kelvin)
    assert kelvin[1] == pytest.approx(6504, abs=20)
    assert [analyze(lambda i, p=p: p)[0].summary["tone"] for p in seconds] == [
        "warm",
        "neutral",
        "cool",
    ]


def test_clipping_is_measured() -> None:
    picture = flat(128, 128, 128)
    picture[:45] = 0
    picture[135:144] = 255
    result, _ = analyze(lambda i: picture)
    assert result.summary["shadows_crushed_share"] == pytest.approx(0.25, abs=0.01)
    assert result.summary["highlights_blown_share"] == pytest.approx(0.05, abs=0.01)


def test_clipping_is_measured_at_full_resolution() -> None:
    """Single blown pixels vanish in a reduced picture."""
    picture = flat(40, 40, 40)
    picture[::4, ::4] = 255
    result, _ = analyze(lambda i: picture)
    assert result.summary["highlights_blown_share"] == pytest.approx(1 / 16, abs=0.001)


@pytest.mark.parametrize(
    ("picture", "grade"),
    [
        (flat(2, 2, 2), "black"),
        (np.repeat(scenery().mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8),
         "black_and_white"),
        (in_sepia(scenery()), "sepia"),
        (ramp((10, 20, 60), (150, 190, 255)), "tinted"),
        (ramp((0, 70, 80), (0, 140, 150)) // 2 + ramp((0, 0, 0), (240, 150, 60)) // 2, "natural"),
        (np.hstack([ramp((5, 60, 75), (20, 130, 150))[:, :160],
                    ramp((120, 60, 20), (250, 170, 100))[:, :160]]), "teal_orange"),
        (ramp((150, 140, 145), (255, 250, 245)), "high_key"),
        (np.hstack([flat(16, 14, 18)[:, :280], flat(200, 150, 120)[:, :40]]), "low_key"),
        (ramp((70, 60, 66), (180, 176, 160)), "faded"),
        (scenery(), "vivid"),
        (ramp((30, 38, 40), (200, 205, 190)), "muted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_grades(picture: np.ndarray, grade: str) -> None:
    assert grade_of(picture) == grade


def test_the_evidence_of_a_grade_is_in_figures() -> None:
    result, _ = analyze(lambda i: in_sepia(scenery(i)))
    [sepia] = [g for g in result.summary["grades"] if g["grade"] == "sepia"]
    assert sepia["share"] == 1.0
    assert "concentration 0.99" in sepia["evidence"]
    assert result.segments["grade_evidence"].to_pylist()[0] == sepia["evidence"]


def test_moods_follow_brightness_and_saturation() -> None:
    """Valdez & Mehrabian: bright is pleasant, saturated stirs, and dark stirs more than bright."""
    moods = {
        name: analyze(lambda i, rgb=rgb: flat(*rgb), end_s=1.0)[0].summary["mood"]
        for name, rgb in {
            "bright and pale": (235, 230, 225),
            "bright and strong": (255, 190, 20),
            "dark and grey": (40, 40, 42),
            "dark and strong": (90, 5, 10),
            "ordinary": (118, 127, 94),
        }.items()
    }
    assert moods == {
        "bright and pale": "serene",
        "bright and strong": "lively",
        "dark and grey": "gloomy",
        "dark and strong": "tense",
        "ordinary": "neutral",
    }


def test_a_black_video_has_an_answer() -> None:
    result, _ = analyze(lambda i: flat(0, 0, 0))
    assert result.summary["grade"] == "black"
    assert result.summary["color_temperature_k"] is None
    assert result.summary["harmony"] == "achromatic"
    assert [colour["hex"] for colour in result.summary["palette"]] == ["#000000"]


def test_a_held_picture_is_in_every_second() -> None:
    """Three frames over ten seconds, as some files have them."""
    rung = MappedFrames(
        np.array([0.0, 0.2, 8.0]), np.array([0, 1, 2]), np.stack([flat(216, 30, 30)] * 3)
    )
    video = replace(made_video(end_s=10.0), analysis=rung)
    analyzer = ColorAnalysis(Models({}))
    result = analyzer.analyze(video, {})
    analyzer.check(result, video.grid)
    names = [[c["name"] for c in colours] for colours in result.segments["palette"].to_pylist()]
    assert names == [["red"]] * 10


def test_same_input_same_tables() -> None:
    one, _ = analyze(lambda i: scenery(i))
    two, _ = analyze(lambda i: scenery(i))
    assert one.observations.equals(two.observations)
    assert one.segments.equals(two.segments)
    assert one.summary == two.summary


@pytest.mark.parametrize("portrait", [False, True])
def test_preview_shows_the_palette_over_time(portrait: bool) -> None:
    def paint(i: int) -> np.ndarray:
        picture = flat(216, 30, 30) if i < 8 else flat(36, 80, 200)
        return np.rot90(picture).copy() if portrait else picture

    result, video = analyze(paint)
    preview = ColorAnalysis(Models({})).preview(video, result)
    assert len(preview.image) < 150_000
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR_RGB)
    swatches = picture[-80]
    assert picture.shape[1] > 900
    reds = (swatches[:, 0] > 180) & (swatches[:, 2] < 90)
    blues = (swatches[:, 2] > 160) & (swatches[:, 0] < 90)
    assert reds.sum() > 60
    assert blues.sum() > 60
