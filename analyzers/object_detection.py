"""Which objects are on screen, where, since when, and how much of the picture they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    records,
)
from analyzers.methods.contact_sheet import contact_sheet, tag, track_colour
from analyzers.methods.edit.shot_starts import shot_starts_s
from analyzers.methods.tracking import FAINTEST, Track, track_objects
from analyzers.models.detector import COCO_LABELS, Detections, Detector
from analyzers.video import Frames, Video, windows

#: Resolution at which boxes are painted to measure what they cover together: half a percent of a
#: side is finer than the boxes are.
_RASTER = 200
#: Confidence from which people are counted: of fainter ones, half are a hand or a sleeve that was
#: seen beside the whole person (demo clips: 3 people at once instead of 4 in friday_dialogue_bw).
_COUNTED = 0.4


def _share(name: str, description: str, nullable: bool = False) -> Column:
    return Column(name, pa.float32(), description, nullable=nullable, minimum=0.0, maximum=1.0)


class ObjectDetection(Analyzer):
    """Finds objects of COCO's 80 classes five times a second and follows each through its shot.

    A row is one object in one frame; `track_id` is the same for an object as long as a shot lasts,
    also when it leaves the picture for a moment, and `label` is what most of the track's
    confidence says. Shots are cut_analysis's; without it a track may run across a cut.
    Hands and arms count as `person`, as in COCO.

    Accuracy: on the demo clips every labelled object but one (a tram of which only the roof shows)
    in at least 0.86 of its frames, with a constant id on both clips where that is labelled.
    """

    name: ClassVar[str] = "object_detection"
    version: ClassVar[str] = "1"
    family: ClassVar[Family] = Family.PICTURE
    stage: ClassVar[Stage] = Stage.MEDIUM_GPU
    kinds: ClassVar[tuple[str, ...]] = ("yolo", "openvino", "bytetrack")
    models_used: ClassVar[tuple[str, ...]] = ("detector",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis",)
    # Optional: boxes without shots are worth having when the cuts could not be found.
    optional: ClassVar[tuple[str, ...]] = ("cut_analysis",)

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        Column("frame", pa.int64(), "Number of the frame in the source", minimum=0),
        Column("track_id", pa.int32(), "The object, from 0 in the order of appearance", minimum=0),
        Column("label", pa.string(), "Class of the object: its track's", values=COCO_LABELS),
        Column(
            "detected_label",
            pa.string(),
            "Class it was taken for in this frame",
            values=COCO_LABELS,
        ),
        confidence("Of the detection in this frame"),
        *box_columns("the object"),
        _share("screen_share", "Part of the frame that the box covers"),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("object_count", pa.int32(), "Different objects in this second", minimum=0),
        Column(
            "people_count",
            pa.int32(),
            "The most people in one frame of this second, of a confidence of 0.4 or more",
            minimum=0,
        ),
        Column(
            "class_counts",
            records(
                label=pa.string(),
                count=pa.int32(),
                screen_share=pa.float32(),
            ),
            "For each class that is there, largest first: the most in one frame, and the mean part "
            "of the frame that its boxes cover together",
        ),
        _share("objects_screen_share", "Mean part of the frame that all boxes cover together"),
        _share("people_screen_share", "Mean part of the frame that boxes of people cover"),
        Column(
            "dominant_label",
            pa.string(),
            "Class of the object that covers most of the frame over this second",
            nullable=True,
            values=COCO_LABELS,
        ),
        Column("dominant_track_id", pa.int32(), "That object", nullable=True, minimum=0),
        _share("dominant_screen_share", "Mean part of the frame that it covers", nullable=True),
        confidence("Mean over the detections of this second", "mean_confidence", nullable=True),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("sampled_frame_count", pa.int32(), "Frames that were searched", minimum=1),
        Column("track_count", pa.int32(), "Objects, each shot's counted anew", minimum=0),
        Column(
            "people_count",
            pa.int32(),
            "The most people at once, in two sampled frames or more, counted as in segments",
            minimum=0,
        ),
        _share("people_frame_share", "Part of the sampled frames with a person"),
        Column(
            "classes",
            records(
                label=pa.string(),
                track_count=pa.int32(),
                frame_share=pa.float32(),
                mean_screen_share=pa.float32(),
                mean_confidence=pa.float32(),
                first_s=pa.float64(),
                last_s=pa.float64(),
            ),
            "Each class, most present first: how many tracks, the part of the sampled frames it is "
            "in, the mean part of these it covers, confidence, first and last time",
        ),
        Column(
            "dominant_label",
            pa.string(),
            "Class that covers most of the picture over the whole video",
            nullable=True,
            values=COCO_LABELS,
        ),
        Column("shots_known", pa.bool_(), "Whether tracks were ended at cut_analysis's cuts"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Detect in every frame of the analysis rung, then track shot by shot."""
        with self.models.lend("detector") as detector:
            detections = _detect(detector, video.analysis)
        cuts = upstream.get("cut_analysis")
        height, width = video.analysis[0].shape[:2]
        tracks = track_objects(
            detections,
            video.analysis.times_s,
            shot_starts_s(cuts),
            aspect=width / height,
        )
        rows = _rows(tracks, video.analysis)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, _segments(tracks, video, self.overlap_s)),
            summary=_summary(tracks, video.analysis, shots_known=cuts is not None),
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Keyframes with their boxes, labels and track ids."""
        return Preview(image=_contact_sheet(video.analysis, result.observations))


def _detect(detector: Detector, frames: Frames) -> list[Detections]:
    found: list[Detections] = []
    for part, pictures in windows(frames, detector.batch_size):
        progress.checkpoint(part.start, len(frames))
        found += detector.detect(list(pictures), FAINTEST)
    return found


def _rows(tracks: Sequence[Track], frames: Frames) -> list[dict[str, Any]]:
    return [
        {
            "time_s": frames.times_s[i],
            "frame": frames.frame_numbers[i],
            "track_id": track_id,
            "label": track.label,
            "detected_label": detected,
            "confidence": sure,
            **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
            "screen_share": (box[2] - box[0]) * (box[3] - box[1]),
        }
        for track_id, track in enumerate(tracks)
        for i, box, sure, detected in zip(
            track.frames, track.boxes, track.confidence, track.detected_labels, strict=True
        )
    ]


class _Sightings:
    """All tracks' boxes, by frame."""

    def __init__(self, tracks: Sequence[Track], frame_count: int) -> None:
        self.by_frame: list[list[tuple[int, str, np.ndarray, float]]] = [
            [] for _ in range(frame_count)
        ]
        for track_id, track in enumerate(tracks):
            label = track.label
            for i, box, sure in zip(track.frames, track.boxes, track.confidence, strict=True):
                self.by_frame[i].append((track_id, label, box, sure))

    def covered(self, frame: int, label: str | None = None) -> float:
        """The part of a frame that the boxes (of one class) cover together, 0..1."""
        raster = np.zeros((_RASTER, _RASTER), bool)
        for _, found, box, _ in self.by_frame[frame]:
            if label is None or found == label:
                x1, y1, x2, y2 = np.rint(box * _RASTER).astype(int)
                raster[y1:y2, x1:x2] = True
        return float(raster.mean())

    def count(self, frame: int, label: str, least: float = 0.0) -> int:
        """How many objects of a class are in a frame, with at least this confidence."""
        return sum(found == label and sure >= least for _, found, _, sure in self.by_frame[frame])

    def labels(self, frames: Sequence[int]) -> list[str]:
        """The classes seen in some frames, sorted."""
        return sorted({label for i in frames for _, label, _, _ in self.by_frame[i]})


