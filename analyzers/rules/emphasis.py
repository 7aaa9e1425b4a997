"""Moments in which sound, picture and text all raise their voice."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.methods.story.joined import Joined, between
from analyzers.rules.registry import Finding, quality, rule
from analyzers.rules.spans import runs

quality(
    "emphasis",
    "A second that is loud, close and captioned at once: at least 1.5 LU above the video's own "
    "integrated loudness, a close-up (composition_analysis, or else a face that covers 0.06 of the "
    "frame), and a caption or sticker on screen.",
)

#: A step in loudness that everybody hears (one LU is just noticed).
_LOUD_LU = 1.5
_CLOSE = ("extreme_close_up", "close_up", "medium_close_up")
_CLOSE_FACE_SHARE = 0.06
_ROLES = ("caption", "sticker")


@rule(needs=("audio_analysis", "text_overlay", ("composition_analysis", "faces")))
def emphasis(joined: Joined) -> Iterable[Finding]:
    """Loud, close and captioned in the same second (see emphasis under the words); seconds in a
    row are one finding."""
    whole = joined.of_summary("audio_analysis", "loudness_lufs")
    if whole is None:
        return
    level = joined.column("audio_analysis", "loudness_lufs")
    scale = joined.column("composition_analysis", "shot_scale")
    face = joined.column("faces", "largest_face_share")
    lines = [line for line in joined.rows("text_overlay") if line["role"] in _ROLES]

    def close(second: int) -> bool:
        if scale[second] is not None:
            return scale[second] in _CLOSE
        return (face[second] or 0) >= _CLOSE_FACE_SHARE

    found = [
        level[second] is not None
        and level[second] >= whole + _LOUD_LU
        and close(second)
        and bool(between(lines, second, second + 0.999))
        for second in range(len(joined.grid))
    ]
    for start_s, end_s, seconds in runs(found, joined):
        shown = between(lines, start_s, seconds[-1] + 0.999)
        source = "composition_analysis" if scale[seconds[0]] is not None else "faces"
        loudest = max(level[s] for s in seconds) - whole
        yield Finding(
            start_s,
            end_s,
            f"Loud ({loudest:+.1f} LU), close, with “{shown[0]['text']}” on screen",
            (
                *joined.second_ids("audio_analysis", seconds),
                *joined.second_ids(source, seconds),
                *(line["id"] for line in shown),
            ),
            confidence=0.8,
            effect="helps",
        )
