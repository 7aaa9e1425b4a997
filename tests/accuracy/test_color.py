"""color_analysis against what the demo clips' labels say of colour."""

from collections.abc import Callable
from typing import Any

import pytest

from analyzers import get_analyzer
from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.accuracy.conftest import Report

pytestmark = pytest.mark.accuracy

Clips = Callable[[str], Video]
Labels = Callable[[str], dict[str, Any]]

#: Clips in colour, as one sees at a glance; none of them may read as without or of one colour.
IN_COLOUR = (
    "bottles_conveyor",
    "coffee_pour_product",
    "dog_eating_pexels",
    "juggle_man_football",
    "letter_blocks_hands",
    "rocket_launch_nasa",
    "street_bikes_taxi",
    "woman_and_dog_outdoors",
    "woman_emotions_closeup",
)
TONED = {"black_and_white", "sepia", "tinted"}


def analyzed(video: Video) -> AnalysisResult:
    result, _ = run_analyzer(get_analyzer("color_analysis", Models({})), video, {})
    return result


def grades(video: Video) -> dict[int, set[str]]:
    """By second, every grade that applies."""
    rows = analyzed(video).segments.to_pylist()
    return {row["segment"]: set(row["grades"]) for row in rows}


def test_black_and_white(demo_video: Clips, demo_labels: Labels, report: Report) -> None:
    clip = "friday_dialogue_bw"
    assert demo_labels(clip)["is_black_and_white"] is True
    found = grades(demo_video(clip))
    share = sum("black_and_white" in of_second for of_second in found.values()) / len(found)
    report("color_analysis", clip, "seconds read as black and white", share, "1")
    assert share == 1.0


def test_sepia_where_it_is_and_nowhere_else(
    demo_video: Clips, demo_labels: Labels, report: Report
) -> None:
    """The labelled span begins with a dissolve of 1.5 s and ends with a fade of 1 s: a second
    counts that lies, with the quarter second that is seen around it, between these two.
    """
    clip = "trailer_text_overlays"
    start_s, end_s = demo_labels(clip)["sepia_shot_s"]
    found = {s for s, of_second in grades(demo_video(clip)).items() if "sepia" in of_second}
    pure = {s for s in range(60) if s - 0.25 >= start_s + 1.5 and s + 1.25 <= end_s - 1.0 + 0.11}
    touched = {s for s in range(60) if s < end_s and s + 1 > start_s}
    hit = len(found & pure) / len(pure)
    report("color_analysis", clip, f"sepia in seconds {sorted(pure)}", hit, "1")
    report("color_analysis", clip, "seconds of sepia elsewhere", len(found - touched), "0")
    assert hit == 1.0
    assert found <= touched


def test_colour_is_not_taken_for_toned(demo_video: Clips, report: Report) -> None:
    wrong = {}
    for clip in IN_COLOUR:
        found = grades(demo_video(clip))
        wrong[clip] = sum(bool(of_second & TONED) for of_second in found.values())
        report("color_analysis", clip, "seconds read as toned or grey", wrong[clip], "0")
    assert not any(wrong.values())


def test_same_clip_same_tables(demo_video: Clips, report: Report) -> None:
    video = demo_video("street_bikes_taxi")
    one, two = analyzed(video), analyzed(video)
    same = (
        one.observations.equals(two.observations)
        and one.segments.equals(two.segments)
        and one.summary == two.summary
    )
    report("color_analysis", "street_bikes_taxi", "equal tables twice", str(same), "True")
    assert same
