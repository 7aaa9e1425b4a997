"""Text that must be read while other words are to be heard."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.methods.joined import Joined
from analyzers.rules.registry import Finding, rule
from analyzers.rules.text_against_speech import SAME_SHARE, texts

#: More characters a second are more than a viewer reads (the limit that subtitlers keep to).
_TOO_FAST_CPS = 20.0
#: So much speech within it makes it two things at once.
_LEAST_WORDS = 3


@rule(needs=("text_overlay", "speech_transcription"))
def split_attention(joined: Joined) -> Iterable[Finding]:
    """A text on screen asks to be read faster than 20 characters a second while three words or
    more are said that are not those of the text."""
    for text in texts(joined):
        fastest = max((line.get("reading_speed_cps") or 0.0) for line in text.lines)
        if (
            fastest > _TOO_FAST_CPS
            and len(text.said) >= _LEAST_WORDS
            and text.said_share < SAME_SHARE
        ):
            yield Finding(
                min(line["time_s"] for line in text.lines),
                max(line["end_s"] for line in text.lines),
                f"“{text.text}” needs {fastest:.0f} characters a second while other words are said",
                text.evidence(),
                confidence=text.confidence,
                effect="costs",
                value=f"{fastest:.1f}",
            )
