import pytest

from analyzers.rules.mood import picture_valence, sound_valence
from tests.analyzers.made_results import joined, words
from tests.analyzers.rules.finding import found

BRIGHT = {"mode": "major", "tempo_bpm": 128.0, "key_confidence": 0.9}
DARK = {"mode": "minor", "tempo_bpm": 70.0, "key_confidence": 0.9}


def _there(face, music, pleasure=0.0, ratio=1.0):
    return joined(
        4,
        color_analysis={"seconds": {"pleasure": [pleasure] * 4}},
        face_emotion={"seconds": {"valence": [face] * 4}},
        audio_analysis={"seconds": {"music_ratio": [ratio] * 4}, "summary": music},
    )


def test_mood_agrees_is_found():
    [finding] = found("mood_agrees", _there(0.9, BRIGHT))
    assert (finding.time_s, finding.end_s) == (0, 4)
    assert "bright (a face) and the music is bright" in finding.finding
    assert {"color_analysis@0", "face_emotion@1", "audio_analysis@3"} <= set(finding.evidence)
    assert found("mood_agrees", _there(-0.9, DARK))


def test_mood_agrees_is_not_found():
    for there in (_there(0.9, DARK), _there(0.1, BRIGHT), _there(0.9, BRIGHT, ratio=0.1)):
        assert found("mood_agrees", there) == []


def test_mood_at_odds_is_found():
    [finding] = found("mood_at_odds", _there(0.9, DARK))
    assert "bright (a face) but the music is dark" in finding.finding
    assert found("mood_at_odds", _there(None, BRIGHT, pleasure=-0.3))


def test_mood_at_odds_is_not_found():
    mixed = {**DARK, "tempo_bpm": 130.0}
    unsure = {**DARK, "key_confidence": 0.5}
    for there in (_there(0.9, BRIGHT), _there(0.9, mixed), _there(0.9, unsure)):
        assert found("mood_at_odds", there) == []


def test_bright_and_dark_are_two_findings():
    there = joined(
        4,
        color_analysis={"seconds": {"pleasure": [0.3, 0.3, -0.3, -0.3]}},
        audio_analysis={"seconds": {"music_ratio": [0.0] * 4}},
        speech_emotion={
            "seconds": {"valence": [0.8, 0.8, -0.8, -0.8], "emotion": ["calm"] * 2 + ["sad"] * 2}
        },
    )
    dark, bright = sorted(found("mood_agrees", there), key=lambda f: -f.time_s)
    assert bright.finding == "The picture is bright and the words said are bright"
    assert dark.finding == "The picture is dark and the words said are dark"
    assert (bright.end_s, dark.time_s) == (2, 2)


def test_a_voice_tells_where_there_is_no_music():
    there = joined(
        2,
        audio_analysis={"seconds": {"music_ratio": [0.0, 1.0]}, "summary": BRIGHT},
        speech_emotion={"seconds": {"valence": [-0.6, -0.6], "emotion": ["sad", "sad"]}},
    )
    assert sound_valence(there) == [pytest.approx(-0.6), 0.9]


def test_a_picture_without_a_face_has_the_mood_of_its_colours():
    assert picture_valence(_there(None, BRIGHT, pleasure=0.5)) == [1.0] * 4
    assert picture_valence(joined(2, color_analysis={})) == [None, None]


def _said(heard, seen, emotion="happy"):
    utterance = {"time_s": 1.0, "end_s": 3.0, "valence": heard, "emotion": emotion}
    return joined(
        4,
        speech_emotion={"rows": [utterance]},
        face_emotion={"seconds": {"valence": [None, seen, seen, None]}},
        speech_transcription={"rows": words("I am so happy for you", 1, 3)},
    )


def test_face_against_voice_is_found():
    [finding] = found("face_against_voice", _said(0.6, -0.7))
    assert "words said are pleasant, the face looks unpleasant" in finding.finding
    assert {"speech_emotion/0", "face_emotion@1", "speech_transcription/0"} <= set(finding.evidence)


def test_face_against_voice_is_not_found():
    unsure = _said(0.6, -0.7, emotion="uncertain")
    alike, flat = _said(0.6, 0.7), _said(0.1, -0.7)
    for there in (unsure, alike, flat, _said(None, -0.7), _said(0.6, None)):
        assert found("face_against_voice", there) == []
