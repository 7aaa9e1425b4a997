import numpy as np
import pytest

from analyzers.methods.edit.scenes import Look, colour_histogram, grouped, similarity


def look(which: int, time_s: float, length_s: float = 2.0) -> Look:
    """A shot of one colour and one content; shots of another number have nothing in common."""
    one = np.eye(10, dtype=np.float32)[[which]]
    return Look(time_s, time_s + length_s, one, one)


def edit(order: str, gap_s: float = 0.0) -> list[Look]:
    """A shot for each letter, two seconds long."""
    return [look("ABCDEFG".index(c), i * (2.0 + gap_s)) for i, c in enumerate(order)]


@pytest.mark.parametrize(
    ("order", "scene", "view"),
    [
        ("ABC", [0, 1, 2], [0, 1, 2]),
        ("AAB", [0, 0, 1], [0, 0, 1]),
        ("ABAB", [0, 0, 0, 0], [0, 1, 0, 1]),
        ("ABABCDC", [0, 0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 2, 3, 2]),
        ("ABCABC", [0] * 6, [0, 1, 2, 0, 1, 2]),
        ("ABBA", [0] * 4, [0, 1, 1, 0]),
    ],
)
def test_overlapping_links_make_scenes(order: str, scene: list[int], view: list[int]) -> None:
    groups = grouped(edit(order), 0.65, 20.0)
    assert groups.scene == scene
    assert groups.view == view


def test_what_lies_too_far_apart_is_not_linked() -> None:
    assert grouped(edit("ABA"), 0.65, reach_s=1.9).scene == [0, 1, 2]
    assert grouped(edit("ABA"), 0.65, reach_s=2.0).scene == [0, 0, 0]


def test_likeness_is_that_of_the_most_similar_shot_before() -> None:
    assert grouped(edit("ABA"), 0.65, 20.0).likeness == [None, 0.0, 1.0]


def test_similarity_takes_the_two_most_similar_pictures() -> None:
    axes = np.eye(10, dtype=np.float32)
    one = Look(0, 1, axes[[0, 1]], axes[[0, 1]])
    other = Look(1, 2, axes[[2, 1]], axes[[2, 3]])
    assert similarity(one, other) == pytest.approx(0.5)  # same colours, other content
    assert similarity(one, one) == pytest.approx(1.0)


def test_colours_do_not_ask_where_they_are() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (40, 40, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    upright, mirrored = colour_histogram(picture), colour_histogram(picture[:, ::-1])
    assert upright.shape == (128,)
    assert upright.sum() == pytest.approx(1, abs=1e-5)
    assert np.minimum(upright, mirrored).sum() > 0.95
    assert np.minimum(upright, colour_histogram(picture // 8)).sum() < 0.2
