import numpy as np
import pytest

from analyzers.methods.people.gaze import blinks, gaze_in_head_deg

#: Corners of both eyes and their irises in the mesh.
RIGHT, LEFT = (33, 133, 468), (362, 263, 473)


def looking(yaw_deg: float, pitch_deg: float, lean_deg: float = 0.0) -> np.ndarray:
    """Points of eyes 30 px wide whose irises are turned on eyeballs of 11.5 px."""
    points = np.zeros((478, 3))
    for middle, (corner, other, iris) in ((100.0, RIGHT), (163.0, LEFT)):
        points[corner, :2] = middle - 15, 200
        points[other, :2] = middle + 15, 200
        moved = 11.5 * np.sin(np.radians([yaw_deg, -pitch_deg]))
        points[iris, :2] = np.array([middle, 200]) + moved
    lean = np.radians(lean_deg)
    turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]])
    points[:, :2] = points[:, :2] @ turn.T
    return points


@pytest.mark.parametrize("lean", [0, 25, -40])
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (20, 0), (-30, 0), (0, 15), (10, -20)])
def test_the_irises_tell_where_the_eyes_look(yaw: float, pitch: float, lean: float) -> None:
    """Right and up of the picture are positive, in the head's own axes."""
    assert gaze_in_head_deg(looking(yaw, pitch, lean)) == pytest.approx((yaw, pitch), abs=0.01)


def test_squinting_irises_cancel_out() -> None:
    """Both turned towards the nose: the person looks at something near, straight ahead."""
    points = looking(0, 0)
    points[468, 0] += 3
    points[473, 0] -= 3
    assert gaze_in_head_deg(points) == pytest.approx((0, 0), abs=0.01)


def score(shut: list[tuple[int, int, float]], count: int = 60, base: float = 0.1) -> np.ndarray:
    """Samples of open eyes, shut by so much from one sample to the next given."""
    closed = np.full(count, base)
    for first, end, value in shut:
        closed[first:end] = value
    return closed


TIMES_S = np.arange(60) / 15


@pytest.mark.parametrize(
    ("shut", "found"),
    [
        ([], []),
        ([(20, 21, 0.9)], [20]),  # one frame
        ([(20, 22, 0.4), (22, 24, 0.8)], [22]),  # the deepest one is told
        ([(15, 17, 0.6), (40, 43, 0.7)], [15, 40]),
        ([(20, 40, 0.9)], []),  # closed for longer
        ([(20, 60, 0.9)], []),  # never opened again
        ([(0, 3, 0.9)], []),  # shut before the face was seen
        ([(20, 22, 0.2)], []),  # a twitch
    ],
)
def test_short_closings_are_blinks(shut: list[tuple[int, int, float]], found: list[int]) -> None:
    assert blinks(TIMES_S.tolist(), score(shut).tolist()) == found


def test_opening_for_a_moment_is_no_blink() -> None:
    closed = score([(20, 23, 0.1)], base=0.8)
    assert blinks(TIMES_S.tolist(), closed.tolist()) == []


def test_nothing_seen_nothing_found() -> None:
    assert blinks([], []) == []
    assert blinks([0.0], [0.9]) == []
