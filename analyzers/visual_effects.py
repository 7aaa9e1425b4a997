"""Editing effects: transitions, freezes, flashes, punches, filters, bars, panels and more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    AnalyzerSettings,
    Column,
    Family,
    Preview,
    Stage,
    confidence,
)
from analyzers.methods.edit.effects.effect import Effect
from analyzers.methods.edit.effects.search import find_effects
from analyzers.methods.edit.effects.sheet import effect_sheet
from analyzers.methods.edit.effects.signals import Signals, Transition
from analyzers.video import Video

KINDS = (
    "fade",
    "dissolve",
    "wipe",
    "whip_pan",
    "flash",
    "glitch",
    "zoom_punch",
    "freeze",
    "speed_ramp",
    "filter_change",
    "letterbox",
    "split_screen",
    "green_screen",
    "overlay",
)
_DETAILS = (
    "Its form. fade: in, out, through_black, through_white. whip_pan: horizontal, vertical. flash: "
    "white, black. glitch: colour_split, slices, noise. zoom_punch: in, out, in_and_back, "
    "out_and_back. speed_ramp: slower. filter_change: warmer, cooler, brighter, darker, "
    "black_and_white, colour, other. letterbox: top_and_bottom, sides. split_screen: the layout. "
    "green_screen: green, blue. overlay: the role of its text. Null where it has one form only"
)
_STRENGTHS = (
    "How much of it. flash: the part of the picture that white or black replaces. zoom_punch: the "
    "enlargement. speed_ramp: speed against the shot's own. filter_change: mean change of colour, "
    "levels of 255. letterbox and green_screen: part of the picture. Null for others"
)


class VisualEffects(Analyzer):
    """Finds editing effects, each with from, to and confidence.

    Fades, dissolves and wipes are cut_analysis's; overlays are the captions, stickers and
    watermarks of text_overlay (pictures laid over without text are not found). All else is signal
    processing on the frames: flash, glitch, whip pan and zoom punch; freeze and slow motion, known
    by exactly repeated frames; a filter put on within a shot; black or white bars (`letterbox`,
    also at the sides); split screen with panels of equal size; an even green or blue screen behind
    a subject. From is the first frame that shows the effect, to the first that does not.

    Accuracy, on effects put into real footage at three strengths, encoded (H.264) and decoded, on
    parts of clips that no threshold was set on: recall 0.93 over twelve kinds, 108 clips (least:
    speed_ramp 6 of 9, since speeding up is not found; letterbox and wipe 7), no effect of another
    kind, median error of from and to at most 0.04 s.
    On the eight cut-free clips, two minutes: no false effect. Overlays: not measured here.

    What it does not find: footage sped up, slow motion with interpolated frames, blurred copies in
    place of bars, keyed-in backgrounds, panels of unequal size.
    """

    name: ClassVar[str] = "visual_effects"
    version: ClassVar[str] = "2"
    family: ClassVar[Family] = Family.EDIT
    stage: ClassVar[Stage] = Stage.MEDIUM_GPU
    kinds: ClassVar[tuple[str, ...]] = ("opencv", "scipy")
    rungs: ClassVar[tuple[str, ...]] = ("thumbs", "motion", "analysis")
    requires: ClassVar[tuple[str, ...]] = ("cut_analysis",)
    optional: ClassVar[tuple[str, ...]] = ("text_overlay",)
    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        END_S,
        Column("effect", pa.string(), "Kind of effect", values=KINDS),
        Column("detail", pa.string(), _DETAILS, True),
        Column("strength", pa.float64(), _STRENGTHS, True, minimum=0.0),
        confidence("How plainly it is that effect"),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column(
            "effects",
            pa.list_(pa.string()),
            "Kinds that touch this second, in the order of the declaration",
        ),
        Column("effect_count", pa.int32(), "Effects that begin in this second", minimum=0),
        Column(
            "effect_ratio",
            pa.float32(),
            "Part of the second in which there is any",
            minimum=0.0,
            maximum=1.0,
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("effect_count", pa.int32(), "All effects", minimum=0),
        *(Column(f"{kind}_count", pa.int32(), f"Of the kind {kind}", minimum=0) for kind in KINDS),
        Column("effects_per_minute", pa.float64(), "All effects for a minute", minimum=0.0),
        Column("effect_kinds", pa.list_(pa.string()), "Kinds that occur"),
    )

    class Settings(AnalyzerSettings):
        """How sure an effect has to be."""

        min_confidence: float = Field(
            0.4, ge=0, le=1, description="Effects with less confidence are left out"
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        cuts = upstream["cut_analysis"].observations.to_pylist()
        transitions = [
            Transition(row["kind"], row["time_s"], row["end_s"], row["confidence"])
            for row in cuts
            if row["type"] == "transition"
        ]
        found = [
            *find_effects(Signals(video, transitions)),
            *_overlays(upstream.get("text_overlay")),
        ]
        effects = [e for e in found if e.confidence >= self.settings.min_confidence]
        effects.sort(key=lambda e: (e.start_s, e.end_s, KINDS.index(e.effect)))
        return AnalysisResult(
            observations=self.observations([_row(effect) for effect in effects]),
            segments=self.segments(video.grid, _segments(effects, video)),
            summary=_summary(effects, video.info.end_s),
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The effects as bars over time, and below them a picture of each."""
        rows = result.observations.to_pylist()
        if not rows:
            return Preview(markdown="No effects.")
        return Preview(image=effect_sheet(video, rows, KINDS))


