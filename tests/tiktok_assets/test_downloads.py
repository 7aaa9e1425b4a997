"""The pass over what is due: with children that only pretend, and real ones where it counts."""

import multiprocessing
import sys
import threading
import time

import psutil
import pytest
from filelock import FileLock

from analyzers.progress import Cancelled, Task, run_task
from resources import downloader
from resources.url_lists import ListedUrl
from resources.url_queue import State
from resources.url_settings import UrlSettings
from tests.loopback import loopback_web
from tests.made_media import write_video
from tiktok_assets import downloads
from tiktok_assets.downloads import download_due, url_queue
from tiktok_assets.settings import Settings

#: A child that notes when it began and ended, and does as the URL's path says.
CHILD = """
import json, pathlib, sys, time
request = json.load(sys.stdin)
folder = pathlib.Path(request["folder"])
folder.mkdir(parents=True, exist_ok=True)
log = folder.parent.parent / "log"
name = request["url"].rpartition("/")[2]
def note(what):
    with log.open("a") as file:
        file.write(f"{what} {name}\\n")
note("begin")
if name == "long":
    time.sleep(60)
while name in ("first", "second") and log.read_text().count("begin") < 2:
    time.sleep(0.01)
note("end")
if name in ("network", "private", "bug"):
    print(json.dumps({"error": {"kind": name, "reason": f"it is {name}."}}))
else:
    (folder / f"{name}.mp4").write_text(name)
    (folder / f"{name}.info.json").write_text("{}")
    print(json.dumps({"ok": [{"video": f"{name}.mp4", "info": f"{name}.info.json",
                              "archive_id": "", "title": ""}]}))
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Settings under which children only pretend."""
    monkeypatch.setattr(downloader, "_COMMAND", [sys.executable, "-S", "-c", CHILD])

    def made(**urls):
        chosen = UrlSettings(**{"pause_s": 0, "hosts": ["tiktok.com"], **urls})
        return Settings(data_dir=tmp_path, min_free_gb=0, urls=chosen)

    return made


@pytest.fixture
def said():
    return []


@pytest.fixture
def go(said):
    return lambda settings: download_due(settings, said.append, said.append)


def _queue(settings, *names, **priorities):
    queue = url_queue(settings)
    queue.add(ListedUrl(f"https://tiktok.com/{n}", p) for n, p in
              [*((n, 0) for n in names), *priorities.items()])  # fmt: skip
    return queue


def _log(settings):
    return [line.split() for line in (settings.data_dir / "log").read_text().splitlines()]


def test_the_highest_priority_first_two_at_a_time_into_the_watched_folder(made, go, said):
    settings = made()
    queue = _queue(settings, last=0, third=1, first=5, second=5)
    tally = go(settings)
    assert (tally.done, tally.put_off, tally.failed, tally.stopped) == (4, 0, 0, "")
    begun = [sentence.split(":")[1] for sentence in said if "begun" in sentence]
    assert begun == [f"//tiktok.com/{name}" for name in ("first", "second", "third", "last")]
    running = at_most = 0
    for what, _ in _log(settings):
        running += 1 if what == "begin" else -1
        at_most = max(at_most, running)
    assert at_most == 2
    assert queue.counts()["done"] == 4
    names = {f.name for f in (settings.data_dir / "downloads").iterdir()}
    assert names == {
        f"{n}{s}" for n in ("first", "second", "third", "last") for s in (".mp4", ".info.json")
    }


def test_there_is_a_pause_between_two_starts(made):
    settings = made(pause_s=0.6, at_once=4)
    _queue(settings, "a", "b")
    begun = []
    download_due(settings, lambda s: "begun" in s and begun.append(time.monotonic()), print)
    assert begun[1] - begun[0] >= 0.6


def test_the_lists_are_read_first_and_a_wrong_line_is_named(made, go, said, tmp_path):
    (tmp_path / "urls.txt").write_text("# mine\nhttps://tiktok.com/a\nnonsense\n")
    (tmp_path / "urls.csv").write_text("url,priority,tags\nhttps://tiktok.com/b,3,cats\n")
    settings = made()
    assert go(settings).done == 2
    assert any(f"{tmp_path / 'urls.txt'}, line 3" in sentence for sentence in said)
    assert go(settings).done == 0  # both are done: the lists bring them no second time
    by_url = {row.url: row for row in url_queue(settings).rows()}
    assert by_url["https://tiktok.com/b"].tags == ("cats",)


def test_a_list_that_is_named_and_missing_is_told(made, go, said, tmp_path):
    go(made(lists=[tmp_path / "nowhere.txt"]))
    assert "nowhere.txt" in said[0]


