"""One asset for each analyzer, made by one factory."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.

import base64
import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import dagster as dg
import pyarrow as pa

from analyzers.base import (
    AnalysisResult,
    Analyzer,
    Column,
    Preview,
    markdown_table,
    schema_of,
)
from analyzers.models.cache import process_cache
from analyzers.run import Outcome
from analyzers.video import Video
from resources.media import MediaError
from resources.media_decoder import MediaDecoder
from resources.model_holders import models_from_holders
from resources.result_store import ResultStore
from tiktok_assets.analysis import (
    analyze_and_store,
    analyze_together,
    held_roles,
    model_fingerprints,
)
from tiktok_assets.batch import each_partition
from tiktok_assets.crash_ledger import CrashLedger
from tiktok_assets.errors import RETRY, failure
from tiktok_assets.executor import OPTIONAL_TAG, STAGE_TAG
from tiktok_assets.isolated import ProcessLost, analyze_isolated
from tiktok_assets.partitions import VIDEOS
from tiktok_assets.settings import Settings
from tiktok_assets.watchdog import STALL_LIMIT_TAG

OWNERS = ["team:tiktok-assets"]
#: Videos a run of a backfill takes: models and processes are shared, and a lost run costs few.
VIDEOS_PER_RUN = 20
#: One check with three parts: each check costs a run more than most analyzers' bookkeeping does.
CONTRACT = "contract"
_CONTRACT_ABOUT = (
    "The stored result keeps the analyzer's declaration: schema (columns, types, required values), "
    "coverage (one segment for every second, no gaps), ranges (values within their limits)."
)


def analyzer_asset(cls: type[Analyzer], settings: Settings) -> dg.AssetsDefinition:
    """The asset of one analyzer, partitioned by video."""
    own_settings = settings.analyzer_settings(cls)
    enabled = settings.enabled()
    ledger = CrashLedger(settings.data_dir / "state" / "crashes")
    upstream = [*cls.requires, *(name for name in cls.optional if name in enabled)]
    roles = held_roles(cls, settings)

    @dg.asset(
        name=cls.name,
        partitions_def=VIDEOS,
        deps=[*media_deps(cls), *upstream],
        group_name="media" if cls.shared_product else cls.family.value,
        kinds=set(cls.kinds),
        op_tags={
            STAGE_TAG: cls.stage.value,
            STALL_LIMIT_TAG: str(cls.stall_limit_s),
            OPTIONAL_TAG: ",".join(cls.optional),
        },
        code_version=code_version(cls, settings),
        retry_policy=RETRY,
        backfill_policy=dg.BackfillPolicy.multi_run(VIDEOS_PER_RUN),
        owners=OWNERS,
        description=inspect.getdoc(cls),
        metadata={"dagster/column_schema": table_schema(cls.segment_columns)},
        check_specs=[dg.AssetCheckSpec(CONTRACT, asset=cls.name, description=_CONTRACT_ABOUT)],
        required_resource_keys={"media", "results", *roles},
    )
    def compute(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        resources = context.resources
        holders = {role: getattr(resources, role) for role in roles}
        models = models_from_holders(holders, settings.model_choices(cls), settings.files())
        analyzer = cls(models, own_settings)
        ready: dict[str, Outcome | Exception] = {}
        work = partial(_materialize, context, analyzer, enabled, ledger, ready)
        prepare = partial(_prepare, context, analyzer, enabled, ledger, ready)
        yield from each_partition(context, work, prepare, analyzer.videos_at_once)

    return compute


def media_deps(cls: type[Analyzer]) -> list[str]:
    """The media assets that an analyzer's rungs come from."""
    audio = [rung for rung in cls.rungs if rung.startswith("audio")]
    pictures = [rung for rung in cls.rungs if not rung.startswith("audio")]
    deps = ["frames"] * bool(pictures) + ["audio"] * bool(audio)
    return deps or ["frames"]  # the second grid ends with the last frame


def code_version(cls: type[Analyzer], settings: Settings) -> str:
    """Changes with whatever would change the results: code, models, settings.

    The UI shows an asset as stale when it differs from that of the materialization.
    """
    changes = {
        "models": model_fingerprints(cls, settings),
        "settings": settings.analyzer_settings(cls).model_dump(mode="json"),
        "ladder": settings.ladder.what_counts(),
    }
    digest = hashlib.sha256(json.dumps(changes, sort_keys=True).encode()).hexdigest()
    return f"{cls.version}-{digest[:8]}"


def table_schema(columns: tuple[Column, ...]) -> dg.TableSchema:
    """Declared columns as the UI shows them."""
    schema = schema_of(columns)
    return dg.TableSchema(
        [
            dg.TableColumn(
                c.name,
                str(schema.field(c.name).type),
                c.description,
                dg.TableColumnConstraints(nullable=c.nullable, other=_limits(c)),
            )
            for c in columns
        ]
    )


def _limits(column: Column) -> list[str]:
    limits = []
    if column.minimum is not None:
        limits.append(f">= {column.minimum:g}")
    if column.maximum is not None:
        limits.append(f"<= {column.maximum:g}")
    if column.values is not None:
        limits.append("one of " + ", ".join(column.values))
    return limits


