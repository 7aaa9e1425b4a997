"""What may be said of a shot, from what other analyzers saw in it, each claim with its rows.

A claim is a phrase for a sentence, the value that its evidence rows hold, and their ids. Whatever
is not seen surely enough makes no claim: the thresholds here decide between saying, hedging and
silence. They were set on the demo clips, so that nothing false by their labels is said; at a
detector's mean confidence of 0.4 to 0.5 every second label was wrong there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from analyzers.base import AnalysisResult
from analyzers.methods.evidence import observation_id, second_id
from analyzers.methods.story.english import article, counted
from analyzers.video import Video

Row = Mapping[str, Any]

#: Whose results are read.
SOURCES = (
    "cut_analysis", "object_detection", "faces", "body_pose", "composition_analysis",
    "background_segmentation", "scene_segmentation", "camera_analysis", "color_analysis",
    "text_overlay", "product_detection", "face_emotion", "eye_tracking",
)  # fmt: skip
TOPICS = (
    "scale", "subject", "placement", "setting", "scene", "posture", "action", "emotion", "motion",
    "camera", "colour", "text", "watermark",
)  # fmt: skip

#: Mean confidence from which a thing is named, and from which without a hedge.
_NAMED, _SURE = 0.5, 0.65
#: Part of a shot's pictures in which it has to be.
_PRESENT = 0.25
#: Part in which a pose has to be seen, to make a person of somebody the detector is unsure of.
_POSED = 0.4
_FEWEST_SIGHTINGS = 3
#: Things named in a shot, and rows named for one claim.
_MOST_THINGS, _MOST_ROWS = 4, 3
#: A box within this of the frame's edge is cut by it.
_EDGE = 0.015

#: Part of a shot in which something that lasts has to hold.
_MOSTLY = 0.6
_POSTURE_PART, _FEWEST_POSES = 0.7, 5
#: Movement energy (body_pose): less is keeping still, more is moving; between, nothing is said, and
#: beyond the last it is a misread pose.
_STILL_ENERGY, _MOVING_ENERGY, _MISREAD_ENERGY = 0.05, 0.3, 3.0
_GESTURE_ROWS = 3
#: A face looks like something if it does for so long, so surely.
_EMOTION_S, _EMOTION_CONFIDENCE = 3, 0.7
_GAZE_SHARE, _GAZE_S = 0.7, 2
#: Camera moves of this confidence and length count, and are said without a hedge from there on.
_CAMERA_CONFIDENCE, _CAMERA_SURE, _CAMERA_S = 0.5, 0.65, 1.0
_STANDS_STILL = 0.85
#: Ways through the picture, in parts of its width or height.
_CROSSING, _STRAIGHT, _SWING = 0.2, 0.7, 0.1
#: Turns that make a to and fro.
_TURNS = 3
#: Colours are named that have this part of the picture.
_COLOUR_SHARE = 0.2
_TEXT_CONFIDENCE, _SINGLE_TEXT_CONFIDENCE, _MOST_TEXTS = 0.9, 0.98, 5

_SCALE_SURE = 0.6
SCALE_WORDS = {
    "extreme_close_up": "extreme close-up", "close_up": "close-up",
    "medium_close_up": "medium close-up", "medium": "medium shot",
    "medium_long": "medium long shot", "long": "long shot", "extreme_long": "extreme long shot",
}  # fmt: skip
_PLACES = {
    "left_edge": "at the left edge", "left_third": "on the left", "centre": "in the middle",
    "right_third": "on the right", "right_edge": "at the right edge",
}  # fmt: skip
#: Scene labels that are places; the others say what the subjects say already.
SCENE_WORDS = {
    "street": "a street", "landscape": "a landscape", "monument": "a monument",
    "launch_site": "a launch site", "shop": "a shop", "kitchen": "a kitchen",
    "bathroom": "a bathroom", "bedroom": "a bedroom", "living_room": "a living room",
    "office": "an office", "stage": "a stage",
}  # fmt: skip
_POSTURES = {"standing": "stands", "sitting": "sits", "lying": "lies"}
_GESTURES = {
    "hands_raised": "raises a hand above the head", "pointing": "holds out an arm",
    "waving": "waves",
}  # fmt: skip
_EMOTIONS = {
    "angry": "angry", "disgust": "disgusted", "fear": "afraid", "happy": "happy", "sad": "sad",
    "surprise": "surprised",
}  # fmt: skip
#: What the camera does: as a turn or zoom, as a journey, and which way.
_CAMERA_WORDS = {
    "pan_right": ("pans", "travels", "to the right"),
    "pan_left": ("pans", "travels", "to the left"),
    "tilt_up": ("tilts", "travels", "up"), "tilt_down": ("tilts", "travels", "down"),
    "zoom_in": ("zooms in", "comes nearer", ""), "zoom_out": ("zooms out", "draws back", ""),
}  # fmt: skip
_CAMERA_STATES = {
    "static": "stands still", "handheld": "is held by hand", "roll_clockwise": "rolls clockwise",
    "roll_counterclockwise": "rolls counter-clockwise",
}  # fmt: skip
CAMERA_KINDS = frozenset((*_CAMERA_WORDS, *_CAMERA_STATES))
_GRADES = {
    "black_and_white": "black and white", "sepia": "toned in sepia", "black": "black",
}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """Something said, and why.

    `text`: the phrase. `value`: what the rows of `evidence` hold, a word or a line of text.
    `count`: how many, for a subject. `hedged`: whether the phrase says that it is not sure.
    """

    topic: str
    text: str
    value: str
    evidence: tuple[str, ...]
    confidence: float
    count: int = 1
    hedged: bool = False


@dataclass(frozen=True)
class Shot:
    """A shot and what may be said of it. `frame`: number of a picture that shows it."""

    number: int
    start_s: float
    end_s: float
    frame: int
    evidence: str | None
    claims: tuple[Claim, ...]

    def of(self, *topics: str) -> list[Claim]:
        """The claims of some topics."""
        return [claim for claim in self.claims if claim.topic in topics]


class _Table:
    """One analyzer's rows, found by time. Observations are sorted by `time_s`."""

    def __init__(self, result: AnalysisResult | None) -> None:
        known = result if result is not None and result.status == "ok" else None
        self.observations: list[Row] = known.observations.to_pylist() if known else []
        self.seconds: list[Row] = known.segments.to_pylist() if known else []
        self.start_s = np.array([row["time_s"] for row in self.observations], float)
        self.end_s = np.array([row.get("end_s") or 0.0 for row in self.observations], float)


