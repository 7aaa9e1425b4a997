"""Scenes: shots that belong together, a keyframe for each, and what kind of scene it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import pyarrow as pa
from pydantic import Field

from analyzers import progress
from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    AnalyzerSettings,
    Column,
    Family,
    Preview,
    Stage,
    confidence,
    shares_column,
)
from analyzers.methods.contact_sheet import contact_sheet, tag, track_colour
from analyzers.methods.edit.keyframes import FACES, FaceTimes, Keyframe, keyframe_of
from analyzers.methods.edit.scene_labels import (
    OBJECTS,
    SCENE_LABELS,
    UNCERTAIN,
    SceneEvidence,
    label_of,
    scores,
)
from analyzers.methods.edit.scenes import Grouping, Look, colour_histogram, grouped
from analyzers.methods.evidence import observation_id
from analyzers.methods.people.face_rows import FacePictures
from analyzers.methods.picture.prompts import SCENES
from analyzers.methods.picture.setting import SETTINGS, nature_shares
from analyzers.models.classifier import ImageClassifier
from analyzers.models.clip import Clip
from analyzers.video import Frames, Video

#: Pictures of a shot that it is compared by, as parts of its length, for shots of at least so many
#: seconds: the classifier takes most of the time here, and fast edits have many shots.
_LOOKS: tuple[tuple[float, tuple[float, ...]], ...] = (
    (3.0, (0.1, 0.5, 0.9)),
    (1.0, (0.2, 0.8)),
    (0.0, (0.5,)),
)
#: Left out at both ends of a shot, where there is a blend or the camera still settles.
_MARGIN_S = 0.1
#: Short side of the keyframes that are stored, and their JPEG quality.
_STORED_PX = 360
_JPEG_QUALITY = 80
#: Least part of an object's possible evidence for which its row is named.
_TELLING = 0.1
_ON_CARDS = ("caption", "logo", "sticker")


@dataclass(frozen=True)
class _Shot:
    """One of cut_analysis's shots, as it was looked at. Places are those of the analysis rung."""

    number: int
    time_s: float
    end_s: float
    places: np.ndarray
    look: Look
    probabilities: np.ndarray
    plants_share: float
    plain_share: float
    keyframe: Keyframe
    #: Of `prompts.SCENES` for each picture, (pictures, labels); None where nobody was asked.
    described: np.ndarray | None = None


