import numpy as np

from tests.analyzers.made_results import cut, joined, voice, words
from tests.analyzers.rules.finding import found

SPEECH = voice(1, 4)


def _lips(start_s, end_s, moving, track=0, rate_hz=15):
    times = np.arange(start_s, end_s, 1 / rate_hz)
    return [
        {
            "time_s": float(t),
            "track_id": track,
            "gaze": "camera",
            "mouth_opening_ratio": 0.02 + (0.06 * (i % 4 < 2) if moving else 0.0),
        }
        for i, t in enumerate(times)
    ]


def _faces(start_s, end_s, track=0):
    return [
        {"time_s": float(t), "track_id": track, "quality": "good"}
        for t in np.arange(start_s, end_s, 0.2)
    ]


def _person(start_s, end_s):
    return [
        {"time_s": float(t), "track_id": 9, "label": "person", "confidence": 0.8}
        for t in np.arange(start_s, end_s, 0.2)
    ]


def _there(lips=(), faces=(), persons=(), voices=(SPEECH,), cuts=()):
    return joined(
        6,
        voices={"rows": list(voices)},
        eye_tracking={"rows": list(lips)},
        faces={"rows": list(faces)},
        object_detection={"rows": list(persons)},
        cut_analysis={"rows": [cut(t, i + 1) for i, t in enumerate(cuts)]},
    )


def test_speaker_on_screen_is_found():
    there = _there(_lips(0, 6, True), _faces(0, 6), _person(0, 6))
    [finding] = found("speaker_on_screen", there)
    assert (finding.time_s, finding.end_s, finding.value) == (1, 4, "on_screen")
    assert {"voices/0", "eye_tracking@2"} <= set(finding.evidence)
    assert found("speaker_off_screen", there) == []


def test_speaker_on_screen_is_not_found():
    for there in (
        _there(_lips(0, 6, False), _faces(0, 6)),
        _there((), _faces(0, 6), _person(0, 6)),
        _there(_lips(0, 6, True), _faces(0, 6), voices=()),
        _there(_lips(1, 2, True), _faces(0, 6)),  # not followed for most of the time
    ):
        assert found("speaker_on_screen", there) == []


def test_speaker_off_screen_is_found():
    still = _there(_lips(0, 6, False), _faces(0, 6), _person(0, 6))
    [finding] = found("speaker_off_screen", still)
    assert (finding.time_s, finding.end_s) == (1, 4)
    assert "lips still" in finding.finding
    [finding] = found("speaker_off_screen", _there())
    assert "no face and no person" in finding.finding
    assert {"voices/0", "faces@1", "object_detection@3"} <= set(finding.evidence)


def test_speaker_off_screen_is_not_found():
    for there in (
        _there(_lips(0, 6, True), _faces(0, 6)),
        _there((), _faces(0, 6)),  # a face whose lips are not seen
        _there((), (), _person(0, 6)),  # somebody who is turned away
        _there(_lips(0, 6, False), [*_faces(0, 6), *_faces(0, 6, track=1)]),  # who else?
        _there(voices=[voice(1, 1.3)]),
    ):
        assert found("speaker_off_screen", there) == []


def test_a_smile_that_grows_is_no_speech():
    lips = _lips(0, 6, False)
    for i, row in enumerate(lips):
        row["mouth_opening_ratio"] = 0.02 + 0.002 * i
    there = _there(lips, _faces(0, 6), _person(0, 6))
    assert found("speaker_on_screen", there) == []


def test_a_cut_parts_the_speaker_from_what_is_shown_meanwhile():
    there = _there(_lips(0, 2.5, True), _faces(0, 2.5), _person(0, 2.5), cuts=[2.5])
    [on] = found("speaker_on_screen", there)
    [off] = found("speaker_off_screen", there)
    assert (on.time_s, on.end_s) == (1, 2.5)
    assert (off.time_s, off.end_s) == (2.5, 4)


def test_a_voice_without_words_is_nobodys():
    upstream = {"voices": {"rows": [SPEECH]}, "faces": {}, "eye_tracking": {}}
    said = words("Here I am", 1, 4)
    for rows, count in ((said, 1), ([], 0)):
        there = joined(6, object_detection={}, speech_transcription={"rows": rows}, **upstream)
        assert len(found("speaker_off_screen", there)) == count


def test_pauses_within_an_utterance_do_not_part_it():
    voices = [voice(1, 1.9), voice(2.2, 3), voice(3.3, 4)]
    [finding] = found("speaker_off_screen", _there(voices=voices))
    assert (finding.time_s, finding.end_s) == (1, 4)
    assert {"voices/0", "voices/1", "voices/2"} <= set(finding.evidence)


def test_results_without_lips_tell_nothing_of_a_face():
    lips = [{**row, "mouth_opening_ratio": None} for row in _lips(0, 6, True)]
    there = _there(lips, _faces(0, 6), _person(0, 6))
    assert found("speaker_on_screen", there) == []
    assert found("speaker_off_screen", there) == []
