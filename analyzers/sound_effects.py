"""Short sounds that an editor lays in: whooshes, impacts, risers, dings, clicks, laughter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
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
    records,
)
from analyzers.methods.bars import PALETTE, draw_bars
from analyzers.methods.sound.sound_shapes import SHAPES, UNKNOWN, Shape, shapes
from analyzers.methods.speech.speech_spans import Span, overlap_s
from analyzers.models.soundscape import SAMPLE_RATE_HZ, WINDOW, WINDOW_S
from analyzers.progress import checkpoint
from analyzers.video import Video
from analyzers.voices import spans_of

#: AudioSet's classes for each kind that it has.
_CLASSES: Mapping[str, Sequence[str]] = {
    "whoosh": ("Whoosh, swoosh, swish", "Arrow", "Whip"),
    "impact": (
        "Thump, thud", "Thunk", "Bang", "Smash, crash", "Slam", "Boom", "Explosion",
        "Whack, thwack", "Slap, smack", "Breaking", "Shatter", "Gunshot, gunfire",
    ),
    "ding": (
        "Ding", "Ding-dong", "Bell", "Chime", "Ping", "Bicycle bell", "Doorbell", "Clang",
        "Chink, clink", "Jingle, tinkle", "Church bell",
    ),
    "click": ("Clicking", "Camera", "Single-lens reflex camera", "Finger snapping", "Tick"),
    "pop": ("Burst, pop", "Plop"),
    "beep": ("Beep, bleep", "Sine wave", "Buzzer", "Alarm clock"),
    "applause": ("Applause", "Clapping"),
    "laugh": (
        "Laughter", "Baby laughter", "Giggle", "Snicker", "Belly laugh", "Chuckle, chortle",
    ),
}  # fmt: skip
KINDS = (*SHAPES, *(kind for kind in _CLASSES if kind not in SHAPES), UNKNOWN)
EVIDENCE = ("shape", "model", "both")

#: Samples from one window of the classifier to the next, and from a window's begin to its sound.
_HOP = SAMPLE_RATE_HZ // 2
_HOP_S = _HOP / SAMPLE_RATE_HZ
_BEFORE = SAMPLE_RATE_HZ // 8
#: A classifier this sure is believed against the shape; but AudioSet has no risers, and the
#: classifier calls them whooshes.
_SURE = 0.5
_NO_CLASS = ("riser", "whoosh")
#: Music this long is music, and speech speech; what is shorter may be an effect's ring or breath.
#: Gaps this short belong.
_MUSIC_S, _MUSIC_GAP_S = 3.0, 1.0
_SPEECH_S, _SPEECH_GAP_S = 1.0, 0.2
#: With more of it under speech or music than this a sound's shape says nothing.
_COVERED = 0.3


class SoundEffects(Analyzer):
    """Short sounds as editors lay them in, with their beginning and their kind.

    What stands 10 dB over what is around it, where nobody speaks and no music plays, is told
    with its beginning (to 20 ms), and its kind by its shape: whoosh, impact, riser, ding,
    click, pop, defined in `analyzers/methods/sound/sound_shapes.py`; `unknown` where none fits.
    YAMNet listens to each of them as well, and to the whole: it names beep, applause and laugh
    too, and hears under speech and music, to half a second. Where it is surer than 0.5 it is
    believed against the shape. `evidence` says what a kind rests on; `confidence` is the
    classifier's output and null where only the shape speaks.

    It cannot tell what an editor laid in from what the microphone heard. An effect that is softer
    than speech or music is seldom found. Off by default: switch it on by
    `[analyzers.sound_effects] enabled = true`.

    Accuracy (`make accuracy`, tests/accuracy/test_environment.py), on twelve made effects over soft
    noise, the shapes' bounds being set on effects made like these: 12 of 12 beginnings (a riser is
    told up to 1.5 s late, once it stands out), 12 of 12 kinds. Nothing is told in three clips of
    speech, with music and without; four keys of a keyboard are clicks. Not measured on recorded
    effects, and not on effects under speech or music.

    Not applicable where there is no audio track, and where it is silent.
    """

    name = "sound_effects"
    version = "1"
    family = Family.SOUND
    stage = Stage.FAST
    kinds = ("yamnet", "signal-processing")
    models_used = ("soundscape",)
    rungs = ("audio_16k",)
    requires = ("voices",)
    enabled_by_default = False

    observation_columns = (
        TIME_S,
        END_S,
        Column("kind", pa.string(), "What kind of effect it is", values=KINDS),
        Column("evidence", pa.string(), "What the kind rests on", True, values=EVIDENCE),
        confidence("Highest output of the classifier for the kind", nullable=True),
        Column("label", pa.string(), "AudioSet's name for it", nullable=True),
        Column("prominence_db", pa.float32(), "Peak over what is around", nullable=True),
        Column("brightness_hz", pa.float32(), "Middle of the spectrum", True, minimum=0.0),
    )
    segment_columns = (
        Column("effect_count", pa.int32(), "Effects that begin in the second", minimum=0),
        Column("effect", pa.string(), "The most prominent of them", True, values=KINDS),
    )
    summary_columns = (
        Column("effect_count", pa.int32(), "Effects", minimum=0),
        Column("known_count", pa.int32(), "Those whose kind is told", minimum=0),
        Column(
            "kinds",
            records(kind=pa.string(), count=pa.int32()),
            "How many there are of each kind, most frequent first",
        ),
        Column("effects_a_minute", pa.float32(), "Effects for a minute of sound", minimum=0.0),
    )

    class Settings(AnalyzerSettings):
        """What counts as an effect."""

        min_confidence: float = Field(
            0.4,
            ge=0.1,
            le=0.95,
            description="Output of the classifier from which on it is believed",
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        nothing = {"effect_count": 0}
        sound = video.audio_16k
        if sound is None:
            return self.not_applicable(video, "no audio track", nothing)
        voices = upstream["voices"]
        if voices.status != "ok":
            return self.not_applicable(video, voices.reason or "nothing to hear", nothing)
        said = voices.observations.to_pylist()
        covered = [
            *spans_of(said, "voice"),
            *_long(spans_of(said, "speech"), _SPEECH_GAP_S, _SPEECH_S),
            *_long(spans_of(said, "singing"), _SPEECH_GAP_S, _SPEECH_S),
            *_long(spans_of(said, "music"), _MUSIC_GAP_S, _MUSIC_S),
        ]
        free = [
            shape
            for shape in shapes(sound, SAMPLE_RATE_HZ)
            if overlap_s(covered, shape.onset_s, shape.end_s)
            <= _COVERED * (shape.end_s - shape.onset_s)
        ]
        checkpoint()
        rows = self._shaped(sound, free)
        # What a window holds of a sound that is already there is that sound.
        told = [
            (row["time_s"] - WINDOW_S / 2, row["end_s"] + WINDOW_S / 2)
            for row in rows
            if row["kind"] != UNKNOWN or row["end_s"] - row["time_s"] < WINDOW_S
        ]
        rows += [
            row for row in self._heard(sound) if not overlap_s(told, row["time_s"], row["end_s"])
        ]
        rows.sort(key=lambda row: (row["time_s"], row["kind"]))
        return self._result(video, rows, len(sound) / SAMPLE_RATE_HZ)

    def _shaped(self, sound: np.ndarray, found: Sequence[Shape]) -> list[dict[str, Any]]:
        """What stands out, each heard by the classifier from its beginning on."""
        starts = [round(s.onset_s * SAMPLE_RATE_HZ) - _BEFORE for s in found]
        with self.models.lend("soundscape") as classifier:
            likely = classifier.probabilities(sound, starts)
            classes = classifier.classes
        rows = []
        for shape, row in zip(found, likely, strict=True):
            kind, label, strength = self._best(row, classes)
            believed = (
                kind is not None
                and (shape.kind, kind) != _NO_CLASS
                and (shape.kind in (UNKNOWN, kind) or strength >= _SURE)
            )
            rows.append(
                {
                    "time_s": shape.onset_s,
                    "end_s": shape.end_s,
                    "kind": kind if believed else shape.kind,
                    "evidence": _evidence(shape.kind, kind if believed else None),
                    "confidence": strength if believed else None,
                    "label": label if believed else None,
                    "prominence_db": shape.prominence_db,
                    "brightness_hz": shape.brightness_hz,
                }
            )
        return rows

    def _heard(self, sound: np.ndarray) -> list[dict[str, Any]]:
        """What the classifier hears anywhere, windows in a row joined."""
        starts = range(0, max(1, len(sound) - WINDOW + 1), _HOP)
        with self.models.lend("soundscape") as classifier:
            likely = classifier.probabilities(sound, starts)
            classes = classifier.classes
        middles_s = np.array(starts) / SAMPLE_RATE_HZ + WINDOW_S / 2
        rows = []
        for kind, names in _CLASSES.items():
            columns = [classes.index(name) for name in names]
            best = likely[:, columns].max(axis=1)
            there = np.concatenate([[0], best >= self.settings.min_confidence, [0]]).astype(np.int8)
            for first, last in np.flatnonzero(np.diff(there)).reshape(-1, 2).tolist():
                part = likely[first:last][:, columns]
                rows.append(
                    {
                        "time_s": float(middles_s[first] - _HOP_S / 2),
                        "end_s": float(middles_s[last - 1] + _HOP_S / 2),
                        "kind": kind,
                        "evidence": "model",
                        "confidence": float(part.max()),
                        "label": names[int(part.max(axis=0).argmax())],
                    }
                )
        return rows

    def _best(
        self, likely: np.ndarray, classes: Sequence[str]
    ) -> tuple[str | None, str | None, float]:
        """The likeliest kind, AudioSet's name for it, and the classifier's output."""
        found = [
            (float(likely[classes.index(name)]), kind, name)
            for kind, names in _CLASSES.items()
            for name in names
        ]
        strength, kind, name = max(found)
        if strength < self.settings.min_confidence:
            return None, None, strength
        return kind, name, strength

    def _result(
        self, video: Video, rows: Sequence[Mapping[str, Any]], sound_s: float
    ) -> AnalysisResult:
        counts, strongest = [], []
        for segment in range(len(video.grid)):
            start_s, end_s = video.grid.bounds_s(segment)
            here = [row for row in rows if start_s <= row["time_s"] < end_s]
            counts.append(len(here))
            most = max(here, key=lambda row: row.get("prominence_db") or 0.0, default=None)
            strongest.append(most["kind"] if most else None)
        kinds = [row["kind"] for row in rows]
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, {"effect_count": counts, "effect": strongest}),
            summary={
                "effect_count": len(rows),
                "known_count": len(kinds) - kinds.count(UNKNOWN),
                "kinds": [
                    {"kind": kind, "count": kinds.count(kind)}
                    for kind in sorted(set(kinds), key=lambda k: (-kinds.count(k), k))
                ],
                "effects_a_minute": len(rows) * 60 / sound_s,
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """A row of bars for each kind."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        rows = result.observations.to_pylist()
        bars = {
            kind: [(r["time_s"], r["end_s"], colour) for r in rows if r["kind"] == kind]
            for kind, colour in zip(KINDS, (*PALETTE, *_MORE_COLOURS), strict=True)
        }
        count, known = result.summary["effect_count"], result.summary["known_count"]
        title = f"{count} short sound{'s' * (count != 1)}, the kind of {known} is told"
        picture = draw_bars(title, {k: b for k, b in bars.items() if b}, video.info.end_s)
        _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return Preview(markdown=title, image=data.tobytes(), image_type="image/png")


_MORE_COLOURS = ((24, 90, 60), (120, 60, 120), (90, 70, 30), (176, 182, 194))


def _evidence(shape: str, heard: str | None) -> str | None:
    """What a kind rests on; None for an unknown one."""
    if heard is None:
        return None if shape == UNKNOWN else "shape"
    return "both" if heard == shape else "model"


def _long(spans: Sequence[Span], gap_s: float, least_s: float) -> list[Span]:
    """Spans with short gaps closed, without those that are then too short."""
    joined: list[Span] = []
    for start_s, end_s in spans:
        if joined and start_s - joined[-1][1] <= gap_s:
            joined[-1] = (joined[-1][0], end_s)
        else:
            joined.append((start_s, end_s))
    return [(a, b) for a, b in joined if b - a >= least_s]
