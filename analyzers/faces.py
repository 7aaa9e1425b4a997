"""The faces of a video, found and followed once for every analyzer that needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa

from analyzers import progress
from analyzers.base import (
    TIME_S,
    AnalysisResult,
    Analyzer,
    Column,
    Family,
    Preview,
    Stage,
    box_columns,
    confidence,
)
from analyzers.methods.contact_sheet import contact_sheet, tag, track_colour
from analyzers.methods.edit.shot_starts import shot_starts_s
from analyzers.methods.people.face_crops import square_crop
from analyzers.methods.people.face_rows import FLAWS, PICTURES, FacePictures
from analyzers.methods.people.head_pose import HeadPose, pose_from_landmarks
from analyzers.methods.tracking import KINSHIPS, track_objects
from analyzers.models.detector import COCO_LABELS, Detections
from analyzers.models.face_mesh import CROP_PX, CROP_SCALE, FaceLandmarker
from analyzers.models.faces import LANDMARKS, FaceDetector, Faces
from analyzers.video import Frames, Video

#: Least confidence of a detection. Fainter ones are never a face's only sight on the demo clips.
_MIN_CONFIDENCE = 0.5
#: A track is a face if the landmarker, a second opinion, sees one in it, or if the detector is
#: sure of it on the average, or nearly sure and it is where a person's head is. Measured on the
#: demo clips: a dog's head 0.74 at most with next to no confirmation, hands 0.65, bottles 0.58;
#: small faces in profile, which the landmarker does not know, 0.82 and more in the open and 0.69
#: from behind; a face seen a second time beside itself 0.61; everything else that is confirmed
#: 0.77 and more.
_CONFIRMED = 0.5
_SURE = 0.8
_LIKELY = 0.65
#: Where a head is in the box of a person: its middle at most so far down, and at most so large a
#: part of its height. Measured: faces 0.07 to 0.36 down and 0.3 large, but 0.55 in a bust, which
#: needs no such help; knees and hands 0.3 down and more, and 0.57 large or 0.4 down.
_HEAD_DOWN = 0.4
_HEAD_HEIGHT = 0.35
_PEOPLE_AND_ANIMALS = frozenset((*KINSHIPS["person"], *KINSHIPS["animal"]))
#: So many sightings of a track are shown to the landmarker.
_SECOND_OPINIONS = 8
#: Widest face, in pixels of the analysis rung, for which the full-size picture is worth opening.
_SMALL_PX = 96
#: Gates of the quality; measured on woman_emotions_closeup, made smaller and blurred, by the share
#: of frames whose dominant emotion stays what it was: 0.94 at 32 pixels of width and 0.86 at 24;
#: 0.94 at a sharpness of 0.13, 0.82 at 0.08, 0.68 at 0.03.
_LEAST_WIDTH_PX = 32.0
_LEAST_SHARPNESS = 0.06
#: Turned further, the far side of the face is hidden. By five points a full profile reads 40 to 70.
_MOST_YAW_DEG = 35.0
_MOST_PITCH_DEG = 45.0


class FacesProduct(Analyzer):
    """Finds faces five times a second and follows each through its shot, for other analyzers.

    A row is one face in one frame, with its box, five points and head pose, and whether it is good
    enough to be judged: `quality` says `small`, `turned` or `blurred` where it is not. `picture`
    names the rung to cut it from: `detail` where a full-size picture of that frame exists and the
    face is small. What the detector takes for a face is believed if MediaPipe's landmarker agrees,
    if the detector is sure of it over the whole track, or if it is nearly sure and the face is
    where object_detection's people have their heads (profiles, which the landmarker does not know);
    heads of animals and hands fall through that. A face that leaps by up to 2.7 of its widths
    between two frames keeps its track. Drawn and animated faces count as faces. Head pose comes
    from five points here: good enough to tell a turned face, not to measure one, which is
    eye_tracking's.

    Accuracy: the one face of the close-up and of the webcam clip in every frame under one id; none
    on the five clips without faces; three of three women in the old film, the one seen from behind
    while her cheek shows.
    """

    name: ClassVar[str] = "faces"
    version: ClassVar[str] = "2"
    family: ClassVar[Family] = Family.PEOPLE
    stage: ClassVar[Stage] = Stage.MEDIUM_GPU
    kinds: ClassVar[tuple[str, ...]] = ("yunet", "openvino", "litert", "bytetrack")
    models_used: ClassVar[tuple[str, ...]] = ("faces", "face_mesh")
    rungs: ClassVar[tuple[str, ...]] = ("analysis", "detail")
    optional: ClassVar[tuple[str, ...]] = ("cut_analysis", "object_detection")
    shared_product: ClassVar[bool] = True

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        Column("frame", pa.int64(), "Number of the frame in the source", minimum=0),
        Column("track_id", pa.int32(), "The face, from 0 in the order of appearance", minimum=0),
        confidence("Of the detection in this frame"),
        *box_columns("the face"),
        *(
            Column(
                f"{point}_{axis}",
                pa.float32(),
                f"Place of the {point.replace('_', ' ')} {way}, relative to the frame; left and "
                "right as the person has them",
            )
            for point in LANDMARKS
            for axis, way in (("x", "across"), ("y", "down"))
        ),
        Column("yaw_deg", pa.float32(), "Turned to the right of the picture, roughly"),
        Column("pitch_deg", pa.float32(), "Raised, roughly; portraits read about -10"),
        Column("roll_deg", pa.float32(), "Leaning clockwise, roughly"),
        Column("picture", pa.string(), "Rung to cut the face from", values=PICTURES),
        Column("width_px", pa.float32(), "Width of the face in that picture", minimum=0),
        Column(
            "sharpness",
            pa.float32(),
            "Variance of the Laplacian by that of the brightness, of the face at 64x64",
            minimum=0,
        ),
        Column("quality", pa.string(), "Whether it can be judged, or why not", values=FLAWS),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("face_count", pa.int32(), "The most faces in one frame of this second", minimum=0),
        Column("good_face_count", pa.int32(), "The same, of good quality", minimum=0),
        confidence("Part of the frame that the largest face covers, mean", "largest_face_share"),
        Column(
            "main_track_id",
            pa.int32(),
            "Face that covers most of the frame over this second",
            nullable=True,
            minimum=0,
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("sampled_frame_count", pa.int32(), "Frames that were searched", minimum=1),
        Column("track_count", pa.int32(), "Faces, each shot's counted anew", minimum=0),
        Column("face_count", pa.int32(), "The most faces in one frame", minimum=0),
        confidence("Part of the sampled frames with a face", "face_frame_share"),
        Column(
            "rejected_track_count",
            pa.int32(),
            "Tracks that the detector took for a face and that were not believed",
            minimum=0,
        ),
        Column("shots_known", pa.bool_(), "Whether tracks were ended at cut_analysis's cuts"),
        Column("people_known", pa.bool_(), "Whether object_detection's people were there to help"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Detect in every frame of the analysis rung, track shot by shot, then judge each track."""
        with self.models.lend("faces") as detector:
            found = _detect(detector, video.analysis)
        cuts = upstream.get("cut_analysis")
        tracks = _track(found, video.analysis, shot_starts_s(cuts))
        heads = _Heads(upstream.get("object_detection"))
        with self.models.lend("face_mesh") as landmarker:
            believed = [t for t in tracks if _is_face(t, heads, landmarker, video.analysis)]
        rows = _rows(believed, video)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, _segments(rows, video, self.overlap_s)),
            summary={
                "sampled_frame_count": len(video.analysis),
                "track_count": len(believed),
                "face_count": max(_counts(rows).values(), default=0),
                "face_frame_share": len(_counts(rows)) / len(video.analysis),
                "rejected_track_count": len(tracks) - len(believed),
                "shots_known": cuts is not None,
                "people_known": "object_detection" in upstream,
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Frames with their faces, points and track ids, in the colour of the track."""
        return Preview(image=_sheet(video.analysis, result.observations))


@dataclass
class _Track:
    """One face through one shot."""

    frames: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    landmarks: list[np.ndarray] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)


def _detect(detector: FaceDetector, frames: Frames) -> list[Faces]:
    found = []
    for i in range(len(frames)):
        progress.checkpoint(i, len(frames))
        found.append(detector.detect(frames[i], _MIN_CONFIDENCE))
    return found


def _track(found: Sequence[Faces], frames: Frames, cuts_s: Sequence[float]) -> list[_Track]:
    """Follow the faces as objects are followed: all of one class, here a person's."""
    height, width = frames[0].shape[:2]
    person = COCO_LABELS.index("person")
    tracks = track_objects(
        [Detections(f.boxes, f.confidence, np.full(len(f), person)) for f in found],
        frames.times_s,
        cuts_s,
        aspect=width / height,
        leaps=True,
    )
    complete = []
    for track in tracks:
        landmarks = []
        for i, box in zip(track.frames, track.boxes, strict=True):
            [place] = np.flatnonzero((found[i].boxes == box).all(axis=1))[:1]
            landmarks.append(found[i].landmarks[place])
        complete.append(_Track(track.frames, track.boxes, landmarks, track.confidence))
    return complete


class _Heads:
    """Where people have their heads, from object_detection's boxes, if they are there."""

    def __init__(self, objects: AnalysisResult | None) -> None:
        self._boxes: dict[int, list[tuple[str, np.ndarray]]] = {}
        if objects is not None:
            names = ("frame", "label", "x1", "y1", "x2", "y2")
            columns = (objects.observations[name].to_pylist() for name in names)
            for frame, label, *corners in zip(*columns, strict=True):
                if label in _PEOPLE_AND_ANIMALS:
                    self._boxes.setdefault(frame, []).append((label, np.array(corners)))

    def have(self, frame: int, face: np.ndarray) -> bool:
        """Whether a box (4,) in a frame is where the person around it has the head.

        The smallest box around it counts: a dog in someone's arms has a dog's head.
        """
        x, y = (face[:2] + face[2:]) / 2
        around = [
            (float((box[2] - box[0]) * (box[3] - box[1])), label, box)
            for label, box in self._boxes.get(frame, ())
            if box[0] <= x <= box[2] and box[1] <= y <= box[3]
        ]
        if not around:
            return False
        _, label, box = min(around, key=lambda found: found[0])
        height = max(float(box[3] - box[1]), 1e-6)
        return (
            label == "person"
            and y - box[1] <= _HEAD_DOWN * height
            and face[3] - face[1] <= _HEAD_HEIGHT * height
        )


def _is_face(track: _Track, heads: _Heads, landmarker: FaceLandmarker, frames: Frames) -> bool:
    sure = float(np.mean(track.confidence))
    if sure >= _SURE:
        return True
    on_heads = np.mean(
        [
            heads.have(int(frames.frame_numbers[i]), box)
            for i, box in zip(track.frames, track.boxes, strict=True)
        ]
    )
    if sure >= _LIKELY and on_heads >= 0.5:
        return True
    count = min(_SECOND_OPINIONS, len(track.frames))
    places = np.linspace(0, len(track.frames) - 1, count).round().astype(int)
    opinions = [
        landmarker.mesh(
            square_crop(
                frames[track.frames[k]], track.boxes[k], track.landmarks[k], CROP_SCALE, CROP_PX
            )
        ).confidence
        for k in places
    ]
    return float(np.mean(opinions)) >= _CONFIRMED


def _rows(tracks: Sequence[_Track], video: Video) -> list[dict[str, Any]]:
    frames = video.analysis
    pictures = FacePictures(video)
    height, width = frames[0].shape[:2]
    rows = []
    for track_id, track in enumerate(tracks):
        for i, box, points, sure in zip(
            track.frames, track.boxes, track.landmarks, track.confidence, strict=True
        ):
            number = int(frames.frame_numbers[i])
            small = (box[2] - box[0]) * width < _SMALL_PX
            name = "detail" if small and pictures.has_detail(number) else "analysis"
            picture = pictures.get(number, name)
            width_px = float((box[2] - box[0]) * picture.shape[1])
            sharpness = _sharpness(square_crop(picture, box, points, 1.0, 64))
            pose = pose_from_landmarks(points * [width, height])
            rows.append(
                {
                    "time_s": frames.times_s[i],
                    "frame": number,
                    "track_id": track_id,
                    "confidence": sure,
                    **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
                    **{
                        f"{point}_{axis}": points[place, side]
                        for place, point in enumerate(LANDMARKS)
                        for side, axis in enumerate("xy")
                    },
                    "yaw_deg": pose.yaw_deg,
                    "pitch_deg": pose.pitch_deg,
                    "roll_deg": pose.roll_deg,
                    "picture": name,
                    "width_px": width_px,
                    "sharpness": sharpness,
                    "quality": _quality(width_px, sharpness, pose),
                }
            )
    return rows


def _sharpness(crop: np.ndarray) -> float:
    """Of a face at 64x64, about 0.5 at best: fine detail against all contrast.

    The variance of the Laplacian (Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548), by the
    variance of the brightness, so that a dark face is not taken for a blurred one.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0))


def _quality(width_px: float, sharpness: float, pose: HeadPose) -> str:
    if width_px < _LEAST_WIDTH_PX:
        return "small"
    if abs(pose.yaw_deg) > _MOST_YAW_DEG or abs(pose.pitch_deg) > _MOST_PITCH_DEG:
        return "turned"
    return "blurred" if sharpness < _LEAST_SHARPNESS else "good"


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """How many faces are in each frame that has one."""
    counts: dict[int, int] = {}
    for row in rows:
        counts[row["frame"]] = counts.get(row["frame"], 0) + 1
    return counts


def _segments(
    rows: Sequence[Mapping[str, Any]], video: Video, overlap_s: float
) -> dict[str, list[Any]]:
    numbers = video.analysis.frame_numbers
    columns: dict[str, list[Any]] = {c.name: [] for c in FacesProduct.segment_columns}
    for part in video.grid.pictures_in(video.analysis.times_s, overlap_s):
        here = {int(n) for n in numbers[part]}
        own = [row for row in rows if row["frame"] in here]
        area = {id(row): (row["x2"] - row["x1"]) * (row["y2"] - row["y1"]) for row in own}
        largest: dict[int, float] = {}
        of_track: dict[int, float] = {}
        for row in own:
            size = float(area[id(row)])
            largest[row["frame"]] = max(largest.get(row["frame"], 0.0), size)
            of_track[row["track_id"]] = of_track.get(row["track_id"], 0.0) + size
        good = _counts([row for row in own if row["quality"] == "good"])
        columns["face_count"].append(max(_counts(own).values(), default=0))
        columns["good_face_count"].append(max(good.values(), default=0))
        columns["largest_face_share"].append(sum(largest.values()) / len(here))
        columns["main_track_id"].append(max(of_track, key=lambda t: of_track[t], default=None))
    return columns


_MOST_TILES = 8
_TILE_AREA_PX = 90_000
_COLUMNS = 4


def _sheet(frames: Frames, observations: pa.Table) -> bytes:
    """One frame from each eighth of the video, the one with most faces."""
    rows = observations.to_pylist()
    counts = _counts(rows)
    parts = np.array_split(np.arange(len(frames)), min(_MOST_TILES, len(frames)))
    chosen = [
        max(part, key=lambda i: counts.get(int(frames.frame_numbers[i]), 0)) for part in parts
    ]
    tiles = [
        _tile(
            frames[i],
            [row for row in rows if row["frame"] == frames.frame_numbers[i]],
            frames.times_s[i],
        )
        for i in chosen
    ]
    return contact_sheet(tiles, _COLUMNS)


def _tile(frame: np.ndarray, rows: Sequence[Mapping[str, Any]], time_s: float) -> np.ndarray:
    scale = (_TILE_AREA_PX / (frame.shape[0] * frame.shape[1])) ** 0.5
    tile = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = tile.shape[:2]
    for row in rows:
        colour = track_colour(row["track_id"])
        x1, y1 = int(row["x1"] * width), int(row["y1"] * height)
        x2, y2 = int(row["x2"] * width), int(row["y2"] * height)
        cv2.rectangle(tile, (x1, y1), (x2, y2), colour, 2)
        for point in LANDMARKS:
            place = (int(row[f"{point}_x"] * width), int(row[f"{point}_y"] * height))
            cv2.circle(tile, place, 2, colour, -1)
        tag(tile, f"{row['track_id']} {row['quality']}", x1, max(y1, 17), colour)
    tag(tile, f"{time_s:.1f} s", 0, height, (255, 255, 255))
    return tile
