"""How the sound is made: loudness, tempo, beats, key, spectrum, dynamics, and its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from pydantic import Field

from analyzers.base import (
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
from analyzers.methods.sound import loudness
from analyzers.methods.sound.background_noise import SILENT_PEAK
from analyzers.methods.sound.rhythm import Pulse, onsets, pulse
from analyzers.methods.sound.spectrum import Spectrum, spectrum
from analyzers.methods.sound.tonality import MODES, PITCHES, Key, key_of, pitch_classes
from analyzers.models.sound import CLASSES, FRAME_S
from analyzers.progress import checkpoint
from analyzers.video import Video

RATE_HZ = 44100
KINDS = ("beat", "onset", *CLASSES, "silence")

#: Full scale, and how many samples in a row make it clipping and not a peak.
_FULL_SCALE = 0.9999
_CLIPPED_RUN = 3
#: Sections this short are dropped, gaps this short closed.
_SECTION_S = 0.5
_SILENCE_S = 0.3
#: A pulse without music must be this clear; with music, this.
_CLEAR_ALONE, _CLEAR_IN_MUSIC = 0.4, 0.15
#: How well pitches must fit a key without music, where a hum may do so by chance; and with music.
_KEY_FIT_ALONE, _KEY_FIT_IN_MUSIC = 0.8, 0.6
#: Sound that is no speech must last this long to have a tempo or a key.
_LEAST_MUSIC_S = 3.0
#: Levels are not shown below this.
_LOWEST_DBFS = -120.0


def _number(
    name: str,
    description: str,
    minimum: float | None = None,
    maximum: float | None = None,
    nullable: bool = True,
) -> Column:
    return Column(name, pa.float32(), description, nullable, minimum, maximum)


def _ratio(name: str, description: str, nullable: bool = False) -> Column:
    return _number(name, description, 0.0, 1.0, nullable)


class AudioAnalysis(Analyzer):
    """Loudness, tempo and beats, key, spectrum, dynamics, and speech, singing, music and silence.

    Observations are of two sorts. Moments (`end_s` null): `beat` and `onset` (where a sound
    begins), with their `strength_ratio`. Sections: `speech`, `singing` and `music` as `voices`
    hears them, gaps shorter than half a second closed and shorter sections left out, with the mean
    probability of what is there as `confidence`; they may lie over each other, as speech does over
    music. And `silence`, from 0.3 s on.

    Loudness is that of ITU-R BS.1770-4 and EBU R 128 on the channels as they are. Levels in dBFS
    are against a sample value of 1.0, so a sine at full scale has -3 dBFS RMS. Where there is no
    sound, a level is null, never minus infinity, and `notes` in the summary say why a figure for
    the whole is missing.

    Tempo and beats are of music: reported where at least 3 s are music or singing and the pulse is
    clear (0.15), or where it is so clear (0.4) that it needs no music to be believed. Key likewise
    needs 3 s of music whose pitches fit a key (0.6), or of other sound without speech that fits one
    well (0.8). Music is taken to keep one tempo and one key. A tempo can be half or double of what
    a listener taps; the accents on and between beats decide where they are clear.

    Accuracy: integrated, momentary and short-term loudness within 0.05 LU of EBU Tech 3341's
    signals 1 to 5, 9, 10, 12 and 13, true peak within 0.05 dB of 15 to 19, range within 0.1 LU on
    Tech 3342's 1 to 4 (signal 6 has five channels; a track is read in two at most). Tempo within
    1 % and beats with an F1 above 0.9 on made clicks and drums from 66 to 174 BPM; drums at 60 read
    as 120. Key right on made progressions in eight keys.

    Spectral measures are means over the second's frames of 46 ms above -70 dBFS.

    Not applicable where there is no audio track, and where it is silent (below half a step of 16
    bits throughout).
    """

    name = "audio_analysis"
    version = "5"
    family = Family.SOUND
    stage = Stage.FAST
    kinds = ("pyloudnorm", "scipy")
    rungs = ("audio_44k",)
    requires = ("voices",)

    observation_columns = (
        TIME_S,
        Column(
            "end_s",
            pa.float64(),
            "End of a section, in seconds from the first presented frame; null for a moment",
            nullable=True,
            minimum=0.0,
        ),
        Column("kind", pa.string(), "What is there", values=KINDS),
        confidence("Mean probability over a section of sound", nullable=True),
        _ratio("strength_ratio", "Strength of a beat or onset, of the video's strongest", True),
    )
    segment_columns = (
        _number("loudness_lufs", "Loudness of the second, ungated"),
        _number("momentary_max_lufs", "Loudest 400 ms of those that begin in the second"),
        _number("short_term_lufs", "Loudness of the 3 s around the middle of the second, ungated"),
        _number("rms_dbfs", "Root mean square level over all channels"),
        _number("peak_dbfs", "Highest sample of any channel"),
        _number("crest_db", "Peak above RMS level", minimum=0.0),
        _ratio("clipping_ratio", "Share of samples at full scale, three or more in a row"),
        _number("centroid_hz", "Centre of the magnitude spectrum", 0.0),
        _number("rolloff_hz", "Frequency below which 85 % of the energy lies", 0.0),
        _ratio("flatness_ratio", "How noise-like: 0 for a tone, 1 for white noise", True),
        _ratio("flux_ratio", "How much the spectrum changes from frame to frame", True),
        _number("zero_crossing_hz", "Changes of sign a second, channels mixed", 0.0, None, False),
        _ratio("stereo_width_ratio", "Energy in the difference of two channels; 0 is mono", True),
        _ratio("speech_ratio", "Share of the second with speech"),
        _ratio("singing_ratio", "Share of the second with singing"),
        _ratio("music_ratio", "Share of the second with music"),
        _ratio("silence_ratio", "Share of the second that is silent"),
        Column("beat_count", pa.int32(), "Beats in the second", minimum=0),
        Column("onset_count", pa.int32(), "Sounds that begin in the second", minimum=0),
    )
    summary_columns = (
        Column("channels", pa.int32(), "Channels of the track", minimum=1),
        _number("loudness_lufs", "Integrated loudness, gated"),
        _number("loudness_range_lu", "Loudness range (EBU Tech 3342)", 0.0),
        _number("momentary_max_lufs", "Loudest 400 ms"),
        _number("short_term_max_lufs", "Loudest 3 s"),
        _number("true_peak_dbtp", "Highest level between samples too, at four times the rate"),
        _number("peak_dbfs", "Highest sample"),
        _number("rms_dbfs", "Root mean square level"),
        _number("crest_db", "Peak above RMS level", 0.0),
        _ratio("clipping_ratio", "Share of samples at full scale, three or more in a row"),
        _ratio("stereo_width_ratio", "Energy in the difference of two channels; 0 is mono", True),
        _number("centroid_hz", "Mean centre of the spectrum", 0.0),
        _number("tempo_bpm", "Beats a minute", 0.0),
        confidence(
            "How much the sound repeats from beat to beat", "tempo_confidence", nullable=True
        ),
        Column("beat_count", pa.int32(), "Beats", minimum=0),
        Column("onset_count", pa.int32(), "Onsets", minimum=0),
        Column("key", pa.string(), "Tonic of the music", nullable=True, values=PITCHES),
        Column("mode", pa.string(), "Mode of the music", nullable=True, values=MODES),
        confidence("How well the pitches fit the key", "key_confidence", nullable=True),
        _ratio("speech_ratio", "Share of the time with speech"),
        _ratio("singing_ratio", "Share of the time with singing"),
        _ratio("music_ratio", "Share of the time with music"),
        _ratio("silence_ratio", "Share of the time that is silent"),
        Column("notes", pa.list_(pa.string()), "Why a figure is missing"),
    )

    class Settings(AnalyzerSettings):
        """What counts as silence."""

        silence_dbfs: float = Field(
            -60.0,
            ge=-100,
            le=-20,
            description="10 ms with a lower RMS level are silent, a constant offset aside",
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        silent = {
            **dict.fromkeys((f"{name}_ratio" for name in CLASSES), 0.0),
            "silence_ratio": 1.0,
            "clipping_ratio": 0.0,
            "zero_crossing_hz": 0.0,
            "beat_count": 0,
            "onset_count": 0,
        }
        sound = video.audio_44k
        if sound is None:
            return self.not_applicable(video, "no audio track", silent)
        levels = _levels(sound, video)
        if np.nanmax(levels.peak_dbfs, initial=-np.inf) < 20 * np.log10(SILENT_PEAK):
            return self.not_applicable(video, "the audio track is silent", silent)
        power = loudness.step_power(sound, RATE_HZ)
        spectral = spectrum(sound, RATE_HZ)
        # Not "below": digital silence has no level.
        quiet = ~(levels.frame_dbfs >= self.settings.silence_dbfs)
        present = _present(upstream["voices"].observations.to_pylist(), len(quiet))
        notes: list[str] = []
        beat = _pulse(spectral, present, notes)
        starts = onsets(spectral.onset_strength, spectral.rate_hz)
        starts = starts[~_at(quiet, spectral.times_s[starts])]
        rows = [
            *_moments("beat", beat.beats if beat else np.empty(0, np.int64), spectral, video),
            *_moments("onset", starts, spectral, video),
            *_sections(present, quiet, video),
        ]
        rows.sort(key=lambda r: (r["time_s"], KINDS.index(r["kind"])))
        seconds = _seconds(video, levels, power, spectral, present, quiet, rows)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, seconds),
            summary={
                **_whole(sound, levels, power, spectral, notes),
                **_shares(present, quiet, slice(None)),
                "tempo_bpm": beat.tempo_bpm if beat else None,
                "tempo_confidence": beat.clarity if beat else None,
                "beat_count": sum(row["kind"] == "beat" for row in rows),
                "onset_count": sum(row["kind"] == "onset" for row in rows),
                **_key(sound, present, notes),
                "notes": notes,
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Loudness over time with beats, and below it bars of what the sound consists of."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        picture = _draw(video, result)
        _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return Preview(
            markdown=_headline(result.summary), image=data.tobytes(), image_type="image/png"
        )


# Levels ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Levels:
    """Measures of each second, one value each, and of frames of 10 ms; NaN where nothing sounds."""

    rms_dbfs: np.ndarray
    peak_dbfs: np.ndarray
    clipping_ratio: np.ndarray
    zero_crossing_hz: np.ndarray
    stereo_width_ratio: np.ndarray
    samples: np.ndarray
    frame_dbfs: np.ndarray


def _levels(sound: np.ndarray, video: Video) -> _Levels:
    found: list[tuple[float, ...]] = []
    frame = round(FRAME_S * RATE_HZ)
    frame_power: list[np.ndarray] = []
    # What a sound card adds to everything is no sound.
    constant = np.asarray(sound.mean(axis=0, dtype=np.float64), np.float32)
    for segment in range(len(video.grid)):
        checkpoint(segment, len(video.grid))
        first, last = (round(t * RATE_HZ) for t in video.grid.bounds_s(segment))
        part = np.asarray(sound[first:last], np.float32)
        frames = -(-(last - first) // frame)
        # Silence that was put in has no offset either: the softer of both counts.
        both = (_frame_power(p, frames, frame) for p in (part, part - constant))
        frame_power.append(np.minimum(*both))
        found.append(_of_second(part))
    rms, peak, clipped, crossing, width, samples = np.array(found, np.float64).T
    frame_dbfs = _decibels(np.concatenate(frame_power), 10)
    return _Levels(rms, peak, clipped, crossing, width, samples, frame_dbfs)


def _frame_power(part: np.ndarray, frames: int, frame: int) -> np.ndarray:
    """Mean square of so many frames; what is missing of the last ones is silent."""
    whole = np.pad(part, ((0, frames * frame - len(part)), (0, 0)))
    return np.asarray(np.square(whole).reshape(frames, -1).mean(axis=1))


def _of_second(part: np.ndarray) -> tuple[float, ...]:
    if not part.size:
        return (np.nan, np.nan, 0.0, 0.0, np.nan, 0.0)
    mid = part.mean(axis=1)
    power = float(np.square(part).mean())
    side = float(np.square(part - mid[:, None]).mean())
    return (
        float(_decibels(power, 10)),
        float(_decibels(np.abs(part).max(), 20)),
        _clipped(part) / part.size,
        np.count_nonzero(np.diff(np.signbit(mid))) * RATE_HZ / len(mid),
        min(1.0, side / power) if power > 0 else np.nan,
        float(len(part)),
    )


def _clipped(part: np.ndarray) -> int:
    """Samples at full scale that have company: in runs of at least `_CLIPPED_RUN`."""
    count = 0
    for channel in part.T:
        full = np.concatenate([[0], np.abs(channel) >= _FULL_SCALE, [0]]).astype(np.int8)
        edges = np.flatnonzero(np.diff(full))
        lengths = edges[1::2] - edges[::2]
        count += int(lengths[lengths >= _CLIPPED_RUN].sum())
    return count


def _decibels(value: Any, factor: float) -> np.ndarray:
    """Level of an amplitude (`factor` 20) or a power (10); NaN for none, or next to none."""
    with np.errstate(divide="ignore"):
        level = factor * np.log10(np.asarray(value, np.float64))
    return np.where(level > _LOWEST_DBFS, level, np.nan)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# Tempo and key ---------------------------------------------------------------------------------


def _present(rows: Sequence[Mapping[str, Any]], count: int) -> np.ndarray:
    """How probable each class is in each frame of 10 ms, 0 where it is not there: (count, 3)."""
    present = np.zeros((count, len(CLASSES)), np.float32)
    for row in rows:
        if row["kind"] in CLASSES:
            first, last = (round(row[key] / FRAME_S) for key in ("time_s", "end_s"))
            present[first:last, CLASSES.index(row["kind"])] = row["confidence"]
    return present


def _is(present: np.ndarray, *names: str) -> np.ndarray:
    """Whether any of the classes is there, for each frame of 10 ms."""
    columns = [CLASSES.index(name) for name in names]
    return np.asarray((present[:, columns] > 0).any(axis=1))


def _at(frames: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Values of 10 ms frames at some times; the last one beyond the end."""
    at: np.ndarray = frames[(times_s / FRAME_S).astype(int).clip(0, len(frames) - 1)]
    return at


