"""face_emotion on the sample's portrait, and on scripted probabilities."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.face_emotion import FaceEmotion
from analyzers.faces import FacesProduct
from analyzers.models.emotion import EMOTIONS
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.analyzers.sample_face import borrowed, portrait, video_of, without_face


class Scripted(Models):
    """Lends a classifier that says the same of every crop, or one thing after the other."""

    def __init__(self, said: Sequence[Mapping[str, float]]) -> None:
        super().__init__({})
        self.crop_px = 64
        self._said = said
        self._asked = 0

    @contextmanager
    def lend(self, role: str) -> Iterator["Scripted"]:
        assert role == "emotion"
        yield self

    def probabilities(self, crop: np.ndarray) -> np.ndarray:
        assert crop.shape == (64, 64, 3)
        said = self._said[min(self._asked, len(self._said) - 1)]
        self._asked += 1
        return np.array([said.get(emotion, 0.0) for emotion in EMOTIONS], np.float32)


def faces_of(video: Video) -> AnalysisResult:
    for role in FacesProduct.models_used:
        borrowed(role)
    return run_analyzer(FacesProduct(Models.embedded()), video, {})[0]


def analyzed(video: Video, models: Models) -> AnalysisResult:
    return run_analyzer(FaceEmotion(models), video, {"faces": faces_of(video)})[0]


def test_the_portrait_smiles() -> None:
    borrowed("emotion")
    video = video_of([portrait()] * 2)
    result = analyzed(video, Models.embedded())
    rows = result.observations.to_pylist()
    assert [(r["time_s"], r["track_id"], r["emotion"]) for r in rows] == [
        (0.0, 0, "happy"),
        (1.0, 0, "happy"),
    ]
    assert all(r["valence"] == pytest.approx(0.81, abs=0.05) for r in rows)
    assert result.summary["dominant_emotion"] == "happy"
    assert json.loads(json.dumps(result.summary))["emotions"] == [{"emotion": "happy", "share": 1}]
    preview = FaceEmotion(Models.embedded()).preview(video, result)
    assert cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR).shape[1] == 300


@pytest.mark.parametrize(
    ("said", "emotion"),
    [
        ({"sad": 0.6, "fear": 0.3, "neutral": 0.1}, "sad"),
        ({"sad": 0.5, "fear": 0.4, "neutral": 0.1}, "uncertain"),
        ({"angry": 0.55, "disgust": 0.34, "fear": 0.11}, "angry"),
    ],
)
def test_too_close_to_call_is_uncertain(said: Mapping[str, float], emotion: str) -> None:
    result = analyzed(video_of([portrait()]), Scripted([said]))
    [row] = result.observations.to_pylist()
    assert row["emotion"] == emotion
    assert row["confidence"] == pytest.approx(max(said.values()))
    assert {e: row[e] for e in EMOTIONS} == pytest.approx({e: said.get(e, 0.0) for e in EMOTIONS})


def test_one_frame_has_to_be_clearer() -> None:
    """At a quarter of the size only the second's full-size picture is large enough."""
    video = video_of([cv2.resize(portrait(), None, fx=0.25, fy=0.25)])
    few = replace(video, detail=video_of([portrait()]).detail)
    said = {"sad": 0.6, "fear": 0.3, "neutral": 0.1}
    [row] = analyzed(few, Scripted([said])).observations.to_pylist()
    assert (row["sighting_count"], row["judged_count"], row["emotion"]) == (5, 1, "uncertain")
    [row] = analyzed(few, Scripted([{"sad": 0.8, "fear": 0.2}])).observations.to_pylist()
    assert row["emotion"] == "sad"


def test_a_blurred_face_is_not_guessed() -> None:
    blurred = cv2.GaussianBlur(portrait(), (0, 0), 5)
    result = analyzed(video_of([blurred]), Scripted([]))  # never asked
    [row] = result.observations.to_pylist()
    assert (row["judged_count"], row["not_judged"], row["emotion"]) == (0, "blurred", None)
    [segment] = result.segments.to_pylist()
    assert (segment["face_count"], segment["judged_face_count"]) == (1, 0)
    assert (segment["emotion"], segment["not_judged"]) == (None, "blurred")
    assert result.summary["dominant_emotion"] is None
    assert result.summary["unjudged_second_count"] == 1


def test_valence_follows_the_face() -> None:
    sad, happy = {"sad": 1.0}, {"happy": 1.0}
    script = [sad] * 15 + [happy] * 15
    summary = analyzed(video_of([portrait()] * 6), Scripted(script)).summary
    assert summary["first_valence"] == pytest.approx(-0.63, abs=0.01)
    assert summary["last_valence"] == pytest.approx(0.81, abs=0.01)
    assert summary["judged_second_count"] == 6


def test_without_a_face_not_applicable() -> None:
    result = analyzed(video_of([without_face()] * 2), Scripted([]))
    assert (result.status, result.reason) == ("not_applicable", "no face in any frame")
    assert [s["face_count"] for s in result.segments.to_pylist()] == [0, 0]
