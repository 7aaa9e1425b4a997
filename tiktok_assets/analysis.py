"""The work of one analyzer on one video, from stored results to a stored result; no Dagster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analyzers.base import AnalysisResult, Analyzer
from analyzers.models.lending import Models
from analyzers.run import Outcome, run_analyzer, run_together
from analyzers.video import Video
from resources.result_store import Failure, ResultMissing, ResultStore
from tiktok_assets.settings import Settings


def models_of(cls: type[Analyzer], settings: Settings) -> Models:
    """The models that the settings give an analyzer, where there are no Dagster resources."""
    profile = Models.of_profile(settings.profile, settings.files())
    changes = {**settings.role_choices(), **settings.model_choices(cls)}
    return Models({**profile.choices, **changes}, profile.files)


def held_roles(cls: type[Analyzer], settings: Settings) -> list[str]:
    """The roles an analyzer uses that have a holder among the Dagster resources."""
    profile = Models.of_profile(settings.profile, settings.files())
    held = Models({**profile.choices, **settings.role_choices()}, profile.files).choices
    return [*cls.models_used, *(role for role in cls.optional_models if role in held)]


def model_fingerprints(cls: type[Analyzer], settings: Settings) -> dict[str, str]:
    """`model_id@sha256` of the models an analyzer uses under these settings, by role."""
    models = models_of(cls, settings)
    optional = [role for role in cls.optional_models if models.has(role)]
    return models.fingerprints([*cls.models_used, *optional])


Analyzers = Mapping[str, type[Analyzer]]


def analyze_and_store(
    analyzer: Analyzer, video: Video, results: ResultStore, analyzers: Analyzers
) -> None:
    """Analyze one video and store the result; `analyzers` are those that are enabled."""
    upstream = _upstream(analyzer, results, video.id, analyzers)
    results.write(analyzer, video, *run_analyzer(analyzer, video, upstream))


def analyze_together(
    analyzer: Analyzer, videos: Sequence[Video], results: ResultStore, analyzers: Analyzers
) -> dict[str, Outcome | Exception]:
    """Analyze several videos at once; by video id what came out, which is not stored yet.

    One whose required results are not there is left out. Raises what cannot be told apart.
    """
    cases = []
    for video in videos:
        try:
            cases.append((video, _upstream(analyzer, results, video.id, analyzers)))
        except ResultMissing:
            continue
    outcomes = run_together(analyzer, cases)
    return {video.id: outcome for (video, _), outcome in zip(cases, outcomes, strict=True)}


def failure_behind(
    name: str, video_id: str, analyzers: Analyzers, results: ResultStore
) -> Failure | None:
    """Why a result that may stand is not current: its last attempt failed, or one it requires."""
    if (own := results.failure(name, video_id)) is not None:
        return own
    for required in analyzers[name].requires:
        if (lost := failure_behind(required, video_id, analyzers, results)) is not None:
            return replace(lost, error=f"{name} needs {required}, which failed: {lost.error}")
    return None


def _upstream(
    analyzer: Analyzer, results: ResultStore, video_id: str, analyzers: Analyzers
) -> dict[str, AnalysisResult]:
    """The required results, and the optional ones that are there and current.

    An optional one that is switched off is not there, whatever is stored of it. Raises
    `ResultMissing` for a required one that is not there or whose last attempt failed.
    """
    for name in analyzer.requires:
        if (failure := results.failure(name, video_id)) is not None:
            raise ResultMissing(
                f"the last attempt at {name} failed ({failure.error}); materialize {name} first"
            )
    found = {name: results.read(name, video_id) for name in analyzer.requires}
    for name in analyzer.optional:
        if name not in analyzers or not results.has(name, video_id):
            continue
        if failure_behind(name, video_id, analyzers, results) is None:
            found[name] = results.read(name, video_id)
    return found
