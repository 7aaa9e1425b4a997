"""docs/configuration.md, the file that `init` writes, and where relative paths lead."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.tiktok_assets.running import PROJECT
from tiktok_assets import cli
from tiktok_assets.configuration import config_text, page, sections
from tiktok_assets.settings import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with no configuration file yet, away from the working folder."""
    for name in [name for name in os.environ if name.startswith("TIKTOK_ASSETS_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("TIKTOK_ASSETS_CONFIG", str(folder / "tiktok-assets.toml"))
    monkeypatch.setenv("DAGSTER_HOME", str(PROJECT))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return folder


def test_the_page_is_current() -> None:
    current = (PROJECT / "docs" / "configuration.md").read_text()
    assert current == page(), "the settings changed: run `make docs`"


def test_every_setting_is_described_and_has_a_default_unless_it_is_of_a_pattern() -> None:
    settings = [(section, s) for section in sections() for s in section.settings]
    assert len(settings) > 40
    assert not [s.path for _, s in settings if not s.about]
    assert not [s.path for section, s in settings if s.required and not section.is_pattern]
    assert not [section.path for section in sections() if section.path and not section.about]


def test_the_file_as_it_is_written_changes_nothing(folder: Path) -> None:
    before = Settings()
    (folder / "tiktok-assets.toml").write_text(config_text())
    assert Settings() == before


def test_every_line_taken_in_gives_the_defaults(folder: Path) -> None:
    before = Settings()
    told = re.sub(r"^#(\w+ = (?!\.\.\.$).*)$", r"\1", config_text(), flags=re.MULTILINE)
    told = re.sub(r"^#\[.*?(?=^\[people\])", "", told, flags=re.MULTILINE | re.DOTALL)
    assert "data_dir" in tomllib.loads(told)
    assert "heavy_gpu" in tomllib.loads(told)["stage_limits"]
    (folder / "tiktok-assets.toml").write_text(told)
    after = Settings()
    assert after.data_dir == folder / "data"
    assert after.model_copy(update={"data_dir": before.data_dir}) == before


@pytest.mark.parametrize("by", ["file", "environment"])
def test_relative_paths_lead_to_the_folder_of_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    if by == "file":
        (folder / "tiktok-assets.toml").write_text(
            'data_dir = "d"\nmodels_dir = "../m"\nresults_url = "r"\n'
            '[watch]\nfolders = ["in", "/abs"]\n[urls]\nlists = ["u.txt"]\ncookies_file = "c"\n'
        )
    else:
        for name, value in {
            "DATA_DIR": "d",
            "MODELS_DIR": "../m",
            "RESULTS_URL": "r",
            "WATCH__FOLDERS": '["in", "/abs"]',
            "URLS__LISTS": '["u.txt"]',
            "URLS__COOKIES_FILE": "c",
        }.items():
            monkeypatch.setenv(f"TIKTOK_ASSETS_{name}", value)
    settings = Settings()
    assert settings.data_dir == folder / "d"
    assert settings.models_dir == folder / "../m"
    assert settings.results == str(folder / "r")
    assert settings.watched_folders == [folder / "in", Path("/abs")]
    assert settings.url_lists == [folder / "u.txt"]
    assert settings.urls.cookies_file == folder / "c"


@pytest.mark.parametrize("url", ["s3://bucket/results", "memory://x", "file:///big/results"])
def test_urls_of_results_stay_as_they_are(folder: Path, url: str) -> None:
    assert Settings(results_url=url).results == url


def test_init_makes_folders_and_a_file_and_overwrites_nothing(folder: Path) -> None:
    runner = CliRunner()
    file = folder / "tiktok-assets.toml"
    file.write_text('data_dir = "mine"\n')
    done = runner.invoke(cli.app, ["init"])
    assert done.exit_code == 0, done.output
    assert file.read_text() == 'data_dir = "mine"\n'
    assert "stays as it is (--force" in done.output
    made = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_dir()}
    assert made == {"mine", "mine/downloads", "mine/models", "mine/results"}
    done = runner.invoke(cli.app, ["init", "--force"])
    assert done.exit_code == 0, done.output
    assert file.read_text() == config_text()
    assert not list(folder.glob(".new*"))
