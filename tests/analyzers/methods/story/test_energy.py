import numpy as np
import pytest

from analyzers.methods.story.energy import (
    CHANNELS,
    ENERGY_WEIGHTS,
    PACING_WEIGHTS,
    channels_of,
    curve,
    smoothed,
    temporal_information,
)
from analyzers.video import MappedFrames
from tests.analyzers.made_results import cut, joined, line, voice

STILL = np.empty((0, 2))


def _frames(pictures: list[np.ndarray]) -> MappedFrames:
    count = len(pictures)
    return MappedFrames(np.arange(count) / 15, np.arange(count) * 2, np.stack(pictures))


def test_weights_are_whole():
    assert sum(ENERGY_WEIGHTS.values()) == pytest.approx(1)
    assert sum(PACING_WEIGHTS.values()) == pytest.approx(1)
    assert set(ENERGY_WEIGHTS) | set(PACING_WEIGHTS) == set(CHANNELS)


def test_a_still_picture_has_no_motion_and_a_moving_one_has():
    ground = np.tile(np.repeat([0, 255], 40), (120, 3)).astype(np.uint8)
    still = temporal_information(_frames([ground] * 15), [])
    moving = temporal_information(_frames([np.roll(ground, 8 * i, 1) for i in range(15)]), [])
    assert len(still) == 5
    assert still[:, 1].max() == 0
    assert moving[:, 1].min() > 20


def test_a_cut_is_no_motion():
    dark, light = np.zeros((120, 160), np.uint8), np.full((120, 160), 255, np.uint8)
    light[:60] = 0
    frames = _frames([dark] * 7 + [light] * 8)
    assert temporal_information(frames, [])[:, 1].max() > 50
    assert temporal_information(frames, [(7 / 15, 7 / 15)])[:, 1].max() == 0


def test_each_channel_rises_where_its_analyzer_says_so():
    there = joined(
        6,
        cut_analysis={"rows": [cut(4.2), cut(4.6)]},
        text_overlay={"rows": [line("four words of text", 3.0, 5.0)]},
        audio_analysis={
            "seconds": {"loudness_lufs": [-50, -20, -14, -20, -20, None], "onset_count": [6] * 6},
            "summary": {"loudness_lufs": -20.0},
        },
        speech_rate={"seconds": {"syllables_per_s": [None, 3.5, 7, 9, None, None]}},
        voices={"rows": [voice(1, 4)], "seconds": {"voice_ratio": [0, 1, 1, 0.5, 0, 0]}},
        faces={"seconds": {"largest_face_share": [0, 0, 0.075, 0.3, 0, 0]}},
    )
    found = channels_of(there, STILL)
    assert found["cuts"].tolist() == [0, 0, 0, 1, 1, 1]
    assert found["text"].tolist() == [0, 0, 0.5, 1, 0.5, 0]
    assert found["loudness"] == pytest.approx([0, 20 / 26, 1, 20 / 26, 20 / 26, 0])
    assert found["sounds"].tolist() == [1] * 6
    assert found["speech"] == pytest.approx([0, 0.5, 1, 9 / 14, 0, 0])
    assert found["faces"] == pytest.approx([0, 0, 0.5, 1, 0, 0])
    assert found["motion"].tolist() == [0] * 6


def test_fades_at_the_ends_are_no_cuts():
    fades = [{**cut(0.0), "kind": "fade_in", "end_s": 1.0}, {**cut(2.0), "kind": "fade_out"}]
    there = joined(3, cut_analysis={"rows": fades})
    assert channels_of(there, STILL)["cuts"].tolist() == [0, 0, 0]


def test_scene_text_is_no_new_text():
    there = joined(2, text_overlay={"rows": [line("TAXI", 0, 2, role="scene_text")]})
    assert channels_of(there, STILL)["text"].tolist() == [0, 0]


def test_a_missing_channel_is_left_out_and_a_silent_one_counts_as_nothing():
    there = joined(3, cut_analysis={"rows": [cut(1.5)]})
    channels = channels_of(there, STILL)
    assert np.isnan(channels["loudness"]).all()
    energy = curve(channels, ENERGY_WEIGHTS)
    assert energy[1] == pytest.approx(0.20 / 0.45)  # cuts of cuts and motion
    silent = {**channels, "loudness": np.zeros(3)}
    assert curve(silent, ENERGY_WEIGHTS)[1] == pytest.approx(0.20 / 0.70)


def test_smoothing_keeps_a_level_and_lowers_a_spike():
    assert smoothed(np.full(5, 0.4)) == pytest.approx([0.4] * 5)
    spike = smoothed(np.array([0, 0, 1.0, 0, 0]))
    assert spike.argmax() == 2
    assert 0.3 < spike[2] < 0.5
