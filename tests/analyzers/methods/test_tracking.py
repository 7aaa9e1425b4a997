"""Tracking of made-up detections: what must be one track, and what must not."""

from collections.abc import Sequence

import numpy as np

from analyzers.methods.tracking import KINSHIPS, Track, track_objects
from analyzers.models.detector import COCO_LABELS, Detections

Seen = tuple[str, float, tuple[float, float, float, float]]


def frames(*seen: Sequence[Seen]) -> list[Detections]:
    """One `Detections` for each frame, each object as (label, confidence, box)."""
    return [
        Detections(
            np.array([s[2] for s in of_frame], np.float32).reshape(-1, 4),
            np.array([s[1] for s in of_frame], np.float32),
            np.array([COCO_LABELS.index(s[0]) for s in of_frame], np.int64),
        )
        for of_frame in seen
    ]


def at(x: float, y: float = 0.5, size: float = 0.1) -> tuple[float, float, float, float]:
    return x - size / 2, y - size / 2, x + size / 2, y + size / 2


def track(
    detections: list[Detections], cuts_s: Sequence[float] = (), leaps: bool = False
) -> list[Track]:
    return track_objects(detections, np.arange(len(detections)) / 5, cuts_s, 9 / 16, leaps)


def test_kinships_hold_every_class_once() -> None:
    assert sorted(label for labels in KINSHIPS.values() for label in labels) == sorted(COCO_LABELS)


def test_a_moving_object_is_one_track_from_its_first_frame() -> None:
    [found] = track(frames(*[[("dog", 0.8, at(0.1 + 0.05 * i))] for i in range(10)]))
    assert found.label == "dog"
    assert found.frames == list(range(10))
    np.testing.assert_allclose(found.boxes[3], at(0.25), atol=1e-6)


def test_a_ball_that_jumps_further_than_its_width_is_one_track() -> None:
    heights = [0.3, 0.45, 0.55, 0.4, 0.25, 0.4, 0.55, 0.6, 0.45, 0.3]
    [found] = track(frames(*[[("sports ball", 0.7, at(0.5, y, 0.06))] for y in heights]))
    assert len(found.frames) == 10


def test_the_label_is_what_most_confidence_says() -> None:
    labels = ["frisbee", "sports ball", "sports ball", "frisbee", "sports ball"]
    [found] = track(frames(*[[(label, 0.6, at(0.5))] for label in labels]))
    assert found.label == "sports ball"
    assert found.detected_labels == labels


def test_two_people_who_pass_each_other_stay_two() -> None:
    """They meet at x = 0.5 but at different heights of their boxes."""
    seen = [
        [
            ("person", 0.9, (0.1 + 0.08 * i, 0.2, 0.3 + 0.08 * i, 0.95)),
            ("person", 0.9, (0.7 - 0.08 * i, 0.1, 0.85 - 0.08 * i, 0.6)),
        ]
        for i in range(7)
    ]
    first, second = track(frames(*seen))
    assert len(first.frames) == len(second.frames) == 7
    assert {float(box[1]) for box in first.boxes} != {float(box[1]) for box in second.boxes}
    assert len({float(box[1]) for box in first.boxes}) == 1


def test_a_cut_ends_all_tracks() -> None:
    still = frames(*[[("person", 0.9, at(0.5, size=0.5))] for _ in range(10)])
    assert [t.frames for t in track(still, cuts_s=[1.0])] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert len(track(still)) == 1


def test_who_leaves_and_comes_back_at_the_same_edge_is_the_same() -> None:
    leaving = [[("dog", 0.9, at(0.6 + 0.11 * i, size=0.2))] for i in range(4)]
    away: list[list[Seen]] = [[] for _ in range(7)]
    returning = [[("dog", 0.9, at(0.93 - 0.11 * i, size=0.2))] for i in range(4)]
    [found] = track(frames(*leaving, *away, *returning))
    assert len(found.frames) == 8


def test_who_comes_in_at_the_other_edge_is_another() -> None:
    leaving = [[("dog", 0.9, at(0.6 + 0.1 * i, size=0.2))] for i in range(4)]
    away: list[list[Seen]] = [[] for _ in range(3)]
    entering = [[("dog", 0.9, at(0.1 + 0.1 * i, size=0.2))] for i in range(4)]
    assert len(track(frames(*leaving, *away, *entering))) == 2


def test_a_flicker_is_dropped_and_a_clear_sight_is_kept() -> None:
    nothing: list[list[Seen]] = [[] for _ in range(5)]
    assert track(frames([("toothbrush", 0.4, at(0.5))], *nothing)) == []
    assert [t.label for t in track(frames([("car", 0.7, at(0.5))], *nothing))] == ["car"]


def test_faint_detections_carry_a_track_on_but_begin_none() -> None:
    faint = [[("clock", 0.15, at(0.5))] for _ in range(5)]
    assert track(frames(*faint)) == []
    [found] = track(frames([("clock", 0.6, at(0.5))], *faint))
    assert len(found.frames) == 6


def test_one_object_seen_as_two_classes_is_taken_once() -> None:
    both: list[Seen] = [("car", 0.6, at(0.5, size=0.3)), ("truck", 0.5, at(0.505, size=0.3))]
    [found] = track(frames(*[both for _ in range(4)]))
    assert found.label == "car"


def test_person_and_bicycle_in_the_same_place_are_two() -> None:
    both: list[Seen] = [("person", 0.9, at(0.5, size=0.3)), ("bicycle", 0.8, at(0.5, size=0.3))]
    assert {t.label for t in track(frames(*[both for _ in range(4)]))} == {"person", "bicycle"}


def test_times_that_stand_still_do_not_lose_detections() -> None:
    """Some files have frames with the same timestamp."""
    detections = frames(*[[("cat", 0.9, at(0.5))] for _ in range(4)])
    [found] = track_objects(detections, np.array([0.0, 0.2, 0.2, 0.4]), [], aspect=1.0)
    assert found.frames == [0, 1, 2, 3]


def test_nothing_seen_gives_no_tracks() -> None:
    nothing: list[list[Seen]] = [[], [], []]
    assert track(frames(*nothing)) == []


def test_what_leaps_by_twice_its_width_is_one_track_where_leaps_are_allowed() -> None:
    leaping = frames(*[[("person", 0.9, at(0.2 + 0.2 * i))] for i in range(4)])
    [found] = track(leaping, leaps=True)
    assert found.frames == [0, 1, 2, 3]
    assert len(track(leaping)) == 4


def test_a_leap_is_short_and_keeps_the_size() -> None:
    away: list[list[Seen]] = [[], [], []]
    later = frames([("person", 0.9, at(0.2))], *away, [("person", 0.9, at(0.4))])
    smaller = frames([("person", 0.9, at(0.2))], [("person", 0.9, at(0.4, size=0.06))])
    for detections in (later, smaller):
        assert len(track(detections, leaps=True)) == 2
    cut = frames([("person", 0.9, at(0.2))], [("person", 0.9, at(0.4))])
    assert len(track(cut, cuts_s=[0.2], leaps=True)) == 2
