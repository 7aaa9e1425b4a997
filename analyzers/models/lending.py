"""Which model serves which role, and how an analyzer borrows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from analyzers.models.base import Model


@dataclass(frozen=True)
class ModelChoice:
    """A role's model by configuration.

    `device`: auto, cpu, cuda or cuda:N. `runtime`: auto, torch, openvino, onnxruntime, ...; auto
    takes the fastest that the manifest names for the device.
    """

    model_id: str
    device: str = "auto"
    runtime: str = "auto"


class Models:
    """The models of one configuration; analyzers borrow them by role.

    >>> with models.lend("detector") as detector:
    ...     boxes = detector.detect(frames)
    """

    def __init__(self, choices: Mapping[str, ModelChoice]) -> None:
        self.choices = dict(choices)

    @classmethod
    def embedded(cls) -> Models:
        """The embedded profile's models, from this process's cache."""
        raise NotImplementedError

    @contextmanager
    def lend(self, role: str) -> Iterator[Any]:
        """Borrow the model of a role, loading it if need be; it stays loaded afterwards."""
        raise NotImplementedError
        yield Model
