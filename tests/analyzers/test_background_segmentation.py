"""background_segmentation on scripted masks: rows, seconds, other results' use, preview."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers import get_analyzer
from analyzers.background_segmentation import BackgroundSegmentation
from analyzers.base import AnalysisResult
from analyzers.cut_analysis import CutAnalysis
from analyzers.methods.picture.run_length import mask_of
from analyzers.models.base import ModelIdentity
from analyzers.models.detector import COCO_LABELS
from analyzers.models.lending import Models
from analyzers.models.segmenter import Instances
from analyzers.object_detection import ObjectDetection
from analyzers.segments import SegmentGrid
from analyzers.video import Video
from tests.analyzers.made_composites import video_of

HEIGHT, WIDTH = 160, 90
#: What is in a frame: label, confidence, and left, top, right, bottom in pixels.
Thing = tuple[str, float, tuple[int, int, int, int]]
WOMAN: Thing = ("person", 0.9, (30, 60, 60, 160))
DOG: Thing = ("dog", 0.8, (62, 120, 88, 160))
CAR: Thing = ("car", 0.7, (0, 0, 20, 10))


@dataclass
class Scripted:
    """Stands in for all three networks; frames carry their number in the first pixel."""

    script: Callable[[int], Sequence[Thing]]
    resembles: tuple[str, float] = ("tench", 0.9)
    batch_size = 4
    labels = ("tench", "seashore", "bookcase")

    def __post_init__(self) -> None:
        self.identity = ModelIdentity("segmenter", "scripted", "0" * 64, "cpu", "none")
        self.asked: list[int] = []
        self.selfies = 0
        self.classified = 0

    def segment(self, frames: Sequence[np.ndarray], min_confidence: float) -> list[Instances]:
        numbers = [int(frame[0, 0, 0]) for frame in frames]
        self.asked += numbers
        return [_instances(self.script(number), min_confidence) for number in numbers]

    def mask(self, picture: np.ndarray) -> np.ndarray:
        """Everything is a person: outlines grow by what may be corrected."""
        self.selfies += 1
        return np.ones(picture.shape[:2], np.float32)

    def classify(self, pictures: Sequence[np.ndarray]) -> Any:
        self.classified += len(pictures)
        row = [0.0] * len(self.labels)
        row[self.labels.index(self.resembles[0])] = self.resembles[1]
        return type("Classified", (), {"probabilities": np.array([row] * len(pictures))})


def _instances(things: Sequence[Thing], min_confidence: float) -> Instances:
    kept = [thing for thing in things if thing[1] >= min_confidence]
    masks = np.zeros((len(kept), HEIGHT, WIDTH), bool)
    for mask, (_, _, (x1, y1, x2, y2)) in zip(masks, kept, strict=True):
        mask[y1:y2, x1:x2] = True
    boxes = np.array([box for _, _, box in kept], np.float32).reshape(-1, 4)
    return Instances(
        boxes / np.array([WIDTH, HEIGHT, WIDTH, HEIGHT], np.float32),
        np.array([sure for _, sure, _ in kept], np.float32),
        np.array([COCO_LABELS.index(label) for label, _, _ in kept], np.int64),
        masks,
    )


class Lender(Models):
    def __init__(self, model: Scripted) -> None:
        super().__init__({})
        self.model = model

    @contextmanager
    def lend(self, role: str) -> Iterator[Scripted]:
        assert role in BackgroundSegmentation.models_used
        yield self.model


def numbered_video(seconds: int = 3, seed: int = 0) -> Video:
    """Grey noise behind everything, that does not change."""
    grey = np.random.default_rng(seed).integers(60, 200, (HEIGHT, WIDTH, 1), np.uint8)
    ground = np.repeat(grey, 3, axis=2)
    pictures = [ground.copy() for _ in range(5 * seconds)]
    for k, picture in enumerate(pictures):
        picture[0, 0] = k
    return video_of(pictures)


def analyzed(
    model: Scripted,
    video: Video | None = None,
    upstream: dict[str, AnalysisResult] | None = None,
    **settings: Any,
) -> AnalysisResult:
    video = video or numbered_video()
    analyzer = BackgroundSegmentation(Lender(model), BackgroundSegmentation.Settings(**settings))
    result = analyzer.analyze(video, upstream or {})
    analyzer.check(result, video.grid)
    return result


def objects_upstream(video: Video, boxes: dict[int, list[tuple[int, Thing]]]) -> AnalysisResult:
    """object_detection's result: by place in the rung, tracks with what they show."""
    analyzer = ObjectDetection(Models({}))
    rows = [
        {
            "time_s": float(video.analysis.times_s[place]),
            "frame": int(video.analysis.frame_numbers[place]),
            "track_id": track_id,
            "label": label,
            "detected_label": label,
            "confidence": sure,
            "x1": x1 / WIDTH,
            "y1": y1 / HEIGHT,
            "x2": x2 / WIDTH,
            "y2": y2 / HEIGHT,
            "screen_share": 0.1,
        }
        for place, things in boxes.items()
        for track_id, (label, sure, (x1, y1, x2, y2)) in things
    ]
    empty = analyzer.not_applicable(video, "made")
    return AnalysisResult(analyzer.observations(rows), empty.segments, empty.summary)


