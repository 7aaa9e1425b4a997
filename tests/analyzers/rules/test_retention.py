from tests.analyzers.made_results import joined, line, words
from tests.analyzers.rules.finding import found

SAID = "Chop onions, fry garlic, boil pasta, grate cheese"


def _read(*texts):
    return joined(
        10,
        speech_transcription={"rows": words(SAID, 1, 6), "summary": {"language": "en"}},
        text_overlay={"rows": [line(t, 1, 6) for t in texts]},
    )


def test_readable_without_sound_is_found():
    [helps] = found("readable_without_sound", _read("Chop onions", "fry garlic", "boil pasta"))
    assert (helps.effect, helps.value) == ("helps", "0.75")
    assert "6 of 8" in helps.finding
    [costs] = found("readable_without_sound", _read())
    assert costs.effect == "costs"


def test_readable_without_sound_is_not_found():
    assert found("readable_without_sound", _read("Chop onions")) == []  # neither nor
    short = joined(
        4,
        speech_transcription={"rows": words("Lift off", 1, 2), "summary": {"language": "en"}},
        text_overlay={},
    )
    assert found("readable_without_sound", short) == []


def _shot(end_s, motion, voice=0.0):
    shot = {"type": "shot", "time_s": 0.0, "end_s": end_s, "duration_s": end_s, "shot": 0}
    return joined(
        12,
        cut_analysis={"rows": [shot]},
        temporal_flow={"seconds": {"motion": [motion] * 12}},
        voices={"seconds": {"voice_ratio": [voice] * 12}},
    )


def test_long_steady_shot_is_found():
    [finding] = found("long_steady_shot", _shot(12.0, 0.2))
    assert (finding.effect, finding.value) == ("costs", "12.0")


def test_long_steady_shot_is_not_found():
    for there in (_shot(5.0, 0.2), _shot(12.0, 0.7), _shot(12.0, 0.2, voice=0.9)):
        assert found("long_steady_shot", there) == []


def _part(name):
    part = {
        "part": name,
        "time_s": 6.0,
        "end_s": 8.0,
        "confidence": 0.9,
        "energy": 0.3,
        "why": "It asks the viewer: “Follow me” (follow)",
        "evidence": ["temporal_flow@6"],
    }
    return joined(8, temporal_flow={"rows": [part]})


def test_asks_the_viewer_is_found():
    [finding] = found("asks_the_viewer", _part("call_to_action"))
    assert finding.evidence == ("temporal_flow/0", "temporal_flow@6")


def test_asks_the_viewer_is_not_found():
    assert found("asks_the_viewer", _part("peak")) == []


def test_loops_is_found():
    [finding] = found("loops", _part("loop"))
    assert finding.effect == "helps"


def test_loops_is_not_found():
    assert found("loops", _part("resolution")) == []
