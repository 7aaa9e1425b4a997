from tests.analyzers.made_results import cut, joined, line
from tests.analyzers.rules.finding import found


def _there(motion=0.05, voice=0.0, starts=0, cuts=(), lines=(), still=(2, 6)):
    move = [motion if still[0] <= s < still[1] else 0.6 for s in range(8)]
    return joined(
        8,
        temporal_flow={"seconds": {"motion": move}},
        voices={"seconds": {"voice_ratio": [voice] * 8, "singing_ratio": [0.0] * 8}},
        audio_analysis={"seconds": {"onset_count": [starts] * 8}},
        cut_analysis={"rows": [cut(t, i + 1) for i, t in enumerate(cuts)]},
        text_overlay={"rows": list(lines)},
    )


def test_dead_seconds_is_found():
    [finding] = found("dead_seconds", _there())
    assert (finding.time_s, finding.end_s, finding.effect) == (2, 6, "costs")
    assert {"temporal_flow@2", "voices@5", "cut_analysis@3"} <= set(finding.evidence)
    assert finding.confidence == 1


def test_dead_seconds_is_not_found():
    for there in (
        _there(motion=0.5),
        _there(voice=0.8),
        _there(starts=2),
        _there(still=(2, 3)),
        _there(cuts=[2.5, 4.5], still=(2, 6)),
        _there(lines=[line("NEW", 3.5, 4.5)], still=(2, 6)),
    ):
        assert found("dead_seconds", there) == []


def test_what_is_missing_is_not_looked_at_and_lowers_the_confidence():
    there = joined(4, temporal_flow={"seconds": {"motion": [0.0] * 4}}, cut_analysis={"rows": []})
    [finding] = found("dead_seconds", there)
    assert finding.confidence == 0.4
