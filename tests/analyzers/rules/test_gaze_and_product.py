import numpy as np

from tests.analyzers.made_results import joined
from tests.analyzers.rules.finding import found

#: A face at the upper left.
FACE = {"x1": 0.1, "y1": 0.1, "x2": 0.3, "y2": 0.3}
#: To the right of it, at the same height.
BOTTLE = {"x1": 0.7, "y1": 0.1, "x2": 0.8, "y2": 0.3, "track_id": 4, "label": "bottle"}


def _there(yaw, pitch, gaze, held=False, product=BOTTLE, seen_s=(0, 4), track=True):
    looks = [
        {
            "time_s": float(t),
            "track_id": 0,
            "gaze": gaze,
            "gaze_yaw_deg": yaw,
            "gaze_pitch_deg": pitch,
            **FACE,
        }
        for t in np.arange(0, 4, 1 / 15)
    ]
    boxes = [
        {"time_s": float(t), "confidence": 0.9, **product} for t in np.arange(*seen_s, 0.2) if track
    ]
    one = {"time_s": seen_s[0], "end_s": seen_s[1], "confidence": 0.8, "held": held, **product}
    return joined(
        4,
        eye_tracking={"rows": looks},
        object_detection={"rows": boxes},
        product_detection={
            "rows": [one],
            "seconds": {"held_products": [["bottle"] if held else []] * 4},
        },
    )


def test_gaze_on_product_is_found():
    [finding] = found("gaze_on_product", _there(35.0, 0.0, "right"))
    assert (finding.time_s, finding.end_s, finding.value) == (0, 4, "bottle")
    assert {"eye_tracking@1", "product_detection/0", "object_detection/0"} <= set(finding.evidence)


def test_gaze_on_product_is_found_without_a_track():
    assert found("gaze_on_product", _there(35.0, 0.0, "right", track=False))


def test_gaze_on_product_is_not_found():
    for there in (
        _there(-35.0, 0.0, "left"),
        _there(0.0, 0.0, "camera"),
        _there(0.0, -40.0, "down"),
        _there(35.0, 0.0, "closed"),
        _there(35.0, 0.0, "right", seen_s=(3.9, 4)),
    ):
        assert found("gaze_on_product", there) == []


def test_product_shown_to_camera_is_found():
    [finding] = found("product_shown_to_camera", _there(0.0, 0.0, "camera", held=True))
    assert "Holds the bottle" in finding.finding


def test_product_shown_to_camera_is_not_found():
    assert found("product_shown_to_camera", _there(0.0, 0.0, "camera", held=False)) == []
    assert found("product_shown_to_camera", _there(35.0, 0.0, "right", held=True)) == []
