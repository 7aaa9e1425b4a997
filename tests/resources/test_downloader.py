"""Downloads by real child processes from a server on loopback."""

import json
import os
import signal
import sys
import time

import pytest

from resources import downloader
from resources.downloader import Downloaded, Downloader, Failed
from resources.url_settings import UrlSettings
from tests.loopback import loopback_web
from tests.made_media import write_video

#: 127.0.0.2 is on the list of hosts too, but its address is not allowed.
ALLOWED = {"hosts": ["127.0.0.1", "127.0.0.2"], "private_networks": ["127.0.0.1/32"]}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4").read_bytes()


def _answer(download, limit_s=60.0):
    stop_at = time.monotonic() + limit_s
    while (answer := download.poll()) is None:
        assert time.monotonic() < stop_at
        time.sleep(0.02)
    return answer


@pytest.fixture
def make(tmp_path):
    def make(**settings):
        chosen = UrlSettings(**{**ALLOWED, **settings})
        return Downloader(chosen, tmp_path, tmp_path / "watched")

    return make


def test_a_link_brings_the_file_and_its_sidecar_into_the_watched_folder(make, clip, tmp_path):
    with loopback_web() as web:
        url = web.redirect("/short", web.file("/clip.mp4", clip))
        found = _answer(make().start(url, ["cats", "loud"]))
    assert not (tmp_path / "watched").exists()
    done = make().finish(url, found)
    assert done == Downloaded((found[0]["video"],), known=0)
    video = tmp_path / "watched" / done.files[0]
    assert video.read_bytes() == clip
    said = json.loads(video.with_suffix(".info.json").read_text())
    assert said["webpage_url"].endswith("/clip.mp4")
    assert said["list_tags"] == ["cats", "loud"]
    assert len(list((tmp_path / "watched").iterdir())) == 2
    assert list((tmp_path / "partial").iterdir()) == []


@pytest.mark.parametrize(
    ("target", "settings", "says"),
    [
        # An address inside, of a host on the list; that of a cloud's metadata; a host off the list.
        ("http://127.0.0.2:{port}/clip.mp4", {}, "127.0.0.2 is no public address"),
        ("http://169.254.169.254/latest.mp4", {"hosts": ["*"]}, "169.254.169.254 is no public"),
        (
            "http://localhost:{port}/clip.mp4",
            {"private_networks": ["127.0.0.0/8", "::1"]},
            "the host localhost is not on the list",
        ),
    ],
)
def test_a_redirect_leads_nowhere_that_is_not_allowed(make, clip, target, settings, says):
    with loopback_web() as web:
        web.file("/clip.mp4", clip)
        url = web.redirect("/away", target.format(port=web.url.rpartition(":")[2]))
        why = _answer(make(**settings).start(url))
        assert {path for path, _ in web.asked} == {"/away"}
    assert (why.kind, why.passes) == ("refused", False)
    assert says in why.reason


def test_loopback_is_refused_by_default_also_by_its_name(make, clip):
    with loopback_web() as web:
        url = web.file("/clip.mp4", clip).replace("127.0.0.1", "localhost")
        why = _answer(make(hosts=["*"], private_networks=[]).start(url))
        assert web.asked == []
    assert why.kind == "refused"


def test_what_was_stopped_keeps_its_part_and_goes_on_there(make, clip, tmp_path):
    with loopback_web() as web:
        url = web.file("/slow.mp4", clip, bytes_per_s=len(clip) / 4)
        download = make().start(url)
        parts = []
        while not parts or not parts[0].stat().st_size:
            assert download.poll() is None
            time.sleep(0.02)
            parts = list((tmp_path / "partial").rglob("*.part"))
        download.stop()
        assert download._child.returncode == -signal.SIGKILL
        there = parts[0].stat().st_size
        assert 0 < there < len(clip)
        assert not (tmp_path / "watched").exists()
        web.file("/slow.mp4", clip)
        (video,) = _answer(make().start(url))
        assert web.asked[-1] == ("/slow.mp4", f"bytes={there}-")
    make().finish(url, [video])
    assert (tmp_path / "watched" / video["video"]).read_bytes() == clip


