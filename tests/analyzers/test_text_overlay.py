"""text_overlay with the real networks, on text drawn on the spot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.weights import ModelMissing
from analyzers.run import RunRecord, run_analyzer
from analyzers.text_overlay import TextOverlay
from analyzers.video import Video
from tests.analyzers.made_texts import moving_ground, still_ground, text_video, write

MIDDLE = (0.5, 0.6)


def analyze(video: Video) -> tuple[AnalysisResult, RunRecord]:
    return run_analyzer(TextOverlay(Models.embedded()), video, {})


def lines(video: Video) -> list[dict]:
    return analyze(video)[0].observations.to_pylist()


@pytest.fixture(scope="module")
def busy() -> Video:
    """Two captions, a watermark, a tilted sticker and a sign that moves with the scene."""

    def draw(time_s: float) -> np.ndarray:
        picture = moving_ground(time_s)
        picture = write(picture, "@somebody", (0.22, 0.96), size_px=13)
        picture = write(picture, "BAKERY", (0.9 - 0.25 * time_s, 0.2), size_px=34)
        picture = write(picture, "wow so good", (0.5, 0.4), size_px=34, tilt_deg=12)
        if time_s >= 1.4:
            picture = write(picture, "wait for it", MIDDLE)
            picture = write(picture, "until the end", (0.5, 0.68))
        return picture

    return text_video(draw, 4.0)


@pytest.fixture(scope="module")
def busy_result(busy: Video) -> AnalysisResult:
    return analyze(busy)[0]


def test_roles(busy_result: AnalysisResult):
    roles = {row["text"].casefold(): row["role"] for row in busy_result.observations.to_pylist()}
    assert roles["@somebody"] == "watermark"
    assert roles["wow so good"] == "sticker"
    assert roles["wait for it"] == roles["until the end"] == "caption"
    assert roles["bakery"] == "scene_text"


def test_place_tilt_and_time(busy_result: AnalysisResult):
    rows = {row["text"].casefold(): row for row in busy_result.observations.to_pylist()}
    caption = rows["wait for it"]
    assert caption["time_s"] == pytest.approx(1.4, abs=0.1)
    assert caption["end_s"] == pytest.approx(4.0, abs=0.01)
    assert (caption["x1"] + caption["x2"]) / 2 == pytest.approx(0.5, abs=0.02)
    assert (caption["y1"] + caption["y2"]) / 2 == pytest.approx(0.6, abs=0.02)
    assert rows["wow so good"]["angle_deg"] == pytest.approx(12, abs=2)
    assert caption["angle_deg"] == pytest.approx(0, abs=1)


def test_segments_join_the_text_in_reading_order(busy_result: AnalysisResult):
    segments = busy_result.segments.to_pylist()
    assert [s["caption"] for s in segments] == ["", *["wait for it until the end"] * 3]
    assert segments[3]["text"].casefold().split(" | ")[-3:] == [
        "wait for it",
        "until the end",
        "@somebody",
    ]
    assert segments[3]["word_count"] >= 10
    assert 0.1 < segments[3]["coverage_ratio"] < 0.4
    # 24 letters and blanks in 2.6 s
    assert segments[3]["reading_speed_cps"] == pytest.approx(24 / 2.6, rel=0.05)


def test_summary(busy_result: AnalysisResult):
    summary = busy_result.summary
    assert summary["watermarks"] == ["@somebody"]
    assert summary["caption_count"] == 2
    assert summary["scripts"] == ["latin"]
    assert summary["on_screen_ratio"] == 1.0
    assert summary["too_fast_ratio"] == 0.0


def test_preview_is_a_small_jpeg(busy: Video, busy_result: AnalysisResult):
    preview = TextOverlay(Models.embedded()).preview(busy, busy_result)
    assert preview.image_type == "image/jpeg"
    assert len(preview.image) <= 150_000
    sheet = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape[0] > 400


def test_the_same_video_gives_equal_tables(busy: Video, busy_result: AnalysisResult):
    again = analyze(busy)[0]
    assert again.observations.equals(busy_result.observations)
    assert again.segments.equals(busy_result.segments)
    assert again.summary == busy_result.summary


def test_words_that_follow_each_other_fast_are_all_seen():
    words = ("ALWAYS", "BETTER", "COFFEE", "DANCE", "EVERY", "FRIDAY")

    def draw(time_s: float) -> np.ndarray:
        return write(moving_ground(time_s), words[int(time_s / 0.4 + 1e-6)], MIDDLE)

    rows = lines(text_video(draw, 0.4 * len(words)))
    assert [row["text"] for row in rows] == list(words)
    for i, row in enumerate(rows):
        assert row["time_s"] == pytest.approx(0.4 * i, abs=0.1)
        assert row["end_s"] == pytest.approx(0.4 * (i + 1), abs=0.1)
        assert row["role"] == "caption"
        assert row["reading_speed_cps"] == pytest.approx(len(row["text"]) / 0.4, rel=0.3)


def test_a_fade_counts_from_a_quarter_of_full_contrast():
    def draw(time_s: float) -> np.ndarray:
        opacity = float(np.clip(time_s - 1.0, 0, 1) * np.clip(5.0 - time_s, 0, 1))
        return write(moving_ground(time_s), "slowly", MIDDLE, size_px=60, opacity=opacity)

    [row] = lines(text_video(draw, 6.0))
    assert row["text"] == "slowly"
    assert row["time_s"] == pytest.approx(1.25, abs=0.15)
    assert row["end_s"] == pytest.approx(4.75, abs=0.15)


def test_a_changed_digit_is_another_line():
    def draw(time_s: float) -> np.ndarray:
        return write(still_ground(time_s), f"Part {1 + int(time_s)} of 3", MIDDLE)

    rows = lines(text_video(draw, 3.0))
    assert [row["text"] for row in rows] == ["Part 1 of 3", "Part 2 of 3", "Part 3 of 3"]
    assert [row["time_s"] for row in rows] == pytest.approx([0, 1, 2], abs=0.1)


def test_a_still_picture_is_searched_once():
    def draw(time_s: float) -> np.ndarray:
        return write(still_ground(time_s), "nothing moves", MIDDLE)

    result, record = analyze(text_video(draw, 5.0))
    [row] = result.observations.to_pylist()
    assert (row["text"], row["time_s"], row["end_s"]) == ("nothing moves", 0.0, 5.0)
    assert row["role"] == "caption"
    assert record.models[0].calls == 2  # found once and read once


def test_no_text_is_an_answer():
    result, record = analyze(text_video(moving_ground, 2.0))
    assert result.status == "not_applicable"
    assert result.reason == "no text in any frame"
    assert result.segments["line_count"].to_pylist() == [0, 0]
    assert result.segments["text"].to_pylist() == ["", ""]
    assert record.models[0].identity.role == "ocr"


def test_a_sliver_of_a_picture_is_not_read():
    result, record = analyze(text_video(lambda _: np.zeros((2, 2000, 3), np.uint8), 1.0))
    assert result.status == "not_applicable"
    assert "less than 8 pixels" in result.reason
    assert not record.models


def test_a_video_of_one_frame():
    video = text_video(lambda _: write(still_ground(0), "just one", MIDDLE), 1 / 30)
    [row] = lines(video)
    assert (row["text"], row["time_s"]) == ("just one", 0.0)
    assert row["end_s"] == pytest.approx(1 / 30)


@pytest.mark.slow
def test_easyocr_by_configuration():
    models = Models({"ocr": ModelChoice("easyocr_english")})
    try:
        with models.lend("ocr"):
            pass
    except ModelMissing as error:
        pytest.skip(str(error))

    def draw(time_s: float) -> np.ndarray:
        return write(still_ground(time_s), "Hello world", MIDDLE)

    result, record = run_analyzer(TextOverlay(models), text_video(draw, 2.0), {})
    [row] = result.observations.to_pylist()
    assert row["text"] == "Hello world"
    assert (row["time_s"], row["end_s"]) == (0.0, 2.0)
    assert record.models[0].identity.model_id == "easyocr_english"
