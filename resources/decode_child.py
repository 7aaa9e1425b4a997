"""Runs the decoder's program with limits, and turns however it ends into a result or an error."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import psutil

from analyzers.cores import available_cores
from analyzers.progress import checkpoint
from resources.ladder_settings import DecodeLimits

_POLL_S = 0.05
#: Each thread holds frames of its own; the pictures are scaled on one thread anyway.
_MOST_THREADS = 8
#: `-P`: what lies in the current folder is not imported.
_COMMAND = [sys.executable, "-P", "-m", "resources.decode"]
_ROOT = str(Path(__file__).resolve().parents[1])
_ELSE = "give a file that plays, or leave it out"
#: What FFmpeg writes to its log where the reason is more than its error code says.
_LOGGED_CAUSES = {
    "moov atom not found": "moov atom missing (the file is cut off or was never finished)",
    "trun track id unknown": "moov atom missing (a fragment without its header)",
    "no tfhd was found": "moov atom missing (a fragment without its header)",
}


class MediaError(Exception):
    """A file cannot be used. One sentence: the file, the cause and the way out."""

    def __init__(self, name: str, cause: str, way_out: str) -> None:
        """`cause` and `way_out` are parts of the sentence."""
        self.name, self.cause, self.way_out = name, cause, way_out
        super().__init__(f"{name}: {cause}; {way_out}.")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.cause, self.way_out)


class NotAVideo(MediaError):
    """The file itself is refused; trying it again is of no use."""


def system_failure(name: str, error: OSError) -> MediaError:
    """What the operating system refused, as `MediaError`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MediaError(name, "the disk is full", "free space, or lower the frame cache's bound")
    return MediaError(name, f"cannot be read ({error.strerror})", "check the file and the disk")


def run_decoder(
    request: dict[str, Any], path: Path, name: str, limits: DecodeLimits
) -> dict[str, Any]:
    """Run `resources.decode` on one request and return its answer.

    `name` is what errors call the file. Raises `MediaError` where the file is refused, or where
    the child fails, crashes, or goes over a limit.
    """
    request = {
        **request,
        "path": str(path),
        "threads": limits.threads or min(available_cores(), _MOST_THREADS),
        # Native decoders take a refused allocation for a corrupt frame: it must not come to that
        # before the watch on resident memory ends the child. This stops single huge requests.
        "address_space_bytes": 2 * limits.memory_bytes + 1024**3,
    }
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH")))),
        # One BLAS thread and few heaps keep the address space small.
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [*_COMMAND, json.dumps(request)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            env=environment,
            process_group=0,  # a Ctrl-C reaches this process alone, which then stops the child
        )
        try:
            messages = _follow(child, out, name, limits)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        log.seek(0)
        logged = log.read(64 * 1024).decode(errors="replace")
    last = messages[-1] if messages else {}
    if "ok" in last:
        answer: dict[str, Any] = last["ok"]
        return answer
    if "error" in last:
        raise _refused(name, last["error"], logged, limits)
    raise _died(name, child.returncode, logged)


def _follow(
    child: subprocess.Popen[bytes], out: IO[bytes], name: str, limits: DecodeLimits
) -> list[dict[str, Any]]:
    """Read the child's messages until it ends; raises `MediaError` when it takes too long."""
    started = moved = time.monotonic()
    longest_s: float | None = None
    total_s: float | None = None
    at = 0
    text = b""
    messages: list[dict[str, Any]] = []
    running = True
    while running:
        running = child.poll() is None  # before reading, so that the last words are read
        # The child shares this file's position: read without moving it.
        while part := os.pread(out.fileno(), 1 << 20, at):
            at += len(part)
            text += part
            moved = time.monotonic()
        *lines, text = text.split(b"\n")
        for line in lines:
            message = json.loads(line)
            messages = [message]
            if "load_s" in message:
                total_s = message["duration_s"]
                allowed_s = message["load_s"] * limits.timeout_per_video_s
                longest_s = limits.stall_timeout_s + allowed_s
            if "at_s" in message:
                checkpoint(message["at_s"], total_s)
            if "ok" in message:
                checkpoint(1, 1)
        checkpoint()
        if running and _resident_bytes(child) > limits.memory_bytes:
            raise _too_large(name, limits)
        now = time.monotonic()
        if now - moved > limits.stall_timeout_s:
            raise _too_slow(name, f"decoding stood still for {limits.stall_timeout_s:.0f} s")
        if longest_s is not None and now - started > longest_s:
            raise _too_slow(name, f"decoding took longer than {longest_s:.0f} s")
        if running:
            time.sleep(_POLL_S)
    return messages


def _resident_bytes(child: subprocess.Popen[bytes]) -> int:
    try:
        return int(psutil.Process(child.pid).memory_info().rss)
    except psutil.Error:  # it has just ended
        return 0


def _too_large(name: str, limits: DecodeLimits) -> MediaError:
    return MediaError(
        name,
        f"decoding needs more than {limits.memory_bytes / 1024**3:.2g} GiB of memory",
        "raise the decode memory limit, or scale the video down",
    )


def _too_slow(name: str, cause: str) -> MediaError:
    return MediaError(
        name,
        f"{cause} and was stopped",
        "convert the file anew, or raise the decode time limits on a slow machine",
    )


def _died(name: str, code: int, logged: str) -> MediaError:
    if code < 0:
        how = f"the decoder crashed on it ({signal.Signals(-code).name})"
        if code == -signal.SIGKILL:
            how += ", most likely for want of memory"
    else:
        lines = logged.strip().splitlines()
        how = f"the decoder failed on it ({lines[-1] if lines else f'exit status {code}'})"
    return MediaError(name, how, "convert the file anew, or leave it out")


def _refused(name: str, error: dict[str, Any], logged: str, limits: DecodeLimits) -> MediaError:
    if error["kind"] == "memory":
        return _too_large(name, limits)
    if error["kind"] == "os":
        return system_failure(name, OSError(error["errno"], error["cause"]))
    if error["kind"] == "gpu":
        return MediaError(
            name,
            f"no NVIDIA GPU decodes here ({error['cause']})",
            'set decoder = "cpu" below [ladder], or mend the driver',
        )
    if error["kind"] == "ffmpeg":
        for text, cause in _LOGGED_CAUSES.items():
            if text in logged:
                return NotAVideo(name, cause, _ELSE)
        return NotAVideo(name, f"not a media file that can be read ({error['cause']})", _ELSE)
    return NotAVideo(name, error["cause"], error["way_out"])
