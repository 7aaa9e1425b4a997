"""Pulling from a model hub and from a mirror, against a server on loopback that speaks as it does:
`{endpoint}/{repo}/resolve/{revision}/{file}`."""

import hashlib
import json
import os

import pytest

from analyzers.models.weights import FileSpec, ModelCorrupt, ModelFiles, ModelMissing
from resources import model_store
from resources.model_store import ModelStore, PullFailed
from tests.loopback import loopback_web
from tests.small_models import file_entry, manifest, model_entry, put

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NEWER = "f" * 40
WEIGHTS = os.urandom(3_000_000)


class _Hub:
    """Answers as the hub does for one repository, whose branch `main` is at `commit`."""

    def __init__(self, web):
        self.web = web
        self.url = web.url
        self.commit = COMMIT
        self.claims = {}
        self.cuts = []  # bytes after which the next answers break off
        self.files = {}

    def put(self, name, content, commits=(COMMIT,)):
        for commit in commits:
            self.files[name, commit] = content
        for revision in ("main", *commits):
            self.web.answers[f"/maker/model/resolve/{revision}/{name}"] = self._answer(
                name, revision
            )

    def _answer(self, name, revision):
        def answer(handler):
            commit = self.commit if revision == "main" else revision
            content = self.files[name, commit]
            start = int((handler.headers.get("Range") or "bytes=0-")[6:-1])
            if start and start >= len(content):
                handler.send_error(416)
                return
            handler.send_response(206 if start else 200)
            handler.send_header("X-Repo-Commit", commit)
            if name.endswith(".safetensors"):
                digest = self.claims.get(name) or hashlib.sha256(content).hexdigest()
                handler.send_header("X-Linked-ETag", f'"{digest}"')
            handler.send_header("Content-Length", str(len(content) - start))
            handler.end_headers()
            if handler.command == "GET":
                cut = self.cuts.pop(0) if self.cuts else None
                handler.wfile.write(content[start:][:cut])

        return answer

    def asked_for(self, name):
        return [(p.split("/")[-2], r) for p, r in self.web.asked if p.endswith("/" + name)]


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # as at run time: pulling is the exception
    monkeypatch.setattr(model_store._download.retry, "sleep", lambda _: None)
    with loopback_web() as web:
        hub = _Hub(web)
        hub.put("config.json", b"{}")
        hub.put("model.safetensors", WEIGHTS)
        yield hub


def _source(file, revision="main"):
    return {"kind": "hub", "repo": "maker/model", "revision": revision, "file": file}


def _open_model():
    """A model that the manifest pins nothing of."""
    names = ("config.json", "model.safetensors")
    return model_entry({name: {"sources": [_source(name)]} for name in names}, about_mb=3.0)


def _store(folder, entry, **where):
    return ModelStore(ModelFiles(folder, manifest({"m": entry})), **where)


def test_the_first_pull_pins_commit_and_hashes(tmp_path, hub):
    store = _store(tmp_path, _open_model(), hub_endpoint=hub.url)
    files = store.files
    before = files.fingerprint("m")
    with pytest.raises(ModelMissing, match="run: tiktok-assets models pull m"):
        files.path("m")
    assert store.pull(["m"]) == ["m"]
    assert files.path("m", "model.safetensors").read_bytes() == WEIGHTS
    lock = json.loads(files.lock_path("m").read_text())
    assert lock["revisions"] == {"maker/model": COMMIT}
    assert lock["files"]["model.safetensors"] == {
        "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        "size_bytes": len(WEIGHTS),
    }
    # The branch was asked for once; what was fetched is of the commit it was at.
    assert hub.asked_for("config.json") == [("main", ""), (COMMIT, "")]
    assert hub.asked_for("model.safetensors") == [(COMMIT, "")]
    pinned = files.fingerprint("m")
    assert pinned != before
    files.verify("m")
    assert store.pull(["m"]) == []
    assert files.fingerprint("m") == pinned


def test_what_was_pinned_stays_though_the_branch_moves_on(tmp_path, hub):
    store = _store(tmp_path, _open_model(), hub_endpoint=hub.url)
    store.pull(["m"])
    hub.commit = NEWER
    hub.put("config.json", b'{"new": 1}', commits=(NEWER,))
    hub.files["config.json", COMMIT] = b"{}"
    put(store.files.root, "m", "config.json", b"damaged")
    with pytest.raises(ModelCorrupt):
        store.files.path("m", "config.json")
    assert store.pull(["m"]) == ["m"]
    assert store.files.path("m", "config.json").read_bytes() == b"{}"


def test_another_file_than_the_one_pinned_is_refused(tmp_path, hub):
    store = _store(tmp_path, _open_model(), hub_endpoint=hub.url)
    store.pull(["m"])
    put(store.files.root, "m", "config.json", b"damaged")
    hub.files["config.json", COMMIT] = b"[]"
    with pytest.raises(PullFailed, match=r"hub maker/model config\.json: its SHA-256 is"):
        store.pull(["m"])
    with pytest.raises(ModelCorrupt):
        store.files.path("m", "config.json")


def test_a_file_that_the_hub_itself_says_differs_is_refused(tmp_path, hub):
    hub.claims["model.safetensors"] = "0" * 64
    entry = model_entry({"model.safetensors": {"sources": [_source("model.safetensors")]}})
    store = _store(tmp_path, entry, hub_endpoint=hub.url)
    with pytest.raises(PullFailed, match=r"its SHA-256 is .* instead of 000000000000"):
        store.pull(["m"])
    assert not store.files.stored_path("m", "model.safetensors").exists()


