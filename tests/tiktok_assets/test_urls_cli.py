import json

import pytest
from typer.testing import CliRunner

from resources.url_queue import State
from tiktok_assets import cli, urls_cli
from tiktok_assets.downloads import Tally, url_queue
from tiktok_assets.settings import Settings

A, B = "https://www.tiktok.com/@a/video/1", "https://www.tiktok.com/@b/video/2"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("TIKTOK_ASSETS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(cli.app, ["urls", *map(str, arguments)])


def test_a_list_is_added_and_its_wrong_lines_are_named(run, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text(f"{A}\nhttps://example.com/x\n{B}\n{A}\n")
    done = run("add", file, "--priority", 5, "--tag", "cats")
    assert done.exit_code == 1
    assert "line 2" in done.output
    assert "2 new, 1 known before, 1 not taken" in done.output
    rows = url_queue(Settings()).rows()
    assert [(r.url, r.priority, r.tags) for r in rows] == [(A, 5, ("cats",)), (B, 5, ("cats",))]


def test_a_url_alone_can_be_added(run):
    assert run("add", A).exit_code == 0
    done = run("add", "http://127.0.0.1/clip.mp4")
    assert done.exit_code == 1
    assert "127.0.0.1 is not on the list" in done.output


def test_status_tells_states_and_reasons(run):
    run("add", A, B)
    queue = url_queue(Settings())
    queue.take()
    queue.failed(A, "private", "log in [x]")
    done = run("status")
    assert "1 queued, 0 downloading, 0 done, 1 failed" in done.output
    assert "private: log in [x]" in done.output
    found = json.loads(run("status", "--json", "--state", "failed").output)
    assert found["counts"]["queued"] == 1
    assert [row["url"] for row in found["urls"]] == [A]
    assert found["urls"][0]["reason"] == "log in [x]"


def test_retry_queues_what_failed(run):
    run("add", A, B)
    queue = url_queue(Settings())
    for url in (queue.take().url, queue.take().url):
        queue.failed(url, "removed", "gone")
    assert "1 queued again" in run("retry", B).output
    assert {row.url: row.state for row in queue.rows()} == {A: State.FAILED, B: State.QUEUED}
    assert "1 queued again" in run("retry").output


@pytest.mark.parametrize(
    ("tally", "code"),
    [(Tally(done=2), 0), (Tally(), 0), (Tally(done=1, failed=1), 1), (Tally(stopped="full"), 1)],
)
def test_download_tells_what_came(run, monkeypatch, tally, code):
    monkeypatch.setattr(urls_cli, "download_due", lambda settings, say, warn: tally)
    done = run("download")
    assert done.exit_code == code
    assert f"{tally.done} done, 0 put off, {tally.failed} failed" in done.output
    assert ("data/downloads" in done.output) == bool(tally.done)


def test_download_interrupted(run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(urls_cli, "download_due", interrupted)
    assert run("download").exit_code == 130
