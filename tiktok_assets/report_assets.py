"""Assets that join the analyzers' results of a video."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.

from collections.abc import Iterator, Mapping
from functools import partial

import dagster as dg

from analyzers.base import Analyzer, markdown_table
from resources.media_decoder import MediaDecoder
from resources.result_store import ResultStore
from tiktok_assets.analyzer_assets import OWNERS, VIDEOS_PER_RUN
from tiktok_assets.batch import each_partition
from tiktok_assets.document import NAME, build_document
from tiktok_assets.errors import RETRY, failure
from tiktok_assets.executor import OPTIONAL_TAG, STAGE_TAG
from tiktok_assets.partitions import VIDEOS
from tiktok_assets.settings import Settings


def production_document_asset(settings: Settings) -> dg.AssetsDefinition:
    """The document of a video; it is made from what there is."""
    analyzers = settings.enabled()
    names = sorted(analyzers)

    @dg.asset(
        name=NAME,
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
        work = partial(_write, analyzers, context.resources.media, context.resources.results)
        yield from each_partition(context, work)

    return production_document


def _write(
    analyzers: Mapping[str, type[Analyzer]],
    media: MediaDecoder,
    results: ResultStore,
    video_id: str,
) -> dg.MaterializeResult:
    try:
        document, timeline = build_document(media.info(video_id), analyzers, results)
        results.write_document(NAME, video_id, document, timeline)
    except Exception as error:
        raise failure(NAME, video_id, error, "Mend the cause and materialize it again.") from error
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
            "json_file": dg.MetadataValue.path(results.location(NAME, "json", video_id)),
            "timeline_file": dg.MetadataValue.path(results.location(NAME, "timeline", video_id)),
            "preview": dg.MetadataValue.md(markdown_table(("analyzer", "status", "why"), rows)),
        }
    )
