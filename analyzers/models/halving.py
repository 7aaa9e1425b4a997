"""Batches that get smaller where a GPU's memory does not hold them."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from analyzers import progress

_logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class OutOfDeviceMemory(RuntimeError):
    """Not even one item fits into the memory of the device."""


class HalvingBatches:
    """Runs a model on batches; one that does not fit is halved and tried again.

    The size that fitted is kept for the calls that follow, so that a card pays for a batch that is
    too large once. Two threads may share it: at worst both find the size out.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._fits: int | None = None

    def run(
        self, items: Sequence[Item], call: Callable[[Sequence[Item]], list[Answer]], most: int
    ) -> list[Answer]:
        """`call` on up to `most` items at a time; its answers in the order of the items.

        Raises:
            OutOfDeviceMemory: one item alone is too much.
        """
        answers: list[Answer] = []
        while len(answers) < len(items):
            size = min(most, self._fits or most, len(items) - len(answers))
            progress.checkpoint(len(answers), len(items))
            found = _unless_out_of_memory(call, items[len(answers) : len(answers) + size])
            if found is not None:
                answers += found
                continue
            _free()
            if size == 1:
                raise OutOfDeviceMemory(
                    f"{self._name}: the device's memory does not hold one item; give it fewer or "
                    "smaller frames, a smaller model or one in 4 bit, or free the device"
                )
            self._fits = size // 2
            _logger.warning(
                "%s: out of device memory with %d at a time; now %d", self._name, size, self._fits
            )
        return answers


def _unless_out_of_memory(
    call: Callable[[Sequence[Item]], list[Answer]], batch: Sequence[Item]
) -> list[Answer] | None:
    """None where it does not fit. Outside of the handler, nothing holds the failed call's tensors:
    the traceback would, and the next try would find the memory taken.
    """
    import torch

    try:
        return call(batch)
    except torch.OutOfMemoryError:
        return None
    except RuntimeError as error:
        # CTranslate2 has no class for it: CUDA's words, or cuBLAS's.
        if "out of memory" in str(error) or "CUBLAS_STATUS_ALLOC_FAILED" in str(error):
            return None
        raise


def _free() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
