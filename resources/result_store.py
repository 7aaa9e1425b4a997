"""Where results stand: Parquet and JSON below any fsspec URL, each file whole or absent.

Layout, `<id>` being the video id:

    <url>/<analyzer>/observations/<id>.parquet
    <url>/<analyzer>/segments/<id>.parquet
    <url>/<analyzer>/json/<id>.json          written last: it makes the result count
    <url>/<analyzer>/files/<id>.<suffix>     what else the analyzer gives, e.g. SRT
    <url>/<analyzer>/failures/<id>.json      why the last attempt failed; gone after a success
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from analyzers.base import AnalysisResult, Analyzer
from analyzers.run import RunRecord
from analyzers.video import Video
from resources.file_store import FileStore

FORMAT_VERSION = 1
#: Key of the Parquet footer under which the provenance stands as JSON.
PROVENANCE_KEY = b"tiktok_assets"


class ResultMissing(LookupError):
    """No finished result of this analyzer for this video."""


@dataclass(frozen=True)
class Failure:
    """Why an analyzer's last attempt at a video failed."""

    analyzer: str
    video_id: str
    error: str
    failed_at: str


class ResultStore(dg.ConfigurableResource):
    """Writes and reads results as Parquet and JSON at a local folder or object store."""

    url: str = Field(description="Folder or fsspec URL (s3://, gs://, memory://) of the results")

    @cached_property
    def _files(self) -> FileStore:
        return FileStore(self.url)

    def write(
        self,
        analyzer: Analyzer,
        video: Video,
        result: AnalysisResult,
        record: RunRecord,
    ) -> dict[str, Any]:
        """Store a result that kept its declaration, replacing the one before.

        Returns the JSON document. Raises `OSError` when the place cannot be written; nothing that
        stood there before is lost then.
        """
        name, video_id = analyzer.name, video.id
        document: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "result_id": uuid.uuid4().hex,
            "analyzer": name,
            "analyzer_version": analyzer.version,
            "video_id": video_id,
            "source_sha256": video.info.sha256,
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": result.status,
            "reason": result.reason,
            "settings": analyzer.settings.model_dump(mode="json"),
            "models": [
                {**asdict(use.identity), "calls": use.calls, "items": use.items}
                for use in record.models
            ],
            "seconds": round(record.seconds, 3),
            "realtime_factor": round(record.realtime_factor, 2),
            "observation_count": result.observations.num_rows,
            "segment_count": result.segments.num_rows,
            "files": sorted(result.files),
            "summary": dict(result.summary),
        }
        footer = {PROVENANCE_KEY: _to_json({k: v for k, v in document.items() if k != "summary"})}
        observations = result.observations.add_column(
            0,
            pa.field("video_id", pa.string(), False, {"description": "The video's id"}),
            pa.array([video_id] * result.observations.num_rows, pa.string()),
        )
        files = {self._path(name, "files", video_id, s): c for s, c in result.files.items()}
        try:
            before = self.read_json(name, video_id)["files"]
        except ResultMissing:
            before = []
        self._files.put(
            {
                **files,
                self._path(name, "observations", video_id): _to_parquet(observations, footer),
                self._path(name, "segments", video_id): _to_parquet(result.segments, footer),
                self._path(name, "json", video_id): _to_json(document, indent=1),
            }
        )
        for suffix in set(before) - set(result.files):
            self._files.remove(self._path(name, "files", video_id, suffix))
        self._files.remove(self._path(name, "failures", video_id))
        return document

    def read(self, analyzer: str, video_id: str, with_files: bool = True) -> AnalysisResult:
        """A stored result. Raises `ResultMissing` when there is none or it is half replaced.

        Its further files, as keyframes, may be many: `with_files` is whether they are read too.
        """
        document = self.read_json(analyzer, video_id)
        tables = {}
        for kind in ("observations", "segments"):
            try:
                table = self._read_table(self._path(analyzer, kind, video_id))
            except (FileNotFoundError, pa.ArrowInvalid):
                raise ResultMissing(
                    f"the stored {kind} of {analyzer} for {video_id} are gone or damaged; "
                    f"materialize {analyzer} again"
                ) from None
            footer = json.loads((table.schema.metadata or {}).get(PROVENANCE_KEY, b"{}"))
            if footer.get("result_id") != document["result_id"]:
                raise ResultMissing(
                    f"{analyzer} of {video_id}: its {kind} belong to another attempt than its "
                    f"JSON; materialize {analyzer} again"
                )
            tables[kind] = table.replace_schema_metadata(None)
        return AnalysisResult(
            observations=tables["observations"].drop_columns(["video_id"]),
            segments=tables["segments"],
            summary=document["summary"],
            status=document["status"],
            reason=document["reason"],
            files={s: self.read_file(analyzer, video_id, s) for s in document["files"]}
            if with_files
            else {},
        )

    def read_json(self, analyzer: str, video_id: str) -> dict[str, Any]:
        """A stored result's JSON document. Raises `ResultMissing`."""
        try:
            return json.loads(self._files.get(self._path(analyzer, "json", video_id)))
        except FileNotFoundError:
            raise ResultMissing(
                f"no result of {analyzer} for {video_id}; materialize {analyzer} first"
            ) from None
        except ValueError:
            raise ResultMissing(
                f"the stored JSON of {analyzer} for {video_id} is damaged; materialize {analyzer} "
                "again"
            ) from None

    def read_file(self, analyzer: str, video_id: str, suffix: str) -> bytes:
        """One of the further files, e.g. `srt`. Raises `FileNotFoundError`."""
        return self._files.get(self._path(analyzer, "files", video_id, suffix))

    def has(self, analyzer: str, video_id: str) -> bool:
        """Whether a finished result stands."""
        return self._files.has(self._path(analyzer, "json", video_id))

    def video_ids(self, analyzer: str) -> list[str]:
        """Ids of the videos this analyzer has finished results for, sorted."""
        return self._listed(analyzer, "json")

    def failed_video_ids(self, analyzer: str) -> list[str]:
        """Ids of the videos whose last attempt failed, sorted."""
        return self._listed(analyzer, "failures")

    def _listed(self, analyzer: str, kind: str) -> list[str]:
        return [name.removesuffix(".json") for name in self._files.names(f"{analyzer}/{kind}")]

    def newest_s(self, video_id: str) -> float | None:
        """When a video's newest result was written, seconds since the epoch; None without any."""
        found = [self._path(name, "json", video_id) for name in self._files.names()]
        times = [self._files.changed_s(path) for path in found if self._files.has(path)]
        return max(times, default=None)

    def remove(self, video_id: str) -> int:
        """Remove all that is stored of a video; returns the number of files."""
        paths = []
        for name in self._files.names():
            for kind in ("json", "segments", "observations", "failures", "timeline"):
                paths.append(self._path(name, kind, video_id))
            listed = self._files.names(f"{name}/files")
            paths += [f"{name}/files/{f}" for f in listed if f.startswith(f"{video_id}.")]
        # The JSON, which makes a result count, comes first.
        return sum(self._files.remove(path) for path in paths)

    def remove_leftovers(self, older_than_s: float) -> int:
        """Remove what processes that were killed left half written; returns the number of files."""
        return self._files.remove_leftovers("*/*", older_than_s)

    def write_failure(self, analyzer: str, video_id: str, error: str) -> None:
        """Record why an attempt failed, so that the document can name it."""
        failure = Failure(
            analyzer, video_id, error, datetime.now(UTC).isoformat(timespec="seconds")
        )
        path = self._path(analyzer, "failures", video_id)
        self._files.put({path: _to_json(asdict(failure), indent=1)})

    def clear_failure(self, analyzer: str, video_id: str) -> None:
        """Forget a failure, once an attempt succeeded that stores no result here."""
        self._files.remove(self._path(analyzer, "failures", video_id))

    def failure(self, analyzer: str, video_id: str) -> Failure | None:
        """Why the last attempt failed; None when it succeeded or there was none."""
        try:
            return Failure(
                **json.loads(self._files.get(self._path(analyzer, "failures", video_id)))
            )
        except FileNotFoundError:
            return None
        except ValueError:
            error = f"{analyzer} of {video_id} failed, and the note of why is damaged"
            return Failure(analyzer, video_id, error, "")

    def write_document(
        self, name: str, video_id: str, document: Mapping[str, Any], timeline: pa.Table
    ) -> None:
        """Store a merged document: its timeline as Parquet, then the whole as JSON."""
        footer = {PROVENANCE_KEY: _to_json({"result_id": document["result_id"]})}
        self._files.put(
            {
                self._path(name, "timeline", video_id): _to_parquet(timeline, footer),
                self._path(name, "json", video_id): _to_json(document, indent=1),
            }
        )

    def location(self, analyzer: str, kind: str, video_id: str) -> str:
        """Path or full URL of a stored file: `kind` is observations, segments, json or timeline."""
        return self._files.location(self._path(analyzer, kind, video_id))

    def _path(self, analyzer: str, kind: str, video_id: str, suffix: str = "") -> str:
        ending = suffix or ("json" if kind in ("json", "failures") else "parquet")
        return f"{analyzer}/{kind}/{video_id}.{ending}"

    def _read_table(self, path: str) -> pa.Table:
        return pq.read_table(pa.BufferReader(self._files.get(path)))


def _to_json(document: Mapping[str, Any], indent: int | None = None) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False).encode()


def _to_parquet(table: pa.Table, footer: Mapping[bytes, bytes]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(footer), sink, compression="zstd")
    return sink.getvalue().to_pybytes()
