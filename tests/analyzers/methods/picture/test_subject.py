"""Which objects a picture is about, and how two networks' outlines are put together."""

import numpy as np

from analyzers.methods.picture.subject import PERSON, distinct, refined, subject_of
from analyzers.models.detector import COCO_LABELS
from analyzers.models.segmenter import Instances

DOG, CUP, BALL, DISC, TABLE, BOTTLE = (
    COCO_LABELS.index(label)
    for label in ("dog", "cup", "sports ball", "frisbee", "dining table", "bottle")
)


def subject(*things: tuple[int, float]) -> list[int]:
    ids, shares = (np.array(column) for column in zip(*things, strict=True))
    return subject_of(ids, shares).tolist()


def test_a_person_outweighs_what_is_about() -> None:
    assert subject((TABLE, 0.3), (CUP, 0.03), (PERSON, 0.25)) == [2]


def test_a_dog_of_half_her_size_is_the_subject_with_her() -> None:
    assert subject((DOG, 0.03), (PERSON, 0.045)) == [1, 0]


def test_a_ball_is_not_and_passers_by_are_not() -> None:
    assert subject((PERSON, 0.2), (BALL, 0.011), (PERSON, 0.02)) == [0]


def test_things_are_where_nobody_is() -> None:
    assert subject((BOTTLE, 0.045), (BOTTLE, 0.044), (TABLE, 0.4)) == [0, 1]


def test_furniture_alone_or_something_tiny_is_no_subject() -> None:
    assert subject((TABLE, 0.5)) == []
    assert subject((PERSON, 0.004)) == []
    assert subject_of(np.array([], np.int64), np.array([])).tolist() == []


def disc(radius_px: float, centre: tuple[int, int] = (60, 60)) -> np.ndarray:
    y, x = np.mgrid[:120, :120]
    return np.hypot(y - centre[0], x - centre[1]) <= radius_px


def test_one_thing_of_two_classes_is_kept_once() -> None:
    found = Instances(
        np.zeros((3, 4), np.float32),
        np.array([0.8, 0.5, 0.4], np.float32),
        np.array([BALL, DISC, PERSON]),
        np.stack([disc(20), disc(19), disc(20, (60, 90))]),
    )
    assert distinct(found).class_ids.tolist() == [BALL, PERSON]


def test_the_outline_is_the_second_networks_only_close_to_the_first() -> None:
    """It sees a slightly larger disc, and another one far off, which is not the person."""
    coarse, truth, other = disc(38), disc(40), disc(8, (15, 15))
    seen: list[tuple[int, ...]] = []

    def near(picture: np.ndarray) -> np.ndarray:
        seen.append(picture.shape)
        return picture[..., 0] / 255

    picture = np.zeros((120, 120, 3), np.uint8)
    picture[truth | other] = 255
    result = refined(coarse, picture, near)
    np.testing.assert_array_equal(result & ~disc(42), np.zeros_like(result))
    assert (result ^ truth).sum() < 0.2 * (coarse ^ truth).sum()
    # The person and a margin, not the whole picture.
    assert seen == [(99, 99, 3)]


def test_the_inside_stays_where_the_second_network_is_blind() -> None:
    coarse = disc(38)
    result = refined(coarse, np.zeros((120, 120, 3), np.uint8), lambda p: np.zeros(p.shape[:2]))
    assert result.sum() > 0.85 * coarse.sum()
