import numpy as np
import pytest

from analyzers.methods.mask_runs import mask_runs


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ([], []),
        ([0, 0], []),
        ([1], [(0, 1)]),
        ([1, 1, 0, 1], [(0, 2), (3, 4)]),
        ([0, 1, 0], [(1, 2)]),
    ],
)
def test_start_and_stop_of_each_stretch(mask, expected):
    assert mask_runs(np.array(mask, bool)) == expected
