"""Where it sounds like, what is heard there, and how clean the sound is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from analyzers.methods.sound import sound_places
from analyzers.methods.sound.background_noise import (
    FRAME_S,
    LEAST_VOICE_S,
    NO_SOUND,
    background_dbfs,
    frame_powers,
    gap_power,
    voice_mask,
    voice_snr_db,
)
from analyzers.methods.sound.hum import Hum, hum
from analyzers.methods.sound.reverberation import Reverberation, reverberation
from analyzers.methods.sound.sound_places import PLACES, SETTINGS, UNCERTAIN
from analyzers.methods.sound.wind import wind
from analyzers.methods.speech.speech_spans import Span, overlap_s
from analyzers.models.soundscape import SAMPLE_RATE_HZ, WINDOW, WINDOW_S
from analyzers.progress import checkpoint
from analyzers.video import Video
from analyzers.voices import spans_of

KINDS = ("event", "place", "wind", "hum")

#: Samples from one window of the classifier to the next, half a second.
_HOP = SAMPLE_RATE_HZ // 2
_HOP_S = _HOP / SAMPLE_RATE_HZ
#: How far before and after a second is listened for where it is, and for its background.
_AROUND_S = 2.0
#: Events of the whole video that the summary names.
_TOP = 5
#: With less of the video spoken it is not a voice that tells where it sounds like.
_LEAST_VOICE = 0.1
_NO_EVENT = ("Silence",)


def _ratio(name: str, description: str) -> Column:
    return Column(name, pa.float32(), description, minimum=0.0, maximum=1.0)


def _decibels(name: str, description: str) -> Column:
    return Column(name, pa.float32(), description, nullable=True)


def _ranked(name: str, of: str, description: str) -> Column:
    return Column(name, records(**{of: pa.string()}, confidence=pa.float32()), description)


@dataclass(frozen=True)
class _Heard:
    """What the classifier hears: a row for each half second, `middles_s` of the windows."""

    middles_s: np.ndarray
    likely: np.ndarray
    classes: tuple[str, ...]


class AudioEnvironment(Analyzer):
    """Where it sounds like, with sound events, noise level, reverberation, wind and hum.

    `environment` is room, street, nature, vehicle, crowd or studio, or `uncertain` where the
    best has a confidence under 0.3; what the others have stands beside it. It is what YAMNet
    hears in windows of a second, AudioSet's classes taken together as places (weights in
    `analyzers/methods/sound/sound_places.py`); of a second of video, within 2 s around it.
    `studio` is a voice without a place: 25 to 45 dB above what sounds between its words, and
    dry. Confidences are a network's outputs and not probabilities; a place that only hums along
    gets a low one.

    Observations are spans, by `kind`: `event` and `place` (classes of AudioSet of at least
    `min_confidence`, to half a second, with their highest confidence as confidence), `wind` and
    `hum` (without one: they are measured). Their definitions:

    - `snr_db`: power of the voice over that of what sounds between the words, music included. Null
      without half a second of voice, without 0.3 s of gaps, and where these are silent.
    - `background_dbfs`: the noise level, exceeded 90 % of the time (L90), in frames of 20 ms.
    - `rt60_s`: reverberation time (60 dB) from the free decays of speech in octaves, where no music
      plays; null with fewer than five. Of the voice's recording, whatever room the picture shows.
    - `wind`: noise that sways, nine tenths of it below 250 Hz, louder than -60 dBFS, for 0.5 s.
    - `hum`: steady lines at 50 or 60 Hz and multiples, 12 dB over what lies around, for 3 s.

    Accuracy (`make accuracy`, tests/accuracy/test_environment.py), on one made voice, with which
    the methods were set as well: `snr_db` within 0.6 dB at 0, 15 and 30 dB of white and pink noise;
    `rt60_s` within a factor of 1.21 from 0.3 to 2 s, in made rooms, down to 25 dB over noise, and
    0.16 s without any room; made wind and hum are found and nothing is where there is none. Of five
    demo clips with sound one is named, rightly (a room), and four are `uncertain`. Of twelve
    recordings of places (Debian's package blanket 0.8.0) nine are named rightly: birds, rain,
    storm, stream, summer night, waves and wind as nature, a train as a vehicle, a fireplace as a
    room (by what sounds like frying); a city (0.28), a boat (0.28) and a coffee shop (0.06: speech)
    are `uncertain`, as are white and pink noise. No recording of a street or a crowd has been named
    yet. Voice over music, as in a narration, is `uncertain`.

    Not applicable where there is no audio track, and where it is silent.
    """

    name = "audio_environment"
    version = "3"
    family = Family.SOUND
    stage = Stage.FAST
    kinds = ("yamnet", "signal-processing")
    models_used = ("soundscape",)
    rungs = ("audio_16k",)
    requires = ("voices",)

    observation_columns = (
        TIME_S,
        END_S,
        Column("kind", pa.string(), "What kind of thing is heard", values=KINDS),
        Column("label", pa.string(), "AudioSet's name; wind; 50 Hz or 60 Hz"),
        confidence("Highest output of the classifier; of what is measured, null", nullable=True),
    )
    segment_columns = (
        Column(
            "environment",
            pa.string(),
            "Where it sounds like, within 2 s around",
            values=(*PLACES, UNCERTAIN),
        ),
        confidence("Evidence of the environment, or of the best candidate where uncertain"),
        Column("setting", pa.string(), "Indoor or outdoor", values=(*SETTINGS, UNCERTAIN)),
        confidence("Evidence of the setting, or of the likelier one", "setting_confidence"),
        Column("top_event", pa.string(), "Strongest sound event of the second", nullable=True),
        confidence("Output of the classifier for it", "top_event_confidence", nullable=True),
        _decibels("snr_db", "Voice over what sounds between the words"),
        _decibels("background_dbfs", "Noise level (L90), within 2 s around"),
        _ratio("wind_ratio", "Share of the second with wind in the microphone"),
        _ratio("hum_ratio", "Share of the second with mains hum"),
    )
    summary_columns = (
        Column("environment", pa.string(), "Where it sounds like", values=(*PLACES, UNCERTAIN)),
        confidence("Evidence of the environment, or of the best candidate where uncertain"),
        _ranked("candidates", "environment", "All environments and their evidence, best first"),
        Column("setting", pa.string(), "Indoor or outdoor", values=(*SETTINGS, UNCERTAIN)),
        confidence("Evidence of the setting, or of the likelier one", "setting_confidence"),
        _ranked("top_events", "event", "Sound events by their mean over the video, best first"),
        _decibels("snr_db", "Voice over what sounds between the words"),
        _decibels("background_dbfs", "Noise level: exceeded 90 % of the time (L90)"),
        Column("rt60_s", pa.float32(), "Reverberation time of the speech", True, minimum=0.0),
        Column("rt60_decays", pa.int32(), "Decays it was read from", minimum=0),
        _ratio("wind_ratio", "Share of the sound with wind in the microphone"),
        Column("hum_hz", pa.int32(), "50 or 60 where mains hum is heard", nullable=True),
        _decibels("hum_dbfs", "Level of the hum's lines together"),
        Column("notes", pa.list_(pa.string()), "Why a figure is missing, or what to mind"),
    )

    class Settings(AnalyzerSettings):
        """What counts as a sound event."""

        min_confidence: float = Field(
            0.3, ge=0.1, le=0.95, description="Output of the classifier from which on it is told"
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        nothing = {
            "environment": UNCERTAIN, "confidence": 0.0, "setting": UNCERTAIN,
            "setting_confidence": 0.0, "wind_ratio": 0.0, "hum_ratio": 0.0,
        }  # fmt: skip
        sound = video.audio_16k
        if sound is None:
            return self.not_applicable(video, "no audio track", nothing)
        voices = upstream["voices"]
        if voices.status != "ok":
            return self.not_applicable(video, voices.reason or "nothing to hear", nothing)
        said = voices.observations.to_pylist()
        measured = _Measures.of(sound, spans_of(said, "voice"), spans_of(said, "music"))
        heard = self._listen(sound)
        rows = [*self._events(heard, measured.sound_s), *measured.rows()]
        evidence = sound_places.evidence(heard.likely, heard.classes)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, self._seconds(video, heard, evidence, measured)),
            summary=self._summary(heard, evidence, measured),
        )

    def _listen(self, sound: np.ndarray) -> _Heard:
        starts = range(0, max(1, len(sound) - WINDOW + 1), _HOP)
        with self.models.lend("soundscape") as classifier:
            likely = classifier.probabilities(sound, starts)
            return _Heard(
                np.array(starts) / SAMPLE_RATE_HZ + WINDOW_S / 2, likely, classifier.classes
            )

    def _events(self, heard: _Heard, sound_s: float) -> list[dict[str, Any]]:
        """Spans of each class from windows; each stands for the half second around its middle."""
        begins_s = heard.middles_s - _HOP_S / 2
        ends_s = heard.middles_s + _HOP_S / 2
        # Nothing is heard before the first window and after the last.
        begins_s[0], ends_s[-1] = 0.0, sound_s
        rows = []
        for number in np.flatnonzero((heard.likely >= self.settings.min_confidence).any(axis=0)):
            name = heard.classes[number]
            if name in _NO_EVENT:
                continue
            likely = heard.likely[:, number]
            there = np.concatenate([[0], likely >= self.settings.min_confidence, [0]])
            for first, last in np.flatnonzero(np.diff(there)).reshape(-1, 2).tolist():
                rows.append(
                    {
                        "time_s": float(begins_s[first]),
                        "end_s": float(ends_s[last - 1]),
                        "kind": "place" if name in sound_places.PLACE_NAMES else "event",
                        "label": name,
                        "confidence": float(likely[first:last].max()),
                    }
                )
        return sorted(rows, key=lambda row: (row["time_s"], row["label"]))

    def _seconds(
        self,
        video: Video,
        heard: _Heard,
        evidence: Mapping[str, np.ndarray],
        measured: _Measures,
    ) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {c.name: [] for c in self.segment_columns}
        for segment in range(len(video.grid)):
            checkpoint(segment, len(video.grid))
            start_s, end_s = video.grid.bounds_s(segment)
            around = (start_s - _AROUND_S, end_s + _AROUND_S)
            part = slice(*np.searchsorted(heard.middles_s, around))
            places, settings = _candidates(evidence, part, measured.studio(*around))
            environment, strength = sound_places.best(places)
            setting, setting_strength = sound_places.best(settings)
            near = np.abs(heard.middles_s - (start_s + end_s) / 2) <= _HOP_S + self.overlap_s
            event = _strongest(heard, near, self.settings.min_confidence)
            length_s = end_s - start_s
            values = {
                "environment": environment,
                "confidence": strength,
                "setting": setting,
                "setting_confidence": setting_strength,
                "top_event": event[0] if event else None,
                "top_event_confidence": event[1] if event else None,
                "snr_db": measured.snr_between(start_s - self.overlap_s, end_s + self.overlap_s),
                "background_dbfs": background_dbfs(measured.power[_frames(*around)]),
                "wind_ratio": min(1.0, overlap_s(measured.wind, start_s, end_s) / length_s),
                "hum_ratio": min(1.0, overlap_s(measured.hum_spans, start_s, end_s) / length_s),
            }
            for name, value in values.items():
                columns[name].append(value)
        return columns

    def _summary(
        self, heard: _Heard, evidence: Mapping[str, np.ndarray], measured: _Measures
    ) -> dict[str, Any]:
        places, settings = _candidates(evidence, slice(None), measured.studio(0, measured.sound_s))
        environment, strength = sound_places.best(places)
        setting, setting_strength = sound_places.best(settings)
        ranked = sorted(places, key=lambda name: -places[name])
        mean, most = heard.likely.mean(axis=0), heard.likely.max(axis=0)
        told = [
            number
            for number in np.argsort(-mean, kind="stable").tolist()
            if most[number] >= self.settings.min_confidence
            and heard.classes[number] not in (*_NO_EVENT, *sound_places.PLACE_NAMES)
        ]
        room, mains = measured.room, measured.hum
        return {
            "environment": environment,
            "confidence": strength,
            "candidates": [{"environment": n, "confidence": places[n]} for n in ranked],
            "setting": setting,
            "setting_confidence": setting_strength,
            "top_events": [
                {"event": heard.classes[n], "confidence": float(mean[n])} for n in told[:_TOP]
            ],
            "snr_db": measured.snr_db,
            "background_dbfs": background_dbfs(measured.power),
            "rt60_s": room.rt60_s if room else None,
            "rt60_decays": room.decays if room else 0,
            "wind_ratio": min(1.0, sum(b - a for a, b in measured.wind) / measured.sound_s),
            "hum_hz": mains.hz if mains else None,
            "hum_dbfs": mains.dbfs if mains else None,
            "notes": measured.notes(),
        }

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Bars of the environment and of the most frequent sounds, wind and hum."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        summary = result.summary
        rows = result.observations.to_pylist()
        seconds = result.segments.to_pylist()
        bars = {
            place: [
                (s["start_s"], s["end_s"], colour) for s in seconds if s["environment"] == place
            ]
            for place, colour in zip((*PLACES, UNCERTAIN), (*PALETTE, _UNCERTAIN), strict=True)
        }
        bars = {place: spans for place, spans in bars.items() if spans}
        for event in summary["top_events"]:
            name = event["event"]
            bars[_short(name)] = [
                (r["time_s"], r["end_s"], _SOUND) for r in rows if r["label"] == name
            ]
        for kind in ("wind", "hum"):
            bars[kind] = [(r["time_s"], r["end_s"], _SOUND) for r in rows if r["kind"] == kind]
        title = _headline(summary)
        picture = draw_bars(title, bars, video.info.end_s)
        _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return Preview(markdown=title, image=data.tobytes(), image_type="image/png")


@dataclass(frozen=True)
class _Measures:
    """What is measured and not guessed. `power`: of frames of 20 ms, `inside`: those of a voice."""

    sound_s: float
    voice: list[Span]
    has_music: bool
    power: np.ndarray
    inside: np.ndarray
    noise: float | None
    snr_db: float | None
    room: Reverberation | None
    wind: list[Span]
    hum: Hum | None

    @classmethod
    def of(cls, sound: np.ndarray, voice: list[Span], music: list[Span]) -> _Measures:
        power = frame_powers(sound, SAMPLE_RATE_HZ)
        inside = voice_mask(len(power), voice)
        noise = gap_power(power, voice)
        alone = [
            (a, b) for a, b in voice if overlap_s(music, a, b + _AFTER_S) < _LITTLE_MUSIC * (b - a)
        ]
        return cls(
            sound_s=len(sound) / SAMPLE_RATE_HZ,
            voice=voice,
            has_music=sum(b - a for a, b in music) >= _MUCH_MUSIC * len(sound) / SAMPLE_RATE_HZ,
            power=power,
            inside=inside,
            noise=noise,
            snr_db=voice_snr_db(power, inside, noise),
            room=reverberation(sound, SAMPLE_RATE_HZ, alone, _AFTER_S),
            wind=wind(sound, SAMPLE_RATE_HZ),
            hum=hum(sound, SAMPLE_RATE_HZ),
        )

    @property
    def hum_spans(self) -> Sequence[Span]:
        """Where it hums."""
        return self.hum.spans if self.hum else ()

    def snr_between(self, start_s: float, end_s: float) -> float | None:
        """The same measure of the voice of a while, against the noise of the whole."""
        part = _frames(start_s, end_s)
        return voice_snr_db(self.power[part], self.inside[part], self.noise)

    def studio(self, start_s: float, end_s: float) -> float:
        """Evidence for a studio, where enough is spoken."""
        spoken = overlap_s(self.voice, start_s, end_s) / (end_s - start_s)
        if spoken < _LEAST_VOICE:
            return 0.0
        silent = self.noise is not None and self.noise <= NO_SOUND
        return sound_places.dry_voice(self.snr_db, silent, self.room.rt60_s if self.room else None)

    def rows(self) -> list[dict[str, Any]]:
        """Wind and hum as observations."""
        label = f"{self.hum.hz} Hz" if self.hum else ""
        spans = [
            *(("wind", "wind", s) for s in self.wind),
            *(("hum", label, s) for s in self.hum_spans),
        ]
        return [
            {"time_s": a, "end_s": b, "kind": kind, "label": name, "confidence": None}
            for kind, name, (a, b) in spans
        ]

    def notes(self) -> list[str]:
        """Why a figure is missing, or what to mind."""
        found = []
        if not self.voice:
            found.append("no voice: no signal-to-noise ratio and no reverberation time")
        elif self.snr_db is None and self.noise is None:
            found.append("no gap in the speech in which the noise could be heard")
        elif self.snr_db is None and self.noise is not None and self.noise <= NO_SOUND:
            found.append("between the words there is digital silence")
        elif self.snr_db is None and self.inside.sum() * FRAME_S < LEAST_VOICE_S:
            found.append("too little voice for a signal-to-noise ratio")
        elif self.snr_db is None:
            found.append("the voice is no louder than what sounds between the words")
        elif self.has_music:
            found.append("what sounds between the words is partly music")
        if self.voice and self.room is None:
            found.append("too few clear decays of speech without music for a reverberation time")
        return found


#: After a voice ends its room is listened to for this long; speech with more music than this share
#: of its length says nothing about a room.
_AFTER_S, _LITTLE_MUSIC = 1.0, 0.1
#: With this share of music it is told that the gaps hold some.
_MUCH_MUSIC = 0.3


def _frames(start_s: float, end_s: float) -> slice:
    """The frames of 20 ms from one time to another."""
    return slice(max(0, round(start_s / FRAME_S)), max(0, round(end_s / FRAME_S)))


def _candidates(
    evidence: Mapping[str, np.ndarray], part: slice, studio: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Places and settings with their evidence over some windows.

    A place that is heard speaks against a studio.
    """
    over = {name: sound_places.over_time(values[part]) for name, values in evidence.items()}
    places = {name: over[name] for name in PLACES if name in over}
    places["studio"] = studio * (1 - max(places.values()))
    return places, {name: over[name] for name in SETTINGS}


def _strongest(heard: _Heard, part: np.ndarray, least: float) -> tuple[str, float] | None:
    """The likeliest event in some windows, None where none is likely enough."""
    if not part.any():
        return None
    likely = heard.likely[part].max(axis=0)
    for number in np.argsort(-likely, kind="stable").tolist():
        if likely[number] < least:
            return None
        if heard.classes[number] not in (*_NO_EVENT, *sound_places.PLACE_NAMES):
            return heard.classes[number], float(likely[number])
    return None


# Preview ---------------------------------------------------------------------------------------

_SOUND, _UNCERTAIN = (150, 158, 172), (214, 219, 228)
_LABEL_LENGTH = 13


def _short(name: str) -> str:
    """A label that fits before its bar: the first of AudioSet's several words for it."""
    first = name.split(",")[0]
    return first if len(first) <= _LABEL_LENGTH else first[: _LABEL_LENGTH - 1] + "."


def _headline(summary: Mapping[str, Any]) -> str:
    best = summary["candidates"][0]
    place = summary["environment"]
    if place == UNCERTAIN:
        place = f"uncertain (at best {best['environment']})"
    parts = [f"{place} {summary['confidence']:.2f}"]
    if summary["setting"] != UNCERTAIN:
        parts.append(summary["setting"])
    if summary["snr_db"] is not None:
        parts.append(f"voice {summary['snr_db']:.0f} dB over the rest")
    if summary["background_dbfs"] is not None:
        parts.append(f"noise {summary['background_dbfs']:.0f} dBFS")
    if summary["rt60_s"] is not None:
        parts.append(f"RT60 {summary['rt60_s']:.1f} s")
    if summary["hum_hz"]:
        parts.append(f"hum {summary['hum_hz']} Hz")
    return ", ".join(parts)
