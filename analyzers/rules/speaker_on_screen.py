"""Whether the one who speaks is seen speaking: lips against voice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from analyzers.methods.people.mouth import movement_per_s
from analyzers.methods.story.joined import Joined, Row, between, end_of
from analyzers.rules.registry import Finding, quality, rule

quality(
    "speaker on or off screen",
    "Voice with pauses of up to half a second in it is one utterance, parted at the shot changes; "
    "parts under 0.5 s are not judged, nor is a voice in which speech_transcription hears no word "
    "(it may be an instrument's). A face "
    "followed for half of a part whose lips change their opening by 0.22 distances of the eyes a "
    "second or more, to and fro, speaks (`on_screen`). `off_screen`: every face seen is followed "
    "and none moves its lips by more than 0.10, or there is neither a face nor a person. Between "
    "these, and where a face is too small or turned away, nothing is told.",
)

#: Lips that speak, and lips that do not; see EyeTracking for what was measured.
SPEAKING_PER_S, STILL_PER_S = 0.22, 0.10
_LEAST_S = 0.5
#: Voice with a shorter pause in it is one utterance.
_PAUSE_S = 0.5
#: Part of the stretch for which a face must be followed, 15 times a second.
_FOLLOWED, _RATE_HZ = 0.5, 15.0
#: A detection that is taken for a person.
_PERSON = 0.4
#: Parts with one verdict and no longer silence between them are one finding.
_GAP_S = 1.0


@dataclass(frozen=True)
class _Part:
    time_s: float
    end_s: float
    verdict: str
    why: str
    evidence: tuple[str, ...]
    confidence: float


@rule(needs=("voices", "eye_tracking", "faces"))
def speaker_on_screen(joined: Joined) -> Iterable[Finding]:
    """Somebody speaks, and a face in the picture moves its lips (see the words for the bounds).
    Lips that move to other words than those heard, as in dubbing, count as well."""
    return _told(joined, "on_screen")


@rule(needs=("voices", "eye_tracking", "faces", "object_detection"))
def speaker_off_screen(joined: Joined) -> Iterable[Finding]:
    """Somebody speaks, and nobody in the picture does: all faces keep their lips still, or nobody
    is to be seen (see the words for the bounds)."""
    return _told(joined, "off_screen")


def _told(joined: Joined, verdict: str) -> Iterator[Finding]:
    merged: list[list[_Part]] = []
    for part in _parts(joined):
        if (
            merged
            and merged[-1][-1].verdict == part.verdict
            and (part.time_s - merged[-1][-1].end_s <= _GAP_S and part.why == merged[-1][-1].why)
        ):
            merged[-1].append(part)
        else:
            merged.append([part])
    for parts in merged:
        if parts[0].verdict == verdict:
            ids = dict.fromkeys(i for part in parts for i in part.evidence)
            yield Finding(
                parts[0].time_s,
                parts[-1].end_s,
                parts[0].why,
                tuple(ids),
                confidence=min(part.confidence for part in parts),
                value=verdict,
            )


def _parts(joined: Joined) -> Iterator[_Part]:
    changes = sorted(
        (row["time_s"] + end_of(row)) / 2 for row in joined.rows("cut_analysis", type="transition")
    )
    words = joined.rows("speech_transcription")
    utterances: list[list[Row]] = []
    for voice in joined.rows("voices", kind="voice"):
        if utterances and voice["time_s"] - end_of(utterances[-1][-1]) <= _PAUSE_S:
            utterances[-1].append(voice)
        else:
            utterances.append([voice])
    for voices in utterances:
        first_s, last_s = voices[0]["time_s"], end_of(voices[-1])
        if "speech_transcription" in joined and not between(words, first_s, last_s):
            continue  # music or a noise that was taken for a voice
        edges = [first_s, *(t for t in changes if first_s < t < last_s), last_s]
        for start_s, end_s in pairwise(edges):
            own = between(voices, start_s, end_s)
            if end_s - start_s >= _LEAST_S and (part := _judge(joined, own, start_s, end_s)):
                yield part


def _judge(joined: Joined, voices: list[Row], start_s: float, end_s: float) -> _Part | None:
    heard = [voice["id"] for voice in voices]
    seconds = joined.seconds_of(start_s, end_s)
    tracks: dict[int, list[Row]] = {}
    for row in between(joined.rows("eye_tracking"), start_s, end_s):
        if row.get("mouth_opening_ratio") is not None:
            tracks.setdefault(row["track_id"], []).append(row)
    moved = {
        track: movement_per_s([r["time_s"] for r in rows], [r["mouth_opening_ratio"] for r in rows])
        for track, rows in tracks.items()
        if len(rows) >= _FOLLOWED * (end_s - start_s) * _RATE_HZ
    }
    known = {track: speed for track, speed in moved.items() if speed is not None}
    seen = {row["track_id"] for row in between(joined.rows("faces"), start_s, end_s)}
    if known and max(known.values()) >= SPEAKING_PER_S:
        # A face that is not followed might be the one who speaks, but then two mouths move.
        track = max(known, key=lambda t: known[t])
        rows = tracks[track]
        ids = (
            *heard,
            *joined.second_ids("eye_tracking", seconds),
            *(r["id"] for r in rows[:: max(1, len(rows) // 4)]),
        )
        why = "The speaker is on screen: the lips move with the voice"
        sure = min(1.0, known[track] / (2 * SPEAKING_PER_S))
        return _Part(start_s, end_s, "on_screen", why, ids, sure)
    if seen and seen <= known.keys() and max(known.values()) <= STILL_PER_S:
        ids = (
            *heard,
            *joined.second_ids("eye_tracking", seconds),
            *joined.second_ids("faces", seconds),
        )
        why = "The speaker is off screen: the face in the picture keeps its lips still"
        return _Part(start_s, end_s, "off_screen", why, ids, 0.9)
    persons = [
        row
        for row in between(joined.rows("object_detection", label="person"), start_s, end_s)
        if row["confidence"] >= _PERSON
    ]
    if not seen and not persons and "object_detection" in joined:
        ids = (
            *heard,
            *joined.second_ids("faces", seconds),
            *joined.second_ids("object_detection", seconds),
        )
        why = "The speaker is off screen: no face and no person is found in the picture"
        return _Part(start_s, end_s, "off_screen", why, ids, 0.8)
    return None
