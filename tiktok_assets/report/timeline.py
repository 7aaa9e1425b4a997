"""The timeline: a lane for each kind of thing, over the video's seconds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from tiktok_assets.report.pictures import Picture, Pictures
from tiktok_assets.report.timeline_svg import (
    MOST_ROWS,
    Lane,
    Tick,
    bar,
    curve,
    height,
    lane,
    placed,
    ticks,
)
from tiktok_assets.report.told import Row, Told
from tiktok_assets.report.wording import clipped, number, plural, span, words

#: How many frames the strip has, and the long side of each.
_STRIP_WIDE, _STRIP_UPRIGHT = (10, 160), (14, 176)
#: Below this a second is silent in the drawing.
_BOTTOM_LUFS, _LEVEL_LUFS = -60.0, -40.0
#: Names of the colours (Okabe & Ito 2008, for any colour vision) in the style sheet.
_TONES = ("blue", "orange", "green", "purple", "sky", "vermilion", "yellow")
_QUIET = "grey"
_PARTS = {
    "hook": "vermilion", "build": "sky", "peak": "orange", "turn": "purple", "resolution": "green",
    "call_to_action": "blue", "loop": "yellow",
}  # fmt: skip
_ROLES = {"caption": "blue", "sticker": "orange", "watermark": _QUIET, "scene_text": "green"}
_EMOTIONS = {
    "happy": "yellow", "surprise": "orange", "neutral": "sky", "sad": "blue", "fear": "purple",
    "angry": "vermilion", "disgust": "green",
}  # fmt: skip
_SOUNDS = {"speech": "blue", "singing": "purple", "music": "orange", "silence": _QUIET}
_EFFECTS = {"helps": ("green", "+"), "costs": ("vermilion", "\u2212"), None: ("sky", "")}


@dataclass(frozen=True)
class Timeline:
    """All lanes over one axis."""

    lanes: list[Lane]
    ticks: list[Tick]
    #: Frames at even steps, each from the middle of its part of the axis.
    strip: list[Picture]


def timeline(told: Told, pictures: Pictures) -> Timeline:
    """The lanes of which there is something to show."""
    made = (
        _arc(told), _scenes(told), _shots(told), _camera(told), _speakers(told), _sounds(told),
        _texts(told), _faces(told), _loudness(told), _energy(told), _findings(told),
    )  # fmt: skip
    lanes = [lane for lane in made if lane]
    return Timeline(lanes, ticks(told.end_s), _strip(told, pictures))


def _strip(told: Told, pictures: Pictures) -> list[Picture]:
    upright = told.source["height_px"] > told.source["width_px"]
    count, side_px = _STRIP_UPRIGHT if upright else _STRIP_WIDE
    step_s = told.end_s / count
    found = (pictures.at((i + 0.5) * step_s, side_px) for i in range(count))
    return [picture for picture in found if picture]


def _arc(told: Told) -> Lane | None:
    parts = told.rows("temporal_flow")
    bars = [
        bar(told.end_s, row, _PARTS.get(row["part"], _QUIET), words(row["part"]),
             f"{words(row['part'])}. {row['why']}", place=place)
        for place, row in placed(parts)
    ]  # fmt: skip
    told_parts = (f"{words(r['part'])} {span(r['time_s'], r['end_s'])}" for r in parts)
    legend = [(_PARTS.get(p, _QUIET), words(p)) for p in dict.fromkeys(r["part"] for r in parts)]
    return lane("Story", ", ".join(told_parts), bars, legend=legend)


def _scenes(told: Told) -> Lane | None:
    scenes = [row for row in told.rows("scene_segmentation") if row["type"] == "scene"]
    bars = [
        bar(
            told.end_s,
            row,
            ("sky", "green")[i % 2],
            _scene_name(row, i),
            f"scene {i + 1}, {words(row['label'])}{_sure(row['confidence'])}",
        )
        for i, row in enumerate(scenes)
    ]
    return lane("Scenes", plural(len(scenes), "scene"), bars)


def _scene_name(row: Row, place: int) -> str:
    return f"{place + 1}" if row["label"] == "uncertain" else f"{place + 1} {words(row['label'])}"


def _sure(confidence: float | None) -> str:
    return "" if confidence is None else f" ({confidence:.2f})"


def _shots(told: Told) -> Lane | None:
    shots = [row for row in told.rows("cut_analysis") if row["type"] == "shot"]
    bars = [
        bar(
            told.end_s,
            row,
            ("ink", _QUIET)[row["shot"] % 2],
            str(row["shot"] + 1),
            f"shot {row['shot'] + 1}",
            href=f"#shot-{row['shot'] + 1}",
        )
        for row in shots
    ]
    return lane("Shots", plural(len(shots), "shot"), bars)


def _camera(told: Told) -> Lane | None:
    moves = [
        row
        for row in told.rows("camera_analysis")
        if row["type"] == "move" and row["kind"] not in ("unknown", "static")
    ]
    bars = [bar(told.end_s, row, "purple", words(row["kind"])) for row in moves]
    return lane("Camera", f"{plural(len(moves), 'move')}; else still or not known", bars)


def _speakers(told: Told) -> Lane | None:
    turns = [row for row in told.rows("voices") if row["kind"] == "turn"]
    names = list(dict.fromkeys(row["speaker"] for row in turns))
    bars = []
    for row in turns:
        place = names.index(row["speaker"])
        tone, name = _TONES[place % len(_TONES)], row["speaker"] or "?"
        bars.append(bar(told.end_s, row, tone, name, place=min(place, MOST_ROWS - 1)))
    legend = [(_TONES[i % len(_TONES)], name or "?") for i, name in enumerate(names)]
    shown = legend if len(legend) > 1 else ()
    return lane("Speakers", plural(len(names), "speaker"), bars, legend=shown)


def _sounds(told: Told) -> Lane | None:
    spans = [row for row in told.rows("audio_analysis") if row["kind"] in _SOUNDS]
    kinds = [kind for kind in _SOUNDS if any(row["kind"] == kind for row in spans)]
    bars = [
        bar(told.end_s, row, _SOUNDS[row["kind"]], row["kind"], place=kinds.index(row["kind"]))
        for row in spans
    ]
    bars += [
        bar(told.end_s, row, "green", words(row["kind"]), place=len(kinds))
        for row in told.rows("sound_effects")
    ]
    legend = [(_SOUNDS[kind], kind) for kind in kinds]
    return lane("Sound", ", ".join(kinds), bars, legend)


def _texts(told: Told) -> Lane | None:
    lines = told.rows("text_overlay")
    bars = [
        bar(
            told.end_s,
            row,
            _ROLES.get(row["role"], "purple"),
            clipped(row["text"], 120),
            f"{words(row['role'])}: {clipped(row['text'], 200)}",
            place=place,
            cut=True,
        )
        for place, row in placed(lines)
    ]
    roles = dict.fromkeys(row["role"] for row in lines)
    legend = [(_ROLES.get(role, "purple"), words(role)) for role in roles]
    return lane("Text", plural(len(lines), "line"), bars, legend=legend)


def _faces(told: Told) -> Lane | None:
    """Seconds with a face, in one colour, or with what its expression looks like."""
    counts = told.seconds("faces", "face_count")
    emotions = told.seconds("face_emotion", "emotion") or [None] * len(counts)
    seen = [
        (second, _EMOTIONS.get(emotion or "", ""), emotion if emotion in _EMOTIONS else None)
        for second, (count, emotion) in enumerate(zip(counts, emotions, strict=False))
        if count
    ]
    bars = []
    # What stands next to each other and is the same becomes one bar.
    for (_, tone, emotion), group in groupby(
        enumerate(seen), key=lambda item: (item[0] - item[1][0], item[1][1], item[1][2])
    ):
        run = [item[1][0] for item in group]
        judged = emotion if tone else "face"
        row = Row({"time_s": float(run[0]), "end_s": run[-1] + 1.0})
        title = f"apparent expression: {judged}" if tone else "a face, its expression not judged"
        bars.append(bar(told.end_s, row, tone or _QUIET, judged or "", title))
    shown = [e for e in _EMOTIONS if any(bar.label == e for bar in bars)]
    legend = [(_EMOTIONS[e], f"looks {e}" if e != "neutral" else e) for e in shown]
    return lane("Faces", f"a face in {plural(len(seen), 'second')}", bars, legend=legend)


def _loudness(told: Told) -> Lane | None:
    levels = told.seconds("audio_analysis", "momentary_max_lufs")
    if all(level is None for level in levels):
        return None
    shares = [None if v is None else (v - _BOTTOM_LUFS) / -_BOTTOM_LUFS for v in levels]
    drawn = Lane("Loudness", "the loudest 400 ms of each second, in LUFS")
    drawn.curves = [curve(told.end_s, "loudest 400 ms of the second", "blue", shares)]
    levels = [(_LEVEL_LUFS, f"{number(_LEVEL_LUFS)} LUFS")]
    if (target := target_lufs(told)) is not None:
        levels.append((target, f"{number(target)} LUFS, target"))
    drawn.levels = [(height((v - _BOTTOM_LUFS) / -_BOTTOM_LUFS), label) for v, label in levels]
    return drawn


def target_lufs(told: Told) -> float | None:
    """The loudness to aim at, as content_quality was told."""
    return told.entries.get("content_quality", {}).get("settings", {}).get("target_lufs")


def _energy(told: Told) -> Lane | None:
    energy, pacing = (told.seconds("temporal_flow", name) for name in ("energy", "pacing"))
    if not any(value is not None for value in energy):
        return None
    drawn = Lane("Energy", "energy and pacing of each second, from 0 to 1")
    drawn.curves = [
        curve(told.end_s, "energy", "vermilion", energy),
        curve(told.end_s, "pacing", "blue", pacing, dashed=True),
    ]
    drawn.levels = [(height(0.5), "0.5")]
    drawn.legend = [(curve.tone, curve.name) for curve in drawn.curves]
    return drawn


def _findings(told: Told) -> Lane | None:
    found = told.rows("cross_analyzer_intelligence")
    bars = []
    for place, row in placed(found):
        tone, sign = _EFFECTS.get(row["effect"], ("sky", ""))
        label = f"{sign} {words(row['rule'])}".strip()
        bars.append(
            bar(
                told.end_s, row, tone, label, f"{words(row['rule'])}. {row['finding']}", place=place
            )
        )
    effects = dict.fromkeys(row["effect"] for row in found)
    names = {"helps": "helps staying", "costs": "costs staying", None: "also found"}
    legend = [
        (tone, f"{sign} {names[e]}".strip()) for e, (tone, sign) in _EFFECTS.items() if e in effects
    ]
    return lane("Findings", plural(len(found), "finding"), bars, legend=legend)
