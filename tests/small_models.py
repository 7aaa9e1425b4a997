"""Small models for tests: a manifest of a few files, and a loader that only reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzers.models.base import Model, ModelIdentity
from analyzers.models.lending import ModelChoice
from analyzers.models.weights import Manifest


class SmallModel(Model):
    """Holds the bytes of its files."""

    def __init__(self, identity: ModelIdentity, content: Mapping[str, bytes]) -> None:
        super().__init__(identity)
        self.content = content
        self.closed = False

    def read(self, name: str) -> bytes:
        self.served()
        return self.content[name]

    def close(self) -> None:
        self.closed = True


def load(identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice) -> SmallModel:
    return SmallModel(identity, {name: path.read_bytes() for name, path in files.items()})


def file_entry(content: bytes, *sources: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """One file of a manifest, pinned to `content`."""
    return {
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "sources": list(sources) or [{"kind": "url", "url": "http://127.0.0.1:9/none"}],
        **more,
    }


def model_entry(files: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """One model of a manifest, for the role `reader`."""
    return {
        "title": "A small model",
        "roles": ["reader"],
        "version": "1",
        "licence": "CC0-1.0",
        "memory_mb": 10,
        "loader": "tests.small_models:load",
        "runtimes": {"cpu": ["native"]},
        "files": dict(files),
        **more,
    }


def manifest(models: Mapping[str, Any], roles: Mapping[str, str] | None = None) -> Manifest:
    """A manifest of these models; `roles` are the choices of its profile `embedded`."""
    profile = {role: {"model": model} for role, model in (roles or {}).items()}
    return Manifest.model_validate(
        {
            "profiles": {"embedded": profile},
            "models": {name: {"model_id": name, **entry} for name, entry in models.items()},
        }
    )


def put(root: Path, model_id: str, name: str, content: bytes) -> Path:
    """Lay a file where `models pull` would."""
    path = root / model_id / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
