"""Assets that join the analyzers' results of a video."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.

import time
from collections.abc import Iterator, Mapping
from functools import partial

import dagster as dg

from analyzers.base import Analyzer, markdown_table
from resources.media_decoder import MediaDecoder
from resources.report_store import ReportStore
from resources.result_store import ResultStore
from tiktok_assets.analyzer_assets import OWNERS, VIDEOS_PER_RUN
from tiktok_assets.batch import each_partition
from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.document import build_document
from tiktok_assets.errors import RETRY, failure
from tiktok_assets.executor import OPTIONAL_TAG, STAGE_TAG
from tiktok_assets.partitions import VIDEOS
from tiktok_assets.report import NAME as REPORT
from tiktok_assets.report import page
from tiktok_assets.settings import Settings

_WAY_OUT = "Mend the cause and materialize it again."


def production_document_asset(settings: Settings) -> dg.AssetsDefinition:
    """The document of a video; it is made from what there is."""
    analyzers = settings.enabled()
    names = sorted(analyzers)

    @dg.asset(
        name=DOCUMENT,
        partitions_def=VIDEOS,
        deps=["video", *names],
        group_name="document",
        kinds={"json", "parquet"},
        op_tags={STAGE_TAG: "fast", OPTIONAL_TAG: ",".join(names)},
        retry_policy=RETRY,
        backfill_policy=dg.BackfillPolicy.multi_run(VIDEOS_PER_RUN),
        owners=OWNERS,
        description=(
            "All analyzers' results of a video in one JSON, and the second-by-second timeline "
            "with every analyzer's columns. An analyzer that failed is listed with its error."
        ),
        required_resource_keys={"media", "results"},
    )
    def production_document(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        work = partial(_join, analyzers, context.resources.media, context.resources.results)
        yield from each_partition(context, work)

    return production_document


def report_asset() -> dg.AssetsDefinition:
    """The page that a person reads, made of the document and the results behind it."""

    @dg.asset(
        name=REPORT,
        partitions_def=VIDEOS,
        deps=[DOCUMENT],
        group_name="document",
        kinds={"html"},
        op_tags={STAGE_TAG: "fast"},
        code_version=page.VERSION,
        retry_policy=RETRY,
        backfill_policy=dg.BackfillPolicy.multi_run(VIDEOS_PER_RUN),
        owners=OWNERS,
        description=(
            "One HTML page of a video for people, in one file that loads nothing else: storyboard, "
            "timeline, findings, transcript, people, colour, sound, quality, and how all was made."
        ),
        required_resource_keys={"media", "results", "reports"},
    )
    def report(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        found = context.resources
        yield from each_partition(
            context, partial(_report, found.media, found.results, found.reports)
        )

    return report


def _join(
    analyzers: Mapping[str, type[Analyzer]],
    media: MediaDecoder,
    results: ResultStore,
    video_id: str,
) -> dg.MaterializeResult:
    try:
        document, timeline = build_document(media.info(video_id), analyzers, results)
        results.write_document(DOCUMENT, video_id, document, timeline)
    except Exception as error:
        raise failure(DOCUMENT, video_id, error, _WAY_OUT) from error
    about = document["metadata"]
    rows = [
        (name, entry["status"], entry.get("reason") or entry.get("error") or "")
        for name, entry in document["analyzer_results"].items()
    ]
    return dg.MaterializeResult(
        metadata={
            "successful_analyzers": about["successful_analyzers"],
            "total_analyzers": about["total_analyzers"],
            "processing_time_seconds": about["processing_time_seconds"],
            "dagster/row_count": timeline.num_rows,
            "columns": len(timeline.schema),
            "json_file": dg.MetadataValue.path(results.location(DOCUMENT, "json", video_id)),
            "timeline_file": dg.MetadataValue.path(
                results.location(DOCUMENT, "timeline", video_id)
            ),
            "preview": dg.MetadataValue.md(markdown_table(("analyzer", "status", "why"), rows)),
        }
    )


def _report(
    media: MediaDecoder, results: ResultStore, reports: ReportStore, video_id: str
) -> dg.MaterializeResult:
    started = time.perf_counter()
    try:
        document = results.read_json(DOCUMENT, video_id)
        made = page.render(document, results, partial(media.open, video_id)).encode()
        reports.write(video_id, made)
    except Exception as error:
        raise failure(REPORT, video_id, error, _WAY_OUT) from error
    where = reports.location(video_id)
    return dg.MaterializeResult(
        metadata={
            "report": dg.MetadataValue.url(where)
            if "://" in where
            else dg.MetadataValue.path(where),
            "size_bytes": len(made),
            "seconds": round(time.perf_counter() - started, 3),
        }
    )
