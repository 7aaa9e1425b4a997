"""The parts of a story: where a video hooks, builds, peaks, turns, resolves, calls and loops.

Each part is told only where something speaks for it, so a video of one steady shot has a hook and
little else. The bounds are this project's own, set on real clips; hook and call to action are
terms of short-video practice, the rest those of dramatic structure (Freytag, "Die Technik des
Dramas", 1863: rising action, climax, turn, resolution).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import theilslopes

from analyzers.methods.story.calls_to_action import call_in
from analyzers.methods.story.energy import SOURCES, Channels, smoothed
from analyzers.methods.story.joined import Joined, Row, between, end_of, shot_changes

PARTS = ("hook", "build", "peak", "turn", "resolution", "call_to_action", "loop")
#: Whose seconds hold the curves, and the motion that no other analyzer measures.
_OWN = "temporal_flow"
#: The hook is the first three seconds: what makes a viewer stay or swipe on.
HOOK_S = 3.0

#: A peak stands out by so much energy above the median, and is no more than this part of a video.
_PEAK_HEIGHT, _PEAK_SHARE = 0.10, 0.4
#: A second belongs to the peak that keeps so much of its height.
_PEAK_KEEPS = 0.65
#: A build lasts this long at least and rises by so much from its first to its last third.
_BUILD_S, _BUILD_RISE = 2.0, 0.05
#: Seconds before and after a turn that are held against each other, and fewest of them.
_TURN_S, _TURN_LEAST_S = 4, 3
#: The change in each quality that is a whole one. A turn is in what is shown, so that a fade at the
#: end is none: the picture's mood, the expression of a face, or a word of turning must be in it.
#: Energy (loudness is in it) only adds to them. Larger changes count by up to one and a half.
_TURN_SCALES: Mapping[str, float] = {
    "face_valence": 0.8,
    "picture_pleasure": 0.5,
    "picture_arousal": 0.5,
    "energy": 0.3,
}
_TURN_LEAST, _TURN_QUALITY, _TURN_MOST = 1.25, 0.4, 1.5
#: A sentence that begins with a word of turning adds so much, and more where a shot begins with it.
_TURN_WORD, _TURN_WORD_AT_SHOT = 0.8, 0.5
#: After this part of a video come end titles.
_TURN_LATEST = 0.9
_TURN_TOLD = {
    "face_valence": "the face's valence",
    "picture_pleasure": "the picture's brightness and colour",
    "picture_arousal": "the picture's tension",
    "energy": "energy",
}
#: A change of shot or a word this near to the turn is where it is.
_TURN_NEAR_S = 1.0
#: Words with which speech turns to something else.
_TURN_WORDS = re.compile(
    r"^(?:but|however|instead|until|suddenly|or|yet|although|aber|doch|sondern|plötzlich|pero|sino|"
    r"mais|soudain|ma|però|mas|porém)[,.:;]?$",
    re.IGNORECASE,
)
#: A resolution lasts this long at least, and falls by this part of the peak's height.
_RESOLUTION_S, _RESOLUTION_FALL = 1.5, 0.5
#: A call said or written in this last part of the video may be a question.
_LAST_PART = 0.7
#: Pictures so alike show the same thing from the same place.
_LOOP_LIKENESS = 0.9
#: Parts of one call are no further apart.
_CALL_GAP_S = 1.5


@dataclass(frozen=True)
class Part:
    """A part of the story, times in seconds; `why` says in a sentence what speaks for it."""

    part: str
    time_s: float
    end_s: float
    confidence: float
    why: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Seam:
    """How the end meets the beginning.

    `step`: temporal information from the last picture to the first. `usual`: that of pictures half
    a second apart within shots, the median. `likeness`: correlation of the last picture with the
    first, 1 for the same.
    """

    step: float
    usual: float
    likeness: float


def parts_of(
    joined: Joined, channels: Channels, energy: np.ndarray, seam: Seam | None
) -> list[Part]:
    """The parts that are there, by time."""
    end_s = joined.grid.end_s
    shape = smoothed(energy)
    hook = _hook(joined, channels, min(HOOK_S, end_s))
    calls = _calls(joined)
    peak = _peak(joined, channels, shape)
    turn = _turn(joined, channels, energy)
    found = [hook, *calls]
    if peak:
        found.append(peak)
        if build := _build(joined, channels, energy, hook.end_s, peak.time_s):
            found.append(build)
    if turn:
        found.append(turn)
    if rest := _resolution(joined, channels, shape, peak, turn, calls):
        found.append(rest)
    if seam is not None and (loop := _loop(joined, seam)):
        found.append(loop)
    return sorted(found, key=lambda part: (part.time_s, PARTS.index(part.part)))


def contributors(
    joined: Joined, channels: Channels, seconds: range, against: Sequence[str]
) -> tuple[list[str], tuple[str, ...]]:
    """Which channels of `against` are high in these seconds, and the seconds that say so.

    High: above the channel's own median over the video by a tenth, or at least 0.6. Motion is
    temporal_flow's own, as is the energy of seconds in which nothing is high.
    """
    high = []
    for name in against:
        values = channels[name]
        here = float(np.max(values[seconds.start : seconds.stop], initial=0))
        if (
            not np.isnan(values).any()
            and here > 0
            and (here >= 0.6 or here >= float(np.median(values)) + 0.1)
        ):
            high.append(name)
    return high, _seconds_of(joined, high, seconds)


def _seconds_of(joined: Joined, channels: Sequence[str], seconds: Iterable[int]) -> tuple[str, ...]:
    """Ids of the seconds of what these channels come from, of the curves' where there is none."""
    sources = dict.fromkeys(SOURCES.get(name, _OWN) for name in channels) or (_OWN,)
    return tuple(i for source in sources for i in joined.second_ids(source, seconds))