def _pulse(spectral: Spectrum, present: np.ndarray, notes: list[str]) -> Pulse | None:
    """The beat of the music, or one so clear that it needs none."""
    music = _is(present, "music", "singing")
    enough = np.count_nonzero(music) * FRAME_S >= _LEAST_MUSIC_S
    heard = _at(music, spectral.times_s) if enough else np.ones(len(spectral.times_s), bool)
    found = pulse(
        np.where(heard, spectral.onset_strength, 0.0),
        spectral.rate_hz,
        np.where(heard, spectral.accent_strength, 0.0),
    )
    if found is None or found.clarity < (_CLEAR_IN_MUSIC if enough else _CLEAR_ALONE):
        notes.append("no tempo: nothing repeats clearly enough")
        return None
    return replace(found, beats=found.beats[heard[found.beats]])


def _key(sound: np.ndarray, present: np.ndarray, notes: list[str]) -> dict[str, Any]:
    nothing = {"key": None, "mode": None, "key_confidence": None}
    times_s, classes = pitch_classes(sound, RATE_HZ)
    wanted = _at(_is(present, "music", "singing") | ~_is(present, "speech"), times_s)
    wanted &= classes.sum(axis=1) > 0
    if np.count_nonzero(wanted) * (times_s[1] if len(times_s) > 1 else 0.0) < _LEAST_MUSIC_S:
        notes.append(f"no key: less than {_LEAST_MUSIC_S:.0f} s of music")
        return nothing
    music = _at(_is(present, "music", "singing"), times_s)
    enough = np.count_nonzero(music) * times_s[1] >= _LEAST_MUSIC_S
    found: Key | None = key_of(classes[wanted].sum(axis=0))
    if found is None or found.confidence < (_KEY_FIT_IN_MUSIC if enough else _KEY_FIT_ALONE):
        notes.append("no key: the pitches fit none")
        return nothing
    return {"key": found.tonic, "mode": found.mode, "key_confidence": found.confidence}


