"""Which model serves which role, and how an analyzer borrows it."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from analyzers.models import runtime
from analyzers.models.base import Model, ModelIdentity
from analyzers.models.cache import ModelCache, process_cache
from analyzers.models.weights import ModelFiles, ModelSpec, UnknownModel


@dataclass(frozen=True)
class ModelChoice:
    """A role's model by configuration.

    `device`: auto, cpu, cuda or cuda:N. `runtime`: auto, torch, openvino, onnxruntime, ...; auto
    takes the fastest that the manifest names for the device. A `model_id` of "" is no model: an
    analyzer that merely may use the role goes without.
    """

    model_id: str
    device: str = "auto"
    runtime: str = "auto"


class Models:
    """The models of one configuration; analyzers borrow them by role.

    >>> with models.lend("detector") as detector:
    ...     boxes = detector.detect(frames)

    By default the weights come from the models folder and the loaded models from the cache that
    the whole process shares.
    """

    def __init__(
        self,
        choices: Mapping[str, ModelChoice],
        files: ModelFiles | None = None,
        cache: ModelCache | None = None,
    ) -> None:
        self.choices = {role: choice for role, choice in choices.items() if choice.model_id}
        self.files = files if files is not None else ModelFiles()
        self.cache = cache if cache is not None else process_cache

    @classmethod
    def embedded(cls) -> Models:
        """The embedded profile's models, from this process's cache."""
        return cls.of_profile("embedded")

    @classmethod
    def of_profile(cls, profile: str, files: ModelFiles | None = None) -> Models:
        """The models of a profile of the manifest; raises `UnknownModel`."""
        files = files if files is not None else ModelFiles()
        return cls(
            {
                role: ModelChoice(choice.model, choice.device, choice.runtime)
                for role, choice in files.manifest.profile(profile).items()
            },
            files,
        )

    def has(self, role: str) -> bool:
        """Whether a model is configured for a role."""
        return role in self.choices

    @contextmanager
    def lend(self, role: str) -> Iterator[Any]:
        """Borrow the model of a role, loading it if need be; it stays loaded afterwards.

        Raises `UnknownModel` for a role without a model, `ModelMissing` or `ModelCorrupt` where
        its weights cannot be used, `DeviceUnavailable`, `ModelLoadError`.
        """
        choice = self._choice(role)
        spec = self.files.spec(choice.model_id)
        identity = self.identity(role)

        def load() -> Model:
            files = self.files.paths(spec.model_id, identity.runtime)
            runtime.prepare()
            return _loader(spec)(identity, files, choice)

        with self.cache.lend(identity, spec.need_mb(identity.device), load) as model:
            yield model

    def identity(self, role: str) -> ModelIdentity:
        """Which weights would serve a role here, with device and runtime settled.

        Raises `DeviceUnavailable` where the chosen device is not there or the model cannot use it.
        """
        choice = self._choice(role)
        spec = self.files.manifest.model_for(role, choice.model_id)
        device = runtime.settle_device(choice.device, spec)
        chosen = runtime.settle_runtime(choice.runtime, device, spec)
        return ModelIdentity(
            role, spec.model_id, self.files.fingerprint(spec.model_id), device, chosen
        )

    def fingerprints(self, roles: Iterable[str]) -> dict[str, str]:
        """`model_id@sha256` by role, for code versions; works without the weights being there."""
        return {
            role: f"{choice.model_id}@{self.files.fingerprint(choice.model_id)}"
            for role in roles
            for choice in [self._choice(role)]
        }

    def _choice(self, role: str) -> ModelChoice:
        if role not in self.choices:
            raise UnknownModel(
                f"no model is configured for the role {role!r}; there are "
                f"{', '.join(sorted(self.choices)) or 'none'}"
            )
        return self.choices[role]


def _loader(spec: ModelSpec) -> Any:
    module, _, function = spec.loader.partition(":")
    return getattr(importlib.import_module(module), function)
