"""composition_analysis against demo clips, and against crops of one man at known scales.

The scales of the clips are what the picture plainly shows: a face that fills the frame, a man and a
woman from head to foot with little room, an astronaut to her hips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from analyzers import get_analyzer
from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.video import MappedFrames, Video
from tests.accuracy.conftest import Report
from tests.accuracy.upstream import analyzed
from tests.analyzers.made_upstream import made_shots

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

Clips = Callable[[str], Video]

NAME = "composition_analysis"
#: Where the juggler stands in the picture at 2 s: crown and soles, and the middle of his body.
MAN_TOP, MAN_BOTTOM, MAN_X = 0.097, 0.957, 0.597


@pytest.mark.parametrize(
    ("clip", "scale", "placement"),
    [
        pytest.param(
            "woman_emotions_closeup", "close_up", "right_third", marks=pytest.mark.comparison
        ),
        pytest.param("juggle_man_football", "long", None, marks=pytest.mark.comparison),
        ("woman_and_dog_outdoors", "long", "left_third"),
    ],
)
def test_the_scale_and_place_of_a_clip(
    demo_video: Clips, report: Report, clip: str, scale: str, placement: str | None
) -> None:
    results, cost = analyzed(NAME, demo_video(clip))
    [row] = results[NAME].observations.to_pylist()
    report(NAME, clip, "shot scale", row["shot_scale"], scale)
    report(NAME, clip, "CPU-s per s of video", cost, "<= 0.04")
    assert row["shot_scale"] == scale
    assert cost <= 0.04
    if placement:
        report(NAME, clip, "placement", row["placement"], placement)
        assert row["placement"] == placement


@pytest.mark.comparison
def test_the_scale_of_each_shot_of_the_sample(sample_video: Video, report: Report) -> None:
    """By eye; of shots 0, 3, 4 and 6, without a figure, nothing is claimed."""
    results, _ = analyzed(NAME, sample_video)
    scales = dict(enumerate(results[NAME].observations["shot_scale"].to_pylist()))
    report(
        NAME, "sample", "scale of cyclist, portrait", f"{scales[1]}, {scales[5]}", "long, medium"
    )
    assert (scales[1], scales[5]) == ("long", "medium")


@pytest.mark.comparison
def test_an_inset_has_no_scale(demo_video: Clips, report: Report) -> None:
    """The webcam's picture stands in a corner of a screencast: its scale is not the frame's."""
    video = demo_video("webcam_hello_world_text")
    models = Models.embedded()
    results: dict[str, AnalysisResult] = {}
    for name in ("cut_analysis", "faces", "object_detection", NAME):
        results[name], _ = run_analyzer(get_analyzer(name, models), video, results)
    [row] = results[NAME].observations.to_pylist()
    report(
        NAME,
        "webcam_hello_world_text",
        "scale of a picture in the picture",
        row["shot_scale"],
        "None",
    )
    assert row["shot_scale"] is None


def framed(video: Video, share: float, headroom: float = 0.1) -> Video:
    """A second of the juggler, square, from above his head on, with this part of him in sight."""
    place = int(np.abs(video.detail.times_s - 2.0).argmin())
    picture = video.detail[place]
    height, width = picture.shape[:2]
    stature = (MAN_BOTTOM - MAN_TOP) * height
    tall = share * stature / (1 - headroom)
    top, left = MAN_TOP * height - headroom * tall, MAN_X * width - tall / 2
    rows = np.clip(np.arange(round(top), round(top + tall)), 0, height - 1)
    columns = np.clip(np.arange(round(left), round(left + tall)), 0, width - 1)
    still = cv2.resize(picture[np.ix_(rows, columns)], (360, 360), interpolation=cv2.INTER_AREA)
    rung = MappedFrames(np.arange(5) / 5, np.arange(5) * 6, np.stack([still] * 5))
    info = replace(video.info, video_id="framed", end_s=1.0, width_px=360, height_px=360)
    return replace(video, info=info, analysis=rung, detail=MappedFrames(
        rung.times_s[:1], rung.frame_numbers[:1], rung.pixels[:1]
    ))  # fmt: skip


@pytest.mark.comparison
def test_crops_of_one_man_have_the_scales_of_the_books(demo_video: Clips, report: Report) -> None:
    """To the shoulders, the chest, the waist, the knees, and whole (Drillis & Contini's levels)."""
    video = demo_video("juggle_man_football")
    models = Models.embedded()
    truth = {0.18: "close_up", 0.28: "medium_close_up", 0.43: "medium", 0.72: "medium_long",
             1.0: "long"}  # fmt: skip
    found = {}
    for share in truth:
        crop = framed(video, share)
        upstream = {"cut_analysis": made_shots(crop.grid)}
        upstream["faces"], _ = run_analyzer(get_analyzer("faces", models), crop, upstream)
        result, _ = run_analyzer(get_analyzer(NAME, models), crop, upstream)
        found[share] = result.observations["shot_scale"][0].as_py()
    right = sum(found[share] == scale for share, scale in truth.items())
    report(NAME, "crops of one man", "right scales of 5", right, "5")
    assert found == truth
