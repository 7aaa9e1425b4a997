"""Shared fixtures: where the real clips lie, if they are there."""

import os
from pathlib import Path

import pytest

os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_MEDIA = Path(__file__).resolve().parents[2] / "shared" / "media"


def _folder(name: str) -> Path:
    folder = _MEDIA / name
    if not folder.is_dir():
        pytest.skip(f"../shared/media/{name} is not here; this test needs its files")
    return folder


@pytest.fixture(scope="session")
def demo_dir() -> Path:
    """The labelled demo clips."""
    return _folder("demo")


@pytest.fixture(scope="session")
def broken_dir() -> Path:
    """The odd and corrupt files."""
    return _folder("broken")
