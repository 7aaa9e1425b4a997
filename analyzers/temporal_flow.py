"""How a video tells its story: energy, pacing, and the parts of the arc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    Column,
    Family,
    Preview,
    Stage,
    confidence,
    markdown_table,
)
from analyzers.methods.bars import PALETTE, draw_bars, draw_curves
from analyzers.methods.story.arc import PARTS, Part, Seam, parts_of
from analyzers.methods.story.energy import (
    CHANNELS,
    ENERGY_WEIGHTS,
    PACING_WEIGHTS,
    channels_of,
    curve,
    temporal_information,
)
from analyzers.methods.story.joined import ALL, Joined, end_of
from analyzers.video import Frames, Video

#: Pictures so far apart are what the seam from the end to the beginning is held against.
_SEAM_S = 0.5
#: Every third of 15 pictures a second is looked at.
_SEAM_EVERY = 3
#: Change that nobody sees, in levels: what a codec makes of a still picture.
_UNSEEN = 1.0
#: Which part a second belongs to where several lie on it, the most telling first.
_RANK = ("call_to_action", "turn", "peak", "hook", "build", "resolution")


class TemporalFlow(Analyzer):
    """The story in time: an energy and a pacing curve, and the parts of the arc with evidence.

    Each second has seven channels, 0..1 (`analyzers/methods/story/energy.py`, where all scales and
    weights stand): motion in the picture (temporal information, ITU-T P.910), loudness against the
    video's own, shot changes, syllables spoken, words that come on screen, the size of the largest
    face, sounds that begin. `energy` is how much happens, `pacing` how fast new things come. A
    channel whose analyzer is missing is left out and the rest weighs more; one that is not
    applicable counts as nothing, so a silent video has no energy from its sound.

    Parts (`analyzers/methods/story/arc.py`), each only where something speaks for it:

    - `hook`: the first 3 s, and what is in them.
    - `peak`: the seconds after the hook in which most happens, if they stand out.
    - `build`: from the hook to the peak, if energy rises.
    - `turn`: where the four seconds after differ most from the four before in the picture's mood,
      the face's expression or energy, helped by words like "but"; one at most, and none by energy
      alone.
    - `resolution`: what follows the peak, and a turn after it, if energy falls.
    - `call_to_action`: what the viewer is asked to do, said or written, in six languages; in the
      last third a question to the viewer is one.
    - `loop`: from the last picture to the first less changes than in half a second elsewhere. A
      static shot of something that stands still loops as well.

    Accuracy: parts are checked on made curves, on the sample (its turn is found 0.03 s from the
    last scene's beginning, and its call to action) and by eye on 14 real clips; nobody has labelled
    the arcs of real videos, so a figure for them is not told. Curves order the seconds of one
    video; they do not predict what viewers do.
    """

    name = "temporal_flow"
    version = "3"
    family = Family.STORY
    stage = Stage.FAST
    kinds = ("numpy",)
    rungs = ("motion",)
    optional = tuple(name for name in ALL if name != "temporal_flow")
    joins = True

    observation_columns = (
        TIME_S,
        END_S,
        Column("part", pa.string(), "Which part of the story", values=PARTS),
        confidence("How clear it is; a heuristic of this project"),
        Column("energy", pa.float32(), "Mean energy of its seconds", minimum=0.0, maximum=1.0),
        Column("why", pa.string(), "What speaks for it, in a sentence"),
        Column("evidence", pa.list_(pa.string()), "Ids of the rows and seconds it rests on"),
    )
    segment_columns = (
        Column("energy", pa.float32(), "How much happens", minimum=0.0, maximum=1.0),
        Column("pacing", pa.float32(), "How fast new things come", minimum=0.0, maximum=1.0),
        Column(
            "part",
            pa.string(),
            "The part of the story; null between parts",
            nullable=True,
            values=_RANK,
        ),
        *(
            Column(
                name,
                pa.float32(),
                f"Channel: {about}; null where its analyzer is missing",
                nullable=True,
                minimum=0.0,
                maximum=1.0,
            )
            for name, about in zip(
                CHANNELS,
                (
                    "motion in the picture",
                    "loudness against the video's own",
                    "shot changes",
                    "syllables spoken",
                    "words that come on screen",
                    "size of the largest face",
                    "sounds that begin",
                ),
                strict=True,
            )
        ),
    )
    summary_columns = (
        Column("parts", pa.list_(pa.string()), "Parts that are there, in order of time"),
        Column("mean_energy", pa.float32(), "Mean of the energy", minimum=0.0, maximum=1.0),
        Column("mean_pacing", pa.float32(), "Mean of the pacing", minimum=0.0, maximum=1.0),
        Column("peak_time_s", pa.float64(), "Second of the most energy after the hook", True, 0.0),
        Column("hook_energy", pa.float32(), "Mean energy of the hook", minimum=0.0, maximum=1.0),
        Column("channels", pa.list_(pa.string()), "Channels that the curves are made of"),
        Column(
            "missing",
            pa.list_(pa.string()),
            "Analyzers of the video that had no result, whether the story needs them or not",
        ),
        Column(
            "not_applicable",
            pa.list_(pa.string()),
            "Analyzers of the video that had nothing to say, likewise",
        ),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        joined = Joined(video.grid, upstream, self.optional)
        changes = [
            (row["time_s"], end_of(row)) for row in joined.rows("cut_analysis", type="transition")
        ]
        channels = channels_of(joined, temporal_information(video.motion, changes))
        energy = curve(channels, ENERGY_WEIGHTS)
        pacing = curve(channels, PACING_WEIGHTS)
        parts = parts_of(joined, channels, energy, _seam(video.motion, changes))
        peaks = [part for part in parts if part.part == "peak"]
        return AnalysisResult(
            observations=self.observations([_row(part, energy, video) for part in parts]),
            segments=self.segments(
                video.grid,
                {
                    "energy": energy.tolist(),
                    "pacing": pacing.tolist(),
                    "part": _by_second(parts, video),
                    **{
                        name: [None if np.isnan(v) else float(v) for v in channels[name]]
                        for name in CHANNELS
                    },
                },
            ),
            summary={
                "parts": list(dict.fromkeys(part.part for part in parts)),
                "mean_energy": float(energy.mean()),
                "mean_pacing": float(pacing.mean()),
                "peak_time_s": peaks[0].time_s if peaks else None,
                "hook_energy": float(energy[:3].mean()),
                "channels": [n for n in CHANNELS if not np.isnan(channels[n]).any()],
                "missing": joined.missing,
                "not_applicable": sorted(joined.not_applicable),
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Parts as bars over the two curves, and what speaks for each part."""
        rows = result.observations.to_pylist()
        colours = dict(zip(PARTS, (*PALETTE, (120, 120, 120)), strict=True))
        end_s = video.info.end_s
        bars = {
            part: [(r["time_s"], r["end_s"], colours[part]) for r in rows if r["part"] == part]
            for part in dict.fromkeys(r["part"] for r in rows)
        }
        curves = {
            name: (result.segments[name].to_pylist(), PALETTE[number])
            for number, name in enumerate(("energy", "pacing"))
        }
        picture = np.vstack(
            [draw_bars("parts of the story", bars, end_s), draw_curves(curves, end_s)]
        )
        _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        table = markdown_table(
            ("part", "from", "to", "why"),
            [(r["part"], f"{r['time_s']:.1f} s", f"{r['end_s']:.1f} s", r["why"]) for r in rows],
        )
        return Preview(markdown=table, image=png.tobytes(), image_type="image/png")


def _row(part: Part, energy: np.ndarray, video: Video) -> dict[str, Any]:
    first, last = (video.grid.segment_of(t) for t in (part.time_s, part.end_s - 1e-6))
    return {
        "time_s": part.time_s,
        "end_s": part.end_s,
        "part": part.part,
        "confidence": part.confidence,
        "energy": float(energy[first : last + 1].mean()),
        "why": part.why,
        "evidence": list(part.evidence),
    }


def _by_second(parts: Sequence[Part], video: Video) -> list[str | None]:
    """The part that a second's middle lies in."""
    found: list[str | None] = []
    for segment in range(len(video.grid)):
        middle_s = sum(video.grid.bounds_s(segment)) / 2
        here = {p.part for p in parts if p.time_s <= middle_s < p.end_s}
        found.append(next((name for name in _RANK if name in here), None))
    return found


def _seam(frames: Frames, changes_s: Sequence[tuple[float, float]]) -> Seam | None:
    """How the last picture leads into the first, against pictures half a second apart in a shot."""
    if len(frames) < 3 or frames.times_s[-1] < 2 * _SEAM_S:
        return None
    places = sorted({*range(0, len(frames), _SEAM_EVERY), len(frames) - 1})
    times_s = frames.times_s[places]
    small = [cv2.resize(frames[i], (64, 64), interpolation=cv2.INTER_AREA) for i in places]
    after = np.searchsorted(times_s, times_s + _SEAM_S - 1e-6)
    steps = [
        _difference(small[i], small[j])
        for i, j in enumerate(after.tolist())
        if j < len(small)
        and not any(times_s[i] < end and times_s[j] > start - 1e-3 for start, end in changes_s)
    ]
    if not steps:
        return None
    usual = max(float(np.median(steps)), _UNSEEN)
    return Seam(_difference(small[-1], small[0]), usual, _likeness(small[-1], small[0]))


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two pictures; two plain ones are alike."""
    a, b = (picture.astype(np.float32) - picture.mean() for picture in (one, other))
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum() / size) if size > 0 else float(np.ptp(one) == np.ptp(other) == 0)


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    """Temporal information of two pictures: standard deviation of their difference."""
    return float(np.std(one.astype(np.float32) - other))
