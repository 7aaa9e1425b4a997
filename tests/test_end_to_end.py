"""The sample through the command line, twice: every analyzer on its real models."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analyzers.models.weights import models_dir
from analyzers.registry import analyzer_classes

ROOT = Path(__file__).resolve().parents[1]
ON = {name for name, cls in analyzer_classes().items() if cls.enabled_by_default}
SAMPLE = ROOT / "sample" / "street_portrait.mp4"


def _analyze(data_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tiktok_assets", "analyze", str(SAMPLE)],
        cwd=ROOT,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("TIKTOK_", "DAGSTER_"))},
            "TIKTOK_ASSETS_DATA_DIR": str(data_dir),
            "TIKTOK_ASSETS_MODELS_DIR": str(models_dir().resolve()),
            "COLUMNS": "120",
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    folders = [tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")]
    return folders, [_analyze(folder) for folder in folders]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_analyzer_answers_and_the_document_has_them_all(twice):
    (folder, _), (done, _) = twice
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = (folder / "results" / "production_document" / "json").glob("*.json")
    document = json.loads(file.read_text())
    about = document["metadata"]
    assert about["failed_analyzers"] == {}
    assert about["successful_analyzers"] == about["total_analyzers"]
    assert set(document["analyzer_results"]) == ON
    assert {r["status"] for r in document["analyzer_results"].values()} == {"ok"}
    assert len(document["timeline"]) == 20
    for name in ON:
        assert name in done.stdout
    (report,) = (folder / "reports").glob("*.html")
    assert f"Report:   {report}" in done.stdout
    assert 100_000 < report.stat().st_size < 2_000_000
    assert "5 WAYS TO" in report.read_text()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_video_gives_equal_tables(twice):
    (first, second), _ = twice
    tables = sorted(p.relative_to(first) for p in (first / "results").glob("*/[os]*/*.parquet"))
    assert len(tables) == 2 * len(ON)
    for table in tables:
        once, again = (pq.read_table(folder / table) for folder in (first, second))
        assert once.replace_schema_metadata(None).equals(again.replace_schema_metadata(None)), table


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_state_lies_in_the_data_folder(twice):
    (folder, _), _ = twice
    assert {p.name for p in folder.iterdir()} >= {"library", "cache", "results", "dagster"}
