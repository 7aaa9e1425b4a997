"""How old people look, and how female or male, by the median over each face's track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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
from analyzers.models.age_gender import OLDEST_YEARS, AgeGenderEstimator, SeenFace
from analyzers.video import Video

#: Sightings of a track that are judged, spread over it; fewer than the least are not enough.
_MOST_SIGHTINGS = 15
_LEAST_SIGHTINGS = 3
#: A face this wide shows as much as the networks look at.
_WIDE_PX = 128
#: Mean probability from which the look is called female, and up to which it is called male.
_FEMALE, _MALE = 0.75, 0.25
_LOOKS = ("female", "male", "uncertain")
#: Why a face was not judged, or "".
_REASONS = ("", *FLAWS[1:], "few")


def _years(name: str, description: str, nullable: bool = True) -> Column:
    return Column(
        name, pa.float32(), description, nullable=nullable, minimum=0.0, maximum=OLDEST_YEARS
    )


class AgeEstimation(Analyzer):
    """Guesses apparent age and gender of each face, from many frames and never from one.

    What it is: which age, and which of two genders, a network finds most typical of a face that
    looks like this one. What it is not: a person's age or gender, which no picture tells. Light,
    make-up, beards, glasses, film grain and expression move it, it is least sure of children and
    of the old, and its training data stand for some parts of the world better than for others. Use
    it for sums over many videos, not to decide anything about anybody, and not to tell minors from
    adults. `people.apparent_age = false` in the settings switches it off, and face_emotion too.

    A row is one track of `faces`; the age is the median over up to 15 good sightings spread over
    it, `age_low_years` and `age_high_years` hold four fifths of them. That spread is how much the
    guess wavers, not how wrong it may be. A track with fewer than three good sightings is not
    judged. Accuracy: one portrait of known age and three people of known gender are measured, with
    dlib's networks; nothing with InsightFace's.
    """

    name: ClassVar[str] = "age_estimation"
    version: ClassVar[str] = "2"
    notice: ClassVar[str] = (
        "Apparent age and gender are what a network finds most typical of such a face, not a "
        "person's age or gender. Not for decisions about anybody, nor to tell minors from adults."
    )
    family: ClassVar[Family] = Family.PEOPLE
    stage: ClassVar[Stage] = Stage.LIGHT_GPU
    kinds: ClassVar[tuple[str, ...]] = ("dlib-models", "onnxruntime")
    models_used: ClassVar[tuple[str, ...]] = ("age_gender",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis", "detail")
    requires: ClassVar[tuple[str, ...]] = ("faces",)

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        END_S,
        Column("track_id", pa.int32(), "The face, as in `faces`", minimum=0),
        Column("sighting_count", pa.int32(), "Frames with the face", minimum=1),
        Column("judged_count", pa.int32(), "Frames that were judged", minimum=0),
        Column(
            "not_judged",
            pa.string(),
            "Why it was not; `few`: good in fewer than three frames; else empty",
            values=_REASONS,
        ),
        _years("age_years", "Median of the apparent age"),
        _years("age_low_years", "Tenth percentile of the apparent age over the frames"),
        _years("age_high_years", "Ninetieth percentile of the apparent age over the frames"),
        Column(
            "apparent_gender",
            pa.string(),
            "What the face looks like to the network",
            nullable=True,
            values=_LOOKS,
        ),
        confidence("Mean probability of a female look", "female_probability", nullable=True),
        Column("frame", pa.int64(), "Frame with the face at its largest", minimum=0),
        *box_columns("the face in that frame"),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("face_count", pa.int32(), "Different faces in this second", minimum=0),
        Column("judged_face_count", pa.int32(), "Those that were judged", minimum=0),
        _years("age_years", "Apparent age of the largest judged face, of its whole track"),
        Column(
            "apparent_gender",
            pa.string(),
            "Apparent gender of that face, of its whole track",
            nullable=True,
            values=_LOOKS,
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("track_count", pa.int32(), "Faces, each shot's counted anew", minimum=0),
        Column("judged_track_count", pa.int32(), "Those that were judged", minimum=0),
        _years("age_years", "Median over the judged tracks, each as long as it is on screen"),
        _years("youngest_years", "Least apparent age of a judged track"),
        _years("oldest_years", "Greatest apparent age of a judged track"),
        shares_column(
            "apparent_genders",
            "apparent_gender",
            "Each one's part of the sightings of judged tracks, largest first",
        ),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Judge the best sightings of each track, and take the median."""
        sightings = face_rows(upstream["faces"])
        tracks = by_track(sightings)
        if not tracks:
            return self.not_applicable(
                video, "no face in any frame", {"face_count": 0, "judged_face_count": 0}
            )
        pictures = FacePictures(video)
        rows = []
        with self.models.lend("age_gender") as estimator:
            for place, (track_id, own) in enumerate(tracks.items()):
                progress.checkpoint(place, len(tracks))
                rows.append({"track_id": track_id, **_judged(estimator, own, pictures)})
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, _segments(rows, sightings, video, self.overlap_s)),
            summary=_summary(rows),
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Each face at its largest, with its median and spread."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        return Preview(image=_sheet(video, result.observations))


