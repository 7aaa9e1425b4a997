"""How each shot is framed: scale, placement, headroom, lines, symmetry, balance, depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa

from analyzers import progress
from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    Column,
    Family,
    Preview,
    Stage,
    box_columns,
    confidence,
    shares,
    shares_column,
)
from analyzers.methods.contact_sheet import contact_sheet, tag
from analyzers.methods.known_median import known_median
from analyzers.methods.people.body import HIPS, SHOULDERS, body_of
from analyzers.methods.people.face_rows import box_of, face_rows, landmarks_of
from analyzers.methods.picture.defocus import edge_blur_px
from analyzers.methods.picture.framing import (
    PLACEMENTS,
    balance_score,
    mirror_symmetry,
    placement_of,
    thirds_distance,
    thirds_score,
)
from analyzers.methods.picture.leading_lines import LINE_DIRECTIONS, Lines, lines_of
from analyzers.methods.picture.prompts import SHOT_SCALES
from analyzers.methods.picture.saliency import centre_of_weight, saliency, salient_box
from analyzers.methods.picture.shot_scale import (
    ERROR,
    FACE_BY_EYES_TO_MOUTH,
    FACE_STATURES,
    SCALES,
    TRUNK_STATURES,
    scale_confidence,
    scale_of,
    statures_by_object,
)
from analyzers.models.detector import COCO_LABELS
from analyzers.video import Frames, Video

#: Pictures looked at in a shot: one for so many seconds, at the least and at the most.
_SECONDS_A_PICTURE, _FEWEST_PICTURES, _MOST_PICTURES = 3.0, 2, 5
#: So much of a shot at either end may belong to a transition.
_EDGE_S, _EDGE_RATIO = 0.3, 0.1

#: What is in less of a shot's frames than this is not its subject.
_LEAST_PRESENCE = 0.2
#: An object counts from this mean confidence on; a person, whom face or pose confirm, earlier.
_OBJECT_CONFIDENCE, _PERSON_CONFIDENCE = 0.5, 0.4
#: People draw the eye before things of the same size (Judd et al. 2009, "Learning to predict where
#: humans look"): their area counts so many times.
_PERSON_WEIGHT = 3.0
#: A salient region larger than this part of the frame is the whole scene, and no subject.
_LARGEST_SALIENT = 0.35

#: A scale less probable than this is not named.
_LEAST_SCALE_CONFIDENCE = 0.35
#: Probability of a scale by sentences from which it is taken where nothing measures it.
_DESCRIBED = 0.5
#: Frames that measure the scale, of the shot's, from which on the measure counts in full.
_FULL_PRESENCE = 0.4
#: Track id of the faces that lie in no person's box; object_detection counts from 0.
_LONE_FACE = -1
#: The edge of a box lies on the frame's within this.
_TOUCHES = 0.015
#: A figure that is cut inside the picture, with at most this part of it in sight, says nothing of
#: the frame: it is behind something, or in a picture within the picture.
_HIDDEN, _ROOM_BELOW = 0.4, 0.1
#: A box at least so many times as high as wide is a standing figure.
_FIGURE_ASPECT = 2.0
_MIN_KEYPOINT = 0.5

#: A head turned this far looks to a side.
_LOOKS_ASIDE_DEG = 15.0
#: Skull above the face box, in heights of the box: the head is 0.130 statures high, the box 0.105.
_CROWN = 0.24

#: A background so many times as blurred as the subject is out of focus.
_SHALLOW = 1.5
#: Two of a kind, one this many times as high as the other: the small one is far away.
_SMALLER = 2.0
#: Boxes that cover this part of the smaller one stand one before the other.
_OVERLAP = (0.1, 0.8)
DEPTH_CUES = ("shallow_focus", "linear_perspective", "relative_size", "overlap")

BASES = ("face", "body", "figure", "object", "described", "none")
SUBJECTS = ("person", "object", "salient", "none")


def _ratio(name: str, description: str, most: float | None = 1.0) -> Column:
    return Column(name, pa.float32(), description, True, 0.0, most)


_SUBJECT = Column(
    "subject",
    pa.string(),
    "What the shot shows: a class of COCO; `salient` for a region that merely stands out; `none`",
    values=(*COCO_LABELS, "salient", "none"),
)
_SCALE = Column(
    "shot_scale",
    pa.string(),
    "How much of a standing person the frame is high; null where nothing measures it well enough",
    True,
    values=SCALES,
)
_FRAMING: tuple[Column, ...] = (
    _ratio("subject_x", "Of its eyes if they are seen, else of its middle; from the left"),
    _ratio("subject_y", "Likewise, from the top"),
    _ratio("subject_share", "Part of the frame that its box covers"),
    Column(
        "placement",
        pa.string(),
        "The line nearest to the subject: an edge, a line of thirds, the centre",
        True,
        values=PLACEMENTS,
    ),
    _ratio(
        "thirds_score",
        "1 on a point where lines of thirds cross, 0.15 in the middle (Liu et al. 2010)",
    ),
    _ratio("headroom_ratio", "Room above the head, of the frame's height; null without a face"),
    Column(
        "look_direction",
        pa.string(),
        "Where a face looks, in the picture; null without a face",
        True,
        values=("left", "right", "ahead"),
    ),
    _ratio(
        "look_room_ratio", "Part of the frame's width before the eyes; null for one looking ahead"
    ),
    _ratio("symmetry", "Left against right mirrored: correlation of forms; null without forms"),
    _ratio("balance", "1 where the centre of visual weight is that of the frame (Liu et al. 2010)"),
)


class CompositionAnalysis(Analyzer):
    """How each shot is framed: shot scale, subject, thirds, headroom, lines, symmetry, depth.

    A row is a shot. Its scale is how much of a standing person the frame is high: by the height of
    the largest face; without one by the pose (shoulders to hips); without that by a standing
    figure's box; and where nobody is there by an object whose kind comes in one size, which is a
    guess and has a low confidence. It is null where none of these measures it, or what it measures
    fits two names alike: hands alone tell no scale, nor does a figure that something in the picture
    cuts off, as in a picture within the picture. The subject is the person, or else the object,
    that covers most of the shot; without one the region that stands out, if there is one (a
    saliency map by image signature; captions stand out too). Two to five pictures of a shot
    are looked at; numbers are medians over them.

    With a model for the role `clip`, where nothing measures the scale, it is the one whose name
    describes the shot with a probability of a half (basis `described`).

    Rules of composition are described, not demanded: nothing here says that a shot is good.

    Accuracy: the scale is right on five of five crops of one man (head and neck to whole) and on
    five of five shots whose scale is plain to see; nothing else is measured but on made pictures.
    """

    name: ClassVar[str] = "composition_analysis"
    version: ClassVar[str] = "1"
    family: ClassVar[Family] = Family.PICTURE
    stage: ClassVar[Stage] = Stage.LIGHT_GPU
    kinds: ClassVar[tuple[str, ...]] = ("opencv",)
    optional_models: ClassVar[tuple[str, ...]] = ("clip",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis",)
    requires: ClassVar[tuple[str, ...]] = ("cut_analysis", "faces")
    optional: ClassVar[tuple[str, ...]] = ("object_detection", "body_pose")

    observation_columns: ClassVar[tuple[Column, ...]] = (
        Column("shot", pa.int32(), "Number of the shot, as cut_analysis has it", minimum=0),
        TIME_S,
        END_S,
        Column("frame", pa.int64(), "Number of the picture that shows it best", minimum=0),
        _SCALE,
        confidence("Probability of that scale; 0 without one", "shot_scale_confidence"),
        Column("shot_scale_basis", pa.string(), "What it was measured by", values=BASES),
        _ratio("frame_height_statures", "Height of the frame in heights of a person", None),
        _SUBJECT,
        Column("subject_kind", pa.string(), "How the subject was found", values=SUBJECTS),
        confidence("Of the subject: mean of its detections; null without", nullable=True),
        *box_columns("the subject in that picture; null without one", nullable=True),
        *_FRAMING,
        _ratio("thirds_distance_ratio", "To the nearest such point, widths and heights added"),
        _ratio("weight_x", "Centre of visual weight, from the left"),
        _ratio("weight_y", "Likewise, from the top"),
        Column(
            "line_direction",
            pa.string(),
            "Direction that dominates among long straight lines; null where none does",
            True,
            values=LINE_DIRECTIONS,
        ),
        _ratio("line_length_ratio", "Length of all of them, in diagonals of the frame", None),
        Column("leading_line_count", pa.int32(), "Lines that lead to one point", minimum=0),
        Column(
            "vanishing_x",
            pa.float32(),
            "That point, from the left; it may lie outside the frame; null without",
            True,
        ),
        Column("vanishing_y", pa.float32(), "Likewise, from the top", True),
        Column(
            "lines_lead_to_subject",
            pa.bool_(),
            "Whether that point lies in the subject's box; null without lines or subject",
            True,
        ),
        _ratio(
            "background_blur_ratio",
            "Blur of the edges around the subject over that of its own (Zhuo & Sim 2011); null "
            "without a person or an object, or without edges",
            None,
        ),
        Column("depth_cues", pa.list_(pa.string()), f"Some of {', '.join(DEPTH_CUES)}"),
        Column("blank", pa.bool_(), "Nothing but a plain colour in all pictures"),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("shot", pa.int32(), "The shot that has most of this second", minimum=0),
        _SCALE,
        _SUBJECT,
        *_FRAMING,
        Column("depth_cues", pa.list_(pa.string()), f"Some of {', '.join(DEPTH_CUES)}"),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("shot_count", pa.int32(), "Shots", minimum=1),
        Column("scaled_shot_count", pa.int32(), "Shots whose scale is named", minimum=0),
        Column(
            "shot_scale",
            pa.string(),
            "The scale over most of the time; null where none is named",
            True,
            values=SCALES,
        ),
        shares_column("shot_scales", "shot_scale", "Of the shots whose scale is named"),
        shares_column("placements", "placement", "Of the shots with a subject"),
        _ratio("thirds_score", "Mean over the shots with a subject, by their length"),
        _ratio("symmetry", "Mean over the shots, by their length"),
        _ratio("balance", "Mean over the shots, by their length"),
        _ratio("headroom_ratio", "Mean over the shots with a face, by their length"),
        Column("leading_lines_shot_count", pa.int32(), "Shots with leading lines", minimum=0),
        Column("depth_cues", pa.list_(pa.string()), "Those that are in any shot"),
        Column("notes", pa.list_(pa.string()), "What was missing"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        cuts = upstream["cut_analysis"]
        shots = [row for row in cuts.observations.to_pylist() if row["type"] == "shot"]
        seen = _Seen(video, upstream)
        rows: list[dict[str, Any]] = []
        for shot in shots:
            progress.checkpoint(len(rows), len(shots))
            rows.append(_described(video.analysis, seen, shot))
        self._name_scales(video, rows)
        if all(row["blank"] for row in rows):
            return self.not_applicable(video, "nothing but a plain colour in any shot")
        by_shot = {row["shot"]: row for row in rows}
        of_second = [by_shot[shot] for shot in cuts.segments["shot"].to_pylist()]
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(
                video.grid,
                {c.name: [row[c.name] for row in of_second] for c in self.segment_columns},
            ),
            summary=_summary(rows, seen.notes),
        )

    def _name_scales(self, video: Video, rows: Sequence[dict[str, Any]]) -> None:
        """The scale of shots in which nothing measures it, by sentences, where there is CLIP."""
        open_ones = [row for row in rows if row["shot_scale"] is None and not row["blank"]]
        if not open_ones or not self.models.has("clip"):
            return
        places = np.searchsorted(video.analysis.frame_numbers, [row["frame"] for row in open_ones])
        with self.models.lend("clip") as clip:
            vectors = clip.embed([video.analysis[int(place)] for place in places])
            likely = clip.probabilities(vectors, SHOT_SCALES)
        for row, of_scales in zip(open_ones, likely, strict=True):
            if of_scales.max() >= _DESCRIBED:
                row["shot_scale"] = list(SHOT_SCALES)[int(of_scales.argmax())]
                row["shot_scale_confidence"] = float(of_scales.max())
                row["shot_scale_basis"] = "described"

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """A picture of each shot with thirds, subject, lines and what was measured."""
        if result.status != "ok":
            return Preview(markdown=f"Not applicable: {result.reason}")
        return Preview(image=_contact_sheet(video.analysis, result.observations.to_pylist()))


class _Seen:
    """What others saw, by number of the frame."""

    def __init__(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> None:
        height, width = video.analysis[0].shape[:2]
        self.aspect = width / height
        self.notes: list[str] = []
        self.faces: dict[int, list[dict[str, Any]]] = {}
        for row in face_rows(upstream["faces"]):
            self.faces.setdefault(row["frame"], []).append(row)
        self.objects: dict[int, list[dict[str, Any]]] = {}
        for row in self._rows(upstream, "object_detection", "objects"):
            self.objects.setdefault(row["frame"], []).append(row)
        #: Height of the frame in statures, by frame, for each person whose trunk is seen.
        self.by_body: dict[int, list[float]] = {}
        people: dict[int, list[dict[str, Any]]] = {}
        for row in self._rows(upstream, "body_pose", "poses"):
            people.setdefault(row["track_id"], []).append(row)
        #: Tracks whose pose is seen: people, however unsure the detector was.
        self.posed = frozenset(people)
        for rows in people.values():
            self._measure_body(rows)

    def _rows(
        self, upstream: Mapping[str, AnalysisResult], name: str, what: str
    ) -> list[dict[str, Any]]:
        if name not in upstream:
            self.notes.append(f"no {what}: {name} has no result")
            return []
        return upstream[name].observations.to_pylist()

    def _measure_body(self, rows: Sequence[Mapping[str, Any]]) -> None:
        points = np.array([[r["keypoints_x"], r["keypoints_y"]] for r in rows]).transpose(0, 2, 1)
        sure = np.array([r["keypoints_confidence"] for r in rows])
        body = body_of(
            np.array([r["time_s"] for r in rows]), points, sure, self.aspect, _MIN_KEYPOINT
        )
        for i, row in enumerate(rows):
            # Shoulders alone are foreshortened whenever somebody turns a little.
            whole = all((sure[i, list(pair)] >= _MIN_KEYPOINT).any() for pair in (SHOULDERS, HIPS))
            if whole and body.trunk[i] > 0:
                self.by_body.setdefault(row["frame"], []).append(TRUNK_STATURES / body.trunk[i])


@dataclass(frozen=True)
class _Subject:
    """`label`: a COCO class, `salient` or `none`; `boxes`: by frame, (4,)."""

    label: str
    kind: str
    confidence: float | None
    boxes: Mapping[int, np.ndarray]

    @property
    def box(self) -> np.ndarray | None:
        """The median of all."""
        return np.median(list(self.boxes.values()), axis=0) if self.boxes else None


_NO_SUBJECT = _Subject("none", "none", None, {})


def _described(frames: Frames, seen: _Seen, shot: Mapping[str, Any]) -> dict[str, Any]:
    places = _places(frames, shot["time_s"], shot["end_s"])
    numbers = [int(frames.frame_numbers[i]) for i in places]
    subject = _subject(seen, numbers)
    looked_at = _looked_at(places, subject, frames)
    pictures = {int(frames.frame_numbers[i]): frames[i] for i in looked_at}
    maps = {number: saliency(picture) for number, picture in pictures.items()}
    told = {number: salient for number, salient in maps.items() if salient is not None}
    if subject is _NO_SUBJECT:
        subject = _salient_subject(told)
    best = _best(pictures, subject, seen)
    lines = lines_of(pictures[best])
    eyes = _main_faces(seen, numbers, subject)
    x, y = _place(subject, eyes)
    weight = np.median([centre_of_weight(m) for m in told.values()], axis=0) if told else None
    # What stands out may be a caption, which is sharp before any ground.
    boxes = {} if subject.kind == "salient" else subject.boxes
    blur_ratio = known_median([_blur_ratio(p, boxes.get(n)) for n, p in pictures.items()])
    statures, basis, presence = _statures(seen, numbers, subject)
    return {
        "shot": shot["shot"],
        "time_s": shot["time_s"],
        "end_s": shot["end_s"],
        "frame": best,
        **_scale(statures, basis, presence),
        "subject": subject.label,
        "subject_kind": subject.kind,
        "confidence": subject.confidence,
        **_box_columns(subject.boxes.get(best, subject.box)),
        **_framing(x, y, subject.box),
        **_head(eyes),
        "symmetry": known_median([mirror_symmetry(p) for p in pictures.values()]),
        "balance": None if weight is None else balance_score(*weight),
        "weight_x": None if weight is None else weight[0],
        "weight_y": None if weight is None else weight[1],
        **_lines(lines, subject.box),
        "background_blur_ratio": blur_ratio,
        "depth_cues": _depth_cues(seen, numbers, lines, blur_ratio),
        "blank": not told,
    }


def _places(frames: Frames, start_s: float, end_s: float) -> list[int]:
    """Places in the rung that lie well inside a shot; the nearest one where none does."""
    edge_s = min(_EDGE_S, _EDGE_RATIO * (end_s - start_s))
    first, stop = np.searchsorted(frames.times_s, [start_s + edge_s, end_s - edge_s])
    if first < stop:
        return list(range(first, stop))
    return [int(np.abs(frames.times_s - (start_s + end_s) / 2).argmin())]


def _looked_at(places: Sequence[int], subject: _Subject, frames: Frames) -> list[int]:
    """A few of the places, spread evenly, of those with the subject where there is one."""
    own = [i for i in places if int(frames.frame_numbers[i]) in subject.boxes] or list(places)
    length_s = float(frames.times_s[places[-1]] - frames.times_s[places[0]])
    wanted = int(np.clip(round(length_s / _SECONDS_A_PICTURE), _FEWEST_PICTURES, _MOST_PICTURES))
    parts = np.array_split(np.array(own), min(wanted, len(own)))
    return [int(part[len(part) // 2]) for part in parts]


def _subject(seen: _Seen, numbers: Sequence[int]) -> _Subject:
    """The person, or else the object, that covers most of the shot."""
    tracks: dict[tuple[str, int], list[tuple[int, np.ndarray, float]]] = {}
    for number in numbers:
        for row in seen.objects.get(number, []):
            tracks.setdefault((row["label"], row["track_id"]), []).append(
                (number, _object_box(row), row["confidence"])
            )
        for box, sure in _lone_faces(seen, number):
            tracks.setdefault(("person", _LONE_FACE), []).append((number, box, sure))
    found: list[tuple[float, _Subject]] = []
    for (label, track_id), sightings in tracks.items():
        sure = float(np.mean([s[2] for s in sightings]))
        person = label == "person"
        believed = (
            track_id in seen.posed or sure >= _PERSON_CONFIDENCE
            if person
            else sure >= _OBJECT_CONFIDENCE
        )
        if not believed or len(sightings) < _LEAST_PRESENCE * len(numbers):
            continue
        area = sum(_area(box) for _, box, _ in sightings) / len(numbers)
        boxes = {number: box for number, box, _ in sightings}
        subject = _Subject(label, "person" if person else "object", sure, boxes)
        found.append((area * sure * (_PERSON_WEIGHT if person else 1.0), subject))
    if found:
        return max(found, key=lambda f: f[0])[1]
    return _NO_SUBJECT


def _lone_faces(seen: _Seen, number: int) -> list[tuple[np.ndarray, float]]:
    """The largest face that lies in no person's box, with its confidence, if there is one.

    Drawn people, whom the detector does not know, and everybody where objects are not known.
    """
    people = [_object_box(row) for row in seen.objects.get(number, []) if row["label"] == "person"]
    faces = [(box_of(row), row["confidence"]) for row in seen.faces.get(number, [])]
    lone = [face for face in faces if not any(_inside(face[0], person) for person in people)]
    return [max(lone, key=lambda face: _area(face[0]))] if lone else []


def _object_box(row: Mapping[str, Any]) -> np.ndarray:
    return np.array([row["x1"], row["y1"], row["x2"], row["y2"]])


def _salient_subject(maps: Mapping[int, np.ndarray]) -> _Subject:
    """The region that stands out, if one does in most of the pictures and at one place."""
    boxes = {number: salient_box(salient) for number, salient in maps.items()}
    boxes = {number: box for number, box in boxes.items() if _area(box) <= _LARGEST_SALIENT}
    if not boxes or 2 * len(boxes) <= len(maps):
        return _NO_SUBJECT
    middles = np.array([(box[:2] + box[2:]) / 2 for box in boxes.values()])
    if np.abs(middles - np.median(middles, axis=0)).max() > 0.1:
        return _NO_SUBJECT
    return _Subject("salient", "salient", None, boxes)


def _best(pictures: Mapping[int, np.ndarray], subject: _Subject, seen: _Seen) -> int:
    """The picture with the subject, preferably with a face, nearest to the middle of the shot."""
    numbers = list(pictures)
    middle = numbers[len(numbers) // 2]
    return min(
        numbers,
        key=lambda n: (n not in subject.boxes, n not in seen.faces, abs(n - middle)),
    )


def _main_faces(seen: _Seen, numbers: Sequence[int], subject: _Subject) -> list[dict[str, Any]]:
    """In each frame the subject's largest face, if the subject is a person."""
    faces = []
    for number in numbers:
        box = subject.boxes.get(number)
        if box is not None and subject.kind == "person":
            own = [row for row in seen.faces.get(number, []) if _inside(box_of(row), box)]
            faces += [max(own, key=lambda row: _area(box_of(row)))] if own else []
    return faces if len(faces) >= _LEAST_PRESENCE * len(numbers) else []


