"""audio_environment on made sound with a scripted classifier: places, events, measures, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers.audio_environment import AudioEnvironment
from analyzers.base import AnalysisResult
from analyzers.models.soundscape import WINDOW
from analyzers.run import run_analyzer
from analyzers.video import Video
from tests.analyzers.made import made_video
from tests.analyzers.made_rooms import RATE_HZ, gusts, in_room, lines, syllables, white
from tests.analyzers.made_voices import Lender, Span, made_voices
from tests.analyzers.methods.sound.test_sound_places import CLASSES

NAMES = (*CLASSES, "Speech", "Silence")


class Ears:
    """Hears classes with the given probability in windows whose middle lies in a span."""

    classes = NAMES

    def __init__(self, heard: Mapping[str, tuple[Span, float]]) -> None:
        self._heard = heard

    def probabilities(self, sound: np.ndarray, starts: Sequence[int]) -> np.ndarray:
        middles_s = (np.array(starts) + WINDOW / 2) / RATE_HZ
        found = np.full((len(starts), len(NAMES)), 0.01, np.float32)
        for name, ((start_s, end_s), likely) in self._heard.items():
            found[(middles_s >= start_s) & (middles_s < end_s), NAMES.index(name)] = likely
        return found


def sounding(sound: np.ndarray, end_s: float | None = None) -> Video:
    return replace(made_video(end_s or len(sound) / RATE_HZ), audio_16k=sound)


def analyze(
    video: Video,
    heard: Mapping[str, tuple[Span, float]] | None = None,
    voice: Sequence[Span] = (),
    **present: Sequence[Span],
) -> AnalysisResult:
    analyzer = AudioEnvironment(Lender(soundscape=Ears(heard or {})))
    voices = made_voices(video, voice, **present)
    result, _ = run_analyzer(analyzer, video, {"voices": voices})
    return result


def rows_of(result: AnalysisResult, kind: str) -> list[dict[str, Any]]:
    return [r for r in result.observations.to_pylist() if r["kind"] == kind]


def test_a_place_by_the_second() -> None:
    heard = {"Typing": ((0.0, 4.0), 0.9), "Traffic noise, roadway noise": ((12.0, 20.0), 0.7)}
    result = analyze(sounding(white(20.0)), heard)
    seconds = result.segments.to_pylist()
    assert [s["environment"] for s in seconds[:4]] == ["room"] * 4
    assert [s["setting"] for s in seconds[:4]] == ["indoor"] * 4
    assert seconds[1]["confidence"] == pytest.approx(0.72)
    assert seconds[8]["environment"] == "uncertain"
    assert seconds[8]["confidence"] == pytest.approx(0.01, abs=0.01)
    assert seconds[8]["setting"] == "uncertain"
    assert seconds[8]["top_event"] is None
    assert [s["environment"] for s in seconds[14:]] == ["street"] * 6
    assert seconds[16]["top_event"] == "Traffic noise, roadway noise"
    summary = result.summary
    # Over the whole video the street is heard for longer.
    assert summary["environment"] == "street"
    assert [c["environment"] for c in summary["candidates"][:2]] == ["street", "room"]
    assert len(summary["candidates"]) == 6
    assert summary["setting"] == "outdoor"
    assert [e["event"] for e in summary["top_events"]] == [
        "Traffic noise, roadway noise",
        "Typing",
    ]


def test_weak_evidence_is_uncertain_with_its_candidates() -> None:
    result = analyze(sounding(white(6.0)), {"Bird": ((0.0, 6.0), 0.5), "Typing": ((0.0, 6.0), 0.2)})
    assert result.summary["environment"] == "uncertain"
    assert result.summary["confidence"] == pytest.approx(0.25)
    best, second = result.summary["candidates"][:2]
    assert (best["environment"], second["environment"]) == ("nature", "room")
    assert set(result.segments["environment"].to_pylist()) == {"uncertain"}


def test_events_and_places_are_spans_of_half_seconds() -> None:
    heard = {
        "Typing": ((2.0, 3.5), 0.6),
        "Inside, small room": ((2.0, 3.5), 0.4),
        "Silence": ((4.0, 6.0), 0.9),
        "Bird": ((0.0, 6.0), 0.29),
    }
    result = analyze(sounding(white(6.0)), heard)
    [typing] = rows_of(result, "event")
    [room] = rows_of(result, "place")
    assert (typing["label"], room["label"]) == ("Typing", "Inside, small room")
    assert typing["confidence"] == pytest.approx(0.6)
    assert typing["time_s"] == pytest.approx(2.0, abs=0.3)
    assert typing["end_s"] == pytest.approx(3.5, abs=0.3)


def test_a_clean_dry_voice_is_a_studios() -> None:
    sound, spans = syllables(20.0)
    clean = analyze(sounding(sound + white(20.0, -75.0)), voice=spans)
    assert clean.summary["environment"] == "studio"
    assert clean.summary["snr_db"] > 40
    noisy = analyze(sounding(sound + white(20.0, -35.0)), voice=spans)
    assert noisy.summary["environment"] == "uncertain"
    assert noisy.summary["snr_db"] < 20
    # A place that is heard speaks against it.
    typing = {"Typing": ((0.0, 20.0), 0.9)}
    assert analyze(sounding(sound), typing, voice=spans).summary["environment"] == "room"


def test_reverberation_of_speech_but_not_of_music() -> None:
    dry, spans = syllables(20.0)
    wet = in_room(dry, 0.8)[: len(dry)] + white(20.0, -80.0)
    # A span of voice closes short pauses, as the detector does.
    assert analyze(sounding(wet), voice=spans).summary["rt60_s"] == pytest.approx(0.8, rel=0.2)
    summary = analyze(sounding(wet), voice=spans, music=[(0.0, 20.0)]).summary
    assert summary["rt60_s"] is None
    assert summary["rt60_decays"] == 0
    assert any("reverberation" in note for note in summary["notes"])
    assert any("music" in note for note in summary["notes"])


def test_wind_and_hum() -> None:
    windy = white(10.0, -60.0)
    windy[5 * RATE_HZ :] += gusts(5.0, -15.0)
    result = analyze(sounding(windy))
    assert rows_of(result, "wind")
    assert result.summary["wind_ratio"] > 0.15
    seconds = result.segments.to_pylist()
    assert max(s["wind_ratio"] for s in seconds[5:]) == 1.0
    assert not any(s["wind_ratio"] for s in seconds[:4])
    assert result.summary["hum_hz"] is None
    humming = analyze(sounding(white(6.0, -60.0) + lines(60.0, 6.0, -40.0)))
    assert humming.summary["hum_hz"] == 60
    assert humming.summary["hum_dbfs"] == pytest.approx(-40.0, abs=1.0)
    assert [r["label"] for r in rows_of(humming, "hum")] == ["60 Hz"]
    assert humming.segments["hum_ratio"].to_pylist() == [1.0] * 6
    assert not rows_of(humming, "wind")


def test_levels_by_the_second() -> None:
    sound = np.concatenate([white(5.0, -50.0), white(5.0, -30.0)])
    seconds = analyze(sounding(sound)).segments.to_pylist()
    assert seconds[0]["background_dbfs"] == pytest.approx(-50.5, abs=0.6)
    assert seconds[9]["background_dbfs"] == pytest.approx(-30.5, abs=0.6)
    assert seconds[0]["snr_db"] is None


def test_nothing_to_hear() -> None:
    mute = replace(made_video(2.5), audio_16k=None)
    result = analyze(mute)
    assert (result.status, result.reason) == ("not_applicable", "no audio track")
    assert result.segments["environment"].to_pylist() == ["uncertain"] * 3
    silent = analyze(sounding(np.zeros(3 * RATE_HZ, np.float32)))
    assert (silent.status, silent.reason) == ("not_applicable", "the audio track is silent")


@pytest.mark.parametrize("seconds", [0.01, 0.3, 0.98, 2.02])
def test_short_sound(seconds: float) -> None:
    result = analyze(sounding(white(seconds), end_s=2.5))
    assert result.status == "ok"
    assert len(result.segments) == 3


def test_sound_that_is_longer_than_the_picture() -> None:
    result = analyze(sounding(white(6.0), end_s=2.0), {"Typing": ((4.0, 6.0), 0.9)})
    assert len(result.segments) == 2
    assert result.observations.num_rows == 1


def test_preview() -> None:
    sound, spans = syllables(8.0)
    result = analyze(sounding(sound + white(8.0)), {"Typing": ((0.0, 4.0), 0.9)}, voice=spans)
    preview = AudioEnvironment(Lender()).preview(sounding(sound), result)
    assert preview.markdown.startswith("room 0.72, indoor, voice ")
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 900
    assert np.unique(picture.reshape(-1, 3), axis=0).shape[0] > 10


@pytest.mark.parametrize(
    ("voice", "note"),
    [
        ([(1.0, 3.0)], "the voice is no louder than what sounds between the words"),
        ([(1.0, 1.3)], "too little voice for a signal-to-noise ratio"),
    ],
)
def test_a_missing_signal_to_noise_ratio_is_explained(voice: list[Span], note: str) -> None:
    sound = white(4.0)
    sound[16000:48000] *= 0.5
    summary = analyze(sounding(sound), voice=voice).summary
    assert summary["snr_db"] is None
    assert note in summary["notes"]
