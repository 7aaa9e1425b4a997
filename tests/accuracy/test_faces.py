"""faces, and what is judged of them, against the demo clips' labels and the sample's portrait.

Only faces are labelled, one sequence of emotions and two people; what has no label is measured on
the portrait, turned, mirrored, shrunk or blurred by a known amount.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
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

#: Clips in which no face can be seen, as their labels or their pictures say.
FACELESS = (
    "bottles_conveyor",
    "coffee_pour_product",
    "dog_eating_pexels",
    "letter_blocks_hands",
    "rocket_launch_nasa",
)
#: Least part of the sampled frames in which the one labelled face is found. The two outdoors look
#: down or away for some of the time.
FACE_SHARE = {
    "woman_emotions_closeup": 0.95,
    "webcam_hello_world_text": 0.95,
    "juggle_man_football": 0.9,
    "woman_and_dog_outdoors": 0.6,
}
_results: dict[tuple[str, str], AnalysisResult] = {}


def analyzed(name: str, video: Video, cuts_s: list[float]) -> AnalysisResult:
    """Analyzed once for all tests, with the labelled cuts in place of cut_analysis's."""
    if (name, video.id) not in _results:
        starts = [0.0, *cuts_s]
        shots = pa.table({"type": ["shot"] * len(starts), "time_s": starts})
        analyzer = get_analyzer(name, Models.embedded())
        upstream = {"cut_analysis": AnalysisResult(shots, shots, {})}
        upstream |= {need: analyzed(need, video, cuts_s) for need in analyzer.requires}
        _results[name, video.id] = run_analyzer(analyzer, video, upstream)[0]
    return _results[name, video.id]


def cuts_of(labels: dict[str, Any]) -> list[float]:
    return labels.get("shots", {}).get("cut_times_s", [])


@pytest.mark.parametrize("clip", FACELESS)
def test_no_face_where_there_is_none(demo_video: Clips, report: Report, clip: str) -> None:
    summary = analyzed("faces", demo_video(clip), []).summary
    report("faces", clip, "tracks believed", summary["track_count"], "0")
    report("faces", clip, "tracks rejected", summary["rejected_track_count"], "-")
    assert summary["track_count"] == 0


@pytest.mark.parametrize("clip", FACE_SHARE)
def test_the_labelled_face_is_found(demo_video: Clips, report: Report, clip: str) -> None:
    """Exactly one at a time, in nearly all frames, under one id where it is never lost."""
    result = analyzed("faces", demo_video(clip), [])
    target = FACE_SHARE[clip]
    share = result.summary["face_frame_share"]
    report("faces", clip, "frames with the face", share, f">= {target}")
    report("faces", clip, "faces at once", result.summary["face_count"], "1")
    report("faces", clip, "tracks", result.summary["track_count"], "1 at best")
    assert share >= target
    assert result.summary["face_count"] == 1


def test_faces_of_the_old_film(demo_video: Clips, report: Report) -> None:
    """Three women; the one in front never shows more than a cheek and is not found."""
    count = analyzed("faces", demo_video("friday_dialogue_bw"), []).summary["face_count"]
    report("faces", "friday_dialogue_bw", "faces at once", count, "3 by label, 2 from the front")
    assert count == 2


def test_street_signs_are_no_faces(demo_video: Clips, demo_labels: Labels, report: Report) -> None:
    """People's faces are there from 1.2 to 1.8 s and from 3 to 5.5 s, read off the frames."""
    cuts_s = cuts_of(demo_labels("street_bikes_taxi"))
    result = analyzed("faces", demo_video("street_bikes_taxi"), cuts_s)
    wrong = [
        row["time_s"]
        for row in result.observations.to_pylist()
        if not (1.2 <= row["time_s"] < 1.8 or 3.0 <= row["time_s"] < 5.5)
    ]
    report("faces", "street_bikes_taxi", "faces where nobody is", len(wrong), "0")
    assert not wrong


def test_portrait_of_the_sample(
    sample_video: Video, sample_labels: dict[str, Any], report: Report
) -> None:
    """The astronaut, from 11 s to the middle of the dissolve into the coffee."""
    shots = sample_labels["shots"]
    result = analyzed("faces", sample_video, [shot["start_s"] for shot in shots[1:]])
    times_s = [t for t in sample_video.analysis.times_s if 11.0 <= t < 15.0]
    rows = [r for r in result.observations.to_pylist() if 11.0 <= r["time_s"] < 15.0]
    share = len({r["time_s"] for r in rows}) / len(times_s)
    report("faces", "sample", "frames with the portrait's face", share, "1")
    assert share == 1.0
    assert len(rows) == len(times_s)
    assert len({r["track_id"] for r in rows}) == 1


def test_emotions_go_from_sad_to_happy(demo_video: Clips, report: Report) -> None:
    """The label: sad or crying in the first third, happy in the last."""
    clip = "woman_emotions_closeup"
    result = analyzed("face_emotion", demo_video(clip), [])
    verdicts = [s["emotion"] for s in result.segments.to_pylist()]
    third = len(verdicts) // 3
    sad = verdicts[:third].count("sad") / third
    happy = verdicts[-third:].count("happy") / third
    report("face_emotion", clip, "seconds of the first third that are sad", sad, ">= 0.8")
    report("face_emotion", clip, "seconds of the last third that are happy", happy, ">= 0.8")
    report("face_emotion", clip, "valence, first third", result.summary["first_valence"], "< 0")
    report("face_emotion", clip, "valence, last third", result.summary["last_valence"], "> 0")
    assert sad >= 0.8
    assert happy >= 0.8
    assert "happy" not in verdicts[:third]
    assert "sad" not in verdicts[-third:]
    assert result.summary["first_valence"] < 0 < result.summary["last_valence"]


def test_the_portrait_smiles(
    sample_video: Video, sample_labels: dict[str, Any], report: Report
) -> None:
    shots = sample_labels["shots"]
    result = analyzed("face_emotion", sample_video, [shot["start_s"] for shot in shots[1:]])
    verdicts = [s["emotion"] for s in result.segments.to_pylist()[11:15]]
    report(
        "face_emotion", "sample", "portrait's seconds that are happy", verdicts.count("happy"), "4"
    )
    assert verdicts == ["happy"] * 4
