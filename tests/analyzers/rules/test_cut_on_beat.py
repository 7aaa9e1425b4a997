import numpy as np
import pytest

from tests.analyzers.made_results import cut, joined
from tests.analyzers.rules.finding import found

BEATS = [{"kind": "beat", "time_s": float(t)} for t in np.arange(0, 12, 0.5)]
ONSETS = [{"kind": "onset", "time_s": t} for t in (1.0, 2.0, 3.0)]


def _there(cuts, beats=BEATS):
    return joined(
        12,
        cut_analysis={"rows": [cut(t, i + 1) for i, t in enumerate(cuts)]},
        audio_analysis={"rows": beats},
    )


def test_cut_on_beat_is_found():
    findings = found("cut_on_beat", _there([1.02, 2.5, 3.97, 6.0, 7.55]))
    assert [f.time_s for f in findings] == [1.02, 2.5, 3.97, 6.0, 7.55]
    assert findings[0].evidence == ("cut_analysis/0", "audio_analysis/2")
    assert "+20 ms" in findings[0].finding
    assert "5 of 5" in findings[0].finding
    assert float(findings[2].value) == pytest.approx(-0.03)


def test_cut_on_beat_is_not_found():
    off = _there([1.25, 2.75, 4.2, 6.3, 7.7])
    by_chance = _there([1.0, 2.25, 3.3, 4.2, 5.7, 6.3, 7.25, 8.7, 9.5])
    too_few = _there([1.0, 2.0])
    no_beat = _there([1.0, 2.0, 3.0], ONSETS)
    for there in (off, by_chance, too_few, no_beat):
        assert found("cut_on_beat", there) == []


def test_cuts_after_the_music_are_not_counted():
    findings = found("cut_on_beat", _there([1.0, 2.0, 3.0, 4.0, 9.2, 10.3, 11.2], BEATS[:10]))
    assert [f.time_s for f in findings] == [1.0, 2.0, 3.0, 4.0]
    assert "4 of 4" in findings[0].finding


def _effects(times, effect):
    rows = [{"effect": effect, "time_s": t, "end_s": t + 0.1, "confidence": 0.9} for t in times]
    return joined(12, visual_effects={"rows": rows}, audio_analysis={"rows": BEATS})


def test_effect_on_beat_is_found():
    findings = found("effect_on_beat", _effects([1.0, 2.0, 3.51, 5.0], "flash"))
    assert [f.time_s for f in findings] == [1.0, 2.0, 3.51, 5.0]


def test_effect_on_beat_is_not_found():
    assert found("effect_on_beat", _effects([1.25, 2.25, 3.7, 5.3], "flash")) == []
    assert found("effect_on_beat", _effects([1.0, 2.0, 3.5, 5.0], "letterbox")) == []
