"""Detectors: letterbox geometry, both families on a real picture, runtimes against each other."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.detector import (
    COCO_LABELS,
    Detections,
    Detector,
    Letterbox,
    Yolo,
    YoloX,
    load_yolo,
    load_yolox,
)
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.weights import ModelMissing

IDENTITY = ModelIdentity("detector", "made", "0" * 64, "cpu", "openvino")
CHOICE = ModelChoice("made")


def borrowed(model_id: str, runtime: str = "auto") -> Detector:
    models = Models({"detector": ModelChoice(model_id, runtime=runtime)})
    try:
        with models.lend("detector") as detector:
            return detector
    except ModelMissing as missing:
        pytest.skip(str(missing))


def made(family: type[Detector]) -> Detector:
    """A detector without a network, for what happens before and after it."""
    return Yolo(IDENTITY, np.zeros_like, 8) if family is Yolo else YoloX(IDENTITY, np.zeros_like)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """A woman in a space suit, 512x512: her head and shoulders, a flag, a model of a shuttle."""
    return skimage.data.astronaut()


def iou(a: np.ndarray, b: np.ndarray) -> float:
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


def test_labels_are_the_80_of_coco() -> None:
    assert len(COCO_LABELS) == len(set(COCO_LABELS)) == 80
    assert (COCO_LABELS[0], COCO_LABELS[32], COCO_LABELS[79]) == (
        "person",
        "sports ball",
        "toothbrush",
    )


@pytest.mark.parametrize("family", [Yolo, YoloX])
@pytest.mark.parametrize(("height", "width"), [(360, 640), (640, 360), (360, 360), (360, 848)])
def test_letterbox_keeps_relative_places(family: type[Detector], height: int, width: int) -> None:
    """A white patch is found where it was put, whatever the picture's shape."""
    box = made(family)._letterbox(height, width)
    picture = np.zeros((height, width, 3), np.uint8)
    wanted = np.array([0.25, 0.5, 0.75, 0.75], np.float32)
    x1, y1, x2, y2 = np.rint(wanted * [width, height, width, height]).astype(int)
    picture[y1:y2, x1:x2] = 255

    fitted = box.fit(picture)

    assert fitted.shape[:2] == box.padded
    assert all(side % 32 == 0 for side in fitted.shape[:2])
    rows, columns = np.nonzero(fitted[..., 0] > 200)
    corners = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(box.relative(np.array([corners], np.float32))[0], wanted, atol=0.004)


def test_letterbox_costs_no_more_than_it_must() -> None:
    assert made(Yolo)._letterbox(360, 640).padded == (384, 640)
    assert made(Yolo)._letterbox(640, 360).padded == (640, 384)


def test_boxes_are_cut_at_the_edges_of_the_picture() -> None:
    box = Letterbox((360, 640), (360, 640), (384, 640), 12, 0)
    found = box.relative(np.array([[-20, 0, 700, 384]], np.float32))
    np.testing.assert_array_equal(found, [[0, 0, 1, 1]])
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("model_id", "runtime", "least"),
    [
        ("yolo26n", "openvino", 0.8),
        ("yolo26n", "torch", 0.8),
        ("yolox_nano", "onnxruntime", 0.6),
    ],
)
def test_finds_the_person(portrait: np.ndarray, model_id: str, runtime: str, least: float) -> None:
    detector = borrowed(model_id, runtime)
    with usage_log() as log:
        [found] = detector.detect([portrait], 0.25)
    assert COCO_LABELS[found.class_ids[0]] == "person"
    assert found.confidence[0] >= least
    # By eye: from her hair to the lower edge, and from sleeve to sleeve.
    assert iou(found.boxes[0], np.array([0.03, 0.03, 0.71, 1.0])) > 0.9
    assert np.all(np.diff(found.confidence) <= 0)
    assert [(use.calls, use.items) for use in log.uses] == [(1, 1)]
    assert log.uses[0].identity.runtime.startswith(runtime)


def test_yolox_wants_bgr() -> None:
    """Red must come in last: a swap costs it accuracy without any error."""
    red = np.zeros((416, 416, 3), np.uint8)
    red[..., 0] = 255
    seen = made(YoloX)._batch([red])
    assert seen.shape == (1, 3, 416, 416)
    assert [float(seen[0, c, 0, 0]) for c in range(3)] == [0.0, 0.0, 255.0]


def test_yolo_wants_rgb_from_0_to_1() -> None:
    red = np.zeros((384, 640, 3), np.uint8)
    red[..., 0] = 255
    seen = made(Yolo)._batch([red])
    assert [float(seen[0, c, 0, 0]) for c in range(3)] == [1.0, 0.0, 0.0]


def test_torch_and_openvino_see_the_same_boxes(portrait: np.ndarray) -> None:
    """OpenVINO may compute in bfloat16; boxes and scores must agree all the same."""
    pictures = [portrait, portrait[:, ::-1].copy()]
    exact = borrowed("yolo26n", "torch").detect(pictures, 0.3)
    fast = borrowed("yolo26n", "openvino").detect(pictures, 0.2)
    assert sum(map(len, exact)) >= 2
    for one, other in zip(exact, fast, strict=True):
        for box, sure, class_id in zip(one.boxes, one.confidence, one.class_ids, strict=True):
            matches = [
                (iou(box, other.boxes[k]), abs(sure - other.confidence[k]))
                for k in range(len(other))
                if other.class_ids[k] == class_id
            ]
            overlap, difference = max(matches)
            assert overlap > 0.9
            assert difference < 0.05


def test_pictures_of_a_batch_do_not_touch_each_other(portrait: np.ndarray) -> None:
    detector = borrowed("yolo26n", "openvino")
    dark = np.zeros_like(portrait)
    together = detector.detect([dark, portrait], 0.25)
    [alone] = detector.detect([portrait], 0.25)
    assert len(together[0]) == 0
    np.testing.assert_allclose(together[1].boxes, alone.boxes, atol=0.01)


def test_nothing_in_an_empty_picture() -> None:
    for model_id in ("yolo26n", "yolox_nano"):
        [found] = borrowed(model_id).detect([np.full((640, 360, 3), 127, np.uint8)], 0.25)
        assert isinstance(found, Detections)
        assert found.boxes.shape == (0, 4)


def test_openvino_refuses_a_gpu() -> None:
    identity = ModelIdentity("detector", "made", "0" * 64, "cuda:0", "openvino")
    with pytest.raises(ValueError, match="OpenVINO runs here on the CPU, not on cuda:0"):
        load_yolo(identity, {"openvino": Path("none")}, CHOICE)


def test_unknown_runtime_is_named() -> None:
    identity = ModelIdentity("detector", "made", "0" * 64, "cpu", "abacus")
    with pytest.raises(ValueError, match="cannot run in 'abacus'; choose one of openvino"):
        load_yolox(identity, {}, CHOICE)


def test_a_sliver_keeps_a_pixel() -> None:
    box = Letterbox.centred(2000, 1, 576)
    assert box.scaled == (576, 1)
    assert box.fit(np.zeros((2000, 1, 3), np.uint8)).shape == (576, 32, 3)
