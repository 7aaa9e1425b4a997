"""What a rule finds in joined results, its evidence looked up."""

from __future__ import annotations

from analyzers.methods.evidence import evidence_row
from analyzers.methods.story.joined import Joined
from analyzers.rules.registry import Finding, all_rules


def found(rule: str, there: Joined) -> list[Finding]:
    """The findings; every one has a time within the video, a sentence and rows that exist."""
    findings = list(all_rules()[rule].find(there))
    for finding in findings:
        assert 0 <= finding.time_s <= finding.end_s <= there.grid.end_s
        assert finding.finding
        assert 0 <= finding.confidence <= 1
        assert finding.evidence
        for evidence_id in finding.evidence:
            evidence_row(evidence_id, there.results)
    return findings
