import numpy as np

from tests.analyzers.made_results import joined, words
from tests.analyzers.rules.finding import found


def _there(said, label="bicycle", seen_s=(2, 5), confidence=0.8):
    boxes = [
        {"time_s": float(t), "label": label, "track_id": 1, "confidence": confidence}
        for t in np.arange(*seen_s, 0.2)
    ]
    return joined(
        9,
        object_detection={"rows": boxes},
        speech_transcription={"rows": words(said, 2, 4), "summary": {"language": "en"}},
    )


def test_shown_and_said_is_found():
    [finding] = found("shown_and_said", _there("just ride a bike."))
    assert "“bike” is said while a bicycle" in finding.finding
    assert finding.evidence[0] == "speech_transcription/3"


def test_shown_and_said_is_not_found():
    for there in (
        _there("just take a walk"),
        _there("just ride a bike", seen_s=(7, 9)),
        _there("just ride a bike", confidence=0.2),
        _there("what a person", label="person"),
    ):
        assert found("shown_and_said", there) == []


def test_a_thing_is_told_once_in_ten_seconds():
    assert len(found("shown_and_said", _there("bike bike bike bike"))) == 1
