"""The process-wide cache of loaded models: each is loaded once and lent to whoever asks.

Memory is admitted by declared need. A model that does not fit beside the loaded ones first evicts
those that nobody has on loan, least recently used first; where that is not enough, it waits until
loans come back, and one larger than the whole budget waits until it is alone.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from analyzers import memory, progress
from analyzers.models.base import Model, ModelIdentity
from analyzers.models.weights import ModelFileError

_logger = logging.getLogger(__name__)

#: Environment variables: how many processes share this machine's memory, and this one's GPU.
RAM_SHARERS, GPU_SHARERS = "TIKTOK_ASSETS_RAM_SHARERS", "TIKTOK_ASSETS_GPU_SHARERS"
#: How much of the memory that is free at the first loan the loaded models may take: on a CPU the
#: rest is for frames and tables, on a GPU for what the libraries' allocators keep.
_SHARE_RATIO = 0.6
_GPU_SHARE_RATIO = 0.85
#: How often a waiting loan shows that it is alive and looks whether it was cancelled.
_WAIT_S = 1.0


class ModelLoadError(RuntimeError):
    """A model could not be loaded, not even after everything idle was freed."""


@dataclass
class ModelStats:
    """What the cache did for one model since the process started."""

    identity: ModelIdentity
    memory_mb: float
    loads: int = 0
    hits: int = 0
    evictions: int = 0
    load_seconds: float = 0.0
    loans: int = 0
    resident: bool = False


@dataclass
class _Entry:
    memory_mb: float
    model: Model | None = None  # None while it is being loaded
    loans: int = 1


class ModelCache:
    """Loaded models by identity; safe to share between threads.

    `budget_mb(device)` is asked once for each device, at its first loan.
    """

    def __init__(self, budget_mb: Callable[[str], float]) -> None:
        self._budget_of = budget_mb
        self._budgets: dict[str, float] = {}
        self._entries: OrderedDict[ModelIdentity, _Entry] = OrderedDict()
        self._stats: dict[ModelIdentity, ModelStats] = {}
        self._changed = threading.Condition()
        self._held = threading.local()

    @contextmanager
    def lend(
        self, identity: ModelIdentity, memory_mb: float, load: Callable[[], Model]
    ) -> Iterator[Model]:
        """Borrow a model, calling `load` if it is not there.

        A thread that already has a loan is never made to wait for memory, so that two threads
        which borrow two models each cannot wait for each other for ever.

        Raises `ModelLoadError` naming the model, or `ModelFileError` as `load` raised it.
        """
        model = self._borrow(identity, memory_mb, load)
        self._held.count = self._held_by_thread + 1
        try:
            yield model
        finally:
            self._held.count -= 1
            with self._changed:
                self._entries[identity].loans -= 1
                self._changed.notify_all()

    @property
    def _held_by_thread(self) -> int:
        return getattr(self._held, "count", 0)

    def _borrow(
        self, identity: ModelIdentity, memory_mb: float, load: Callable[[], Model]
    ) -> Model:
        while True:
            with self._changed:
                stats = self._stats.setdefault(identity, ModelStats(identity, memory_mb))
                entry = self._entries.get(identity)
                if entry is not None and entry.model is not None:
                    entry.loans += 1
                    stats.hits += 1
                    self._entries.move_to_end(identity)
                    return entry.model
                if entry is None:
                    evicted = self._make_room(identity.device, memory_mb)
                    if evicted is not None:
                        entry = self._entries[identity] = _Entry(memory_mb)
                        break
                self._changed.wait(_WAIT_S)
            progress.checkpoint()
        try:
            _close(evicted)
            started = time.perf_counter()
            model = self._load(identity, load)
        except BaseException:
            with self._changed:
                del self._entries[identity]
                self._changed.notify_all()
            raise
        with self._changed:
            entry.model = model
            stats.loads += 1
            stats.load_seconds += time.perf_counter() - started
            self._changed.notify_all()
        return model

    def _load(self, identity: ModelIdentity, load: Callable[[], Model]) -> Model:
        try:
            return load()
        except ModelFileError:  # trying again cannot help
            raise
        except Exception as error:
            _logger.warning(
                "loading %s on %s failed (%s); trying once more with idle models freed",
                identity.model_id,
                identity.device,
                error,
            )
        self.clear(identity.device)
        try:
            return load()
        except Exception as error:
            raise ModelLoadError(
                f"model {identity.model_id} ({identity.role}) does not load on {identity.device} "
                f"with {identity.runtime}: {type(error).__name__}: {error}"
            ) from error

    def _make_room(self, device: str, memory_mb: float) -> list[Model] | None:
        """Evict until a model fits and return the evicted; None where it has to wait."""
        if device not in self._budgets:
            self._budgets[device] = self._budget_of(device)
        budget_mb = self._budgets[device]
        here = {i: e for i, e in self._entries.items() if i.device == device}
        idle = {i: e for i, e in here.items() if e.loans == 0}
        needed_mb = memory_mb + sum(e.memory_mb for e in here.values() if e.loans)
        alone = len(idle) == len(here)
        if needed_mb > budget_mb and not alone and not self._held_by_thread:
            return None
        over_mb = needed_mb + sum(e.memory_mb for e in idle.values()) - budget_mb
        evicted = []
        for identity, entry in idle.items():  # least recently used first
            if over_mb <= 0:
                break
            over_mb -= entry.memory_mb
            evicted.append(self._evict(identity))
        return evicted

    def _evict(self, identity: ModelIdentity) -> Model:
        model = self._entries.pop(identity).model
        assert model is not None  # only idle models are evicted
        self._stats[identity].evictions += 1
        return model

    def clear(self, device: str | None = None) -> None:
        """Free every model that nobody has on loan, on one device or on all."""
        with self._changed:
            idle = [
                i
                for i, e in self._entries.items()
                if e.loans == 0 and (device is None or i.device == device)
            ]
            models = [self._evict(identity) for identity in idle]
            self._changed.notify_all()
        _close(models)

    def stats(self) -> list[ModelStats]:
        """A snapshot, one entry for each model that was ever asked for."""
        with self._changed:
            snapshot = []
            for identity, stats in self._stats.items():
                entry = self._entries.get(identity)
                resident = entry is not None and entry.model is not None
                loans = entry.loans if entry is not None else 0
                snapshot.append(ModelStats(**{**vars(stats), "loans": loans, "resident": resident}))
            return snapshot


def _close(models: list[Model]) -> None:
    for model in models:
        try:
            model.close()
        except Exception:  # it is given up either way, and another one wants the memory
            _logger.exception("closing %s failed", model.identity.model_id)
    if models:
        gc.collect()  # adapters may hold cycles, and the memory is wanted now


def default_budget_mb(device: str) -> float:
    """A share of the memory that is free now on a device (`cpu`, `cuda:0`), in MB.

    Workers that share it each get a part, which `tiktok-assets up` tells them.
    """
    if device.startswith("cuda"):
        import torch

        free_bytes, _ = torch.cuda.mem_get_info(device)
        return free_bytes / 1e6 * _GPU_SHARE_RATIO / float(os.environ.get(GPU_SHARERS, 1))
    free_bytes = memory.available_bytes()
    return free_bytes / 1e6 * _SHARE_RATIO / float(os.environ.get(RAM_SHARERS, 1))


#: The cache that all models of this process share.
process_cache = ModelCache(default_budget_mb)
