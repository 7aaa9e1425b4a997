"""A few sentences on a video, made of what its analyzers found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from analyzers.methods.story.joined import Joined
from analyzers.rules.registry import Finding
from analyzers.rules.text_against_speech import TOGETHER_S

#: Words that are quoted, and letters where a language has no blanks between them.
_MOST_WORDS, _MOST_QUOTED = 14, 140
_MOST_LETTERS = 260
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
#: As for tags: what a video shows is in so many frames, seen so surely.
_FRAME_SHARE, _CONFIDENCE = 0.25, 0.5
_GRADES = {"black_and_white": "black and white", "sepia": "sepia", "low_key": "low-key"}


def summary_of(joined: Joined, findings: Sequence[tuple[str, Finding]]) -> str:
    """The sentences, each only where there is something to say."""
    by_rule: dict[str, list[Finding]] = {}
    for rule, finding in findings:
        by_rule.setdefault(rule, []).append(finding)
    return " ".join(
        (
            *_shown(joined),
            *_said(joined, by_rule),
            *_heard(joined, by_rule),
            *_told(joined, by_rule),
        )
    )


def _shown(joined: Joined) -> Iterator[str]:
    if description := joined.of_summary("qwen2_vl_temporal", "description"):
        yield _beginning(description)
        # Whoever reads these sentences is to know what wrote them.
        yield f"(model_kind: {joined.of_summary('qwen2_vl_temporal', 'model_kind')})"
        return
    told = f"{joined.grid.end_s:.1f} s"
    if shots := joined.of_summary("cut_analysis", "shot_count"):
        told += " in one shot" if shots == 1 else f" in {shots} shots"
    grade = joined.of_summary("color_analysis", "grade")
    if grade in _GRADES:
        told += f", {_GRADES[grade]}"
    things = [
        thing["label"]
        for thing in joined.of_summary("object_detection", "classes") or ()
        if thing["frame_share"] >= _FRAME_SHARE and thing["mean_confidence"] >= _CONFIDENCE
    ]
    if things:
        told += f", with {_listed(things)}"
    yield f"{told}."


def _said(joined: Joined, by_rule: dict[str, list[Finding]]) -> Iterator[str]:
    text = joined.of_summary("speech_transcription", "text")
    if text:
        quoted = " ".join(text.split()[:_MOST_WORDS])[:_MOST_QUOTED].rstrip()
        quoted += " …" if len(quoted) < len(" ".join(text.split())) else ""
        where = ""
        on, off = (
            sum(f.end_s - f.time_s for f in by_rule.get(rule, ()))
            for rule in ("speaker_on_screen", "speaker_off_screen")
        )
        if max(on, off) > 0:
            where = " on screen" if on > off else " off screen"
        speakers = joined.of_summary("voices", "speaker_count") or 1
        who = "Somebody speaks" if speakers == 1 else f"{speakers} people speak"
        yield f"{who}{where}: “{quoted}”"
    counts = {
        value: len(by_rule.get(rule, ()))
        for value, rule in (
            ("says the same as the voice", "text_same_as_speech"),
            ("adds to the voice", "text_adds_to_speech"),
            ("contradicts the voice", "text_contradicts_speech"),
        )
        if rule in by_rule
    }
    if total := sum(counts.values()):
        parts = [
            value if total == 1 else f"{value} ({count} of {total})"
            for value, count in counts.items()
        ]
        yield f"Text on screen {_listed(parts)}."
    elif captions := joined.rows("text_overlay", role="caption"):
        first = [c for c in captions if c["time_s"] - captions[0]["time_s"] <= TOGETHER_S]
        text = " ".join(c["text"] for c in first)
        yield f"Text on screen: “{text}”{' and more' * (len(captions) > len(first))}."


def _heard(joined: Joined, by_rule: dict[str, list[Finding]]) -> Iterator[str]:
    if (joined.of_summary("audio_analysis", "music_ratio") or 0) >= 0.5:
        told = "Music"
        if tempo := joined.of_summary("audio_analysis", "tempo_bpm"):
            told += f" at {tempo:.0f} beats a minute"
        if key := joined.of_summary("audio_analysis", "key"):
            told += f" in {key} {joined.of_summary('audio_analysis', 'mode')}"
        if on_beat := by_rule.get("cut_on_beat"):
            told += f", {len(on_beat)} cuts on its beat"
        yield f"{told}."
    elif "voices" in joined and not joined.speaks("voices"):
        yield "There is no sound."


def _told(joined: Joined, by_rule: dict[str, list[Finding]]) -> Iterator[str]:
    if hook := by_rule.get("hook_strength"):
        yield f"{hook[0].finding}."
    parts = {part["part"]: part for part in joined.rows("temporal_flow")}
    told = []
    if peak := parts.get("peak"):
        told.append(f"most happens from {peak['time_s']:.0f} to {peak['end_s']:.0f} s")
    if turn := parts.get("turn"):
        told.append(f"it turns at {turn['time_s']:.0f} s")
    if call := parts.get("call_to_action"):
        told.append(f"it calls on the viewer at {call['time_s']:.0f} s")
    if "loop" in parts:
        told.append("it loops")
    if told:
        sentence = _listed(told)
        yield f"{sentence[0].upper()}{sentence[1:]}."
    if dead := by_rule.get("dead_seconds"):
        longest = max(dead, key=lambda f: f.end_s - f.time_s)
        yield (
            f"Nothing new comes for {longest.end_s - longest.time_s:.0f} s "
            f"from {longest.time_s:.0f} s on."
        )


def _beginning(text: str) -> str:
    """Its first sentences, as many as are short enough; the first in any case."""
    first, *rest = _SENTENCE_END.split(text.strip())
    told = first
    for sentence in rest:
        if len(told) + len(sentence) > _MOST_LETTERS:
            break
        told += f" {sentence}"
    return told if told.endswith((".", "!", "?", "…")) else f"{told}."


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
