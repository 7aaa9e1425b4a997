"""background_segmentation: masks against composites, settings and backgrounds against labels.

The composites are made in tests/analyzers/made_composites.py, which says how their truth was made.
"""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from analyzers import get_analyzer
from analyzers.background_segmentation import BackgroundSegmentation
from analyzers.base import AnalysisResult
from analyzers.methods.picture.run_length import mask_of
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.accuracy.conftest import Report
from tests.accuracy.upstream import analyzed
from tests.analyzers.made_composites import (
    composite,
    compressed,
    filling,
    near_person,
    video_of,
    whole_person,
)

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

Clips = Callable[[str], Video]
NAME = "background_segmentation"
#: Clips and frames of their analysis rung that nobody is in.
PLACES = (
    ("street_bikes_taxi", 30),
    ("street_bikes_taxi", 48),
    ("bottles_conveyor", 3),
    ("nasa_webb_narrated", 2),
    ("rocket_launch_nasa", 5),
)
#: Cut-out, its height as a part of the frame's, and where its lower edge is.
STANDINGS = {
    "near, filling": (near_person, 0.8, 1.0),
    "near, small": (near_person, 0.45, 1.0),
    "whole, near": (whole_person, 0.7, 0.97),
    "whole, far": (whole_person, 0.35, 0.95),
}

_runs: dict[str, AnalysisResult] = {}


def place(demo_video: Clips, k: int, height_px: int = 640, width_px: int = 360) -> np.ndarray:
    clip, frame = PLACES[k]
    return filling(np.asarray(demo_video(clip).analysis[frame]), height_px, width_px)


def run(video: Video, step_s: float = 0.5) -> AnalysisResult:
    settings = BackgroundSegmentation.Settings(step_s=step_s)
    analyzer = get_analyzer(NAME, Models.embedded(), settings)
    return run_analyzer(analyzer, video, {})[0]


def person_masks(result: AnalysisResult) -> dict[float, np.ndarray]:
    """All people together, by time."""
    masks: dict[float, np.ndarray] = {}
    for row in result.observations.to_pylist():
        if row["kind"] == "object" and row["label"] == "person":
            mask = mask_of(row["mask_counts"], row["mask_height_px"], row["mask_width_px"])
            masks[row["time_s"]] = masks.get(row["time_s"], False) | mask
    return masks


def clip_run(demo_video: Clips, clip: str) -> AnalysisResult:
    """A frame every two seconds is enough to tell setting and background."""
    if clip not in _runs:
        _runs[clip] = run(demo_video(clip), step_s=2.0)
    return _runs[clip]


@pytest.mark.parametrize("standing", STANDINGS)
def test_person_mask_on_composites(demo_video: Clips, report: Report, standing: str) -> None:
    """Five backgrounds, portrait and landscape, each a picture of half a second."""
    who, height, bottom = STANDINGS[standing]
    for sides in ((640, 360), (360, 640)):
        # A near person in a landscape frame is cut to its height, in a portrait one to its width.
        height_px = height * min(sides[0], 1.6 * sides[1]) * (0.8 if who is near_person else 1)
        made = [
            composite(
                place(demo_video, k, *sides), who(), height_px, sides[1] / 2, bottom * sides[0]
            )
            for k in range(len(PLACES))
        ]
        result = run(video_of([compressed(picture) for picture, _ in made], rate_hz=2.0))
        masks = person_masks(result)
        ious = []
        for k, (_, truth) in enumerate(made):
            mask = masks.get(k / 2, np.zeros_like(truth))
            ious.append(float((mask & truth).sum() / (mask | truth).sum()))
        clip = f"composites {sides[1]}x{sides[0]}"
        report(NAME, clip, f"mask IoU, {standing}, mean", float(np.mean(ious)), ">= 0.8")
        report(NAME, clip, f"mask IoU, {standing}, worst", min(ious), "")
        assert np.mean(ious) >= 0.8


def shot(backgrounds: list[np.ndarray]) -> Video:
    """Three seconds of the near person, swaying, before backgrounds of equal lengths."""
    pictures = []
    for k in range(15):
        behind = backgrounds[k * len(backgrounds) // 15]
        sway = 14 * np.sin(k / 2)
        picture, _ = composite(behind, near_person(), 300, 180 + sway, 640)
        pictures.append(compressed(picture))
    return video_of(pictures)


def blurred(picture: np.ndarray, part: float) -> np.ndarray:
    """By a Gaussian with a standard deviation of so much of the short side."""
    return cv2.GaussianBlur(picture, (0, 0), part * min(picture.shape[:2]))


def bokeh(picture: np.ndarray, part: float) -> np.ndarray:
    """By a disc of so much of the short side, as a lens blurs."""
    side = 2 * round(part * min(picture.shape[:2]) / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)).astype(np.float32)
    return cv2.filter2D(picture, -1, disc / disc.sum())


