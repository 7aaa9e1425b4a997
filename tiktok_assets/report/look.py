"""Colour, composition, camera and editing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tiktok_assets.report.facts import Fact, Share, fact, facts, shares
from tiktok_assets.report.told import Row, Told
from tiktok_assets.report.wording import clock, number, percent, plural, words

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_MOST_CHANGES = 60
_DECORATIONS = ("overlay",)  # each line of text is one; the section on text has them


@dataclass(frozen=True)
class Look:
    """How it is shot, cut and coloured."""

    palette: list[Row]
    colour: list[Fact]
    grades: list[Row]
    scales: list[Share]
    composition: list[Fact]
    camera: list[Fact]
    moves: list[Share]
    editing: list[Fact]
    #: Transitions and effects in order of time.
    changes: list[Row]
    changes_left_out: int
    why: dict[str, str]


def look(told: Told) -> Look:
    """All of it; what an analyzer cannot tell is in `why`."""
    palette = [c for c in told.values("color_analysis", "palette") if _HEX.fullmatch(c["hex"])]
    changes = _changes(told)
    names = ("color_analysis", "composition_analysis", "camera_analysis", "cut_analysis")
    return Look(
        palette,
        _colour(told),
        told.values("color_analysis", "grades"),
        shares(told.values("composition_analysis", "shot_scales"), "shot_scale"),
        _composition(told),
        _camera(told),
        _moves(told),
        _editing(told),
        changes[:_MOST_CHANGES],
        max(0, len(changes) - _MOST_CHANGES),
        {name: told.why_not(name) for name in names if not told.ok(name)},
    )


def _of(told: Told, analyzer: str, field: str) -> str | None:
    value = told.value(analyzer, field)
    return None if value is None else words(value)


def _colour(told: Told) -> list[Fact]:
    name = "color_analysis"
    contrast = told.value(name, "contrast_rms")
    crushed, blown = (
        told.value(name, field) for field in ("shadows_crushed_share", "highlights_blown_share")
    )
    return facts(
        fact("Grade", _of(told, name, "grade")),
        fact("Mood of the colours", _of(told, name, "mood")),
        fact("Harmony", _of(told, name, "harmony")),
        fact("Tone", _of(told, name, "tone")),
        fact("Colour temperature", told.value(name, "color_temperature_k"), "K", 0),
        fact("Contrast (RMS)", contrast, digits=2),
        fact("Colourfulness", told.value(name, "colourfulness"), digits=0),
        fact("Crushed shadows", None if crushed is None else percent(crushed)),
        fact("Blown highlights", None if blown is None else percent(blown)),
    )


def _composition(told: Told) -> list[Fact]:
    name = "composition_analysis"
    placement = next(iter(told.values(name, "placements")), None)
    lines = told.value(name, "leading_lines_shot_count")
    return facts(
        fact("Usual shot scale", _of(told, name, "shot_scale")),
        fact("Subject", placement and words(placement["placement"]),
             note=f"in {percent(placement['share'])} of the shots" if placement else ""),
        fact("Rule of thirds", told.value(name, "thirds_score"), "of 1", 2),
        fact("Balance", told.value(name, "balance"), "of 1", 2),
        fact("Symmetry", told.value(name, "symmetry"), "of 1", 2),
        fact("Headroom", told.value(name, "headroom_ratio"), "of the height", 2),
        fact("Leading lines", plural(lines, "shot") if lines else None),
        fact("Depth cues", ", ".join(words(cue) for cue in told.values(name, "depth_cues"))),
    )  # fmt: skip


def _camera(told: Told) -> list[Fact]:
    name = "camera_analysis"
    return facts(
        fact("Mostly", _of(told, name, "dominant_kind")),
        fact("Moves", told.value(name, "move_count"), digits=0),
        fact("Mean speed", told.value(name, "mean_speed"), "frame widths a second", 3),
        fact("Shake", told.value(name, "shake"), digits=4),
    )


def _moves(told: Told) -> list[Share]:
    kinds = (
        "static", "handheld", "pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in",
        "zoom_out", "roll_clockwise", "roll_counterclockwise", "unknown",
    )  # fmt: skip
    found = [Share(words(k), told.value("camera_analysis", f"{k}_ratio") or 0.0) for k in kinds]
    return sorted((s for s in found if s.share > 0.005), key=lambda s: -s.share)


def _editing(told: Told) -> list[Fact]:
    name = "cut_analysis"
    shortest, longest = (told.value(name, f) for f in ("shortest_shot_s", "longest_shot_s"))
    first = told.value(name, "first_change_s")
    return facts(
        fact("Shots", told.value(name, "shot_count"), digits=0),
        fact("Cuts", told.value(name, "cut_count"), digits=0),
        fact("Gradual transitions", told.value(name, "gradual_count") or None, digits=0),
        fact("Mean shot", told.value(name, "mean_shot_length_s"), "s"),
        fact("Shortest, longest", f"{number(shortest)} and {number(longest)}\u202fs")
        if shortest is not None and longest is not None and shortest != longest
        else None,
        fact("First change", None if first is None else clock(first)),
        fact("Scenes", told.value("scene_segmentation", "scene_count"), digits=0),
    )


def _changes(told: Told) -> list[Row]:
    """Gradual transitions and effects, each once: both analyzers tell of fades."""
    effects = [r for r in told.rows("visual_effects") if r["effect"] not in _DECORATIONS]
    return [
        row.but(detail="" if row["detail"] in (None, row["effect"]) else row["detail"])
        for row in effects
    ]
