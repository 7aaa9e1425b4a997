"""Starts all on one machine: Dagster's webserver and daemon, its workers, the HTTP API.

One worker runs errands; for analysis there is one for each GPU, or one.

And one code server for webserver and daemon together: left alone, each starts its own, and the
daemon a new one every minute.

Each is a child in a session of its own, so that a Ctrl-C reaches this process alone, which then
stops them: the daemon first, so that nothing new is begun; then the worker, which ends its run so
that it goes on at the next start. Should this process be killed outright, the kernel stops them
(Linux).

A part that dies is started again, since what it had in hand goes on from where it stood; one that
dies again and again ends the whole.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psutil
import yaml
from dagster import DagsterInstance

from analyzers.models.cache import GPU_SHARERS, RAM_SHARERS
from resources.gpu import visible_gpus
from resources.tether import die_with_parent
from tiktok_assets import lanes
from tiktok_assets.api_exposure import check_exposed
from tiktok_assets.settings import PROJECT_DIR, Settings
from tiktok_assets.worker import STOP_GRACE_S, code_location

START_TIMEOUT_S = 180.0
_STOP_TIMEOUT_S = STOP_GRACE_S + 10.0
_LOG_LIMIT_BYTES = 20_000_000
_RESTART_PAUSE_S = 1.0  # one that cannot start must not take a whole core
_MOST_DEATHS = 3
_DEATHS_WITHIN_S = 60.0


class UpError(RuntimeError):
    """It cannot start, or one of its parts is lost; the message says which and the way out."""


@dataclass
class _Part:
    """One child: how to start it and where it writes."""

    name: str
    command: list[str]
    log_file: Path
    ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    #: Its own environment variables, beside this process's.
    env: Mapping[str, str] = field(default_factory=dict)
    #: The CPU cores it may use; none: all that this process may.
    cores: frozenset[int] = frozenset()
    #: When it was found dead, of late; in seconds on the monotonic clock.
    deaths: list[float] = field(default_factory=list, repr=False)

    def start(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_LIMIT_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".old.log"))
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=PROJECT_DIR,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **self.env},
                preexec_fn=self._before_exec,
            )

    def _before_exec(self) -> None:
        die_with_parent(signal.SIGTERM)
        if self.cores:
            os.sched_setaffinity(0, self.cores)

    def lost(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def dies_too_often(self) -> bool:
        """Count a death; whether there were so many of late that starting it again is no use."""
        now = time.monotonic()
        self.deaths = [*(then for then in self.deaths if now - then < _DEATHS_WITHIN_S), now]
        return len(self.deaths) >= _MOST_DEATHS

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def stop(self) -> None:
        """Ask it to end, wait, and leave nothing of its session behind."""
        if self.process is None:
            return
        family = _family(self.process.pid)
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_TIMEOUT_S)
        family |= _family(self.process.pid)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=2)


def up(
    host: str = "127.0.0.1",
    port: int = 3000,
    open_browser: bool = False,
    workspace: Path = PROJECT_DIR / "workspace.yaml",
    tell: Callable[[str], None] = print,
    api_port: int = 0,
) -> None:
    """Run webserver, daemon and workers until Ctrl-C or SIGTERM, then stop them.

    With an `api_port`, the HTTP API as well.
    `tell` gets what a person should read: the address, and what was restarted. The parts write to
    `<data_dir>/logs`.

    Raises:
        UpError: it already runs on this data folder, a port is taken, or a part does not start
            or dies again and again.
        Exposed: other machines could reach the HTTP API, and no token is set.
    """
    settings = Settings()
    settings.export()
    data_dir = settings.data_dir.resolve()
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home())
    address = f"http://{host}:{port}"
    if api_port:
        check_exposed(settings.api)
    with ExitStack() as stack:
        stack.enter_context(_only_one(data_dir / "state" / "up.lock", address))
        _check_port(host, port, "--port")
        if api_port:
            _check_port(settings.api.host, api_port, "--api-port")
        _initialise_storage()
        stopping = stack.enter_context(_stop_signals())
        sockets = Path(stack.enter_context(TemporaryDirectory(prefix="tiktok-assets-")))
        workers = _workers(settings, workspace, data_dir)
        code, errands, daemon, webserver = _parts(address, workspace, data_dir, sockets)
        pages = [webserver]
        said = f"TikTok Assets is at {address}; "
        if api_port:
            pages.append(_api(address, settings.api.host, api_port, data_dir))
            said += f"its HTTP API at http://{settings.api.host}:{api_port}; "
        # In the order in which they are to have stopped.
        parts = [daemon, *workers, errands, *pages, code]
        try:
            if _start([code, *workers, errands], stopping) and _start([daemon, *pages], stopping):
                if len(workers) > 1:
                    said += f"{len(workers)} workers analyze; "
                tell(f"{said}logs in {data_dir / 'logs'}; Ctrl-C stops it")
                if open_browser:
                    webbrowser.open(address)
            while not stopping.wait(0.5):
                _look_after(parts, tell)
        finally:
            tell("Stopping ...")
            for part in (daemon, *pages, code):
                part.ask_to_stop()
            for part in parts:
                part.stop()


def _part(data_dir: Path, name: str, *command: str, **rest: Any) -> _Part:
    # A module of this interpreter: an environment's scripts need not be on the PATH.
    log_file = data_dir / "logs" / f"{name}.log"
    return _Part(name, [sys.executable, "-m", *command], log_file, **rest)


def _api(address: str, host: str, port: int, data_dir: Path) -> _Part:
    """The HTTP API, which starts runs through the webserver at this address."""

    def ready() -> bool:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return True
        return False

    command = ("tiktok_assets", "serve", "--port", str(port), "--dagster", address)
    return _part(data_dir, "api", *command, ready=ready)


def _workers(settings: Settings, workspace: Path, data_dir: Path) -> list[_Part]:
    """The workers for analysis, which share GPUs, cores and memory evenly.

    Each has one GPU, which it sees as its only one, so that `cuda:0` means another card in each and
    none makes a context on a card that is not its own.
    """
    command = ("tiktok_assets.worker", "-w", str(workspace))
    count = settings.worker_count()
    if count == 1:
        return [_part(data_dir, "worker", *command)]
    gpus = visible_gpus()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    workers = []
    for number in range(count):
        name = f"worker-{number}"
        env = {RAM_SHARERS: str(count)}
        if gpus:
            mine = number % len(gpus)
            env["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as the driver's library numbers them
            env["CUDA_VISIBLE_DEVICES"] = gpus[mine]
            env[GPU_SHARERS] = str(len(range(mine, count, len(gpus))))
        share = frozenset(cores[number::count]) if len(cores) >= count else frozenset()
        workers.append(_part(data_dir, name, *command, "--name", name, env=env, cores=share))
    return workers


def _parts(address: str, workspace: Path, data_dir: Path, sockets: Path) -> list[_Part]:
    """The code server, the worker for errands, the daemon and the webserver."""
    part = partial(_part, data_dir)
    name, module = code_location(workspace)
    code_socket = sockets / "code.sock"
    served = data_dir / "state" / "workspace.yaml"
    entry = {"socket": str(code_socket), "location_name": name}
    served.write_text(yaml.safe_dump({"load_from": [{"grpc_server": entry}]}))
    url = urlsplit(address)
    return [
        part(
            "code",
            *("dagster", "api", "grpc", "--socket", str(code_socket)),
            *("--module-name", module, "--location-name", name),
            ready=lambda: _listens(code_socket),
        ),
        part(
            "errands",
            *("tiktok_assets.worker", "-w", str(workspace)),
            *("--name", "errands", "--queue", lanes.ERRANDS),
        ),
        # Its ordinary level tells every second that a run is in progress.
        part("daemon", "dagster._daemon", "run", "-w", str(served), "--log-level", "warning"),
        part(
            "webserver",
            *("dagster_webserver", "-w", str(served)),
            *("-h", str(url.hostname), "-p", str(url.port)),
            ready=lambda: _answers(address),
        ),
    ]


def _start(parts: list[_Part], stopping: threading.Event) -> bool:
    """Start them; whether all were ready before being asked to stop."""
    for part in parts:
        part.start()
    give_up_at = time.monotonic() + START_TIMEOUT_S
    while not stopping.wait(0.2):
        for part in parts:
            if part.lost():
                raise UpError(f"The {part.name} does not start: {_last_words(part)}")
        waiting = [part for part in parts if not part.ready()]
        if not waiting:
            return True
        if time.monotonic() > give_up_at:
            raise UpError(
                f"The {waiting[0].name} is not ready after {START_TIMEOUT_S:g} s: "
                f"{_last_words(waiting[0])}"
            )
    return False


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _answers(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"{address}/server_info", timeout=5):
        return True
    return False


def _look_after(parts: list[_Part], tell: Callable[[str], None]) -> None:
    for part in parts:
        if not part.lost():
            continue
        if part.dies_too_often():
            raise UpError(
                f"The {part.name} has ended {_MOST_DEATHS} times within {_DEATHS_WITHIN_S:g} s, so "
                f"it is not started again: {_last_words(part)}"
            )
        tell(f"The {part.name} has ended and is started again; see {part.log_file}")
        part.stop()
        time.sleep(_RESTART_PAUSE_S)
        part.start()


def _last_words(part: _Part) -> str:
    lines = part.log_file.read_text(errors="replace").split("\n")
    said = [line for line in lines if line.strip()]
    return f"{said[-1] if said else 'it said nothing'} (all of it in {part.log_file})"


def _initialise_storage() -> None:
    """From one process: several on a fresh home would run into each other's migrations."""
    with DagsterInstance.get() as instance:
        instance.get_runs(limit=1)
        instance.all_instigator_state()


def _check_port(host: str, port: int, option: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UpError(
                f"Cannot listen on {host}:{port} ({error.strerror}): choose another port with "
                f"{option}, or stop what uses it."
            ) from error


@contextmanager
def _only_one(path: Path, address: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        lock.seek(0)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = json.loads(lock.read() or "{}")
            raise UpError(
                f"It already runs on this data folder: {other.get('address')}, process "
                f"{other.get('pid')}. Stop that one with Ctrl-C, or name another folder with "
                "TIKTOK_ASSETS_DATA_DIR."
            ) from None
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "address": address}))
        lock.flush()
        yield


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and the loss of the terminal set."""
    stopping = threading.Event()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, lambda *_: stopping.set()) for number in numbers}
    try:
        yield stopping
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _family(session: int) -> set[psutil.Process]:
    """The processes of a session, the one it began with not included."""
    found = set()
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError):
            if process.pid != session and os.getsid(process.pid) == session:
                found.add(process)
    return found
