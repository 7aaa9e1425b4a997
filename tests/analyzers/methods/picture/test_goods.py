import numpy as np
import pytest

from analyzers.methods.picture.goods import FURTHER_KINDS, GOODS, NO_GOODS, agreement, noisy_or
from analyzers.models.detector import COCO_LABELS
from tests.analyzers.sample_face import borrowed


def test_every_class_of_the_detector_is_judged_once() -> None:
    judged = [*GOODS, *NO_GOODS, *(label for kind in FURTHER_KINDS.values() for label in kind)]
    assert sorted(judged) == sorted(COCO_LABELS)
    assert all(NO_GOODS.values())


def test_the_names_beside_them_are_imagenets() -> None:
    labels = set(borrowed("classifier").labels)
    for kind in (GOODS, *FURTHER_KINDS.values()):
        for label, alike in kind.items():
            assert labels.issuperset(alike), label


def test_agreement_sums_what_goes_with_the_label() -> None:
    labels = ("cup", "coffee mug", "cat")
    several = np.array([[0.5, 0.3, 0.2], [0.7, 0.1, 0.2]])
    share, finer = agreement(several, labels, ("cup", "coffee mug"))
    assert share == pytest.approx(0.8)
    assert finer == "cup"
    assert agreement(several, labels, ()) == (0.0, None)
    unsure = np.array([[0.4, 0.3, 0.3]])
    assert agreement(unsure, labels, ("cup",))[1] is None


def test_noisy_or() -> None:
    assert noisy_or(0.5, 0.5) == pytest.approx(0.75)
    assert noisy_or(0.6, 0.0) == pytest.approx(0.6)
