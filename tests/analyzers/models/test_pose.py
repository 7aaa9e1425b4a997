"""The pose network: its output's reading, a real picture, runtimes against each other."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.detector import Letterbox
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.pose import KEYPOINTS, LIMBS, PoseEstimator, _decode, load_yolo_pose
from analyzers.models.weights import ModelMissing

CHOICE = ModelChoice("made")
MODEL = "yolo11n_pose"


def borrowed(runtime: str = "auto") -> PoseEstimator:
    models = Models({"pose": ModelChoice(MODEL, runtime=runtime)})
    try:
        with models.lend("pose") as estimator:
            return estimator
    except ModelMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """A woman in a space suit, 512x512, to her waist."""
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    """Ultralytics' own test picture, 1080x810: two whole people, two cut off by its edges."""
    import ultralytics

    path = Path(ultralytics.__file__).parent / "assets" / "bus.jpg"
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return picture


def test_keypoints_are_the_17_of_coco() -> None:
    assert len(KEYPOINTS) == len(set(KEYPOINTS)) == 17
    assert (KEYPOINTS[0], KEYPOINTS[5], KEYPOINTS[16]) == ("nose", "left_shoulder", "right_ankle")
    assert all(0 <= a < 17 and 0 <= b < 17 for a, b in LIMBS)


def test_output_is_read_and_put_back_on_the_picture() -> None:
    """Two places for one person, one for another, one too faint; a point beside the picture."""
    box = Letterbox((360, 640), (360, 640), (384, 640), 12, 0)
    raw = np.zeros((56, 4), np.float32)
    raw[:5] = np.array(
        [
            [320, 192, 100, 200, 0.6],
            [322, 192, 100, 200, 0.9],
            [100, 192, 50, 100, 0.5],
            [500, 192, 50, 100, 0.1],
        ]
    ).T
    raw[5:, 1] = np.tile([320, 192, 0.8], 17)
    raw[5:8, 1] = [320, 6, 0.7]  # in the grey above the picture
    found = _decode(raw, box, 0.25)
    np.testing.assert_allclose(found.confidence, [0.9, 0.5])
    np.testing.assert_allclose(found.boxes[0], [272 / 640, 80 / 360, 372 / 640, 280 / 360])
    np.testing.assert_allclose(found.points[0, 1], [0.5, 0.5])
    np.testing.assert_allclose(found.point_confidence[0, 1:], 0.8)
    assert found.points[0, 0].tolist() == [0.5, 0.0]
    assert found.point_confidence[0, 0] == 0
    assert found.points.dtype == found.boxes.dtype == np.float32


def test_nobody_in_an_empty_picture() -> None:
    [found] = borrowed().estimate([np.full((640, 360, 3), 127, np.uint8)], 0.25)
    assert len(found) == 0
    assert found.points.shape == (0, 17, 2)
    assert found.point_confidence.shape == (0, 17)


@pytest.mark.parametrize("runtime", ["openvino", "torch"])
def test_a_portrait(portrait: np.ndarray, runtime: str) -> None:
    """Places read off the picture by eye; her right is at the left."""
    estimator = borrowed(runtime)
    with usage_log() as log:
        [found] = estimator.estimate([portrait], 0.5)
    assert len(found) == 1
    seen = dict(zip(KEYPOINTS, found.points[0], strict=True))
    sure = dict(zip(KEYPOINTS, found.point_confidence[0], strict=True))
    for name, place in {
        "nose": (0.44, 0.27),
        "left_eye": (0.48, 0.22),
        "right_eye": (0.39, 0.22),
    }.items():
        np.testing.assert_allclose(seen[name], place, atol=0.025)
        assert sure[name] > 0.9
    assert seen["right_shoulder"][0] < 0.25 < 0.55 < seen["left_shoulder"][0]
    # Below the waist there is no picture.
    assert (
        max(sure[f"{side}_{joint}"] for side in ("left", "right") for joint in ("knee", "ankle"))
        < 0.3
    )
    assert [(use.calls, use.items) for use in log.uses] == [(1, 1)]
    assert log.uses[0].identity.runtime.startswith(runtime)


def test_whole_people(street: np.ndarray) -> None:
    [found] = borrowed().estimate([street], 0.5)
    whole = [k for k, box in enumerate(found.boxes) if box[0] > 0.02 and box[2] < 0.98]
    assert len(whole) == 2
    for k in whole:
        points = found.points[k]
        assert (found.point_confidence[k] > 0.5).sum() >= 12
        heights = [points[KEYPOINTS.index(f"left_{j}"), 1] for j in ("shoulder", "hip", "knee")]
        assert heights == sorted(heights)


def test_torch_and_openvino_see_the_same(street: np.ndarray) -> None:
    """OpenVINO may compute in bfloat16; points must agree to a hundredth of the picture."""
    [exact] = borrowed("torch").estimate([street], 0.6)
    [fast] = borrowed("openvino").estimate([street], 0.5)
    assert len(exact) >= 3
    for box, points, sure in zip(exact.boxes, exact.points, exact.point_confidence, strict=True):
        k = int(np.abs(fast.boxes - box).sum(axis=1).argmin())
        clear = sure > 0.8
        np.testing.assert_allclose(fast.points[k][clear], points[clear], atol=0.01)


def test_pictures_of_a_batch_do_not_touch_each_other(portrait: np.ndarray) -> None:
    estimator = borrowed()
    dark, same = estimator.estimate([np.zeros_like(portrait), portrait], 0.5)
    [alone] = estimator.estimate([portrait], 0.5)
    assert len(dark) == 0
    np.testing.assert_allclose(same.boxes, alone.boxes, atol=0.01)


def test_openvino_refuses_a_gpu() -> None:
    identity = ModelIdentity("pose", "made", "0" * 64, "cuda:0", "openvino")
    with pytest.raises(ValueError, match="OpenVINO runs here on the CPU, not on cuda:0"):
        load_yolo_pose(identity, {"openvino": Path("none")}, CHOICE)
