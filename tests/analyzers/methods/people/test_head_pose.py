import numpy as np
import pytest

from analyzers.methods.people import head_pose
from analyzers.methods.people.head_pose import pose_from_landmarks, pose_from_mesh


def seen_from(yaw_deg: float, pitch_deg: float, roll_deg: float, model: np.ndarray) -> np.ndarray:
    """Points of the head model in a picture 30 px to the cm, after turning the head."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    # About the vertical (to the right of the picture), the horizontal (up), the line of sight.
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]]
    about_z = [[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    turned = model @ (np.array(about_y) @ np.array(about_x) @ np.array(about_z)).T
    return np.stack([300 + 30 * turned[:, 0], 400 - 30 * turned[:, 1]], axis=1)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (30, 0, 0), (-40, 0, 0), (0, 20, 0), (0, -25, 0), (0, 0, 35), (25, -15, -20)],
)
def test_a_projected_head_gives_its_angles_back(yaw: float, pitch: float, roll: float) -> None:
    five = np.array(list(head_pose._FIVE.values()))
    mesh = np.zeros((478, 3))
    mesh[head_pose._MESH_PLACES, :2] = seen_from(yaw, pitch, roll, head_pose._MESH_MODEL)
    for pose in (
        pose_from_landmarks(seen_from(yaw, pitch, roll, five)),
        pose_from_mesh(mesh),
    ):
        assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == pytest.approx(
            (yaw, pitch, roll), abs=0.01
        )


def test_signs_are_the_viewers() -> None:
    """A nose to the right of the eyes' middle is a face turned to the right of the picture."""
    level = np.array([[80.0, 100], [120, 100], [108, 122], [88, 140], [116, 140]])
    assert pose_from_landmarks(level).yaw_deg > 10
    leaning = level @ np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    assert leaning[1, 1] > leaning[0, 1]  # the eye on the right is lower: clockwise
    assert pose_from_landmarks(leaning).roll_deg > 10
