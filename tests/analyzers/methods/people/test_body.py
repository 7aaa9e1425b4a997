"""A body's unit of length, and movement against the trunk."""

import numpy as np
import pytest

from analyzers.methods.people.body import (
    ELBOWS,
    HIPS,
    SHOULDERS,
    WRISTS,
    body_of,
    from_vertical_deg,
    joint_deg,
    limb_speeds,
    movement_energy,
)
from tests.analyzers.made_poses import TRUNK, figure, moving


def test_the_trunk_is_the_unit() -> None:
    """The longest of bones that tremble is a little too long."""
    np.testing.assert_allclose(moving(lambda t: figure()).trunk, TRUNK, rtol=0.08)
    np.testing.assert_allclose(moving(lambda t: figure(), trembling=0).trunk, TRUNK)


def test_the_unit_is_told_by_arms_where_hips_are_not_seen() -> None:
    """Seen from the side, so that the shoulders' width says nothing."""
    points = figure(left_arm=(0, 90), right_arm=(0, 90))
    shift = points[SHOULDERS[0]] + [0.005, 0] - points[SHOULDERS[1]]
    points[[SHOULDERS[1], ELBOWS[1], WRISTS[1]]] += shift
    sure = np.ones((1, 17))
    sure[:, [*HIPS, 13, 14, 15, 16]] = 0.1
    body = body_of(np.zeros(1), points[None], sure, 1.0, 0.5)
    assert body.trunk[0] == pytest.approx(TRUNK, rel=0.05)


def test_a_face_alone_has_no_unit() -> None:
    sure = np.zeros((2, 17))
    sure[:, :5] = 1
    body = body_of(np.arange(2) / 5, np.stack([figure()] * 2), sure, 1.0, 0.5)
    assert np.isnan(body.trunk).all()
    assert np.isnan(movement_energy(body)).all()


def test_points_are_square_and_faint_ones_are_gaps() -> None:
    points = np.full((1, 17, 2), 0.5)
    sure = np.full((1, 17), 0.9)
    sure[0, 3] = 0.49
    body = body_of(np.zeros(1), points, sure, 16 / 9, 0.5)
    np.testing.assert_allclose(body.points[0, 0], [8 / 9, 0.5])
    assert np.isnan(body.points[0, 3]).all()


def test_angles() -> None:
    origin = np.zeros(2)
    assert from_vertical_deg(origin, np.array([0.0, 1.0])) == 0
    assert from_vertical_deg(origin, np.array([-1.0, 0.0])) == 90
    assert from_vertical_deg(origin, np.array([0.0, -1.0])) == 180
    assert joint_deg(np.array([0.0, 1.0]), origin, np.array([1.0, 0.0])) == pytest.approx(90)
    assert np.isnan(joint_deg(origin, origin, np.array([1.0, 0.0])))


def test_a_moving_camera_is_no_movement() -> None:
    panned = moving(lambda t: figure(centre=(0.3 + 0.3 * t, 0.5)), trembling=0)
    np.testing.assert_allclose(np.nan_to_num(limb_speeds(panned)), 0, atol=1e-9)


def test_energy_is_mean_squared_speed_in_trunk_lengths() -> None:
    """Both wrists move by a tenth of a trunk in a fifth of a second: 0.25 over two of 17 points."""

    def hands(t: float) -> np.ndarray:
        points = figure()
        points[list(WRISTS), 0] += 0.1 * TRUNK * round(t * 5)
        return points

    body = moving(hands, end_s=2.0, trembling=0)
    energy = movement_energy(body)
    assert np.isnan(energy[0])
    # The forearm grows in this picture and the unit with it, hence the first frames only.
    assert energy[1] == pytest.approx(2 * 0.5**2 / 17 * (TRUNK / body.trunk[1]) ** 2, rel=1e-6)


def test_more_movement_more_energy() -> None:
    def energy(swing_deg: float) -> float:
        body = moving(lambda t: figure(left_arm=(60 + swing_deg * np.sin(6 * t), 90)))
        return float(np.nanmean(movement_energy(body)))

    still, some, much = (energy(swing) for swing in (0, 20, 60))
    assert still < 0.06
    assert still < some < much


def test_no_speed_across_a_gap() -> None:
    body = body_of(np.array([0.0, 0.2, 1.4]), np.stack([figure()] * 3), np.ones((3, 17)), 1.0, 0.5)
    assert np.isfinite(limb_speeds(body)[1, ELBOWS[0]])
    assert np.isnan(limb_speeds(body)[2]).all()