def _inside(face: np.ndarray, box: np.ndarray) -> bool:
    """Whether the middle of a face lies in a box."""
    middle = (face[:2] + face[2:]) / 2
    return bool((middle >= box[:2]).all() and (middle <= box[2:]).all())


def _place(
    subject: _Subject, faces: Sequence[Mapping[str, Any]]
) -> tuple[float | None, float | None]:
    if faces:
        eyes = np.median([landmarks_of(row)[:2].mean(axis=0) for row in faces], axis=0)
        return float(np.clip(eyes[0], 0, 1)), float(np.clip(eyes[1], 0, 1))
    if subject.box is None:
        return None, None
    x1, y1, x2, y2 = subject.box
    return float(x1 + x2) / 2, float(y1 + y2) / 2


def _framing(x: float | None, y: float | None, box: np.ndarray | None) -> dict[str, Any]:
    if x is None or y is None or box is None:
        names = ("subject_x", "subject_y", "subject_share", "placement", "thirds_score")
        return dict.fromkeys((*names, "thirds_distance_ratio"))
    return {
        "subject_x": x,
        "subject_y": y,
        "subject_share": _area(box),
        "placement": placement_of(x),
        "thirds_score": thirds_score(x, y),
        "thirds_distance_ratio": thirds_distance(x, y),
    }


