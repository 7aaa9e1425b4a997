"""What is told in a word or a number, and the bars that show shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tiktok_assets.report.told import Told
from tiktok_assets.report.wording import aspect, clock, number, plural, size, words


@dataclass(frozen=True)
class Fact:
    """A label, a value with its unit, and what is to be known of it."""

    label: str
    value: str
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Share:
    """A name and its part of a whole, 0..1."""

    name: str
    share: float
    note: str = ""


def facts(*found: Fact | None) -> list[Fact]:
    """Those that there are."""
    return [fact for fact in found if fact is not None and fact.value]


def fact(
    label: str, value: float | str | None, unit: str = "", digits: int = 1, note: str = ""
) -> Fact | None:
    """A fact with its unit; None where nothing is known."""
    if value is None or value == "":
        return None
    told = value if isinstance(value, str) else number(value, digits)
    return Fact(label, told, unit, note)


def shares(rows: Iterable[dict], of: str, most: int = 8) -> list[Share]:
    """Rows of a `shares` column, the largest first; those too small to tell are left out."""
    return [Share(words(row[of]), row["share"]) for row in rows if row["share"] > 0.005][:most]


def key_facts(told: Told) -> list[Fact]:
    """What a person wants to know first."""
    source = told.source
    width, height = source["width_px"], source["height_px"]
    hook = told.value("cross_analyzer_intelligence", "hook_strength")
    quality = told.value("content_quality", "score")
    weakest = told.value("content_quality", "weakest_part")
    shots = told.value("cut_analysis", "shot_count")
    cuts = told.value("cut_analysis", "cuts_per_minute")
    speakers = told.value("voices", "speaker_count")
    language = told.value("speech_transcription", "language")
    pace = told.value("speech_rate", "words_per_min")
    tempo = told.value("audio_analysis", "tempo_bpm")
    lufs = told.value("audio_analysis", "loudness_lufs")
    return facts(
        Fact("Length", clock(told.end_s), note=plural(source["frame_count"], "frame")),
        Fact("Picture", f"{width}\u2009\u00d7\u2009{height}", note=aspect(width, height)),
        fact("Frame rate", source["fps"], "fps", 2),
        fact("Hook", hook, "of 1", 2, "the first 3 seconds"),
        fact("Quality", quality, "of 100", 0, f"weakest: {words(weakest)}" if weakest else ""),
        fact("Shots", shots, digits=0, note=f"{number(cuts)} cuts a minute" if cuts else ""),
        fact("Speakers", speakers, digits=0),
        fact("Language", language and language.upper(), note=_sureness(told)),
        fact("Speech", pace, "words/min", 0, words(told.value("speech_rate", "pace") or "")),
        fact("Tempo", tempo, "bpm", 0, _key(told)),
        fact("Loudness", lufs, "LUFS"),
        Fact("Sound", "none") if source["audio"] is None else None,
        fact("Faces", told.value("faces", "track_count") or None, digits=0,
             note="counted anew in each shot"),
    )  # fmt: skip


def about_file(told: Told) -> list[Fact]:
    """What the file is."""
    source, sound = told.source, told.source["audio"]
    turned = [f"turned by {source['rotation_deg']}\u00b0"] if source["rotation_deg"] else []
    if source["mirrored"]:
        turned.append("mirrored")
    corrupt = source["corrupt_frame_count"]
    return facts(
        fact("File", told.said.get("original_name")),
        Fact("Size", size(source["size_bytes"])),
        Fact("Video", f"{source['codec']}, {source['pixel_format']}", note=", ".join(turned)),
        Fact(
            "Audio",
            f"{sound['codec']}, {number(sound['sample_rate_hz'] / 1000)}\u202fkHz, "
            f"{plural(sound['channels'], 'channel')}",
        )
        if sound
        else Fact("Audio", "none"),
        Fact("Corrupt frames", number(corrupt, 0)) if corrupt else None,
    )


def _sureness(told: Told) -> str:
    sure = told.value("speech_transcription", "language_confidence")
    return "" if sure is None else f"confidence {sure:.2f}"


def _key(told: Told) -> str:
    key, mode = (told.value("audio_analysis", name) for name in ("key", "mode"))
    return f"{key} {mode or ''}".strip() if key else ""
