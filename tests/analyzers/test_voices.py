"""voices with made models and with the real ones on the sample."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from scipy.signal import resample_poly

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.models.weights import ModelMissing
from analyzers.run import run_analyzer
from analyzers.video import Video
from analyzers.voices import KINDS, Voices, spans_of
from tests.analyzers.made import made_video
from tests.analyzers.made_voices import Lender, Sounds, Voice, made_models, made_voices
from tests.analyzers.sample_sound import sample_sound


def two_levels(end_s: float = 8.0) -> Video:
    """Sound whose level doubles halfway: two speakers to the made encoder."""
    video = made_video(end_s)
    count = len(video.audio_16k)
    return replace(
        video, audio_16k=np.where(np.arange(count) < count // 2, 0.3, 0.6).astype(np.float32)
    )


def test_spans_turns_and_classes() -> None:
    result = made_voices(
        two_levels(), [(0.5, 3.5), (4.5, 7.5)], speech=[(0.4, 3.6)], music=[(0.0, 8.0)]
    )
    rows = result.observations.to_pylist()
    assert {row["kind"] for row in rows} == {"voice", "turn", "speech", "music"}
    assert np.array(spans_of(rows, "voice")) == pytest.approx(
        np.array([(0.5, 3.5), (4.5, 7.5)]), abs=0.033
    )
    assert spans_of(rows, "speech") == [pytest.approx((0.4, 3.6))]
    turns = [row for row in rows if row["kind"] == "turn"]
    assert [t["speaker"] for t in turns] == ["S1", "S2"]
    assert turns[0]["confidence"] == pytest.approx(1.0)
    assert all(row["speaker"] is None for row in rows if row["kind"] != "turn")
    seconds = result.segments.to_pylist()
    assert [s["speaker"] for s in seconds] == ["S1"] * 4 + ["S2"] * 4
    assert seconds[0]["voice_ratio"] == pytest.approx(0.5, abs=0.04)
    assert seconds[1]["voice_ratio"] == pytest.approx(1.0)
    assert {s["music_ratio"] for s in seconds} == {1.0}
    summary = result.summary
    assert summary["speakers"] == ["S1", "S2"]
    assert summary["speaking_s"] == pytest.approx([3.0, 3.0], abs=0.05)
    assert summary["voice_s"] == pytest.approx(sum(summary["speaking_s"]))
    assert summary["music_ratio"] == pytest.approx(1.0)


def three_turns(middle: float) -> tuple[Video, AnalysisResult]:
    """A voice, two at once from 4 to 5 s, and a voice whose level is given; 9 s."""
    video = made_video(9.0)
    times_s = np.arange(len(video.audio_16k)) / 16000
    level = np.select([times_s < 4.0, times_s < 5.0], [0.3, 1.0], middle).astype(np.float32)
    video = replace(video, audio_16k=level)
    return video, made_voices(video, [(0.5, 8.5)])


@pytest.mark.parametrize(
    ("level", "place", "speaker"), [(0.6, "between_speakers", "S2"), (0.3, "within_speaker", "S1")]
)
def test_two_at_once_with_and_without_a_change(level: float, place: str, speaker: str) -> None:
    _, result = three_turns(level)
    [overlap] = [r for r in result.observations.to_pylist() if r["kind"] == "overlap"]
    assert (overlap["time_s"], overlap["end_s"]) == pytest.approx((4.0, 5.0), abs=0.05)
    assert (overlap["place"], overlap["speaker"]) == (place, speaker)
    assert overlap["confidence"] == pytest.approx(0.8, abs=0.02)
    assert result.segments["overlap_ratio"].to_pylist() == pytest.approx(
        [0, 0, 0, 0, 1, 0, 0, 0, 0], abs=0.05
    )
    assert result.summary["overlap_s"] == pytest.approx(1.0, abs=0.05)
    assert result.summary["overlap_count"] == 1
    turns = [r for r in result.observations.to_pylist() if r["kind"] == "turn"]
    assert len(turns) == result.summary["speaker_count"] == (2 if speaker == "S2" else 1)
    assert (turns[0]["time_s"], turns[-1]["end_s"]) == pytest.approx((0.5, 8.5), abs=0.033)
    assert all(
        b["time_s"] == a["end_s"] == pytest.approx(4.5, abs=0.05) for a, b in pairwise(turns)
    )


def test_who_goes_on_is_open_where_nobody_does() -> None:
    video, _ = three_turns(0.6)
    result = made_voices(video, [(0.5, 5.0)])
    [overlap] = [r for r in result.observations.to_pylist() if r["kind"] == "overlap"]
    assert (overlap["place"], overlap["speaker"]) == (None, None)


def test_classes_flicker_to_a_hundredth() -> None:
    """Nothing is closed: whoever takes the spans decides what a section is."""
    result = made_voices(made_video(3.0), music=[(0.0, 1.0), (1.01, 2.0)])
    spans = spans_of(result.observations.to_pylist(), "music")
    assert spans == [pytest.approx((0.0, 1.0)), pytest.approx((1.01, 2.0))]


@pytest.mark.parametrize(
    ("case", "reason"), [("none", "no audio track"), ("zeros", "the audio track is silent")]
)
def test_silence_is_not_applicable_and_asks_no_model(case: str, reason: str) -> None:
    video = made_video(2.5, sound=case != "none")
    if case == "zeros":
        video = replace(video, audio_16k=np.zeros(40000, np.float32))
    result, _ = run_analyzer(Voices(Lender()), video, {})
    assert (result.status, result.reason) == ("not_applicable", reason)
    assert result.segments["voice_ratio"].to_pylist() == [0.0] * 3


def test_sound_without_a_voice_is_an_answer() -> None:
    result = made_voices(made_video(3.0), music=[(0, 3)])
    assert result.status == "ok"
    assert result.summary["speaker_count"] == 0
    assert result.summary["speakers"] == []
    assert result.segments["speaker"].to_pylist() == [None] * 3


def test_a_higher_threshold_hears_less() -> None:
    video = made_video(3.0)

    def voice_s(least: float) -> float:
        models = made_models(Voice([(0, 3)], 0.7), Sounds())
        settings = Voices.Settings(min_voice_confidence=least)
        return run_analyzer(Voices(models, settings), video, {})[0].summary["voice_s"]

    assert voice_s(0.6) == pytest.approx(3.0, abs=0.05)
    assert voice_s(0.8) == 0


def test_preview_has_a_bar_for_each_speaker() -> None:
    video = two_levels()
    analyzer = Voices(Lender())
    preview = analyzer.preview(video, made_voices(video, [(0.5, 3.5), (4.5, 7.5)]))
    picture = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB
    )
    first = np.flatnonzero((picture == (0, 114, 178)).all(axis=2).any(axis=0))
    assert not (picture == (178, 24, 43)).all(axis=2).any(), "nobody speaks at once"
    second = np.flatnonzero((picture == (213, 94, 0)).all(axis=2).any(axis=0))
    assert first[-1] < second[0]
    assert "2 speakers" in preview.markdown


def test_preview_shows_overlaps_beside_the_turns() -> None:
    video, result = three_turns(0.6)
    preview = Voices(Lender()).preview(video, result)
    picture = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB
    )
    columns = np.flatnonzero((picture == (178, 24, 43)).all(axis=2).any(axis=0))
    per_s = (900 - 110 - 20) / 9
    assert columns[[0, -1]] == pytest.approx([110 + 4.0 * per_s, 110 + 5.0 * per_s], abs=4)


def test_two_real_voices_in_one_sound() -> None:
    """The sample's voice, its copy a fourth deeper, and the voice again."""
    first, last = sample_sound()[: 6 * 16000 + 6400], sample_sound()[11 * 16000 : 17 * 16000]
    deeper = resample_poly(first, 27, 20).astype(np.float32)
    sound = np.concatenate([first, deeper, last])
    video = replace(made_video(len(sound) / 16000), audio_16k=sound)
    try:
        result, _ = run_analyzer(Voices(Models.embedded()), video, {})
    except ModelMissing as error:
        pytest.skip(str(error))
    rows = [r for r in result.observations.to_pylist() if r["kind"] == "turn"]
    assert [r["speaker"] for r in rows] == ["S1", "S2", "S1"]
    assert rows[1]["time_s"] == pytest.approx(6.4 + 0.35 * 1.35, abs=0.3)
    assert {r["kind"] for r in result.observations.to_pylist()} <= set(KINDS)