def _head(faces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not faces:
        return dict.fromkeys(("headroom_ratio", "look_direction", "look_room_ratio"))
    x1, y1, x2, y2 = np.median([box_of(row) for row in faces], axis=0)
    yaw_deg = float(np.median([row["yaw_deg"] for row in faces]))
    middle = float(x1 + x2) / 2
    if abs(yaw_deg) < _LOOKS_ASIDE_DEG:
        direction, room = "ahead", None
    else:
        direction, room = ("right", 1 - middle) if yaw_deg > 0 else ("left", middle)
    return {
        "headroom_ratio": max(0.0, float(y1 - _CROWN * (y2 - y1))),
        "look_direction": direction,
        "look_room_ratio": room,
    }


def _statures(
    seen: _Seen, numbers: Sequence[int], subject: _Subject
) -> tuple[list[float], str, float]:
    """Height of the frame in statures, by every frame that tells it; by what; in what part.

    The surest measure that is there in a part of the shot is taken.
    """
    measures = {
        "face": [_by_face(seen.faces.get(n, []), seen) for n in numbers],
        "body": [min(seen.by_body.get(n, []), default=None) for n in numbers],
        "figure": [
            _by_figure(subject.boxes.get(n), seen) if subject.kind == "person" else None
            for n in numbers
        ],
        "object": [_by_object(subject, n, seen) for n in numbers],
    }
    for basis, values in measures.items():
        known = [value for value in values if value is not None]
        if known and len(known) >= _LEAST_PRESENCE * len(numbers):
            return known, basis, len(known) / len(numbers)
    return [], "none", 0.0


def _by_face(rows: Sequence[Mapping[str, Any]], seen: _Seen) -> float | None:
    if not rows:
        return None
    row = max(rows, key=lambda r: _area(box_of(r)))
    box = box_of(row)
    height = float(box[3] - box[1])
    if box[1] <= _TOUCHES or box[3] >= 1 - _TOUCHES:
        points = landmarks_of(row) * [seen.aspect, 1]
        eyes_to_mouth = np.linalg.norm(points[3:5].mean(axis=0) - points[:2].mean(axis=0))
        height = max(height, FACE_BY_EYES_TO_MOUTH * float(eyes_to_mouth))
    statures = FACE_STATURES / height
    people = [_object_box(o) for o in seen.objects.get(row["frame"], []) if o["label"] == "person"]
    figures = [person for person in people if _inside(box, person)]
    if figures:
        figure = max(figures, key=lambda f: f[3] - f[1])
        in_sight = (figure[3] - figure[1]) * statures
        if in_sight <= _HIDDEN and figure[3] <= 1 - _ROOM_BELOW:
            return None
    return statures


def _by_figure(box: np.ndarray | None, seen: _Seen) -> float | None:
    """By the box of somebody who stands wholly in the picture."""
    if box is None:
        return None
    x1, y1, x2, y2 = box
    whole = y1 > _TOUCHES and y2 < 1 - _TOUCHES
    stands = (y2 - y1) >= _FIGURE_ASPECT * (x2 - x1) * seen.aspect
    return float(1 / (y2 - y1)) if whole and stands else None


def _by_object(subject: _Subject, number: int, seen: _Seen) -> float | None:
    box = subject.boxes.get(number)
    if box is None or subject.kind != "object":
        return None
    if (box[:2] <= _TOUCHES).any() or (box[2:] >= 1 - _TOUCHES).any():
        return None
    return statures_by_object(
        subject.label, float(max((box[2] - box[0]) * seen.aspect, box[3] - box[1]))
    )


def _scale(known: Sequence[float], basis: str, presence: float) -> dict[str, Any]:
    if not known:
        return {
            "shot_scale": None,
            "shot_scale_confidence": 0.0,
            "shot_scale_basis": "none",
            "frame_height_statures": None,
        }
    statures = float(np.median(known))
    # Somebody who walks up to the camera has several scales; the middle one is less certain.
    spread = float(np.std(np.log(known)))
    sure = scale_confidence(statures, float(np.hypot(ERROR[basis], spread)))
    sure *= min(1.0, presence / _FULL_PRESENCE)
    named = sure >= _LEAST_SCALE_CONFIDENCE
    return {
        "shot_scale": scale_of(statures) if named else None,
        "shot_scale_confidence": sure if named else 0.0,
        "shot_scale_basis": basis,
        "frame_height_statures": statures,
    }


def _lines(lines: Lines, box: np.ndarray | None) -> dict[str, Any]:
    point = lines.vanishing_point
    leads = None
    if point is not None and box is not None:
        leads = bool(box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3])
    return {
        "line_direction": lines.direction,
        "line_length_ratio": lines.length_ratio,
        "leading_line_count": len(lines.leading),
        "vanishing_x": None if point is None else point[0],
        "vanishing_y": None if point is None else point[1],
        "lines_lead_to_subject": leads,
    }


