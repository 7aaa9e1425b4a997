"""How good picture and sound are technically: measures with sources, and one score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
from pydantic import Field

from analyzers import progress
from analyzers.base import (
    TIME_S,
    AnalysisResult,
    Analyzer,
    AnalyzerSettings,
    Column,
    Family,
    Preview,
    Stage,
)
from analyzers.methods.picture.banding import banding_ratio
from analyzers.methods.picture.blockiness import blockiness
from analyzers.methods.picture.colorimetry import light
from analyzers.methods.picture.exposure import lit_luma_p95
from analyzers.methods.picture.noise import noise_sigma
from analyzers.methods.picture.prompts import GOOD_PICTURE
from analyzers.methods.picture.quality_score import (
    PARTS,
    impairments,
    overall_score,
    part_scores,
    upscaling_degradation,
)
from analyzers.methods.picture.quality_sheet import quality_sheet
from analyzers.methods.picture.sharpness import sharpness
from analyzers.video import Frames, Video

#: RMS contrast (1.5 levels) under which there is nothing to see: plain colours, ends of fades.
_BLANK_CONTRAST = 0.006
#: How far past its second shake is looked at: there are 15 steps a second.
_SHAKE_REACH_S = 0.25


def _share(name: str, description: str, nullable: bool = False) -> Column:
    return Column(name, pa.float32(), description, nullable, 0.0, 1.0)


def _level(name: str, description: str, nullable: bool = False) -> Column:
    return Column(name, pa.float32(), description, nullable, 0.0, 255.0)


#: What is measured of a picture, and as a mean of a second's and of all pictures.
_MEASURES: tuple[Column, ...] = (
    _share(
        "sharpness",
        "0 blurred, 1 sharp, no unit: one minus the blur metric of Crete et al. 2007, mean of full "
        "size and a short side of 360 pixels; noise reads as sharp; null without edges",
        nullable=True,
    ),
    _level(
        "noise_sigma",
        "Standard deviation of noise in luma, 8-bit levels, at full size (Immerkaer 1996, 20 % "
        "quantile over blocks): what is below 3 reads lower, up to 3 may be fine texture; null "
        "where nearly all is close to black or white",
        nullable=True,
    ),
    _level(
        "blockiness",
        "Height of the steps on a codec's 8x8 grid, 8-bit levels, at full size (after Wang, Bovik "
        "& Evans 2000); up to 0.7 is no sign of blocks",
    ),
    _share(
        "banding_ratio",
        "Part of the picture on false contours in gradients, with a short side of 360 pixels "
        "(plateaus and steps, after Tu et al. 2020 and Tandon et al. 2021)",
    ),
    _share("luma_mean", "Mean Rec. 709 luma, 0 black, 1 white"),
    _share(
        "lit_luma_p95",
        "Luma (Rec. 601, 0 black, 1 white) that 5 % of the pixels that are not black exceed: low "
        "where the picture is too dark",
    ),
    _share("shadows_crushed_share", "Part of the picture within 2 % of black"),
    _share("highlights_blown_share", "Part of the picture within 2 % of white: over-exposed"),
)
_BLANK = Column("blank", pa.bool_(), "Nothing to see (RMS contrast below 0.006): a plain colour")
_SHAKE = Column(
    "shake",
    pa.float32(),
    "Frame-to-frame shake, frame widths a second: how far pan and tilt speed lie from their "
    "running median, median over the steps that camera_analysis took; null where it knows none",
    nullable=True,
    minimum=0.0,
)


def _score_column(description: str, name: str = "score", nullable: bool = False) -> Column:
    return Column(name, pa.float32(), description, nullable, 0.0, 100.0)


_WHAT = {
    "sharpness": "Sharpness, from `sharpness`; null where that is",
    "noise": "Freedom from noise, from `noise_sigma`; null where that is",
    "blockiness": "Freedom from blocks, from `blockiness`",
    "banding": "Freedom from banding, from `banding_ratio`",
    "darkness": "Freedom from darkness, from `lit_luma_p95`",
    "overexposure": "Freedom from over-exposure, from `highlights_blown_share`",
    "resolution": "Resolution on a phone's display (ITU-T P.1203.1, degradation due to upscaling)",
    "stability": "Freedom from shake, from `shake`; null where that is",
    "loudness": "Loudness to target, from `loudness_offset_lu`; null where that is",
}
_NULLABLE_PARTS = ("sharpness", "noise", "stability", "loudness")
_PART_COLUMNS: tuple[Column, ...] = tuple(
    _score_column(f"{_WHAT[part.name]}: 100 good, 0 bad", f"{part.name}_score", part.name
                  in _NULLABLE_PARTS)
    for part in PARTS
)  # fmt: skip
_SUM = "impairments of the parts add up (Lewis & Allnatt 1965; weights in methods/quality_score.py)"


@dataclass(frozen=True)
class _Measured:
    """One picture: the columns of `_MEASURES`, the score of each part, is there anything to see."""

    time_s: float
    frame: int
    measures: dict[str, float | None]
    scores: dict[str, float | None]
    blank: bool


class ContentQuality(Analyzer):
    """Sharpness, noise, blocks, banding, light, resolution, shake and loudness, and one score.

    A picture a second is measured: at full size for sharpness, noise and blocks, which a smaller
    picture no longer shows, and with a short side of 360 pixels for light and banding. Each measure
    gives a part of the score, 0 to 100. A second's and the video's measures and parts are means
    over their pictures, blank ones left out where there are others; the score is made from these
    parts: 100 where none takes anything away, and one bad part spoils it. A dark or a soft picture
    may be wanted: this tells what is there and knows no intention. White grounds count as
    over-exposed.

    With a model for the role `clip` the scores are half CLIP-IQA's (Wang, Chan & Loy 2023): how far
    "Good photo." describes the picture better than "Bad photo."; measures and parts stay as they
    are. Without one there is no learned quality model in it.

    Measured on the frames kept for analysis, not on the file's: the full-size ones are JPEG of
    quality 92 (which takes away faint noise and adds up to 0.4 levels of blockiness) and have a
    short side of 1080 pixels at most, so blocks of larger videos are not found.

    Accuracy: blur, noise, blocks, dark and over-exposure made in three strengths each lower their
    own part step by step, and the score with it. No ratings by people were to be had.
    """

    name: ClassVar[str] = "content_quality"
    version: ClassVar[str] = "1"
    family: ClassVar[Family] = Family.PICTURE
    stage: ClassVar[Stage] = Stage.LIGHT_GPU
    kinds: ClassVar[tuple[str, ...]] = ("opencv",)
    optional_models: ClassVar[tuple[str, ...]] = ("clip",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis", "detail")
    optional: ClassVar[tuple[str, ...]] = ("camera_analysis", "audio_analysis")
    #: One picture a second: each speaks for its own second.
    overlap_s: ClassVar[float] = 0.0

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        Column("frame", pa.int64(), "Number of the frame in the source", minimum=0),
        *_MEASURES,
        _BLANK,
        _score_column(f"Of the picture, without shake and sound: {_SUM}"),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        *_MEASURES,
        _BLANK,
        _SHAKE,
        *(column for column in _PART_COLUMNS if column.name != "loudness_score"),
        _score_column(f"Of the second, without sound: {_SUM}"),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("sampled_frame_count", pa.int32(), "Pictures that were measured", minimum=1),
        Column("blank_frame_count", pa.int32(), "Of these, blank ones", minimum=0),
        Column("width_px", pa.int32(), "Width of the upright frame", minimum=1),
        Column("height_px", pa.int32(), "Height of the upright frame", minimum=1),
        *_MEASURES,
        _SHAKE,
        Column(
            "loudness_lufs",
            pa.float32(),
            "Integrated loudness (ITU-R BS.1770-4), from audio_analysis; null without it",
            nullable=True,
        ),
        Column(
            "loudness_offset_lu",
            pa.float32(),
            "Loudness above the target in the settings, LU; null without audio_analysis",
            nullable=True,
        ),
        *_PART_COLUMNS,
        _score_column(f"Of the video: {_SUM}"),
        Column(
            "weakest_part",
            pa.string(),
            "The part that takes most from the score; null where none does",
            nullable=True,
            values=tuple(part.name for part in PARTS),
        ),
        Column("best_time_s", pa.float64(), "Time of the best picture", minimum=0.0),
        Column("worst_time_s", pa.float64(), "Time of the worst picture", minimum=0.0),
        Column("notes", pa.list_(pa.string()), "Why a figure is missing"),
    )

    class Settings(AnalyzerSettings):
        """What loudness is aimed at."""

        target_lufs: float = Field(
            -14.0,
            ge=-40,
            le=0,
            description="Integrated loudness to aim at; -14 LUFS is what Spotify and YouTube "
            "normalise to (Spotify: Loudness normalization). TikTok publishes none",
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        pictures = _measured(video)
        liked = self._liked(video)
        notes: list[str] = []
        shaken = _present(upstream, "camera_analysis", "stability", notes)
        heard = _present(upstream, "audio_analysis", "loudness", notes)
        shakes = _shakes(video, shaken)
        seconds = []
        slices = video.grid.pictures_in(video.detail.times_s, self.overlap_s)
        for part, shake in zip(slices, shakes, strict=True):
            told = _telling(pictures[part])
            stability = part_scores({"shake": shake})["stability"]
            own = _columns({**_mean([p.scores for p in told]), "stability": stability})
            seconds.append(
                {
                    **_mean([picture.measures for picture in told]),
                    "blank": told[0].blank,
                    "shake": shake,
                    **own,
                    "score": _judged(own, told, liked),
                }
            )
        loudness_lufs = heard.summary["loudness_lufs"] if heard else None
        offset_lu = None if loudness_lufs is None else loudness_lufs - self.settings.target_lufs
        distance_lu = None if offset_lu is None else abs(offset_lu)
        told = _telling(pictures)
        parts = {
            **_mean([picture.scores for picture in told]),
            **_mean([{"stability": row["stability_score"]} for row in seconds]),
            "loudness": part_scores({"loudness_distance_lu": distance_lu})["loudness"],
        }
        scored = {p.frame: _judged(_columns(p.scores), [p], liked) for p in pictures}
        ranking = sorted(told, key=lambda picture: -scored[picture.frame])
        own = _columns(parts)
        return AnalysisResult(
            observations=self.observations(
                [
                    {
                        "time_s": picture.time_s,
                        "frame": picture.frame,
                        **picture.measures,
                        "blank": picture.blank,
                        "score": scored[picture.frame],
                    }
                    for picture in pictures
                ]
            ),
            segments=self.segments(
                video.grid,
                {c.name: [row[c.name] for row in seconds] for c in self.segment_columns},
            ),
            summary={
                "sampled_frame_count": len(pictures),
                "blank_frame_count": sum(picture.blank for picture in pictures),
                "width_px": video.info.width_px,
                "height_px": video.info.height_px,
                **_mean([picture.measures for picture in told]),
                **_mean([{"shake": shake} for shake in shakes]),
                "loudness_lufs": loudness_lufs,
                "loudness_offset_lu": offset_lu,
                **own,
                "score": _judged(own, told, liked),
                "weakest_part": _weakest(parts),
                "best_time_s": ranking[0].time_s,
                "worst_time_s": ranking[-1].time_s,
                "notes": notes,
            },
        )

    def _liked(self, video: Video) -> dict[int, float]:
        """CLIP-IQA of each full-size picture, 0..1, by its frame; empty without the role `clip`."""
        if not self.models.has("clip"):
            return {}
        with self.models.lend("clip") as clip:
            found = []
            for first in range(0, len(video.detail), clip.batch_size):
                progress.checkpoint(first, len(video.detail))
                stop = min(first + clip.batch_size, len(video.detail))
                vectors = clip.embed([video.detail[i] for i in range(first, stop)])
                found += clip.probabilities(vectors, GOOD_PICTURE)[:, 0].tolist()
        return dict(zip(video.detail.frame_numbers.tolist(), found, strict=True))

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The best and the worst picture with their measures, and the parts by second."""
        summary = result.summary
        rows = {row["time_s"]: row for row in result.observations.to_pylist()}
        chosen = dict.fromkeys((summary["best_time_s"], summary["worst_time_s"]))
        names = ("best", "worst") if len(chosen) == 2 else ("the only picture",)
        pictures = [
            (
                video.detail[int(np.searchsorted(video.detail.times_s, time_s))],
                _lines(name, rows[time_s]),
            )
            for name, time_s in zip(names, chosen, strict=True)
        ]
        weakest = summary["weakest_part"]
        title = f"score {summary['score']:.0f} of 100" + (
            f", most lost by {weakest} ({summary[f'{weakest}_score']:.0f})" if weakest else ""
        )
        offset_lu = summary["loudness_offset_lu"]
        if offset_lu is not None:
            title += f", loudness {offset_lu:+.1f} LU from target"
        names_of_rows = [c.name for c in self.segment_columns if c.name.endswith("score")]
        return Preview(
            image=quality_sheet(
                title,
                pictures,
                {
                    name.removesuffix("_score"): result.segments[name].to_pylist()
                    for name in names_of_rows
                },
            )
        )


