"""How people hold themselves and move: keypoints, posture, gestures, movement and its beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field
from scipy.optimize import linear_sum_assignment

from analyzers import progress
from analyzers.base import (
    TIME_S,
    AnalysisResult,
    Analyzer,
    AnalyzerSettings,
    Column,
    Family,
    Preview,
    Stage,
    box_columns,
    confidence,
    records,
)
from analyzers.methods.contact_sheet import contact_sheet, tag, track_colour
from analyzers.methods.edit.shot_starts import shot_starts_s
from analyzers.methods.people.body import (
    HIPS,
    SHOULDERS,
    WRISTS,
    Body,
    body_of,
    from_vertical_deg,
    middle,
    movement_energy,
)
from analyzers.methods.people.body_rhythm import RHYTHMIC, Rhythm, rhythm_at
from analyzers.methods.people.gestures import GESTURES, Arms, arms_of, runs
from analyzers.methods.people.posture import POSTURES, posture_of
from analyzers.methods.tracking import BEGIN_CONFIDENCE, FAINTEST, iou, track_objects
from analyzers.models.detector import COCO_LABELS, Detections
from analyzers.models.pose import KEYPOINTS, LIMBS, Poses
from analyzers.video import Frames, Video

_PERSON = COCO_LABELS.index("person")
#: Overlap (IoU) from which a pose belongs to a tracked person's box.
_SAME_PERSON_IOU = 0.4

#: A pose of fewer keypoints than this is none: of a hand that comes into the picture, the network
#: sees a wrist or two and invents the rest.
_FEWEST_KEYPOINTS = 3

#: A track's poses are believed if they are as sure as this on the average. A telescope's mirror
#: that was taken for a person has 0.41 (nasa_webb_narrated); people in other demo clips have 0.63
#: and more.
_BELIEVED_CONFIDENCE = 0.5

#: A person in a frame: track id and box (4,), relative.
Person = tuple[int, np.ndarray]


def _number(
    name: str, description: str, minimum: float | None = None, maximum: float | None = None
) -> Column:
    return Column(name, pa.float32(), description, True, minimum, maximum)


class BodyPose(Analyzer):
    """17 keypoints of every person five times a second; posture, gestures, movement and its beat.

    Who is in the picture is object_detection's answer: only frames with people are looked at, and
    the tracks are its tracks (IoU of 0.4 or more); without it every frame is looked at and people
    are followed anew. A row is one person in one frame. A keypoint is called seen from a confidence
    of 0.5 on (a setting); what would need one that is not seen is `unknown` or null, and is not
    guessed: of somebody behind a desk there is no posture.

    Gestures are geometry over time: `hands_raised` (a wrist above the head), `pointing` (one arm
    stretched out and held still; fingers are not seen, so offering something looks the same) and
    `waving` (the hand goes to and fro above the elbow). `dancing` is movement of the whole body
    with a period of one, two or four of audio_analysis's beats; without beats it is null, and
    `rhythm_confidence` alone says how much the movement repeats. Walking in step with the music is
    taken for it. Movement is measured against the trunk, so a moving camera does not count.

    Not applicable where no person is in any frame, or of none a pose is seen: three keypoints at
    least, and a mean confidence of 0.5 over the person's track.

    Accuracy: keypoints, standing and lying are measured on pictures; sitting, gestures and dancing
    are not measured but on made series of keypoints.
    """

    name: ClassVar[str] = "body_pose"
    version: ClassVar[str] = "1"
    family: ClassVar[Family] = Family.PEOPLE
    stage: ClassVar[Stage] = Stage.LIGHT_GPU
    kinds: ClassVar[tuple[str, ...]] = ("yolo", "openvino", "scipy")
    models_used: ClassVar[tuple[str, ...]] = ("pose",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis",)
    # Cuts are asked for only where people have to be followed here.
    optional: ClassVar[tuple[str, ...]] = ("object_detection", "cut_analysis", "audio_analysis")

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        Column("frame", pa.int64(), "Number of the frame in the source", minimum=0),
        Column("track_id", pa.int32(), "The person; object_detection's where it ran", minimum=0),
        confidence("That this is a person"),
        *box_columns("the person, as the pose network sees it"),
        Column(
            "keypoints_x",
            pa.list_(pa.float32(), len(KEYPOINTS)),
            f"From the left edge, 0..1, in the order {', '.join(KEYPOINTS)}; left and right are "
            "the person's own",
        ),
        Column(
            "keypoints_y", pa.list_(pa.float32(), len(KEYPOINTS)), "From the top, 0..1, likewise"
        ),
        Column(
            "keypoints_confidence",
            pa.list_(pa.float32(), len(KEYPOINTS)),
            "Of each keypoint, 0..1; 0 outside the frame",
        ),
        Column("keypoints_seen", pa.int32(), "How many of the 17 are seen", minimum=0, maximum=17),
        Column("posture", pa.string(), "Posture in this frame", values=POSTURES),
        Column("gestures", pa.list_(pa.string()), f"Some of {', '.join(GESTURES)}"),
        Column(
            "raised_hands",
            pa.int32(),
            "Hands above the head; null where neither can be told",
            nullable=True,
            minimum=0,
            maximum=2,
        ),
        _number("lean_deg", "Trunk against the vertical; 0 is upright", 0, 180),
        _number("arm_spread", "Wrist to wrist, in trunk lengths", 0),
        _number(
            "movement_energy",
            "Mean squared speed of the keypoints against the trunk since the frame before, in "
            "(trunk lengths a second) squared",
            0,
        ),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("people_count", pa.int32(), "The most people with a pose in a frame", minimum=0),
        _number("keypoints_seen_ratio", "Mean part of the 17 keypoints that is seen", 0, 1),
        Column(
            "main_track_id", pa.int32(), "Who covers most of the picture", nullable=True, minimum=0
        ),
        Column(
            "posture",
            pa.string(),
            "The main person's, of those frames in which it can be told; unknown where these are "
            "less than half; null without a person",
            nullable=True,
            values=POSTURES,
        ),
        Column(
            "postures",
            records(
                track_id=pa.int32(),
                posture=pa.string(),
            ),
            "Everybody's, found likewise",
        ),
        Column("gestures", pa.list_(pa.string()), f"Anybody's, of {', '.join(GESTURES)}"),
        Column(
            "raised_hands",
            pa.int32(),
            "The most hands of one person above the head; null where none can be told",
            nullable=True,
            minimum=0,
            maximum=2,
        ),
        _number("lean_deg", "Mean of the main person", 0, 180),
        _number("arm_spread", "Mean of the main person", 0),
        _number("movement_energy", "Mean over all people", 0),
        _number(
            "rhythm_hz",
            f"How often the most rhythmic person's movement repeats; null below a confidence of "
            f"{RHYTHMIC}",
            0,
        ),
        confidence(
            "Part of that movement which the rhythm explains, over 5 s around the second; null "
            "where nobody moves or can be followed for so long",
            "rhythm_confidence",
            nullable=True,
        ),
        Column(
            "dancing",
            pa.bool_(),
            "Somebody moves with the beat; null where there is no beat or nothing to tell it by",
            nullable=True,
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("searched_frame_count", pa.int32(), "Frames that were looked at", minimum=0),
        Column("pose_frame_count", pa.int32(), "Frames with a pose", minimum=0),
        Column("people_count", pa.int32(), "The most people with a pose at once", minimum=0),
        Column("track_count", pa.int32(), "People, each shot's counted anew", minimum=0),
        _number("keypoints_seen_ratio", "Mean part of the 17 keypoints that is seen", 0, 1),
        Column(
            "posture",
            pa.string(),
            "The main person's over most seconds in which it can be told",
            nullable=True,
            values=POSTURES,
        ),
        Column(
            "gestures",
            records(
                gesture=pa.string(),
                track_id=pa.int32(),
                start_s=pa.float64(),
                end_s=pa.float64(),
            ),
            "Each gesture: whose, first and last frame in which it is seen",
        ),
        _number("movement_energy", "Mean over all rows", 0),
        Column("dancing_seconds", pa.int32(), "Seconds with dancing", nullable=True, minimum=0),
        Column("people_known", pa.bool_(), "Whether people are object_detection's"),
    )

    class Settings(AnalyzerSettings):
        """What counts as seen."""

        min_keypoint_confidence: float = Field(
            0.5, ge=0.05, le=0.95, description="A keypoint is seen from this confidence on"
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Estimate poses where people are, give them to tracks, then read each person's series."""
        frames = video.analysis
        people = _detected_people(upstream.get("object_detection"), frames)
        searched = range(len(frames)) if people is None else sorted(people)
        found = self._estimate(frames, searched)
        height, width = frames[0].shape[:2]
        if people is None:
            people = _followed_people(
                found, frames, upstream.get("cut_analysis"), aspect=width / height
            )
        floor = self.settings.min_keypoint_confidence
        sightings = _assign(found, people, floor)
        if not sightings:
            return self.not_applicable(
                video,
                "no person in any frame of whom a pose is seen"
                if people
                else "no person in any frame",
                {"people_count": 0, "postures": [], "gestures": []},
            )
        persons = [
            _person(track_id, seen, frames, width / height, floor)
            for track_id, seen in sorted(sightings.items())
        ]
        rows = [row for person in persons for row in person.rows]
        segments = _segments(persons, rows, video, self.overlap_s, _beats_s(upstream))
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, segments),
            summary={
                "searched_frame_count": len(searched),
                "people_known": "object_detection" in upstream,
                **_summary(persons, rows, segments),
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Frames with skeletons, postures and gestures."""
        if not result.observations.num_rows:
            return Preview(markdown=result.reason or "")
        floor = self.settings.min_keypoint_confidence
        return Preview(image=_contact_sheet(video.analysis, result.observations, floor))

    def _estimate(self, frames: Frames, searched: Sequence[int]) -> dict[int, Poses]:
        found: dict[int, Poses] = {}
        with self.models.lend("pose") as model:
            for first in range(0, len(searched), model.batch_size):
                progress.checkpoint(first, len(searched))
                part = searched[first : first + model.batch_size]
                found.update(
                    zip(part, model.estimate([frames[i] for i in part], FAINTEST), strict=True)
                )
        return found


def _detected_people(
    objects: AnalysisResult | None, frames: Frames
) -> dict[int, list[Person]] | None:
    """object_detection's people by place in the rung; None where it did not run."""
    if objects is None:
        return None
    table = objects.observations
    place_of = {int(number): i for i, number in enumerate(frames.frame_numbers)}
    people: dict[int, list[Person]] = {}
    for row in table.filter(pc.equal(table["label"], "person")).to_pylist():
        box = np.array([row["x1"], row["y1"], row["x2"], row["y2"]], np.float32)
        people.setdefault(place_of[row["frame"]], []).append((row["track_id"], box))
    return people


def _followed_people(
    found: Mapping[int, Poses], frames: Frames, cuts: AnalysisResult | None, aspect: float
) -> dict[int, list[Person]]:
    """The poses' own boxes, followed from frame to frame."""
    tracks = track_objects(
        [
            Detections(p.boxes, p.confidence, np.full(len(p), _PERSON))
            for p in (found[i] for i in range(len(frames)))
        ],
        frames.times_s,
        shot_starts_s(cuts),
        aspect,
    )
    people: dict[int, list[Person]] = {}
    for track_id, track in enumerate(tracks):
        for i, box in zip(track.frames, track.boxes, strict=True):
            people.setdefault(i, []).append((track_id, box))
    return people


@dataclass(frozen=True)
class _Sighting:
    """One pose in one frame; the arrays are a row of `Poses`."""

    frame: int
    box: np.ndarray
    confidence: float
    points: np.ndarray
    point_confidence: np.ndarray


def _assign(
    found: Mapping[int, Poses], people: Mapping[int, Sequence[Person]], floor: float
) -> dict[int, list[_Sighting]]:
    """Each frame's poses to its people, one to one, by the most overlap in all; by track id."""
    sightings: dict[int, list[_Sighting]] = {}
    for frame, poses in sorted(found.items()):
        here = people.get(frame, [])
        if not len(poses) or not here:
            continue
        overlap = np.array([[iou(box, pose) for pose in poses.boxes] for _, box in here])
        for person, k in zip(*linear_sum_assignment(-overlap), strict=True):
            if (
                overlap[person, k] < _SAME_PERSON_IOU
                or poses.confidence[k] < BEGIN_CONFIDENCE
                or (poses.point_confidence[k] >= floor).sum() < _FEWEST_KEYPOINTS
            ):
                continue
            sightings.setdefault(here[person][0], []).append(
                _Sighting(
                    frame,
                    poses.boxes[k],
                    float(poses.confidence[k]),
                    poses.points[k],
                    poses.point_confidence[k],
                )
            )
    return {
        track_id: seen
        for track_id, seen in sightings.items()
        if np.mean([s.confidence for s in seen]) >= _BELIEVED_CONFIDENCE
    }


@dataclass(frozen=True)
class _Person:
    track_id: int
    body: Body
    arms: Arms
    #: Observations, one for each frame of `body`.
    rows: list[dict[str, Any]]


def _person(
    track_id: int, seen: Sequence[_Sighting], frames: Frames, aspect: float, floor: float
) -> _Person:
    times_s = frames.times_s[[s.frame for s in seen]]
    body = body_of(
        times_s,
        np.stack([s.points for s in seen]),
        np.stack([s.point_confidence for s in seen]),
        aspect,
        floor,
    )
    arms = arms_of(body)
    energy = movement_energy(body)
    rows = []
    for i, sighting in enumerate(seen):
        points = body.points[i]
        wrists = np.linalg.norm(points[WRISTS[0]] - points[WRISTS[1]]) / body.trunk[i]
        rows.append(
            {
                "time_s": times_s[i],
                "frame": frames.frame_numbers[sighting.frame],
                "track_id": track_id,
                "confidence": sighting.confidence,
                **dict(zip(("x1", "y1", "x2", "y2"), sighting.box, strict=True)),
                "keypoints_x": sighting.points[:, 0].tolist(),
                "keypoints_y": sighting.points[:, 1].tolist(),
                "keypoints_confidence": sighting.point_confidence.tolist(),
                "keypoints_seen": int((sighting.point_confidence >= floor).sum()),
                "posture": posture_of(points),
                "gestures": arms.gestures(i),
                "raised_hands": int(arms.raised[i]) if arms.raised[i] >= 0 else None,
                "lean_deg": _known(
                    from_vertical_deg(middle(points, SHOULDERS), middle(points, HIPS))
                ),
                "arm_spread": _known(wrists),
                "movement_energy": _known(energy[i]),
            }
        )
    return _Person(track_id, body, arms, rows)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _beats_s(upstream: Mapping[str, AnalysisResult]) -> np.ndarray:
    if "audio_analysis" not in upstream:
        return np.array([])
    table = upstream["audio_analysis"].observations
    return np.array(table.filter(pc.equal(table["kind"], "beat"))["time_s"].to_pylist(), float)


def _common_posture(rows: Sequence[Mapping[str, Any]]) -> str:
    """The posture of most of the frames that show one; these must be half of all at least."""
    told = [row["posture"] for row in rows if row["posture"] != "unknown"]
    if 2 * len(told) < len(rows) or not told:
        return "unknown"
    return max(POSTURES, key=told.count)


def _area(row: Mapping[str, Any]) -> float:
    return float((row["x2"] - row["x1"]) * (row["y2"] - row["y1"]))


def _segments(
    persons: Sequence[_Person],
    rows: Sequence[Mapping[str, Any]],
    video: Video,
    overlap_s: float,
    beats_s: np.ndarray,
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {c.name: [] for c in BodyPose.segment_columns}
    by_frame: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_frame.setdefault(int(row["frame"]), []).append(row)
    numbers = video.analysis.frame_numbers
    for segment, part in enumerate(video.grid.pictures_in(video.analysis.times_s, overlap_s)):
        progress.checkpoint()
        here = [by_frame.get(int(number), []) for number in numbers[part]]
        of_track: dict[int, list[Mapping[str, Any]]] = {}
        for row in (row for of_frame in here for row in of_frame):
            of_track.setdefault(row["track_id"], []).append(row)
        everyone = [row for of_person in of_track.values() for row in of_person]
        main = max(of_track, key=lambda t: sum(map(_area, of_track[t])), default=None)
        of_main = [] if main is None else of_track[main]
        hands = [row["raised_hands"] for row in everyone if row["raised_hands"] is not None]
        gestures = {gesture for row in everyone for gesture in row["gestures"]}
        rhythms = _rhythms(persons, of_track, sum(video.grid.bounds_s(segment)) / 2, beats_s)
        best = max(rhythms, key=lambda r: r.confidence, default=None)
        dancing = [r.dancing for r in rhythms if r.dancing is not None]
        columns["people_count"].append(max(map(len, here)))
        columns["keypoints_seen_ratio"].append(_seen_ratio(everyone))
        columns["main_track_id"].append(main)
        columns["posture"].append(None if main is None else _common_posture(of_main))
        columns["postures"].append(
            [{"track_id": t, "posture": _common_posture(of_track[t])} for t in sorted(of_track)]
        )
        columns["gestures"].append([g for g in GESTURES if g in gestures])
        columns["raised_hands"].append(max(hands, default=None))
        for name in ("lean_deg", "arm_spread"):
            columns[name].append(_mean([row[name] for row in of_main]))
        columns["movement_energy"].append(_mean([row["movement_energy"] for row in everyone]))
        columns["rhythm_hz"].append(
            best.frequency_hz if best is not None and best.confidence >= RHYTHMIC else None
        )
        columns["rhythm_confidence"].append(None if best is None else best.confidence)
        columns["dancing"].append(any(dancing) if dancing else None)
    return columns


def _rhythms(
    persons: Sequence[_Person], present: Mapping[int, Any], time_s: float, beats_s: np.ndarray
) -> list[Rhythm]:
    """The rhythm of everybody who is present and can be followed."""
    found = [rhythm_at(p.body, time_s, beats_s) for p in persons if p.track_id in present]
    return [rhythm for rhythm in found if rhythm is not None]


def _seen_ratio(rows: Sequence[Mapping[str, Any]]) -> float | None:
    return _mean([row["keypoints_seen"] / len(KEYPOINTS) for row in rows])


def _summary(
    persons: Sequence[_Person],
    rows: Sequence[Mapping[str, Any]],
    segments: Mapping[str, Sequence[Any]],
) -> dict[str, Any]:
    told = [p for p in segments["posture"] if p not in (None, "unknown")]
    dancing = [d for d in segments["dancing"] if d is not None]
    gestures = [
        {
            "gesture": gesture,
            "track_id": person.track_id,
            "start_s": float(person.body.times_s[first]),
            "end_s": float(person.body.times_s[last]),
        }
        for person in persons
        for gesture in GESTURES
        for first, last in runs(
            np.array([gesture in row["gestures"] for row in person.rows]), person.body.times_s
        )
    ]
    return {
        "pose_frame_count": len({row["frame"] for row in rows}),
        "people_count": max(segments["people_count"]),
        "track_count": len(persons),
        "keypoints_seen_ratio": _seen_ratio(rows),
        "posture": max(POSTURES, key=told.count) if told else "unknown",
        "gestures": sorted(gestures, key=lambda g: (g["start_s"], g["track_id"], g["gesture"])),
        "movement_energy": _mean([row["movement_energy"] for row in rows]),
        "dancing_seconds": sum(dancing) if dancing else None,
    }


_MOST_TILES = 8
_TILE_AREA_PX = 90_000
_COLUMNS = 4


def _contact_sheet(frames: Frames, observations: pa.Table, floor: float) -> bytes:
    """Of each eighth of the frames with people the one with most keypoints, as a JPEG."""
    rows_of: dict[int, list[dict[str, Any]]] = {}
    place_of = {int(number): i for i, number in enumerate(frames.frame_numbers)}
    for row in observations.to_pylist():
        rows_of.setdefault(place_of[row["frame"]], []).append(row)
    parts = np.array_split(np.array(sorted(rows_of)), min(_MOST_TILES, len(rows_of)))
    chosen = [
        int(max(part, key=lambda i: sum(row["keypoints_seen"] for row in rows_of[i])))
        for part in parts
    ]
    tiles = [_tile(frames[i], rows_of[i], frames.times_s[i], floor) for i in chosen]
    return contact_sheet(tiles, _COLUMNS)


def _tile(
    frame: np.ndarray, rows: Sequence[Mapping[str, Any]], time_s: float, floor: float
) -> np.ndarray:
    scale = (_TILE_AREA_PX / (frame.shape[0] * frame.shape[1])) ** 0.5
    tile = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = tile.shape[:2]
    for row in rows:
        colour = track_colour(row["track_id"])
        points = [
            (int(x * width), int(y * height))
            for x, y in zip(row["keypoints_x"], row["keypoints_y"], strict=True)
        ]
        seen = [sure >= floor for sure in row["keypoints_confidence"]]
        for a, b in LIMBS:
            if seen[a] and seen[b]:
                cv2.line(tile, points[a], points[b], colour, 2, cv2.LINE_AA)
        for point, shown in zip(points, seen, strict=True):
            if shown:
                cv2.circle(tile, point, 2, (255, 255, 255), -1, cv2.LINE_AA)
    for row in rows:
        words = " ".join([str(row["track_id"]), row["posture"], *row["gestures"]])
        left, bottom = int(row["x1"] * width), max(int(row["y1"] * height), 17)
        tag(tile, words, left, bottom, track_colour(row["track_id"]))
    tag(tile, f"{time_s:.1f} s", 0, height, (255, 255, 255))
    return tile
