import collections
import datetime
import os
import pickle
import subprocess
import zipfile

import numpy as np
import pytest

from analyzers.models.pickle_names import UnsafePickle, check_pickle, pickle_names


class _Runs:
    """Unpickling it would call a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def _write(path, content):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_names_of_every_protocol(tmp_path, protocol):
    value = {"a": collections.OrderedDict(x=1), "b": [datetime.date(2026, 1, 2)], "c": {1, 2}}
    path = _write(tmp_path / "x.pkl", pickle.dumps(value, protocol))
    builtin_set = {"builtins:set"} if protocol >= 3 else {"__builtin__:set"}
    # From protocol 4 on there is an opcode for sets, and none is imported.
    extra = builtin_set if protocol < 4 else set()
    reducer = {"copy_reg:_reconstructor"} if protocol < 2 else set()
    found = pickle_names(path)
    assert {"collections:OrderedDict", "datetime:date"} | extra <= found
    assert found <= {"collections:OrderedDict", "datetime:date", "_codecs:encode"} | extra | reducer


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("bomb", "name"),
    [
        (_Runs(os.system, "echo owned"), f"{os.system.__module__}:system"),
        (_Runs(eval, "1"), "builtins:eval"),
        (_Runs(subprocess.check_output, "id"), "subprocess:check_output"),
    ],
)
def test_a_call_is_found_and_not_made(tmp_path, protocol, bomb, name):
    path = _write(tmp_path / "x.pt", pickle.dumps({"state": [bomb]}, protocol))
    # Up to protocol 2 modules go by their names in Python 2.
    old = {"__builtin__": "builtins", "commands": "subprocess"}
    parts = [found.split(":") for found in pickle_names(path)]
    found = {f"{old.get(module, module)}:{attribute}" for module, attribute in parts}
    assert name in found
    with pytest.raises(UnsafePickle, match=r"x\.pt would import .*not opened"):
        check_pickle(path, ["collections:OrderedDict"])


def test_an_allowed_module_does_not_allow_its_other_names(tmp_path):
    path = _write(tmp_path / "x.pkl", pickle.dumps(_Runs(os.getcwd), 4))
    check_pickle(path, [f"{os.getcwd.__module__}:getcwd"])
    with pytest.raises(UnsafePickle):
        check_pickle(path, [f"{os.getcwd.__module__}:getpid"])


def _text(value: bytes) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value  # SHORT_BINUNICODE


@pytest.mark.parametrize(
    "content",
    [
        # The memo gives the name: put "os" and "system", overwrite nothing, get them back.
        b"\x80\x04" + _text(b"os") + b"q\x00" + _text(b"system") + b"q\x01" + b"h\x00h\x01\x93.",
        # The same through MEMOIZE.
        b"\x80\x04" + _text(b"os") + b"\x94" + _text(b"system") + b"\x94" + b"h\x00h\x01\x93.",
        # A place in the memo is overwritten before it is used.
        b"\x80\x04" + _text(b"io") + b"q\x00" + _text(b"os") + b"q\x00" + b"h\x00"
        + _text(b"system") + b"\x93.",
    ],
)  # fmt: skip
def test_names_out_of_the_memo(tmp_path, content):
    assert pickle_names(_write(tmp_path / "x.pkl", content)) == {"os:system"}


@pytest.mark.parametrize(
    "content",
    [
        # POP: the string before it is on top, not the one last pushed.
        b"\x80\x04" + _text(b"os") + _text(b"system") + _text(b"path") + b"0\x93.",
        # DUP copies the name.
        b"\x80\x04" + _text(b"os") + b"2\x93.",
        # The memo's place holds what is on top after a POP.
        b"\x80\x04" + _text(b"os") + _text(b"io") + b"0\x94" + _text(b"system") + b"h\x00"
        + _text(b"x") + b"0\x93.",
        # The name was never put into the memo.
        b"\x80\x04" + _text(b"os") + b"h\x07\x93.",
        # The copyreg extension registry.
        b"\x80\x02\x82\x01.",
    ],
)  # fmt: skip
def test_hidden_names_are_refused(tmp_path, content):
    with pytest.raises(UnsafePickle, match=r"hides|extension"):
        pickle_names(_write(tmp_path / "x.pkl", content))


def test_data_after_a_pickle_is_refused(tmp_path):
    content = pickle.dumps(1) + pickle.dumps(_Runs(os.system, "x"))
    with pytest.raises(UnsafePickle, match="data after"):
        pickle_names(_write(tmp_path / "x.pkl", content))


@pytest.mark.parametrize("content", [b"", b"no pickle at all", b"\x80\x04\x8c\xff"])
def test_what_is_no_pickle_is_refused(tmp_path, content):
    with pytest.raises(UnsafePickle):
        pickle_names(_write(tmp_path / "x.pkl", content))


def test_torch_archive_and_two_members_of_one_name(tmp_path):
    path = tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps(collections.OrderedDict()))
        archive.writestr("x/data/0", b"\0" * 64)
    assert pickle_names(path) == {"collections:OrderedDict"}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("X/data.pkl", pickle.dumps(_Runs(os.system, "x")))
    with pytest.raises(UnsafePickle, match="two members"):
        pickle_names(path)


def test_torch_files_old_and_new(tmp_path):
    torch = pytest.importorskip("torch")
    state = collections.OrderedDict(w=torch.zeros(3), n=torch.tensor([1, 2]))
    expected = {
        "collections:OrderedDict",
        "torch._utils:_rebuild_tensor_v2",
        "torch:FloatStorage",
        "torch:LongStorage",
    }
    for zipped in (True, False):
        path = tmp_path / f"{zipped}.pth"
        torch.save(state, path, _use_new_zipfile_serialization=zipped)
        assert pickle_names(path) == expected


def test_numpy_files(tmp_path):
    np.save(tmp_path / "plain.npy", np.zeros(3))
    assert pickle_names(tmp_path / "plain.npy") == set()
    objects = np.array([_Runs(os.system, "x")], dtype=object)
    np.save(tmp_path / "objects.npy", objects, allow_pickle=True)
    assert f"{os.system.__module__}:system" in pickle_names(tmp_path / "objects.npy")
    np.savez(tmp_path / "many.npz", a=np.zeros(2), b=objects)
    assert f"{os.system.__module__}:system" in pickle_names(tmp_path / "many.npz")
