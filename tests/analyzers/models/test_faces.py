"""The face models on a real portrait, against each other and against OpenCV's own YuNet."""

import cv2
import numpy as np
import pytest

from analyzers.methods.people.face_crops import square_crop
from analyzers.models.age_gender import SeenFace
from analyzers.models.base import usage_log
from analyzers.models.emotion import EMOTIONS
from analyzers.models.face_mesh import (
    CROP_PX,
    CROP_SCALE,
    EYE_BLINK_LEFT,
    EYE_BLINK_RIGHT,
    LEFT_IRIS,
    RIGHT_IRIS,
)
from analyzers.models.faces import LANDMARKS, Faces
from analyzers.models.weights import ModelFiles
from tests.analyzers.sample_face import borrowed, portrait, without_face


@pytest.fixture(scope="module")
def found() -> Faces:
    return borrowed("faces").detect(portrait(), 0.5)


@pytest.mark.parametrize("size", [(640, 360), (480, 270), (500, 333)])
def test_faces_are_those_that_opencv_finds(size: tuple[int, int]) -> None:
    """Boxes, points and confidence, whatever the picture's size."""
    height, width = size
    picture = cv2.resize(portrait(), (width, height))
    detector = borrowed("faces")
    [path] = ModelFiles().paths("yunet", "openvino").values()
    reference = cv2.FaceDetectorYN.create(str(path), "", (width, height), 0.5)
    _, [theirs] = reference.detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    ours = detector.detect(picture, 0.5)
    assert len(ours) == 1
    size_px = np.array([width, height])
    corners = ours.boxes[0].reshape(2, 2) * size_px
    assert np.allclose(corners[0], theirs[:2], atol=0.1)
    assert np.allclose(corners[1] - corners[0], theirs[2:4], atol=0.1)
    assert np.allclose((ours.landmarks[0] * size_px).ravel(), theirs[4:14], atol=0.1)
    assert ours.confidence[0] == pytest.approx(theirs[14], abs=1e-3)


def test_left_and_right_are_the_persons(found: Faces) -> None:
    """In a face that looks into the camera the right eye is on the left."""
    assert LANDMARKS[:2] == ("right_eye", "left_eye")
    right_eye, left_eye, nose, mouth_right, mouth_left = found.landmarks[0]
    assert right_eye[0] < nose[0] < left_eye[0]
    assert mouth_right[0] < mouth_left[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(mouth_right[1], mouth_left[1])


@pytest.mark.parametrize("picture", [without_face(), np.full((360, 360, 3), 127, np.uint8)])
def test_no_face_where_there_is_none(picture: np.ndarray) -> None:
    with usage_log() as log:
        faces = borrowed("faces").detect(picture, 0.5)
    assert len(faces) == 0
    assert faces.boxes.shape == (0, 4)
    assert faces.landmarks.shape == (0, 5, 2)
    assert [(use.identity.model_id, use.items) for use in log.uses] == [("yunet", 1)]


def test_mesh_puts_the_irises_on_the_eyes(found: Faces) -> None:
    landmarker = borrowed("face_mesh")
    crop = square_crop(portrait(), found.boxes[0], found.landmarks[0], CROP_SCALE, CROP_PX)
    mesh = landmarker.mesh(crop)
    assert mesh.points.shape == (478, 3)
    assert mesh.confidence > 0.95
    again = borrowed("faces").detect(crop, 0.5)
    eyes = again.landmarks[0][:2] * CROP_PX
    assert np.abs(mesh.points[[RIGHT_IRIS, LEFT_IRIS], :2] - eyes).max() < 8
    movements = landmarker.blendshapes(mesh)
    assert movements.shape == (52,)
    assert movements.min() >= 0
    assert movements.max() <= 1
    assert movements[[EYE_BLINK_LEFT, EYE_BLINK_RIGHT]].max() < 0.3  # her eyes are open


def test_mesh_doubts_a_picture_without_a_face() -> None:
    crop = cv2.resize(without_face(), (CROP_PX, CROP_PX))
    assert borrowed("face_mesh").mesh(crop).confidence < 0.5


def test_smiling_woman_is_happy(found: Faces) -> None:
    crop = square_crop(portrait(), found.boxes[0], found.landmarks[0], 1.0, 64)
    scores = borrowed("emotion").probabilities(crop)
    assert scores.sum() == pytest.approx(1, abs=1e-3)
    assert EMOTIONS[int(scores.argmax())] == "happy"
    assert scores.max() > 0.9


def test_age_and_gender_of_the_portrait(found: Faces) -> None:
    """She was about 36 in it; the networks err by several years on one picture."""
    estimator = borrowed("age_gender")
    looks = estimator.judge([SeenFace(portrait(), found.boxes[0], found.landmarks[0])] * 2)
    assert looks.ages_years.shape == looks.female.shape == (2,)
    assert looks.ages_years[0] == looks.ages_years[1]
    assert 20 < looks.ages_years[0] < 45
    assert looks.female[0] > 0.9