class Sightings:
    """All results, by analyzer, with their rows numbered."""

    def __init__(self, results: Mapping[str, AnalysisResult], video: Video) -> None:
        self._tables = {name: _Table(results.get(name)) for name in SOURCES}
        self._times_s = video.analysis.times_s
        self._numbers = video.analysis.frame_numbers
        self._end_s = video.info.end_s
        self._aspect = video.info.width_px / video.info.height_px

    def shots(self) -> list[Shot]:
        """Every shot; the whole video is one where cuts are not known."""
        cuts = enumerate(self._tables["cut_analysis"].observations)
        spans: list[tuple[int, float, float, str | None]] = [
            (row["shot"], row["time_s"], row["end_s"], observation_id("cut_analysis", i))
            for i, row in cuts
            if row["type"] == "shot"
        ] or [(0, 0.0, self._end_s, None)]
        return [self._shot(*span) for span in spans]

    def _shot(self, number: int, start_s: float, end_s: float, evidence: str | None) -> Shot:
        pictures = self._pictures(start_s, end_s)
        span = _Span(self._tables, start_s, end_s, pictures, self._aspect)
        middle = int(np.abs(self._times_s - (start_s + end_s) / 2).argmin())
        framed = span.rows("composition_analysis")
        frame = framed[0][1]["frame"] if framed else int(self._numbers[middle])
        claims = [claim for topic in _TELLERS for claim in topic(span)]
        return Shot(number, start_s, end_s, frame, evidence, tuple(claims))

    def _pictures(self, start_s: float, end_s: float) -> int:
        within = (self._times_s >= start_s) & (self._times_s < end_s)
        return max(1, int(within.sum()))


@dataclass(frozen=True)
class _Track:
    """What one track shows in a shot: numbered rows, mean confidence."""

    label: str
    rows: list[tuple[int, Row]]

    @property
    def confidence(self) -> float:
        return float(np.mean([row["confidence"] for _, row in self.rows]))

    @property
    def area(self) -> float:
        return float(sum((r["x2"] - r["x1"]) * (r["y2"] - r["y1"]) for _, r in self.rows))


