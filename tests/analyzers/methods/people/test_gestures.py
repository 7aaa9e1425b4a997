"""Gestures of a made figure, and movements that are none."""

from collections.abc import Callable

import numpy as np
import pytest

from analyzers.methods.people.body import HEAD, WRISTS
from analyzers.methods.people.gestures import Arms, arms_of, lasting, swings
from tests.analyzers.made_poses import figure, moving, unseen


def gestures(pose_at: Callable[[float], np.ndarray], end_s: float = 6.0) -> Arms:
    return arms_of(moving(pose_at, end_s))


def shares(arms: Arms) -> dict[str, float]:
    """The part of the frames with each gesture."""
    count = len(arms.raised)
    seen = [arms.gestures(i) for i in range(count)]
    return {name: sum(name in s for s in seen) / count for name in {n for s in seen for n in s}}


def waving(frequency_hz: float, swing_deg: float = 35.0) -> Callable[[float], np.ndarray]:
    """The forearm goes to and fro beside the head."""
    return lambda t: figure(
        left_arm=(60, 170 + swing_deg * np.sin(2 * np.pi * frequency_hz * t + 0.4))
    )


@pytest.mark.parametrize("frequency_hz", [0.9, 1.3, 1.7, 2.1])
def test_waving(frequency_hz: float) -> None:
    assert shares(gestures(waving(frequency_hz))).get("waving", 0) >= 0.9


def test_waving_from_the_upper_arm() -> None:
    """The whole raised arm swings, so the hand is above the head as well."""
    seen = shares(
        gestures(lambda t: figure(right_arm=(160 + 25 * np.sin(8 * t), 175 + 25 * np.sin(8 * t))))
    )
    assert seen["waving"] >= 0.9
    assert seen["hands_raised"] >= 0.9


def test_waving_is_on_the_arm_that_waves_and_while_it_does() -> None:
    def sometimes(t: float) -> np.ndarray:
        return waving(1.3)(t) if 2.0 <= t < 4.0 else figure()

    found = gestures(sometimes)
    seen = np.flatnonzero(found.waving[:, 0]) / 5
    assert 2.0 <= seen.min() <= 2.4
    assert 3.4 <= seen.max() < 4.0
    assert not found.waving[:, 1].any()


def test_hands_raised_are_counted() -> None:
    up = (165.0, 175.0)
    both = gestures(lambda t: figure(left_arm=up, right_arm=up))
    one = gestures(lambda t: figure(left_arm=up))
    assert shares(both) == shares(one) == {"hands_raised": 1.0}
    assert set(both.raised) == {2}
    assert set(one.raised) == {1}


def test_hands_raised_for_one_frame_are_not() -> None:
    assert shares(gestures(lambda t: figure(left_arm=(165, 175)) if t == 2.0 else figure())) == {}


@pytest.mark.parametrize("angle_deg", [60, 90, 120, 140])
def test_pointing(angle_deg: float) -> None:
    found = gestures(lambda t: figure(right_arm=(angle_deg, angle_deg)))
    assert shares(found)["pointing"] >= 0.9
    assert not found.pointing[:, 0].any()


@pytest.mark.parametrize(
    "pose_at",
    [
        pytest.param(lambda t: figure(), id="still"),
        pytest.param(
            lambda t: figure(
                left_arm=(30 * np.sin(6 * t), 10 + 35 * np.sin(6 * t)),
                right_arm=(30 * np.sin(6 * t), 10 + 35 * np.sin(6 * t)),
                left_leg=(20 * np.sin(6 * t), 20 * np.sin(6 * t)),
                right_leg=(20 * np.sin(6 * t), 20 * np.sin(6 * t)),
                centre=(0.3 + 0.1 * t, 0.5),
            ),
            id="walking arms",
        ),
        pytest.param(
            lambda t: figure(left_arm=(15, 100 + 20 * np.sin(9 * t))), id="talking with a hand"
        ),
        pytest.param(lambda t: figure(left_arm=(90, 90), right_arm=(90, 90)), id="arms out"),
        pytest.param(lambda t: figure(left_arm=(90 * np.sin(5 * t),) * 2), id="swinging an arm"),
        pytest.param(lambda t: figure(left_arm=(40, 175)), id="a hand held up beside the face"),
        pytest.param(lambda t: figure(left_arm=(40, -30), right_arm=(40, -30)), id="hands on hips"),
        pytest.param(
            lambda t: figure(left_arm=(60, 150 + 25 * np.tanh(2 * (t - 3)))), id="one move aside"
        ),
        pytest.param(
            lambda t: figure(left_arm=(40, 170), centre=(0.5 + 0.1 * np.sin(8 * t), 0.5)),
            id="a camera that shakes",
        ),
    ],
)
def test_no_gesture(pose_at: Callable[[float], np.ndarray]) -> None:
    assert shares(gestures(pose_at)) == {}


def test_unseen_hands_are_not_known_to_be_down() -> None:
    found = gestures(lambda t: unseen(figure(), WRISTS))
    assert set(found.raised) == {-1}
    assert set(gestures(lambda t: unseen(figure(), tuple(HEAD))).raised) == {-1}
    assert set(gestures(lambda t: figure()).raised) == {0}


def test_swings_are_counted_by_their_width() -> None:
    assert swings([0, 0, 0], 0.2) == 0
    assert swings([0, 1], 0.2) == 1
    assert swings([0, 1, 0, 1], 0.2) == 3
    assert swings([0, 0.1, 0, 0.1, 0], 0.2) == 0
    # Going one way in steps, with small moves back, is one swing.
    assert swings([0, 0.5, 0.4, 0.9, 0.8, 1.3], 0.2) == 1


def test_what_lasts() -> None:
    times_s = np.array([0.0, 0.2, 0.4, 0.6, 2.0, 2.2, 2.4])
    there = np.array([True, True, False, True, True, True, True])
    # The third run starts anew after the gap from 0.6 s to 2 s.
    assert lasting(there, times_s, 0.35).tolist() == [False] * 4 + [True] * 3
