import dataclasses
import json

import cv2
import numpy as np
import pytest

from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.temporal_flow import TemporalFlow
from analyzers.video import MappedFrames
from tests.analyzers.made import made_video
from tests.analyzers.made_results import cut, line, made_result, not_applicable, words


def analyzed(video, **upstream):
    return run_analyzer(TemporalFlow(Models({})), video, upstream)[0]


def _shown(video, pictures):
    count = len(pictures)
    motion = MappedFrames(np.arange(count) / 15, np.arange(count) * 2, np.stack(pictures))
    return dataclasses.replace(video, motion=motion)


def test_with_nothing_but_the_pictures_there_is_a_story():
    video = made_video(6)
    result = analyzed(video)
    assert result.status == "ok"
    assert result.summary["channels"] == ["motion"]
    assert result.summary["missing"] == sorted(TemporalFlow.optional)
    assert result.observations["part"].to_pylist()[0] == "hook"
    assert all(v is None for v in result.segments["loudness"].to_pylist())
    json.dumps(dict(result.summary))


def test_silence_is_not_missing():
    video = made_video(6)
    silent = {n: not_applicable(n, video) for n in ("audio_analysis", "voices", "speech_rate")}
    result = analyzed(video, **silent)
    assert result.summary["not_applicable"] == sorted(silent)
    assert not set(silent) & set(result.summary["missing"])
    assert result.segments["loudness"].to_pylist() == [0] * 6


def test_the_parts_are_in_the_segments():
    video = made_video(12)
    result = analyzed(
        video,
        cut_analysis=made_result("cut_analysis", video.grid, [cut(1.0)]),
        text_overlay=made_result("text_overlay", video.grid, [line("Follow me", 9.0, 12.0)]),
        speech_transcription=made_result(
            "speech_transcription", video.grid, words("Hello there", 0.2, 1.2)
        ),
    )
    parts = result.segments["part"].to_pylist()
    assert parts[:3] == ["hook"] * 3
    assert parts[9:] == ["call_to_action"] * 3
    hook = result.observations.to_pylist()[0]
    assert "cut_analysis/0" in hook["evidence"]
    assert "speech_transcription/1" in hook["evidence"]
    assert result.summary["parts"] == ["hook", "call_to_action"]


@pytest.mark.parametrize(("returns", "loops"), [(True, True), (False, False)])
def test_a_picture_that_comes_back_loops(returns, loops):
    wide = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (120, 900), np.uint8), (0, 0), 9
    )
    wide = cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX)
    there = [round(150 * np.sin(np.pi * i / 89)) if returns else 5 * i for i in range(90)]
    video = _shown(made_video(6), [wide[:, x : x + 160] for x in there])
    assert ("loop" in analyzed(video).summary["parts"]) == loops


def test_a_jump_like_the_fastest_half_second_is_no_loop():
    """The same place, but what moves in it is elsewhere at the end."""
    ground = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (120, 160), np.uint8), (0, 0), 9
    )
    ground = cv2.normalize(ground, None, 0, 255, cv2.NORM_MINMAX)
    pictures = []
    for i in range(90):
        picture = ground.copy()
        # It rests for a second at a time, then moves on quickly.
        left = 10 + 15 * (i // 15) + min(15, 3 * (i % 15))
        picture[60:80, left : left + 12] = 0
        pictures.append(picture)
    assert "loop" not in analyzed(_shown(made_video(6), pictures)).summary["parts"]


def test_one_picture_is_enough():
    video = _shown(made_video(0.05), [np.zeros((120, 160), np.uint8)])
    result = analyzed(video)
    assert result.observations["part"].to_pylist() == ["hook"]


def test_preview_is_a_picture_and_a_table():
    video = made_video(6)
    preview = TemporalFlow(Models({})).preview(video, analyzed(video))
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 900
    assert "hook" in preview.markdown
