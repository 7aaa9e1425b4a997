"""The library of source files, and videos as analyzers read them.

library = MediaLibrary(Path("data"))
video_id = library.register(Path("clip.mp4"))
with library.open(video_id) as video:
    ...
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzers.video import JpegFrames, MappedFrames, Video, VideoInfo
from resources.decode_child import MediaError, run_decoder, system_failure
from resources.ladder_cache import LadderCache
from resources.ladder_settings import DecodeLimits, LadderSettings
from resources.probe import ProbeResult, audio_info, probe_file
from resources.sidecar import read_metadata, sidecar_of
from resources.whole_file import sync, write_whole

__all__ = [
    "DecodeLimits",
    "LadderSettings",
    "MediaError",
    "MediaLibrary",
    "ProbeResult",
    "SourceFile",
    "open_video",
]

_RECORD = ".source.json"


@dataclass(frozen=True)
class SourceFile:
    """A registered file."""

    video_id: str
    file: str
    sha256: str
    size_bytes: int
    original_name: str
    #: When its file in the library was changed last, as far as that is known. A hard link shares
    #: its bytes with whoever writes to them: at another time they are hashed again.
    mtime_ns: int = 0


class MediaLibrary:
    """Source files under `<data_dir>/library`, their ladders under `<data_dir>/cache/ladder`."""

    def __init__(
        self,
        data_dir: Path,
        settings: LadderSettings | None = None,
        limits: DecodeLimits | None = None,
        max_cache_bytes: int = 20 * 10**9,
    ) -> None:
        self.settings = settings or LadderSettings()
        self.limits = limits or DecodeLimits()
        self._folder = Path(data_dir) / "library"
        self._folder.mkdir(parents=True, exist_ok=True)
        #: By SHA-256 what was registered: a search through the names takes too long in a large
        #: library.
        self._index = self._folder / ".sha256"
        self._index.mkdir(exist_ok=True)
        self._cache = LadderCache(Path(data_dir) / "cache" / "ladder", max_cache_bytes)

    def register(self, path: Path | str) -> str:
        """Take a file into the library and return its video id.

        The file is hard-linked, or copied where that is not possible; so is its `.info.json`.
        The same bytes under another name are the same video. Raises `MediaError` where there is
        no such file; whether it is a video is `probe`'s question.
        """
        path = Path(path)
        try:
            return self._register(path)
        except OSError as error:
            raise system_failure(str(path), error) from None

    def _register(self, path: Path) -> str:
        sha256 = _sha256(path)
        source = self._find(sha256)
        if source is None:
            source = self._new_source(path, sha256)
        if self._read(self._index / sha256) is None:
            self._note(source)
        recorded = self._read(self._record(source.video_id))
        if not self._is_whole(recorded or source):
            _link_or_copy(path, self._folder / source.file)
        # The record comes last: a video id is known when its file is whole.
        self._keep_record(source, recorded)
        if (sidecar := sidecar_of(path)) is not None:
            write_whole(self._sidecar(source.video_id), sidecar.read_bytes())
        return source.video_id

    def _new_source(self, path: Path, sha256: str) -> SourceFile:
        for digits in (8, 16):  # two files may have the first eight in common
            video_id = f"{_slug(path.stem)}-{sha256[:digits]}"
            noted = self._read(self._record(video_id))
            if noted is None:
                break
            if noted.sha256 == sha256:
                return noted  # a library from before there was an index
        file = video_id + path.suffix.lower()
        return SourceFile(video_id, file, sha256, path.stat().st_size, path.name)

    def video_ids(self) -> list[str]:
        """All registered videos, sorted."""
        return sorted(p.name.removesuffix(_RECORD) for p in self._folder.glob(f"*{_RECORD}"))

    def source(self, video_id: str) -> SourceFile:
        """A registered file. Raises `KeyError` for an unknown video id."""
        if (source := self._read(self._record(video_id))) is not None:
            return source
        if self._record(video_id).exists():
            raise MediaError(
                video_id, "its record in the library is damaged", "register its file again"
            )
        raise KeyError(f"{video_id}: no such video; register its file first")

    def path(self, video_id: str) -> Path:
        """Where a video's source file lies."""
        return self._folder / self.source(video_id).file

    def probe(self, video_id: str) -> ProbeResult:
        """What the file is. Raises `MediaError` where it cannot be analyzed."""
        source = self.source(video_id)
        return probe_file(self._unchanged(source), source.original_name, self.limits)

    def metadata(self, video_id: str, tags: Mapping[str, str]) -> tuple[dict[str, Any], str]:
        """What a sidecar or the container's `tags` say of a video, and a remark on what was odd."""
        return read_metadata(self._sidecar(video_id), tags)

    @contextmanager
    def open(self, video_id: str) -> Iterator[Video]:
        """The decoded video; its ladder is built on a miss and stays until the block is left.

        Raises `MediaError` where the file cannot be decoded.
        """
        source = self.source(video_id)
        path = self._unchanged(source)

        def build(folder: Path) -> dict[str, Any]:
            request = {
                "what": "ladder",
                "folder": str(folder),
                "settings": self.settings.model_dump(),
            }
            return run_decoder(request, path, source.original_name, self.limits)

        with ExitStack() as stack:
            try:
                folder, meta = stack.enter_context(self._cache.open(self._key(source), build))
                video = self._video(source, folder, meta)
            except OSError as error:
                raise system_failure(source.original_name, error) from error
            yield video

    def remove(self, video_id: str) -> None:
        """Forget a video: its file in the library, what was said of it, its ladder.

        The file that it was registered from stays. Raises `KeyError` for an unknown video id.
        """
        source = self.source(video_id)
        # The record first: what is left of a removal that is cut short is no video any more.
        self._record(video_id).unlink()
        (self._index / source.sha256).unlink(missing_ok=True)
        self._sidecar(video_id).unlink(missing_ok=True)
        (self._folder / source.file).unlink(missing_ok=True)
        self._cache.remove(self._key(source))

    def _key(self, source: SourceFile) -> str:
        return f"{source.sha256[:32]}-{self.settings.key()}"

    def evict(self, max_bytes: int) -> list[str]:
        """Shrink the frame cache, oldest first; what is open stays. Returns the removed keys."""
        return self._cache.evict(max_bytes)

    def _video(self, source: SourceFile, folder: Path, meta: dict[str, Any]) -> Video:
        fields = dict(meta)
        rungs, tags = fields.pop("rungs"), fields.pop("tags")
        metadata, remark = self.metadata(source.video_id, tags)
        fields["warnings"] = (*fields["warnings"], *([remark] if remark else []))
        fields["audio"] = audio_info(fields["audio"])
        info = VideoInfo(
            video_id=source.video_id,
            path=str(self._folder / source.file),
            sha256=source.sha256,
            size_bytes=source.size_bytes,
            metadata={"original_name": source.original_name, **metadata},
            **fields,
        )
        return Video(
            info=info,
            thumbs=_mapped(folder, "thumbs"),
            motion=_mapped(folder, "motion"),
            analysis=_mapped(folder, "analysis"),
            detail=JpegFrames(
                *_table(folder, "detail"),
                files=[
                    folder / "detail" / f"{i:06d}.jpg" for i in range(rungs["detail"]["frames"])
                ],
            ),
            audio_16k=_map(folder / "audio_16k.npy") if info.audio else None,
            audio_44k=_map(folder / "audio_44k.npy") if info.audio else None,
        )

    def _unchanged(self, source: SourceFile) -> Path:
        """The file's place."""
        if self._is_whole(source):
            self._keep_record(source, source)
        else:
            raise MediaError(
                source.original_name,
                "its bytes are gone or changed since it was registered",
                "register it again",
            )
        return self._folder / source.file

    def _is_whole(self, source: SourceFile) -> bool:
        path = self._folder / source.file
        try:
            stat = path.stat()
        except FileNotFoundError:
            return False
        if stat.st_size != source.size_bytes:
            return False
        return stat.st_mtime_ns == source.mtime_ns or _sha256(path) == source.sha256

    def _keep_record(self, source: SourceFile, recorded: SourceFile | None) -> None:
        """Have a video's record say what its whole file is, and when that was changed last."""
        mtime_ns = (self._folder / source.file).stat().st_mtime_ns
        if (current := replace(source, mtime_ns=mtime_ns)) != recorded:
            written = json.dumps(asdict(current), indent=2).encode()
            write_whole(self._record(source.video_id), written)

    def _find(self, sha256: str) -> SourceFile | None:
        noted = self._read(self._index / sha256)
        if noted is None and (self._index / sha256).exists():  # torn: it is not synced
            records = (self._read(self._record(video_id)) for video_id in self.video_ids())
            noted = next((known for known in records if known and known.sha256 == sha256), None)
        return noted

    @staticmethod
    def _read(path: Path) -> SourceFile | None:
        try:
            return SourceFile(**json.loads(path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None  # not there, or torn by a loss of power

    def _note(self, source: SourceFile) -> None:
        # Before the record: whoever is stopped in between goes on with the same video id.
        partial = self._index / f".new-{uuid.uuid4().hex}"
        partial.write_text(json.dumps(asdict(source)))
        partial.replace(self._index / source.sha256)

    def _record(self, video_id: str) -> Path:
        return self._folder / f"{video_id}{_RECORD}"

    def _sidecar(self, video_id: str) -> Path:
        return self._folder / f"{video_id}.info.json"


@contextmanager
def open_video(
    path: Path | str, data_dir: Path | str | None = None, settings: LadderSettings | None = None
) -> Iterator[Video]:
    """A file as a `Video`, for plain Python; without `data_dir` all is removed at the end."""
    with ExitStack() as stack:
        if data_dir is None:
            data_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="tiktok-assets-"))
        library = MediaLibrary(Path(data_dir), settings)
        yield stack.enter_context(library.open(library.register(path)))


def _map(path: Path) -> np.ndarray:
    array: np.ndarray = np.load(path, mmap_mode="r")
    return array


def _table(folder: Path, rung: str) -> tuple[np.ndarray, np.ndarray]:
    return np.load(folder / f"{rung}.times_s.npy"), np.load(folder / f"{rung}.frames.npy")


def _mapped(folder: Path, rung: str) -> MappedFrames:
    return MappedFrames(*_table(folder, rung), pixels=_map(folder / f"{rung}.npy"))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "video"


def _link_or_copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".new-{uuid.uuid4().hex}")
    try:
        try:
            os.link(source.resolve(), partial)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, partial)
            sync(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
