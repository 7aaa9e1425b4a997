"""sound_effects on made effects with a scripted classifier: shape against model, speech, music."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers import sound_effects
from analyzers.base import AnalysisResult
from analyzers.models.soundscape import WINDOW
from analyzers.run import run_analyzer
from analyzers.sound_effects import KINDS, SoundEffects
from analyzers.video import Video
from tests.analyzers.made import made_video
from tests.analyzers.made_rooms import white
from tests.analyzers.made_sound_effects import MADE, RATE_HZ, placed
from tests.analyzers.made_voices import Lender, Span, made_voices
from tiktok_assets.settings import Settings

NAMES = tuple(name for names in sound_effects._CLASSES.values() for name in names)


class Ears:
    """Hears classes with the given probability in windows that hold the given time."""

    classes = NAMES

    def __init__(self, heard: Mapping[str, tuple[float, float]]) -> None:
        self._heard = heard

    def probabilities(self, sound: np.ndarray, starts: Sequence[int]) -> np.ndarray:
        found = np.full((len(starts), len(NAMES)), 0.01, np.float32)
        for row, start in zip(found, starts, strict=True):
            for name, (time_s, likely) in self._heard.items():
                if start <= time_s * RATE_HZ < start + WINDOW:
                    row[NAMES.index(name)] = likely
        return found


def sounding(sound: np.ndarray) -> Video:
    return replace(made_video(len(sound) / RATE_HZ), audio_16k=sound)


def analyze(
    video: Video,
    heard: Mapping[str, tuple[float, float]] | None = None,
    voice: Sequence[Span] = (),
    **present: Sequence[Span],
) -> AnalysisResult:
    analyzer = SoundEffects(Lender(soundscape=Ears(heard or {})))
    voices = made_voices(video, voice, **present)
    result, _ = run_analyzer(analyzer, video, {"voices": voices})
    return result


def rows(result: AnalysisResult) -> list[dict[str, Any]]:
    return result.observations.to_pylist()


def test_effects_by_their_shape() -> None:
    effects = [(1.0 + 3 * i, made()) for i, made in enumerate(MADE.values())]
    result = analyze(sounding(placed(effects, 20.0)))
    assert [r["kind"] for r in rows(result)] == list(MADE)
    assert {r["evidence"] for r in rows(result)} == {"shape"}
    assert {r["confidence"] for r in rows(result)} == {None}
    seconds = result.segments.to_pylist()
    assert (seconds[1]["effect"], seconds[1]["effect_count"]) == ("click", 1)
    assert (seconds[2]["effect"], seconds[2]["effect_count"]) == (None, 0)
    assert result.summary["effect_count"] == result.summary["known_count"] == 6
    assert len(result.summary["kinds"]) == 6
    assert result.summary["effects_a_minute"] == pytest.approx(18.0)


def test_the_classifier_agrees_or_is_surer() -> None:
    video = sounding(placed([(2.0, MADE["impact"]())], 5.0))
    [agreed] = rows(analyze(video, {"Boom": (2.1, 0.45)}))
    assert (agreed["kind"], agreed["evidence"], agreed["label"]) == ("impact", "both", "Boom")
    assert agreed["confidence"] == pytest.approx(0.45)
    [unsure] = rows(analyze(video, {"Whip": (2.1, 0.45)}))
    assert (unsure["kind"], unsure["evidence"], unsure["label"]) == ("impact", "shape", None)
    [surer] = rows(analyze(video, {"Whip": (2.1, 0.7)}))
    assert (surer["kind"], surer["evidence"], surer["label"]) == ("whoosh", "model", "Whip")


def test_what_no_shape_fits_is_unknown_or_what_the_classifier_says() -> None:
    video = sounding(placed([(2.0, white(1.0, -15.0))], 5.0))
    [found] = rows(analyze(video))
    assert (found["kind"], found["evidence"]) == ("unknown", None)
    [heard] = rows(analyze(video, {"Applause": (2.2, 0.6)}))
    assert (heard["kind"], heard["evidence"]) == ("applause", "model")
    assert heard["time_s"] == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("over", ["voice", "speech", "singing", "music"])
def test_shapes_under_speech_and_music_say_nothing(over: str) -> None:
    video = sounding(placed([(2.0, MADE["impact"]())], 6.0))
    span = [(0.5, 5.5)]
    assert rows(analyze(video, **{over: span})) == []
    # The classifier is still heard, to half a second.
    [found] = rows(analyze(video, {"Laughter": (2.5, 0.8)}, **{over: span}))
    assert (found["kind"], found["evidence"]) == ("laugh", "model")
    assert found["time_s"] - 0.5 <= 2.5 <= found["end_s"] + 0.5
    assert found["prominence_db"] is None


def test_a_short_ring_is_no_music() -> None:
    video = sounding(placed([(2.0, MADE["ding"]())], 6.0))
    [found] = rows(analyze(video, music=[(2.0, 3.2)]))
    assert found["kind"] == "ding"


def test_a_weak_answer_is_none() -> None:
    assert rows(analyze(sounding(white(5.0)), {"Applause": (2.5, 0.39)})) == []


def test_nothing_to_hear() -> None:
    mute = replace(made_video(2.5), audio_16k=None)
    assert analyze(mute).reason == "no audio track"
    silent = analyze(sounding(np.zeros(2 * RATE_HZ, np.float32)))
    assert (silent.status, silent.reason) == ("not_applicable", "the audio track is silent")
    assert silent.segments["effect_count"].to_pylist() == [0, 0]


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1.02])
def test_short_sound(seconds: float) -> None:
    assert analyze(sounding(white(seconds))).summary["effect_count"] == 0


def test_every_class_belongs_to_one_kind() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert set(sound_effects._CLASSES) < set(KINDS)


def test_preview() -> None:
    video = sounding(placed([(1.0, MADE["ding"]()), (4.0, white(1.0, -15.0))], 6.0))
    result = analyze(video)
    preview = SoundEffects(Lender()).preview(video, result)
    assert preview.markdown == "2 short sounds, the kind of 1 is told"
    picture = cv2.imdecode(np.frombuffer(preview.image, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 900


def test_it_is_off_unless_it_is_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOK_ASSETS_CONFIG", "no such file")
    assert "sound_effects" not in Settings().enabled()
    monkeypatch.setenv("TIKTOK_ASSETS_ANALYZERS__SOUND_EFFECTS__ENABLED", "true")
    assert "sound_effects" in Settings().enabled()