def _hook(joined: Joined, channels: Channels, end_s: float) -> Part:
    words = between(joined.rows("speech_transcription"), 0, end_s)
    lines = [
        row
        for row in between(joined.rows("text_overlay"), 0, end_s)
        if row["role"] in ("caption", "sticker")
    ]
    changes = between(shot_changes(joined), 0, end_s)
    seconds = joined.seconds_of(0, end_s)
    high, ids = contributors(joined, channels, seconds, ("motion", "loudness", "faces"))
    told = []
    if lines:
        told.append(f"text “{_short(' '.join(r['text'] for r in lines))}”")
    if words:
        told.append(f"words “{_short(' '.join(r['word'] for r in words))}”")
    if changes:
        told.append(f"{len(changes)} change{'s' * (len(changes) > 1)} of shot")
    told += [name for name in high if name in ("motion", "faces")]
    nothing = "neither text, words, a change of shot, a face nor much motion"
    why = "The first seconds: " + (", ".join(told) if told else nothing)
    rows = [*lines[:4], *words[:12], *changes[:4]]
    return Part("hook", 0.0, end_s, 1.0, why, (*(r["id"] for r in rows), *ids))


def _peak(joined: Joined, channels: Channels, shape: np.ndarray) -> Part | None:
    first = int(HOOK_S)
    if len(shape) < first + 3:
        return None
    top = first + int(np.argmax(shape[first:]))
    height = float(shape[top] - np.median(shape))
    if height < _PEAK_HEIGHT:
        return None
    least = shape[top] - (1 - _PEAK_KEEPS) * height
    start, stop = top, top + 1
    while start > first and shape[start - 1] >= least:
        start -= 1
    while stop < len(shape) and shape[stop] >= least:
        stop += 1
    if stop - start > max(2, _PEAK_SHARE * len(shape)):
        return None
    seconds = range(start, stop)
    high, ids = contributors(
        joined, channels, seconds, ("motion", "loudness", "cuts", "speech", "text", "faces")
    )
    if not high:
        return None
    usual = float(np.median(shape))
    why = f"Most happens here: {', '.join(high)}; energy {shape[top]:.2f}, else {usual:.2f}"
    end_s = joined.grid.bounds_s(stop - 1)[1]
    return Part("peak", float(start), end_s, min(1.0, height / (3 * _PEAK_HEIGHT)), why, ids)


