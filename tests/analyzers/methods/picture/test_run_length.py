"""Masks as run lengths: COCO's order, and back again."""

import numpy as np
import pytest

from analyzers.methods.picture.run_length import mask_of, run_lengths


def test_columns_first_and_zeros_first() -> None:
    mask = np.array([[0, 1, 1], [0, 0, 1]], bool)
    # Column by column: 0 0, 1 0, 1 1.
    assert run_lengths(mask) == [2, 1, 1, 2]
    assert run_lengths(~mask) == [0, 2, 1, 1, 2]


def test_nothing_and_everything() -> None:
    assert run_lengths(np.zeros((2, 3), bool)) == [6]
    assert run_lengths(np.ones((2, 3), bool)) == [0, 6]


def test_back_again() -> None:
    rng = np.random.default_rng(0)
    for share in (0.0, 0.1, 0.5, 1.0):
        mask = rng.random((17, 29)) < share
        np.testing.assert_array_equal(mask_of(run_lengths(mask), 17, 29), mask)


def test_counts_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="6 pixels in the counts of a mask of 3 x 3"):
        mask_of([2, 4], 3, 3)