def _segments(tracks: Sequence[Track], video: Video, overlap_s: float) -> dict[str, list[Any]]:
    seen = _Sightings(tracks, len(video.analysis))
    columns: dict[str, list[Any]] = {c.name: [] for c in ObjectDetection.segment_columns}
    for part in video.grid.pictures_in(video.analysis.times_s, overlap_s):
        frames = range(part.start, part.stop)
        of_track: dict[int, float] = {}
        sure: list[float] = []
        for i in frames:
            for track_id, _, box, confidence_here in seen.by_frame[i]:
                area = float((box[2] - box[0]) * (box[3] - box[1]))
                of_track[track_id] = of_track.get(track_id, 0.0) + area / len(frames)
                sure.append(confidence_here)
        classes: list[dict[str, Any]] = [
            {
                "label": label,
                "count": max(seen.count(i, label) for i in frames),
                "screen_share": float(np.mean([seen.covered(i, label) for i in frames])),
            }
            for label in seen.labels(frames)
        ]
        classes.sort(key=lambda c: (-c["screen_share"], c["label"]))
        people = next((c for c in classes if c["label"] == "person"), None)
        dominant = max(of_track, key=lambda track_id: of_track[track_id], default=None)
        columns["object_count"].append(len(of_track))
        columns["people_count"].append(max(seen.count(i, "person", _COUNTED) for i in frames))
        columns["class_counts"].append(classes)
        columns["objects_screen_share"].append(float(np.mean([seen.covered(i) for i in frames])))
        columns["people_screen_share"].append(people["screen_share"] if people else 0.0)
        columns["dominant_label"].append(None if dominant is None else tracks[dominant].label)
        columns["dominant_track_id"].append(dominant)
        columns["dominant_screen_share"].append(None if dominant is None else of_track[dominant])
        columns["mean_confidence"].append(_mean(sure) if sure else None)
    return columns


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def _summary(tracks: Sequence[Track], frames: Frames, shots_known: bool) -> dict[str, Any]:
    seen = _Sightings(tracks, len(frames))
    classes: list[dict[str, Any]] = []
    for label in seen.labels(range(len(frames))):
        own = [track for track in tracks if track.label == label]
        present = sorted({i for track in own for i in track.frames})
        classes.append(
            {
                "label": label,
                "track_count": len(own),
                "frame_share": len(present) / len(frames),
                "mean_screen_share": _mean([seen.covered(i, label) for i in present]),
                "mean_confidence": _mean([c for track in own for c in track.confidence]),
                "first_s": float(frames.times_s[present[0]]),
                "last_s": float(frames.times_s[present[-1]]),
            }
        )
    classes.sort(key=lambda c: (-c["frame_share"], c["label"]))
    people = sorted(seen.count(i, "person", _COUNTED) for i in range(len(frames)))
    return {
        "sampled_frame_count": len(frames),
        "track_count": len(tracks),
        "people_count": people[-2] if len(people) > 1 else people[-1],
        "people_frame_share": next(
            (c["frame_share"] for c in classes if c["label"] == "person"), 0.0
        ),
        "classes": classes,
        "dominant_label": max(
            classes,
            key=lambda c: c["frame_share"] * c["mean_screen_share"],
            default={"label": None},
        )["label"],
        "shots_known": shots_known,
    }