def test_a_hash_in_the_manifest_is_held_against_the_hub(tmp_path, hub):
    good = file_entry(WEIGHTS, _source("model.safetensors", COMMIT))
    other = file_entry(WEIGHTS[::-1], _source("model.safetensors", COMMIT))
    for entry in (good, other):
        del entry["size_bytes"]  # a size need not be known
    store = _store(tmp_path / "good", model_entry({"model.safetensors": good}),
                   hub_endpoint=hub.url)  # fmt: skip
    store.pull(["m"])
    assert not store.files.lock_path("m").exists()  # nothing was left open
    store = _store(tmp_path / "other", model_entry({"model.safetensors": other}),
                   hub_endpoint=hub.url)  # fmt: skip
    with pytest.raises(PullFailed, match="its SHA-256 is"):
        store.pull(["m"])


def test_a_cut_download_goes_on_now_and_in_the_next_pull(tmp_path, hub):
    store = _store(tmp_path, _open_model(), hub_endpoint=hub.url)
    hub.cuts = [None, 1_500_000]  # after config.json
    store.pull(["m"])
    assert store.files.path("m", "model.safetensors").read_bytes() == WEIGHTS
    (_, first), (_, second) = hub.asked_for("model.safetensors")
    assert first == ""
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= 1_500_000

    store.files.stored_path("m", "model.safetensors").unlink()
    hub.web.asked.clear()
    hub.cuts = [1_500_000, 100, 100]  # as often as it is tried again
    with pytest.raises(PullFailed, match=r"is not reachable or broke off .* pull again to go on"):
        store.pull(["m"])
    store.pull(["m"])
    *_, (_, last) = hub.asked_for("model.safetensors")
    assert int(last.removeprefix("bytes=").removesuffix("-")) > 0
    assert store.files.path("m", "model.safetensors").read_bytes() == WEIGHTS


def test_a_missing_file_and_a_closed_one_are_told(tmp_path, hub):
    absent = model_entry({"x.bin": {"sources": [_source("x.bin")]}})
    store = _store(tmp_path, absent, hub_endpoint=hub.url)
    with pytest.raises(PullFailed, match=r"404: maker/model has no x\.bin at revision main"):
        store.pull(["m"])
    hub.web.status(f"/maker/model/resolve/{COMMIT}/x.bin", 403)
    gated = model_entry({"x.bin": {"sources": [_source("x.bin", COMMIT)]}})
    with pytest.raises(
        PullFailed, match=r"403: maker/model wants its licence accepted .* HF_TOKEN"
    ):
        _store(tmp_path, gated, hub_endpoint=hub.url).pull(["m"])


def test_one_model_that_fails_does_not_keep_the_others_away(tmp_path, hub):
    absent = {
        name: model_entry({"x.bin": {"sources": [_source("x.bin")]}}) for name in ("no", "nor")
    }
    models = manifest({"no": absent["no"], "m": _open_model(), "nor": absent["nor"]})
    store = ModelStore(ModelFiles(tmp_path, models), hub_endpoint=hub.url)
    with pytest.raises(PullFailed, match=r"(?s)of model no .*of model nor "):
        store.pull(["no", "m", "nor"])
    assert store.files.path("m", "model.safetensors").read_bytes() == WEIGHTS


def test_a_hub_out_of_reach_names_the_mirror(tmp_path, hub):
    store = _store(tmp_path, _open_model(), hub_endpoint="http://127.0.0.1:9")
    with pytest.raises(
        PullFailed, match=r"hub at http://127\.0\.0\.1:9 is not reachable"
    ) as failure:
        store.pull(["m"])
    assert "set models_mirror (TIKTOK_ASSETS_MODELS_MIRROR) to a copy of" in str(failure.value)
    assert "hub_endpoint" in str(failure.value)


@pytest.mark.parametrize("kind", ["folder", "url"])
def test_a_mirror_serves_without_the_hub_with_its_own_pins(tmp_path, hub, kind):
    first = _store(tmp_path / "open", _open_model(), hub_endpoint=hub.url)
    first.pull(["m"])
    where = str(first.files.root)
    if kind == "url":
        for path in (first.files.root / "m").iterdir():
            hub.web.file(f"/models/m/{path.name}", path.read_bytes())
        where = f"{hub.url}/models/"
    hub.web.asked.clear()
    closed = _store(
        tmp_path / "closed", _open_model(), hub_endpoint="http://127.0.0.1:9", mirror=where
    )
    assert closed.pull(["m"]) == ["m"]
    assert closed.files.fingerprint("m") == first.files.fingerprint("m")
    assert all("/resolve/" not in path for path, _ in hub.web.asked)


def test_a_wrong_file_of_the_mirror_is_not_taken(tmp_path, hub):
    first = _store(tmp_path / "open", _open_model(), hub_endpoint=hub.url)
    first.pull(["m"])
    put(first.files.root, "m", "model.safetensors", WEIGHTS[:-1] + b"?")
    closed = _store(tmp_path / "closed", _open_model(), hub_endpoint="http://127.0.0.1:9",
                    mirror=str(first.files.root))  # fmt: skip
    with pytest.raises(PullFailed, match=r"mirror .*model\.safetensors: its SHA-256 is"):
        closed.pull(["m"])


def test_a_file_that_nothing_pins_is_not_used(tmp_path):
    files = ModelFiles(tmp_path, manifest({"m": _open_model()}))
    put(tmp_path, "m", "config.json", b"{}")
    with pytest.raises(ModelMissing, match=r"config\.json of model m is not pinned"):
        files.path("m")
    put(tmp_path, "m", "lock.json", b"{half")
    with pytest.raises(ModelCorrupt, match="is damaged"):
        files.path("m")


def test_a_file_of_a_package_must_be_pinned_in_the_manifest():
    package = {"kind": "package", "members": [["carrier==1.0", "w"]]}
    with pytest.raises(ValueError, match="needs its sha256"):
        FileSpec.model_validate({"sources": [package]})
