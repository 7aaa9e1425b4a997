"""Fades, dissolves and wipes: the transitions that cut_analysis found, as effects."""

from __future__ import annotations

from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals

_NAMES = {
    "dissolve": ("dissolve", ""),
    "fade_in": ("fade", "in"),
    "fade_out": ("fade", "out"),
    "fade_through_black": ("fade", "through_black"),
    "fade_through_white": ("fade", "through_white"),
    "wipe": ("wipe", ""),
}


def find(signals: Signals) -> list[Effect]:
    """All transitions but hard cuts."""
    return [
        Effect(_NAMES[t.kind][0], t.start_s, t.end_s, t.confidence, _NAMES[t.kind][1])
        for t in signals.transitions
        if t.kind in _NAMES
    ]
