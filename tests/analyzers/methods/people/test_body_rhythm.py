"""Movement with a beat: a dancing figure, and others."""

from collections.abc import Callable

import numpy as np
import pytest

from analyzers.methods.people.body import ANKLES, ELBOWS, HIPS, KNEES, WRISTS
from analyzers.methods.people.body_rhythm import RHYTHMIC, Rhythm, rhythm_at
from tests.analyzers.made_poses import figure, moving, unseen

END_S = 10.0
NO_BEATS = np.array([])


def beats(tempo_bpm: float) -> np.ndarray:
    return np.arange(0.1, END_S, 60 / tempo_bpm)


def dancing(turns_hz: float) -> Callable[[float], np.ndarray]:
    """Hips sway, the knees give, the arms swing against each other."""

    def pose(t: float) -> np.ndarray:
        turn = 2 * np.pi * turns_hz * t
        return figure(
            left_arm=(50 + 25 * np.sin(turn), 90 + 30 * np.sin(turn)),
            right_arm=(50 - 25 * np.sin(turn), 90 - 30 * np.sin(turn)),
            left_leg=(8 * np.sin(turn), -8 * np.sin(turn)),
            right_leg=(8 * np.sin(turn), -8 * np.sin(turn)),
            centre=(0.5 + 0.05 * np.sin(turn), 0.5 + 0.03 * np.cos(turn)),
        )

    return pose


def seen(pose_at: Callable[[float], np.ndarray], beats_s: np.ndarray) -> Rhythm:
    found = rhythm_at(moving(pose_at, END_S), END_S / 2, beats_s)
    assert found is not None
    return found


@pytest.mark.parametrize(("turns_hz", "tempo_bpm"), [(1.0, 120), (2.0, 120), (0.8, 96), (1.6, 96)])
def test_dancing_to_the_beat(turns_hz: float, tempo_bpm: float) -> None:
    found = seen(dancing(turns_hz), beats(tempo_bpm))
    assert found.confidence >= 0.8
    assert found.parts == 3
    assert found.dancing is True


def test_its_frequency_is_found() -> None:
    assert seen(dancing(1.3), NO_BEATS).frequency_hz == pytest.approx(1.3, abs=0.05)


def test_beside_the_beat_is_no_dancing() -> None:
    found = seen(dancing(1.35), beats(120))
    assert found.confidence >= RHYTHMIC
    assert found.dancing is False


def test_without_music_it_is_rhythm_and_nobody_says_dancing() -> None:
    found = seen(dancing(1.0), NO_BEATS)
    assert found.confidence >= 0.8
    assert found.dancing is None


def test_waving_in_time_is_no_dancing() -> None:
    """One part of the body alone."""
    found = seen(lambda t: figure(left_arm=(60, 170 + 35 * np.sin(2 * np.pi * t))), beats(120))
    assert found.confidence >= RHYTHMIC
    assert (found.parts, found.dancing) == (1, False)


def test_fidgeting_has_no_rhythm() -> None:
    steps = np.random.default_rng(3).normal(0, 20, (60, 4))

    def fidget(t: float) -> np.ndarray:
        a, b, c, d = steps[round(t * 5)]
        return figure((60 + a, 90 + b), (60 + c, 90 + d), centre=(0.5 + a / 400, 0.5))

    found = seen(fidget, beats(120))
    assert found.confidence < RHYTHMIC
    assert found.dancing is False


def test_standing_still_or_seen_too_briefly_says_nothing() -> None:
    assert rhythm_at(moving(lambda t: figure(), END_S), 5.0, beats(120)) is None
    assert rhythm_at(moving(dancing(1.0), 2.0), 1.0, beats(120)) is None


def test_walking_through_the_picture_is_a_drift_and_not_a_rhythm() -> None:
    glide = moving(lambda t: figure(centre=(0.05 * t, 0.5)), END_S)
    assert rhythm_at(glide, 5.0, beats(120)) is None


def test_only_joints_that_are_seen_count() -> None:
    def hidden(t: float) -> np.ndarray:
        return unseen(dancing(1.0)(t), HIPS, KNEES, ANKLES, ELBOWS, WRISTS)

    found = rhythm_at(moving(hidden, END_S), 5.0, beats(120))
    assert found is not None
    assert found.parts == 1