_MOST_TILES = 8
_TILE_AREA_PX = 90_000
_COLUMNS = 4


def _contact_sheet(frames: Frames, observations: pa.Table) -> bytes:
    """The frames that show most, one from each eighth of the video, as a JPEG."""
    rows_of: dict[int, list[dict[str, Any]]] = {int(n): [] for n in frames.frame_numbers}
    for row in observations.to_pylist():
        rows_of[row["frame"]].append(row)
    counts = [len(rows_of[int(n)]) for n in frames.frame_numbers]
    parts = np.array_split(np.arange(len(frames)), min(_MOST_TILES, len(frames)))
    chosen = [int(max(part, key=lambda i: counts[i])) for part in parts]
    tiles = [
        _tile(frames[i], rows_of[int(frames.frame_numbers[i])], frames.times_s[i]) for i in chosen
    ]
    return contact_sheet(tiles, _COLUMNS)


def _tile(frame: np.ndarray, rows: Sequence[Mapping[str, Any]], time_s: float) -> np.ndarray:
    scale = (_TILE_AREA_PX / (frame.shape[0] * frame.shape[1])) ** 0.5
    tile = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = tile.shape[:2]
    for row in sorted(rows, key=lambda r: -r["screen_share"]):
        colour = track_colour(row["track_id"])
        x1, y1 = int(row["x1"] * width), int(row["y1"] * height)
        x2, y2 = int(row["x2"] * width), int(row["y2"] * height)
        cv2.rectangle(tile, (x1, y1), (x2 - 1, y2 - 1), colour, 2)
        tag(tile, f"{row['label']} {row['track_id']}", x1, max(y1, 17), colour)
    tag(tile, f"{time_s:.1f} s", 0, height, (255, 255, 255))
    return tile
