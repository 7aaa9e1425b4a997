import pytest

from tests.analyzers.made_results import joined, line
from tests.analyzers.rules.finding import found

LOUD = [-20.0, -20.0, -17.0, -17.5, -20.0, -20.0]
FACE = [0.0, 0.0, 0.1, 0.1, 0.1, 0.0]
LOOK = line("LOOK", 1.5, 4.0)
SCALE = ["medium", "medium", "close_up", "close_up", "close_up", "long"]


def _there(level=LOUD, face=FACE, text=(LOOK,), scale=None):
    more = {"composition_analysis": {"seconds": {"shot_scale": scale}}} if scale else {}
    return joined(
        6,
        audio_analysis={"seconds": {"loudness_lufs": level}, "summary": {"loudness_lufs": -20.0}},
        faces={"seconds": {"largest_face_share": face}},
        text_overlay={"rows": list(text)},
        **more,
    )


@pytest.mark.parametrize("scale", [None, SCALE])
def test_emphasis_is_found(scale):
    [finding] = found("emphasis", _there(scale=scale))
    assert (finding.time_s, finding.end_s) == (2, 4)
    assert "+3.0 LU" in finding.finding
    assert "text_overlay/0" in finding.evidence
    assert f"{'composition_analysis' if scale else 'faces'}@2" in finding.evidence


def test_emphasis_is_not_found():
    for there in (
        _there(level=[-20.0] * 6),
        _there(level=[None] * 6),
        _there(face=[0.01] * 6),
        _there(scale=["long"] * 6),
        _there(text=()),
        _there(text=[line("LOOK", 4.0, 6.0)]),
        _there(text=[line("TAXI", 1.5, 4.0, role="scene_text")]),
    ):
        assert found("emphasis", there) == []


def test_a_caption_of_the_last_moment_does_not_fail():
    there = joined(
        1.5,
        audio_analysis={
            "seconds": {"loudness_lufs": [-20.0, -15.0]},
            "summary": {"loudness_lufs": -20.0},
        },
        faces={"seconds": {"largest_face_share": [0.0, 0.2]}},
        text_overlay={"rows": [line("BYE", 1.4995, 1.5)]},
    )
    [finding] = found("emphasis", there)
    assert (finding.time_s, finding.end_s) == (1.0, 1.5)
