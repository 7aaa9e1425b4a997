"""Where people look, how they hold the head, when they blink, and whether their lips move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
from pydantic import Field

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
    shares,
    shares_column,
)
from analyzers.methods.contact_sheet import contact_sheet, tag, track_colour
from analyzers.methods.people.face_crops import roll_deg, square_turn, warped
from analyzers.methods.people.face_rows import (
    TILE_PX,
    area_of,
    box_of,
    by_track,
    face_rows,
    face_tile,
    landmarks_of,
)
from analyzers.methods.people.gaze import blinks, gaze_in_head_deg
from analyzers.methods.people.head_pose import pose_from_mesh
from analyzers.methods.people.mouth import movement_per_s, opening_ratio
from analyzers.models.face_mesh import (
    CROP_PX,
    CROP_SCALE,
    EYE_BLINK_LEFT,
    EYE_BLINK_RIGHT,
    EYE_LOOK_DOWN_LEFT,
    EYE_LOOK_DOWN_RIGHT,
    FaceLandmarker,
)
from analyzers.video import Video

#: Least width of a face on the motion rung. Made smaller until its face is 32 px wide,
#: woman_emotions_closeup keeps its head's angles to 1 degree in the median, its irises to 2 % of
#: the eye's width, and 0.95 of its open and shut eyes.
_LEAST_WIDTH_PX = 32.0
#: Least confidence of the mesh: under it a hand is before the face, or it is turned away.
_LEAST_CONFIDENCE = 0.5
#: Longest gap between two sightings over which a box is carried on.
_LONGEST_GAP_S = 0.5
#: Score from which eyes count as closed, so that they look nowhere.
_CLOSED = 0.5
#: Score from which eyes are cast down: the lids then hide how far. Looking ahead or up stays under
#: 0.45 on the demo clips, a glance at the keyboard reads 0.6 to 0.8.
_CAST_DOWN = 0.55
#: Outer corners of the eyes in the mesh: the line that is level in an upright face.
_OUTER_CORNERS = [33, 263]
#: A rate of blinks is only told of so much time with open eyes to be seen.
_LEAST_SEEN_S = 5.0
_DIRECTIONS = ("camera", "left", "right", "up", "down", "closed")


def _angle(name: str, description: str, nullable: bool = False) -> Column:
    return Column(name, pa.float32(), description, nullable=nullable, minimum=-180.0, maximum=180.0)


class EyeTracking(Analyzer):
    """Follows head and eyes of the largest faces 15 times a second: pose, gaze, blinks.

    Angles are in degrees, as the viewer sees them: `yaw` > 0 turns to the right of the picture,
    `pitch` > 0 up, `roll` > 0 leans clockwise; a head that faces the camera has 0, 0, 0. Gaze is
    the head's direction and the eyes' in it, added up; it is `camera` where it is within the
    setting `camera_deg` of the camera, and `left` and `right` are those of the picture. A blink is
    a short closing between open eyes; eyes cast down look closed and count so. Only faces of good
    quality that are 32 pixels wide on the motion rung are followed. Dark glasses and hats hide the
    eyes without notice. How far the mouth stands open, and how fast that changes, tells lips that
    speak from lips that do not: on webcam_hello_world_text they move by 0.3 to 0.8 a second while
    the man speaks and by 0.02 to 0.08 after (0.4 where he smiles for once).
    Accuracy: measured on pictures turned and made smaller by known amounts, on
    one portrait that looks into the camera and on five blinks; gaze angles of moving people are not
    measured, for want of labels.
    """

    name: ClassVar[str] = "eye_tracking"
    version: ClassVar[str] = "2"
    family: ClassVar[Family] = Family.PEOPLE
    stage: ClassVar[Stage] = Stage.LIGHT_GPU
    kinds: ClassVar[tuple[str, ...]] = ("landmarks", "litert")
    models_used: ClassVar[tuple[str, ...]] = ("face_mesh",)
    rungs: ClassVar[tuple[str, ...]] = ("motion",)
    requires: ClassVar[tuple[str, ...]] = ("faces",)

    class Settings(AnalyzerSettings):
        """How many faces, and what counts as looking into the camera."""

        max_faces: int = Field(2, ge=1, description="Faces followed at a time, the largest ones")
        camera_deg: float = Field(
            15.0, gt=0, le=90, description="Furthest gaze from the camera that still looks at it"
        )

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        Column("frame", pa.int64(), "Number of the frame in the source", minimum=0),
        Column("track_id", pa.int32(), "The face, as in `faces`", minimum=0),
        confidence("That the points are those of a face"),
        *box_columns("the face, carried on between the sightings of `faces`"),
        _angle("yaw_deg", "The head's turn to the right of the picture"),
        _angle("pitch_deg", "The head's turn upwards"),
        _angle("roll_deg", "The head's lean, clockwise"),
        _angle("gaze_yaw_deg", "Where the eyes look, to the right of the picture"),
        _angle("gaze_pitch_deg", "Where the eyes look, upwards"),
        confidence("How far both eyes are shut", "eyes_closed"),
        Column("gaze", pa.string(), "Where the eyes look", values=_DIRECTIONS),
        Column("blink", pa.bool_(), "True where a blink is deepest"),
        Column(
            "mouth_opening_ratio",
            pa.float32(),
            "Gap between the inner lips, in distances of the outer corners of the eyes",
            minimum=0.0,
        ),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("face_count", pa.int32(), "Faces whose eyes were followed", minimum=0),
        Column(
            "main_track_id",
            pa.int32(),
            "The largest of them, which the rest of the row is about",
            nullable=True,
            minimum=0,
        ),
        confidence("Part of this second in which it looks into the camera", "camera_share", True),
        Column(
            "gaze",
            pa.string(),
            "Where it looks most of this second",
            nullable=True,
            values=_DIRECTIONS,
        ),
        Column("blink_count", pa.int32(), "Its blinks in this second", minimum=0),
        _angle("yaw_deg", "Median turn of its head to the right of the picture", nullable=True),
        _angle("pitch_deg", "Median turn of its head upwards", nullable=True),
        _angle("roll_deg", "Median lean of its head, clockwise", nullable=True),
        Column(
            "mouth_movement_per_s",
            pa.float32(),
            "How much its `mouth_opening_ratio` changes in a second, to and fro added up",
            nullable=True,
            minimum=0.0,
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("seen_s", pa.float32(), "Time for which a main face was followed", minimum=0),
        confidence("Part of it in which the main face looks into the camera", "camera_share"),
        Column("blink_count", pa.int32(), "Blinks of the main faces", minimum=0),
        Column(
            "blinks_per_minute",
            pa.float32(),
            "Of the main faces; null for less than 5 s of them",
            nullable=True,
            minimum=0,
        ),
        shares_column("gazes", "gaze", "Part of that time for each direction, largest first"),
        _angle("yaw_deg", "Median turn of the main faces to the right of the picture"),
        _angle("pitch_deg", "Median turn of the main faces upwards"),
        _angle("roll_deg", "Median lean of the main faces, clockwise"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Carry the boxes of `faces` on to 15 frames a second, find the points, read them."""
        none = {"face_count": 0, "blink_count": 0}
        sightings = face_rows(upstream["faces"])
        if not sightings:
            return self.not_applicable(video, "no face in any frame", none)
        assert isinstance(self.settings, EyeTracking.Settings)
        with self.models.lend("face_mesh") as landmarker:
            rows = _follow(landmarker, video, sightings, self.settings)
        if not rows:
            return self.not_applicable(
                video, "no face is large, sharp and near enough to the front for its eyes", none
            )
        _mark_blinks(rows)
        columns, main = _segments(rows, video)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, columns),
            summary=_summary(main, video),
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Faces over time, with the gaze as an arrow and the head's angles."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        return Preview(image=_sheet(video, result.observations))


