"""speech_emotion on made voices with given words: what raises arousal, when there is no class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.speech_emotion import SpeechEmotion, emotion_of
from analyzers.speech_transcription import SpeechTranscription
from analyzers.video import Video
from tests.analyzers.made import made_video
from tests.analyzers.made_prosody import RATE_HZ, vowel
from tests.analyzers.made_talk import made_talk, spaced, speech_models
from tests.analyzers.made_voices import made_voices

PLAIN = "the table stands beside the window"
GLAD = "I love this wonderful happy day"
ANGRY = "I hate this terrible awful day"
#: Pitch in Hz, RMS level, and words.
USUAL = (120.0, 0.03, PLAIN)


def spoken(
    *parts: tuple[float, float, str], noise: float = 0.0005, language: str = "en"
) -> tuple[Video, dict[str, AnalysisResult]]:
    """One sentence after the other, 1.5 s each and half a second apart."""
    end_s = 2.0 * len(parts) + 0.5
    sound = np.random.default_rng(0).normal(0, noise, round(end_s * RATE_HZ)).astype(np.float32)
    said, voice = [], []
    for number, (f0_hz, level, words) in enumerate(parts):
        start_s = 0.5 + 2.0 * number
        first = round(start_s * RATE_HZ)
        sound[first : first + round(1.5 * RATE_HZ)] += vowel(f0_hz, 1.5, level)
        said += spaced(words, start_s, start_s + 1.5, number)
        voice.append((start_s, start_s + 1.5))
    video = replace(made_video(end_s), audio_16k=sound)
    return video, made_talk(video, said, voice, language=language)


def analyze(video: Video, upstream: dict[str, AnalysisResult]) -> AnalysisResult:
    return run_analyzer(SpeechEmotion(speech_models()), video, upstream)[0]


def rows_of(*parts: tuple[float, float, str], **how: Any) -> list[dict[str, Any]]:
    return analyze(*spoken(*parts, **how)).observations.to_pylist()


def test_arousal_follows_louder_and_higher() -> None:
    steps = [(120 * 2 ** (s / 12), 0.03 * 10 ** (s / 20), PLAIN) for s in (-3, 0, 0, 0, 2, 4)]
    rows = rows_of(*steps)
    arousal = [row["arousal"] for row in rows]
    assert arousal == pytest.approx(sorted(arousal), abs=0.02)
    assert arousal[0] < -0.2 < 0.3 < arousal[-1]
    assert [row["f0_hz"] for row in rows] == pytest.approx([s[0] for s in steps], rel=0.01)
    assert all(row["dominance"] > 0 for row in rows[-2:])


def test_classes_of_clear_voice_and_words() -> None:
    raised, low = (170.0, 0.09), (95.0, 0.012)
    rows = rows_of(
        USUAL, USUAL, USUAL, USUAL, (*raised, GLAD), (*raised, ANGRY), (*low, GLAD), (*low, ANGRY)
    )
    assert [row["emotion"] for row in rows[3:]] == ["neutral", "excited", "tense", "calm", "sad"]
    assert all(row["confidence"] > 0.8 for row in rows)


def test_weak_evidence_is_uncertain() -> None:
    over_noise = rows_of(USUAL, USUAL, USUAL, (170.0, 0.09, GLAD), noise=0.03)
    assert {row["emotion"] for row in over_noise[:3]} == {"uncertain"}
    assert max(row["confidence"] for row in over_noise[:3]) < 0.5
    two = rows_of(USUAL, (170.0, 0.09, GLAD))
    assert {row["emotion"] for row in two} == {"uncertain"}
    [alone] = rows_of((170.0, 0.09, GLAD))
    assert (alone["arousal"], alone["emotion"], alone["confidence"]) == (None, "uncertain", 0.0)
    assert alone["valence"] > 0.5, "the words are known all the same"


def test_words_of_another_language_are_not_judged() -> None:
    result = analyze(*spoken(USUAL, USUAL, USUAL, (170.0, 0.09, GLAD), language="de"))
    rows = result.observations.to_pylist()
    assert [row["valence"] for row in rows] == [None] * 4
    assert {row["emotion"] for row in rows} == {"uncertain"}
    assert rows[3]["arousal"] > 0.3
    assert result.summary["words_judged"] is False
    assert result.summary["mean_valence"] is None


def test_speakers_are_held_against_themselves() -> None:
    video, _ = spoken(*[(110.0, 0.03, PLAIN), (220.0, 0.09, PLAIN)] * 3)
    turns = [("S1" if i % 2 == 0 else "S2", 0.4 + 2 * i, 2.1 + 2 * i) for i in range(6)]
    said = [w for i in range(6) for w in spaced(PLAIN, 0.5 + 2 * i, 2.0 + 2 * i, i)]
    voice = [(0.5 + 2 * i, 2.0 + 2 * i) for i in range(6)]
    result = analyze(video, made_talk(video, said, voice, turns))
    assert [row["arousal"] for row in result.observations.to_pylist()] == pytest.approx(
        [0.0] * 6, abs=0.05
    )
    assert result.summary["speaker_f0_hz"] == pytest.approx([110, 220], rel=0.01)


def test_seconds_and_summary() -> None:
    result = analyze(*spoken(USUAL, USUAL, USUAL, USUAL, (170.0, 0.09, GLAD)))
    seconds = result.segments.to_pylist()
    assert seconds[1]["emotion"] == "neutral"
    assert (seconds[8]["emotion"], seconds[9]["emotion"]) == ("excited", "excited")
    assert seconds[9]["valence"] > 0.5
    summary = result.summary
    assert summary["dominant_emotion"] == "neutral"
    assert summary["emotions"][0] == {"emotion": "neutral", "share": pytest.approx(0.8)}
    assert (summary["utterance_count"], summary["classified_count"]) == (5, 5)
    assert summary["peak_arousal_s"] == pytest.approx(8.5, abs=0.1)


def test_texts_have_the_blanks_of_their_language() -> None:
    video, _ = spoken(USUAL)
    said = [("\u4eca\u5929", 0.0, 0.5, 0), ("\u5f88", 0.5, 0.7, 0), ("\u597d\u3002", 0.7, 1.2, 0)]
    result = analyze(video, made_talk(video, said, [(0.0, 1.2)], language="zh", blank=""))
    assert result.observations["text"].to_pylist() == ["\u4eca\u5929\u5f88\u597d\u3002"]


def test_seconds_without_speech_say_nothing() -> None:
    video, upstream = spoken(USUAL, USUAL)
    longer = replace(video, info=replace(video.info, end_s=7.5))
    assert analyze(longer, upstream).segments["emotion"].to_pylist()[-2:] == [None, None]


@pytest.mark.parametrize(
    ("arousal", "valence", "evidence", "emotion"),
    [
        (0.0, 0.0, 0.9, "neutral"),
        (0.0, 0.0, 0.4, "uncertain"),
        (0.9, 0.0, 0.9, "uncertain"),
        (0.0, -0.9, 0.9, "uncertain"),
        (None, -0.9, 0.9, "uncertain"),
        (0.9, None, 0.9, "uncertain"),
        (0.5, -0.5, 0.5, "tense"),
    ],
)
def test_a_class_needs_both_sides(
    arousal: float | None, valence: float | None, evidence: float, emotion: str
) -> None:
    assert emotion_of(arousal, valence, evidence) == emotion


def test_silence_is_not_applicable() -> None:
    video = made_video(2.5)
    voices = made_voices(video)
    transcript = SpeechTranscription(Models({})).not_applicable(video, "no speech")
    result = analyze(video, {"voices": voices, "speech_transcription": transcript})
    assert (result.status, result.reason) == ("not_applicable", "no speech")


def test_preview_draws_each_utterance() -> None:
    video, upstream = spoken(USUAL, USUAL, USUAL, USUAL, (170.0, 0.09, GLAD))
    analyzer = SpeechEmotion(speech_models())
    result, _ = run_analyzer(analyzer, video, upstream)
    preview = analyzer.preview(video, result)
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    orange = (picture == (0, 159, 230)).all(axis=2)
    assert orange[60:].sum() > 300, "the excited one"
    assert "5 of 5 utterances" in preview.markdown
