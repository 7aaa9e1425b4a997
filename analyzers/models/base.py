"""What every model adapter is, and the record of what models did for an analysis."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelIdentity:
    """Which weights answer, and where they run. It is stored with every result they gave."""

    role: str
    model_id: str
    #: SHA-256 over the hashes of the model's files, as the manifest pins them.
    sha256: str
    device: str
    runtime: str


class Model:
    """Base of the adapters in this package: one loaded model behind a plain call.

    An adapter calls `served` for each call it answers, so that "it ran" can be checked.
    """

    def __init__(self, identity: ModelIdentity) -> None:
        self.identity = identity

    def served(self, items: int = 1, by_video: Mapping[str, int] | None = None) -> None:
        """Record one call that handled `items` frames, crops or seconds of sound.

        `by_video`: whose items they were, by video id, where several videos may share a call.
        """
        if (log := _log.get()) is not None:
            log.add(self.identity, items, by_video or {})

    def close(self) -> None:
        """Free what the model holds; called once, when nobody has it on loan."""


@dataclass
class ModelUse:
    """How often a model was called during one analysis, and for how many items."""

    identity: ModelIdentity
    calls: int = 0
    items: int = 0


class UsageLog:
    """Collects model calls of one analysis; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By video id; None: of all videos together.
        self._uses: dict[str | None, dict[ModelIdentity, ModelUse]] = {None: {}}

    def add(self, identity: ModelIdentity, items: int, by_video: Mapping[str, int]) -> None:
        """Count one call."""
        counts: list[tuple[str | None, int]] = [(None, items), *by_video.items()]
        with self._lock:
            for video_id, own_items in counts:
                uses = self._uses.setdefault(video_id, {})
                use = uses.setdefault(identity, ModelUse(identity))
                use.calls += 1
                use.items += own_items

    @property
    def uses(self) -> list[ModelUse]:
        """One entry for each model, in the order of its first call."""
        return list(self._uses[None].values())

    def uses_for(self, video_id: str) -> list[ModelUse]:
        """Of one of several videos: calls in which it had a part, and its own items in them."""
        return list(self._uses.get(video_id, {}).values())


_log: ContextVar[UsageLog | None] = ContextVar("model_usage", default=None)


@contextmanager
def usage_log() -> Iterator[UsageLog]:
    """Collect the model calls made in this context (a thread an analyzer starts needs a copy)."""
    log = UsageLog()
    token = _log.set(log)
    try:
        yield log
    finally:
        _log.reset(token)
