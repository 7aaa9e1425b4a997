"""Which files the HTTP API may be asked to read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class PathRefused(PermissionError):
    """A path outside of the allowed folders; nothing is said of what lies there."""


class NoSuchFile(FileNotFoundError):
    """Below the allowed folders there is no such file."""


def allowed_file(name: str, roots: Sequence[Path]) -> Path:
    """The file of this name with all links resolved.

    Raises `PathRefused` where that is below none of the roots, `NoSuchFile` where below
    them is no such file.
    """
    if "\0" in name:
        raise PathRefused("The path is not below a folder that may be read.")
    path = (roots[0] / name).resolve()  # an absolute name takes the place of the root
    if not any(path.is_relative_to(root.resolve()) for root in roots):
        folders = ", ".join(str(root) for root in roots)
        raise PathRefused(
            f"{name} is not below a folder that may be read ({folders}); the setting api.roots "
            "names them."
        )
    if not path.is_file():
        raise NoSuchFile(f"There is no file {path}.")
    return path
