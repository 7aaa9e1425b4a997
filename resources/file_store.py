"""Files below a local folder or any fsspec URL, each whole or absent."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from resources.whole_file import sync


class FileStore:
    """Writes, reads and removes files; paths are relative to the store's root."""

    def __init__(self, url: str) -> None:
        self._fs, root = url_to_fs(url)
        self._root = root.rstrip("/")

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Put several files in place, in order; none of them when one cannot be written."""
        if not isinstance(self._fs, LocalFileSystem):
            for path, content in contents.items():
                self._fs.pipe_file(self._at(path), content)  # an object appears whole or not at all
            return
        written: dict[Path, Path] = {}
        try:
            for path, content in contents.items():
                target = Path(self._at(path))
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
                written[temporary] = target
                with temporary.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            for temporary, target in written.items():
                temporary.replace(target)
            for folder in {target.parent for target in written.values()}:
                sync(folder)  # before Dagster notes that it stands
        finally:
            for temporary in written:
                temporary.unlink(missing_ok=True)

    def get(self, path: str) -> bytes:
        """A file's content. Raises `FileNotFoundError`."""
        return self._fs.cat_file(self._at(path))

    def has(self, path: str) -> bool:
        """Whether a file or folder stands."""
        return self._fs.exists(self._at(path))

    def names(self, folder: str = "") -> list[str]:
        """Names of what is in a folder, sorted; half-written files are left out."""
        at = self._at(folder)
        self._fs.invalidate_cache(at)
        if not self._fs.exists(at):
            return []
        names = (Path(p).name for p in self._fs.ls(at, detail=False))
        return sorted(name for name in names if not name.startswith("."))

    def changed_s(self, path: str) -> float:
        """When a file was written, seconds since the epoch. Raises `FileNotFoundError`."""
        return self._fs.modified(self._at(path)).timestamp()

    def remove(self, path: str) -> bool:
        """Remove a file; returns whether it was there."""
        there = self.has(path)
        if there:
            self._fs.rm(self._at(path))
        return there

    def remove_leftovers(self, pattern: str, older_than_s: float) -> int:
        """Remove what processes that were killed left half written; returns the number of files.

        `pattern` names their folders, e.g. `*/*`; `older_than_s` is an age in seconds. Object
        stores have none: an object is whole or absent.
        """
        if not isinstance(self._fs, LocalFileSystem):
            return 0
        limit = time.time() - older_than_s
        found = Path(self._root).glob(f"{pattern}/.*.tmp")
        old = [p for p in found if p.stat().st_mtime < limit]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def location(self, path: str) -> str:
        """Path or full URL of a file, for people."""
        at = self._at(path)
        return at if isinstance(self._fs, LocalFileSystem) else str(self._fs.unstrip_protocol(at))

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}".rstrip("/")
