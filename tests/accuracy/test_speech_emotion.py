"""speech_emotion on made speech, its sentences raised and lowered, and with music under it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.signal import resample_poly

from analyzers.methods.speech.pitch import pitch
from analyzers.video import Video
from tests.accuracy.conftest import Report
from tests.accuracy.made_speech import RATE_HZ, over_music, read_aloud
from tests.accuracy.upstream import analyzed
from tests.analyzers.made import made_video

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

SILENT = ("woman_and_dog_outdoors", "coffee_pour_product")
#: How the four sentences are changed: semitones (and the rate with them), and dB.
CHANGES = ((0, 0), (0, 0), (2, 6), (-2, -6))
_LEAST_GAP_S = 0.35


def sentences(sound: np.ndarray) -> list[np.ndarray]:
    """Speech parted at its silences."""
    loud = np.flatnonzero(np.abs(sound) > 0.003)
    ends = np.flatnonzero(np.diff(loud) > _LEAST_GAP_S * RATE_HZ)
    firsts, lasts = [loud[0], *loud[ends + 1]], [*loud[ends], loud[-1]]
    return [sound[a : b + 1] for a, b in zip(firsts, lasts, strict=True)]


def changed(part: np.ndarray, semitones: float, decibels: float) -> np.ndarray:
    """Higher (and as much faster) and louder."""
    up = round(1000 / 2 ** (semitones / 12))
    return resample_poly(part, up, 1000) * 10 ** (decibels / 20)


def raised_and_lowered() -> np.ndarray:
    pause = np.zeros(round(0.6 * RATE_HZ))
    pieces = [pause]
    for part, change in zip(sentences(read_aloud("workout")), CHANGES, strict=True):
        pieces += [changed(part, *change), pause]
    return (0.6 * np.concatenate(pieces)).astype(np.float32)


def rows_of(sound: np.ndarray) -> tuple[list[dict[str, Any]], float]:
    video = replace(made_video(len(sound) / RATE_HZ), audio_16k=sound)
    results, cost = analyzed("speech_emotion", video)
    return results["speech_emotion"].observations.to_pylist(), cost


def test_raised_and_lowered_sentences(report: Report) -> None:
    sound = raised_and_lowered()
    rows, _ = rows_of(sound)
    arousal = [row["arousal"] for row in rows]
    assert len(rows) == len(CHANGES)
    report("speech_emotion", "made speech", "arousal, raised by 2 st and 6 dB", arousal[2], "most")
    report("speech_emotion", "made speech", "arousal, lowered as much", arousal[3], "least")
    assert arousal[3] < -0.3 < min(arousal[:2])
    assert max(arousal[:2]) < 0.3 < arousal[2]
    over, cost = rows_of(over_music(sound))
    moved = [
        abs(found["arousal"] - true["arousal"])
        for found in over
        for true in rows
        if abs(found["time_s"] - true["time_s"]) + abs(found["end_s"] - true["end_s"]) < 0.5
        and found["arousal"] is not None
        and found["confidence"] >= 0.5
    ]
    clip = "made speech, music -10 dB"
    report("speech_emotion", clip, "sentences with confidence 0.5", len(moved), ">= 1")
    report("speech_emotion", clip, "their arousal moves by at most", max(moved), "<= 0.25")
    report("speech_emotion", clip, "CPU-s per s", cost, "in 0.06 of all sound")
    assert max(moved) <= 0.25


@pytest.mark.comparison
@pytest.mark.parametrize("clip", ["nasa_webb_narrated", "friday_dialogue_bw"])
def test_pitch_against_probabilistic_yin(demo_video: Any, report: Report, clip: str) -> None:
    """Mauch & Dixon 2014, as librosa has it."""
    import librosa

    video: Video = demo_video(clip)
    assert video.audio_16k is not None
    sound = np.asarray(video.audio_16k[: 12 * RATE_HZ])
    found = pitch(sound, RATE_HZ)
    other, _, _ = librosa.pyin(
        sound, fmin=65, fmax=600, sr=RATE_HZ, frame_length=1024, hop_length=RATE_HZ // 100
    )
    at = np.round(found.times_s * 100).astype(int).clip(0, len(other) - 1)
    off = np.abs(found.f0_hz / other[at] - 1)
    share = float(np.mean(off[np.isfinite(off)] < 0.05))
    report("speech_emotion", clip, "F0 within 5 % of pYIN", share, ">= 0.9")
    assert share >= 0.9


@pytest.mark.parametrize("clip", SILENT)
def test_silent_clips(demo_video: Any, report: Report, clip: str) -> None:
    results, _ = analyzed("speech_emotion", demo_video(clip))
    status = results["speech_emotion"].status
    report("speech_emotion", clip, "status", status, "not_applicable")
    assert status == "not_applicable"
