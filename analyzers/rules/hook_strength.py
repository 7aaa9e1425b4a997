"""How much the first three seconds give a viewer to stay for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzers.methods.story.arc import HOOK_S
from analyzers.methods.story.joined import Joined, between, end_of, shot_changes
from analyzers.rules.registry import Finding, quality, rule

#: What hooks, and how much of the whole it is. Editors' practice and the platforms' advice to
#: creators (say and show at once what it is about); nobody's measurement.
HOOK_WEIGHTS: Mapping[str, float] = {
    "text": 0.20,
    "speech": 0.20,
    "face": 0.15,
    "motion": 0.15,
    "cut": 0.15,
    "sound": 0.15,
}
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "text": ("text_overlay",),
    "speech": ("speech_transcription",),
    "face": ("faces",),
    "motion": ("temporal_flow",),
    "cut": ("cut_analysis",),
    "sound": ("audio_analysis",),
}
#: What begins in the first second counts whole; later it falls to a half at the third second.
_AT_ONCE_S = 1.0
#: A face in view, motion that is seen, and sound near the video's own level count whole.
_FACE_SHARE, _MOTION, _SOUND_LU = 0.03, 0.6, 6.0
STRONG, WEAK = 0.65, 0.3

quality(
    "hook strength",
    "0 to 1 over the first three seconds: "
    + ", ".join(f"{name} {weight:g}" for name, weight in HOOK_WEIGHTS.items())
    + ". Text is a caption or sticker, speech a word, a cut any change of shot (a fade that opens "
    "the video is none): each counts whole where it begins in the first second, and by half at the "
    "third. A face counts by its size "
    "(whole at 0.03 of the frame), motion by temporal_flow's channel (whole at 0.6), sound where "
    "the loudest second is within 6 LU of the video's own loudness. A part whose analyzer is "
    "missing is left out and the rest weighs more. Strong from 0.65, weak below 0.3.",
)


@rule(needs=(tuple(source for sources in _SOURCES.values() for source in sources),))
def hook_strength(joined: Joined) -> Iterable[Finding]:
    """How strong the first three seconds are, always told (see hook strength under the words)."""
    end_s = min(HOOK_S, joined.grid.end_s)
    seconds = joined.seconds_of(0.0, end_s)
    given: dict[str, float] = {}
    evidence: list[str] = []
    for name, rows in (
        (
            "text",
            [r for r in joined.rows("text_overlay") if r["role"] in ("caption", "sticker")],
        ),
        ("speech", joined.rows("speech_transcription")),
        ("cut", shot_changes(joined)),
    ):
        own = between(rows, 0.0, end_s)
        given[name] = max(
            (_early((r["time_s"] + end_of(r)) / 2 if name == "cut" else r["time_s"]) for r in own),
            default=0.0,
        )
        evidence += [row["id"] for row in own[:4]]
    for name, source, column in (
        ("face", "faces", "largest_face_share"),
        ("motion", "temporal_flow", "motion"),
    ):
        values = [joined.column(source, column)[s] or 0.0 for s in seconds]
        whole = _FACE_SHARE if name == "face" else _MOTION
        given[name] = min(1.0, max(values) / whole)
        if given[name] > 0 and joined.speaks(source):
            evidence += joined.second_ids(source, seconds)
    given["sound"] = _sound(joined, seconds)
    if given["sound"]:
        evidence += joined.second_ids("audio_analysis", seconds)
    there = [n for n in HOOK_WEIGHTS if any(s in joined for s in _SOURCES[n])]
    strength = sum(HOOK_WEIGHTS[n] * given[n] for n in there) / sum(HOOK_WEIGHTS[n] for n in there)
    has = [n for n in there if given[n] >= 0.5]
    lacks = [n for n in there if given[n] < 0.25]
    word = "strong" if strength >= STRONG else "weak" if strength < WEAK else "middling"
    told = f"The hook is {word} ({strength:.2f})"
    told += f": it has {', '.join(has)}" if has else ""
    told += f"{'; ' if has else ': '}it lacks {', '.join(lacks)}" if lacks else ""
    if not evidence:  # nothing is there: the seconds say so
        evidence = [
            i for n in there for s in _SOURCES[n] if s in joined
            for i in joined.second_ids(s, seconds)
        ]  # fmt: skip
    yield Finding(
        0.0,
        end_s,
        told,
        tuple(dict.fromkeys(evidence)),
        confidence=len(there) / len(HOOK_WEIGHTS),
        effect="helps" if strength >= STRONG else "costs" if strength < WEAK else None,
        value=f"{strength:.3f}",
    )


def _early(time_s: float) -> float:
    late_s = max(0.0, time_s - _AT_ONCE_S)
    return 1.0 - 0.5 * min(1.0, late_s / (HOOK_S - _AT_ONCE_S))


def _sound(joined: Joined, seconds: range) -> float:
    whole = joined.of_summary("audio_analysis", "loudness_lufs")
    levels = [joined.column("audio_analysis", "loudness_lufs")[s] for s in seconds]
    known = [level for level in levels if level is not None]
    return float(whole is not None and bool(known) and max(known) >= whole - _SOUND_LU)
