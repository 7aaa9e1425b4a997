import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import yaml

from analyzers.models import weights
from analyzers.models.pickle_names import UnsafePickle
from analyzers.models.weights import (
    Conversion,
    Manifest,
    ModelCorrupt,
    ModelFiles,
    ModelMissing,
    PackageSource,
    UnknownModel,
    converter_versions,
    data_dir,
    models_dir,
)
from tests.small_models import file_entry, manifest, model_entry, put


@pytest.fixture
def files(tmp_path):
    models = {
        "m": model_entry({"a.bin": file_entry(b"alpha"), "b.txt": file_entry(b"beta")}),
        "p": model_entry({"p.pkl": file_entry(pickle.dumps({}), pickle_names=[])}),
    }
    return ModelFiles(tmp_path / "models", manifest(models, {"reader": "m"}))


@pytest.fixture
def hashed(monkeypatch):
    """The files whose bytes were read to be hashed."""
    seen = []
    real = weights.sha256_of
    monkeypatch.setattr(weights, "sha256_of", lambda path: seen.append(path.name) or real(path))
    return seen


def test_path_is_the_first_file_or_the_one_named(files):
    a = put(files.root, "m", "a.bin", b"alpha")
    b = put(files.root, "m", "b.txt", b"beta")
    assert files.path("m") == a
    assert files.path("m", "b.txt") == b
    assert files.paths("m", "native") == {"a.bin": a, "b.txt": b}


def test_what_is_missing_names_the_command(files):
    with pytest.raises(ModelMissing, match=r"a\.bin .* run: tiktok-assets models pull m$"):
        files.path("m")


def test_a_changed_file_is_refused(files):
    path = put(files.root, "m", "a.bin", b"alpha")
    files.path("m")
    path.write_bytes(b"Alpha")
    with pytest.raises(ModelCorrupt, match=r"not the pinned .*run: tiktok-assets models pull m$"):
        files.path("m")


def test_unknown_names_list_the_known_ones(files):
    with pytest.raises(UnknownModel, match=r"'x'.*m, p"):
        files.path("x")
    with pytest.raises(UnknownModel, match=r"'c'.*a\.bin, b\.txt"):
        files.path("m", "c")
    with pytest.raises(UnknownModel, match=r"'huge'.*embedded"):
        files.manifest.profile("huge")
    with pytest.raises(UnknownModel, match="serves reader, not writer; for writer there are none"):
        files.manifest.model_for("writer", "m")


def test_a_hash_is_computed_once_and_again_by_verify(files, hashed):
    put(files.root, "m", "a.bin", b"alpha")
    put(files.root, "m", "b.txt", b"beta")
    files.paths("m")
    files.paths("m")
    ModelFiles(files.root, files.manifest).paths("m")  # as another process would
    assert hashed == ["a.bin", "b.txt"]
    files.verify("m")
    assert hashed == ["a.bin", "b.txt"] * 2


def test_a_touched_file_is_hashed_again(files, hashed):
    path = put(files.root, "m", "a.bin", b"alpha")
    files.path("m")
    os.utime(path, (1, 1))
    files.path("m")
    assert hashed == ["a.bin", "a.bin"]


def test_verify_sees_a_change_that_keeps_size_and_time(files):
    put(files.root, "m", "b.txt", b"beta")
    path = put(files.root, "m", "a.bin", b"alpha")
    files.path("m")
    before = path.stat()
    path.write_bytes(b"Alpha")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelCorrupt):
        files.verify("m")
    # From now on nobody is told that it is good, so that a pull fetches it again.
    for later in (files, ModelFiles(files.root, files.manifest)):
        with pytest.raises(ModelCorrupt):
            later.path("m")


def test_a_damaged_sidecar_costs_a_hash_and_no_error(files, hashed):
    put(files.root, "m", "a.bin", b"alpha")
    files.path("m")
    (files.root / ".verified.json").write_text('{"half')
    ModelFiles(files.root, files.manifest).path("m")
    assert hashed == ["a.bin", "a.bin"]


def test_a_read_only_folder_costs_one_hash_a_process(files, hashed, monkeypatch):
    put(files.root, "m", "a.bin", b"alpha")

    def refuse(path, content):
        raise PermissionError(path)

    monkeypatch.setattr(weights, "write_atomically", refuse)
    files.path("m")
    files.path("m")
    assert hashed == ["a.bin"]


def test_a_pickle_is_held_against_its_list_at_each_use(tmp_path):
    bomb = b"cos\nsystem\n(S'true'\ntR."
    entry = file_entry(bomb, pickle_names=["collections:OrderedDict"])
    files = ModelFiles(tmp_path, manifest({"p": model_entry({"p.pkl": entry})}))
    put(tmp_path, "p", "p.pkl", bomb)
    for use in (files.path, files.verify, files.path):
        with pytest.raises(UnsafePickle, match="os:system"):
            use("p")


