"""Seconds in a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from analyzers.methods.story.joined import Joined


def runs(
    found: Sequence[bool], joined: Joined, least: int = 1
) -> Iterator[tuple[float, float, list[int]]]:
    """Start, end (seconds) and numbers of the stretches of at least so many true seconds."""
    for true, group in groupby(range(len(found)), key=lambda second: found[second]):
        seconds = list(group)
        if true and len(seconds) >= least:
            yield joined.grid.bounds_s(seconds[0])[0], joined.grid.bounds_s(seconds[-1])[1], seconds
