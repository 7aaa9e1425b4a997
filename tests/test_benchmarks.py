"""The benchmarks know every analyzer that is on by default."""

from analyzers import analyzer_classes
from benchmarks import naive
from benchmarks.naive_against_pipeline import BUDGET

#: The benchmark runs what is on by default.
NAMES = {name for name, cls in analyzer_classes().items() if cls.enabled_by_default}


def test_every_analyzer_has_its_place_in_the_budget_table() -> None:
    parts = [part for line in BUDGET for part in line.parts]
    assert len(parts) == len(set(parts))
    assert set(parts) == {"decode", "engine", *NAMES}
    assert all(line.budget > 0 for line in BUDGET)


def test_the_naive_script_does_what_every_analyzer_does() -> None:
    assert naive.ANALYZERS.keys() == NAMES