def _judged(
    columns: Mapping[str, Any], pictures: Sequence[_Measured], liked: Mapping[int, float]
) -> float:
    """Their score; with the mean of what CLIP-IQA gives the pictures, where that was asked."""
    score = float(columns["score"])
    if not liked:
        return score
    return (score + 100 * float(np.mean([liked[picture.frame] for picture in pictures]))) / 2


def _measured(video: Video) -> list[_Measured]:
    upscaling = upscaling_degradation(video.info.width_px, video.info.height_px)
    measured = []
    for i, time_s in enumerate(video.detail.times_s.tolist()):
        progress.checkpoint(i, len(video.detail))
        luma = cv2.cvtColor(video.detail[i], cv2.COLOR_RGB2GRAY)
        small = _nearest(video.analysis, time_s)
        small_luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        seen = light(small)
        measures = {
            "sharpness": sharpness(luma),
            "noise_sigma": noise_sigma(luma),
            "blockiness": blockiness(luma),
            "banding_ratio": banding_ratio(small_luma),
            "luma_mean": seen.mean,
            "lit_luma_p95": lit_luma_p95(small_luma),
            "shadows_crushed_share": seen.crushed_share,
            "highlights_blown_share": seen.blown_share,
        }
        measured.append(
            _Measured(
                time_s,
                int(video.detail.frame_numbers[i]),
                measures,
                part_scores({**measures, "upscaling_degradation": upscaling}),
                seen.contrast_rms < _BLANK_CONTRAST,
            )
        )
    return measured


