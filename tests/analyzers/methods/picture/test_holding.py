import numpy as np
import pyarrow as pa

from analyzers.base import AnalysisResult
from analyzers.body_pose import BodyPose
from analyzers.methods.people.body import ELBOWS, HIPS, SHOULDERS, WRISTS
from analyzers.methods.picture.holding import hands_by_time, in_hand
from analyzers.models.lending import Models

TIMES_S = [0.2 * i for i in range(8)]
BOX = (0.60, 0.40, 0.70, 0.60)
HAND = 0.1


def hands(x: float, y: float) -> dict[float, list[tuple[tuple[int, int], float, float, float]]]:
    """One still wrist."""
    return {t: [((0, WRISTS[0]), x, y, HAND)] for t in TIMES_S}


def test_a_thing_beside_a_hand_is_held() -> None:
    boxes = [BOX] * len(TIMES_S)
    assert in_hand(TIMES_S, boxes, hands(0.78, 0.5), {}, 1.0) == [True] * 8
    assert in_hand(TIMES_S, boxes, hands(0.82, 0.5), {}, 1.0) == [False] * 8


def test_what_moves_with_the_hand_is_held_and_what_passes_it_is_not() -> None:
    moves = {t: [((0, WRISTS[0]), 0.65 + 0.04 * i, 0.5, HAND)] for i, t in enumerate(TIMES_S)}
    along = [(x1 + 0.04 * i, y1, x2 + 0.04 * i, y2) for i in range(8) for x1, y1, x2, y2 in [BOX]]
    assert in_hand(TIMES_S, along, moves, {}, 1.0) == [True] * 8
    assert in_hand(TIMES_S, [BOX] * 8, moves, {}, 1.0)[0] is False  # the hand goes on past it


def test_two_frames_are_not_enough() -> None:
    near = {t: h for t, h in hands(0.65, 0.5).items() if t < 0.3}
    far = {t: h for t, h in hands(0.1, 0.1).items() if t > 0.3}
    assert in_hand(TIMES_S, [BOX] * 8, near | far, {}, 1.0) == [False] * 8


def test_without_wrists_only_who_is_not_near_is_known() -> None:
    near, far = (0.5, 0.0, 0.65, 1.0), (0.0, 0.0, 0.2, 1.0)
    assert in_hand(TIMES_S, [BOX] * 8, {}, {t: [near] for t in TIMES_S}, 1.0) == [None] * 8
    assert in_hand(TIMES_S, [BOX] * 8, {}, {t: [far] for t in TIMES_S}, 1.0) == [False] * 8


def test_a_hands_length_follows_the_trunk() -> None:
    points = np.full((17, 2), 0.5)
    for joints, y in ((SHOULDERS, 0.3), (ELBOWS, 0.4), (WRISTS, 0.5), (HIPS, 0.7)):
        points[list(joints), 1] = y
    confidence = np.zeros(17)
    confidence[[*SHOULDERS, *WRISTS, *HIPS]] = 0.9
    analyzer = BodyPose(Models({}))
    row = {
        "time_s": 0.0,
        "track_id": 3,
        "keypoints_x": points[:, 0].tolist(),
        "keypoints_y": points[:, 1].tolist(),
        "keypoints_confidence": confidence.tolist(),
    }
    poses = AnalysisResult(analyzer.observations([row]), pa.table({"_": pa.nulls(0)}), {})
    [(whose, x, y, hand), _] = hands_by_time(poses, aspect=0.5)[0.0]
    assert whose == (3, WRISTS[0])
    assert np.allclose([x, y], [0.25, 0.5])
    assert np.isclose(hand, 0.4 * 0.108 / 0.288)
    assert hands_by_time(None, 0.5) == {}