def test_a_pickle_without_a_list_is_no_manifest():
    with pytest.raises(ValueError, match=r"w\.pth may be a pickle"):
        manifest({"p": model_entry({"w.pth": file_entry(b"x")})})


def test_fingerprint_needs_no_files_and_follows_the_pins(files):
    other = manifest({"m": model_entry({"a.bin": file_entry(b"alpha"), "b.txt": file_entry(b"c")})})
    assert files.fingerprint("m") == files.fingerprint("m")
    assert len(files.fingerprint("m")) == 64
    assert files.fingerprint("m") != ModelFiles(files.root, other).fingerprint("m")


def test_a_file_of_an_installed_package_is_used_where_it_lies(tmp_path):
    member = "yaml/__init__.py"
    content = Path(yaml.__file__).read_bytes()
    source = {"kind": "installed", "package": "PyYAML", "member": member}
    models = {
        "there": model_entry({"x": file_entry(content, source)}),
        "other": model_entry({"x": file_entry(content + b"#", source)}),
        "gone": model_entry({"x": file_entry(content, {**source, "package": "no-such-package"})}),
    }
    files = ModelFiles(tmp_path, manifest(models))
    assert files.path("there").samefile(yaml.__file__)
    with pytest.raises(ModelCorrupt):
        files.path("other")
    with pytest.raises(ModelMissing):
        files.path("gone")
    # A pulled file stands in for one that an upgrade changed.
    pulled = put(tmp_path, "other", "x", content + b"#")
    assert files.path("other") == pulled


@pytest.fixture
def converted(tmp_path):
    """A model with a finished conversion, as `models pull` leaves it."""
    entry = model_entry({"w.bin": file_entry(b"w")}, convert={"openvino": {"imgsz": 640}})
    files = ModelFiles(tmp_path, manifest({"m": entry}))
    put(tmp_path, "m", "w.bin", b"w")
    net = put(tmp_path, "m", "w_openvino_model/w.xml", b"<net/>")
    record = Conversion(
        source_sha256=files.spec("m").files["w.bin"].sha256,
        options={"imgsz": 640},
        versions=converter_versions("openvino"),
        folder="w_openvino_model",
        files={"w.xml": weights.sha256_of(net)},
    )
    files.record_path("m", "openvino").write_text(record.model_dump_json())
    return files


def test_a_conversion_is_found_beside_its_source(converted):
    folder = converted.root / "m" / "w_openvino_model"
    assert converted.paths("m", "openvino")["openvino"] == folder
    assert "openvino" not in converted.paths("m", "torch")
    converted.verify("m")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("versions", {"openvino": "1.0"}),
        ("options", {"imgsz": 320}),
        ("source_sha256", "0" * 64),
    ],
)
def test_a_conversion_of_something_else_is_not_used(converted, key, value):
    path = converted.record_path("m", "openvino")
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ModelMissing, match="run: tiktok-assets models pull m"):
        converted.converted_path("m", "openvino")


def test_a_changed_or_lost_conversion_is_refused(converted):
    net = converted.root / "m" / "w_openvino_model" / "w.xml"
    net.write_text("<Net/>")
    with pytest.raises(ModelCorrupt):
        converted.paths("m", "openvino")
    shutil.rmtree(net.parent)
    with pytest.raises(ModelMissing):
        converted.paths("m", "openvino")
    converted.record_path("m", "openvino").write_text("{")
    with pytest.raises(ModelMissing):
        converted.paths("m", "openvino")


def test_the_models_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("TIKTOK_ASSETS_MODELS_DIR", raising=False)
    monkeypatch.delenv("TIKTOK_ASSETS_DATA_DIR", raising=False)
    assert (data_dir().parent / "analyzers" / "models" / "manifest.yaml").is_file()
    assert models_dir() == data_dir() / "models"
    monkeypatch.setenv("TIKTOK_ASSETS_DATA_DIR", str(tmp_path))
    assert models_dir() == tmp_path / "models"
    monkeypatch.setenv("TIKTOK_ASSETS_MODELS_DIR", str(tmp_path / "w"))
    assert ModelFiles().root == tmp_path / "w"


def test_the_projects_manifest_is_whole():
    read = Manifest.read()
    for profile, roles in read.profiles.items():
        for role, choice in roles.items():
            read.model_for(role, choice.model)
            needed = {"detector", "ocr", "asr", "shots", "sound", "vad", "speaker"}
            assert needed <= roles.keys(), profile
    for spec in read.models.values():
        module, _, function = spec.loader.partition(":")
        assert module.startswith("analyzers.models.")
        assert function.isidentifier()
        for file in spec.files.values():
            for source in file.sources:
                if isinstance(source, PackageSource):
                    assert all("==" in requirement for requirement, _ in source.members)
