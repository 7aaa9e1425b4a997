"""Fixtures: definitions of analyzers made on the spot, in a data folder of their own."""

import dagster as dg
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob

from resources.media import MediaLibrary
from tests.made_media import write_video
from tests.tiktok_assets.made_analyzers import MADE, made_analyze, made_finish
from tiktok_assets import definitions
from tiktok_assets.settings import Settings


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings under which the analyzers made on the spot are all there is."""
    made = {c.name: c for c in MADE}
    monkeypatch.setattr("tiktok_assets.settings.analyzer_classes", lambda: made)
    monkeypatch.setattr(definitions, "analyze", made_analyze)
    monkeypatch.setattr(definitions, "finish", made_finish)
    monkeypatch.setenv("TIKTOK_ASSETS_DATA_DIR", str(tmp_path / "data"))
    # Both know the last test's settings.
    ReconstructableJob.get_definition.cache_clear()
    ReconstructableJob.get_repository_definition.cache_clear()
    return Settings()


@pytest.fixture
def video_id(settings, tmp_path):
    """A registered video of two seconds."""
    return MediaLibrary(settings.data_dir).register(write_video(tmp_path / "Made Clip.mp4"))


@pytest.fixture
def instance():
    with dg.instance_for_test() as instance:
        yield instance
