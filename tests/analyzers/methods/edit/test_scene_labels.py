import numpy as np
import pytest

from analyzers.methods.edit.scene_labels import (
    OBJECTS,
    RESEMBLANCE,
    SCENE_LABELS,
    SceneEvidence,
    label_of,
    scores,
)
from analyzers.models.detector import COCO_LABELS
from tests.analyzers.sample_face import borrowed

CLASSES = (*(f"animal {n}" for n in range(398)), "web site", "stove", "cab")


def evidence(**known: object) -> SceneEvidence:
    nothing = {
        "probabilities": np.zeros((1, len(CLASSES)), np.float32),
        "objects": {},
        "face_height": 0.0,
        "plants_share": 0.0,
        "plain_share": 0.0,
        "text_share": 0.0,
    }
    return SceneEvidence(**{**nothing, **known})


def resembling(name: str, share: float) -> np.ndarray:
    probabilities = np.zeros((1, len(CLASSES)), np.float32)
    probabilities[0, CLASSES.index(name)] = share
    return probabilities


def told(**known: object) -> tuple[str, float]:
    return label_of(scores(evidence(**known), CLASSES), 0.5, 0.1)


def test_all_names_are_classes_of_the_networks() -> None:
    labels = borrowed("classifier").labels
    for names in RESEMBLANCE.values():
        assert names <= set(labels), names - set(labels)
    for weights in OBJECTS.values():
        assert set(weights) <= set(COCO_LABELS)
    assert labels[0] == "tench"
    assert labels[397:399] == ("puffer", "abacus")  # the last animal, and the first thing


def test_nothing_known_is_uncertain() -> None:
    assert told() == ("uncertain", 0.0)


@pytest.mark.parametrize(
    ("known", "label"),
    [
        ({"probabilities": resembling("web site", 0.8)}, "screen"),
        ({"probabilities": resembling("animal 7", 0.8)}, "animals"),
        ({"objects": {"bed": 0.8}}, "bedroom"),
        ({"objects": {"car": 0.4}, "probabilities": resembling("cab", 0.4)}, "street"),
        ({"face_height": 0.4}, "portrait"),
        ({"plants_share": 0.7}, "landscape"),
        ({"plain_share": 0.9, "text_share": 0.9}, "title_card"),
        ({"plain_share": 0.9}, "uncertain"),
        ({"text_share": 0.9}, "uncertain"),
        ({"objects": {"cup": 0.9}}, "uncertain"),  # stands on desks as well
        ({"objects": {"sink": 0.9, "toilet": 0.9}}, "bathroom"),
        ({"objects": {"oven": 0.8, "bed": 0.8}}, "uncertain"),  # one as likely as the other
    ],
)
def test_evidence_leads_to_labels(known: dict[str, object], label: str) -> None:
    assert told(**known)[0] == label


def test_every_label_has_a_score() -> None:
    assert set(scores(evidence(), CLASSES)) == set(SCENE_LABELS)
