"""Follows detected objects through the shots of a video.

Association is ByteTrack (Zhang et al. 2022, arXiv:2110.06864) in the implementation of the
`trackers` package. Three things are done around it, because the frames come at 5 a second and not
at 30:

- Overlap is measured as DIoU (Zheng et al. 2020, arXiv:1911.08287), which still tells near from far
  where a fast object's boxes in two frames no longer touch.
- Classes that a detector takes for one another are followed together, and each track gets the label
  that most of its confidence went to: a ball that is a frisbee in every third frame stays one ball.
- A track that begins near where another of its kind was last seen a moment ago is its continuation:
  a dog that runs out of the picture comes back as the same dog.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from analyzers.models.detector import COCO_LABELS, Detections

#: Classes that are followed together: COCO's supercategories (https://cocodataset.org, annotations
#: of 2017), whose members are mixed up with each other far more often than with the rest. Only its
#: vehicles are split, since nobody takes a bicycle for the bus beside it.
KINSHIPS: dict[str, tuple[str, ...]] = {
    "person": ("person",),
    "cycle": ("bicycle", "motorcycle"),
    "road or rail vehicle": ("car", "bus", "train", "truck"),
    "airplane": ("airplane",),
    "boat": ("boat",),
    "outdoor": COCO_LABELS[9:14],
    "animal": COCO_LABELS[14:24],
    "accessory": COCO_LABELS[24:29],
    "sports": COCO_LABELS[29:39],
    "kitchen": COCO_LABELS[39:46],
    "food": COCO_LABELS[46:56],
    "furniture": COCO_LABELS[56:62],
    "electronic": COCO_LABELS[62:68],
    "appliance": COCO_LABELS[68:73],
    "indoor": COCO_LABELS[73:80],
}
_KINSHIP_OF = np.array(
    [next(k for k, labels in KINSHIPS.items() if label in labels) for label in COCO_LABELS]
)

#: Confidence from which a detection can begin a track; ByteTrack takes weaker ones (down to
#: `FAINTEST`) only to carry on a track that is there. The values Ultralytics ships with YOLO26.
BEGIN_CONFIDENCE = 0.25
FAINTEST = 0.1
#: Two boxes of one kinship that overlap more (IoU) are one object, seen twice. On the demo
#: clips such pairs start at 0.65 (a dog with and without its leash).
_SAME_OBJECT_IOU = 0.6
#: Least DIoU between a track and its next box. Boxes side by side have -0.2: what moves by its own
#: width in a fifth of a second is followed (the running dog needs 0). What is thrown or kicked
#: moves further: -0.5 is a jump of 2.7 widths, which the juggled ball makes.
_MIN_DIOU = -0.2
_MIN_DIOU_OF_THROWN = -0.5
#: How long a track is remembered without a detection, and how long after its end it may be
#: continued near where it was last seen.
_MEMORY_S = 2.0
_COMEBACK_S = 3.0
#: What is small and fast, such as a face, may leap between two sightings: then a track that begins
#: so soon and so near is a continuation, if its size stayed alike.
_LEAP_S = 0.5
_LEAP_DIOU = -0.5
_LEAP_SIZE_RATIO = 2.0
#: A track is believed if it was seen so often and on the average so surely that it might begin
#: anew, or at least once this clearly. What flickers up weakly is almost never there: on the demo
#: clips refrigerators, apples, toothbrushes, a TV in an office of 1940.
_MIN_SIGHTINGS = 2
_CLEAR_CONFIDENCE = 0.5


@dataclass
class Track:
    """One object through one shot: where it was seen, in the order of time."""

    kinship: str
    #: Places of the frames in the sequence that was tracked.
    frames: list[int] = field(default_factory=list)
    #: Relative corners x1, y1, x2, y2 for each of `frames`.
    boxes: list[np.ndarray] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    #: The label the detector gave in each of `frames`.
    detected_labels: list[str] = field(default_factory=list)

    def add(self, frame: int, box: np.ndarray, confidence: float, label: str) -> None:
        """Note a sighting."""
        self.frames.append(frame)
        self.boxes.append(box)
        self.confidence.append(confidence)
        self.detected_labels.append(label)

    def continue_with(self, later: Track) -> None:
        """Take over the sightings of a track that turned out to be the same object."""
        self.frames += later.frames
        self.boxes += later.boxes
        self.confidence += later.confidence
        self.detected_labels += later.detected_labels

    @property
    def label(self) -> str:
        """The label with the most confidence over the whole track."""
        votes: dict[str, float] = defaultdict(float)
        for label, confidence in zip(self.detected_labels, self.confidence, strict=True):
            votes[label] += confidence
        return max(votes, key=lambda label: votes[label])

    @property
    def credible(self) -> bool:
        """Whether it was seen often or clearly enough to be believed."""
        often = len(self.frames) >= _MIN_SIGHTINGS
        return max(self.confidence) >= _CLEAR_CONFIDENCE or (
            often and float(np.mean(self.confidence)) >= BEGIN_CONFIDENCE
        )


def track_objects(
    detections: Sequence[Detections],
    times_s: np.ndarray,
    cuts_s: Sequence[float],
    aspect: float,
    leaps: bool = False,
) -> list[Track]:
    """Join the detections of consecutive frames into tracks, none of them across a cut.

    `times_s`: the frames' times, rising. `cuts_s`: times of the first frames of new shots.
    `aspect`: width of the frame by its height. `leaps`: whether they may move by up to 2.7 of their
    own widths from one sighting to the next. Tracks come in the order in which they begin.
    """
    bounds = [0, *np.searchsorted(times_s, np.sort(cuts_s) - 1e-6), len(detections)]
    tracks: list[Track] = []
    for first, end in pairwise(bounds):
        for kinship in KINSHIPS:
            found = _track_shot(kinship, range(first, end), detections, times_s, aspect)
            whole = _rejoin(found, times_s, aspect, leaps)
            tracks += [track for track in whole if track.credible]
    return sorted(tracks, key=lambda track: (track.frames[0], -track.confidence[0]))


def _track_shot(
    kinship: str,
    frames: range,
    detections: Sequence[Detections],
    times_s: np.ndarray,
    aspect: float,
) -> list[Track]:
    """ByteTrack over one shot for the classes of one kinship."""
    members = [_members(detections[i], kinship) for i in frames]
    if not any(len(of_frame.confidence) for of_frame in members):
        return []
    import supervision
    from trackers import ByteTrackTracker
    from trackers.utils.iou import DIoU

    tracker = ByteTrackTracker(
        lost_track_buffer=round(_MEMORY_S * 30),  # in frames at 30 a second, whatever the rate
        frame_rate=5.0,
        track_activation_threshold=BEGIN_CONFIDENCE,
        high_conf_det_threshold=BEGIN_CONFIDENCE,
        minimum_consecutive_frames=1,
        minimum_iou_threshold=_min_diou(kinship),
        iou=DIoU(),
    )
    # The tracker numbers a track at its second sighting and not before; its own object for a track
    # is there from the first on, and is what a track is known by here.
    tracks: dict[object, Track] = {}
    for i, seen in zip(frames, members, strict=True):
        result = tracker.update(
            supervision.Detections(
                xyxy=seen.boxes * _square(aspect),
                confidence=seen.confidence,
                data={"place": np.arange(len(seen))},
            ),
            timestamp=float(times_s[i]),
        )
        numbered = {t.tracker_id: t for t in tracker.tracks if t.tracker_id != -1}
        fresh = iter([t for t in tracker.tracks if t not in tracks])
        numbers = np.asarray(result.tracker_id)
        for place, number in zip(result.data.get("place", ()), numbers, strict=True):
            confidence = float(seen.confidence[place])
            if number == -1 and confidence < BEGIN_CONFIDENCE:
                continue
            own = next(fresh) if number == -1 else numbered[number]
            tracks.setdefault(own, Track(kinship)).add(
                i, seen.boxes[place], confidence, COCO_LABELS[seen.class_ids[place]]
            )
    return list(tracks.values())


def _members(found: Detections, kinship: str) -> Detections:
    """The detections of one kinship, with what was seen twice taken once."""
    kept: list[int] = []
    for i in np.flatnonzero(
        (_KINSHIP_OF[found.class_ids] == kinship) & (found.confidence >= FAINTEST)
    ):
        if all(iou(found.boxes[i], found.boxes[k]) < _SAME_OBJECT_IOU for k in kept):
            kept.append(int(i))
    return Detections(found.boxes[kept], found.confidence[kept], found.class_ids[kept])


def _rejoin(tracks: list[Track], times_s: np.ndarray, aspect: float, leaps: bool) -> list[Track]:
    """Join tracks of one shot of which the later begins near where the earlier was last seen."""
    whole: list[Track] = []
    for track in sorted(tracks, key=lambda track: track.frames[0]):
        start_s = times_s[track.frames[0]]
        candidates = [
            earlier
            for earlier in whole
            if earlier.frames[-1] < track.frames[0]
            and _continues(earlier, track, start_s - times_s[earlier.frames[-1]], aspect, leaps)
        ]
        if candidates:
            nearest = max(candidates, key=lambda t: _diou(t.boxes[-1], track.boxes[0], aspect))
            nearest.continue_with(track)
        else:
            whole.append(track)
    return whole


def _continues(earlier: Track, later: Track, gap_s: float, aspect: float, leaps: bool) -> bool:
    old, new = earlier.boxes[-1], later.boxes[0]
    near = _diou(old, new, aspect)
    if gap_s <= _COMEBACK_S and near >= _min_diou(later.kinship):
        return True
    if not leaps or gap_s > _LEAP_S or near < _LEAP_DIOU:
        return False
    sizes = sorted(float((box[2] - box[0]) * (box[3] - box[1])) for box in (old, new))
    return sizes[1] <= _LEAP_SIZE_RATIO * sizes[0]


def _min_diou(kinship: str) -> float:
    return _MIN_DIOU_OF_THROWN if kinship == "sports" else _MIN_DIOU


def _square(aspect: float) -> np.ndarray:
    """What turns relative corners into ones with the same unit across and down."""
    return np.array([aspect, 1, aspect, 1], np.float32)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two boxes (4,) by the area they cover together, 0..1."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return float(shared / union) if union > 0 else 0.0


def _diou(a: np.ndarray, b: np.ndarray, aspect: float) -> float:
    a, b = a * _square(aspect), b * _square(aspect)
    apart = np.hypot(*((a[:2] + a[2:]) / 2 - (b[:2] + b[2:]) / 2))
    enclosing = np.hypot(*(np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])))
    return iou(a, b) - float(apart / enclosing) ** 2 if enclosing > 0 else iou(a, b)