@pytest.mark.parametrize(
    "how",
    ["gauss 1.5 %", "disc 6 %", pytest.param("gauss 3 %", marks=pytest.mark.comparison)],
)
def test_blurred_backgrounds(demo_video: Clips, report: Report, how: str) -> None:
    found = []
    for k in (0, 1, 3, 4):
        method = bokeh if how.startswith("disc") else blurred
        picture = method(place(demo_video, k), float(how.split()[1]) / 100)
        found += run(shot([picture])).segments["background"].to_pylist()
    share = found.count("blurred") / len(found)
    report(NAME, "composites", f"seconds blurred, {how}", share, ">= 0.9")
    assert share >= 0.9


def test_sharp_backgrounds_are_not_blurred(demo_video: Clips, report: Report) -> None:
    """The same pictures as they are. They do not move, so they are called still."""
    found = []
    for k in (0, 1, 3, 4):
        found += run(shot([place(demo_video, k)])).segments["background"].to_pylist()
    report(NAME, "composites", "sharp: seconds blurred or replaced", found.count("blurred")
           + found.count("replaced"), "0")  # fmt: skip
    report(NAME, "composites", "a still picture: seconds still", found.count("still") / len(found),
           "")  # fmt: skip
    assert set(found) <= {"still", "as_shot", "uncertain"}


def test_replaced_backgrounds(demo_video: Clips, report: Report) -> None:
    """A flat colour, and pictures that change behind a person who stays."""
    flat = [np.full((640, 360, 3), c, np.uint8) for c in ((30, 200, 60), (90, 120, 210))]
    found = [b for ground in flat for b in run(shot([ground])).segments["background"].to_pylist()]
    share = found.count("replaced") / len(found)
    report(NAME, "composites", "flat colour: seconds replaced", share, "1")
    assert share == 1
    found = []
    for pair in ((0, 4), (1, 3), (4, 2)):
        video = shot([place(demo_video, k) for k in pair])
        found += run(video).segments["background"].to_pylist()
    share = found.count("replaced") / len(found)
    report(NAME, "composites", "exchanged pictures: seconds replaced", share, "1")
    assert share == 1


@pytest.mark.parametrize(
    "clip",
    [
        "coffee_pour_product",
        "dog_eating_pexels",
        "friday_dialogue_bw",
        "juggle_man_football",
        "woman_and_dog_outdoors",
        "woman_emotions_closeup",
        pytest.param("bottles_conveyor", marks=pytest.mark.comparison),
        pytest.param("letter_blocks_hands", marks=pytest.mark.comparison),
        pytest.param("webcam_hello_world_text", marks=pytest.mark.comparison),
    ],
)
def test_plain_clips_have_plain_backgrounds(demo_video: Clips, report: Report, clip: str) -> None:
    """By eye no background is soft or replaced there."""
    found = clip_run(demo_video, clip).segments["background"].to_pylist()
    false = sum(b in ("blurred", "replaced") for b in found)
    report(NAME, clip, "seconds falsely blurred or replaced", false, "0")
    assert false == 0


@pytest.mark.parametrize(
    ("clip", "truth", "least"),
    [
        # What the labels say: grass, a park, outdoors, an office, a launch pad, streets.
        ("dog_eating_pexels", "outdoor", 1.0),
        ("juggle_man_football", "outdoor", 1.0),
        ("woman_and_dog_outdoors", "outdoor", 1.0),
        ("rocket_launch_nasa", "outdoor", 1.0),
        ("street_bikes_taxi", "outdoor", 0.5),
        ("friday_dialogue_bw", "indoor", 0.8),
        # By eye indoors; little shows of the room.
        ("coffee_pour_product", "indoor", 0.0),
        ("nasa_webb_narrated", "indoor", 0.0),
        pytest.param("bottles_conveyor", "indoor", 0.0, marks=pytest.mark.comparison),
    ],
)
def test_setting(demo_video: Clips, report: Report, clip: str, truth: str, least: float) -> None:
    found = clip_run(demo_video, clip).segments["setting"].to_pylist()
    right = found.count(truth) / len(found)
    wrong = 1 - right - found.count("uncertain") / len(found)
    report(NAME, clip, f"seconds {truth}", right, f">= {least}" if least else "")
    report(NAME, clip, "seconds with a wrong setting", wrong, "0")
    assert right >= least
    assert wrong == pytest.approx(0)


@pytest.mark.parametrize(
    ("clip", "label"),
    [
        ("juggle_man_football", "person"),
        ("dog_eating_pexels", "dog"),
        ("woman_emotions_closeup", "person"),
    ],
)
def test_subject(demo_video: Clips, report: Report, clip: str, label: str) -> None:
    """Who it is, by label."""
    summary = clip_run(demo_video, clip).summary
    share = summary["subject_frame_share"]
    report(NAME, clip, f"frames with a subject (the {label})", share, "1")
    assert summary["subject_label"] == label
    assert share == 1


def test_cost(demo_video: Clips, report: Report) -> None:
    _, cost = analyzed(NAME, demo_video("woman_and_dog_outdoors"))
    report(NAME, "woman_and_dog_outdoors", "CPU-s per second of video", cost, "0.05, at most 0.1")