class _Span:
    """The rows of one shot. `pictures`: how many of the analysis rung lie in it."""

    def __init__(
        self,
        tables: Mapping[str, _Table],
        start_s: float,
        end_s: float,
        pictures: int,
        aspect: float,
    ) -> None:
        self._tables, self.start_s, self.end_s = tables, start_s, end_s
        self.pictures, self.aspect = pictures, aspect

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    def rows(self, analyzer: str) -> list[tuple[int, Row]]:
        """Numbered observations that begin in the shot."""
        table = self._tables[analyzer]
        first, stop = np.searchsorted(table.start_s, [self.start_s, self.end_s])
        return [(i, table.observations[i]) for i in range(first, stop)]

    def lasting(self, analyzer: str) -> list[tuple[int, Row, float]]:
        """Numbered observations that overlap the shot, and for how long."""
        table = self._tables[analyzer]
        common_s = np.minimum(table.end_s, self.end_s) - np.maximum(table.start_s, self.start_s)
        return [
            (int(i), table.observations[i], float(common_s[i]))
            for i in np.flatnonzero(common_s > 0)
        ]

    def seconds(self, analyzer: str) -> list[tuple[int, Row]]:
        """Numbered seconds that lie in the shot for their greater part."""
        seconds = self._tables[analyzer].seconds
        near = range(max(0, int(self.start_s)), min(len(seconds), int(self.end_s) + 1))
        return [
            (i, seconds[i])
            for i in near
            if min(seconds[i]["end_s"], self.end_s) - max(seconds[i]["start_s"], self.start_s)
            > (seconds[i]["end_s"] - seconds[i]["start_s"]) / 2
        ]

    @cached_property
    def tracks(self) -> list[_Track]:
        """Objects that are seen surely enough to be named."""
        tracks: dict[tuple[str, int], list[tuple[int, Row]]] = {}
        for i, row in self.rows("object_detection"):
            tracks.setdefault((row["label"], row["track_id"]), []).append((i, row))
        posed = Counter(row["track_id"] for _, row in self.rows("body_pose"))
        return [
            track
            for (label, track_id), rows in tracks.items()
            if len(rows) >= min(_FEWEST_SIGHTINGS, self.pictures)
            and (
                (track := _Track(label, rows)).confidence >= _NAMED
                or (label == "person" and posed[track_id] >= _POSED * self.pictures)
            )
        ]

    @cached_property
    def things(self) -> dict[str, list[_Track]]:
        """The tracks by label, largest first, of what is there in enough of the pictures."""
        by_label: dict[str, list[_Track]] = {}
        for track in self.tracks:
            by_label.setdefault(track.label, []).append(track)
        present = {
            label: tracks
            for label, tracks in by_label.items()
            if len({row["frame"] for t in tracks for _, row in t.rows}) >= _PRESENT * self.pictures
        }
        order = sorted(present, key=lambda n: (n != "person", -sum(t.area for t in present[n]), n))
        return {label: present[label] for label in order[:_MOST_THINGS]}

    @cached_property
    def stands_still(self) -> list[str]:
        """Evidence that the camera stands still for most of the shot; empty where it may not."""
        still = [
            (observation_id("camera_analysis", i), length_s)
            for i, row, length_s in self.lasting("camera_analysis")
            if row["type"] == "move" and row["kind"] == "static"
        ]
        enough = sum(length_s for _, length_s in still) >= _MOSTLY * self.length_s
        return [name for name, _ in still][:1] if enough else []


def _ids(analyzer: str, rows: Sequence[tuple[int, Row]]) -> tuple[str, ...]:
    """The first, the surest or middle, and the last of some observations."""
    if len(rows) > _MOST_ROWS:
        sure = max(rows[1:-1], key=lambda r: r[1].get("confidence") or 0.0)
        rows = [rows[0], sure, rows[-1]]
    return tuple(observation_id(analyzer, i) for i, _ in rows)


