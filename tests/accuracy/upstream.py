"""Runs an analyzer after those whose results it requires."""

from __future__ import annotations

import time

from analyzers.base import AnalysisResult, AnalyzerSettings
from analyzers.models.lending import Models
from analyzers.registry import get_analyzer
from analyzers.run import run_analyzer
from analyzers.video import Video


def analyzed(
    name: str, video: Video, settings: AnalyzerSettings | None = None
) -> tuple[dict[str, AnalysisResult], float]:
    """Its result and those it rests on, by name, and its own CPU-seconds a second of video.

    Models are loaded before the clock starts.
    """
    models = Models.embedded()
    results: dict[str, AnalysisResult] = {}

    def run(wanted: str) -> float:
        analyzer = get_analyzer(wanted, models, settings if wanted == name else None)
        for required in analyzer.requires:
            if required not in results:
                run(required)
        for role in analyzer.models_used:
            with models.lend(role):
                pass
        started = time.process_time()
        results[wanted], _ = run_analyzer(analyzer, video, results)
        return (time.process_time() - started) / video.info.end_s

    cost = run(name)
    return results, cost
