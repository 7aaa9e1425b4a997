"""Findings of the rules, grouped by rule: what costs first, then what helps, then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiktok_assets.report.told import Row, Told
from tiktok_assets.report.wording import words

NAME = "cross_analyzer_intelligence"
_ORDER: tuple[str | None, ...] = ("costs", "helps", None)
#: Findings of one rule that are shown at once; the others are folded away.
AT_ONCE = 4
_MOST = 150
#: Ids of evidence that are written out for a finding.
MOST_IDS = 24


@dataclass(frozen=True)
class Group:
    """One rule's findings of one effect, in order of time."""

    rule: str
    effect: str | None
    findings: Sequence[Row]
    left_out: int

    @property
    def name(self) -> str:
        """The rule in words."""
        return words(self.rule)


def findings(told: Told) -> list[Group]:
    """All groups; the rule with the first finding first."""
    groups: dict[tuple[str | None, str], list[Row]] = {}
    for row in told.rows(NAME):
        groups.setdefault((row["effect"], row["rule"]), []).append(row)
    ordered = sorted(groups.items(), key=lambda item: _ORDER.index(item[0][0]))
    return [
        Group(rule, effect, rows[:_MOST], max(0, len(rows) - _MOST))
        for (effect, rule), rows in ordered
    ]
