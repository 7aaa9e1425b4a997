"""Postures of a made figure."""

import numpy as np
import pytest

from analyzers.methods.people.body import ANKLES, HIPS, KNEES, SHOULDERS
from analyzers.methods.people.posture import posture_of
from tests.analyzers.made_poses import HEIGHT, figure, unseen


def turned(points: np.ndarray, angle_deg: float) -> np.ndarray:
    angle = np.radians(angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points - 0.5) @ turn.T + 0.5


def sitting_to_the_side() -> np.ndarray:
    """Both thighs to the right, both shanks down."""
    return figure(left_leg=(85, 0), right_leg=(-85, 0))


def sitting_to_the_front() -> np.ndarray:
    """Thighs at the camera: knees are a little below the hips."""
    points = figure()
    lift = 0.245 * 0.7 * HEIGHT
    points[[*KNEES, *ANKLES], 1] -= lift
    return points


STANDING = {
    "upright": figure(),
    "walking": figure(left_leg=(25, 15), right_leg=(20, 0)),
    "kicking": figure(left_leg=(90, 20), right_leg=(0, 0)),
    "bending down": figure(trunk_deg=70, left_leg=(-12, 5), right_leg=(12, -5)),
    "without ankles": unseen(figure(), ANKLES),
    "without shoulders": unseen(figure(), SHOULDERS),
}
SITTING = {
    "to the side": sitting_to_the_side(),
    "to the front": sitting_to_the_front(),
    "without ankles": unseen(sitting_to_the_side(), ANKLES),
    "legs stretched out": figure(left_leg=(88, 88), right_leg=(-88, -88)),
}
LYING = {
    "to the right": turned(figure(), 90),
    "to the left": turned(figure(), -80),
    "knees drawn up": turned(figure(left_leg=(40, -40), right_leg=(-40, 40)), 90),
    "without ankles": unseen(turned(figure(), 90), ANKLES),
}
UNKNOWN = {
    "legs not seen": unseen(figure(), KNEES, ANKLES),
    "hips not seen": unseen(figure(), HIPS),
    "leaning and legs not seen": unseen(figure(trunk_deg=80), KNEES, ANKLES),
    "one bent leg seen": unseen(figure(left_leg=(90, 0)), KNEES[1:], ANKLES[1:]),
    "on the head": turned(figure(), 180),
    "nothing": np.full((17, 2), np.nan),
}


@pytest.mark.parametrize(
    ("wanted", "points"),
    [
        pytest.param(wanted, points, id=f"{wanted} {name}")
        for wanted, group in (
            ("standing", STANDING),
            ("sitting", SITTING),
            ("lying", LYING),
            ("unknown", UNKNOWN),
        )
        for name, points in group.items()
    ],
)
def test_posture(wanted: str, points: np.ndarray) -> None:
    assert posture_of(points) == wanted


@pytest.mark.parametrize("scale", [0.1, 0.5, 2.0])
def test_size_does_not_matter(scale: float) -> None:
    assert posture_of(figure() * scale) == "standing"
    assert posture_of(sitting_to_the_side() * scale) == "sitting"


@pytest.mark.parametrize("group", [STANDING, SITTING, LYING], ids=["standing", "sitting", "lying"])
def test_the_trembling_of_keypoints_does_not_change_it(group: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    whole = next(iter(group.values()))
    seen = {posture_of(whole + rng.normal(0, 0.005, (17, 2))) for _ in range(50)}
    assert seen == {posture_of(whole)}
