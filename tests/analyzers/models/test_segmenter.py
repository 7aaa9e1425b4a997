"""The segmentation and the selfie network: reading of outputs, real pictures, runtimes."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data

from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.detector import COCO_LABELS, Letterbox
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.segmenter import Segmenter, _decode, load_yolo_seg
from analyzers.models.weights import ModelMissing
from tests.analyzers.made_composites import composite, filling, near_person


def borrowed(role: str, model: str, runtime: str = "auto") -> Any:
    models = Models({role: ModelChoice(model, runtime=runtime)})
    try:
        with models.lend(role) as lent:
            return lent
    except ModelMissing as missing:
        pytest.skip(str(missing))


def segmenter(runtime: str = "auto") -> Segmenter:
    return borrowed("segmenter", "yolo26n_seg", runtime)


@pytest.fixture(scope="module")
def portrait() -> tuple[np.ndarray, np.ndarray]:
    """A woman over a cup of coffee, and where she is."""
    ground = filling(skimage.data.coffee(), 640, 360)
    return composite(ground, near_person(), 300, 180, 640)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_mask_is_a_weighted_sum_of_prototypes_within_its_box() -> None:
    """The first prototype is positive in the left half, the second everywhere."""
    box = Letterbox((360, 640), (360, 640), (384, 640), 12, 0)
    prototypes = np.full((32, 96, 160), -1.0, np.float32)
    prototypes[0, :, :80] = 1
    prototypes[1] = 1
    raw = np.zeros((4 + 80 + 32, 3), np.float32)
    raw[:4] = np.array([[320, 192, 320, 100], [100, 192, 40, 100], [500, 192, 40, 40]]).T
    raw[4 + COCO_LABELS.index("dog"), 0] = 0.6
    raw[4 + COCO_LABELS.index("cup"), 1] = 0.8
    raw[4, 2] = 0.1  # too faint
    raw[84, 0] = raw[85, 1] = 1
    found = _decode(raw, prototypes, box, 0.25)
    assert [COCO_LABELS[c] for c in found.class_ids] == ["cup", "dog"]
    np.testing.assert_allclose(found.confidence, [0.8, 0.6])
    np.testing.assert_allclose(found.boxes[1], [160 / 640, 130 / 360, 480 / 640, 230 / 360])
    assert found.masks.shape == (2, 360, 640)
    cup, dog = np.zeros((2, 360, 640), bool)
    cup[130:230, 80:120] = True
    dog[130:230, 160:320] = True
    np.testing.assert_array_equal(found.masks[0], cup)
    assert iou(found.masks[1], dog) > 0.99


def test_nothing_in_an_empty_picture() -> None:
    [found] = segmenter().segment([np.full((640, 360, 3), 127, np.uint8)], 0.25)
    assert len(found) == 0
    assert found.masks.shape == (0, 640, 360)


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
def test_a_portrait(portrait: tuple[np.ndarray, np.ndarray], runtime: str) -> None:
    picture, truth = portrait
    with usage_log() as log:
        [found] = segmenter(runtime).segment([picture], 0.5)
    people = found.masks[found.class_ids == 0]
    assert len(people) == 1
    assert iou(people[0], truth) > 0.92
    assert [(use.calls, use.items) for use in log.uses] == [(1, 1)]
    assert log.uses[0].identity.runtime.startswith(runtime)


def test_pictures_of_a_batch_do_not_touch_each_other(
    portrait: tuple[np.ndarray, np.ndarray],
) -> None:
    picture, truth = portrait
    dark, same = segmenter().segment([np.zeros_like(picture), picture], 0.5)
    assert len(dark) == 0
    assert iou(same.masks[same.class_ids == 0][0], truth) > 0.92


def test_the_selfie_network_sees_a_near_person(portrait: tuple[np.ndarray, np.ndarray]) -> None:
    picture, truth = portrait
    with usage_log() as log:
        mask = borrowed("selfie_mask", "mediapipe_selfie").mask(picture)
    assert mask.shape == (640, 360)
    assert mask.dtype == np.float32
    assert 0 <= mask.min() <= mask.max() <= 1
    assert iou(mask > 0.5, truth) > 0.8
    assert [(use.calls, use.items) for use in log.uses] == [(1, 1)]


def test_the_selfie_network_wants_red_first(portrait: tuple[np.ndarray, np.ndarray]) -> None:
    picture, truth = portrait
    model = borrowed("selfie_mask", "mediapipe_selfie")
    right, swapped = (iou(model.mask(p) > 0.5, truth) for p in (
        picture, np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    ))  # fmt: skip
    assert right > swapped


def test_openvino_refuses_a_gpu() -> None:
    identity = ModelIdentity("segmenter", "made", "0" * 64, "cuda:0", "openvino")
    with pytest.raises(ValueError, match="OpenVINO runs here on the CPU, not on cuda:0"):
        load_yolo_seg(identity, {"openvino": Path("none")}, ModelChoice("made"))