def _second_ids(analyzer: str, seconds: Sequence[tuple[int, Row]]) -> tuple[str, ...]:
    places = sorted({0, len(seconds) // 2, len(seconds) - 1})
    return tuple(second_id(analyzer, seconds[place][0]) for place in places)


def _scale(span: _Span) -> Iterable[Claim]:
    for i, row in span.rows("composition_analysis"):
        if row["shot_scale"]:
            sure = row["shot_scale_confidence"] >= _SCALE_SURE
            words = article(SCALE_WORDS[row["shot_scale"]])
            yield Claim(
                "scale", words if sure else f"probably {words}", row["shot_scale"],
                (observation_id("composition_analysis", i),), row["shot_scale_confidence"],
                hedged=not sure,
            )  # fmt: skip


def _subjects(span: _Span) -> Iterable[Claim]:
    for label, tracks in span.things.items():
        numbered = sorted((r for t in tracks for r in t.rows), key=lambda numbered: numbered[0])
        sure = float(np.mean([track.confidence for track in tracks]))
        in_frame = Counter(row["frame"] for _, row in numbered)
        count = int(np.median(sorted(in_frame.values())))
        hedged = sure < _SURE
        if label == "person" and _only_a_part(span, tracks):
            count, text = 1, "part of a person"
        else:
            text = counted(count, label)
            if count > 1 and sum(n == count for n in in_frame.values()) < _MOSTLY * len(in_frame):
                text = f"at least {text}"
        if hedged:
            text = f"what look{'s' if count == 1 else ''} like {text}"
        yield Claim("subject", text, label, _ids("object_detection", numbered), sure, count, hedged)
    if "person" not in span.things and (face := _face_claim(span)):
        yield face


def _only_a_part(span: _Span, tracks: Sequence[_Track]) -> bool:
    """Hands, arms, legs: no face and no pose is seen, and the frame cuts what is."""
    known = {row["frame"] for name in ("faces", "body_pose") for _, row in span.rows(name)}
    if len(known) >= _PRESENT * span.pictures:
        return False
    boxes = np.array([(r["x1"], r["y1"], r["x2"], r["y2"]) for t in tracks for _, r in t.rows])
    cut = (boxes[:, :2] <= _EDGE).any(axis=1) | (boxes[:, 2:] >= 1 - _EDGE).any(axis=1)
    return bool(cut.mean() >= _MOSTLY)


def _face_claim(span: _Span) -> Claim | None:
    rows = span.rows("faces")
    in_frame = Counter(row["frame"] for _, row in rows)
    if len(in_frame) < _PRESENT * span.pictures:
        return None
    sure = float(np.mean([row["confidence"] for _, row in rows]))
    count = int(np.median(sorted(in_frame.values())))
    return Claim("subject", counted(count, "face"), "", _ids("faces", rows), sure, count)


def _placement(span: _Span) -> Iterable[Claim]:
    for i, row in span.rows("composition_analysis"):
        tracks = span.things.get(row["subject"], [])
        if len(tracks) == 1 and row["placement"]:
            yield Claim(
                "placement", _PLACES[row["placement"]], row["placement"],
                (observation_id("composition_analysis", i),), tracks[0].confidence,
            )  # fmt: skip


def _setting(span: _Span) -> Iterable[Claim]:
    seconds = span.seconds("background_segmentation")
    for setting, words in (("indoor", "indoors"), ("outdoor", "outdoors")):
        own = [(i, row) for i, row in seconds if row["setting"] == setting]
        if own and len(own) >= _MOSTLY * len(seconds):
            sure = len(own) == len(seconds)
            yield Claim(
                "setting", words if sure else f"probably {words}", setting,
                _second_ids("background_segmentation", own), len(own) / len(seconds),
                hedged=not sure,
            )  # fmt: skip


def _scene(span: _Span) -> Iterable[Claim]:
    seconds = span.seconds("scene_segmentation")
    for label in dict.fromkeys(row["scene_label"] for _, row in seconds):
        own = [(i, row) for i, row in seconds if row["scene_label"] == label]
        sure = float(np.mean([row["scene_confidence"] for _, row in own]))
        if label in SCENE_WORDS and len(own) >= _MOSTLY * len(seconds) and sure >= _NAMED:
            ids = _second_ids("scene_segmentation", own)
            yield Claim("scene", SCENE_WORDS[label], label, ids, sure, hedged=True)


def _posture(span: _Span) -> Iterable[Claim]:
    rows = _main_poses(span)
    for posture, words in _POSTURES.items():
        own = [(i, row) for i, row in rows if row["posture"] == posture]
        if len(own) >= max(_FEWEST_POSES, _POSTURE_PART * len(rows)):
            yield Claim("posture", words, posture, _ids("body_pose", own), len(own) / len(rows))


def _main_poses(span: _Span) -> list[tuple[int, Row]]:
    """The poses of the person who is seen most."""
    rows = span.rows("body_pose") if "person" in span.things else []
    if not rows:
        return []
    main, _ = Counter(row["track_id"] for _, row in rows).most_common(1)[0]
    return [(i, row) for i, row in rows if row["track_id"] == main]


def _actions(span: _Span) -> Iterable[Claim]:
    rows = _main_poses(span)
    for gesture, words in _GESTURES.items():
        own = [(i, row) for i, row in rows if gesture in row["gestures"]]
        if len(own) >= _GESTURE_ROWS:
            sure = float(np.mean([row["confidence"] for _, row in own]))
            yield Claim("action", words, gesture, _ids("body_pose", own), sure)
    danced = [(i, row) for i, row in span.seconds("body_pose") if row["dancing"]]
    if len(danced) >= _GAZE_S and rows:
        words = "moves with the beat of the music"
        yield Claim("action", words, "dancing", _second_ids("body_pose", danced), 1.0)
    else:
        yield from _movement(rows)
    looks = [
        (i, row)
        for i, row in span.seconds("eye_tracking")
        if row["gaze"] == "camera" and row["camera_share"] >= _GAZE_SHARE
    ]
    judged = [row for _, row in span.seconds("eye_tracking") if row["gaze"]]
    if len(looks) >= max(_GAZE_S, _MOSTLY * len(judged)):
        share = float(np.mean([row["camera_share"] for _, row in looks]))
        words = "looks into the camera"
        yield Claim("action", words, "camera", _second_ids("eye_tracking", looks), share)


def _movement(rows: Sequence[tuple[int, Row]]) -> Iterable[Claim]:
    told = [(i, row) for i, row in rows if row["movement_energy"] is not None]
    if len(told) < 2 * _FEWEST_POSES:
        return
    energy = float(np.mean([row["movement_energy"] for _, row in told]))
    sure = float(np.mean([row["confidence"] for _, row in told]))
    if energy < _STILL_ENERGY:
        own = [(i, row) for i, row in told if row["movement_energy"] < _STILL_ENERGY]
        yield Claim("action", "hardly moves", "", _ids("body_pose", own), sure)
    elif _MOVING_ENERGY <= energy < _MISREAD_ENERGY:
        own = [(i, row) for i, row in told if row["movement_energy"] >= _MOVING_ENERGY]
        yield Claim("action", "moves about", "", _ids("body_pose", own), sure)


def _emotions(span: _Span) -> Iterable[Claim]:
    """Expressions that last, in the order of time."""
    seconds = span.seconds("face_emotion")
    for emotion, run in groupby(seconds, key=lambda second: second[1]["emotion"]):
        own = list(run)
        if emotion not in _EMOTIONS or len(own) < _EMOTION_S:
            continue
        sure = float(np.mean([row["emotion_confidence"] for _, row in own]))
        if sure >= _EMOTION_CONFIDENCE:
            ids = _second_ids("face_emotion", own)
            yield Claim("emotion", _EMOTIONS[emotion], emotion, ids, sure, hedged=True)


def _motion(span: _Span) -> Iterable[Claim]:
    """What moves through the picture while the camera stands still."""
    if not span.stands_still:
        return
    for label, tracks in span.things.items():
        if len(tracks) != 1 or len(tracks[0].rows) < 2 * _FEWEST_POSES:
            continue
        rows = tracks[0].rows
        centre = np.array([((r["x1"] + r["x2"]) / 2, (r["y1"] + r["y2"]) / 2) for _, r in rows])
        words = _way(centre, span.aspect)
        if words:
            ids = (*_ids("object_detection", rows), *span.stands_still)
            yield Claim("motion", words, label, ids, tracks[0].confidence)


def _held(span: _Span) -> Iterable[Claim]:
    rows = [(i, row) for i, row, _ in span.lasting("product_detection") if row["held"]]
    for label in dict.fromkeys(row["label"] for _, row in rows):
        if label in span.things:
            own = [(i, row) for i, row in rows if row["label"] == label]
            sure = float(np.mean([row["confidence"] for _, row in own]))
            ids = _ids("product_detection", own)
            yield Claim("motion", "is held in a hand", label, ids, sure)


def _way(centre: np.ndarray, aspect: float) -> str | None:
    """How something goes through the picture, from its centres (n, 2); None where it does not."""
    low, high = np.percentile(centre, [5, 95], axis=0)
    width, height = high - low
    tenth = max(1, len(centre) // 10)
    gone = float(centre[-tenth:, 0].mean() - centre[:tenth, 0].mean())
    if abs(gone) >= _CROSSING and abs(gone) >= _STRAIGHT * width:
        return f"moves to the {'right' if gone > 0 else 'left'}"
    across = width * aspect >= height
    reach = width if across else height
    if reach < _SWING or _swings(centre[:, 0 if across else 1], reach / 2) < _TURNS:
        return None
    return "moves to and fro" if across else "moves up and down"


def _swings(values: np.ndarray, least: float) -> int:
    """How often a series turns after going at least so far."""
    turns, extreme, direction = 0, values[0], 0
    for value in values:
        step = value - extreme
        if direction * step > 0 or (direction == 0 and abs(step) >= least):
            direction = int(np.sign(step)) if direction == 0 else direction
            extreme = value
        elif direction and abs(step) >= least:
            turns, direction, extreme = turns + 1, -direction, value
    return turns


def _camera(span: _Span) -> Iterable[Claim]:
    moves = [
        (i, row, length_s)
        for i, row, length_s in span.lasting("camera_analysis")
        if row["type"] == "move"
        and row["kind"] in CAMERA_KINDS
        and row["confidence"] >= _CAMERA_CONFIDENCE
    ]
    known_s = sum(length_s for *_, length_s in moves)
    if not moves or known_s < _MOSTLY * span.length_s:
        return
    still = [move for move in moves if move[1]["kind"] == "static"]
    if sum(length_s for *_, length_s in still) >= _STANDS_STILL * known_s:
        moves = [max(still, key=lambda move: move[2])]
    told = [move for move in moves if move[2] >= min(_CAMERA_S, _MOSTLY * span.length_s)]
    for words, run in groupby(told[:_MOST_ROWS], key=lambda move: _camera_words(move[1])):
        own = list(run)
        kind = own[0][1]["kind"]
        sure = float(np.mean([row["confidence"] for _, row, _ in own]))
        ids = _ids("camera_analysis", [(i, row) for i, row, _ in own])
        yield Claim("camera", words, kind, ids, sure, hedged=sure < _CAMERA_SURE)


def _camera_words(move: Row) -> str:
    """Where camera_analysis cannot tell a turn from a journey, both are said."""
    if move["kind"] in _CAMERA_STATES:
        return _CAMERA_STATES[move["kind"]]
    turns, travels, way = _CAMERA_WORDS[move["kind"]]
    verbs = {True: travels, False: turns, None: f"{turns} or {travels}"}[move.get("dolly_like")]
    return f"{verbs} {way}".strip()


def _colours(span: _Span) -> Iterable[Claim]:
    seconds = span.seconds("color_analysis")
    if not seconds:
        return
    for grade, words in _GRADES.items():
        own = [(i, row) for i, row in seconds if row["grade"] == grade]
        if len(own) >= _MOSTLY * len(seconds):
            ids = _second_ids("color_analysis", own)
            yield Claim("colour", words, grade, ids, len(own) / len(seconds))
            return
    shares: Counter[str] = Counter()
    for _, row in seconds:
        for colour in row["palette"]:
            shares[colour["name"]] += colour["share"] / len(seconds)
    for name, share in shares.most_common(2):
        if share >= _COLOUR_SHARE:
            own = [(i, r) for i, r in seconds if any(c["name"] == name for c in r["palette"])]
            ids = _second_ids("color_analysis", own)
            yield Claim("colour", name, name, ids, len(own) / len(seconds))


def _texts(span: _Span) -> Iterable[Claim]:
    lines = [
        (i, row, length_s)
        for i, row, length_s in span.lasting("text_overlay")
        if length_s >= min(0.5, (row["end_s"] - row["time_s"]) / 2) and _readable(row)
    ]
    for i, row, _ in lines:
        if row["role"] == "watermark":
            ids = (observation_id("text_overlay", i),)
            yield Claim("watermark", row["text"], row["text"], ids, row["confidence"])
    shown = [line for line in lines if line[1]["role"] != "watermark"]
    # Captions before what stands in the scene, and what is there longer first.
    shown.sort(key=lambda line: (line[1]["role"] == "scene_text", -round(line[2]), line[0]))
    kept = sorted(shown[:_MOST_TEXTS], key=lambda line: (round(line[1]["time_s"]), line[1]["y1"]))
    for i, row, _ in kept:
        ids = (observation_id("text_overlay", i),)
        yield Claim("text", f"“{row['text']}”", row["text"], ids, row["confidence"])


def _readable(row: Row) -> bool:
    letters = sum(character.isalpha() for character in row["text"])
    least = _TEXT_CONFIDENCE if row["frames_read"] > 1 else _SINGLE_TEXT_CONFIDENCE
    return letters >= (2 if row["frames_read"] > 1 else 3) and row["confidence"] >= least


_TELLERS: tuple[Callable[[_Span], Iterable[Claim]], ...] = (
    _scale, _subjects, _placement, _setting, _scene, _posture, _actions, _emotions, _motion, _held,
    _camera, _colours, _texts,
)  # fmt: skip
