"""What Python code prints, apart by the thread that prints it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, Any

_files: ContextVar[Mapping[str, IO[Any]] | None] = ContextVar("step_files", default=None)


class _CopyingStream(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr."""

    def __init__(self, name: str, stream: Any) -> None:
        self._name = name
        self._stream = stream

    def write(self, text: str) -> int:
        if file := (_files.get() or {}).get(self._name):
            file.write(text)
            if "\n" in text:
                file.flush()  # it is read while the step runs
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding


@contextmanager
def streams_by_step() -> Iterator[None]:
    """Let `copy_to` work inside the block, for all threads."""
    streams = sys.stdout, sys.stderr
    sys.stdout = _CopyingStream("stdout", streams[0])
    sys.stderr = _CopyingStream("stderr", streams[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


@contextmanager
def copy_to(files: Mapping[str, IO[Any]]) -> Iterator[None]:
    """Copy what the calling thread writes to `stdout` and `stderr` to these files as well."""
    token = _files.set(files)
    try:
        yield
    finally:
        _files.reset(token)
