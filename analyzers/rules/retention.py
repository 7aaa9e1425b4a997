"""What else helps or costs a viewer's staying, by what the whole video does."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.methods.story.joined import Joined, end_of
from analyzers.rules import words as w
from analyzers.rules.registry import Finding, quality, rule
from analyzers.rules.text_against_speech import ROLES

quality(
    "retention factor",
    "Something found that helps or costs a viewer's staying, as editors' practice and the "
    "platforms' advice to creators hold it. No viewer was measured: a factor says what is there, "
    "with its evidence, and not what it does to a curve of views.",
)

#: Part of the spoken content words that are to be read on screen within two seconds.
_READABLE, _UNREADABLE, _READ_AROUND_S = 0.6, 0.1, 2.0
_LEAST_WORDS = 8
#: A picture that keeps to one shot for longer asks for patience.
_LONG_S = 8.0
_STEADY = 0.45


@rule(needs=("speech_transcription", "text_overlay"))
def readable_without_sound(joined: Joined) -> Iterable[Finding]:
    """Whether one can follow the speech with the sound off: 0.6 or more of the content words said
    are on screen within two seconds of being said (helps), or less than 0.1 (costs). Told for eight
    content words or more."""
    language = joined.of_summary("speech_transcription", "language")
    said = joined.rows("speech_transcription")
    lines = [line for line in joined.rows("text_overlay") if line["role"] in ROLES]
    counted, read, ids = 0, 0, []
    for word in said:
        for token in w.content(w.tokens(word["word"], language), language):
            if token in w.FUNCTION_WORDS:
                continue
            counted += 1
            shown = next(
                (
                    line
                    for line in lines
                    if line["time_s"] - _READ_AROUND_S <= word["end_s"]
                    and end_of(line) + _READ_AROUND_S >= word["time_s"]
                    and any(w.same(token, t) for t in w.tokens(line["text"], language))
                ),
                None,
            )
            if shown:
                read += 1
                ids += [shown["id"], word["id"]]
    share = read / counted if counted else 0.0
    if counted < _LEAST_WORDS or _UNREADABLE <= share < _READABLE:
        return
    helps = share >= _READABLE
    yield Finding(
        said[0]["time_s"],
        said[-1]["end_s"],
        f"{read} of {counted} content words said can be read on screen",
        tuple(dict.fromkeys(ids)) or tuple(word["id"] for word in said[:12]),
        confidence=0.8,
        effect="helps" if helps else "costs",
        value=f"{share:.2f}",
    )


@rule(needs=("cut_analysis", "temporal_flow"))
def long_steady_shot(joined: Joined) -> Iterable[Finding]:
    """A shot of more than eight seconds in which little moves (mean motion below 0.45) and nobody
    speaks for most of it: a test of patience."""
    motion = joined.column("temporal_flow", "motion")
    voice = joined.column("voices", "voice_ratio")
    for shot in joined.rows("cut_analysis", type="shot"):
        seconds = joined.seconds_of(shot["time_s"], shot["end_s"])
        mean = sum(motion[s] or 0.0 for s in seconds) / len(seconds)
        spoken = sum(voice[s] or 0.0 for s in seconds) / len(seconds)
        length_s = shot["end_s"] - shot["time_s"]
        if length_s > _LONG_S and mean < _STEADY and spoken < 0.5:
            yield Finding(
                shot["time_s"],
                shot["end_s"],
                f"One shot for {length_s:.1f} s with little motion and little speech",
                (shot["id"], *joined.second_ids("temporal_flow", seconds)),
                confidence=0.7,
                effect="costs",
                value=f"{length_s:.1f}",
            )


@rule(needs=("temporal_flow",))
def asks_the_viewer(joined: Joined) -> Iterable[Finding]:
    """The video calls its viewer to do something (temporal_flow's call to action)."""
    for part in joined.rows("temporal_flow", part="call_to_action"):
        yield Finding(
            part["time_s"],
            part["end_s"],
            part["why"],
            (part["id"], *part["evidence"]),
            confidence=part["confidence"],
            effect="helps",
        )


@rule(needs=("temporal_flow",))
def loops(joined: Joined) -> Iterable[Finding]:
    """The end runs into the beginning (temporal_flow's loop), so that a replay is not noticed."""
    for part in joined.rows("temporal_flow", part="loop"):
        yield Finding(
            part["time_s"],
            part["end_s"],
            "The end runs into the beginning, so it replays without a break",
            (part["id"], *part["evidence"]),
            confidence=part["confidence"],
            effect="helps",
        )
