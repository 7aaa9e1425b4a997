"""The place that is seen against the place that is heard."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.methods.story.joined import Joined
from analyzers.rules.registry import Finding, quality, rule
from analyzers.rules.spans import runs

quality(
    "place at odds",
    "The picture is outdoors (background_segmentation) while the sound is indoors "
    "(audio_environment), or the other way round, each with a confidence of 0.5 or more.",
)

_CONFIDENCE = 0.5
_LEAST_SECONDS = 2
_PLACES = ("indoor", "outdoor")


@rule(needs=("background_segmentation", "audio_environment"))
def place_at_odds(joined: Joined) -> Iterable[Finding]:
    """For two seconds or more it looks like one place and sounds like another (see the words): a
    voice or an atmosphere that was added later, or a window."""
    seen = _places(joined, "background_segmentation")
    heard = _places(joined, "audio_environment")
    for place, other in (_PLACES, _PLACES[::-1]):
        found = [s == place and h == other for s, h in zip(seen, heard, strict=True)]
        for start_s, end_s, seconds in runs(found, joined, _LEAST_SECONDS):
            yield Finding(
                start_s,
                end_s,
                f"It looks {place}s and sounds {other}s",
                (
                    *joined.second_ids("background_segmentation", seconds),
                    *joined.second_ids("audio_environment", seconds),
                ),
                confidence=0.5,
                value=f"{place} {other}",
            )


def _places(joined: Joined, name: str) -> list[str | None]:
    return [
        setting if (sure or 0.0) >= _CONFIDENCE else None
        for setting, sure in zip(
            joined.column(name, "setting"), joined.column(name, "setting_confidence"), strict=True
        )
    ]
