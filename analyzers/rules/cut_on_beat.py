"""Cuts and effects that fall on the beat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.stats import binom

from analyzers.methods.story.joined import Joined, Row
from analyzers.rules.registry import Finding, rule

#: As near to a beat as beat trackers are held to (MIREX, after Davies, Degara & Plumbley 2009).
NEAR_S = 0.07
#: Fewer on the beat are told of nobody, nor are as many as chance would bring in one of 20 videos.
_LEAST, _CHANCE = 3, 0.05
#: Effects that are over in a moment; a filter or a split screen lasts.
_MOMENTS = ("flash", "zoom_punch", "glitch", "freeze")


@rule(needs=("cut_analysis", "audio_analysis"))
def cut_on_beat(joined: Joined) -> Iterable[Finding]:
    """A hard cut lies within 0.07 s of a beat, and the video's cuts do so on purpose: three or
    more are on the beat, and so many of all that chance would bring it about in fewer than one of
    twenty videos (binomial; chance is the part of the time that lies within 0.07 s of a beat)."""
    return _on_the_beat(joined, joined.rows("cut_analysis", kind="cut"), "cut")


@rule(needs=("visual_effects", "audio_analysis"))
def effect_on_beat(joined: Joined) -> Iterable[Finding]:
    """A short effect (flash, zoom punch, glitch, freeze) begins within 0.07 s of a beat, and the
    video's effects do so on purpose, as in `cut_on_beat`."""
    effects = [r for r in joined.rows("visual_effects") if r["effect"] in _MOMENTS]
    return _on_the_beat(joined, effects, "effect")


def _on_the_beat(joined: Joined, events: Sequence[Row], what: str) -> Iterable[Finding]:
    beats = joined.rows("audio_analysis", kind="beat")
    if len(beats) < 2:
        return
    times_s = np.array([beat["time_s"] for beat in beats])
    apart_s = float(np.median(np.diff(times_s)))
    heard = [e for e in events if times_s[0] - apart_s <= e["time_s"] <= times_s[-1] + apart_s]
    if not heard:
        return
    nearest = [int(np.abs(times_s - event["time_s"]).argmin()) for event in heard]
    off_s = [event["time_s"] - times_s[n] for event, n in zip(heard, nearest, strict=True)]
    # A rounding error of a timestamp is none of the editor's.
    on = [i for i, off in enumerate(off_s) if abs(off) <= NEAR_S + 1e-6]
    chance = min(1.0, 2 * NEAR_S / apart_s)
    by_chance = float(binom.sf(len(on) - 1, len(heard), chance))
    if len(on) < _LEAST or by_chance >= _CHANCE:
        return
    for i in on:
        event, beat = heard[i], beats[nearest[i]]
        yield Finding(
            event["time_s"],
            event["time_s"],
            f"The {what} falls on the beat ({off_s[i] * 1000:+.0f} ms), as {len(on)} of "
            f"{len(heard)} do; chance would bring {chance:.0%}",
            (event["id"], beat["id"]),
            confidence=1 - by_chance,
            effect="helps",
            value=f"{off_s[i]:.3f}",
        )
