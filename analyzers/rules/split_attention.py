"""Text that must be read while other words are to be heard."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.methods.story.joined import Joined
from analyzers.rules.registry import Finding, rule
from analyzers.rules.text_against_speech import SAME_SHARE, texts

#: More characters a second are more than a viewer reads (the limit that subtitlers keep to).
_TOO_FAST_CPS = 20.0
#: So much speech within it makes it two things at once.
_LEAST_WORDS = 3
#: A frame: a text is there for no less.
_SHORTEST_S = 0.04


@rule(needs=("text_overlay", "speech_transcription"))
def split_attention(joined: Joined) -> Iterable[Finding]:
    """A text on screen asks to be read faster than 20 characters a second while three words or
    more are said that are not those of the text."""
    for text in texts(joined):
        start_s, end_s = text.time_s
        # Not reading_speed_cps, which counts lines as well that were there before.
        speed_cps = len(text.text) / max(end_s - start_s, _SHORTEST_S)
        if (
            speed_cps > _TOO_FAST_CPS
            and len(text.said) >= _LEAST_WORDS
            and text.said_share < SAME_SHARE
        ):
            yield Finding(
                start_s,
                end_s,
                f"“{text.text}” needs {speed_cps:.0f} characters a second while other words are "
                "said",
                text.evidence(),
                confidence=text.confidence,
                effect="costs",
                value=f"{speed_cps:.1f}",
            )