def rows_of(result: AnalysisResult, kind: str) -> list[dict[str, Any]]:
    return [row for row in result.observations.to_pylist() if row["kind"] == kind]


def test_it_is_registered() -> None:
    assert isinstance(get_analyzer("background_segmentation"), BackgroundSegmentation)


def test_two_frames_a_second_are_looked_at() -> None:
    model = Scripted(lambda _: [WOMAN])
    result = analyzed(model)
    # At 5 fps the frames at or after each half second: 0, 0.6, 1.0, 1.6, 2.0, 2.6 s.
    assert model.asked == [0, 3, 5, 8, 10, 13]
    assert result.summary["sampled_frame_count"] == 6
    assert result.summary["segmented_frame_count"] == 6
    assert not result.summary["objects_known"]


def test_a_row_for_the_subject_and_one_for_each_object() -> None:
    result = analyzed(Scripted(lambda _: [WOMAN, DOG, CAR]))
    subject, *objects = [row for row in result.observations.to_pylist() if row["time_s"] == 0]
    assert (subject["kind"], subject["label"], subject["in_subject"]) == ("subject", "person", True)
    assert [(row["label"], row["in_subject"]) for row in objects] == [
        ("person", True), ("dog", False), ("car", False),
    ]  # fmt: skip
    assert [row["refined"] for row in objects] == [True, False, False]
    dog = mask_of(objects[1]["mask_counts"], HEIGHT, WIDTH)
    np.testing.assert_array_equal(dog, _instances([DOG], 0).masks[0])
    assert objects[1]["share"] == pytest.approx(26 * 40 / (HEIGHT * WIDTH))
    assert objects[1]["x1"] == pytest.approx(62 / WIDTH)
    assert objects[1]["y2"] == 1


def test_the_mask_of_the_subject_is_that_of_its_objects() -> None:
    big_dog: Thing = ("dog", 0.8, (62, 80, 88, 160))
    result = analyzed(Scripted(lambda _: [WOMAN, big_dog]))
    masks = [
        mask_of(row["mask_counts"], row["mask_height_px"], row["mask_width_px"])
        for row in result.observations.to_pylist()
        if row["time_s"] == 0
    ]
    np.testing.assert_array_equal(masks[0], masks[1] | masks[2])
    shares = {e["label"]: e["share"] for e in result.segments["class_shares"][0].as_py()}
    assert shares["person"] == pytest.approx(masks[1].mean())
    assert shares["dog"] == pytest.approx(masks[2].mean())
    assert result.segments["subject_share"][0].as_py() == pytest.approx(masks[0].mean())
    assert result.segments["background_share"][0].as_py() == pytest.approx(1 - masks[0].mean())


def test_the_selfie_network_is_only_asked_about_the_subjects_people() -> None:
    passer_by: Thing = ("person", 0.6, (0, 0, 10, 20))
    model = Scripted(lambda _: [WOMAN, passer_by, DOG])
    analyzed(model)
    assert model.selfies == 6
    model = Scripted(lambda _: [DOG])
    analyzed(model)
    assert model.selfies == 0


def test_shares_follow_the_seconds() -> None:
    result = analyzed(Scripted(lambda frame: [DOG] if frame < 5 else []), step_s=0.2)
    labels = result.segments["subject_label"].to_pylist()
    assert labels == ["dog", "dog", None]  # the second looks a quarter of a second back
    shares = result.segments["subject_share"].to_pylist()
    assert shares[0] > shares[1] > shares[2] == 0
    assert result.segments["background"].to_pylist()[2] is None
    assert result.summary["subject_frame_share"] == pytest.approx(1 / 3)


def test_frames_in_which_the_detector_saw_nothing_are_not_segmented() -> None:
    video = numbered_video()
    boxes = {place: [(7, WOMAN)] for place in (0, 3)}
    model = Scripted(lambda _: [WOMAN])
    result = analyzed(model, video, {"object_detection": objects_upstream(video, boxes)})
    assert model.asked == [0, 3]
    assert result.summary["objects_known"]
    assert result.summary["segmented_frame_count"] == 2
    assert {row["track_id"] for row in result.observations.to_pylist()} == {7}


