"""Runs one analyzer on one video, checks the result, and records what it cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from analyzers.base import AnalysisResult, Analyzer
from analyzers.models.base import ModelUse, usage_log
from analyzers.video import Video


@dataclass(frozen=True)
class RunRecord:
    """What an analysis cost and which models it used."""

    seconds: float
    realtime_factor: float
    models: tuple[ModelUse, ...]


def run_analyzer(
    analyzer: Analyzer, video: Video, upstream: Mapping[str, AnalysisResult]
) -> tuple[AnalysisResult, RunRecord]:
    """Analyze and check.

    `realtime_factor` is seconds of video per second of work. Raises `LookupError` when a required
    upstream result is missing, `SchemaViolation` when the result breaks the analyzer's declaration.
    """
    if missing := [name for name in analyzer.requires if name not in upstream]:
        raise LookupError(f"{analyzer.name} needs the results of {', '.join(missing)} first")
    started = time.perf_counter()
    with usage_log() as log:
        result = analyzer.analyze(video, upstream)
    seconds = time.perf_counter() - started
    analyzer.check(result, video.grid)
    return result, RunRecord(seconds, video.info.end_s / max(seconds, 1e-9), tuple(log.uses))