def _blur_ratio(picture: np.ndarray, box: np.ndarray | None) -> float | None:
    if box is None:
        return None
    height, width = picture.shape[:2]
    inside = np.zeros((height, width), bool)
    x1, y1, x2, y2 = np.rint(box * [width, height, width, height]).astype(int)
    inside[y1:y2, x1:x2] = True
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    own, around = edge_blur_px(luma, inside), edge_blur_px(luma, ~inside)
    return None if own is None or around is None else around / own


def _depth_cues(
    seen: _Seen, numbers: Sequence[int], lines: Lines, blur_ratio: float | None
) -> list[str]:
    sized = overlapping = 0
    for number in numbers:
        boxes = [
            (row["label"], _object_box(row))
            for row in seen.objects.get(number, [])
            if row["confidence"] >= _OBJECT_CONFIDENCE
        ]
        pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
        sized += any(a[0] == b[0] and _far_smaller(a[1], b[1]) for a, b in pairs)
        overlapping += any(_overlap(a[1], b[1]) for a, b in pairs)
    half = len(numbers) / 2
    told = (
        blur_ratio is not None and blur_ratio >= _SHALLOW,
        lines.vanishing_point is not None,
        sized >= half,
        overlapping >= half,
    )
    return [cue for cue, present in zip(DEPTH_CUES, told, strict=True) if present]


