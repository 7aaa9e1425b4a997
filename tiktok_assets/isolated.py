"""One analysis in a process of its own: `python -m tiktok_assets.isolated <analyzer> <video id>`.

For an analyzer that has taken its whole process with it on this video before: if it does so again,
only this process is lost.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
import traceback

from analyzers import progress
from analyzers.models import runtime
from resources.tether import die_with_parent
from tiktok_assets.errors import TransientError, is_transient
from tiktok_assets.settings import Settings

_POLL_S = 0.5


class ProcessLost(RuntimeError):
    """The process of its own died too, or hung."""


def analyze_isolated(analyzer: str, video_id: str, limit_s: float) -> None:
    """Analyze and store in a child process; the result is then read from the store.

    The child's output goes where this process's goes. Raises `ProcessLost` when the child dies of
    a signal or shows no progress for `limit_s`; `RuntimeError` with its last words when it fails,
    `TransientError` where that is worth another try.
    """
    signs, sender = os.pipe()
    child = subprocess.Popen(
        # `-P`: what lies in the current folder, which relative paths in settings go by, is not
        # imported.
        [sys.executable, "-P", "-m", "tiktok_assets.isolated", analyzer, video_id, str(sender)],
        pass_fds=[sender],
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,  # a Ctrl-C reaches this process alone, which then stops the child
    )
    os.close(sender)
    try:
        stop_at = time.monotonic() + limit_s
        while True:
            try:
                _, said = child.communicate(timeout=_POLL_S)
                break
            except subprocess.TimeoutExpired:
                progress.checkpoint()
                if select.select([signs], [], [], 0)[0] and os.read(signs, 4096):
                    stop_at = time.monotonic() + limit_s
                if time.monotonic() > stop_at:
                    raise ProcessLost(
                        f"in a process of its own it showed no progress for {limit_s:g} s and was "
                        "stopped"
                    ) from None
    finally:
        os.close(signs)
        child.kill()
        child.wait()
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        raise ProcessLost(f"in a process of its own it crashed that one too ({name})")
    if child.returncode:
        lines = said.strip().splitlines()
        kind = TransientError if child.returncode == os.EX_TEMPFAIL else RuntimeError
        raise kind(lines[-1] if lines else f"exit code {child.returncode}")


def _tell_progress(task: progress.Task, sender: int) -> None:
    """Write a byte whenever the task has moved on, from a thread that does not keep the process."""

    def tell() -> None:
        told = 0.0  # that it has started is the first sign
        while True:
            if task.last_progress != told:
                told = task.last_progress
                os.write(sender, b".")
            time.sleep(_POLL_S)

    threading.Thread(target=tell, name="progress", daemon=True).start()


def main(analyzer_name: str, video_id: str, sender: str) -> None:
    """The child's side; `sender` is the file descriptor that takes its signs of progress."""
    task = progress.Task(analyzer_name)
    _tell_progress(task, int(sender))
    runtime.prepare()
    from resources.media import MediaLibrary
    from resources.result_store import ResultStore
    from tiktok_assets.analysis import analyze_and_store, models_of

    settings = Settings()
    enabled = settings.enabled()
    cls = enabled[analyzer_name]
    analyzer = cls(models_of(cls, settings), settings.analyzer_settings(cls))
    library = MediaLibrary(settings.data_dir, settings.ladder)
    with progress.run_task(task), library.open(video_id) as video:
        analyze_and_store(analyzer, video, ResultStore(url=settings.results), enabled)


if __name__ == "__main__":
    die_with_parent()
    try:
        main(*sys.argv[1:])
    except Exception as error:
        traceback.print_exc()
        sys.exit(os.EX_TEMPFAIL if is_transient(error) else 1)