def _prepare(
    context: dg.AssetExecutionContext,
    analyzer: Analyzer,
    enabled: Mapping[str, type[Analyzer]],
    ledger: CrashLedger,
    ready: dict[str, Outcome | Exception],
    video_ids: Sequence[str],
) -> None:
    """Analyze several videos at once into `ready`; `_materialize` does what is not there alone.

    So whatever is wrong with one, or with all, is met and told there. One that a process has died
    of is left out: it would take the others along.
    """
    media: MediaDecoder = context.resources.media
    try:
        with ExitStack() as opened:
            videos = []
            for video_id in video_ids:
                if ledger.deaths(analyzer.name, video_id):
                    continue
                with suppress(MediaError):
                    videos.append(opened.enter_context(media.open(video_id)))
                    opened.enter_context(ledger.attempt(analyzer.name, video_id))
            if len(videos) > 1:
                ready |= analyze_together(analyzer, videos, context.resources.results, enabled)
    except Exception as error:
        context.log.warning(
            f"{len(video_ids)} videos could not be analyzed at once ({error!r}); each is now "
            "analyzed by itself."
        )


def _materialize(
    context: dg.AssetExecutionContext,
    analyzer: Analyzer,
    enabled: Mapping[str, type[Analyzer]],
    ledger: CrashLedger,
    ready: dict[str, Outcome | Exception],
    video_id: str,
) -> dg.MaterializeResult:
    """Analyze one video and store what comes out, or why nothing did."""
    media: MediaDecoder = context.resources.media
    results: ResultStore = context.resources.results
    name = analyzer.name
    try:
        with media.open(video_id) as video:
            with ledger.attempt(name, video_id) as attempt:
                if attempt.give_up:
                    raise ProcessLost(f"it took its process with it {attempt.deaths} times")
                if attempt.isolate:
                    context.log.warning(
                        f"{name} took its process with it {attempt.deaths} times on {video_id}; "
                        "it now runs in a process of its own."
                    )
                    analyze_isolated(name, video_id, analyzer.stall_limit_s)
                    stored = results.read(name, video_id)
                    preview = dg.MetadataValue.md("Not drawn: drawing may have been what crashed.")
                else:
                    outcome = ready.pop(video_id, None)
                    if isinstance(outcome, Exception):
                        raise outcome
                    if outcome is None:
                        analyze_and_store(analyzer, video, results, enabled)
                    else:
                        results.write(analyzer, video, *outcome)
                    stored = results.read(name, video_id)
                    preview = _preview(context, analyzer, video, stored)
            return dg.MaterializeResult(
                metadata={
                    "preview": preview,
                    **({"notice": analyzer.notice} if analyzer.notice else {}),
                    **_figures(results.read_json(name, video_id)),
                    **_places(analyzer, results, video_id),
                    "columns": table_schema(analyzer.segment_columns),
                },
                check_results=[_contract(analyzer, stored, video)],
                data_version=dg.DataVersion(_content_hash(stored)),
            )
    except Exception as error:
        told = failure(name, video_id, error, _WAY_OUT)
        try:
            results.write_failure(name, video_id, told.description or "")
        except Exception:  # the place that failed just now: the first error is the one to tell
            context.log.exception(f"The failure of {name} of {video_id} could not be recorded.")
        raise told from error


_WAY_OUT = "The other analyzers are not affected; mend the cause and materialize this one again."


def _contract(analyzer: Analyzer, stored: AnalysisResult, video: Video) -> dg.AssetCheckResult:
    """What was enforced when the result was written, checked again on what is stored."""
    violations = analyzer.violations(stored, video.grid)
    return dg.AssetCheckResult(
        check_name=CONTRACT,
        passed=not any(violations.values()),
        metadata={kind: violation or "ok" for kind, violation in violations.items()},
    )


def _figures(document: Mapping[str, Any]) -> dict[str, Any]:
    models = document["models"]
    figures: dict[str, Any] = {
        "dagster/row_count": document["observation_count"],
        "segments": document["segment_count"],
        "seconds": document["seconds"],
        "realtime_factor": document["realtime_factor"],
        "status": document["status"],
        "models": [f"{m['model_id']} ({m['runtime']})" for m in models],
        "model_calls": {m["model_id"]: m["calls"] for m in models},
        "model_cache": dg.MetadataValue.md(_cache_table()),
        "device": ", ".join(sorted({m["device"] for m in models})) or "cpu",
        "summary": dg.MetadataValue.json(document["summary"]),
    }
    if document["reason"]:
        figures["reason"] = document["reason"]
    return figures


def _cache_table() -> str:
    """What this process's models cost so far."""
    rows = [
        (s.identity.model_id, s.hits, s.loads, s.evictions, "yes" if s.resident else "no")
        for s in process_cache.stats()
    ]
    return markdown_table(("model", "hits", "loads", "evictions", "resident"), rows)


def _places(analyzer: Analyzer, results: ResultStore, video_id: str) -> dict[str, Any]:
    return {
        f"{kind}_file": dg.MetadataValue.path(results.location(analyzer.name, kind, video_id))
        for kind in ("observations", "segments", "json")
    }


def _preview(
    context: dg.AssetExecutionContext, analyzer: Analyzer, video: Video, result: AnalysisResult
) -> dg.MarkdownMetadataValue:
    try:
        preview = (
            analyzer.preview(video, result)
            if result.status == "ok"
            else Preview(markdown=f"Not applicable: {result.reason}")
        )
    except Exception:  # the result stands; the log and the UI say that its picture does not
        context.log.exception("The preview could not be drawn; the result itself is stored.")
        preview = Preview(markdown="The preview could not be drawn; see the log.")
    markdown = preview.markdown
    if preview.image:
        picture = base64.b64encode(preview.image).decode()
        markdown = f"![preview](data:{preview.image_type};base64,{picture})\n\n{markdown}"
    return dg.MetadataValue.md(markdown)


def _content_hash(result: AnalysisResult) -> str:
    """The same for equal tables and summaries, whatever the cost and time of making them."""
    digest = hashlib.sha256(json.dumps(dict(result.summary), sort_keys=True).encode())
    for table in (result.observations, result.segments):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        digest.update(sink.getvalue())
    return digest.hexdigest()[:16]
