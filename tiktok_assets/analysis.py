"""The work of one analyzer on one video, from stored results to a stored result; no Dagster."""

from __future__ import annotations

from analyzers.base import AnalysisResult, Analyzer
from analyzers.models.lending import Models
from analyzers.run import run_analyzer
from analyzers.video import Video
from resources.result_store import ResultMissing, ResultStore
from tiktok_assets.settings import Settings


def models_of(cls: type[Analyzer], settings: Settings) -> Models:
    """The models that the settings give an analyzer, where there are no Dagster resources."""
    profile = Models.of_profile(settings.profile, settings.files())
    changes = {**settings.role_choices(), **settings.model_choices(cls)}
    return Models({**profile.choices, **changes}, profile.files)


def analyze_and_store(analyzer: Analyzer, video: Video, results: ResultStore) -> None:
    """Analyze one video and store the result."""
    result, record = run_analyzer(analyzer, video, _upstream(analyzer, results, video.id))
    results.write(analyzer, video, result, record)


def _upstream(analyzer: Analyzer, results: ResultStore, video_id: str) -> dict[str, AnalysisResult]:
    """The required results, and the optional ones that are there; the last attempt counts.

    Raises `ResultMissing` for a required one that is not there or whose last attempt failed.
    """
    for name in analyzer.requires:
        if (failure := results.failure(name, video_id)) is not None:
            raise ResultMissing(
                f"the last attempt at {name} failed ({failure.error}); materialize {name} first"
            )
    found = {name: results.read(name, video_id) for name in analyzer.requires}
    for name in analyzer.optional:
        if results.has(name, video_id) and results.failure(name, video_id) is None:
            found[name] = results.read(name, video_id)
    return found
