import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob
from rich.console import Console

from resources.result_store import ResultStore
from tests.analyzers.made import Brightness
from tiktok_assets.analyze import analyze_video
from tiktok_assets.refresh_command import refresh
from tiktok_assets.staleness import stale_assets


@pytest.fixture
def analyzed(instance, settings, video_id, monkeypatch):
    """A video of which everything was made, but for what always fails."""
    monkeypatch.setattr("dagster.DagsterInstance.get", lambda: _Kept(instance))
    analyze_video(instance, video_id)
    return video_id


class _Kept:
    def __init__(self, instance):
        self.instance = instance

    def __enter__(self):
        return self.instance

    def __exit__(self, *_):
        pass


def _anew():
    """Definitions as they are after a change of code."""
    ReconstructableJob.get_definition.cache_clear()
    ReconstructableJob.get_repository_definition.cache_clear()


def _stale(instance, settings, video_id, **options):
    ((_, stale),) = stale_assets(instance, settings, [video_id], **options)
    return stale


def test_nothing_is_stale_after_a_run(instance, settings, analyzed):
    assert _stale(instance, settings, analyzed) == {}


def test_what_failed_is_stale_only_where_that_is_asked_for(instance, settings, analyzed):
    stale = _stale(instance, settings, analyzed, failed_too=True)
    assert {"breaks", "lies"} <= stale.keys()
    assert "brightness" not in stale


def test_a_changed_analyzer_is_made_again_and_nothing_else(
    instance, settings, analyzed, monkeypatch, capsys
):
    monkeypatch.setattr(Brightness, "version", "2", raising=True)
    _anew()
    stale = _stale(instance, settings, analyzed)
    assert stale["brightness"] == "its code, models or settings are others now"
    assert "frames" not in stale
    before = ResultStore(url=settings.results).read_json("brightness", analyzed)
    assert refresh(settings, Console(), analyzers=["brightness"]) == 0
    after = ResultStore(url=settings.results).read_json("brightness", analyzed)
    assert before["result_id"] != after["result_id"]
    assert "brightness" not in _stale(instance, settings, analyzed)


def test_a_dry_run_shows_and_does_nothing(instance, settings, analyzed, monkeypatch, capsys):
    monkeypatch.setattr(Brightness, "version", "2", raising=True)
    _anew()
    assert refresh(settings, Console(width=200), dry_run=True) == 0
    assert "its code, models or settings are others now" in capsys.readouterr().out
    assert "brightness" in _stale(instance, settings, analyzed)


def test_unknown_names_are_refused(settings, analyzed):
    with pytest.raises(LookupError, match="no such analyzer is switched on: brigthness"):
        refresh(settings, Console(), analyzers=["brigthness"])
    with pytest.raises(LookupError, match="no such video: clip-0"):
        refresh(settings, Console(), videos=["clip-0"])
