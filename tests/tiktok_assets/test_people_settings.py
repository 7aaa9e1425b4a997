"""`people.apparent_age` switches off what is guessed from faces."""

from pathlib import Path

import pytest

from tiktok_assets.settings import Settings

GUESSES = {"age_estimation", "face_emotion"}


@pytest.fixture(autouse=True)
def no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Whatever this checkout's own tiktok-assets.toml says."""
    file = tmp_path / "tiktok-assets.toml"
    monkeypatch.setenv("TIKTOK_ASSETS_CONFIG", str(file))
    return file


def test_each_says_what_it_is_not() -> None:
    assert all(Settings().enabled()[name].notice for name in GUESSES)


def test_on_by_default() -> None:
    assert Settings().enabled().keys() >= GUESSES


def test_off_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOK_ASSETS_PEOPLE__APPARENT_AGE", "off")
    names = Settings().enabled().keys()
    assert not names & GUESSES
    assert "faces" in names  # where faces are is no guess, and composition needs it


def test_off_by_file_goes_before_an_analyzers_own_switch(no_file: Path) -> None:
    no_file.write_text("[people]\napparent_age = false\n[analyzers.face_emotion]\nenabled = true\n")
    assert not Settings().enabled().keys() & GUESSES
