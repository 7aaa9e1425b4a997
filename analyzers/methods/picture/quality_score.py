"""From measures of quality to one score: the anchors, the weights and the sum, in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part of the score.

    A measure at `good` or better gives 100, at `bad` or worse 0, and in between it is linear.
    `weight` says how much of its impairment goes into the overall score.
    """

    name: str
    measure: str
    good: float
    bad: float
    weight: float


#: The anchors are this project's own and not from a publication: `good` is where the labelled demo
#: clips lie as they are, `bad` where the strongest degradations of tests/accuracy make them
#: unpleasant. Sharpness, noise, blocks and light spoil a video by themselves and weigh 1; banding
#: is seen in smooth parts only, small pictures and shake are part of many good videos (0.5), and a
#: volume can be turned (0.25).
PARTS: tuple[Part, ...] = (
    Part("sharpness", "sharpness", 0.55, 0.15, 1.0),
    Part("noise", "noise_sigma", 2.0, 12.0, 1.0),
    Part("blockiness", "blockiness", 1.0, 8.0, 1.0),
    Part("banding", "banding_ratio", 0.01, 0.15, 0.5),
    Part("darkness", "lit_luma_p95", 0.5, 0.05, 1.0),
    Part("overexposure", "highlights_blown_share", 0.1, 0.6, 1.0),
    Part("resolution", "upscaling_degradation", 0.0, 100.0, 0.5),
    Part("stability", "shake", 0.02, 0.2, 0.5),
    Part("loudness", "loudness_distance_lu", 2.0, 20.0, 0.25),
)
#: No part is taken for worse than this in the sum, which it would otherwise decide alone.
_FLOOR = 5.0

#: What a phone held upright shows.
_DISPLAY_PX = 1080 * 1920


def upscaling_degradation(width_px: int, height_px: int) -> float:
    """What a picture loses on a display of 1080x1920 pixels, 0..100.

    ITU-T P.1203.1 (2017), 8.1: degradation due to upscaling, 72.61 log10(0.32 (scale - 1) + 1)
    with the scale as ratio of pixel counts.
    """
    scale = max(1.0, _DISPLAY_PX / (width_px * height_px))
    return min(100.0, 72.61 * math.log10(0.32 * (scale - 1) + 1))


def part_scores(measures: Mapping[str, float | None]) -> dict[str, float | None]:
    """0 bad .. 100 good for each part; None where its measure is None or not given."""
    return {part.name: _score(part, measures.get(part.measure)) for part in PARTS}


def _score(part: Part, value: float | None) -> float | None:
    if value is None:
        return None
    return 100.0 * min(1.0, max(0.0, (value - part.bad) / (part.good - part.bad)))


def impairments(scores: Mapping[str, float | None]) -> dict[str, float]:
    """What each known part adds, in weighted imps: 0 for a score of 100, the weight for 50."""
    known = {part: scores.get(part.name) for part in PARTS}
    return {
        part.name: part.weight * (100.0 / max(_FLOOR, score) - 1)
        for part, score in known.items()
        if score is not None
    }


def overall_score(scores: Mapping[str, float | None]) -> float:
    """One score 0..100 from those of the parts; a part that is not known takes nothing away.

    Impairments add up and not scores (Lewis & Allnatt 1965, Electronics Letters 1:187; Allnatt
    1983, Transmitted-Picture Assessment): a score of u, 0..1, is an impairment of 1/u - 1 imps. So
    one thing that is really bad spoils the whole, which a mean would hide.
    """
    return 100.0 / (1.0 + sum(impairments(scores).values()))