# Rows ------------------------------------------------------------------------------------------


def _moments(
    kind: str, frames: np.ndarray, spectral: Spectrum, video: Video
) -> list[dict[str, Any]]:
    strongest = max(float(spectral.onset_strength.max()), 1e-9)
    return [
        {
            "time_s": float(spectral.times_s[i]),
            "kind": kind,
            "strength_ratio": float(spectral.onset_strength[i]) / strongest,
        }
        for i in frames
        if spectral.times_s[i] < video.info.end_s
    ]


def _sections(present: np.ndarray, quiet: np.ndarray, video: Video) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind in CLASSES:
        there = _is(present, kind)
        for first, last in _runs(there, round(_SECTION_S / FRAME_S)):
            section = present[first:last, CLASSES.index(kind)]
            likely = float(section[section > 0].mean())
            rows.append({"kind": kind, "confidence": likely, "time_s": first, "end_s": last})
    for first, last in _runs(quiet, round(_SILENCE_S / FRAME_S), closed=1):
        rows.append({"kind": "silence", "time_s": first, "end_s": last})
    for row in rows:
        row["time_s"] *= FRAME_S
        row["end_s"] = min(row["end_s"] * FRAME_S, video.info.end_s)
    return [row for row in rows if row["time_s"] < row["end_s"]]


