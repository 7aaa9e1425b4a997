"""How all was made: each analyzer's state, time, models and devices; also what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tiktok_assets.report.told import Told
from tiktok_assets.report.wording import number, words

#: Analyzers whose results have sections of their own; all others are told by their summaries.
_TOLD = frozenset({
    "age_estimation", "audio_analysis", "audio_environment", "background_segmentation",
    "body_pose", "camera_analysis", "color_analysis", "composition_analysis", "content_quality",
    "cross_analyzer_intelligence", "cut_analysis", "eye_tracking", "face_emotion", "faces",
    "object_detection", "product_detection", "qwen2_vl_temporal", "scene_segmentation",
    "speech_emotion", "speech_flow", "speech_rate", "speech_transcription", "temporal_flow",
    "text_overlay", "visual_effects", "voices",
})  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One analyzer's part in it."""

    name: str
    status: str
    why: str
    seconds: float | None
    models: Sequence[str]


@dataclass(frozen=True)
class Other:
    """An analyzer that this page knows nothing of, by its summary."""

    name: str
    fields: list[tuple[str, str]]


def steps(told: Told) -> list[Step]:
    """All analyzers: those that failed first, then by the alphabet."""
    made = [_step(name, entry) for name, entry in sorted(told.entries.items())]
    return sorted(made, key=lambda step: step.status in ("ok", "not_applicable"))


def failed(told: Told) -> list[Step]:
    """Those that have no result."""
    return [step for step in steps(told) if step.status not in ("ok", "not_applicable")]


def others(told: Told) -> list[Other]:
    """What analyzers of other packages, or those that are off by default, say in a word."""
    return [
        Other(name, fields)
        for name, entry in sorted(told.entries.items())
        if name not in _TOLD and told.ok(name) and (fields := _fields(entry["summary"]))
    ]


def _step(name: str, entry: dict[str, Any]) -> Step:
    models = [
        f"{m['model_id']} on {m['device']} ({m['runtime']})" for m in entry.get("models") or ()
    ]
    return Step(
        name,
        entry["status"],
        entry.get("reason") or entry.get("error") or "",
        entry.get("seconds"),
        models,
    )


def _fields(summary: dict[str, Any]) -> list[tuple[str, str]]:
    told = []
    for field, value in summary.items():
        if isinstance(value, bool):
            told.append((words(field), "yes" if value else "no"))
        elif isinstance(value, int | float):
            told.append((words(field), number(value, 2)))
        elif isinstance(value, str) and value:
            told.append((words(field), value))
    return told
