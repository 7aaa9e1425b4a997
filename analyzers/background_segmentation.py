"""What is subject and what background, pixel by pixel, and what the background is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
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
    records,
    shares,
    shares_column,
)
from analyzers.methods.contact_sheet import contact_sheet, tag, track_colour
from analyzers.methods.edit.shot_starts import shot_starts_s
from analyzers.methods.known_median import known_median
from analyzers.methods.picture.backdrop import Backdrop, Change, backdrop_of, change_between
from analyzers.methods.picture.parsed_scene import background_shares, parsed_evidence
from analyzers.methods.picture.run_length import mask_of, run_lengths
from analyzers.methods.picture.setting import (
    SETTINGS,
    nature_evidence,
    nature_shares,
    object_evidence,
    resemblance_evidence,
    setting_of,
)
from analyzers.methods.picture.subject import PERSON, distinct, refined, subject_of
from analyzers.methods.tracking import iou
from analyzers.models.detector import COCO_LABELS
from analyzers.models.segmenter import Instances, Segmenter
from analyzers.video import Video

KINDS: tuple[str, ...] = ("subject", "object")
BACKGROUNDS: tuple[str, ...] = ("as_shot", "blurred", "replaced", "still", "uncertain")

#: Overlap (IoU) from which an outlined object is a tracked box's.
_SAME_OBJECT_IOU = 0.5
#: Confidence from which an object is believed that no box of object_detection fits.
_BELIEVED_ALONE = 0.6
#: People whose outline is worth the second network: the largest of the subject.
_MOST_REFINED = 3
#: How far around a second, within its shot, evidence for its setting is gathered.
_SETTING_REACH_S = 2.0
#: What the whole picture resembles is asked this often, and where a shot begins.
_RESEMBLANCE_STEP_S = 2.0

#: Sharpness up to which a background is blurred, and from which it is not. The demo clips with a
#: subject have 0.25 and more (medians); blurred by 1 % of the short side, 0.22 and less.
_BLURRED, _SHARP = 0.2, 0.23
#: A subject at least this sharp, and by so much sharper than what is behind it, stands before a
#: blurred background; otherwise the whole picture is soft.
_SUBJECT_SHARP, _SHARPER = 0.2, 1.25
#: Part of the background from which one colour is all of it.
_FLAT_SHARE = 0.9
#: Levels of change between pictures half a second apart: up to this the background is dead still,
#: while the subject moves by at least that.
_STILL_LEVELS, _MOVING_LEVELS = 0.1, 2.0


def _share(name: str, description: str, nullable: bool = False) -> Column:
    return Column(name, pa.float32(), description, nullable, 0.0, 1.0)


def _number(name: str, description: str) -> Column:
    return Column(name, pa.float32(), description, nullable=True, minimum=0.0)


_SETTING = Column("setting", pa.string(), "Where it is; uncertain if little shows", values=SETTINGS)
_SETTING_CONFIDENCE = confidence(
    "Of the side that the evidence leans to: 0.5 is none; not calibrated", "setting_confidence"
)
_SETTING_EVIDENCE = Column(
    "setting_evidence",
    records(
        evidence=pa.string(),
        weight=pa.float32(),
    ),
    "What speaks for outdoors (positive) and indoors (negative), weightiest first: vegetation, "
    "sky, objects, and what the picture resembles; told from a sum of 0.8",
)
_BACKGROUND = Column(
    "background",
    pa.string(),
    "as_shot: nothing was seen done to it. blurred: soft behind a sharp subject, by lens or by "
    "software. replaced: one flat colour, or exchanged behind a subject that stays. still: sharp "
    "and dead still behind a moving subject, as a picture put there is, or a tripod's background "
    "after compression. uncertain: nothing in it to judge. null without a subject",
    nullable=True,
    values=BACKGROUNDS,
)


@dataclass
class _Sample:
    """What was seen in one frame."""

    time_s: float
    shot: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    #: Part of the frame by class, its instances together.
    classes: dict[str, float] = field(default_factory=dict)
    background_classes: dict[str, float] = field(default_factory=dict)
    subject_share: float = 0.0
    subject_label: str | None = None
    #: Steady evidence for the setting, and what was asked only now and then (else None).
    evidence: dict[str, float] = field(default_factory=dict)
    resemblance: dict[str, float] | None = None
    backdrop: Backdrop | None = None
    #: Against the frame before in the same shot.
    change: Change | None = None
    #: Whether the background was exchanged while this subject stayed.
    exchanged: bool = False


class BackgroundSegmentation(Analyzer):
    """Outlines the subject and everything else of COCO's classes twice a second.

    YOLO26n-seg says what is where, at any distance; the outline of the subject's people is then
    taken from MediaPipe's selfie network, which sees each cut out. On composites of a near and a
    whole person over six backgrounds the first alone has IoU 0.94, the second alone 0.78 (it loses
    people in the distance and in wide frames), both together 0.96.

    The subject is what weighs most: an object's part of the frame, animals twice, people three
    times; what weighs a quarter of the weightiest belongs to it too. Furniture never does. A
    row is the subject's whole mask (`kind` subject) or one object (`kind` object), as COCO's
    uncompressed run lengths: `mask_counts` are of zeros and ones in turn, beginning with zeros,
    columns top to bottom from the left one on, of a picture of `mask_height_px` x
    `mask_width_px` pixels. `analyzers.methods.picture.run_length.mask_of` turns them back, as
    does pycocotools' `frPyObjects`.

    Setting: evidence within 2 s of the shot is added up (plants, blue sky, objects, ImageNet
    classes that are places); without enough it is uncertain, which rooms with a plain wall are.

    A background that was replaced is told from a flat colour, or when another picture appears
    behind a subject that stays. A still picture put behind a person cannot be told from what a
    tripod saw: both are called still. Moving pictures put there are as_shot.

    Accuracy: people's masks on composites have a mean IoU of 0.98 (near) and 0.93 (whole, to a
    third of the frame's height), 0.84 at worst. Backgrounds blurred in the tests by 1.5 % of the
    short side or more are all found, and none falsely in nine plain demo clips; so are flat colours
    and exchanged pictures. Of five clips that are outdoors (by caption or by eye) four are told
    throughout and one in 6 of 10 seconds; of four indoors one is told and three are uncertain; no
    second has a wrong setting. There are too few clips to say more. Shares of other classes are not
    measured.

    With a model for the role `scene_parser` the background's classes are those it names
    (ADE20K's 150), and the setting is told from them in place of colour and texture.

    Where object_detection ran, frames in which it saw nothing are not segmented, each object has
    the track and label of its box there, and one without such a box must be surer (0.6).
    """

    name: ClassVar[str] = "background_segmentation"
    version: ClassVar[str] = "2"
    family: ClassVar[Family] = Family.PICTURE
    stage: ClassVar[Stage] = Stage.MEDIUM_GPU
    kinds: ClassVar[tuple[str, ...]] = ("yolo", "openvino", "mediapipe", "opencv")
    models_used: ClassVar[tuple[str, ...]] = ("segmenter", "selfie_mask", "classifier")
    optional_models: ClassVar[tuple[str, ...]] = ("scene_parser",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis",)
    optional: ClassVar[tuple[str, ...]] = ("object_detection", "cut_analysis")

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        Column("frame", pa.int64(), "Number of the frame in the source", minimum=0),
        Column(
            "kind",
            pa.string(),
            "subject: all that the picture is about, in one mask; object: one thing",
            values=KINDS,
        ),
        Column(
            "label",
            pa.string(),
            "Class; of a subject, that of its weightiest object",
            values=COCO_LABELS,
        ),
        confidence("Of the object; of a subject, of its weightiest object"),
        Column(
            "track_id",
            pa.int32(),
            "object_detection's track of the object, or of the subject's weightiest; null where "
            "no box of it fits",
            nullable=True,
            minimum=0,
        ),
        Column("in_subject", pa.bool_(), "Whether it belongs to the subject"),
        Column("refined", pa.bool_(), "Whether the selfie network drew (some of) its outline"),
        *box_columns("the mask"),
        _share("share", "Part of the frame that the mask covers"),
        Column("mask_height_px", pa.int32(), "Rows of the mask", minimum=1),
        Column("mask_width_px", pa.int32(), "Columns of the mask", minimum=1),
        Column(
            "mask_counts",
            pa.list_(pa.int32()),
            "COCO's uncompressed RLE, column by column: lengths of runs of zeros and ones in turn, "
            "the first of zeros",
        ),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        _share("subject_share", "Mean part of the frame that the subject covers"),
        _share("background_share", "Mean part of the frame that it does not"),
        Column(
            "subject_label",
            pa.string(),
            "Class of what is the subject most of this second",
            nullable=True,
            values=COCO_LABELS,
        ),
        shares_column(
            "class_shares",
            "label",
            "Mean part of the frame that each class's masks cover together, largest first",
        ),
        shares_column(
            "background_classes",
            "label",
            "Mean part of the frame of what is not the subject, largest first: COCO's classes, "
            "and by colour and texture vegetation and (blue) sky; with the role scene_parser its "
            "own classes instead of all these",
        ),
        _SETTING,
        _SETTING_CONFIDENCE,
        _SETTING_EVIDENCE,
        _BACKGROUND,
        _number(
            "background_sharpness",
            "Fine detail (1 pixel) by coarse (4 pixels) behind the subject, at a short side of "
            "360: up to 0.2 is blurred; null without a subject or detail",
        ),
        _number("subject_sharpness", "The same within the subject"),
        _number(
            "background_change",
            "Mean change behind the subject in half a second, levels of 8 bits; null where it "
            "cannot be compared",
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("sampled_frame_count", pa.int32(), "Frames that were looked at", minimum=1),
        Column("segmented_frame_count", pa.int32(), "Of these, given to the network", minimum=0),
        Column("objects_known", pa.bool_(), "Whether object_detection's boxes were there"),
        _share("subject_frame_share", "Part of the frames with a subject"),
        _share("subject_share", "Mean part of the frame that the subject covers"),
        Column(
            "subject_label",
            pa.string(),
            "Class that is the subject most often",
            nullable=True,
            values=COCO_LABELS,
        ),
        shares_column("class_shares", "label", "Mean part of the frame by class, largest first"),
        shares_column("background_classes", "label", "As in segments, over the video"),
        Column(
            "setting",
            pa.string(),
            "Where most of the seconds are that tell; uncertain where those are fewer than a third",
            values=SETTINGS,
        ),
        shares_column("settings", "setting", "Part of the seconds in each, largest first"),
        Column(
            "background",
            pa.string(),
            "As in segments: what most of the seconds with a subject have; replaced and blurred "
            "before as_shot where they tie",
            nullable=True,
            values=BACKGROUNDS,
        ),
        shares_column(
            "backgrounds", "background", "Part of the seconds with a subject, largest first"
        ),
    )

    class Settings(AnalyzerSettings):
        """How often, and from which confidence on."""

        step_s: float = Field(0.5, ge=0.2, le=10, description="Time between frames looked at")
        min_confidence: float = Field(
            0.4,
            ge=0.1,
            le=1,
            description="Of an object. Fainter people in the demo clips were often shadows beside "
            "a sleeve, or a telescope's mirror",
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        starts_s = shot_starts_s(upstream.get("cut_analysis"))
        times_s = video.analysis.times_s
        chosen = np.unique(np.floor(times_s / self.settings.step_s + 1e-6), return_index=True)[1]
        samples = [
            _Sample(float(times_s[i]), int(np.searchsorted(starts_s, times_s[i], "right")))
            for i in chosen
        ]
        boxes = _boxes_by_frame(upstream.get("object_detection"))
        segmented = self._look(video, chosen, samples, boxes)
        _spread_exchanges(samples)
        segments = _segments(samples, video, self.overlap_s)
        return AnalysisResult(
            observations=self.observations([row for sample in samples for row in sample.rows]),
            segments=self.segments(video.grid, segments),
            summary={
                "sampled_frame_count": len(samples),
                "segmented_frame_count": segmented,
                "objects_known": boxes is not None,
                **_summary(samples, segments),
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Frames with the subject lit and the rest outlined, and what is said of their second."""
        return Preview(image=_contact_sheet(video, result))

    def _look(
        self,
        video: Video,
        chosen: np.ndarray,
        samples: Sequence[_Sample],
        boxes: Mapping[int, list[dict[str, Any]]] | None,
    ) -> int:
        """Fill the samples, frame by frame; returns how many the network was given."""
        frames = video.analysis
        numbers = frames.frame_numbers[chosen]
        given = 0
        before: tuple[int, tuple[np.ndarray, np.ndarray]] | None = None
        asked: tuple[int, float] | None = None
        with (
            self.models.lend("segmenter") as segmenter,
            self.models.lend("selfie_mask") as selfie,
            self.models.lend("classifier") as classifier,
            self.models.lend("scene_parser")
            if self.models.has("scene_parser")
            else nullcontext() as parser,
        ):
            for first in range(0, len(chosen), segmenter.batch_size):
                progress.checkpoint(first, len(chosen))
                batch = range(first, min(first + segmenter.batch_size, len(chosen)))
                pictures = {k: np.asarray(frames[int(chosen[k])]) for k in batch}
                wanted = [k for k in batch if boxes is None or int(numbers[k]) in boxes]
                given += len(wanted)
                found = _segment(segmenter, pictures, wanted, self.settings.min_confidence)
                parsed = parser.parse(list(pictures.values())) if parser else None
                for k in batch:
                    sample, picture = samples[k], pictures[k]
                    mask = np.zeros(picture.shape[:2], bool)
                    if k in found:
                        near = boxes[int(numbers[k])] if boxes is not None else None
                        mask = _outline(sample, picture, found[k], near, selfie.mask)
                        for row in sample.rows:
                            row["frame"] = int(numbers[k])
                    if parser is not None and parsed is not None:
                        _name_parts(sample, parsed[k - first], parser.labels, mask)
                    else:
                        _weigh_colours(sample, picture, mask)
                    if mask.any():
                        sample.backdrop = backdrop_of(picture, mask)
                    if before is not None:
                        change = change_between(before[1], (picture, mask))
                        # An exchange may look like a cut; any other change across one says nothing.
                        sample.exchanged = change is not None and change.exchanged
                        sample.change = change if before[0] == sample.shot else None
                    before = sample.shot, (picture, mask)
                    if (
                        asked is None
                        or asked[0] != sample.shot
                        or sample.time_s - asked[1] >= _RESEMBLANCE_STEP_S
                    ):
                        asked = sample.shot, sample.time_s
                        [likely] = classifier.classify([picture]).probabilities
                        sample.resemblance = resemblance_evidence(classifier.labels, likely)
        return given


def _boxes_by_frame(objects: AnalysisResult | None) -> dict[int, list[dict[str, Any]]] | None:
    """object_detection's rows by number of the frame; None where it did not run."""
    if objects is None:
        return None
    columns = ["frame", "track_id", "label", "x1", "y1", "x2", "y2"]
    boxes: dict[int, list[dict[str, Any]]] = {}
    for row in objects.observations.select(columns).to_pylist():
        box = np.array([row["x1"], row["y1"], row["x2"], row["y2"]], np.float32)
        boxes.setdefault(row["frame"], []).append({**row, "box": box})
    return boxes


def _segment(
    segmenter: Segmenter,
    pictures: Mapping[int, np.ndarray],
    wanted: Sequence[int],
    min_confidence: float,
) -> dict[int, Instances]:
    if not wanted:
        return {}
    found = segmenter.segment([pictures[k] for k in wanted], min_confidence)
    return {k: distinct(each) for k, each in zip(wanted, found, strict=True)}


def _outline(
    sample: _Sample,
    picture: np.ndarray,
    found: Instances,
    near: Sequence[Mapping[str, Any]] | None,
    selfie: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Write a sample's rows and shares; returns the subject's mask, bool (height, width)."""
    tracks = [
        _track(box, COCO_LABELS[class_id], near or ())
        for box, class_id in zip(found.boxes, found.class_ids, strict=True)
    ]
    believed = [
        k
        for k, (track_id, _) in enumerate(tracks)
        if near is None or track_id is not None or found.confidence[k] >= _BELIEVED_ALONE
    ]
    masks = found.masks[believed]
    classes = found.class_ids[believed]
    subject = subject_of(classes, masks.mean(axis=(1, 2)))
    people = [k for k in subject if classes[k] == PERSON][:_MOST_REFINED]
    for k in people:
        masks[k] = refined(masks[k], picture, selfie)
    rows = []
    for k, mask in enumerate(masks):
        track_id, label = tracks[believed[k]]
        rows.append(
            {
                "time_s": sample.time_s,
                "kind": "object",
                "label": label,
                "confidence": float(found.confidence[believed[k]]),
                "track_id": track_id,
                "in_subject": k in subject,
                "refined": k in people,
                **_mask_columns(mask),
            }
        )
    whole = masks[subject].any(axis=0)
    if len(subject):
        main = rows[subject[0]]
        together = {
            **main,
            "kind": "subject",
            "refined": bool(people),
            **_mask_columns(whole),
        }
        rows.insert(0, together)
        sample.subject_share, sample.subject_label = float(whole.mean()), main["label"]
    sample.rows = rows
    objects = [row for row in rows if row["kind"] == "object"]
    sample.classes = _class_shares(objects, masks)
    outside = [k for k, row in enumerate(objects) if not row["in_subject"]]
    sample.background_classes = _class_shares(
        [objects[k] for k in outside], masks[outside] & ~whole
    )
    # Evidence for the setting, from what stands around as much as from the subject.
    sample.evidence = object_evidence(
        [row["label"] for row in objects], [row["confidence"] for row in objects]
    )
    return whole


def _track(
    box: np.ndarray, label: str, near: Sequence[Mapping[str, Any]]
) -> tuple[int | None, str]:
    """The track that an outlined object belongs to, and the label that this has."""
    overlaps = [iou(box, each["box"]) for each in near]
    if not overlaps or max(overlaps) < _SAME_OBJECT_IOU:
        return None, label
    best = near[int(np.argmax(overlaps))]
    return best["track_id"], best["label"]


def _mask_columns(mask: np.ndarray) -> dict[str, Any]:
    height, width = mask.shape
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return {
        "x1": xs[0] / width if len(xs) else 0.0,
        "y1": ys[0] / height if len(ys) else 0.0,
        "x2": (xs[-1] + 1) / width if len(xs) else 0.0,
        "y2": (ys[-1] + 1) / height if len(ys) else 0.0,
        "share": float(mask.mean()),
        "mask_height_px": height,
        "mask_width_px": width,
        # As an array: a list of numbers is ten times as large, and there are many masks.
        "mask_counts": np.array(run_lengths(mask), np.int32),
    }


def _class_shares(rows: Sequence[Mapping[str, Any]], masks: np.ndarray) -> dict[str, float]:
    """Part of the frame that each label's masks cover together."""
    labels = [row["label"] for row in rows]
    found = {}
    for label in dict.fromkeys(labels):
        same = [k for k, each in enumerate(labels) if each == label]
        found[label] = float(masks[same].any(axis=0).mean())
    return found


def _name_parts(
    sample: _Sample, classes: np.ndarray, labels: Sequence[str], subject: np.ndarray
) -> None:
    """What a scene parser says of the background."""
    sample.background_classes = background_shares(classes, labels, subject)
    sample.evidence |= parsed_evidence(sample.background_classes)


def _weigh_colours(sample: _Sample, picture: np.ndarray, subject: np.ndarray) -> None:
    """Plants and sky, which need no network."""
    plants, sky = nature_shares(picture, subject)
    sample.evidence |= nature_evidence(plants, sky)
    part = 1 - float(subject.mean())
    for label, share in (("vegetation", plants), ("sky", sky)):
        if share:
            sample.background_classes[label] = share * part


def _spread_exchanges(samples: Sequence[_Sample]) -> None:
    """Mark what comes before and after an exchange, as long as there is a subject in the shot."""
    for i in [k for k, sample in enumerate(samples) if sample.exchanged]:
        for direction in (range(i, len(samples)), range(i - 1, -1, -1)):
            for k in direction:
                if samples[k].shot != samples[direction[0]].shot or samples[k].backdrop is None:
                    break
                samples[k].exchanged = True


def _background(samples: Sequence[_Sample]) -> tuple[str | None, dict[str, float | None]]:
    """What was done to the background of a second's frames, and its measures."""
    seen = [s.backdrop for s in samples if s.backdrop is not None]
    changes = [s.change for s in samples if s.change is not None]
    measures = {
        "background_sharpness": known_median([b.sharpness for b in seen]),
        "subject_sharpness": known_median([b.subject_sharpness for b in seen]),
        "background_change": known_median([c.background for c in changes]),
    }
    if not seen:
        return None, measures
    behind, inside = measures["background_sharpness"], measures["subject_sharpness"]
    flat = known_median([b.flat_share for b in seen])
    moved = known_median([c.subject for c in changes])
    if any(s.exchanged for s in samples) or (flat is not None and flat >= _FLAT_SHARE):
        return "replaced", measures
    if behind is None:
        return "uncertain", measures
    if behind <= _BLURRED:
        sharp = inside is not None and inside >= max(_SUBJECT_SHARP, _SHARPER * behind)
        return ("blurred" if sharp else "uncertain"), measures
    if behind < _SHARP:
        return "uncertain", measures
    change = measures["background_change"]
    if change is not None and moved is not None:
        still = change <= _STILL_LEVELS and moved >= _MOVING_LEVELS
        return ("still" if still else "as_shot"), measures
    return "as_shot", measures


def _mean_shares(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean by name; where a name is missing it counts as 0."""
    labels = dict.fromkeys(label for part in parts for label in part)
    return {label: float(np.mean([part.get(label, 0.0) for part in parts])) for label in labels}


def _listed(shares: Mapping[str, float], of: str) -> list[dict[str, Any]]:
    largest = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return [{of: name, "share": share} for name, share in largest if share > 0]


def _evidence(samples: Sequence[_Sample], centre_s: float) -> dict[str, float]:
    """Mean weights over the frames near a time, within the shot that is on screen then."""
    here = min(samples, key=lambda s: abs(s.time_s - centre_s))
    near = [
        s
        for s in samples
        if s.shot == here.shot and (s is here or abs(s.time_s - centre_s) <= _SETTING_REACH_S)
    ]
    weights = _mean_shares([s.evidence for s in near])
    asked = [s.resemblance for s in near if s.resemblance is not None]
    return {name: w for name, w in {**weights, **_mean_shares(asked)}.items() if abs(w) >= 0.01}


def _segments(samples: Sequence[_Sample], video: Video, overlap_s: float) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {c.name: [] for c in BackgroundSegmentation.segment_columns}
    times_s = np.array([s.time_s for s in samples])
    for segment, part in enumerate(video.grid.pictures_in(times_s, overlap_s)):
        progress.checkpoint()
        here = samples[part]
        share = float(np.mean([s.subject_share for s in here]))
        centre_s = sum(video.grid.bounds_s(segment)) / 2
        first, last = np.searchsorted(times_s, (centre_s - 3, centre_s + 3))
        evidence = _evidence(samples[min(first, part.start) : max(last, part.stop)], centre_s)
        setting, sure = setting_of(evidence)
        background, measures = _background(here)
        row = {
            "subject_share": share,
            "background_share": 1 - share,
            "subject_label": _commonest([s.subject_label for s in here]),
            "class_shares": _listed(_mean_shares([s.classes for s in here]), "label"),
            "background_classes": _listed(
                _mean_shares([s.background_classes for s in here]), "label"
            ),
            "setting": setting,
            "setting_confidence": sure,
            "setting_evidence": [
                {"evidence": name, "weight": weight}
                for name, weight in sorted(evidence.items(), key=lambda e: (-abs(e[1]), e[0]))
            ],
            "background": background,
            **measures,
        }
        for name, values in columns.items():
            values.append(row[name])
    return columns


def _commonest(values: Sequence[str | None]) -> str | None:
    """The value that is there most often; the first of those that tie."""
    known = [v for v in values if v is not None]
    return max(dict.fromkeys(known), key=known.count, default=None)


def _summary(samples: Sequence[_Sample], segments: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    seconds = len(segments["setting"])
    told = [s for s in segments["setting"] if s != "uncertain"]
    backgrounds = [b for b in segments["background"] if b is not None]
    ranked = sorted(
        dict.fromkeys(backgrounds),
        key=lambda b: (-backgrounds.count(b), ("replaced", "blurred", "still", "as_shot",
                                               "uncertain").index(b)),
    )  # fmt: skip
    return {
        "subject_frame_share": float(np.mean([s.subject_share > 0 for s in samples])),
        "subject_share": float(np.mean([s.subject_share for s in samples])),
        "subject_label": _commonest([s.subject_label for s in samples]),
        "class_shares": _listed(_mean_shares([s.classes for s in samples]), "label"),
        "background_classes": _listed(
            _mean_shares([s.background_classes for s in samples]), "label"
        ),
        "setting": (_commonest(told) or "uncertain") if 3 * len(told) >= seconds else "uncertain",
        "settings": shares(segments["setting"], "setting"),
        "background": ranked[0] if ranked else None,
        "backgrounds": shares(backgrounds, "background"),
    }


_MOST_TILES = 8
_TILE_AREA_PX = 90_000
_COLUMNS = 4
_DIMMED = 0.35


def _contact_sheet(video: Video, result: AnalysisResult) -> bytes:
    """Frames evenly over the video, of each stretch the one that shows most of its subject."""
    rows_of: dict[int, list[dict[str, Any]]] = {}
    for row in result.observations.to_pylist():
        rows_of.setdefault(row["frame"], []).append(row)
    numbers = video.analysis.frame_numbers
    stretches = np.array_split(np.arange(len(numbers)), min(_MOST_TILES, len(numbers)))
    chosen = [
        max(part, key=lambda i: max((r["share"] for r in rows_of.get(int(numbers[i]), [])
                                     if r["kind"] == "subject"), default=-1.0))
        for part in stretches
    ]  # fmt: skip
    seconds = result.segments.to_pylist()
    return contact_sheet(
        [
            _tile(
                video.analysis[int(i)],
                rows_of.get(int(numbers[i]), []),
                float(video.analysis.times_s[i]),
                seconds[video.grid.segment_of(float(video.analysis.times_s[i]))],
            )
            for i in chosen
        ],
        _COLUMNS,
    )


def _tile(
    frame: np.ndarray, rows: Sequence[Mapping[str, Any]], time_s: float, second: Mapping[str, Any]
) -> np.ndarray:
    """The subject as it is, the rest dimmed; other objects outlined and named."""
    scale = (_TILE_AREA_PX / (frame.shape[0] * frame.shape[1])) ** 0.5
    tile = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = tile.shape[:2]
    picture = tile.copy()
    names = []
    for row in rows:
        mask = mask_of(row["mask_counts"], row["mask_height_px"], row["mask_width_px"])
        small = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
        colour = track_colour(COCO_LABELS.index(row["label"]))
        edges, _ = cv2.findContours(small, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if row["kind"] == "subject":
            picture = (tile * _DIMMED).astype(np.uint8)
            picture[small > 0] = tile[small > 0]
        else:
            cv2.drawContours(picture, edges, -1, colour, 1, cv2.LINE_AA)
            left, bottom = int(row["x1"] * width), max(int(row["y1"] * height), 17)
            names.append((f"{row['label']} {row['share']:.0%}", left, bottom, colour))
    for name in names:
        tag(picture, *name)
    words = [f"{time_s:.1f} s", second["setting"]]
    if second["background"] is not None:
        words.append(f"background {second['background']}")
    tag(picture, ", ".join(words), 0, height, (255, 255, 255))
    return picture