def test_what_passes_is_tried_again_later_with_back_off_and_the_rest_is_not(made, go, said):
    settings = made(retry_after_s=100, most_attempts=3)
    queue = _queue(settings, "network", "private", "bug", "fine")
    tally = go(settings)
    assert (tally.done, tally.put_off, tally.failed) == (1, 1, 2)
    rows = {row.url.rpartition("/")[2]: row for row in queue.rows()}
    assert (rows["private"].state, rows["private"].kind) == (State.FAILED, "private")
    assert (rows["bug"].state, rows["bug"].kind) == (State.FAILED, "bug")
    waits = [rows["network"].next_attempt_s - time.time()]
    assert go(settings).done == 0  # nothing is due
    for _ in range(2):
        queue._now_s = lambda: time.time() + 10_000  # as if that time had passed
        queue._set(rows["network"].url, next_attempt_s=0.0)
        tally = go(settings)
        (row,) = [r for r in queue.rows() if r.kind == "network"]
        waits.append(row.next_attempt_s - time.time())
    assert 90 < waits[0] <= 100
    assert 190 < waits[1] <= 200
    assert (row.state, row.attempts, tally.failed) == (State.FAILED, 3, 1)
    assert not list((settings.data_dir / "partial").iterdir())  # nothing is kept of what failed
    assert any("failed (bug)" in sentence for sentence in said)
    assert queue.retry() == 3


def test_cancelled_it_stops_the_children_and_queues_again(made, go):
    settings = made()
    queue = _queue(settings, "long")
    task = Task("download")
    before = set(psutil.Process().children())  # of other tests in this process

    def cancel():
        while not (settings.data_dir / "log").exists():
            time.sleep(0.02)
        task.cancel()

    threading.Thread(target=cancel).start()
    with run_task(task), pytest.raises(Cancelled):
        go(settings)
    (row,) = queue.rows()
    assert (row.state, row.attempts) == (State.QUEUED, 0)
    left = set(psutil.Process().children()) - before
    assert not [child for child in left if child.status() != psutil.STATUS_ZOMBIE]


def test_on_a_full_disk_nothing_is_begun(made, go, monkeypatch):
    settings = made()
    queue = _queue(settings, "a")
    monkeypatch.setattr(downloads, "too_full", lambda folder, floor: "the disk is full")
    assert go(settings).stopped == "the disk is full"
    assert queue.counts()["queued"] == 1


def test_two_processes_do_not_download_at_once(made, go):
    settings = made()
    _queue(settings, "a")
    held = FileLock(settings.data_dir / "state" / "urls.lock")
    with held, pytest.raises(RuntimeError, match="Another process downloads"):
        go(settings)
    assert go(settings).done == 1


def test_a_video_that_cannot_be_moved_is_tried_again(made, go):
    settings = made()
    queue = _queue(settings, "a")
    (settings.data_dir / "downloads").write_text("no folder")
    assert go(settings).put_off == 1
    assert queue.rows()[0].kind == "disk"


def test_a_url_that_kills_the_process_each_time_is_given_up(made, go):
    settings = made(most_attempts=2)
    queue = _queue(settings, "a")
    for _ in range(2):
        queue._set("https://tiktok.com/a", state=State.QUEUED)
        queue.take()
    tally = go(settings)
    (row,) = queue.rows()
    assert (row.state, row.kind, tally.failed) == (State.FAILED, "crash", 1)


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path):
    clip = write_video(tmp_path / "clip.mp4").read_bytes()
    with loopback_web() as web:
        url = web.file("/slow.mp4", clip, bytes_per_s=len(clip) / 5)
        (tmp_path / "urls.txt").write_text(f"{url}\n{url}\n")
        urls = UrlSettings(hosts=["127.0.0.1"], private_networks=["127.0.0.1/32"], pause_s=0)
        settings = Settings(data_dir=tmp_path, min_free_gb=0, urls=urls)
        first = multiprocessing.get_context("fork").Process(
            target=download_due, args=(settings, print, print)
        )
        first.start()
        parts = []
        while not parts or not parts[0].stat().st_size:
            assert first.is_alive()
            time.sleep(0.02)
            parts = list((tmp_path / "partial").rglob("*.part"))
        children = psutil.Process(first.pid).children()
        first.kill()
        first.join()
        assert len(children) == 1
        psutil.wait_procs(children, timeout=5)
        assert not any(child.is_running() for child in children)
        there = parts[0].stat().st_size
        (row,) = url_queue(settings).rows()  # one, though it stands twice in the list
        assert row.state is State.DOWNLOADING
        web.file("/slow.mp4", clip)
        assert download_due(settings, print, print).done == 1
        assert web.asked[-1] == ("/slow.mp4", f"bytes={there}-")
    (video,) = (tmp_path / "downloads").glob("*.mp4")
    assert video.read_bytes() == clip
    (row,) = url_queue(settings).rows()
    assert (row.state, row.attempts, row.files) == (State.DONE, 2, (video.name,))
