"""The NVIDIA GPUs of this machine, by the driver's own library."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import pynvml


@dataclass(frozen=True)
class Gpu:
    """One GPU as it is now."""

    index: int
    name: str
    memory_used_bytes: int
    memory_total_bytes: int
    #: Share of the last moments in which it was at work, 0..1; None where the driver does not say.
    utilization_ratio: float | None


def gpus() -> list[Gpu]:
    """All that the driver lists; none where there is no driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


@cache
def visible_gpus() -> tuple[str, ...]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them.

    Without touching CUDA, which would not survive a fork: those that the variable names, or else
    the indices of all that the driver lists. Asked once: a machine's GPUs do not come and go.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return tuple(name.strip() for name in named.split(",") if name.strip() not in ("", "-1"))
    return tuple(str(gpu.index) for gpu in gpus())


def _gpu(index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    utilization_ratio = None
    with suppress(pynvml.NVMLError):  # not told of one in MIG mode
        utilization_ratio = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
    name = pynvml.nvmlDeviceGetName(handle)
    return Gpu(index, name, memory.used, memory.total, utilization_ratio)