def _runs(there: np.ndarray, least: int, closed: int | None = None) -> list[tuple[int, int]]:
    """First and end of runs of at least `least` frames, gaps shorter than `closed` closed."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(np.int8), [0]])))
    runs: list[list[int]] = []
    for first, last in edges.reshape(-1, 2).tolist():
        if runs and first - runs[-1][1] < (closed if closed is not None else least):
            runs[-1][1] = last
        else:
            runs.append([first, last])
    return [(a, b) for a, b in runs if b - a >= least]


def _shares(present: np.ndarray, quiet: np.ndarray, part: slice) -> dict[str, float]:
    """How much of a part, in frames of 10 ms, each class and silence take up."""
    shares = {f"{name}_ratio": float(_is(present[part], name).mean()) for name in CLASSES}
    return {**shares, "silence_ratio": float(quiet[part].mean())}


# Tables ----------------------------------------------------------------------------------------


def _seconds(
    video: Video,
    levels: _Levels,
    power: np.ndarray,
    spectral: Spectrum,
    present: np.ndarray,
    quiet: np.ndarray,
    rows: Sequence[Mapping[str, Any]],
) -> dict[str, list[Any]]:
    grid = video.grid
    columns: dict[str, list[Any]] = {c.name: [] for c in AudioAnalysis.segment_columns}
    counts = {
        kind: np.bincount(
            [grid.segment_of(r["time_s"]) for r in rows if r["kind"] == kind], minlength=len(grid)
        )
        for kind in ("beat", "onset")
    }
    momentary = loudness.sliding(power, loudness.MOMENTARY_STEPS)
    steps, per_second = round(1 / loudness.STEP_S), round(1 / FRAME_S)
    for i in range(len(grid)):
        start_s, end_s = grid.bounds_s(i)
        hundredths = slice(i * per_second, (i + 1) * per_second)
        frames = slice(*np.searchsorted(spectral.times_s, (start_s, end_s)))
        middle = i * steps + steps // 2
        half = loudness.SHORT_TERM_STEPS // 2
        second = {
            "loudness_lufs": _loudness(power[i * steps : (i + 1) * steps]),
            "momentary_max_lufs": _loudest(momentary[i * steps : (i + 1) * steps]),
            "short_term_lufs": _loudness(power[max(0, middle - half) : middle + half]),
            "rms_dbfs": _known(levels.rms_dbfs[i]),
            "peak_dbfs": _known(levels.peak_dbfs[i]),
            "crest_db": _crest(levels.peak_dbfs[i], levels.rms_dbfs[i]),
            "clipping_ratio": levels.clipping_ratio[i],
            "zero_crossing_hz": levels.zero_crossing_hz[i],
            "stereo_width_ratio": _known(levels.stereo_width_ratio[i]),
            **{
                name: _mean(getattr(spectral, name)[frames])
                for name in ("centroid_hz", "rolloff_hz", "flatness_ratio", "flux_ratio")
            },
            **_shares(present, quiet, hundredths),
            "beat_count": int(counts["beat"][i]),
            "onset_count": int(counts["onset"][i]),
        }
        for name, value in second.items():
            columns[name].append(value)
    return columns


def _whole(
    sound: np.ndarray,
    levels: _Levels,
    power: np.ndarray,
    spectral: Spectrum,
    notes: list[str],
) -> dict[str, Any]:
    integrated = loudness.integrated_lufs(power)
    momentary = loudness.sliding(power, loudness.MOMENTARY_STEPS)
    if not len(momentary):
        notes.append("no integrated loudness: less than 0.4 s of sound")
    elif integrated is None:
        notes.append("no integrated loudness: all is below the gate of -70 LUFS")
    if (spread := loudness.loudness_range_lu(power)) is None:
        notes.append("no loudness range: less than 3 s above -70 LUFS")
    weights = levels.samples
    mean_power = np.nansum(10 ** (levels.rms_dbfs / 10) * weights) / weights.sum()
    rms, peak = float(_decibels(mean_power, 10)), float(np.nanmax(levels.peak_dbfs))
    width = levels.stereo_width_ratio
    wide = 10 ** (levels.rms_dbfs / 10) * weights * width
    return {
        "channels": sound.shape[1],
        "loudness_lufs": integrated,
        "loudness_range_lu": spread,
        "momentary_max_lufs": _loudest(momentary),
        "short_term_max_lufs": _loudest(loudness.sliding(power, loudness.SHORT_TERM_STEPS)),
        "true_peak_dbtp": _known(float(_decibels(loudness.true_peak(sound, RATE_HZ), 20))),
        "peak_dbfs": peak,
        "rms_dbfs": _known(rms),
        "crest_db": _crest(peak, rms),
        "clipping_ratio": float((levels.clipping_ratio * weights).sum() / weights.sum()),
        "stereo_width_ratio": _known(
            min(1.0, float(np.nansum(wide) / (mean_power * weights.sum() + 1e-30)))
        ),
        "centroid_hz": _mean(spectral.centroid_hz),
    }


def _crest(peak_dbfs: float, rms_dbfs: float) -> float | None:
    # Of a constant both are the same, but for rounding.
    return max(0.0, peak_dbfs - rms_dbfs) if np.isfinite(peak_dbfs + rms_dbfs) else None


def _loudness(power: np.ndarray) -> float | None:
    return _known(float(loudness.lufs(power.mean()))) if len(power) else None


def _loudest(power: np.ndarray) -> float | None:
    return _known(float(loudness.lufs(power.max()))) if len(power) else None


def _mean(values: np.ndarray) -> float | None:
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else None


# Preview ---------------------------------------------------------------------------------------

_WIDTH, _CURVE_PX, _BAR_PX, _LEFT, _RIGHT, _TOP = 900, 200, 18, 70, 20, 30
_TOP_LUFS, _BOTTOM_LUFS = 0.0, -60.0
_PAPER, _INK, _GRID, _BEAT = (255, 255, 255), (24, 32, 48), (224, 229, 238), (250, 214, 165)
_CURVE, _MOMENTARY = (36, 92, 178), (176, 200, 236)
_BARS = {
    "speech": (58, 133, 96),
    "singing": (178, 92, 160),
    "music": (224, 148, 58),
    "silence": (150, 158, 172),
}


def _headline(summary: Mapping[str, Any]) -> str:
    parts = [
        f"{summary['loudness_lufs']:.1f} LUFS" if summary["loudness_lufs"] is not None else "",
        f"{summary['tempo_bpm']:.0f} BPM" if summary["tempo_bpm"] else "",
        f"{summary['key']} {summary['mode']}" if summary["key"] else "",
    ]
    return ", ".join(part for part in parts if part)


def _draw(video: Video, result: AnalysisResult) -> np.ndarray:
    """Short-term (dark) and momentary (pale) loudness over time, beats behind it, bars below."""
    end_s = max(video.info.end_s, 1e-3)
    height = _TOP + _CURVE_PX + 24 + len(_BARS) * (_BAR_PX + 6) + 8
    picture = np.full((height, _WIDTH, 3), _PAPER, np.uint8)

    def x(time_s: float) -> int:
        return _LEFT + round(time_s / end_s * (_WIDTH - _LEFT - _RIGHT))

    def y(level: float) -> int:
        share = (_TOP_LUFS - level) / (_TOP_LUFS - _BOTTOM_LUFS)
        return _TOP + round(float(np.clip(share, 0, 1)) * _CURVE_PX)

    def write(text: str, left: int, base: int) -> None:
        cv2.putText(
            picture, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA
        )

    rows = result.observations.to_pylist()
    for row in rows:
        if row["kind"] == "beat":
            cv2.line(picture, (x(row["time_s"]), _TOP), (x(row["time_s"]), y(-60)), _BEAT, 1)
    for level in range(-60, 1, 10):
        cv2.line(picture, (_LEFT, y(level)), (_WIDTH - _RIGHT, y(level)), _GRID, 1)
        write(f"{level}", 34, y(level) + 4)
    write("LUFS", 4, _TOP - 12)
    write(_headline(result.summary), _LEFT, _TOP - 12)
    seconds = result.segments.to_pylist()
    for name, colour, thickness in (
        ("momentary_max_lufs", _MOMENTARY, 1),
        ("short_term_lufs", _CURVE, 2),
    ):
        points = [
            (x((s["start_s"] + s["end_s"]) / 2), y(s[name])) for s in seconds if s[name] is not None
        ]
        cv2.polylines(picture, [np.array(points, np.int32)], False, colour, thickness, cv2.LINE_AA)
    step_s = next(s for s in (1, 2, 5, 10, 30, 60, 300, 1800, 10**6) if end_s / s <= 15)
    for time_s in range(0, int(end_s) + 1, step_s):
        write(f"{time_s}", x(time_s) - 4, y(-60) + 16)
    for i, (kind, colour) in enumerate(_BARS.items()):
        top = _TOP + _CURVE_PX + 26 + i * (_BAR_PX + 6)
        write(kind, 4, top + 13)
        cv2.rectangle(picture, (_LEFT, top), (_WIDTH - _RIGHT, top + _BAR_PX), _GRID, -1)
        for row in rows:
            if row["kind"] == kind:
                corners = (x(row["time_s"]), top), (x(row["end_s"]), top + _BAR_PX)
                cv2.rectangle(picture, *corners, colour, -1)
    return picture
