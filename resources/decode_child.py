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
from typing import Any

from analyzers.cores import available_cores
from analyzers.progress import checkpoint
from resources.ladder_settings import DecodeLimits

_POLL_S = 0.05
_ROOT = str(Path(__file__).resolve().parents[1])
#: What FFmpeg writes to its log where the reason is more than its error code says.
_LOGGED_CAUSES = {
    "moov atom not found": "moov atom missing: the file is cut off or was never finished",
    "trun track id unknown": "moov atom missing: a fragment without its header",
    "no tfhd was found": "moov atom missing: a fragment without its header",
}


class MediaError(Exception):
    """A file cannot be used. One sentence: the file, the cause and the way out."""

    def __init__(self, path: Path | str, cause: str, way_out: str) -> None:
        """`cause` and `way_out` are parts of a sentence, without a full stop."""
        self.path, self.cause, self.way_out = str(path), cause, way_out
        super().__init__(f"{Path(path).name}: {cause}; {way_out}.")


def run_decoder(
    request: dict[str, Any], path: Path, limits: DecodeLimits, timeout_s: float
) -> dict[str, Any]:
    """Run `resources.decode` on one request and return its answer.

    Raises `MediaError` where the file is refused, or where the child fails, crashes, needs more
    memory than `limits.memory_bytes`, or more time than `timeout_s`.
    """
    request = {
        **request,
        "path": str(path),
        "threads": limits.threads or available_cores(),
        "memory_bytes": limits.memory_bytes,
    }
    search = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH"))))
    environment = {
        **os.environ,
        "PYTHONPATH": search,
        # One BLAS thread and few heaps keep the address space small.
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "resources.decode", json.dumps(request)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            env=environment,
        )
        try:
            _wait(child, path, timeout_s)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        out.seek(0)
        log.seek(0)
        answer, logged = out.read(), log.read(64 * 1024).decode(errors="replace")
    if child.returncode != 0:
        raise _died(path, child.returncode, logged)
    result: dict[str, Any] = json.loads(answer)
    if "ok" in result:
        return result["ok"]  # type: ignore[no-any-return]
    raise _refused(path, result["error"], logged, limits)


def _wait(child: subprocess.Popen[bytes], path: Path, timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while child.poll() is None:
        checkpoint()
        if time.monotonic() > until:
            raise MediaError(
                path,
                f"decoding took longer than {timeout_s:.0f} s and was stopped",
                "the file is damaged or the machine too slow: raise the decode time limit, or "
                "convert the file anew",
            )
        time.sleep(_POLL_S)


def _died(path: Path, code: int, logged: str) -> MediaError:
    if code < 0:
        how = f"the decoder crashed on it ({signal.Signals(-code).name})"
        if code == -signal.SIGKILL:
            how += ", most likely for want of memory"
    else:
        lines = logged.strip().splitlines()
        how = f"the decoder failed on it ({lines[-1] if lines else f'exit status {code}'})"
    return MediaError(path, how, "convert the file anew, or leave it out")


def _refused(path: Path, error: dict[str, Any], logged: str, limits: DecodeLimits) -> MediaError:
    if error["kind"] == "memory":
        cause = f"decoding needs more than {limits.memory_bytes / 1024**3:.1f} GiB of memory"
        return MediaError(path, cause, "raise the decode memory limit, or scale the video down")
    if error["kind"] == "os":
        if error["errno"] == errno.ENOSPC:
            return MediaError(path, "the disk is full", "free space or lower the cache's bound")
        return MediaError(path, f"cannot be read ({error['cause']})", "check the file")
    cause = error["cause"]
    for text, meaning in _LOGGED_CAUSES.items():
        if text in logged:
            cause = meaning
            break
    else:
        if error["kind"] == "ffmpeg":
            cause = f"not a readable media file ({cause})"
    return MediaError(path, cause, "give a file that plays, or leave this one out")
