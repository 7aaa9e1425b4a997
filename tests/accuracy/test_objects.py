"""object_detection against the labels of the demo clips and of the sample.

A label's frames are those in which the object can be seen. A clip without cuts shows its objects
throughout, but for what is listed here; where there are cuts, the spans below say where each object
is, read off the frames by eye.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from analyzers import get_analyzer
from analyzers.base import AnalysisResult
from analyzers.models.lending import ModelChoice, Models
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.accuracy.conftest import Report

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

Clips = Callable[[str], Video]
Labels = Callable[[str], dict[str, Any]]

EMBEDDED = "yolo26n"

#: Where an object is to be seen, in seconds, if not throughout.
VISIBLE_S = {
    ("street_bikes_taxi", "person"): [(1.2, 1.85), (3.04, 3.3), (4.15, 5.48), (7.48, 8.5)],
    ("street_bikes_taxi", "car"): [(0.5, 7.48)],
    ("street_bikes_taxi", "bicycle"): [(4.15, 9.68)],
    # A bus or tram from above: nothing but its white roof.
    ("street_bikes_taxi", "bus or tram"): [(0.0, 1.2)],
    # It runs out of the picture between the two.
    ("woman_and_dog_outdoors", "dog"): [(0.0, 2.7), (3.5, 9.7)],
}
MEANT = {"bus or tram": {"bus", "train"}}
NOT_IN_COCO = {"kettle", "tree"}
OUT_OF_REACH = {
    ("street_bikes_taxi", "bus or tram"): "only its roof is seen; YOLO26m misses it too",
}
CLIPS = [
    "bottles_conveyor",
    "coffee_pour_product",
    "dog_eating_pexels",
    "friday_dialogue_bw",
    "juggle_man_football",
    "letter_blocks_hands",
    "street_bikes_taxi",
    "woman_and_dog_outdoors",
]


@dataclass(frozen=True)
class Run:
    """What came out for one file."""

    rows: list[dict[str, Any]]
    summary: Mapping[str, Any]
    times_s: list[float]


_runs: dict[tuple[str, str], Run] = {}


def analyzed(video: Video, cuts_s: list[float], model_id: str) -> Run:
    """Analyzed once for all tests, with the labelled cuts in place of cut_analysis's."""
    if (video.id, model_id) not in _runs:
        starts = [0.0, *cuts_s]
        shots = pa.table({"type": ["shot"] * len(starts), "time_s": starts})
        upstream = {"cut_analysis": AnalysisResult(shots, shots, {})}
        models = Models({"detector": ModelChoice(model_id)})
        result, _ = run_analyzer(get_analyzer("object_detection", models), video, upstream)
        rows = result.observations.to_pylist()
        _runs[video.id, model_id] = Run(rows, result.summary, video.analysis.times_s.tolist())
    return _runs[video.id, model_id]


def found_share(run: Run, labels: set[str], spans: list[tuple[float, float]]) -> float:
    """The part of the sampled frames within the spans in which one of the labels was found."""
    wanted = [t for t in run.times_s if any(start <= t < end for start, end in spans)]
    hit = {row["time_s"] for row in run.rows if row["label"] in labels}
    return sum(t in hit for t in wanted) / len(wanted)


@pytest.mark.parametrize("model_id", [EMBEDDED, "yolox_nano"])
@pytest.mark.parametrize("clip", CLIPS)
def test_labelled_objects_are_found(
    demo_video: Clips, demo_labels: Labels, report: Report, clip: str, model_id: str
) -> None:
    """The embedded model has to find them; the permissive one's figures stand beside."""
    truth = demo_labels(clip)
    run = analyzed(demo_video(clip), truth["shots"]["cut_times_s"], model_id)
    missed = []
    for label in truth["objects_present"]:
        if label in NOT_IN_COCO:
            continue
        spans = VISIBLE_S.get((clip, label), [(0.0, 1e9)])
        share = found_share(run, MEANT.get(label, {label}), spans)
        target = ">= 0.25" if model_id == EMBEDDED else "-"
        if unreachable := OUT_OF_REACH.get((clip, label)):
            target = f">= 0.25, not met: {unreachable}"
        report("object_detection", clip, f"{model_id}: frames with {label}", share, target)
        if share < 0.25 and not unreachable:
            missed.append((label, share))
    if truth.get("people_count") is not None:
        count, wanted = run.summary["people_count"], f"{truth['people_count']} by label"
        report("object_detection", clip, f"{model_id}: people at once", count, wanted)
    if model_id == EMBEDDED:
        assert not missed


@pytest.mark.parametrize(
    ("clip", "label"),
    [
        ("woman_and_dog_outdoors", "person"),
        ("woman_and_dog_outdoors", "dog"),
        ("juggle_man_football", "person"),
        ("juggle_man_football", "sports ball"),
    ],
)
@pytest.mark.parametrize("model_id", [EMBEDDED, "yolox_nano"])
def test_track_ids_do_not_change(
    demo_video: Clips, report: Report, clip: str, label: str, model_id: str
) -> None:
    """One id holds the object in all frames in which it is found.

    A shoe is at times taken for a second ball; that must not touch the ball's own track.
    """
    run = analyzed(demo_video(clip), [], model_id)
    best: dict[float, dict[str, Any]] = {}
    for row in run.rows:
        known = best.get(row["time_s"])
        if row["label"] == label and (known is None or row["confidence"] > known["confidence"]):
            best[row["time_s"]] = row
    ids = [row["track_id"] for row in best.values()]
    share = max(ids.count(i) for i in ids) / len(ids)
    report("object_detection", clip, f"{model_id}: {label} under one id", share, "1")
    assert share == 1.0


def test_sample(sample_video: Video, sample_labels: dict[str, Any], report: Report) -> None:
    """Each shot's main objects, in a quarter of the shot's frames."""
    shots = sample_labels["shots"]
    run = analyzed(sample_video, [shot["start_s"] for shot in shots[1:]], EMBEDDED)
    missed = []
    for shot in shots:
        for label in shot["objects"]:
            share = found_share(run, {label}, [(shot["start_s"], shot["end_s"])])
            where = f"{label} from {shot['start_s']:.1f} s"
            report("object_detection", "sample", f"frames with {where}", share, ">= 0.25")
            if share < 0.25:
                missed.append((where, share))
    assert not missed


def test_same_clip_same_tables(demo_video: Clips, report: Report) -> None:
    video = demo_video("street_bikes_taxi")
    analyzer = get_analyzer("object_detection", Models({"detector": ModelChoice(EMBEDDED)}))
    (one, record), (two, _) = (run_analyzer(analyzer, video, {}) for _ in range(2))
    same = (
        one.observations.equals(two.observations)
        and one.segments.equals(two.segments)
        and one.summary == two.summary
    )
    report("object_detection", "street_bikes_taxi", "equal tables twice", str(same), "True")
    assert [use.items for use in record.models] == [len(video.analysis)]
    assert same
