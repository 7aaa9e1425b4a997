import pytest

from tiktok_assets.settings import Settings


def test_an_analyzer_cannot_stay_on_without_the_one_it_requires(settings):
    off = Settings(data_dir=settings.data_dir, analyzers={"breaks": {"enabled": False}})
    with pytest.raises(LookupError, match="needs requires breaks, which is switched off"):
        off.enabled()
    both = {"breaks": {"enabled": False}, "needs": {"enabled": False}}
    left = Settings(data_dir=settings.data_dir, analyzers=both).enabled()
    assert left.keys().isdisjoint(both)
