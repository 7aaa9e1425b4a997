"""speech_transcription against the labels of the demo clips and of the sample.

Word error rate is counted by jiwer after text is evened out: lower case, no punctuation, numbers
as words. "Clean rooms" and "cleanrooms" are one word; the figure with two stands beside it.
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from num2words import num2words

from analyzers.base import AnalysisResult
from analyzers.speech_transcription import SpeechTranscription
from resources.media import open_video
from tests.accuracy.conftest import Report
from tests.accuracy.made_speech import (
    MUSIC_DB,
    RATE_HZ,
    READ_ALOUD,
    music,
    over_music,
    read_aloud,
)
from tests.accuracy.upstream import analyzed
from tests.analyzers.made import made_video

pytestmark = [pytest.mark.accuracy, pytest.mark.slow]

SAMPLE = Path(__file__).resolve().parents[2] / "sample" / "street_portrait.mp4"
SILENT = [
    "demo/woman_and_dog_outdoors.mp4",
    "demo/coffee_pour_product.mp4",
    "demo/letter_blocks_hands.mp4",
    "demo/woman_emotions_closeup.mp4",
    "broken/ax_silent-black-25s.mp4",
]


def evened(text: str) -> str:
    text = text.lower().replace("\u2019", "'")
    text = re.sub(r"\d+", lambda number: num2words(int(number[0])), text)
    return " ".join(re.sub(r"[^\w' ]+", " ", text).split())


def truth(path: Path) -> dict[str, Any]:
    return json.loads(path.with_suffix(".gt.json").read_text())


def transcribed(path: Path, language: str | None = None) -> tuple[AnalysisResult, float]:
    """The result, and CPU-seconds a second of video with loaded models."""
    with open_video(path) as video:
        settings = SpeechTranscription.Settings(language=language)
        results, cost = analyzed("speech_transcription", video, settings)
        return results["speech_transcription"], cost


def heard(sound: np.ndarray) -> AnalysisResult:
    video = replace(made_video(len(sound) / RATE_HZ), audio_16k=sound)
    return analyzed("speech_transcription", video)[0]["speech_transcription"]


@pytest.mark.parametrize(
    ("text", "music_under"),
    [
        ("market", True),
        pytest.param("kitchen", False, marks=pytest.mark.comparison),
        pytest.param("workout", False, marks=pytest.mark.comparison),
    ],
)
def test_made_speech(report: Report, text: str, music_under: bool) -> None:
    speech = read_aloud(text)
    result = heard(over_music(speech) if music_under else speech)
    said = evened(" ".join(READ_ALOUD[text]))
    error = jiwer.wer(said, evened(result.summary["text"]))
    how = f"word error, music {MUSIC_DB} dB under it" if music_under else "word error"
    report("speech_transcription", f"made speech, {text}", how, error, "<= 0.15")
    assert error <= 0.15
    assert result.summary["language"] == "en"
    assert result.summary["language_confidence"] > 0.9


@pytest.mark.comparison
@pytest.mark.parametrize("batch_size", [1, 8])
def test_windows_at_once(report: Report, batch_size: int) -> None:
    """Two and a half minutes of reading in seven windows: nothing is lost or gained."""
    pause = np.zeros(RATE_HZ * 3 // 2, np.float32)
    texts = ["market", "kitchen", "workout"] * 3
    sound = np.concatenate([part for text in texts for part in (read_aloud(text), pause)])
    video = replace(made_video(len(sound) / RATE_HZ), audio_16k=sound)
    settings = SpeechTranscription.Settings(batch_size=batch_size)
    results, cost = analyzed("speech_transcription", video, settings)
    said = evened(" ".join(line for text in texts for line in READ_ALOUD[text]))
    error = jiwer.wer(said, evened(results["speech_transcription"].summary["text"]))
    clip = f"made speech, {len(sound) / RATE_HZ:.0f} s, {batch_size} at once"
    report("speech_transcription", clip, "word error", error, "<= 0.15")
    report("speech_transcription", clip, "CPU-s per s", cost, "reported")
    assert error <= 0.15


@pytest.mark.comparison
def test_profanity_and_hashtags_are_kept(report: Report) -> None:
    result = heard(read_aloud("close_call"))
    words = evened(result.summary["text"]).split()
    kept = [w for w in ("shit", "bloody", "damn", "hashtag") if w in words]
    report("speech_transcription", "made speech, close_call", "kept as spoken", len(kept), "4")
    assert len(kept) == 4
    assert b"shit" in result.files["srt"]
    assert "*" not in result.summary["text"]


def test_no_words_over_made_music(report: Report) -> None:
    result = heard(music())
    words = result.observations.num_rows
    report("speech_transcription", "made music", "words over music", words, "0")
    assert words == 0


def test_narration(demo_dir: Path, report: Report) -> None:
    path = demo_dir / "nasa_webb_narrated.mp4"
    cues = truth(path)["cues"][:3]
    said = evened(" ".join(c["text"] for c in cues).replace("NAR:", ""))
    result, cost = transcribed(path)
    rows = result.observations.to_pylist()
    heard = evened(" ".join(r["word"] for r in rows if r["time_s"] < cues[-1]["end_s"]))
    error = jiwer.wer(said, heard.replace("clean rooms", "cleanrooms"))
    strict = jiwer.wer(said, heard)
    report("speech_transcription", path.stem, "word error, cues 1 to 3", error, "<= 0.10")
    report("speech_transcription", path.stem, "same, clean rooms as two words", strict, "reported")
    report("speech_transcription", path.stem, "CPU-s per s", cost, "0.10 (x2)")
    assert error <= 0.10
    assert result.summary["language"] == "en"


@pytest.mark.parametrize("language", [None, "en"])
def test_old_film(demo_dir: Path, report: Report, language: str | None) -> None:
    path = demo_dir / "friday_dialogue_bw.mp4"
    result, _ = transcribed(path, language)
    error = jiwer.wer(evened(truth(path)["transcript"]), evened(result.summary["text"] or ""))
    how = f"word error, language {language or 'found'} ({result.summary['language']})"
    report("speech_transcription", path.stem, how, error, "<= 0.50" if language else "reported")
    assert result.summary["language"] == "en"
    assert language is None or error <= 0.50


def test_no_words_over_music(demo_dir: Path, report: Report) -> None:
    result, cost = transcribed(demo_dir / "trailer_text_overlays.mp4")
    words = result.observations.num_rows
    report("speech_transcription", "trailer_text_overlays", "words over music", words, "0")
    report("speech_transcription", "trailer_text_overlays", "CPU-s per s", cost, "0.10 (x2)")
    assert words == 0


@pytest.mark.parametrize("clip", SILENT)
def test_no_words_where_nothing_sounds(demo_dir: Path, report: Report, clip: str) -> None:
    path = demo_dir.parent / clip
    if not path.exists():
        pytest.skip(f"../shared/media/{clip} is not here")
    result, _ = transcribed(path)
    words = result.observations.num_rows
    report("speech_transcription", path.stem, "words over silence", words, "0")
    assert (words, result.status) == (0, "not_applicable")


def test_sample(report: Report) -> None:
    """Word error, and each word within 0.3 s of the cue it belongs to."""
    labels = truth(SAMPLE)
    result, cost = transcribed(SAMPLE)
    error = jiwer.wer(evened(labels["transcript"]), evened(result.summary["text"]))
    report("speech_transcription", "sample", "word error", error, "<= 0.10")
    report("speech_transcription", "sample", "CPU-s per s", cost, "0.10 (x2)")
    rows = result.observations.to_pylist()
    inside = [
        any(
            c["start_s"] - 0.3 <= r["time_s"] and r["end_s"] <= c["end_s"] + 0.3
            for c in labels["cues"]
        )
        for r in rows
    ]
    share = sum(inside) / len(rows)
    report("speech_transcription", "sample", "words within a cue (0.3 s)", share, "1")
    starts = [min(abs(r["time_s"] - c["start_s"]) for r in rows) for c in labels["cues"]]
    report(
        "speech_transcription", "sample", "largest error of a cue's start, s", max(starts), "0.3"
    )
    assert error <= 0.10
    assert share == 1.0
    assert max(starts) <= 0.3
    again, _ = transcribed(SAMPLE)
    assert again.observations.equals(result.observations)
    assert again.segments.equals(result.segments)
    assert again.files == result.files
