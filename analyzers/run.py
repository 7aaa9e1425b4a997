"""Runs an analyzer on a video, or on several at once; checks results and records what they cost."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzers.base import AnalysisResult, Analyzer, Case, SchemaViolation
from analyzers.models.base import ModelUse, usage_log
from analyzers.video import Video


@dataclass(frozen=True)
class RunRecord:
    """What an analysis cost and which models it used."""

    seconds: float
    realtime_factor: float
    models: tuple[ModelUse, ...]


Outcome = tuple[AnalysisResult, RunRecord]


def run_analyzer(
    analyzer: Analyzer, video: Video, upstream: Mapping[str, AnalysisResult]
) -> Outcome:
    """Analyze and check.

    `realtime_factor` is seconds of video per second of work. Raises `LookupError` when a required
    upstream result is missing, `SchemaViolation` when the result breaks the analyzer's declaration.
    """
    [outcome] = run_together(analyzer, [(video, upstream)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def run_together(analyzer: Analyzer, cases: Sequence[Case]) -> list[Outcome | Exception]:
    """Analyze several videos at once and check; an error of one stands in its place.

    Their seconds are parts of the whole time, by the length of the videos; so all have the same
    `realtime_factor`. A model's call that answered for several counts for each, with its own items.
    Raises what `Analyzer.analyze_together` does, and `LookupError` as `run_analyzer`.
    """
    for _, upstream in cases:
        if missing := [name for name in analyzer.requires if name not in upstream]:
            raise LookupError(f"{analyzer.name} needs the results of {', '.join(missing)} first")
    started = time.perf_counter()
    with usage_log() as log:
        results = analyzer.analyze_together(cases)
    seconds = time.perf_counter() - started
    lengths_s = [max(video.info.end_s, 1e-3) for video, _ in cases]
    realtime_factor = sum(lengths_s) / max(seconds, 1e-9)
    outcomes: list[Outcome | Exception] = []
    for (video, _), length_s, result in zip(cases, lengths_s, results, strict=True):
        if isinstance(result, Exception):
            outcomes.append(result)
            continue
        try:
            analyzer.check(result, video.grid)
        except SchemaViolation as error:
            outcomes.append(error)
            continue
        uses = log.uses if len(cases) == 1 else log.uses_for(video.id)
        own_seconds = seconds * length_s / sum(lengths_s)
        outcomes.append((result, RunRecord(own_seconds, realtime_factor, tuple(uses))))
    return outcomes
