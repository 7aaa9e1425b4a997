"""The one place where everything is put together: assets, jobs, sensors, resources, executor."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import dagster as dg

from analyzers.models import runtime
from resources.media_decoder import MediaDecoder
from resources.model_holders import profile_holders
from resources.report_store import ReportStore
from resources.result_store import ResultStore
from sensors.downloads import downloads_sensor
from sensors.finish import finish_sensor
from tiktok_assets.analyzer_assets import analyzer_asset
from tiktok_assets.download_job import download_job
from tiktok_assets.executor import threaded_executor
from tiktok_assets.housekeeping_job import housekeeping_job
from tiktok_assets.jobs import MEDIA, analyze_job, family_jobs, finish_job, single_jobs
from tiktok_assets.media_assets import media_assets
from tiktok_assets.partitions import VIDEOS
from tiktok_assets.report import NAME as REPORT
from tiktok_assets.report_assets import production_document_asset, report_asset
from tiktok_assets.schedules import download_schedule, housekeeping_schedule
from tiktok_assets.settings import Settings
from tiktok_assets.watched import drop_folder

#: The event log has every event; the worker's own log only what someone should read.
_console = dg.configured(
    dg.colored_console_logger,
    config_schema={"log_level": dg.Field(str, default_value="WARNING")},
)(lambda config: config)


def build_definitions(
    settings: Settings, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """All definitions under these settings; tests and the command line may replace resources."""
    analyzers = settings.enabled()
    analyze, finish = analyze_job(settings), finish_job(settings)
    housekeeping, download = housekeeping_job(settings), download_job(settings)
    return dg.Definitions(
        assets=[
            *media_assets(settings.ladder),
            *(analyzer_asset(cls, settings) for cls in analyzers.values()),
            production_document_asset(settings),
            report_asset(),
        ],
        jobs=[
            analyze,
            finish,
            *family_jobs(settings),
            *single_jobs(settings),
            housekeeping,
            download,
        ],
        schedules=[housekeeping_schedule(housekeeping), download_schedule(download, settings)],
        sensors=[
            finish_sensor(
                finish,
                REPORT,
                {*MEDIA, *analyzers},
                VIDEOS,
                settings.watch.most_runs_per_tick,
            ),
            downloads_sensor(
                analyze,
                VIDEOS,
                partial(drop_folder, settings),
                settings.data_dir,
                settings.min_free_gb,
                settings.watch.most_runs_per_tick,
                settings.watch.tick_budget_s,
            ),
        ],
        resources={
            "media": MediaDecoder(
                data_dir=str(settings.data_dir),
                frame_cache_gb=settings.frame_cache_gb,
                ladder=settings.ladder.model_dump(exclude_defaults=True),
            ),
            "results": ResultStore(url=settings.results),
            "reports": ReportStore(url=settings.reports),
            **profile_holders(settings.profile, settings.role_choices(), settings.files()),
            **(resource_overrides or {}),
        },
        loggers={"console": _console},
        executor=threaded_executor.configured(
            {
                "stage_limits": settings.stage_limits.model_dump(),
                "max_concurrent": settings.max_concurrent_steps or None,
            }
        ),
    )


_settings = Settings()
_settings.export()
runtime.prepare()
defs = build_definitions(_settings)


def analyze() -> dg.JobDefinition:
    """The analyze job, for those who run it in their own process."""
    return defs.resolve_job_def("analyze")


def finish() -> dg.JobDefinition:
    """The finish job, likewise."""
    return defs.resolve_job_def("finish")