def _judged(
    estimator: AgeGenderEstimator, sightings: Sequence[Mapping[str, Any]], pictures: FacePictures
) -> dict[str, Any]:
    """One track."""
    largest = max(sightings, key=lambda row: row["y2"] - row["y1"])
    row: dict[str, Any] = {
        "time_s": sightings[0]["time_s"],
        "end_s": sightings[-1]["time_s"],
        "sighting_count": len(sightings),
        "judged_count": 0,
        "not_judged": "",
        **{name: largest[name] for name in ("frame", "x1", "y1", "x2", "y2")},
    }
    good = [sighting for sighting in sightings if sighting["quality"] == "good"]
    if len(good) < _LEAST_SIGHTINGS:
        flaws = [s["quality"] for s in sightings if s["quality"] != "good"]
        many = len(flaws) > len(sightings) / 2
        return row | {"not_judged": usual_flaw(flaws) if many else "few"}
    chosen = _best_of_each_part(good)
    looks = estimator.judge(
        [SeenFace(pictures.of(seen), box_of(seen), landmarks_of(seen)) for seen in chosen]
    )
    female = float(np.mean(looks.female))
    low, middle, high = np.percentile(looks.ages_years, [10, 50, 90])
    return row | {
        "judged_count": len(chosen),
        "age_years": float(middle),
        "age_low_years": float(low),
        "age_high_years": float(high),
        "female_probability": min(1.0, female),
        "apparent_gender": (
            "female" if female >= _FEMALE else "male" if female <= _MALE else "uncertain"
        ),
    }


def _best_of_each_part(good: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of each part of the track the face that is most to the front and largest."""
    parts = np.array_split(np.arange(len(good)), min(_MOST_SIGHTINGS, len(good)))

    def clarity(place: int) -> float:
        row = good[place]
        away_deg = abs(row["yaw_deg"]) + abs(row["roll_deg"])
        return float(min(row["width_px"], _WIDE_PX) / (1 + away_deg / 15))

    return [good[max(part.tolist(), key=clarity)] for part in parts]


def _segments(
    rows: Sequence[Mapping[str, Any]],
    sightings: Sequence[Mapping[str, Any]],
    video: Video,
    overlap_s: float,
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {c.name: [] for c in AgeEstimation.segment_columns}
    for part in video.grid.pictures_in(video.analysis.times_s, overlap_s):
        frames = {int(n) for n in video.analysis.frame_numbers[part]}
        here = by_track(row for row in sightings if row["frame"] in frames)
        area = {track_id: area_of(own) for track_id, own in here.items()}
        judged = [row for row in rows if row["track_id"] in area and row["judged_count"]]
        main = max(judged, key=lambda row: area[row["track_id"]], default={})
        columns["face_count"].append(len(area))
        columns["judged_face_count"].append(len(judged))
        columns["age_years"].append(main.get("age_years"))
        columns["apparent_gender"].append(main.get("apparent_gender"))
    return columns


def _summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    judged = [row for row in rows if row["judged_count"]]
    counts = [row["sighting_count"] for row in judged]
    ages = np.array([row["age_years"] for row in judged])
    genders = [row["apparent_gender"] for row in judged for _ in range(row["sighting_count"])]
    return {
        "track_count": len(rows),
        "judged_track_count": len(judged),
        "age_years": float(np.median(np.repeat(ages, counts))) if judged else None,
        "youngest_years": float(ages.min()) if judged else None,
        "oldest_years": float(ages.max()) if judged else None,
        "apparent_genders": shares(genders, "apparent_gender"),
    }


_MOST_TILES = 16
_COLUMNS = 8
_WHITE = (255, 255, 255)


def _sheet(video: Video, observations: pa.Table) -> bytes:
    """The longest tracks."""
    rows = sorted(observations.to_pylist(), key=lambda row: -row["sighting_count"])[:_MOST_TILES]
    pictures = FacePictures(video)
    tiles = []
    for row in sorted(rows, key=lambda row: row["track_id"]):
        tile = face_tile(pictures.get(row["frame"], "analysis"), row)
        colour = track_colour(row["track_id"])
        if row["judged_count"]:
            spread = f"{row['age_low_years']:.0f}-{row['age_high_years']:.0f}"
            tag(tile, f"looks {row['age_years']:.0f} ({spread})", 0, 14, colour)
            tag(tile, f"{row['apparent_gender']}, {row['judged_count']} frames", 0, TILE_PX, _WHITE)
        else:
            tag(tile, f"not judged: {row['not_judged']}", 0, TILE_PX, _WHITE)
        tiles.append(tile)
    return contact_sheet(tiles, _COLUMNS)
