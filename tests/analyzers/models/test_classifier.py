"""The ImageNet classifier on real pictures: public ones of scikit-image and scikit-learn."""

from pathlib import Path

import numpy as np
import pytest

from analyzers.models.base import ModelIdentity, usage_log
from analyzers.models.classifier import load_efficientnet_lite
from analyzers.models.lending import ModelChoice
from tests.analyzers.sample_face import borrowed

data = pytest.importorskip("skimage.data")


@pytest.mark.parametrize(
    ("picture", "label"),
    [("coffee", "espresso"), ("cat", "Egyptian cat"), ("rocket", "missile")],
)
def test_public_pictures_are_named(picture: str, label: str) -> None:
    classifier = borrowed("classifier")
    with usage_log() as log:
        answer = classifier.classify([getattr(data, picture)()])
    assert classifier.labels[int(answer.probabilities[0].argmax())] == label
    assert answer.probabilities[0].sum() == pytest.approx(1, abs=0.02)
    assert [(use.identity.model_id, use.items) for use in log.uses] == [("efficientnet_lite3", 1)]


def test_embeddings_tell_a_view_of_the_same_from_another_picture() -> None:
    """A crop of the coffee is nearer to the coffee than the cat is."""
    coffee, cat = data.coffee(), data.cat()
    whole, part, other = borrowed("classifier").classify([coffee, coffee[20:, 30:], cat]).embeddings
    assert np.linalg.norm(whole) == pytest.approx(1, abs=1e-5)
    assert whole @ part > 0.8
    assert whole @ other < 0.5


def test_no_pictures_are_no_answers() -> None:
    with usage_log() as log:
        answer = borrowed("classifier").classify([])
    assert answer.probabilities.shape == (0, 1000)
    assert log.uses == []


def test_same_picture_same_answer() -> None:
    classifier = borrowed("classifier")
    one, two = (classifier.classify([data.coffee()]) for _ in range(2))
    assert np.array_equal(one.probabilities, two.probabilities)
    assert np.array_equal(one.embeddings, two.embeddings)


def test_wrong_names_are_refused(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("cat\ndog\n")
    identity = ModelIdentity("classifier", "efficientnet_lite3", "0" * 64, "cpu", "openvino")
    files = {"net.tflite": tmp_path / "net.tflite", "names.txt": names}
    with pytest.raises(ValueError, match="2 names, not 1000"):
        load_efficientnet_lite(identity, files, ModelChoice("efficientnet_lite3"))
