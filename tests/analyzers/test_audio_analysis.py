"""audio_analysis on made sound with a scripted classifier: levels, parts, moments, gaps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.audio_analysis import AudioAnalysis
from analyzers.base import AnalysisResult
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.analyzers.made import made_video
from tests.analyzers.made_sound import RATE_HZ, clicks, noise, progression, tone
from tests.analyzers.made_voices import Lender, made_voices


def sounding(sound: np.ndarray, end_s: float | None = None) -> Video:
    seconds = len(sound) / RATE_HZ
    video = made_video(end_s or seconds)
    return replace(
        video,
        audio_44k=sound.astype(np.float32),
        # Only the made classifier hears it; silent where the sound is.
        audio_16k=np.full(round(seconds * 16000), 0.1 * sound.any(), np.float32),
    )


def analyze(video: Video, **present: list[tuple[float, float]]) -> AnalysisResult:
    voices = made_voices(video, **present)
    result, _ = run_analyzer(AudioAnalysis(Lender()), video, {"voices": voices})
    return result


def stereo(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.hstack([left, right])


def rows_of(result: AnalysisResult, kind: str) -> list[dict[str, Any]]:
    return [r for r in result.observations.to_pylist() if r["kind"] == kind]


def test_levels_of_a_sine() -> None:
    sine = tone(1000, 4.0, 10 ** (-23 / 20))
    summary = analyze(sounding(stereo(sine, sine))).summary
    assert summary["loudness_lufs"] == pytest.approx(-23.0, abs=0.1)
    assert summary["loudness_range_lu"] == pytest.approx(0.0, abs=0.1)
    assert summary["peak_dbfs"] == pytest.approx(-23.0, abs=0.05)
    assert summary["true_peak_dbtp"] == pytest.approx(-23.0, abs=0.1)
    assert summary["rms_dbfs"] == pytest.approx(-26.01, abs=0.05)
    assert summary["crest_db"] == pytest.approx(3.01, abs=0.05)
    assert summary["clipping_ratio"] == 0.0
    assert summary["channels"] == 2


def test_seconds_follow_the_sound() -> None:
    sound = np.concatenate([tone(500, 1.0, 0.1), tone(2000, 1.0, 0.5), np.zeros((RATE_HZ, 1))])
    seconds = analyze(sounding(sound)).segments.to_pylist()
    assert [s["rms_dbfs"] for s in seconds[:2]] == pytest.approx([-23.01, -9.03], abs=0.05)
    assert seconds[0]["centroid_hz"] == pytest.approx(500, abs=150)
    assert seconds[1]["centroid_hz"] == pytest.approx(2000, abs=150)
    assert [s["zero_crossing_hz"] for s in seconds] == pytest.approx([1000, 4000, 0], abs=3)
    assert [s["silence_ratio"] for s in seconds] == pytest.approx([0, 0, 1], abs=0.02)
    # Digital silence has no level; it is not minus infinity.
    assert seconds[2]["rms_dbfs"] is None
    assert seconds[2]["peak_dbfs"] is None
    assert seconds[2]["crest_db"] is None


def test_clipping_is_a_run_at_full_scale() -> None:
    over = np.clip(tone(100, 2.0, 1.5), -1.0, 1.0)
    expected = 1 - 2 / np.pi * np.arcsin(1 / 1.5)
    summary = analyze(sounding(over)).summary
    assert summary["clipping_ratio"] == pytest.approx(expected, abs=0.02)
    assert analyze(sounding(tone(1000, 2.0, 1.0))).summary["clipping_ratio"] == 0.0


def test_stereo_width() -> None:
    a, b = noise(2.0, seed=1), noise(2.0, seed=2)
    assert analyze(sounding(a)).summary["stereo_width_ratio"] == 0.0
    assert analyze(sounding(stereo(a, a))).summary["stereo_width_ratio"] == pytest.approx(0.0)
    found = analyze(sounding(stereo(a, b))).summary["stereo_width_ratio"]
    assert found == pytest.approx(0.5, abs=0.02)
    assert analyze(sounding(stereo(a, -a))).summary["stereo_width_ratio"] == pytest.approx(1.0)


def test_tempo_and_beats_of_clicks() -> None:
    result = analyze(sounding(clicks(128, 10) + noise(10, 0.002)), music=[(0, 10)])
    assert result.summary["tempo_bpm"] == pytest.approx(128, rel=0.02)
    beats = rows_of(result, "beat")
    assert (
        result.summary["beat_count"]
        == len(beats)
        == sum(s["beat_count"] for s in result.segments.to_pylist())
    )
    assert len(beats) == pytest.approx(10 * 128 / 60, abs=2)
    assert all(b["end_s"] is None and b["confidence"] is None for b in beats)
    assert all(0 <= b["strength_ratio"] <= 1 for b in beats)


def test_speech_like_sound_has_neither_tempo_nor_key() -> None:
    result = analyze(sounding(noise(6.0, 0.1)), speech=[(0, 6)])
    assert result.summary["tempo_bpm"] is None
    assert result.summary["key"] is None
    assert rows_of(result, "beat") == []
    assert "no key: less than 3 s of music" in result.summary["notes"]
    assert any(note.startswith("no tempo") for note in result.summary["notes"])


def test_beats_are_those_of_the_music() -> None:
    sound = np.concatenate([noise(3.0, 0.05), clicks(100, 9) + noise(9, 0.002), noise(3.0, 0.05)])
    result = analyze(sounding(sound), music=[(3, 12)], speech=[(0, 3), (12, 15)])
    assert result.summary["tempo_bpm"] == pytest.approx(100, rel=0.02)
    beats = [b["time_s"] for b in rows_of(result, "beat")]
    assert beats[0] >= 2.9
    assert beats[-1] <= 12.1
    assert len(beats) == pytest.approx(15, abs=2)


def test_a_hum_has_no_key() -> None:
    hum = tone(100, 5.0, 0.1) + tone(200, 5.0, 0.05) + noise(5.0, 0.02)
    assert analyze(sounding(hum)).summary["key"] is None


def test_key_of_a_progression() -> None:
    summary = analyze(sounding(progression(7, "minor")), music=[(0, 4.8)]).summary
    assert (summary["key"], summary["mode"]) == ("G", "minor")
    assert summary["key_confidence"] > 0.7


def test_sections_and_shares() -> None:
    sound = np.concatenate([noise(4.0), np.zeros((RATE_HZ, 1)), noise(1.0)])
    result = analyze(
        sounding(sound), music=[(0.0, 2.0), (2.2, 4.0)], speech=[(1.5, 2.5), (5.5, 5.6)]
    )
    [music] = rows_of(result, "music")
    assert (music["time_s"], music["end_s"]) == pytest.approx((0.0, 4.0))
    assert music["confidence"] == pytest.approx(0.9, abs=0.01), "of what is there, not of the gap"
    [speech] = rows_of(result, "speech")
    assert (speech["time_s"], speech["end_s"]) == pytest.approx((1.5, 2.5))
    [silence] = rows_of(result, "silence")
    assert (silence["time_s"], silence["end_s"]) == pytest.approx((4.0, 5.0), abs=0.02)
    seconds = result.segments.to_pylist()
    assert [s["speech_ratio"] for s in seconds] == pytest.approx([0, 0.5, 0.5, 0, 0, 0.1])
    assert [s["music_ratio"] for s in seconds] == pytest.approx([1, 1, 0.8, 1, 0, 0])
    assert result.summary["music_ratio"] == pytest.approx(3.8 / 6)
    assert result.summary["silence_ratio"] == pytest.approx(1 / 6, abs=0.01)


def test_sound_that_ends_before_the_picture() -> None:
    result = analyze(sounding(noise(1.5), end_s=3.25), music=[(0, 1.5)])
    seconds = result.segments.to_pylist()
    assert [s["silence_ratio"] for s in seconds] == pytest.approx([0, 0.5, 1, 1])
    assert [s["music_ratio"] for s in seconds] == pytest.approx([1, 0.5, 0, 0])
    assert seconds[3]["loudness_lufs"] is None
    [silence] = rows_of(result, "silence")
    assert silence["end_s"] == pytest.approx(3.25)


@pytest.mark.parametrize("seconds", [0.0004, 0.005, 0.02, 0.09, 0.3, 1.002])
def test_very_short_sound_gets_null_with_a_note(seconds: float) -> None:
    result = analyze(sounding(noise(seconds)))
    assert result.status == "ok"
    assert result.summary["peak_dbfs"] is not None
    if seconds < 0.4:
        assert result.summary["loudness_lufs"] is None
        assert "no integrated loudness: less than 0.4 s of sound" in result.summary["notes"]


def test_sound_below_the_gate_has_no_loudness() -> None:
    summary = analyze(sounding(tone(1000, 4.0, 10 ** (-80 / 20)))).summary
    assert summary["loudness_lufs"] is None
    assert "no integrated loudness: all is below the gate of -70 LUFS" in summary["notes"]


def test_no_track_and_a_silent_track_are_not_applicable() -> None:
    none = analyze(made_video(2.5, sound=False))
    assert (none.status, none.reason) == ("not_applicable", "no audio track")
    silent = analyze(sounding(np.zeros((3 * RATE_HZ, 2))))
    assert (silent.status, silent.reason) == ("not_applicable", "the audio track is silent")
    for result in (none, silent):
        assert result.summary["loudness_lufs"] is None
        assert set(result.segments["silence_ratio"].to_pylist()) == {1.0}
        assert set(result.segments["music_ratio"].to_pylist()) == {0.0}


def test_preview_draws_curve_beats_and_bars() -> None:
    video = sounding(clicks(120, 6) + noise(6, 0.01))
    analyzer = AudioAnalysis(Lender())
    voices = made_voices(video, music=[(0, 6)], speech=[(2, 4)])
    result, _ = run_analyzer(analyzer, video, {"voices": voices})
    preview = analyzer.preview(video, result)
    picture = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB
    )
    assert "120 BPM" in preview.markdown

    def columns(colour: tuple[int, int, int]) -> np.ndarray:
        return np.flatnonzero((picture == colour).all(axis=2).any(axis=0))

    assert columns((224, 148, 58))[[0, -1]].tolist() == [70, 880], "music all along"
    speech = columns((58, 133, 96))
    assert speech[[0, -1]] == pytest.approx([70 + 270, 70 + 540], abs=2)
    assert len(columns((250, 214, 165))) >= result.summary["beat_count"] - 2
    silent = made_video(1.0, sound=False)
    nothing, _ = run_analyzer(analyzer, silent, {"voices": made_voices(silent)})
    assert analyzer.preview(silent, nothing).markdown == "no audio track"


def test_a_click_of_one_sample_is_as_flat_as_can_be() -> None:
    sound = np.zeros((2 * RATE_HZ, 1))
    sound[RATE_HZ] = 0.9
    flatness = analyze(sounding(sound)).segments["flatness_ratio"].to_pylist()
    assert flatness[1] == pytest.approx(1.0)
    assert max(f for f in flatness if f is not None) <= 1.0


def test_sound_above_full_scale_is_measured_as_it_is() -> None:
    """A track of floating point numbers may hold any level."""
    summary = analyze(sounding(tone(500, 2.0, 10.0))).summary
    assert summary["peak_dbfs"] == pytest.approx(20.0, abs=0.05)
    assert summary["rms_dbfs"] == pytest.approx(17.0, abs=0.05)


def test_silence_is_found_in_a_recording_with_an_offset() -> None:
    """A cheap sound card adds a constant that nobody hears."""
    recorded = np.concatenate([tone(500, 2.0, 0.1), np.zeros((2 * RATE_HZ, 1))]) + 0.01
    for sound in (recorded, np.concatenate([recorded[: 2 * RATE_HZ], np.zeros((2 * RATE_HZ, 1))])):
        seconds = analyze(sounding(sound)).segments.to_pylist()
        assert [s["silence_ratio"] for s in seconds] == pytest.approx([0, 0, 1, 1], abs=0.02)