class SceneSegmentation(Analyzer):
    """Groups shots to scenes, gives each a keyframe, and says what kind of scene it is.

    Shots are cut_analysis's. Two that look alike (colour histogram and the image classifier's
    embedding, half each) and are not more than `reach_s` apart belong to one scene together with
    all that lies between, so that A-B-A-B is one scene; its `view` tells A from B. A place that is
    shown from sides that do not look alike falls apart into several scenes.

    A shot's keyframe is the sharpest of up to `keyframe_candidates` frames, those in which the
    largest face has open eyes first (faces and eye_tracking say so); it is stored as a JPEG with a
    short side of 360 pixels. A scene's keyframe is the best of its shots'.

    `scene_label` joins what the classifier makes of the pictures, objects, faces, plants, and
    text on plain ground: where it is, or else what it is about; `uncertain` below
    `min_confidence` or where two labels are close. With a model for the role `clip` what its
    sentences say of the pictures (`analyzers.methods.picture.prompts`) is one more opinion. The
    weights are set by hand and `confidence` is not calibrated.

    Accuracy: of 33 edits A-B-A-B-C-C, made of nine single-shot clips, every bound of a scene and
    every view is right (the same clips set the threshold); films that show one place from many
    sides are not measured. Of the 34 scenes of the demo clips and the sample 22 are named rightly,
    12 are uncertain and none is wrong (the weights were looked at on the same clips).
    """

    name: ClassVar[str] = "scene_segmentation"
    version: ClassVar[str] = "1"
    family: ClassVar[Family] = Family.EDIT
    stage: ClassVar[Stage] = Stage.FAST
    kinds: ClassVar[tuple[str, ...]] = ("efficientnet", "openvino", "histograms")
    models_used: ClassVar[tuple[str, ...]] = ("classifier",)
    optional_models: ClassVar[tuple[str, ...]] = ("clip",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis", "detail")
    requires: ClassVar[tuple[str, ...]] = ("cut_analysis",)
    optional: ClassVar[tuple[str, ...]] = (
        "faces",
        "eye_tracking",
        "object_detection",
        "text_overlay",
        "background_segmentation",
    )

    class Settings(AnalyzerSettings):
        """What is one scene, and how sure a label has to be."""

        min_similarity: float = Field(
            0.65, ge=0, le=1, description="Least similarity of two shots of one scene"
        )
        reach_s: float = Field(
            20.0, ge=0, description="Longest time between two shots that are linked, in seconds"
        )
        keyframe_candidates: int = Field(
            8, ge=1, description="Frames of a shot among which its keyframe is chosen"
        )
        min_confidence: float = Field(0.5, ge=0, le=1, description="Least confidence of a label")
        min_lead: float = Field(
            0.1, ge=0, le=1, description="Least lead of a label over the second likeliest"
        )

    observation_columns: ClassVar[tuple[Column, ...]] = (
        Column("type", pa.string(), "What the row is", values=("scene", "shot")),
        TIME_S,
        END_S,
        Column("scene", pa.int32(), "Number of the scene, from 0", minimum=0),
        Column(
            "shot", pa.int32(), "Number of the shot, as in cut_analysis; a scene's first", minimum=0
        ),
        Column("shot_count", pa.int32(), "Shots of a scene; 1 for a shot", minimum=1),
        Column(
            "view",
            pa.int32(),
            "Shots of one view look alike; from 0 over the video; null for a scene",
            nullable=True,
            minimum=0,
        ),
        Column("view_count", pa.int32(), "Views of a scene; 1 for a shot", minimum=1),
        confidence(
            "Likeness of a shot to the most similar one before it within reach; null for a scene, "
            "and where none is",
            "similarity",
            nullable=True,
        ),
        Column("keyframe_frame", pa.int64(), "Number of the keyframe in the source", minimum=0),
        Column("keyframe_time_s", pa.float64(), "Its time", minimum=0),
        Column("keyframe_face", pa.string(), "What it shows of the largest face", values=FACES),
        Column(
            "keyframe_sharpness",
            pa.float32(),
            "As content_quality measures it, at a short side of 360; null without edges",
            nullable=True,
            minimum=0,
            maximum=1,
        ),
        Column("keyframe_file", pa.string(), "Suffix of the stored picture"),
        Column(
            "label",
            pa.string(),
            "Kind of a scene; null for a shot",
            nullable=True,
            values=(*SCENE_LABELS, UNCERTAIN),
        ),
        confidence("Of the likeliest label, told or not; null for a shot", nullable=True),
        Column(
            "setting",
            pa.string(),
            "Where a scene is, as most of background_segmentation's seconds say; null for a shot",
            nullable=True,
            values=SETTINGS,
        ),
        shares_column(
            "resembles", "label", "Three likeliest classes of ImageNet, with mean probability"
        ),
        Column(
            "evidence",
            pa.list_(pa.string()),
            "Rows of other analyzers that speak for a scene's label (see `methods.evidence`)",
        ),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("scene", pa.int32(), "The scene that has most of this second", minimum=0),
        Column("scene_shot", pa.int32(), "The shot that has most of it", minimum=0),
        Column("scene_label", pa.string(), "Kind of scene", values=(*SCENE_LABELS, UNCERTAIN)),
        confidence("Of the likeliest label, told or not", "scene_confidence"),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("scene_count", pa.int32(), "Scenes", minimum=1),
        Column("shot_count", pa.int32(), "Shots", minimum=1),
        Column("view_count", pa.int32(), "Views: shots that look alike are one", minimum=1),
        Column("mean_scene_length_s", pa.float64(), "Mean length of a scene", minimum=0),
        shares_column("labels", "label", "Each label's part of the time, largest first"),
        Column(
            "dominant_label",
            pa.string(),
            "Label with the largest part of the time; uncertain where no other has a third of it",
            values=(*SCENE_LABELS, UNCERTAIN),
        ),
        Column("signs_known", pa.list_(pa.string()), "Optional analyzers that had a result"),
    )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Look at up to three pictures of every shot, then group and name."""
        faces = FaceTimes(upstream.get("faces"), upstream.get("eye_tracking"))
        cuts = upstream["cut_analysis"].observations.to_pylist()
        seen = _Seen(upstream)
        asked = self.models.lend("clip") if self.models.has("clip") else nullcontext()
        with self.models.lend("classifier") as classifier, asked as clip:
            classes = classifier.labels
            shots = []
            rows = [row for row in cuts if row["type"] == "shot"]
            blends = [row for row in cuts if row["type"] == "transition"]
            for row in rows:
                progress.checkpoint(row["shot"], len(rows))
                shots.append(self._look_at(video, row, blends, seen, faces, classifier, clip))
        groups = grouped(
            [shot.look for shot in shots], self.settings.min_similarity, self.settings.reach_s
        )
        observations = [_shot_row(shot, groups, video, classes) for shot in shots]
        scenes = [
            self._scene_row([shots[i] for i in members], groups, video, seen, faces, classes)
            for members in _members(groups.scene)
        ]
        return AnalysisResult(
            # A scene stands before its first shot.
            observations=self.observations([*scenes, *observations]),
            segments=self.segments(video.grid, _segments(video, shots, groups, scenes)),
            summary=_summary(scenes, groups, upstream),
            files=_files(video, shots),
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The shots' keyframes in order, framed in a colour for each scene."""
        return Preview(image=_sheet(video, result.observations.to_pylist()))

    def _look_at(
        self,
        video: Video,
        row: Mapping[str, Any],
        blends: Sequence[Mapping[str, Any]],
        seen: _Seen,
        faces: FaceTimes,
        classifier: ImageClassifier,
        clip: Clip | None,
    ) -> _Shot:
        places = _places(video.analysis, row, blends)
        length_s = row["end_s"] - row["time_s"]
        parts = next(parts for least_s, parts in _LOOKS if length_s >= least_s)
        looked = list(dict.fromkeys(int(places[int(part * len(places))]) for part in parts))
        pictures = [video.analysis[place] for place in looked]
        answer = classifier.classify(pictures)
        colours = np.stack([colour_histogram(picture) for picture in pictures])
        spread = np.linspace(0, len(places) - 1, self.settings.keyframe_candidates).round()
        middle = len(looked) // 2
        frame = int(video.analysis.frame_numbers[looked[middle]])
        things = _mask(pictures[middle].shape, [box for _, box in seen.objects.get(frame, ())])
        return _Shot(
            row["shot"],
            row["time_s"],
            row["end_s"],
            places,
            Look(row["time_s"], row["end_s"], colours, answer.embeddings),
            answer.probabilities,
            nature_shares(pictures[middle], things)[0] * float(1 - things.mean()),
            float(colours.max(axis=1).mean()),
            keyframe_of(video.analysis, places[np.unique(spread).astype(int)], faces),
            clip.probabilities(clip.embed(pictures), SCENES) if clip is not None else None,
        )

    def _scene_row(
        self,
        shots: Sequence[_Shot],
        groups: Grouping,
        video: Video,
        seen: _Seen,
        faces: FaceTimes,
        classes: Sequence[str],
    ) -> dict[str, Any]:
        time_s, end_s = shots[0].time_s, shots[-1].end_s
        frames = [int(video.analysis.frame_numbers[p]) for shot in shots for p in shot.places]
        lengths = np.array([shot.end_s - shot.time_s for shot in shots])
        objects = _present(seen.objects, frames)
        texts = _shown(seen.texts, time_s, end_s)
        evidence = SceneEvidence(
            np.concatenate([shot.probabilities for shot in shots]),
            {label: strength for label, (strength, _) in objects.items()},
            float(np.median([faces.height(frame) for frame in frames])),
            float(np.average([shot.plants_share for shot in shots], weights=lengths)),
            float(np.average([shot.plain_share for shot in shots], weights=lengths)),
            max((share for _, share in texts), default=0.0),
            _described(shots),
        )
        label, sure = label_of(
            scores(evidence, classes), self.settings.min_confidence, self.settings.min_lead
        )
        named = [
            observation_id("object_detection", place)
            for name, (strength, place) in objects.items()
            if OBJECTS.get(label, {}).get(name, 0.0) * strength >= _TELLING
        ]
        if label == "title_card":
            named += [observation_id("text_overlay", place) for place, _ in texts]
        best = max(shots, key=lambda shot: shot.keyframe.rank)
        own = [groups.view[shot.number] for shot in shots]
        return {
            **_common(best, video, evidence.probabilities, classes),
            "type": "scene",
            "time_s": time_s,
            "end_s": end_s,
            "scene": groups.scene[shots[0].number],
            "shot": shots[0].number,
            "shot_count": len(shots),
            "view_count": len(set(own)),
            "label": label,
            "confidence": sure,
            "setting": _setting(seen.seconds, time_s, end_s),
            "evidence": named,
        }


def _described(shots: Sequence[_Shot]) -> dict[str, float]:
    """Mean probability of each label by sentences about the pictures; empty where not asked."""
    asked = [shot.described for shot in shots if shot.described is not None]
    if not asked:
        return {}
    return dict(zip(SCENES, np.concatenate(asked).mean(axis=0).tolist(), strict=True))


def _places(
    frames: Frames, row: Mapping[str, Any], blends: Sequence[Mapping[str, Any]]
) -> np.ndarray:
    """Places of a shot's frames without blends and margins; the one nearest its middle at least."""
    first_s, last_s = row["time_s"] + _MARGIN_S, row["end_s"] - _MARGIN_S
    clear = (frames.times_s >= first_s) & (frames.times_s < last_s)
    for blend in blends:
        clear &= ~((frames.times_s > blend["time_s"]) & (frames.times_s < blend["end_s"]))
    if clear.any():
        return np.flatnonzero(clear)
    middle_s = (row["time_s"] + row["end_s"]) / 2
    return np.array([int(np.abs(frames.times_s - middle_s).argmin())])


def _mask(shape: tuple[int, ...], boxes: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """True where boxes are."""
    height, width = shape[:2]
    mask = np.zeros((height, width), bool)
    for box in boxes:
        rows = slice(int(box["y1"] * height), int(np.ceil(box["y2"] * height)))
        mask[rows, int(box["x1"] * width) : int(np.ceil(box["x2"] * width))] = True
    return mask


def _members(scene: Sequence[int]) -> list[list[int]]:
    """The shots of each scene."""
    members: dict[int, list[int]] = {}
    for shot, number in enumerate(scene):
        members.setdefault(number, []).append(shot)
    return list(members.values())


class _Seen:
    """What others saw, read once: a video of fast cuts has thousands of shots."""

    def __init__(self, upstream: Mapping[str, AnalysisResult]) -> None:
        #: object_detection's rows with their places, by number of the frame.
        self.objects: dict[int, list[tuple[int, Mapping[str, Any]]]] = {}
        for place, row in enumerate(_rows(upstream.get("object_detection"))):
            self.objects.setdefault(row["frame"], []).append((place, row))
        self.texts = _rows(upstream.get("text_overlay"))
        backgrounds = upstream.get("background_segmentation")
        #: background_segmentation's seconds; none where it says nothing.
        self.seconds: list[Mapping[str, Any]] = []
        if backgrounds is not None and backgrounds.status == "ok":
            columns = ["start_s", "end_s", "setting"]
            self.seconds = backgrounds.segments.select(columns).to_pylist()


def _present(
    objects: Mapping[int, Sequence[tuple[int, Mapping[str, Any]]]], frames: Sequence[int]
) -> dict[str, tuple[float, int]]:
    """For each class its part of the frames times its mean confidence, and its surest row."""
    wanted = sorted(set(frames))
    best: dict[str, dict[int, float]] = {}
    surest: dict[str, tuple[float, int]] = {}
    for place, row in (found for frame in wanted for found in objects.get(frame, ())):
        of_frame = best.setdefault(row["label"], {})
        of_frame[row["frame"]] = max(of_frame.get(row["frame"], 0.0), row["confidence"])
        here = (row["confidence"], -place)
        surest[row["label"]] = max(surest.get(row["label"], here), here)
    return {
        label: (sum(of_frame.values()) / len(wanted), -surest[label][1])
        for label, of_frame in best.items()
    }


def _shown(
    texts: Sequence[Mapping[str, Any]], time_s: float, end_s: float
) -> list[tuple[int, float]]:
    """Rows of captions and logos in a span, and the part of it that each is shown."""
    shown = []
    for place, row in enumerate(texts):
        both_s = min(row["end_s"], end_s) - max(row["time_s"], time_s)
        if row["role"] in _ON_CARDS and both_s > 0:
            shown.append((place, min(1.0, both_s / (end_s - time_s))))
    return shown


def _setting(seconds: Sequence[Mapping[str, Any]], time_s: float, end_s: float) -> str | None:
    """What most of the seconds that lie in a scene say, told ones first; None if not known."""
    within = [s["setting"] for s in seconds if time_s <= (s["start_s"] + s["end_s"]) / 2 < end_s]
    told = Counter(setting for setting in within if setting not in (None, UNCERTAIN))
    if not told or 3 * told.most_common(1)[0][1] < len(within):
        return UNCERTAIN if within else None
    return told.most_common(1)[0][0]


def _rows(result: AnalysisResult | None) -> list[dict[str, Any]]:
    return [] if result is None or result.status != "ok" else result.observations.to_pylist()


def _common(
    shot: _Shot, video: Video, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, Any]:
    """The columns of a keyframe, and what the pictures resemble."""
    mean = probabilities.mean(axis=0)
    keyframe = shot.keyframe
    return {
        "keyframe_frame": video.analysis.frame_numbers[keyframe.place],
        "keyframe_time_s": video.analysis.times_s[keyframe.place],
        "keyframe_face": keyframe.face,
        "keyframe_sharpness": keyframe.sharpness,
        "keyframe_file": _suffix(shot.number),
        "resembles": [
            {"label": classes[i], "share": float(mean[i])} for i in np.argsort(-mean)[:3]
        ],
    }


def _shot_row(
    shot: _Shot, groups: Grouping, video: Video, classes: Sequence[str]
) -> dict[str, Any]:
    return {
        **_common(shot, video, shot.probabilities, classes),
        "type": "shot",
        "time_s": shot.time_s,
        "end_s": shot.end_s,
        "scene": groups.scene[shot.number],
        "shot": shot.number,
        "shot_count": 1,
        "view": groups.view[shot.number],
        "view_count": 1,
        "similarity": groups.likeness[shot.number],
        "evidence": [],
    }


def _suffix(shot: int) -> str:
    return f"keyframe_{shot:03d}.jpg"


def _files(video: Video, shots: Sequence[_Shot]) -> dict[str, bytes]:
    """The shots' keyframes as JPEGs, cut from the full-size picture where there is one."""
    pictures = FacePictures(video)
    files = {}
    for shot in shots:
        frame = int(video.analysis.frame_numbers[shot.keyframe.place])
        picture = pictures.get(frame, "detail" if pictures.has_detail(frame) else "analysis")
        scale = min(1.0, _STORED_PX / min(picture.shape[:2]))
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        _, jpeg = cv2.imencode(
            ".jpg",
            cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
            [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY],
        )
        files[_suffix(shot.number)] = jpeg.tobytes()
    return files


def _segments(
    video: Video, shots: Sequence[_Shot], groups: Grouping, scenes: Sequence[Mapping[str, Any]]
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {c.name: [] for c in SceneSegmentation.segment_columns}
    from_s, to_s = (np.array([getattr(s, name) for s in shots]) for name in ("time_s", "end_s"))
    for segment in range(len(video.grid)):
        start_s, end_s = video.grid.bounds_s(segment)
        parts = np.minimum(to_s, end_s) - np.maximum(from_s, start_s)
        of_scene = np.bincount(groups.scene, np.maximum(parts, 0), minlength=len(scenes))
        scene = int(of_scene.argmax())
        columns["scene"].append(scene)
        columns["scene_shot"].append(shots[int(parts.argmax())].number)
        columns["scene_label"].append(scenes[scene]["label"])
        columns["scene_confidence"].append(scenes[scene]["confidence"])
    return columns


def _summary(
    scenes: Sequence[Mapping[str, Any]], groups: Grouping, upstream: Mapping[str, AnalysisResult]
) -> dict[str, Any]:
    lengths = [scene["end_s"] - scene["time_s"] for scene in scenes]
    of_label: Counter[str] = Counter()
    for scene, length in zip(scenes, lengths, strict=True):
        of_label[scene["label"]] += length / sum(lengths)
    labels = sorted(of_label.items(), key=lambda item: (-item[1], item[0]))
    told = [(label, share) for label, share in labels if label != UNCERTAIN]
    return {
        "scene_count": len(scenes),
        "shot_count": len(groups.scene),
        "view_count": len(set(groups.view)),
        "mean_scene_length_s": float(np.mean(lengths)),
        "labels": [{"label": label, "share": share} for label, share in labels],
        "dominant_label": told[0][0] if told and told[0][1] >= 1 / 3 else UNCERTAIN,
        "signs_known": [
            name
            for name in SceneSegmentation.optional
            if name in upstream and upstream[name].status == "ok"
        ],
    }


_MOST_TILES = 16
_COLUMNS = 4
_TILE_AREA_PX = 50_000
_FRAME_PX = 5
_WHITE = (255, 255, 255)


def _sheet(video: Video, rows: Sequence[Mapping[str, Any]]) -> bytes:
    scenes = {row["scene"]: row for row in rows if row["type"] == "scene"}
    shots = [row for row in rows if row["type"] == "shot"]
    places = np.unique(np.linspace(0, len(shots) - 1, min(_MOST_TILES, len(shots))).round())
    pictures = FacePictures(video)
    tiles = []
    for place in places.astype(int):
        shot = shots[place]
        scene = scenes[shot["scene"]]
        picture = pictures.get(shot["keyframe_frame"], "analysis")
        scale = (_TILE_AREA_PX / (picture.shape[0] * picture.shape[1])) ** 0.5
        tile = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = tile.shape[:2]
        colour = track_colour(shot["scene"])
        cv2.rectangle(tile, (0, 0), (width - 1, height - 1), colour, _FRAME_PX)
        label = f"{scene['label']} {scene['confidence']:.2f}"
        tag(tile, f"scene {shot['scene']}: {label}", 0, 17, colour)
        tag(
            tile,
            f"shot {shot['shot']} view {shot['view']} {shot['keyframe_time_s']:.1f} s",
            0,
            height,
            _WHITE,
        )
        tiles.append(tile)
    return contact_sheet(tiles, _COLUMNS)
