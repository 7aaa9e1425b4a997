from tests.analyzers.made_results import joined
from tests.analyzers.rules.finding import found


def _there(energy, loudness=None, cuts=None):
    count = len(energy)
    return joined(
        count,
        temporal_flow={
            "seconds": {
                "energy": energy,
                "loudness": loudness or [0.1] * count,
                "cuts": cuts or [0.0] * count,
                **{name: [0.0] * count for name in ("motion", "speech", "text", "faces")},
            }
        },
        audio_analysis={},
        cut_analysis={},
    )


PEAK = [0.2] * 5 + [0.8] + [0.2] * 6


def test_peak_moment_is_found():
    [finding] = found("peak_moment", _there(PEAK, PEAK, PEAK))
    assert (finding.time_s, finding.end_s) == (5, 6)
    assert "loudness, cuts" in finding.finding
    assert finding.evidence == ("temporal_flow@5", "audio_analysis@5", "cut_analysis@5")


def test_peak_moment_is_not_found():
    assert found("peak_moment", _there([0.5] * 12, PEAK, PEAK)) == []
    assert found("peak_moment", _there(PEAK, PEAK)) == []  # one channel alone


def test_equal_neighbours_are_one_peak():
    wide = [0.2] * 5 + [0.8, 0.8] + [0.2] * 12
    assert [f.time_s for f in found("peak_moment", _there(wide, wide, wide))] == [5]
