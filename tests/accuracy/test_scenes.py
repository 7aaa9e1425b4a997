"""scene_segmentation: scenes of edits made here with exact truth, and labels of the demo clips.

The edits are put together from the analysis frames of clips that have one shot each, so that every
bound, scene and view is known. Labels were given to the clips' shots by eye, from the list that the
analyzer has; `office` is the newsroom of friday_dialogue_bw.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.methods.edit.scene_labels import UNCERTAIN
from analyzers.models.lending import Models
from analyzers.registry import get_analyzer
from analyzers.run import run_analyzer
from analyzers.scene_segmentation import SceneSegmentation
from analyzers.video import MappedFrames, Video
from tests.accuracy.conftest import Report
from tests.analyzers.made_scenes import cuts
from tests.analyzers.sample_face import video_of

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

Clips = Callable[[str], Video]

#: Clips of one shot; each gives pieces from its beginning, middle and end.
SINGLE = [
    "bottles_conveyor",
    "coffee_pour_product",
    "dog_eating_pexels",
    "friday_dialogue_bw",
    "juggle_man_football",
    "letter_blocks_hands",
    "webcam_hello_world_text",
    "woman_and_dog_outdoors",
    "woman_emotions_closeup",
]
PIECE_S = 1.2
HEIGHT, WIDTH = 360, 640


class Piece(NamedTuple):
    """A shot of an edit: which clip, and where in it the piece begins, as a part of its length."""

    clip: str
    part: float


def edit(demo_video: Clips, pieces: Sequence[Piece]) -> tuple[Video, list[float]]:
    """The pieces one after the other, and their bounds in seconds."""
    count = round(PIECE_S * 5)
    pictures = []
    for piece in pieces:
        frames = demo_video(piece.clip).analysis
        first = int(piece.part * (len(frames) - count))
        for place in range(first, first + count):
            frame = frames[place]
            canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            canvas[:, : frame.shape[1]] = frame[:HEIGHT, :WIDTH]
            pictures.append(canvas)
    made = video_of(pictures[:1])
    times_s = np.arange(len(pictures)) / 5
    rung = MappedFrames(times_s, np.arange(len(pictures)) * 6, np.stack(pictures))
    detail = MappedFrames(times_s[::5], rung.frame_numbers[::5], rung.pixels[::5])
    end_s = len(pictures) / 5
    video = replace(made, info=replace(made.info, end_s=end_s), analysis=rung, detail=detail)
    return video, [n * PIECE_S for n in range(len(pieces) + 1)]


class Found(NamedTuple):
    """How an edit A-B-A-B-C-C was taken: bounds of scenes that are right, told and there."""

    right: int
    told: int
    true: int
    views: bool


def taken(demo_video: Clips, one: str, two: str, last: str) -> Found:
    pieces = [Piece(one, 0.0), Piece(two, 0.0), Piece(one, 0.5), Piece(two, 0.5)]
    pieces += [Piece(last, 0.0), Piece(last, 1.0)]
    video, bounds_s = edit(demo_video, pieces)
    analyzer = SceneSegmentation(Models.embedded())
    result, _ = run_analyzer(analyzer, video, {"cut_analysis": cuts(bounds_s)})
    shots = [row for row in result.observations.to_pylist() if row["type"] == "shot"]
    scene = np.array([row["scene"] for row in shots])
    bounds = set(np.flatnonzero(np.diff(scene)) + 1)
    views = [row["view"] for row in shots]
    return Found(
        len(bounds & {4}), len(bounds), 1, views[:4] == [0, 1, 0, 1] and views[4] == views[5] == 2
    )


def test_an_edit_a_b_a_b_c(demo_video: Clips, report: Report) -> None:
    """One edit in every run; all others in `make accuracy`."""
    found = taken(
        demo_video, "coffee_pour_product", "juggle_man_football", "webcam_hello_world_text"
    )
    report("scene_segmentation", "made edit", "ABAB CC: scene bounds right", str(found), "1, 1, 1")
    assert found == Found(1, 1, 1, True)


@pytest.mark.comparison
def test_all_edits_a_b_a_b_c(demo_video: Clips, report: Report) -> None:
    edits = [
        taken(demo_video, one, two, SINGLE[(n + 4) % len(SINGLE)])
        for n, (one, two) in enumerate(combinations(SINGLE, 2))
        if SINGLE[(n + 4) % len(SINGLE)] not in (one, two)
    ]
    right, told, true = (sum(found[i] for found in edits) for i in range(3))
    views = np.mean([found.views for found in edits])
    where = f"{len(edits)} made edits"
    report("scene_segmentation", where, "scene bounds: recall", right / true, ">= 0.9")
    report("scene_segmentation", where, "scene bounds: precision", right / told, ">= 0.9")
    report("scene_segmentation", where, "edits with all views right", float(views), ">= 0.8")
    assert right / true >= 0.9
    assert right / told >= 0.9
    assert views >= 0.8


#: What each shot may be called; a clip with one entry has it for all shots.
LABELS: dict[str, list[set[str]]] = {
    "bottles_conveyor": [set()],
    "coffee_pour_product": [{"food_and_drink"}],
    "dog_eating_pexels": [{"animals"}],
    "friday_dialogue_bw": [{"office"}],
    "juggle_man_football": [{"sport"}],
    "letter_blocks_hands": [set()],
    "nasa_webb_narrated": [set()],
    "rocket_launch_nasa": [{"launch_site"}],
    "street_bikes_taxi": [{"street"}],
    "trailer_text_overlays": [{"title_card", "landscape"}, *[{"animals"}] * 9, {"title_card"}],
    "webcam_hello_world_text": [{"screen"}],
    "woman_and_dog_outdoors": [{"animals"}],
    "woman_emotions_closeup": [{"portrait"}],
    "sample": [*[{"street"}] * 4, {"launch_site"}, {"portrait"}, {"food_and_drink"}],
}
UPSTREAM = ("cut_analysis", "object_detection", "faces", "text_overlay")


def labelled(video: Video, names: Sequence[str]) -> AnalysisResult:
    models = Models.embedded()
    results: dict[str, AnalysisResult] = {}
    for name in (*names, "scene_segmentation"):
        results[name], _ = run_analyzer(get_analyzer(name, models), video, results)
    return results["scene_segmentation"]


def judged(report: Report, clip: str, result: AnalysisResult) -> tuple[int, int, int]:
    """Scenes called right, uncertain and wrong; a scene may be called as any of its shots."""
    right = unsure = wrong = 0
    for row in result.observations.to_pylist():
        if row["type"] != "scene":
            continue
        allowed: set[str] = set()
        for shot in range(row["shot"], row["shot"] + row["shot_count"]):
            allowed |= LABELS[clip][min(shot, len(LABELS[clip]) - 1)]
        if row["label"] == UNCERTAIN:
            unsure += 1
        elif row["label"] in allowed:
            right += 1
        else:
            wrong += 1
    shown = f"{right} right, {unsure} uncertain, {wrong} wrong"
    report("scene_segmentation", clip, "labels", shown, "none wrong")
    return right, unsure, wrong


@pytest.mark.parametrize(
    "clip",
    ["coffee_pour_product", *(pytest.param(c, marks=pytest.mark.comparison) for c in LABELS
                              if c not in ("coffee_pour_product", "sample"))],
)  # fmt: skip
def test_no_label_is_wrong(demo_video: Clips, report: Report, clip: str) -> None:
    quick = clip == "coffee_pour_product"
    result = labelled(demo_video(clip), UPSTREAM[:2] if quick else UPSTREAM)
    right, _, wrong = judged(report, clip, result)
    assert wrong == 0
    if quick:
        assert right == 1


@pytest.mark.comparison
def test_sample(sample_video: Video, report: Report) -> None:
    right, _, wrong = judged(report, "sample", labelled(sample_video, UPSTREAM))
    assert wrong == 0
    assert right >= 4


@pytest.mark.comparison
def test_keyframes_show_open_eyes(demo_video: Clips, report: Report) -> None:
    """woman_emotions_closeup has her eyes shut in its first third."""
    names = ("cut_analysis", "faces", "eye_tracking")
    result = labelled(demo_video("woman_emotions_closeup"), names)
    row = result.observations.to_pylist()[0]
    shown = f"{row['keyframe_face']} at {row['keyframe_time_s']:.1f} s"
    report("scene_segmentation", "woman_emotions_closeup", "keyframe", shown, "open_eyes")
    assert row["keyframe_face"] == "open_eyes"
