"""What each face expresses, second by second, and how pleasant it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from analyzers.methods.contact_sheet import contact_sheet, tag, track_colour
from analyzers.methods.people.face_crops import square_crop
from analyzers.methods.people.face_rows import (
    FLAWS,
    TILE_PX,
    FacePictures,
    area_of,
    box_of,
    by_track,
    face_rows,
    face_tile,
    landmarks_of,
    usual_flaw,
)
from analyzers.models.emotion import EMOTIONS, EmotionClassifier
from analyzers.video import Video

#: How much of the face's box the network sees. FER-2013's pictures are cut at the face's edge; of
#: woman_emotions_closeup's first third, which is labelled sad, 0.94 of the frames are called sad
#: at 1.0, 0.88 at 0.9 and at 1.1, 0.45 at 1.35.
_CROP_SCALE = 1.0
#: Two classes nearer than this are too close to call; twice as far where only one frame was judged,
#: which may show no more than a blink or a glance at the ground.
_LEAST_MARGIN = 0.2
#: Pleasure of each emotion, -1..1 (Russell & Mehrabian 1977, doi:10.1016/0092-6566(77)90037-X,
#: table 2), in the order of `EMOTIONS`.
_VALENCE = np.array([-0.51, -0.60, -0.64, 0.81, -0.63, 0.40, 0.0])
_VERDICTS = (*EMOTIONS, "uncertain")
#: Why a face was not judged, or "".
_REASONS = ("", *FLAWS[1:])


def _valence(description: str, name: str = "valence") -> Column:
    return Column(name, pa.float32(), description, nullable=True, minimum=-1.0, maximum=1.0)


class FaceEmotion(Analyzer):
    """Tells the expression of each face in seven classes, by track and second.

    A row is one face in one second. The classes' probabilities are means over the sightings good
    enough to be judged; where the two highest are closer than 0.2 the verdict is `uncertain`, and
    where no sighting was good the row says why (`small`, `turned`, `blurred`) and has no emotion.
    `valence` is the pleasure that goes with the expression. A second's verdict is that of its
    largest judged face. What a face shows is not what a person feels, and the network was trained
    on photographs whose labels two people out of three agree with.
    `people.apparent_age = false` in the settings switches this analyzer off.

    Accuracy: woman_emotions_closeup goes from sad to happy as labelled; the seven classes are not
    measured, for want of labels.
    """

    name: ClassVar[str] = "face_emotion"
    version: ClassVar[str] = "1"
    notice: ClassVar[str] = "What a face shows is not what a person feels."
    family: ClassVar[Family] = Family.PEOPLE
    stage: ClassVar[Stage] = Stage.MEDIUM_GPU
    kinds: ClassVar[tuple[str, ...]] = ("fer", "litert")
    models_used: ClassVar[tuple[str, ...]] = ("emotion",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis", "detail")
    requires: ClassVar[tuple[str, ...]] = ("faces",)

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        END_S,
        Column("track_id", pa.int32(), "The face, as in `faces`", minimum=0),
        Column("sighting_count", pa.int32(), "Frames of this second with the face", minimum=1),
        Column("judged_count", pa.int32(), "Those that were good enough", minimum=0),
        Column("not_judged", pa.string(), "Why none was; empty where some were", values=_REASONS),
        Column("emotion", pa.string(), "The verdict", nullable=True, values=_VERDICTS),
        confidence("Of the likeliest class", nullable=True),
        *(
            confidence(f"Mean probability of {emotion}", emotion, nullable=True)
            for emotion in EMOTIONS
        ),
        _valence("Pleasure of the expression, -1..1"),
        confidence("Mean part of the frame that the face covers", "screen_share"),
        Column("frame", pa.int64(), "Frame of the sighting in the middle", minimum=0),
        *box_columns("the face in that frame"),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("face_count", pa.int32(), "Different faces in this second", minimum=0),
        Column("judged_face_count", pa.int32(), "Those with a verdict", minimum=0),
        Column(
            "emotion",
            pa.string(),
            "Verdict on the largest judged face",
            nullable=True,
            values=_VERDICTS,
        ),
        confidence("Of that face's likeliest class", "emotion_confidence", nullable=True),
        _valence("Pleasure of that face's expression, -1..1"),
        Column(
            "not_judged",
            pa.string(),
            "Why there is no verdict though there are faces: the largest one's flaw; else empty",
            values=_REASONS,
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("judged_second_count", pa.int32(), "Seconds with a verdict", minimum=0),
        Column("unjudged_second_count", pa.int32(), "Seconds with faces, none judged", minimum=0),
        Column(
            "dominant_emotion",
            pa.string(),
            "Most frequent of the seconds' verdicts, `uncertain` aside",
            nullable=True,
            values=EMOTIONS,
        ),
        shares_column(
            "emotions", "emotion", "Each verdict's part of the judged seconds, largest first"
        ),
        _valence("Mean over the judged seconds", "mean_valence"),
        _valence("Mean over the first third of the judged seconds", "first_valence"),
        _valence("Mean over the last third of the judged seconds", "last_valence"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Classify every good sighting, then average by track and second."""
        sightings = face_rows(upstream["faces"])
        if not sightings:
            return self.not_applicable(
                video,
                "no face in any frame",
                {"face_count": 0, "judged_face_count": 0, "not_judged": ""},
            )
        with self.models.lend("emotion") as classifier:
            scores = _classify(classifier, sightings, FacePictures(video))
        rows: list[dict[str, Any]] = []
        columns: dict[str, list[Any]] = {c.name: [] for c in self.segment_columns}
        parts = video.grid.pictures_in(video.analysis.times_s, self.overlap_s)
        for segment, part in enumerate(parts):
            frames = {int(n) for n in video.analysis.frame_numbers[part]}
            here = by_track(row for row in sightings if row["frame"] in frames)
            start_s, end_s = video.grid.bounds_s(segment)
            own = [
                {
                    "time_s": start_s,
                    "end_s": end_s,
                    **_verdict(of_track, scores, len(frames)),
                }
                for of_track in here.values()
            ]
            rows += own
            for name, value in _second(own).items():
                columns[name].append(value)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, columns),
            summary=_summary(columns),
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The largest face of up to sixteen seconds with what it was taken to express."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        return Preview(image=_sheet(video, result))


