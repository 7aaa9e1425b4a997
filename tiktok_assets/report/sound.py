"""Loudness against its targets, music, voices, place, and how it is spoken."""

from __future__ import annotations

from dataclasses import dataclass

from tiktok_assets.report.facts import Fact, Share, fact, facts
from tiktok_assets.report.timeline import target_lufs
from tiktok_assets.report.told import Told
from tiktok_assets.report.wording import number, percent, words

#: Broadcast's target: EBU R 128 (2023).
R128_LUFS = -23.0
#: The gauge's ends.
_QUIET_LUFS, _LOUD_LUFS = -40.0, 0.0
_MOST_EVENTS = 12


@dataclass(frozen=True)
class Mark:
    """A place on the gauge, in percent from the left."""

    x: float
    label: str


@dataclass(frozen=True)
class Event:
    """A sound: when it is heard first, how often, and how sure the surest time of it is."""

    name: str
    start_s: float
    end_s: float
    count: int
    confidence: float


@dataclass(frozen=True)
class Sound:
    """All that is told of the sound."""

    why_none: str
    gauge: Mark | None
    targets: list[Mark]
    level: list[Fact]
    kinds: list[Share]
    music: list[Fact]
    place: list[Fact]
    events: list[Event]
    speech: list[Fact]
    notes: list[str]


def sound(told: Told) -> Sound:
    """What is heard; `why_none` where nothing is."""
    lufs, target = told.value("audio_analysis", "loudness_lufs"), target_lufs(told)
    targets = [Mark(_x(R128_LUFS), f"EBU R 128, {number(R128_LUFS)} LUFS")]
    if target is not None:
        targets.insert(0, Mark(_x(target), f"target, {number(target)} LUFS"))
    kinds = [
        Share(kind, told.value("audio_analysis", f"{kind}_ratio") or 0.0)
        for kind in ("speech", "singing", "music", "silence")
    ]
    notes = [*told.values("audio_analysis", "notes"), *told.values("audio_environment", "notes")]
    return Sound(
        told.why_not("audio_analysis") if not told.ok("audio_analysis") else "",
        None if lufs is None else Mark(_x(lufs), f"{number(lufs)} LUFS"),
        targets,
        _level(told, target),
        [share for share in kinds if share.share > 0],
        _music(told),
        _place(told),
        _events(told),
        _speech(told),
        list(dict.fromkeys(notes)),
    )


def _x(lufs: float) -> float:
    share = (lufs - _QUIET_LUFS) / (_LOUD_LUFS - _QUIET_LUFS)
    return min(max(share, 0.0), 1.0) * 100


def _level(told: Told, target: float | None) -> list[Fact]:
    name = "audio_analysis"
    lufs = told.value(name, "loudness_lufs")
    note = ""
    if lufs is not None and target is not None:
        off = lufs - target
        note = f"{number(abs(off))}\u202fLU {'above' if off > 0 else 'below'} the target"
    clipping = told.value(name, "clipping_ratio")
    return facts(
        fact("Integrated loudness", lufs, "LUFS", note=note),
        fact("Loudness range", told.value(name, "loudness_range_lu"), "LU"),
        fact("True peak", told.value(name, "true_peak_dbtp"), "dBTP"),
        fact("Clipped samples", percent(clipping) if clipping else None),
        fact("Channels", told.value(name, "channels"), digits=0),
    )


def _music(told: Told) -> list[Fact]:
    name = "audio_analysis"
    key, mode = told.value(name, "key"), told.value(name, "mode")
    tempo_sure, key_sure = (told.value(name, f"{of}_confidence") for of in ("tempo", "key"))
    return facts(
        fact("Tempo", told.value(name, "tempo_bpm"), "bpm", note=_sure(tempo_sure)),
        fact("Beats", told.value(name, "beat_count") or None, digits=0),
        fact("Key", f"{key} {mode or ''}".strip() if key else None, note=_sure(key_sure)),
    )


def _place(told: Told) -> list[Fact]:
    name = "audio_environment"
    place = told.value(name, "environment")
    return facts(
        fact("Environment", place and words(place), note=_sure(told.value(name, "confidence"))),
        fact("Signal to noise", told.value(name, "snr_db"), "dB"),
        fact("Reverberation (RT60)", told.value(name, "rt60_s"), "s", 2),
        fact("Background", told.value(name, "background_dbfs"), "dBFS"),
        fact("Hum", told.value(name, "hum_hz"), "Hz", 0),
    )


def _events(told: Told) -> list[Event]:
    """The most frequent sounds by when they are heard: their mean over the video says little."""
    rows = [row for row in told.rows("audio_environment") if row["kind"] == "event"]
    found = []
    for top in told.values("audio_environment", "top_events"):
        if heard := [row for row in rows if row["label"] == top["event"]]:
            sure = max(row["confidence"] or 0.0 for row in heard)
            first = heard[0]
            found.append(Event(top["event"], first["time_s"], first["end_s"], len(heard), sure))
    return found[:_MOST_EVENTS]


def _speech(told: Told) -> list[Fact]:
    rate, flow, mood = "speech_rate", "speech_flow", "speech_emotion"
    norm = told.value(rate, "norm_ratio")
    emotion = told.value(mood, "dominant_emotion")
    return facts(
        fact("Pace", told.value(rate, "words_per_min"), "words a minute", 0,
             words(told.value(rate, "pace") or "")),
        fact("Against the norm", norm, "\u00d7", 2),
        fact("Articulation", told.value(rate, "articulation_syllables_per_s"), "syllables/s"),
        fact("Pauses", told.value(flow, "pauses_per_min"), "a minute"),
        fact("Fillers", told.value(flow, "filled_pauses_per_min"), "a minute"),
        fact("Repairs", told.value(flow, "repairs_per_min"), "a minute"),
        fact("Tone of voice", emotion if emotion != "uncertain" else None),
        fact("Pleasantness of the words", told.value(mood, "mean_valence"), digits=2,
             note="from \u22121 to 1"),
    )  # fmt: skip


def _sure(confidence: float | None) -> str:
    return "" if confidence is None else f"confidence {confidence:.2f}"
