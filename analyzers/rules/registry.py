"""What a rule is, and the registry in which all rules stand.

A rule is a function with a docstring, in a module of this package:

    @rule(needs=("cut_analysis", "audio_analysis"))
    def cut_on_beat(joined: Joined) -> Iterable[Finding]:
        \"\"\"Its definition in words: what it finds, by which bounds, from which source.\"\"\"

A new rule is one such function and one test with a case in which it finds something and one in
which it does not; nothing else names it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from analyzers.methods.story.joined import Joined

#: What a finding does to a viewer's staying, as editors and the platforms' guides hold it; not
#: measured on viewers.
Effect = Literal["helps", "costs"]
#: A need: an analyzer, or several of which one is enough.
Need = str | tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found; times in seconds, `evidence` as in `methods.evidence`.

    `value`: a word or a number for machines, where the rule has one (`adds`, `0.71`).
    """

    time_s: float
    end_s: float
    finding: str
    evidence: Sequence[str]
    confidence: float = 1.0
    effect: Effect | None = None
    value: str | None = None


@dataclass(frozen=True)
class Rule:
    """A rule: its name, its definition, what it needs, and how it finds."""

    name: str
    definition: str
    needs: tuple[Need, ...]
    find: Callable[[Joined], Iterable[Finding]]

    def missing(self, joined: Joined) -> list[str]:
        """The needs that have no result, in words; empty where the rule can run."""
        return [
            " or ".join(any_of)
            for any_of in map(_any_of, self.needs)
            if not any(name in joined for name in any_of)
        ]


_rules: dict[str, Rule] = {}
_qualities: dict[str, str] = {}


def rule(
    needs: Sequence[Need],
) -> Callable[[Callable[[Joined], Iterable[Finding]]], Callable[[Joined], Iterable[Finding]]]:
    """Put a function into the registry under its name, with its docstring as the definition."""

    def register(
        find: Callable[[Joined], Iterable[Finding]],
    ) -> Callable[[Joined], Iterable[Finding]]:
        definition = inspect.getdoc(find)
        if not definition:
            raise ValueError(f"the rule {find.__name__} has no definition: write its docstring")
        if find.__name__ in _rules:
            raise ValueError(f"there are two rules {find.__name__}")
        _rules[find.__name__] = Rule(find.__name__, definition, tuple(needs), find)
        return find

    return register


def quality(name: str, definition: str) -> None:
    """Write down what a word means that findings, columns or the summary use."""
    _qualities[name] = definition


@cache
def all_rules() -> dict[str, Rule]:
    """Every rule of this package, by name, in order of the alphabet."""
    _load()
    return dict(sorted(_rules.items()))


@cache
def qualities() -> dict[str, str]:
    """Every word that has a definition, in order of the alphabet."""
    _load()
    return dict(sorted(_qualities.items()))


def _load() -> None:
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{__package__}.{module.name}")


def _any_of(need: Need) -> tuple[str, ...]:
    return (need,) if isinstance(need, str) else need