def _carried_on(
    sightings: Sequence[Mapping[str, Any]], times_s: np.ndarray, width_px: int, max_faces: int
) -> list[list[tuple[int, np.ndarray, np.ndarray]]]:
    """For each motion frame the faces to follow: track, box and five points, largest first."""
    frames: list[list[tuple[int, np.ndarray, np.ndarray]]] = [[] for _ in times_s]
    for track_id, rows in by_track(sightings).items():
        at_s = np.array([row["time_s"] for row in rows])
        places = np.array([[*box_of(row), *landmarks_of(row).ravel()] for row in rows])
        inside = (times_s >= at_s[0] - 1e-6) & (times_s <= at_s[-1] + 1e-6)
        for i in np.flatnonzero(inside):
            after = min(int(np.searchsorted(at_s, times_s[i])), len(at_s) - 1)
            if at_s[after] - at_s[max(0, after - 1)] > _LONGEST_GAP_S:
                continue
            nearest = rows[int(np.abs(at_s - times_s[i]).argmin())]
            if nearest["quality"] != "good":
                continue
            now = np.array([np.interp(times_s[i], at_s, column) for column in places.T])
            if (now[2] - now[0]) * width_px >= _LEAST_WIDTH_PX:
                frames[i].append((track_id, now[:4], now[4:].reshape(5, 2)))
    for faces in frames:
        faces.sort(key=lambda face: -float(np.prod(face[1][2:] - face[1][:2])))
        del faces[max_faces:]
    return frames