def _build(
    joined: Joined, channels: Channels, energy: np.ndarray, start_s: float, end_s: float
) -> Part | None:
    own = energy[int(start_s) : int(end_s)]
    if end_s - start_s < _BUILD_S:
        return None
    third = max(1, len(own) // 3)
    rise = float(own[-third:].mean() - own[:third].mean())
    if rise < _BUILD_RISE or theilslopes(own).slope <= 0:
        return None
    high, ids = contributors(
        joined, channels, joined.seconds_of(end_s - third, end_s), tuple(SOURCES)
    )
    why = f"Energy rises from {own[:third].mean():.2f} to {own[-third:].mean():.2f}"
    if high:
        why += f", by {', '.join(high)}"
    return Part("build", start_s, end_s, min(1.0, rise / (4 * _BUILD_RISE)), why, ids)


def _turn(joined: Joined, channels: Channels, energy: np.ndarray) -> Part | None:
    """Where the seconds after differ most from those before."""
    qualities = {
        "face_valence": (_column(joined, "face_emotion", "valence"), "face_emotion"),
        "picture_pleasure": (_column(joined, "color_analysis", "pleasure"), "color_analysis"),
        "picture_arousal": (_column(joined, "color_analysis", "arousal"), "color_analysis"),
        "energy": (energy, "audio_analysis"),
    }
    firsts = {r["sentence"]: r for r in reversed(joined.rows("speech_transcription"))}
    words = [r for r in firsts.values() if _TURN_WORDS.match(r["word"])]
    shots = shot_changes(joined)
    last = min(len(energy) - _TURN_LEAST_S, int(_TURN_LATEST * len(energy)))
    best: tuple[float, int, dict[str, float], list[Row]] | None = None
    for second in range(int(HOOK_S), last + 1):
        changes = {}
        for name, (values, _) in qualities.items():
            before, after = values[max(0, second - _TURN_S) : second], values[second:][:_TURN_S]
            before, after = before[~np.isnan(before)], after[~np.isnan(after)]
            if min(len(before), len(after)) >= _TURN_LEAST_S:
                step = float(after.mean() - before.mean()) / _TURN_SCALES[name]
                if abs(step) >= _TURN_QUALITY:
                    changes[name] = float(np.clip(step, -_TURN_MOST, _TURN_MOST))
        near = [r for r in words if abs(r["time_s"] - second) <= _TURN_NEAR_S]
        score = sum(map(abs, changes.values()))
        if near:
            score += _TURN_WORD
            score += _TURN_WORD_AT_SHOT * any(
                abs((s["time_s"] + end_of(s)) / 2 - near[0]["time_s"]) <= _TURN_NEAR_S
                for s in shots
            )
        shown = near or changes.keys() - {"energy"}
        if shown and score >= _TURN_LEAST and (best is None or score > best[0]):
            best = (score, second, changes, near)
    if best is None:
        return None
    score, second, changes, near = best
    if near:
        second = joined.grid.segment_of(near[0]["time_s"])
    shots = [r for r in shots if abs(r["time_s"] - second) <= _TURN_NEAR_S]
    time_s = min((r["time_s"] for r in shots), key=lambda t: abs(t - second), default=float(second))
    told = [f"{_TURN_TOLD[name]} {'up' if s > 0 else 'down'}" for name, s in changes.items()]
    if near:
        told.append(f"the word “{near[0]['word'].strip('.,')}”")
    seconds = joined.seconds_of(max(0.0, second - 2.0), second + 2.0)
    ids = [r["id"] for r in (*shots, *near)]
    for name in changes:
        source = qualities[name][1]
        if source in joined.results:
            ids += [i for i in joined.second_ids(source, seconds) if i not in ids]
    end_s = min(time_s + 1.0, joined.grid.end_s)
    why = "What follows differs: " + ", ".join(told)
    return Part("turn", time_s, end_s, min(1.0, score / (2 * _TURN_LEAST)), why, tuple(ids))


def _resolution(
    joined: Joined,
    channels: Channels,
    shape: np.ndarray,
    peak: Part | None,
    turn: Part | None,
    calls: Sequence[Part],
) -> Part | None:
    """What is left after the peak, and after a turn that follows it, where it calms down."""
    if peak is None:
        return None
    start_s = peak.end_s
    if turn and turn.time_s >= peak.end_s:
        start_s = turn.end_s
    end_s = min((c.time_s for c in calls if c.time_s > start_s), default=joined.grid.end_s)
    own = shape[int(np.ceil(start_s)) : max(int(np.ceil(end_s)), 0)]
    if end_s - start_s < _RESOLUTION_S or not len(own):
        return None
    top = float(shape[int(peak.time_s) : int(np.ceil(peak.end_s))].max())
    fall = top - float(own.mean())
    height = top - float(np.median(shape))
    if fall < _RESOLUTION_FALL * height:
        return None
    low = [
        name
        for name in SOURCES
        if not np.isnan(channels[name]).any()
        and channels[name][int(start_s) :].mean() + 0.05
        < channels[name][int(peak.time_s) : int(np.ceil(peak.end_s))].mean()
    ]
    why = f"After the peak energy falls from {top:.2f} to {own.mean():.2f}"
    seconds = joined.seconds_of(start_s, end_s)
    ids = _seconds_of(joined, low, seconds)
    if low:
        why += f", less {', '.join(low)}"
    return Part("resolution", start_s, end_s, min(1.0, fall / 0.3), why, ids)


def _calls(joined: Joined) -> list[Part]:
    """Calls to action, said and written ones at the same time taken together."""
    end_s = joined.grid.end_s
    found: list[tuple[float, float, str, str, list[Row]]] = []
    groups = [[row] for row in joined.rows("text_overlay") if row["role"] in ("caption", "sticker")]
    groups = [*groups, *_together(groups)]
    sentences: dict[Any, list[Row]] = {}
    for word in joined.rows("speech_transcription"):
        sentences.setdefault(word["sentence"], []).append(word)
    for rows, column in [
        *((group, "text") for group in groups),
        *((sentence, "word") for sentence in sentences.values()),
    ]:
        text = " ".join(row[column] for row in rows)
        start, end = rows[0]["time_s"], max(end_of(row) for row in rows)
        if kind := call_in(text, last=end >= _LAST_PART * end_s):
            found.append((start, min(end, end_s), kind, text, rows))
    parts: list[Part] = []
    for start, end, kind, text, rows in sorted(found, key=lambda c: (c[0], c[1])):
        ids = tuple(row["id"] for row in rows)
        if any(len(c[4]) > len(rows) and all(r in c[4] for r in rows) for c in found):
            continue  # a line of a call that is told whole
        why = f"“{_short(text)}” ({kind})"
        if parts and start - parts[-1].end_s <= _CALL_GAP_S:
            last = parts.pop()
            why = last.why if why.lower() in last.why.lower() else f"{last.why}, {why}"
            ids = tuple(dict.fromkeys((*last.evidence, *ids)))
            start, end = last.time_s, max(end, last.end_s)
        parts.append(Part("call_to_action", start, end, 0.9, why, ids))
    return [replace(part, why=f"It asks the viewer: {part.why}") for part in parts]


def _together(groups: Sequence[Sequence[Row]]) -> list[list[Row]]:
    """Lines that come at the same time, top to bottom: one sentence may be broken over them."""
    blocks: dict[float, list[Row]] = {}
    for [row] in groups:
        start = next((s for s in blocks if abs(s - row["time_s"]) <= 0.3), row["time_s"])
        blocks.setdefault(start, []).append(row)
    return [sorted(b, key=lambda r: r.get("y1") or 0) for b in blocks.values() if len(b) > 1]


def _loop(joined: Joined, seam: Seam) -> Part | None:
    """The last picture leads into the first as one picture leads into the next elsewhere."""
    if seam.step > seam.usual or seam.likeness < _LOOP_LIKENESS:
        return None
    end_s = joined.grid.end_s
    start_s = max(0.0, end_s - 1.0)
    why = (
        f"The end runs into the beginning: their pictures correlate by {seam.likeness:.2f} and "
        f"differ by {seam.step:.1f} levels, others half a second apart by {seam.usual:.1f}"
    )
    seconds = sorted({*joined.seconds_of(0, 1), *joined.seconds_of(start_s, end_s)})
    source = "color_analysis" if joined.speaks("color_analysis") else _OWN
    return Part("loop", start_s, end_s, 0.8, why, tuple(joined.second_ids(source, seconds)))


def _column(joined: Joined, name: str, column: str) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in joined.column(name, column)], float)


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77].rsplit(" ", 1)[0] + " …"