def _classify(
    classifier: EmotionClassifier, sightings: Sequence[Mapping[str, Any]], pictures: FacePictures
) -> dict[tuple[int, int], np.ndarray]:
    """Probabilities of the good sightings, by frame and track."""
    scores = {}
    for place, row in enumerate(sightings):
        progress.checkpoint(place, len(sightings))
        if row["quality"] == "good":
            crop = square_crop(
                pictures.of(row), box_of(row), landmarks_of(row), _CROP_SCALE, classifier.crop_px
            )
            scores[row["frame"], row["track_id"]] = classifier.probabilities(crop)
    return scores


def _verdict(
    sightings: Sequence[Mapping[str, Any]],
    scores: Mapping[tuple[int, int], np.ndarray],
    frame_count: int,
) -> dict[str, Any]:
    """One face in one second."""
    good = [row for row in sightings if row["quality"] == "good"]
    judged = [scores[row["frame"], row["track_id"]] for row in good]
    flaws = [row["quality"] for row in sightings if row["quality"] != "good"]
    middle = sightings[len(sightings) // 2]
    row: dict[str, Any] = {
        "track_id": middle["track_id"],
        "sighting_count": len(sightings),
        "judged_count": len(judged),
        "not_judged": "" if judged else usual_flaw(flaws),
        "screen_share": min(1.0, area_of(sightings) / frame_count),
        **{name: middle[name] for name in ("frame", "x1", "y1", "x2", "y2")},
    }
    if judged:
        mean = np.mean(judged, axis=0)
        second, first = np.sort(mean)[-2:]
        row |= {emotion: min(1.0, float(p)) for emotion, p in zip(EMOTIONS, mean, strict=True)}
        row["confidence"] = min(1.0, float(first))
        row["valence"] = float(mean @ _VALENCE)
        sure = first - second >= _LEAST_MARGIN * (2 if len(judged) == 1 else 1)
        row["emotion"] = EMOTIONS[int(mean.argmax())] if sure else "uncertain"
    return row


def _second(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a segment says of the faces in it."""
    judged = [row for row in rows if row["judged_count"]]
    main = max(judged, key=lambda row: row["screen_share"], default={})
    largest = max(rows, key=lambda row: row["screen_share"], default={"not_judged": ""})
    return {
        "face_count": len(rows),
        "judged_face_count": len(judged),
        "emotion": main.get("emotion"),
        "emotion_confidence": main.get("confidence"),
        "valence": main.get("valence"),
        "not_judged": "" if judged else largest["not_judged"],
    }


def _summary(columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    verdicts = [emotion for emotion in columns["emotion"] if emotion is not None]
    emotions = shares(verdicts, "emotion")
    valence = [v for v in columns["valence"] if v is not None]
    third = max(1, len(valence) // 3)
    return {
        "judged_second_count": len(verdicts),
        "unjudged_second_count": sum(1 for reason in columns["not_judged"] if reason),
        "dominant_emotion": next(
            (s["emotion"] for s in emotions if s["emotion"] != "uncertain"), None
        ),
        "emotions": emotions,
        "mean_valence": _mean(valence),
        "first_valence": _mean(valence[:third]),
        "last_valence": _mean(valence[-third:]),
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


_MOST_TILES = 16
_COLUMNS = 8
_WHITE = (255, 255, 255)


def _sheet(video: Video, result: AnalysisResult) -> bytes:
    """Pictures around the largest face of some seconds, those with a verdict first."""
    largest: dict[float, dict[str, Any]] = {}
    for row in result.observations.to_pylist():
        known = largest.get(row["time_s"])
        rank = (row["judged_count"] > 0, row["screen_share"])
        if known is None or rank > (known["judged_count"] > 0, known["screen_share"]):
            largest[row["time_s"]] = row
    rows = list(largest.values())
    places = np.unique(np.linspace(0, len(rows) - 1, min(_MOST_TILES, len(rows))).round())
    pictures = FacePictures(video)
    return contact_sheet([_tile(pictures, rows[int(place)]) for place in places], _COLUMNS)


def _tile(pictures: FacePictures, row: Mapping[str, Any]) -> np.ndarray:
    """The face in the middle of the second, with the verdict and the probabilities as bars."""
    tile = face_tile(pictures.get(row["frame"], "analysis"), row)
    bars = np.full((7 * 9 + 4, TILE_PX, 3), 255, np.uint8)
    for place, emotion in enumerate(EMOTIONS):
        y = 9 * place + 9
        cv2.putText(bars, emotion, (2, y), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (60, 60, 60), 1)
        length = int((row[emotion] or 0.0) * (TILE_PX - 56))
        cv2.rectangle(bars, (52, y - 6), (52 + length, y), track_colour(row["track_id"]), -1)
    said = row["emotion"] or f"not judged: {row['not_judged']}"
    tag(tile, f"{row['time_s']:.0f} s {said}", 0, TILE_PX, _WHITE)
    return np.vstack([tile, bars])
