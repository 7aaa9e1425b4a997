"""The mood of the picture against the mood of the sound, and a face against its voice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

import numpy as np

from analyzers.methods.story.joined import Joined, between, end_of
from analyzers.rules.registry import Finding, quality, rule
from analyzers.rules.spans import runs

quality(
    "mood",
    "Of the picture: how pleasant it is, -1 to 1, from the expression of the face where one is "
    "judged (seven tenths) and the brightness and colour of the frame (`pleasure` of "
    "color_analysis, a whole one at 0.25). Of the sound: how pleasant, from music (major and "
    "120 beats a minute or more is bright, minor and 90 or less is dark, mixed cues are neither: "
    "Hunter, Schellenberg & Schimmack 2010), or without music from the words of an utterance to "
    "which speech_emotion gives a class. Each is clear from 0.5 on. All of it is how a thing looks "
    "or sounds, not what anybody feels.",
)

_FACE_WEIGHT, _FULL_PLEASURE = 0.7, 0.25
_CLEAR = 0.5
_FAST_BPM, _SLOW_BPM, _KEY_CONFIDENCE = 120.0, 90.0, 0.7
_MUSIC = 0.5
#: What speech_emotion calls a voice that it gives no class.
_UNCERTAIN = "uncertain"
#: A mood that lasts less long is a glance.
_LEAST_SECONDS = 2
#: A face and what is said must each be so clear for one to deny the other.
_FACE_OR_VOICE = 0.4


def picture_valence(joined: Joined) -> list[float | None]:
    """How pleasant the picture of each second is, -1..1; None where nothing tells."""
    found: list[float | None] = []
    for pleasure, face in zip(
        joined.column("color_analysis", "pleasure"),
        joined.column("face_emotion", "valence"),
        strict=True,
    ):
        colour = None if pleasure is None else float(np.clip(pleasure / _FULL_PLEASURE, -1, 1))
        if face is None:
            found.append(colour)
        elif colour is None:
            found.append(float(face))
        else:
            found.append(float(_FACE_WEIGHT * face + (1 - _FACE_WEIGHT) * colour))
    return found


def sound_valence(joined: Joined) -> list[float | None]:
    """How pleasant the sound of each second is, -1..1; None where nothing tells."""
    mode = joined.of_summary("audio_analysis", "mode")
    sure = joined.of_summary("audio_analysis", "key_confidence") or 0.0
    tempo = joined.of_summary("audio_analysis", "tempo_bpm")
    music: float | None = None
    if mode and sure >= _KEY_CONFIDENCE and tempo:
        if mode == "major" and tempo >= _FAST_BPM:
            music = float(sure)
        elif mode == "minor" and tempo <= _SLOW_BPM:
            music = -float(sure)
        else:
            music = 0.0
    voices = [
        valence if emotion not in (None, _UNCERTAIN) else None
        for valence, emotion in zip(
            joined.column("speech_emotion", "valence"),
            joined.column("speech_emotion", "emotion"),
            strict=True,
        )
    ]
    ratios = joined.column("audio_analysis", "music_ratio")
    return [
        music if (ratio or 0) >= _MUSIC else voice
        for ratio, voice in zip(ratios, voices, strict=True)
    ]


@rule(needs=("color_analysis", "audio_analysis"))
def mood_agrees(joined: Joined) -> Iterable[Finding]:
    """Picture and sound have the same clear mood for two seconds or more (see the words)."""
    return _held(joined, agree=True)


@rule(needs=("color_analysis", "audio_analysis"))
def mood_at_odds(joined: Joined) -> Iterable[Finding]:
    """Picture and sound have clear and contrary moods for two seconds or more (see the words): a
    mistake, or irony."""
    return _held(joined, agree=False)


def _clear(mood: float | None) -> TypeGuard[float]:
    return mood is not None and abs(mood) >= _CLEAR


def _held(joined: Joined, agree: bool) -> Iterable[Finding]:
    seen, heard = picture_valence(joined), sound_valence(joined)
    face = joined.column("face_emotion", "valence")
    music = joined.column("audio_analysis", "music_ratio")
    # Bright and dark, music and words, are never one finding.
    kinds = [
        (a > 0, b > 0, (ratio or 0) >= _MUSIC) if _clear(a) and _clear(b) else None
        for a, b, ratio in zip(seen, heard, music, strict=True)
    ]
    words = {True: "bright", False: "dark"}
    for kind in sorted({k for k in kinds if k and (k[0] == k[1]) == agree}):
        pleasant, sounds_pleasant, by_music = kind
        for start_s, end_s, seconds in runs([k == kind for k in kinds], joined, _LEAST_SECONDS):
            a = float(np.mean([seen[s] for s in seconds]))
            b = float(np.mean([heard[s] for s in seconds]))
            faced = [s for s in seconds if face[s] is not None]
            yield Finding(
                start_s,
                end_s,
                f"The picture is {words[pleasant]}{' (a face)' if faced else ''} "
                f"{'and' if agree else 'but'} the {'music is' if by_music else 'words said are'} "
                f"{words[sounds_pleasant]}",
                (
                    *joined.second_ids("color_analysis", seconds),
                    *joined.second_ids("face_emotion", faced),
                    *joined.second_ids("audio_analysis" if by_music else "speech_emotion", seconds),
                ),
                confidence=0.5 * min(abs(a), abs(b)),
                value=f"{a:.2f} {b:.2f}",
            )


@rule(needs=("speech_emotion", "face_emotion"))
def face_against_voice(joined: Joined) -> Iterable[Finding]:
    """The words of an utterance to which speech_emotion gives a class are pleasant (valence 0.4 or
    more) while the face on screen looks unpleasant (-0.4 or less), or the other way round. Whether
    the face is the speaker's is for `speaker_on_screen` to tell."""
    face = joined.column("face_emotion", "valence")
    for utterance in joined.rows("speech_emotion"):
        heard = utterance["valence"]
        seconds = [
            s
            for s in joined.seconds_of(utterance["time_s"], end_of(utterance))
            if face[s] is not None
        ]
        unsure = utterance["emotion"] in (None, _UNCERTAIN)
        if unsure or heard is None or abs(heard) < _FACE_OR_VOICE or not seconds:
            continue
        seen = float(np.mean([face[s] for s in seconds]))
        if abs(seen) < _FACE_OR_VOICE or seen * heard > 0:
            continue
        words = between(joined.rows("speech_transcription"), utterance["time_s"], end_of(utterance))
        yield Finding(
            utterance["time_s"],
            end_of(utterance),
            f"The words said are {'pleasant' if heard > 0 else 'unpleasant'}, "
            f"the face looks {'pleasant' if seen > 0 else 'unpleasant'}",
            (
                utterance["id"],
                *joined.second_ids("face_emotion", seconds),
                *(word["id"] for word in words[:8]),
            ),
            confidence=0.5 * min(abs(heard), abs(seen)),
            value=f"{seen:.2f} {heard:.2f}",
        )
