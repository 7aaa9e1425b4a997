"""The colours of a video: palette, temperature, light, harmony, grade and mood, by second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa

from analyzers import progress
from analyzers.base import (
    TIME_S,
    AnalysisResult,
    Analyzer,
    Column,
    Family,
    Preview,
    Stage,
    records,
)
from analyzers.methods.picture.color_harmony import HARMONIES, harmony
from analyzers.methods.picture.colorimetry import (
    Hues,
    Light,
    colourfulness,
    correlated_colour_temperature_k,
    hues,
    lab,
    light,
    reduced,
    saturation,
    warm_cool,
)
from analyzers.methods.picture.grading import (
    GRADES,
    MOODS,
    TONES,
    Look,
    evidence,
    grades,
    mood,
    pleasure_and_arousal,
    tone,
)
from analyzers.methods.picture.palette import PaletteColour, palette, rgb
from analyzers.video import Frames, Video

#: Colours in a second's palette, and in that of the whole video, at most.
_SECOND_COLOURS = 6
_VIDEO_COLOURS = 8
#: Pixels kept of each frame for palettes and harmony, evenly over the picture.
_FRAME_PIXELS = 2000
#: Pixels that the palette of the whole video is made of, at most.
_VIDEO_PIXELS = 40_000


def _part(name: str, description: str) -> Column:
    return Column(name, pa.float32(), description, minimum=0.0, maximum=1.0)


#: Measures that a frame, a second and the whole video have alike.
_MEASURES: tuple[Column, ...] = (
    _part("luma_mean", "Exposure: mean Rec. 709 luma, 0 black, 1 white"),
    _part("luma_p05", "Luma that 5 % of the pixels do not reach: how dark the shadows are"),
    _part("luma_p95", "Luma that 5 % of the pixels exceed: how bright the highlights are"),
    _part("contrast_rms", "RMS contrast (Peli 1990): standard deviation of luma"),
    _part("shadows_crushed_share", "Part of the picture within 2 % of black"),
    _part("highlights_blown_share", "Part of the picture within 2 % of white"),
    _part("saturation", "HSV saturation, each pixel weighted by its value"),
    Column(
        "colourfulness",
        pa.float32(),
        "M3 of Hasler & Süsstrunk (2003): 15 slightly, 33 moderately, 59 quite, 82 highly",
        minimum=0.0,
    ),
    Column(
        "color_temperature_k",
        pa.float32(),
        "Correlated colour temperature of the mean chromaticity (grey world, McCamy 1992): orders "
        "pictures by warmth and does not measure lamps; null where too dark, beyond 2000 to "
        "12500 K, or the mean is no colour of a light",
        nullable=True,
        minimum=2000.0,
        maximum=12500.0,
    ),
    Column(
        "warm_cool",
        pa.float32(),
        "Warm-cool scale of Ou et al. (2004): greys have -0.5, higher is warmer",
    ),
    Column("chroma", pa.float32(), "Mean CIELAB chroma C*ab, 0 in greys", minimum=0.0),
    Column(
        "hue_deg",
        pa.float32(),
        "CIELAB hue of the mean colour: 40 red, 100 yellow, 135 green, 195 cyan, 300 blue; null in "
        "greys",
        nullable=True,
        minimum=0.0,
        maximum=360.0,
    ),
    _part("hue_concentration", "1 where all colour has one hue, 0 where hues cancel out"),
)
_TONE = Column("tone", pa.string(), "The warm-cool scale in a word", values=TONES)
_PALETTE = Column(
    "palette",
    records(
        hex=pa.string(),
        name=pa.string(),
        share=pa.float32(),
    ),
    "Main colours, largest share first: hex, plain name, part of the picture",
)


class ColorAnalysis(Analyzer):
    """Measures light and colour; tells palette, temperature, harmony, grade and mood by second.

    The measures follow the publications their columns name. Grade and mood are rules of thumb on
    top of them: a grade comes with its evidence, and the mood is what Valdez & Mehrabian (1994)
    found brightness and saturation to do, said in a word of Russell's circumplex.

    Accuracy: the black-and-white clip is read so in every second and no colour clip is; sepia is
    found in the seconds that have it. Palette and grade are held against made pictures only, mood
    against nothing.
    """

    name: ClassVar[str] = "color_analysis"
    version: ClassVar[str] = "1"
    family: ClassVar[Family] = Family.PICTURE
    stage: ClassVar[Stage] = Stage.LIGHT_GPU
    kinds: ClassVar[tuple[str, ...]] = ("opencv", "cielab", "kmeans")
    rungs: ClassVar[tuple[str, ...]] = ("analysis",)

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        Column("frame", pa.int64(), "Number of the frame in the source", minimum=0),
        *_MEASURES,
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        *_MEASURES,
        _TONE,
        _PALETTE,
        Column(
            "harmony",
            pa.string(),
            "Narrowest hue template (Matsuda 1995, Cohen-Or et al. 2006) that the hues fit",
            values=HARMONIES,
        ),
        Column(
            "harmony_hue_deg",
            pa.float32(),
            "HSV hue in the middle of the template's main sector",
            nullable=True,
            minimum=0.0,
            maximum=360.0,
        ),
        Column(
            "harmony_distance_deg",
            pa.float32(),
            "How far hues lie outside the template on the average; of the widest for `none`",
            nullable=True,
            minimum=0.0,
            maximum=180.0,
        ),
        Column("grade", pa.string(), "The most telling grade", values=GRADES),
        Column("grades", pa.list_(pa.string()), "Every grade that applies, most telling first"),
        Column("grade_evidence", pa.string(), "The figures that speak for the grade"),
        Column(
            "pleasure",
            pa.float32(),
            "Heuristic (Valdez & Mehrabian 1994) from luma and saturation; 0 is ordinary",
        ),
        Column("arousal", pa.float32(), "Heuristic, as pleasure; 0 is ordinary"),
        Column(
            "mood",
            pa.string(),
            "Heuristic: quarter of pleasure and arousal, in a word",
            values=MOODS,
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("sampled_frame_count", pa.int32(), "Frames that were measured", minimum=1),
        *_MEASURES,
        _TONE,
        _PALETTE,
        Column("harmony", pa.string(), "Of most seconds", values=HARMONIES),
        Column(
            "grades",
            records(
                grade=pa.string(),
                second_count=pa.int32(),
                share=pa.float32(),
                evidence=pa.string(),
            ),
            "Each grade that applies anywhere: in how many seconds, which part of all, and the "
            "evidence of the first of them; most frequent first",
        ),
        Column("grade", pa.string(), "The main grade of most seconds", values=GRADES),
        Column("mood", pa.string(), "Heuristic: of most seconds", values=MOODS),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Measure every frame of the analysis rung, then each second's frames together."""
        frames = _measured(video.analysis)
        seconds = [
            _Second.of(frames[part])
            for part in video.grid.pictures_in(video.analysis.times_s, self.overlap_s)
        ]
        columns = [second.columns() for second in seconds]
        return AnalysisResult(
            observations=self.observations(
                [
                    {"time_s": time_s, "frame": number, **frame.measures()}
                    for time_s, number, frame in zip(
                        video.analysis.times_s, video.analysis.frame_numbers, frames, strict=True
                    )
                ]
            ),
            segments=self.segments(
                video.grid,
                {c.name: [row[c.name] for row in columns] for c in self.segment_columns},
            ),
            summary=_summary(frames, seconds),
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """A filmstrip above each second's palette, and the palette of the whole video."""
        return Preview(image=_palette_sheet(video, result))


@dataclass(frozen=True)
class _Measured:
    """What was measured of one picture, or the same of several together."""

    look: Look
    color_temperature_k: float | None
    #: A sample of its pixels, RGB uint8 (n, 3).
    pixels: np.ndarray

    def measures(self) -> dict[str, Any]:
        """The columns of `_MEASURES`."""
        brightness, colour = self.look.light, self.look.hues
        return {
            "luma_mean": brightness.mean,
            "luma_p05": brightness.p05,
            "luma_p95": brightness.p95,
            "contrast_rms": brightness.contrast_rms,
            "shadows_crushed_share": brightness.crushed_share,
            "highlights_blown_share": brightness.blown_share,
            "saturation": self.look.saturation,
            "colourfulness": self.look.colourfulness,
            "color_temperature_k": self.color_temperature_k,
            "warm_cool": self.look.warm_cool,
            "chroma": colour.chroma,
            "hue_deg": colour.mean_deg,
            "hue_concentration": colour.concentration,
        }


def _measured(frames: Frames) -> list[_Measured]:
    measured = []
    for i in range(len(frames)):
        if i % 50 == 0:
            progress.checkpoint(i, len(frames))
        picture = frames[i]
        small = reduced(picture)
        pixels = small.reshape(-1, 3)
        colours = lab(small)
        look = Look(
            light(picture),
            hues(colours),
            saturation(small),
            colourfulness(small),
            warm_cool(colours),
        )
        measured.append(
            _Measured(
                look,
                correlated_colour_temperature_k(small),
                _evenly(pixels, _FRAME_PIXELS),
            )
        )
    return measured


def _evenly(pixels: np.ndarray, most: int) -> np.ndarray:
    return pixels[:: -(-len(pixels) // most)]


def _together(frames: Sequence[_Measured]) -> _Measured:
    """Several frames as one: means of what frames have, hues of all their pixels."""
    pixels = np.concatenate([frame.pixels for frame in frames])
    temperatures = [f.color_temperature_k for f in frames if f.color_temperature_k is not None]
    lights = [frame.look.light for frame in frames]
    look = Look(
        Light(
            **{
                f.name: float(np.mean([getattr(of, f.name) for of in lights]))
                for f in fields(Light)
            }
        ),
        _hues(pixels),
        float(np.mean([frame.look.saturation for frame in frames])),
        float(np.mean([frame.look.colourfulness for frame in frames])),
        float(np.mean([frame.look.warm_cool for frame in frames])),
    )
    return _Measured(look, float(np.median(temperatures)) if temperatures else None, pixels)


def _hues(pixels: np.ndarray) -> Hues:
    return hues(lab(pixels[None]))


@dataclass(frozen=True)
class _Second:
    """A second's frames together, and what is told from them."""

    measured: _Measured
    colours: list[PaletteColour]
    grades: list[str]
    harmony: str
    harmony_hue_deg: float | None
    harmony_distance_deg: float | None

    @classmethod
    def of(cls, frames: Sequence[_Measured]) -> _Second:
        measured = _together(frames)
        fit = harmony(measured.pixels)
        return cls(
            measured,
            palette(lab(measured.pixels[None]), _SECOND_COLOURS),
            grades(measured.look),
            fit.template,
            fit.hue_deg,
            fit.distance_deg,
        )

    @property
    def mood(self) -> str:
        return mood(*pleasure_and_arousal(self.measured.look))

    def columns(self) -> dict[str, Any]:
        """The segment columns."""
        pleasure, arousal = pleasure_and_arousal(self.measured.look)
        return {
            **self.measured.measures(),
            "tone": tone(self.measured.look.warm_cool),
            "palette": _listed(self.colours),
            "harmony": self.harmony,
            "harmony_hue_deg": self.harmony_hue_deg,
            "harmony_distance_deg": self.harmony_distance_deg,
            "grade": self.grades[0],
            "grades": self.grades,
            "grade_evidence": evidence(self.grades[0], self.measured.look),
            "pleasure": pleasure,
            "arousal": arousal,
            "mood": self.mood,
        }


def _listed(colours: Sequence[PaletteColour]) -> list[dict[str, Any]]:
    return [{"hex": c.hex, "name": c.name, "share": float(c.share)} for c in colours]


def _summary(frames: Sequence[_Measured], seconds: Sequence[_Second]) -> dict[str, Any]:
    whole = _together(frames)
    everywhere = Counter(grade for second in seconds for grade in second.grades)
    return {
        "sampled_frame_count": len(frames),
        **whole.measures(),
        "tone": tone(whole.look.warm_cool),
        "palette": _listed(
            palette(lab(_evenly(whole.pixels, _VIDEO_PIXELS)[None]), _VIDEO_COLOURS)
        ),
        "harmony": Counter(second.harmony for second in seconds).most_common(1)[0][0],
        "grades": [
            {
                "grade": grade,
                "second_count": count,
                "share": count / len(seconds),
                "evidence": next(
                    evidence(grade, second.measured.look)
                    for second in seconds
                    if grade in second.grades
                ),
            }
            for grade, count in everywhere.most_common()
        ],
        "grade": Counter(second.grades[0] for second in seconds).most_common(1)[0][0],
        "mood": Counter(second.mood for second in seconds).most_common(1)[0][0],
    }


_WIDTH_PX = 960
_BARS_PX = 150
_SWATCH_PX = 54
_MARGIN_PX = 12
_INK = (40, 40, 40)
_PAPER = 250
_FONT = (cv2.FONT_HERSHEY_SIMPLEX, 0.38, 1)


def _palette_sheet(video: Video, result: AnalysisResult) -> bytes:
    seconds = result.segments.to_pylist()
    bars = np.full((_BARS_PX, _WIDTH_PX, 3), _PAPER, np.uint8)
    labels = np.full((20, _WIDTH_PX, 3), _PAPER, np.uint8)
    end_s = seconds[-1]["end_s"]
    for second in seconds:
        left, right = _across(second["start_s"], end_s), _across(second["end_s"], end_s)
        total = sum(colour["share"] for colour in second["palette"])
        top = 0.0
        # Light above dark, so that a colour that stays makes a band.
        for colour in sorted(second["palette"], key=lambda c: -sum(rgb(c["hex"]))):
            bottom = top + colour["share"] / total * _BARS_PX
            bars[round(top) : round(bottom), left:right] = rgb(colour["hex"])
            top = bottom
    for grade, run in groupby(seconds, key=lambda second: second["grade"]):
        span = list(run)
        left, right = _across(span[0]["start_s"], end_s), _across(span[-1]["end_s"], end_s)
        labels[:, left] = _INK
        text = grade.replace("_", " ")
        if cv2.getTextSize(text, *_FONT)[0][0] + 6 < right - left:
            _write(labels, text, left + 4, 14)
    rows = [_filmstrip(video.analysis), bars, labels, _swatches(result.summary["palette"])]
    margin = ((_MARGIN_PX, _MARGIN_PX), (_MARGIN_PX, _MARGIN_PX), (0, 0))
    sheet = np.pad(np.vstack(rows), margin, constant_values=_PAPER)
    _, jpeg = cv2.imencode(
        ".jpg", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88]
    )
    return jpeg.tobytes()


def _across(time_s: float, end_s: float) -> int:
    return round(time_s / end_s * _WIDTH_PX)


def _filmstrip(frames: Frames) -> np.ndarray:
    """Pictures from the whole length of the video, side by side, as wide as the sheet."""
    height, width = frames[0].shape[:2]
    count = int(np.clip(round(_WIDTH_PX / (96 * width / height)), 4, 16))
    edges = np.linspace(0, _WIDTH_PX, count + 1).round().astype(int)
    chosen = ((np.arange(count) + 0.5) / count * len(frames)).astype(int)
    tall = round(_WIDTH_PX / count * height / width)
    tiles = [
        cv2.resize(frames[i], (int(right - left), tall), interpolation=cv2.INTER_AREA)
        for i, left, right in zip(chosen, edges, edges[1:], strict=False)
    ]
    return np.hstack(tiles)


def _swatches(colours: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """The whole video's palette, each colour with its share, hex code and name below."""
    row = np.full((_SWATCH_PX + 52, _WIDTH_PX, 3), _PAPER, np.uint8)
    step = _WIDTH_PX // _VIDEO_COLOURS
    for i, colour in enumerate(colours):
        left = i * step
        row[8 : 8 + _SWATCH_PX, left : left + step - 8] = rgb(colour["hex"])
        _write(row, f"{colour['share']:.0%} {colour['name']}", left, _SWATCH_PX + 24)
        _write(row, colour["hex"], left, _SWATCH_PX + 40)
    return row


def _write(canvas: np.ndarray, text: str, left: int, baseline: int) -> None:
    cv2.putText(canvas, text, (left, baseline), *_FONT[:2], _INK, _FONT[2], cv2.LINE_AA)
