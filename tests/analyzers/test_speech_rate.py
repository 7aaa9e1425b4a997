"""speech_rate on given words: every rate is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.speech_rate import SpeechRate
from analyzers.speech_transcription import SpeechTranscription
from analyzers.video import Video
from tests.analyzers.made import made_video
from tests.analyzers.made_talk import made_talk, spaced, speech_models
from tests.analyzers.made_voices import made_voices

#: Two syllables each.
TEN = "coffee taxi rocket shuttle coffee taxi rocket shuttle coffee taxi"


def analyze(video: Video, upstream: dict[str, AnalysisResult]) -> AnalysisResult:
    return run_analyzer(SpeechRate(speech_models()), video, upstream)[0]


def test_rates_with_and_without_a_pause() -> None:
    """Ten words of two syllables in 4 s, of which 1 s is a pause."""
    video = made_video(6.0)
    five = "coffee taxi rocket shuttle coffee"
    said = [*spaced(five, 1.0, 2.5), *spaced(five, 3.5, 5.0)]
    result = analyze(video, made_talk(video, said, [(1.0, 2.5), (3.5, 5.0)]))
    [row] = result.observations.to_pylist()
    assert (row["time_s"], row["end_s"], row["pause_s"]) == pytest.approx((1.0, 5.0, 1.0))
    assert (row["word_count"], row["syllable_count"]) == (10, 20)
    assert row["words_per_s"] == pytest.approx(10 / 4)
    assert row["syllables_per_s"] == pytest.approx(20 / 4)
    assert row["articulation_syllables_per_s"] == pytest.approx(20 / 3)
    summary = result.summary
    assert summary["words_per_min"] == pytest.approx(150)
    assert summary["spoken_s"] == pytest.approx(3.0)
    assert summary["norm_ratio"] == pytest.approx(150 / 210)
    assert summary["dictionary_word_ratio"] == 1.0


def test_seconds_know_the_rate_of_what_is_said_in_them() -> None:
    video = made_video(7.0)
    said = [*spaced(TEN, 0.0, 2.0, 0), *spaced(TEN, 2.5, 6.5, 1)]
    result = analyze(video, made_talk(video, said, [(0.0, 2.0), (2.5, 6.5)]))
    seconds = result.segments["words_per_s"].to_pylist()
    assert seconds[0] == pytest.approx(5.0)
    assert seconds[4] == pytest.approx(2.5)
    assert 2.5 < seconds[2] < 5.0, "both are within a quarter second of it"


def test_a_second_without_speech_has_no_rate() -> None:
    video = made_video(6.0)
    result = analyze(video, made_talk(video, spaced(TEN, 0.0, 2.0), [(0.0, 2.0)]))
    assert result.segments["syllables_per_s"].to_pylist()[3:] == [None] * 3


@pytest.mark.parametrize(
    ("words_per_min", "pace"),
    [(140, "very_slow"), (180, "slow"), (210, "average"), (240, "fast"), (300, "very_fast")],
)
def test_pace_is_against_english_conversation(words_per_min: float, pace: str) -> None:
    video = made_video(20.0)
    end_s = 30 * 60 / words_per_min
    talk = made_talk(video, spaced(" ".join([TEN] * 3), 0.0, end_s), [(0.0, end_s)])
    assert analyze(video, talk).summary["pace"] == pace


def test_acceleration_and_change() -> None:
    """Three utterances of 20 syllables in 5, 4 and 3.2 s."""
    video = made_video(14.0)
    spans = [(0.0, 5.0), (5.3, 9.3), (9.6, 12.8)]
    said = [w for n, (a, b) in enumerate(spans) for w in spaced(TEN, a, b, n)]
    result = analyze(video, made_talk(video, said, spans))
    changes = result.observations["change_ratio"].to_pylist()
    assert changes[0] is None
    assert changes[1:] == pytest.approx([1.25, 1.25])
    middles, rates = [2.5, 7.3, 11.2], [4.0, 5.0, 6.25]
    slopes = [
        (rates[b] - rates[a]) / (middles[b] - middles[a]) for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    found = result.summary["acceleration_syllables_per_s2"]
    assert found == pytest.approx(sorted(slopes)[1], abs=1e-4)


def test_each_speaker_has_rates() -> None:
    video = made_video(10.0)
    said = [*spaced(TEN, 0.0, 2.5, 0), *spaced(TEN, 3.0, 8.0, 1)]
    turns = [("S1", 0.0, 2.5), ("S2", 3.0, 8.0)]
    result = analyze(video, made_talk(video, said, [(0.0, 2.5), (3.0, 8.0)], turns))
    assert result.summary["speakers"] == ["S1", "S2"]
    assert result.summary["speaker_words_per_min"] == pytest.approx([240, 120])
    assert result.summary["speaker_articulation_syllables_per_s"] == pytest.approx([8, 4])
    assert result.summary["acceleration_syllables_per_s2"] is None


def test_a_language_of_which_nothing_is_known_has_words_only() -> None:
    video = made_video(4.0)
    said = [("\u3053\u3093", 0.0, 1.0, 0), ("\u306b\u3061", 1.0, 2.0, 0)]
    result = analyze(video, made_talk(video, said, [(0.0, 2.0)], language="ja"))
    [row] = result.observations.to_pylist()
    assert row["words_per_s"] == pytest.approx(1.0)
    assert row["syllables_per_s"] is None
    assert result.summary["pace"] is None
    assert result.summary["dictionary_word_ratio"] == 0.0


def test_a_short_word_has_no_rate() -> None:
    video = made_video(2.0)
    result = analyze(video, made_talk(video, [("Oh.", 1.0, 1.2, 0)], [(1.0, 1.2)]))
    [row] = result.observations.to_pylist()
    assert row["words_per_s"] is None
    assert result.summary["words_per_min"] is None
    assert SpeechRate(Models({})).preview(video, result).markdown.startswith("too short")


def test_silence_is_not_applicable() -> None:
    video = made_video(2.5, sound=False)
    upstream = {"voices": made_voices(video)}
    transcript, _ = run_analyzer(SpeechTranscription(Models({})), video, upstream)
    result = analyze(video, {**upstream, "speech_transcription": transcript})
    assert (result.status, result.reason) == ("not_applicable", "no audio track")
    assert SpeechRate(Models({})).preview(video, result).markdown == "no audio track"


def test_preview_shows_faster_utterances_higher() -> None:
    video = made_video(9.0)
    said = [*spaced(TEN, 0.0, 2.5, 0), *spaced(TEN, 3.0, 8.0, 1)]
    result = analyze(video, made_talk(video, said, [(0.0, 2.5), (3.0, 8.0)]))
    preview = SpeechRate(Models({})).preview(video, result)
    picture = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB
    )
    rows, columns = np.nonzero((picture == (0, 114, 178)).all(axis=2))
    assert rows[columns < 300].max() < rows[columns > 500].min()
    assert "words a minute" in preview.markdown
