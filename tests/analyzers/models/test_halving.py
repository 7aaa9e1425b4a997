"""Batches that are halved where memory runs out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from analyzers.models.halving import HalvingBatches, OutOfDeviceMemory


class Device:
    """Holds only so many items at once."""

    def __init__(self, room: int) -> None:
        self.room, self.sizes = room, list[int]()

    def __call__(self, batch: Sequence[int]) -> list[int]:
        self.sizes.append(len(batch))
        if len(batch) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [-item for item in batch]


@pytest.mark.parametrize(
    ("room", "most", "sizes"),
    [(9, 4, [4, 4, 2]), (3, 8, [8, 4, 2, 2, 2, 2, 2]), (1, 3, [3, 1] + [1] * 9)],
)
def test_answers_come_in_order(room: int, most: int, sizes: list[int]) -> None:
    device = Device(room)
    assert HalvingBatches("m").run(range(10), device, most) == [-i for i in range(10)]
    assert device.sizes == sizes


def test_what_fits_is_remembered() -> None:
    batches, device = HalvingBatches("m"), Device(2)
    batches.run(range(4), device, 4)
    device.sizes.clear()
    batches.run(range(4), device, 4)
    assert device.sizes == [2, 2]


def test_one_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(OutOfDeviceMemory, match="m: the device's memory does not hold one item"):
        HalvingBatches("m").run(range(4), Device(0), 4)


@pytest.mark.parametrize(
    "told",
    [
        "CUDA failed with error out of memory",
        "cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED",
    ],
)
def test_ctranslate2_tells_it_in_words(told: str) -> None:
    """It has no class of its own for it."""

    def device(batch: Sequence[int]) -> list[int]:
        if len(batch) > 2:
            raise RuntimeError(told)
        return list(batch)

    assert HalvingBatches("m").run(range(5), device, 4) == [0, 1, 2, 3, 4]


def test_other_errors_are_not_taken_for_it() -> None:
    def broken(batch: Sequence[int]) -> list[int]:
        raise RuntimeError("no kernel")

    with pytest.raises(RuntimeError, match="no kernel"):
        HalvingBatches("m").run([1], broken, 4)


def test_nothing_in_nothing_out() -> None:
    assert HalvingBatches("m").run([], Device(0), 4) == []
