"""Downloads videos from URLs into a watched folder, each in a process of its own."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.url_settings import UrlSettings

#: `-P`: what lies in the current folder is not imported.
_COMMAND = [sys.executable, "-P", "-m", "resources.download"]
_ROOT = str(Path(__file__).resolve().parents[1])
_SOCKET_TIMEOUT_S = 20.0
#: Failures that pass by themselves.
PASSING = frozenset({"network", "timeout", "crash", "disk"})


@dataclass(frozen=True)
class Downloaded:
    """The videos behind a URL: names in the watched folder, and how many were there before."""

    files: tuple[str, ...]
    known: int


@dataclass(frozen=True)
class Failed:
    """Why there is none: `kind` as in `download_errors.Failure`, `reason` a sentence."""

    kind: str
    reason: str

    @property
    def passes(self) -> bool:
        """Whether another attempt may help without anybody doing anything."""
        return self.kind in PASSING


class Downloader:
    """Starts downloads, and puts what they bring into the watched folder."""

    def __init__(self, settings: UrlSettings, data_dir: Path, watched: Path) -> None:
        """`watched` is where the videos go; partial files lie in `partial` below `data_dir`."""
        self._settings = settings
        self._partial = data_dir / "partial"
        self._archive = data_dir / "state" / "download_archive.txt"
        self._watched = watched

    def start(self, url: str, tags: Sequence[str] = ()) -> Download:
        """Begin with a URL, or go on where an earlier attempt came to an end."""
        settings = self._settings
        request = {
            **settings.model_dump(mode="json"),
            "proxy": settings.proxy.get_secret_value(),
            "url": url,
            "tags": list(tags),
            "folder": str(self._folder(url)),
            "archive": sorted(self._archived()),
            "socket_timeout_s": min(_SOCKET_TIMEOUT_S, settings.stall_s),
        }
        return Download(request, settings.timeout_s, settings.stall_s)

    def finish(self, url: str, videos: Sequence[dict[str, Any]]) -> Downloaded:
        """Move what a download brought into the watched folder, each with its sidecar first.

        Killed in between, the next attempt brings the same files under the same names.
        """
        self._watched.mkdir(parents=True, exist_ok=True)
        folder = self._folder(url)
        brought = [video for video in videos if video["video"]]
        for video in brought:
            _move(folder / video["info"], self._watched)
            _move(folder / video["video"], self._watched)
            self._record(video["archive_id"])
        shutil.rmtree(folder, ignore_errors=True)
        return Downloaded(tuple(v["video"] for v in brought), len(videos) - len(brought))

    def forget(self, url: str) -> None:
        """Remove what there is of a download that failed for good."""
        shutil.rmtree(self._folder(url), ignore_errors=True)

    def _folder(self, url: str) -> Path:
        """Where the parts of a URL's files lie until they are whole."""
        return self._partial / hashlib.sha256(url.encode()).hexdigest()[:16]

    def _archived(self) -> set[str]:
        """Lines of the archive, a file like that of yt-dlp's --download-archive."""
        try:
            return {line.strip() for line in self._archive.read_text().splitlines()} - {""}
        except FileNotFoundError:
            return set()

    def _record(self, archive_id: str) -> None:
        if archive_id and archive_id not in self._archived():
            self._archive.parent.mkdir(parents=True, exist_ok=True)
            with self._archive.open("a") as file:
                file.write(f"{archive_id}\n")


class Download:
    """One URL that is being downloaded. `poll` it until it has an answer, or `stop` it."""

    def __init__(self, request: dict[str, Any], timeout_s: float, stall_s: float) -> None:
        self.url: str = request["url"]
        #: Bytes so far of the file that is being downloaded, and in all where that is known.
        self.at_bytes = 0
        self.total_bytes: int | None = None
        #: Sentences that were not looked at yet.
        self.said: list[str] = []
        self._timeout_s, self._stall_s = timeout_s, stall_s
        self._started = self._moved = time.monotonic()
        self._read = 0
        self._text = b""
        self._answer: dict[str, Any] = {}
        self._out, self._log = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH")))),
        }
        self._child = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=self._out,
            stderr=self._log,
            env=environment,
            process_group=0,  # a Ctrl-C reaches this process alone, which then stops the child
        )
        assert self._child.stdin is not None
        try:
            # Not as an argument, which everybody on the machine can read.
            self._child.stdin.write(json.dumps(request).encode())
            self._child.stdin.close()
        except BrokenPipeError:  # it died at once, which `poll` tells
            pass

    def poll(self) -> list[dict[str, Any]] | Failed | None:
        """What `resources.download` answered; None while it works."""
        running = self._child.poll() is None  # before reading, so that the last words are read
        self._follow()
        if running:
            now = time.monotonic()
            if now - self._moved > self._stall_s:
                self.stop()
                return Failed("timeout", f"nothing came for {self._stall_s:g} s.")
            if now - self._started > self._timeout_s:
                self.stop()
                return Failed("timeout", f"it took longer than {self._timeout_s:g} s.")
            return None
        failed = self._failed()
        self._close()
        return failed or self._answer["ok"]

    def stop(self) -> None:
        """End the child now. What there is of the file stays for another attempt."""
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._close()

    def _follow(self) -> None:
        # The child shares this file's position: read without moving it.
        while part := os.pread(self._out.fileno(), 1 << 20, self._read):
            self._read += len(part)
            self._text += part
            self._moved = time.monotonic()
        *lines, self._text = self._text.split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "at_bytes" in message:
                self.at_bytes, self.total_bytes = message["at_bytes"], message["total_bytes"]
            if "said" in message:
                self.said.append(message["said"])
            if "ok" in message or "error" in message:
                self._answer = message

    def _failed(self) -> Failed | None:
        if "ok" in self._answer:
            return None
        if "error" in self._answer:
            return Failed(**self._answer["error"])
        code = self._child.returncode
        if code < 0:
            return Failed("crash", f"the download crashed ({signal.Signals(-code).name}).")
        self._log.seek(0)
        last = self._log.read().decode(errors="replace").strip().splitlines()[-1:]
        return Failed("bug", f"the download failed: {''.join(last) or f'exit status {code}'}.")

    def _close(self) -> None:
        self._out.close()
        self._log.close()


def _move(file: Path, folder: Path) -> None:
    """Put a file into a folder under its own name, at once, whatever disk the folder is on."""
    try:
        file.replace(folder / file.name)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        hidden = folder / f".{file.name}.tmp"
        shutil.copy2(file, hidden)
        hidden.replace(folder / file.name)
        file.unlink()
