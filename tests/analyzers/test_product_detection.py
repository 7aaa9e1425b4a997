"""product_detection on a public picture, with boxes and poses given."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.object_detection import ObjectDetection
from analyzers.product_detection import ProductDetection
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.analyzers.sample_face import borrowed, video_of

data = pytest.importorskip("skimage.data")
#: The cup in scikit-image's picture of a coffee, without its saucer.
CUP = (0.23, 0.05, 0.75, 0.90)


@pytest.fixture(scope="module")
def coffee() -> Video:
    return video_of([np.ascontiguousarray(data.coffee()[:360])] * 2)


def detected(video: Video, boxes: Sequence[tuple[str, float, tuple[float, ...]]]) -> AnalysisResult:
    """The same objects (label, confidence, box) in every frame, each a track."""
    rows = [
        {
            "time_s": float(time_s),
            "frame": int(frame),
            "track_id": track_id,
            "label": label,
            "detected_label": label,
            "confidence": sure,
            **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
            "screen_share": (box[2] - box[0]) * (box[3] - box[1]),
        }
        for time_s, frame in zip(video.analysis.times_s, video.analysis.frame_numbers, strict=True)
        for track_id, (label, sure, box) in enumerate(boxes)
    ]
    return AnalysisResult(
        ObjectDetection(Models({})).observations(rows), pa.table({"_": pa.nulls(0)}), {}
    )


def analyzed(
    video: Video,
    boxes: Sequence[tuple[str, float, tuple[float, ...]]],
    others: Mapping[str, AnalysisResult] | None = None,
    **settings: Any,
) -> AnalysisResult:
    borrowed("classifier")
    analyzer = ProductDetection(Models.embedded(), ProductDetection.Settings(**settings))
    upstream = {"object_detection": detected(video, boxes), **(others or {})}
    result, _ = run_analyzer(analyzer, video, upstream)
    return result


def test_a_cup_of_coffee(coffee: Video) -> None:
    result = analyzed(coffee, [("cup", 0.45, CUP)])
    [row] = result.observations.to_pylist()
    assert (row["label"], row["finer_label"], row["held"], row["brand"]) == (
        "cup", "espresso", False, None,
    )  # fmt: skip
    assert row["confidence"] > 0.8
    assert row["on_screen_s"] == pytest.approx(2.0, abs=0.01)
    assert row["evidence"] == ["object_detection/0"]
    for second in result.segments.to_pylist():
        assert (second["products"], second["main_product"]) == (["cup"], "cup")
        assert second["held_products"] == []
    assert result.summary["products"] == [
        {"label": "cup", "track_count": 1, "on_screen_s": pytest.approx(2.0), "held_s": 0.0}
    ]
    picture = ProductDetection(Models.embedded()).preview(coffee, result).image
    assert picture[:2] == b"\xff\xd8"


def test_what_the_classifier_does_not_bear_out_is_doubted(coffee: Video) -> None:
    """The same box as something else, and no surer than the detector alone was."""
    result = analyzed(coffee, [("cell phone", 0.45, CUP), ("cake", 0.45, CUP)])
    assert result.status == "not_applicable"
    assert "2 objects of such classes" in str(result.reason)
    assert result.segments["product_count"].to_pylist() == [0, 0]
    one = analyzed(coffee, [("cell phone", 0.45, CUP)])
    assert "1 object of such a class was not sure enough" in str(one.reason)


def test_people_animals_and_traffic_are_no_products(coffee: Video) -> None:
    boxes = [("person", 0.95, CUP), ("dog", 0.95, CUP), ("bus", 0.95, CUP), ("car", 0.95, CUP)]
    result = analyzed(coffee, boxes)
    assert result.status == "not_applicable"
    assert result.reason == "no product is on screen"


def test_vehicles_and_furniture_when_asked_for(coffee: Video) -> None:
    boxes = [("car", 0.95, CUP), ("couch", 0.95, CUP)]
    result = analyzed(coffee, boxes, further_kinds=("vehicles",))
    assert result.observations["label"].to_pylist() == ["car"]


def test_brand_with_its_evidence(coffee: Video) -> None:
    line = {
        "time_s": 0.0, "end_s": 2.0, "text": "Zorbo coffee", "role": "scene_text",
        "confidence": 0.9, "x1": 0.4, "y1": 0.4, "x2": 0.6, "y2": 0.5,
    }  # fmt: skip
    texts = AnalysisResult(pa.Table.from_pylist([line]), pa.table({"_": pa.nulls(0)}), {})
    video = replace(coffee, info=replace(coffee.info, metadata={"author": "Zorbo"}))
    [row] = analyzed(video, [("cup", 0.6, CUP)], {"text_overlay": texts}).observations.to_pylist()
    assert (row["text"], row["brand"]) == ("Zorbo coffee", "Zorbo")
    assert row["evidence"] == ["object_detection/0", "text_overlay/0", "metadata/author"]
    [row] = analyzed(coffee, [("cup", 0.6, CUP)], {"text_overlay": texts}).observations.to_pylist()
    assert (row["text"], row["brand"]) == ("Zorbo coffee", None)


def test_hands_without_wrists_leave_it_open(coffee: Video) -> None:
    boxes = [("cup", 0.6, CUP), ("person", 0.5, (0.6, 0.0, 1.0, 0.5))]
    [row] = analyzed(coffee, boxes).observations.to_pylist()
    assert row["held"] is None
