"""What every finder of effects returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effect:
    """One effect, from the first frame that shows it to the first that does not.

    `detail`: its form, in words of its own finder, "" where it has only one. `strength`: how much
    of it, in the unit that its finder says; None where it has no amount.
    """

    effect: str
    start_s: float
    end_s: float
    confidence: float
    detail: str = ""
    strength: float | None = None