def _follow(
    landmarker: FaceLandmarker,
    video: Video,
    sightings: Sequence[Mapping[str, Any]],
    settings: EyeTracking.Settings,
) -> list[dict[str, Any]]:
    motion = video.motion
    height, width = motion[0].shape[:2]
    frames = _carried_on(sightings, motion.times_s, width, settings.max_faces)
    rows: list[dict[str, Any]] = []
    leaning: dict[int, tuple[int, float]] = {}
    for i, faces in enumerate(frames):
        progress.checkpoint(i, len(frames))
        for track_id, box, landmarks in faces:
            # As its last mesh leaned, which knows better than the detector's five points.
            last, lean_deg = leaning.get(track_id, (-2, 0.0))
            if last != i - 1:
                lean_deg = roll_deg(landmarks * [width, height])
            turn = square_turn(motion[i], box, lean_deg, CROP_SCALE, CROP_PX)
            crop = cv2.cvtColor(warped(motion[i], turn, CROP_PX), cv2.COLOR_GRAY2RGB)
            mesh = landmarker.mesh(crop)
            if mesh.confidence < _LEAST_CONFIDENCE:
                continue
            back = cv2.invertAffineTransform(turn)
            points = mesh.points[:, :2] @ back[:, :2].T + back[:, 2]
            right_eye, left_eye = points[_OUTER_CORNERS]
            leaning[track_id] = (i, roll_deg(np.array([right_eye, left_eye])))
            moves = landmarker.blendshapes(mesh)
            closed = float(np.clip((moves[EYE_BLINK_LEFT] + moves[EYE_BLINK_RIGHT]) / 2, 0, 1))
            down = float(moves[EYE_LOOK_DOWN_LEFT] + moves[EYE_LOOK_DOWN_RIGHT]) / 2
            head = pose_from_mesh(points)
            eyes_yaw, eyes_pitch = gaze_in_head_deg(mesh.points)
            # The eyes move along the head's own axes, which lean with it.
            lean = np.radians(head.roll_deg)
            gaze_yaw = head.yaw_deg + eyes_yaw * np.cos(lean) + eyes_pitch * np.sin(lean)
            gaze_pitch = head.pitch_deg - eyes_yaw * np.sin(lean) + eyes_pitch * np.cos(lean)
            rows.append(
                {
                    "time_s": float(motion.times_s[i]),
                    "frame": int(motion.frame_numbers[i]),
                    "track_id": track_id,
                    "confidence": mesh.confidence,
                    **dict(zip(("x1", "y1", "x2", "y2"), box.clip(0, 1), strict=True)),
                    "yaw_deg": head.yaw_deg,
                    "pitch_deg": head.pitch_deg,
                    "roll_deg": head.roll_deg,
                    "gaze_yaw_deg": float(gaze_yaw),
                    "gaze_pitch_deg": float(gaze_pitch),
                    "eyes_closed": closed,
                    "gaze": _direction(gaze_yaw, gaze_pitch, closed, down, settings.camera_deg),
                    "blink": False,
                    "mouth_opening_ratio": opening_ratio(mesh.points),
                }
            )
    return rows


def _direction(
    yaw_deg: float, pitch_deg: float, closed: float, down: float, camera_deg: float
) -> str:
    if closed >= _CLOSED:
        return "closed"
    if down >= _CAST_DOWN:
        return "down"
    if np.hypot(yaw_deg, pitch_deg) <= camera_deg:
        return "camera"
    if abs(yaw_deg) >= abs(pitch_deg):
        return "right" if yaw_deg > 0 else "left"
    return "up" if pitch_deg > 0 else "down"


