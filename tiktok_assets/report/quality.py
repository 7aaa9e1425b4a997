"""The quality score with its parts."""

from __future__ import annotations

from dataclasses import dataclass

from tiktok_assets.report.told import Told
from tiktok_assets.report.wording import clock, words


@dataclass(frozen=True)
class Part:
    """A part of the score, 0..100."""

    name: str
    score: float
    weakest: bool


@dataclass(frozen=True)
class Quality:
    """The score, its parts, the weakest first."""

    score: float | None
    parts: list[Part]
    best: str
    worst: str
    notes: list[str]
    why_none: str


def quality(told: Told) -> Quality:
    """What content_quality measured."""
    name = "content_quality"
    summary = told.entries[name]["summary"] if told.ok(name) else {}
    weakest = summary.get("weakest_part")
    parts = [
        Part(words(field.removesuffix("_score")), score, field == f"{weakest}_score")
        for field, score in summary.items()
        if field.endswith("_score") and score is not None
    ]
    best, worst = (summary.get(f"{of}_time_s") for of in ("best", "worst"))
    return Quality(
        summary.get("score"),
        sorted(parts, key=lambda part: (part.score, part.name)),
        "" if best is None else clock(best),
        "" if worst is None else clock(worst),
        summary.get("notes") or [],
        "" if told.ok(name) else told.why_not(name),
    )