def test_by_a_proxy_it_is_the_proxy_that_is_reached_and_asked(make, clip):
    with loopback_web() as web:
        web.file("http://nowhere.invalid/clip.mp4", clip)
        settings = {"hosts": ["nowhere.invalid"], "private_networks": [], "proxy": web.url}
        (found,) = _answer(make(**settings).start("http://nowhere.invalid/clip.mp4"))
        assert found["title"] == "clip"
        assert {path for path, _ in web.asked} == {"http://nowhere.invalid/clip.mp4"}


def _child(monkeypatch, code):
    monkeypatch.setattr(downloader, "_COMMAND", [sys.executable, "-c", code])


def test_what_hangs_crashes_or_breaks_costs_one_url(make, monkeypatch):
    _child(monkeypatch, "import time; time.sleep(60)")
    why = _answer(make(stall_s=0.3).start("http://127.0.0.1/a"))
    assert (why.kind, why.reason) == ("timeout", "nothing came for 0.3 s.")
    crashes = make().start("http://127.0.0.1/a")
    os.kill(crashes._child.pid, signal.SIGSEGV)
    why = _answer(crashes)
    assert (why.kind, why.passes) == ("crash", True)
    assert "SIGSEGV" in why.reason
    _child(monkeypatch, "import time\nwhile True: print('{}', flush=True); time.sleep(0.05)")
    why = _answer(make(timeout_s=0.5).start("http://127.0.0.1/a"))
    assert why == Failed("timeout", "it took longer than 0.5 s.")
    _child(monkeypatch, "raise SystemExit('no module of that name')")
    why = _answer(make().start("http://127.0.0.1/a"))
    assert (why.kind, why.passes) == ("bug", False)
    assert "no module of that name" in why.reason


def test_the_archive_is_told_to_the_child_and_grows_by_what_was_moved(make, tmp_path, monkeypatch):
    archive = tmp_path / "state" / "download_archive.txt"
    archive.parent.mkdir()
    archive.write_text("tiktok 1\n")
    code = """
import json, pathlib, sys
request = json.load(sys.stdin)
folder = pathlib.Path(request["folder"])
folder.mkdir(parents=True)
for name in ("a.mp4", "a.info.json"):
    (folder / name).write_text(name)
new = {"video": "a.mp4", "info": "a.info.json", "archive_id": "tiktok 2", "title": ""}
old = {"video": None, "info": None, "archive_id": request["archive"][0], "title": ""}
print(json.dumps({"ok": [new, old]}))
"""
    _child(monkeypatch, code)
    url = "https://www.tiktok.com/@a/video/2"
    found = _answer(make(hosts=["tiktok.com"]).start(url))
    assert archive.read_text() == "tiktok 1\n"
    assert make().finish(url, found) == Downloaded(("a.mp4",), known=1)
    assert archive.read_text() == "tiktok 1\ntiktok 2\n"


def test_a_proxy_with_a_password_is_no_argument(make, monkeypatch):
    _child(monkeypatch, "import sys; sys.stdin.read()")
    download = make(proxy="http://me:secret@127.0.0.1:8080").start("http://127.0.0.1/a")
    assert "secret" not in str(download._child.args)
    assert "secret" not in repr(UrlSettings(proxy="http://me:secret@127.0.0.1:8080"))
    _answer(download)


def test_a_move_to_another_disk_shows_no_half_file(tmp_path, monkeypatch):
    moved = []
    real = downloader.Path.replace

    def replace(self, target):
        if self.parent.name == "part":
            raise OSError(18, "Invalid cross-device link")
        moved.append(self.name)
        return real(self, target)

    monkeypatch.setattr(downloader.Path, "replace", replace)
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "a.mp4").write_bytes(b"whole")
    downloader._move(tmp_path / "part" / "a.mp4", tmp_path)
    assert moved == [".a.mp4.tmp"]
    assert (tmp_path / "a.mp4").read_bytes() == b"whole"
    assert not (tmp_path / "part" / "a.mp4").exists()
