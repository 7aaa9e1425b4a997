"""Stretches in which nothing new comes to eye or ear."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.methods.story.joined import Joined, between, end_of
from analyzers.rules.registry import Finding, quality, rule
from analyzers.rules.spans import runs

quality(
    "dead second",
    "A second with nothing new: nobody speaks or sings, no shot changes, no text comes or goes, "
    "nothing moves to speak of (temporal_flow's motion below 0.22, which is a temporal information "
    "of 1.2 levels) and no sound begins. Two or more in a row are told; what is missing of the "
    "analyzers is not looked at, and the confidence says so.",
)

#: A still picture with a codec's noise stays under this.
_STILL = 0.22
_LEAST_SECONDS = 2
_SOURCES = ("temporal_flow", "cut_analysis", "voices", "audio_analysis", "text_overlay")


@rule(needs=("temporal_flow", "cut_analysis"))
def dead_seconds(joined: Joined) -> Iterable[Finding]:
    """Two seconds or more in a row in which nothing new comes to eye or ear (see dead second)."""
    motion = joined.column("temporal_flow", "motion")
    voice = joined.column("voices", "voice_ratio")
    singing = joined.column("voices", "singing_ratio")
    starts = joined.column("audio_analysis", "onset_count")
    changes = joined.rows("cut_analysis", type="transition")
    lines = [
        {"time_s": t, "end_s": t}
        for line in joined.rows("text_overlay")
        for t in (line["time_s"], end_of(line))
        if 0.1 < t < joined.grid.end_s - 0.1
    ]
    found = [
        motion[s] is not None
        and motion[s] < _STILL
        and not (voice[s] or 0.0) > 0.1
        and not (singing[s] or 0.0) > 0.1
        and not starts[s]
        and not between(changes, s, s + 1)
        and not between(lines, s, s + 1)
        for s in range(len(joined.grid))
    ]
    there = [name for name in _SOURCES if name in joined]
    for start_s, end_s, seconds in runs(found, joined, _LEAST_SECONDS):
        yield Finding(
            start_s,
            end_s,
            f"Nothing new for {end_s - start_s:.1f} s: a still picture, "
            f"{'no voice, no sound that begins' if 'audio_analysis' in joined else 'no cut'}",
            tuple(i for name in there for i in joined.second_ids(name, seconds)),
            confidence=len(there) / len(_SOURCES),
            effect="costs",
            value=f"{end_s - start_s:.1f}",
        )
