"""The jobs. Dagster skips what lies downstream of a failure, so joining is a job of its own."""

from __future__ import annotations

import dagster as dg

from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.report import NAME as REPORT
from tiktok_assets.settings import Settings

MEDIA = ("video", "frames", "audio")


def analyze_job(settings: Settings) -> dg.UnresolvedAssetJobDefinition:
    """Media, and the analyzers that join no others."""
    names = [name for name, cls in settings.enabled().items() if not cls.joins]
    return dg.define_asset_job(
        "analyze",
        selection=dg.AssetSelection.assets(*MEDIA, *names),
        description="Decode a video and run every analyzer that does not join others' results.",
    )


def finish_job(settings: Settings) -> dg.UnresolvedAssetJobDefinition:
    """What joins the analyzers' results: it runs after every analyze run, failed or not."""
    names = [name for name, cls in settings.enabled().items() if cls.joins]
    return dg.define_asset_job(
        "finish",
        selection=dg.AssetSelection.assets(*names, DOCUMENT, REPORT),
        description="Join the results of a video's analyzers into its document and its report.",
    )


def family_jobs(settings: Settings) -> list[dg.UnresolvedAssetJobDefinition]:
    """One for each family of analyzers; what they rest on must be there."""
    families: dict[str, list[str]] = {}
    for name, cls in settings.enabled().items():
        if not cls.shared_product:
            families.setdefault(cls.family.value, []).append(name)
    return [
        dg.define_asset_job(
            f"family_{family}",
            selection=dg.AssetSelection.assets(*names),
            description=f"Recompute the {family} analyzers of a video: {', '.join(sorted(names))}.",
        )
        for family, names in sorted(families.items())
    ]


def single_jobs(settings: Settings) -> list[dg.UnresolvedAssetJobDefinition]:
    """One for each analyzer and shared product; what it rests on must be there."""
    return [
        dg.define_asset_job(
            f"only_{name}",
            selection=dg.AssetSelection.assets(name),
            description=f"Recompute {name} of a video.",
        )
        for name in sorted(settings.enabled())
    ]