def _mark_blinks(rows: Sequence[dict[str, Any]]) -> None:
    """Set `blink` on the rows of each track in which one is deepest."""
    for own in by_track(rows).values():
        gaps = [i for i in range(1, len(own)) if own[i]["time_s"] - own[i - 1]["time_s"] > 0.15]
        for first, end in zip([0, *gaps], [*gaps, len(own)], strict=True):
            part = own[first:end]
            times_s = [row["time_s"] for row in part]
            for place in blinks(times_s, [row["eyes_closed"] for row in part]):
                part[place]["blink"] = True


def _segments(
    rows: Sequence[Mapping[str, Any]], video: Video
) -> tuple[dict[str, list[Any]], list[Mapping[str, Any]]]:
    """The segments' columns, and the rows of each second's main face.

    What is counted and shared belongs to one second alone, so no overlap is looked at here.
    """
    columns: dict[str, list[Any]] = {c.name: [] for c in EyeTracking.segment_columns}
    main_rows: list[Mapping[str, Any]] = []
    seconds = [video.grid.segment_of(row["time_s"]) for row in rows]
    for segment in range(len(video.grid)):
        here = by_track(row for row, second in zip(rows, seconds, strict=True) if second == segment)
        main = max(here, key=lambda track_id: area_of(here[track_id]), default=None)
        own = here[main] if main is not None else []
        main_rows += own
        columns["face_count"].append(len(here))
        columns["main_track_id"].append(main)
        columns["camera_share"].append(_camera_share(own) if own else None)
        columns["gaze"].append(
            shares([row["gaze"] for row in own], "gaze")[0]["gaze"] if own else None
        )
        columns["blink_count"].append(sum(row["blink"] for row in own))
        for name in ("yaw_deg", "pitch_deg", "roll_deg"):
            columns[name].append(_median(own, name) if own else None)
        columns["mouth_movement_per_s"].append(
            movement_per_s(
                [row["time_s"] for row in own], [row["mouth_opening_ratio"] for row in own]
            )
        )
    return columns, main_rows


def _summary(main: Sequence[Mapping[str, Any]], video: Video) -> dict[str, Any]:
    seen_s = video.info.end_s * len(main) / len(video.motion)
    count = sum(row["blink"] for row in main)
    return {
        "seen_s": seen_s,
        "camera_share": _camera_share(main),
        "blink_count": count,
        "blinks_per_minute": count * 60 / seen_s if seen_s >= _LEAST_SEEN_S else None,
        "gazes": shares([row["gaze"] for row in main], "gaze"),
        **{name: _median(main, name) for name in ("yaw_deg", "pitch_deg", "roll_deg")},
    }


def _camera_share(rows: Sequence[Mapping[str, Any]]) -> float:
    return sum(row["gaze"] == "camera" for row in rows) / len(rows)


def _median(rows: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(np.median([row[name] for row in rows]))


_MOST_TILES = 16
_COLUMNS = 8
_WHITE = (255, 255, 255)


def _sheet(video: Video, observations: pa.Table) -> bytes:
    """Samples spread over the time in which a face was followed."""
    rows = observations.to_pylist()
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(_MOST_TILES, len(rows))).round())
    places = {int(n): i for i, n in enumerate(video.motion.frame_numbers)}
    tiles = []
    for place in chosen:
        row = rows[int(place)]
        grey = face_tile(video.motion[places[row["frame"]]], row)
        tile = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
        middle = TILE_PX // 2
        end = (
            middle + int(np.sin(np.radians(row["gaze_yaw_deg"])) * middle),
            middle - 8 - int(np.sin(np.radians(row["gaze_pitch_deg"])) * middle),
        )
        if row["gaze"] != "closed":
            colour = track_colour(row["track_id"])
            cv2.arrowedLine(tile, (middle, middle - 8), end, colour, 2, cv2.LINE_AA, tipLength=0.2)
        tag(tile, f"{row['time_s']:.1f} s {row['gaze']}", 0, TILE_PX, _WHITE)
        angles = (row["yaw_deg"], row["pitch_deg"], row["roll_deg"])
        tag(tile, "y {:.0f} p {:.0f} r {:.0f}".format(*angles), 0, 14, _WHITE)
        tiles.append(tile)
    return contact_sheet(tiles, _COLUMNS)
