from tests.analyzers.made_results import joined
from tests.analyzers.rules.finding import found


def _there(seen, heard, sure=0.9):
    return joined(
        4,
        background_segmentation={"seconds": {"setting": seen, "setting_confidence": [0.9] * 4}},
        audio_environment={"seconds": {"setting": heard, "setting_confidence": [sure] * 4}},
    )


OUT, IN, UNSURE = ["outdoor"] * 4, ["indoor"] * 4, ["uncertain"] * 4


def test_place_at_odds_is_found():
    [finding] = found("place_at_odds", _there(OUT, ["uncertain", *IN[1:]]))
    assert (finding.time_s, finding.end_s) == (1, 4)
    assert finding.finding == "It looks outdoors and sounds indoors"
    assert {"background_segmentation@1", "audio_environment@3"} <= set(finding.evidence)
    assert found("place_at_odds", _there(IN, OUT))


def test_place_at_odds_is_not_found():
    for there in (
        _there(OUT, OUT),
        _there(OUT, UNSURE),
        _there(UNSURE, IN),
        _there(OUT, IN, sure=0.3),
        _there(OUT, ["indoor", "outdoor", "outdoor", "indoor"]),
    ):
        assert found("place_at_odds", there) == []
