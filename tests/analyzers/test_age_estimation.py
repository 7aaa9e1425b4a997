"""age_estimation on the sample's portrait, and on scripted guesses."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from analyzers.age_estimation import AgeEstimation
from analyzers.base import AnalysisResult
from analyzers.faces import FacesProduct
from analyzers.models.age_gender import Looks, SeenFace
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.analyzers.sample_face import borrowed, portrait, video_of, without_face
from tests.tiny_models import AGE_GENDER_WEIGHTS, tiny_models


class Scripted(Models):
    """Lends an estimator whose guesses are these ages in turn, and one probability."""

    def __init__(self, ages_years: Sequence[float], female: float = 1.0) -> None:
        super().__init__({})
        self._ages_years = ages_years
        self._female = female

    @contextmanager
    def lend(self, role: str) -> Iterator["Scripted"]:
        assert role == "age_gender"
        yield self

    def judge(self, faces: Sequence[SeenFace]) -> Looks:
        assert {(face.box.shape, face.landmarks.shape) for face in faces} == {((4,), (5, 2))}
        ages_years = np.resize(np.array(self._ages_years, np.float32), len(faces))
        return Looks(ages_years, np.full(len(faces), self._female, np.float32))


def analyzed(video: Video, models: Models) -> AnalysisResult:
    for role in FacesProduct.models_used:
        borrowed(role)
    faces = run_analyzer(FacesProduct(Models.embedded()), video, {})[0]
    return run_analyzer(AgeEstimation(models), video, {"faces": faces})[0]


def test_the_portrait() -> None:
    borrowed("age_gender")
    video = video_of([portrait()] * 2)
    result = analyzed(video, Models.embedded())
    [row] = result.observations.to_pylist()
    assert 20 < row["age_years"] < 45  # she was about 36
    assert row["apparent_gender"] == "female"
    assert (row["sighting_count"], row["judged_count"], row["not_judged"]) == (10, 10, "")
    assert [s["judged_face_count"] for s in result.segments.to_pylist()] == [1, 1]
    summary = json.loads(json.dumps(result.summary))
    assert summary["apparent_genders"] == [{"apparent_gender": "female", "share": 1}]
    preview = AgeEstimation(Models.embedded()).preview(video, result)
    assert cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR).shape[0] == 150


def test_one_wild_guess_does_not_move_the_median() -> None:
    result = analyzed(video_of([portrait()] * 3), Scripted([30.0] * 14 + [75.0]))
    [row] = result.observations.to_pylist()
    assert row["judged_count"] == 15
    assert row["age_years"] == 30
    assert row["age_high_years"] < 75


def test_the_spread_holds_four_fifths_of_the_guesses() -> None:
    result = analyzed(video_of([portrait()] * 2), Scripted(list(range(20, 30))))
    [row] = result.observations.to_pylist()
    assert (row["age_low_years"], row["age_years"], row["age_high_years"]) == pytest.approx(
        (20.9, 24.5, 28.1), abs=0.01
    )


@pytest.mark.parametrize(
    ("female", "look"), [(0.9, "female"), (0.6, "uncertain"), (0.4, "uncertain"), (0.1, "male")]
)
def test_an_unsure_look_is_uncertain(female: float, look: str) -> None:
    [row] = analyzed(video_of([portrait()]), Scripted([30.0], female)).observations.to_pylist()
    assert row["apparent_gender"] == look
    assert row["female_probability"] == pytest.approx(female)


def test_never_from_one_frame() -> None:
    """At a quarter of the size only the second's full-size picture is large enough."""
    small = video_of([cv2.resize(portrait(), None, fx=0.25, fy=0.25)])
    video = Video(
        small.info, small.thumbs, small.motion, small.analysis,
        video_of([portrait()]).detail, None, None,
    )  # fmt: skip
    result = analyzed(video, Scripted([]))  # never asked
    [row] = result.observations.to_pylist()
    assert (row["judged_count"], row["age_years"], row["apparent_gender"]) == (0, None, None)
    assert row["not_judged"] == "small"
    assert result.summary["judged_track_count"] == 0
    assert result.summary["age_years"] is None


def test_a_blurred_face_is_not_guessed() -> None:
    blurred = cv2.GaussianBlur(portrait(), (0, 0), 5)
    [row] = analyzed(video_of([blurred]), Scripted([])).observations.to_pylist()
    assert (row["judged_count"], row["not_judged"]) == (0, "blurred")


def test_without_a_face_not_applicable() -> None:
    result = analyzed(video_of([without_face()]), Scripted([]))
    assert (result.status, result.reason) == ("not_applicable", "no face in any frame")


def test_insightface_fills_the_same_columns(tmp_path: Path) -> None:
    """Its own file's entry in the manifest, with a tiny network in place of the weights."""
    models = tiny_models(tmp_path, age_gender="insightface_genderage")
    [row] = analyzed(video_of([portrait()] * 2), models).observations.to_pylist()
    assert (row["judged_count"], row["not_judged"]) == (10, "")
    picture = portrait().astype(float)
    face = picture[
        int(row["y1"] * 640) : int(row["y2"] * 640), int(row["x1"] * 360) : int(row["x2"] * 360)
    ]
    scores = face.mean(axis=(0, 1)) @ AGE_GENDER_WEIGHTS
    # The tiny network tells the mean colour, of the face with half as much again around it.
    assert row["age_years"] == pytest.approx(100 * scores[2], rel=0.35)
    assert row["age_low_years"] <= row["age_years"] <= row["age_high_years"]
    assert 0 < row["female_probability"] < 1