def _overlays(texts: AnalysisResult | None) -> list[Effect]:
    """Stretches with text laid over the picture, one for each role and stretch without a gap."""
    if texts is None or texts.status != "ok":
        return []
    found: list[Effect] = []
    rows = [row for row in texts.observations.to_pylist() if row["role"] != "scene_text"]
    for role in sorted({row["role"] for row in rows}):
        for row in (row for row in rows if row["role"] == role):
            last = found[-1] if found and found[-1].detail == role else None
            if last is not None and row["time_s"] <= last.end_s:
                found[-1] = Effect(
                    "overlay",
                    last.start_s,
                    max(last.end_s, row["end_s"]),
                    max(last.confidence, row["confidence"]),
                    role,
                )
            else:
                found.append(
                    Effect("overlay", row["time_s"], row["end_s"], row["confidence"], role)
                )
    return found


def _row(effect: Effect) -> dict[str, Any]:
    return {
        "time_s": effect.start_s,
        "end_s": effect.end_s,
        "effect": effect.effect,
        "detail": effect.detail or None,
        "strength": effect.strength,
        "confidence": effect.confidence,
    }


def _segments(effects: Sequence[Effect], video: Video) -> dict[str, list[Any]]:
    grid = video.grid
    columns: dict[str, list[Any]] = {"effects": [], "effect_count": [], "effect_ratio": []}
    begins = [grid.segment_of(effect.start_s) for effect in effects]
    for segment, (from_s, to_s) in enumerate(grid.windows_s(VisualEffects.overlap_s)):
        near = {e.effect for e in effects if e.start_s < to_s and e.end_s > from_s}
        columns["effects"].append([kind for kind in KINDS if kind in near])
        columns["effect_count"].append(begins.count(segment))
        columns["effect_ratio"].append(_covered(effects, *grid.bounds_s(segment)))
    return columns


def _covered(effects: Sequence[Effect], start_s: float, end_s: float) -> float:
    """The part of a stretch that lies within any effect."""
    inside = [
        (max(start_s, e.start_s), min(end_s, e.end_s))
        for e in effects
        if e.start_s < end_s and e.end_s > start_s
    ]
    covered, reached = 0.0, start_s
    for from_s, to_s in sorted(inside):
        covered += max(0.0, to_s - max(from_s, reached))
        reached = max(reached, to_s)
    return float(np.clip(covered / max(end_s - start_s, 1e-6), 0, 1))


def _summary(effects: Sequence[Effect], end_s: float) -> dict[str, Any]:
    counts = {kind: sum(e.effect == kind for e in effects) for kind in KINDS}
    return {
        "effect_count": len(effects),
        **{f"{kind}_count": count for kind, count in counts.items()},
        "effects_per_minute": 60 * len(effects) / max(end_s, 1e-3),
        "effect_kinds": [kind for kind in KINDS if counts[kind]],
    }
