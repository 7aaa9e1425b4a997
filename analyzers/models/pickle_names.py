"""Which global names a pickle would import, found without running it.

A pickle is a program: unpickling imports whatever its opcodes name and calls it. Here the opcodes
are only read (`pickletools.genops`; meaning of each: PEP 3154 and `pickletools`' own docs) and the
names held against an exact list before any library may open the file.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

#: First pickle of a file that torch wrote before it used zip archives (torch/serialization.py).
_TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
#: Such a file holds magic number, protocol, system, object and storage keys, then raw tensors.
_TORCH_LEGACY_PICKLES = 5

_STRINGS = {
    "SHORT_BINUNICODE",
    "BINUNICODE",
    "BINUNICODE8",
    "UNICODE",
    "STRING",
    "BINSTRING",
    "SHORT_BINSTRING",
}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_EXTENSIONS = {"EXT1", "EXT2", "EXT4"}


class UnsafePickle(ValueError):
    """A pickle names something that its list does not allow, or hides what it names."""


def check_pickle(path: Path, allowed: Collection[str]) -> None:
    """Raise `UnsafePickle` unless every name in the file is in `allowed` (`module:name` each)."""
    if strange := pickle_names(path) - set(allowed):
        raise UnsafePickle(
            f"{path.name} would import {', '.join(sorted(strange))}, which its manifest entry does "
            "not allow; it was not opened"
        )


def pickle_names(path: Path) -> set[str]:
    """All names, as `module:name`, that a .pt or .pth, .pkl, .npy or .npz file would import.

    Raises `UnsafePickle` where a name is made in a way that no pickler writes, and for data that
    is no pickle.
    """
    with path.open("rb") as file:
        return _names(file, path.name)


def _names(file: IO[bytes], label: str) -> set[str]:
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        return _zip_names(file, label)
    if start == b"\x93NUMPY":
        return _npy_names(file, label)
    names, value = _one_pickle(file, label)
    if value == _TORCH_LEGACY_MAGIC:
        for _ in range(_TORCH_LEGACY_PICKLES - 1):
            names |= _one_pickle(file, label)[0]
    elif file.read(1):
        raise UnsafePickle(f"{label} has data after its pickle")
    return names


def _zip_names(file: IO[bytes], label: str) -> set[str]:
    names: set[str] = set()
    with zipfile.ZipFile(file) as archive:
        members = archive.namelist()
        if len(members) != len({m.lower() for m in members}):
            # Two readers could take two different ones.
            raise UnsafePickle(f"{label} holds two members of one name")
        for member in members:
            if member.endswith((".pkl", ".npy")):
                names |= _names(BytesIO(archive.read(member)), f"{label}/{member}")
    return names


def _npy_names(file: IO[bytes], label: str) -> set[str]:
    version = np.lib.format.read_magic(file)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read_header is None:
        raise UnsafePickle(f"{label} is a .npy file of the unknown version {version}")
    _, _, dtype = read_header(file)
    return _one_pickle(file, label)[0] if dtype.hasobject else set()


def _one_pickle(file: IO[bytes], label: str) -> tuple[set[str], object]:
    """The names of the pickle at the file's position, and its value where that is one number."""
    names: set[str] = set()
    memo: dict[int, str | None] = {}
    # The strings that the last two pushing opcodes left on top of the stack; None: not a string.
    top: list[str | None] = [None, None]
    number: object = None
    for opcode, argument in _opcodes(file, label):
        name = opcode.name
        if name in _STRINGS:
            top = [top[1], str(argument)]
        elif name in _GETS:
            top = [top[1], memo.get(argument)]
        elif name in _PUTS:
            memo[argument] = top[1]
        elif name == "MEMOIZE":
            memo[len(memo)] = top[1]
        elif name in ("GLOBAL", "INST"):
            module, _, attribute = str(argument).partition(" ")
            names.add(f"{module}:{attribute}")
            top = [None, None]
        elif name == "STACK_GLOBAL":
            module_name, attribute_name = top
            if module_name is None or attribute_name is None:
                raise UnsafePickle(f"{label} hides a name that it would import")
            names.add(f"{module_name}:{attribute_name}")
            top = [None, None]
        elif name in _EXTENSIONS:
            raise UnsafePickle(f"{label} imports through the copyreg extension registry")
        elif name not in ("PROTO", "FRAME", "STOP"):
            if name in ("LONG1", "LONG", "INT", "BININT"):
                number = argument
            # Whatever else an opcode does to the stack, its top is no longer known to be a string.
            top = [None, None]
    return names, number


def _opcodes(file: IO[bytes], label: str) -> Iterator[tuple[pickletools.OpcodeInfo, Any]]:
    try:
        for opcode, argument, _ in pickletools.genops(file):
            yield opcode, argument
    except UnsafePickle:
        raise
    except Exception as error:  # genops raises whatever its readers do on bad data
        raise UnsafePickle(f"{label} is not a readable pickle: {error}") from error