def _far_smaller(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one box is much lower than the other, and not because the frame cuts it."""
    low, high = sorted((one, other), key=lambda box: box[3] - box[1])
    if (low[:2] <= _TOUCHES).any() or (low[2:] >= 1 - _TOUCHES).any():
        return False
    return bool((high[3] - high[1]) >= _SMALLER * (low[3] - low[1]))


def _overlap(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one box covers a part of another."""
    size = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = float(np.prod(np.maximum(size, 0)))
    return _OVERLAP[0] <= common / max(min(_area(one), _area(other)), 1e-9) <= _OVERLAP[1]


def _area(box: np.ndarray) -> float:
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))


def _box_columns(box: np.ndarray | None) -> dict[str, Any]:
    names = ("x1", "y1", "x2", "y2")
    return (
        dict.fromkeys(names) if box is None else dict(zip(names, np.clip(box, 0, 1), strict=True))
    )


def _summary(rows: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> dict[str, Any]:
    scales = [row["shot_scale"] for row in rows if row["shot_scale"]]
    placements = [row["placement"] for row in rows if row["placement"]]
    lasting = {
        scale: sum(_length_s(row) for row in rows if row["shot_scale"] == scale)
        for scale in SCALES
        if scale in scales
    }
    cues = {cue for row in rows for cue in row["depth_cues"]}
    means = ("thirds_score", "symmetry", "balance", "headroom_ratio")
    return {
        "shot_count": len(rows),
        "scaled_shot_count": len(scales),
        "shot_scale": max(lasting, key=lambda scale: lasting[scale]) if lasting else None,
        "shot_scales": shares(scales, "shot_scale"),
        "placements": shares(placements, "placement"),
        **{name: _mean(rows, name) for name in means},
        "leading_lines_shot_count": sum(row["leading_line_count"] > 0 for row in rows),
        "depth_cues": [cue for cue in DEPTH_CUES if cue in cues],
        "notes": list(notes),
    }


def _length_s(row: Mapping[str, Any]) -> float:
    return float(row["end_s"] - row["time_s"])


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    known = [row for row in rows if row[name] is not None]
    weights = [max(_length_s(row), 1e-3) for row in known]
    return float(np.average([row[name] for row in known], weights=weights)) if known else None


_MOST_TILES = 12
_TILE_AREA_PX = 110_000
_COLUMNS = 4
_WHITE, _YELLOW, _CYAN = (255, 255, 255), (255, 220, 0), (0, 230, 255)


def _contact_sheet(frames: Frames, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The longest shots, in order, as a JPEG."""
    chosen = sorted(rows, key=lambda row: -_length_s(row))[:_MOST_TILES]
    place_of = {int(number): i for i, number in enumerate(frames.frame_numbers)}
    tiles = [
        _tile(frames[place_of[row["frame"]]], row)
        for row in sorted(chosen, key=lambda row: row["shot"])
    ]
    return contact_sheet(tiles, _COLUMNS)


def _tile(frame: np.ndarray, row: Mapping[str, Any]) -> np.ndarray:
    scale = (_TILE_AREA_PX / (frame.shape[0] * frame.shape[1])) ** 0.5
    tile = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = tile.shape[:2]
    leading = lines_of(frame).leading
    for i in (1, 2):
        cv2.line(tile, (width * i // 3, 0), (width * i // 3, height), (190, 190, 190), 1)
        cv2.line(tile, (0, height * i // 3), (width, height * i // 3), (190, 190, 190), 1)
    for x1, y1, x2, y2 in (leading * [width, height, width, height]).astype(int).tolist():
        cv2.line(tile, (x1, y1), (x2, y2), _CYAN, 2, cv2.LINE_AA)
    if row["x1"] is not None:
        x1, y1 = int(row["x1"] * width), int(row["y1"] * height)
        x2, y2 = int(row["x2"] * width), int(row["y2"] * height)
        cv2.rectangle(tile, (x1, y1), (x2 - 1, y2 - 1), _YELLOW, 2)
        x, y = int(row["subject_x"] * width), int(row["subject_y"] * height)
        # It is a median over the shot: of a subject that crosses the picture it lies elsewhere.
        if x1 <= x <= x2 and y1 <= y <= y2:
            cv2.drawMarker(tile, (x, y), _YELLOW, cv2.MARKER_CROSS, 14, 2)
    named = (row["shot_scale"] or "scale not told").replace("_", " ")
    lines = [f"shot {row['shot']}: {named}" + (
        f" {row['shot_scale_confidence']:.2f} by {row['shot_scale_basis']}"
        if row["shot_scale"] else "")]  # fmt: skip
    lines.append(f"{row['subject']}, {(row['placement'] or 'no place').replace('_', ' ')}")
    figures = [
        f"{name} {row[key]:.2f}"
        for name, key in (
            ("head", "headroom_ratio"), ("sym", "symmetry"), ("bal", "balance"),
            ("blur", "background_blur_ratio"),
        )
        if row[key] is not None
    ]  # fmt: skip
    lines.append(", ".join(figures))
    if row["look_direction"] in ("left", "right"):
        lines.append(f"looks {row['look_direction']}, room {row['look_room_ratio']:.2f}")
    if row["depth_cues"]:
        lines.append(", ".join(row["depth_cues"]).replace("_", " "))
    for i, line in enumerate(reversed(lines)):
        tag(tile, line, 0, height - 15 * i, _WHITE)
    return tile