def _nearest(frames: Frames, time_s: float) -> np.ndarray:
    return frames[int(np.abs(frames.times_s - time_s).argmin())]


def _shakes(video: Video, camera: AnalysisResult | None) -> list[float | None]:
    """The median shake of each second's steps: a few that were misread do not count."""
    if camera is None:
        return [None] * len(video.grid)
    steps = camera.observations.select(["type", "time_s", "shake"]).to_pylist()
    known = [row for row in steps if row["type"] == "step" and row["shake"] is not None]
    times_s = np.array([row["time_s"] for row in known], np.float64)
    values = np.array([row["shake"] for row in known], np.float64)
    parts = video.grid.samples_in(times_s, _SHAKE_REACH_S)
    return [float(np.median(values[p])) if p.start < p.stop else None for p in parts]


def _telling(pictures: Sequence[_Measured]) -> Sequence[_Measured]:
    """Those that are not blank; all where all are."""
    return [picture for picture in pictures if not picture.blank] or pictures


def _mean(rows: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """Means of what is known, by name."""
    means: dict[str, float | None] = {}
    for name in rows[0]:
        known = [value for row in rows if (value := row[name]) is not None]
        means[name] = float(np.mean(known)) if known else None
    return means


def _columns(parts: Mapping[str, float | None]) -> dict[str, float | None]:
    """`score` and the scores of the parts, as columns."""
    named = {f"{name}_score": score for name, score in parts.items()}
    return {**named, "score": overall_score(parts)}


def _weakest(parts: Mapping[str, float | None]) -> str | None:
    costs = impairments(parts)
    weakest = max(costs, key=lambda name: costs[name])
    return weakest if costs[weakest] > 0 else None


def _present(
    upstream: Mapping[str, AnalysisResult], name: str, what: str, notes: list[str]
) -> AnalysisResult | None:
    """The other analyzer's result, or a note why it says nothing."""
    result = upstream.get(name)
    if result is None:
        notes.append(f"no {what}: {name} has no result")
        return None
    if result.status != "ok":
        notes.append(f"no {what}: {result.reason}")
        return None
    return result


def _lines(name: str, row: Mapping[str, Any]) -> list[str]:
    known = {k: "-" if v is None else f"{v:.3g}" for k, v in row.items() if k != "blank"}
    return [
        f"{name}: {row['time_s']:.1f} s",
        f"score {row['score']:.0f}",
        "",
        f"sharpness {known['sharpness']}",
        f"noise {known['noise_sigma']} levels",
        f"blockiness {known['blockiness']} levels",
        f"banding {row['banding_ratio']:.1%}",
        f"luma mean {known['luma_mean']}",
        f"lit luma p95 {known['lit_luma_p95']}",
        f"crushed {row['shadows_crushed_share']:.1%}",
        f"blown {row['highlights_blown_share']:.1%}",
    ]
