"""All effects of a video: every finder's, with what contradicts another left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analyzers import progress
from analyzers.methods.edit.effects import (
    cut_transitions,
    filter_change,
    flash,
    freeze,
    glitch,
    green_screen,
    letterbox,
    speed_ramp,
    split_screen,
    whip_pan,
    zoom_punch,
)
from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.signals import Signals

#: Momentary effects first, in the order in which they explain a burst of change: what a finder
#: before has explained is not taken for something else by one after it.
_MOMENTARY: tuple[Callable[[Signals], list[Effect]], ...] = (
    flash.find,
    glitch.find,
    cut_transitions.find,
    whip_pan.find,
    zoom_punch.find,
)
_LASTING: tuple[Callable[[Signals], list[Effect]], ...] = (
    filter_change.find,
    freeze.find,
    speed_ramp.find,
    letterbox.find,
    split_screen.find,
    green_screen.find,
)
#: These begin with a change, or the end of one, which a momentary effect may explain.
_BEGIN_AT_ONCE = frozenset({filter_change.NAME, freeze.NAME})


def find_effects(signals: Signals) -> list[Effect]:
    """All effects in order of time. Lasting ones may overlap others, momentary ones do not."""
    momentary: list[Effect] = []
    count = len(_MOMENTARY) + len(_LASTING)
    for number, find in enumerate(_MOMENTARY):
        progress.checkpoint(number, count)
        momentary += [e for e in find(signals) if not _any_overlaps(e, momentary)]
    lasting: list[Effect] = []
    for number, find in enumerate(_LASTING, len(_MOMENTARY)):
        progress.checkpoint(number, count)
        for effect in find(signals):
            begins = Effect("", effect.start_s - 0.05, effect.start_s + 0.05, 0)
            if effect.effect in _BEGIN_AT_ONCE and _any_overlaps(begins, momentary):
                continue
            lasting.append(effect)
    return sorted([*momentary, *lasting], key=lambda e: (e.start_s, e.end_s, e.effect))


def _any_overlaps(effect: Effect, others: Sequence[Effect]) -> bool:
    return any(o.start_s < effect.end_s and o.end_s > effect.start_s for o in others)