def test_label_and_track_are_the_boxs_and_doubtful_outlines_need_one() -> None:
    video = numbered_video()
    horse = ("horse", 0.8, DOG[2])
    boxes = {place: [(3, horse)] for place in range(15)}
    faint: Thing = ("person", 0.5, (0, 0, 30, 60))
    model = Scripted(lambda _: [DOG, faint, CAR])
    result = analyzed(model, video, {"object_detection": objects_upstream(video, boxes)})
    assert {(row["label"], row["track_id"]) for row in rows_of(result, "object")} == {
        ("horse", 3), ("car", None),
    }  # fmt: skip


def test_setting_with_its_evidence() -> None:
    result = analyzed(Scripted(lambda _: [CAR], resembles=("seashore", 0.8)))
    assert result.segments["setting"].to_pylist() == ["outdoor"] * 3
    evidence = result.segments["setting_evidence"][1].as_py()
    weights = {each["evidence"]: each["weight"] for each in evidence}
    assert weights["resembles seashore"] == pytest.approx(1.2)
    assert weights["car"] == pytest.approx(0.84)
    assert result.summary["setting"] == "outdoor"
    assert analyzed(Scripted(lambda _: [])).summary["setting"] == "uncertain"
    assert analyzed(Scripted(lambda _: [], ("bookcase", 0.9))).summary["setting"] == "indoor"


def test_evidence_does_not_cross_a_cut() -> None:
    video = numbered_video(6)
    cuts = _cut_at(video, 3.0)
    model = Scripted(lambda frame: [("car", 0.9, (0, 0, 40, 30))] if frame < 15 else [])
    result = analyzed(model, video, {"cut_analysis": cuts})
    assert result.segments["setting"].to_pylist() == ["outdoor"] * 3 + ["uncertain"] * 3
    # Asked every two seconds and where a shot begins: 0, 2, 3 and 5 s.
    assert model.classified == 4


def _cut_at(video: Video, time_s: float) -> AnalysisResult:
    analyzer = CutAnalysis(Models({}))
    empty = analyzer.not_applicable(video, "made")
    shot = {c.name: None for c in analyzer.observation_columns}
    rows = [{**shot, "type": "shot", "time_s": start_s} for start_s in (0.0, time_s)]
    return AnalysisResult(analyzer.observations(rows), empty.segments, empty.summary)


def test_a_flat_ground_behind_somebody_is_replaced() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    pictures = []
    for k in range(15):
        picture = np.full((HEIGHT, WIDTH, 3), (30, 180, 60), np.uint8)
        picture[60:, 30:60] = noise[60:, 30:60]
        picture[0, 0] = k
        pictures.append(picture)
    result = analyzed(Scripted(lambda _: [WOMAN]), video_of(pictures))
    assert result.segments["background"].to_pylist() == ["replaced"] * 3
    assert result.summary["background"] == "replaced"


def test_a_ground_that_never_changes_behind_one_who_moves_is_still() -> None:
    video = numbered_video()
    pictures = [np.array(video.analysis[k]) for k in range(15)]
    for k, picture in enumerate(pictures):
        picture[60:, 30:60] = np.random.default_rng(k).integers(0, 255, (100, 30, 3), np.uint8)
    result = analyzed(Scripted(lambda _: [WOMAN]), video_of(pictures))
    assert result.segments["background"].to_pylist() == ["still"] * 3
    assert result.segments["background_change"][0].as_py() == pytest.approx(0, abs=0.1)


def test_the_same_file_gives_the_same_tables() -> None:
    first, second = (analyzed(Scripted(lambda _: [WOMAN, DOG])) for _ in range(2))
    assert first.observations.equals(second.observations)
    assert first.segments.equals(second.segments)


def test_a_single_frame() -> None:
    video = numbered_video(1)
    one = video_of([np.array(video.analysis[0])])
    assert len(one.grid) == 1
    result = analyzed(Scripted(lambda _: [WOMAN]), one)
    assert result.segments["subject_label"].to_pylist() == ["person"]


@pytest.mark.parametrize("things", [[WOMAN, DOG, CAR], []])
def test_preview_is_a_picture_of_the_frames(things: list[Thing]) -> None:
    video = numbered_video()
    model = Scripted(lambda _: things)
    result = analyzed(model, video)
    preview = BackgroundSegmentation(Lender(model)).preview(video, result)
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    # Eight tiles in two lines of four, each of 90,000 pixels.
    assert picture.shape == (800, 900, 3)


def test_segments_cover_every_second() -> None:
    video = numbered_video(4)
    result = analyzed(Scripted(lambda _: []), video)
    assert result.status == "ok"
    assert result.segments.num_rows == len(SegmentGrid("made", 4.0))
