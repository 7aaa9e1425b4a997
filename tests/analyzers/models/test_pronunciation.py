"""The dictionary's file: which lines are words, and that the real one is what it is said to be."""

from pathlib import Path

from analyzers.models.base import ModelIdentity
from analyzers.models.lending import ModelChoice
from analyzers.models.pronunciation import load_cmu_dictionary
from tests.analyzers.made_talk import speech_models


def test_first_pronunciations_and_no_comments(tmp_path: Path) -> None:
    path = tmp_path / "made.dict"
    path.write_text("a AH0\na(2) EY1\ncoffee K AA1 F IY0\nd'artagnan D AH0 R # foreign\n")
    identity = ModelIdentity("pronunciation", "made", "0" * 64, "cpu", "python")
    found = load_cmu_dictionary(identity, {"made.dict": path}, ModelChoice("made"))
    assert found.words() == {"a": (1, 1), "coffee": (2, 4), "d'artagnan": (1, 3)}
    assert found.sounds("tea") is None


def test_the_real_one_is_large() -> None:
    with speech_models().lend("pronunciation") as dictionary:
        assert len(dictionary) > 125_000
        assert dictionary.sounds("photography") == (4, 9)
