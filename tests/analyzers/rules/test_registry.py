"""What holds for every rule, and for the registry itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from analyzers.cross_analyzer_intelligence import CrossAnalyzerIntelligence
from analyzers.methods.story.joined import Joined
from analyzers.rules import registry
from analyzers.rules.page import page
from analyzers.rules.registry import Rule, all_rules, qualities, rule
from analyzers.segments import SegmentGrid
from tests.analyzers.made_results import joined, made_result

HERE = Path(__file__).parent
PAGE = Path(__file__).resolve().parents[3] / "docs" / "rules.md"


@pytest.mark.parametrize("name", all_rules())
def test_every_rule_has_a_case_that_it_finds_and_one_that_it_does_not(name):
    tests = {
        node.name
        for file in HERE.glob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    assert f"test_{name}_is_found" in tests
    assert f"test_{name}_is_not_found" in tests


@pytest.mark.parametrize("one", all_rules().values(), ids=all_rules())
def test_every_rule_is_defined_and_needs_what_the_analyzer_takes(one: Rule):
    assert len(one.definition.split()) > 10
    names = {n for need in one.needs for n in ((need,) if isinstance(need, str) else need)}
    assert names
    assert names <= set(CrossAnalyzerIntelligence.optional)


@pytest.mark.parametrize("one", all_rules().values(), ids=all_rules())
def test_a_rule_finds_nothing_and_does_not_fail_where_nobody_has_rows(one: Rule):
    grid = SegmentGrid("made-00000000", 5.0)
    names = CrossAnalyzerIntelligence.optional
    there = Joined(grid, {name: made_result(name, grid) for name in names}, names)
    found = list(one.find(there))
    assert not one.missing(there)
    assert [f.finding[:20] for f in found] == (
        ["The hook is weak (0."] if one.name == "hook_strength" else []
    )


def test_what_a_rule_lacks_is_named():
    one = Rule("made", "made", ("voices", ("faces", "body_pose")), lambda _: ())
    assert one.missing(joined(3, voices={})) == ["faces or body_pose"]
    assert one.missing(joined(3, voices={}, body_pose={})) == []
    assert one.missing(joined(3)) == ["voices", "faces or body_pose"]


def test_the_words_of_the_issue_are_defined():
    assert {
        "dead second",
        "emphasis",
        "hook strength",
        "mood",
        "peak moment",
        "retention factor",
        "speaker on or off screen",
        "text against speech",
    } <= set(qualities())


def test_a_rule_without_a_definition_or_with_a_name_twice_is_refused(monkeypatch):
    monkeypatch.setattr(registry, "_rules", {})

    def made(_):
        return ()

    with pytest.raises(ValueError, match="no definition"):
        rule(needs=("voices",))(made)
    made.__doc__ = "Found where it is made."
    rule(needs=("voices",))(made)
    with pytest.raises(ValueError, match="two rules made"):
        rule(needs=("voices",))(made)


def test_the_page_is_current():
    assert PAGE.read_text() == page(), "the rules changed: run `make docs`"
