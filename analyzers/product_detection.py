"""What a viewer could buy: things, how long they are shown, in hand or not, and what is on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal

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
    box_columns,
    confidence,
    records,
)
from analyzers.methods.contact_sheet import contact_sheet, tag, track_colour
from analyzers.methods.evidence import observation_id
from analyzers.methods.people.face_rows import FacePictures
from analyzers.methods.picture import prompts
from analyzers.methods.picture.brand_text import brand_of, lines_on, names_elsewhere
from analyzers.methods.picture.goods import FURTHER_KINDS, GOODS, agreement, noisy_or
from analyzers.methods.picture.holding import hands_by_time, in_hand
from analyzers.models.clip import Clip
from analyzers.models.detector import COCO_LABELS
from analyzers.video import Video

#: Pictures of an object that are shown to the classifier, one from each third of its time.
_CROPS = 3
#: Side of a crop by the longer side of the box: the classes of ImageNet were learnt with a margin.
_CROP_SCALE = 1.2
#: Crops narrower than this are cut from the full-size picture where there is one.
_SMALL_PX = 140
#: An object in fewer frames than this is not looked at further.
_FEWEST_SIGHTINGS = 3
#: Most that one picture stands for, in seconds: pictures of odd files lie further apart.
_LONGEST_STEP_S = 1.0

_LABELS = tuple(sorted({*GOODS, *(label for kind in FURTHER_KINDS.values() for label in kind)}))
_PRODUCTS = records(
    label=pa.string(), track_count=pa.int32(), on_screen_s=pa.float64(), held_s=pa.float64()
)


@dataclass(frozen=True)
class _Thing:
    """One track of object_detection that may be a product."""

    track_id: int
    label: str
    #: object_detection's rows, in the order of time, and their places in its observations.
    rows: list[dict[str, Any]]
    places: list[int]

    @property
    def detector_confidence(self) -> float:
        """The median over the sightings."""
        return float(np.median([row["confidence"] for row in self.rows]))

    def best(self, least: int = 0, most: int | None = None) -> int:
        """The place among `rows[least:most]` of the surest sighting, a larger one at a tie."""
        rows = self.rows[least:most]
        return least + max(
            range(len(rows)), key=lambda i: (rows[i]["confidence"], rows[i]["screen_share"])
        )


class ProductDetection(Analyzer):
    """Names the goods on screen: what, where, for how long, in hand or not, and the text on them.

    Goods are objects of those of COCO's classes that are carried, held, worn, eaten or put on a
    table. Vehicles and furniture are left out unless `further_kinds` asks for them: in a street or
    a room they are traffic and furnishings. A row is one object in one shot (object_detection's
    track); `on_screen_s` counts the frames in which it was seen.

    Two networks have to bear out a product: the detector's median confidence over the track, and
    the probability that an ImageNet classifier gives, over up to three crops, to the classes that
    go with the detector's. `confidence` joins both as independent opinions, 1 - (1 - a)(1 - b), and
    under `min_confidence` nothing is claimed: a floor that was chosen on the demo clips, so that
    nothing false is claimed there. What COCO has no class for (a kettle, shoes, a
    lipstick) is not found: naming crops by the classifier alone was tried and was wrong more often
    than right.

    `held`: a wrist of body_pose is within a hand's length of the box, and the box stays beside it,
    in three frames on end; null where people are near and no wrist was seen. What a hand lies on,
    and what stands beside a hand that is still, counts as held.
    `text` is what text_overlay read on the thing; `brand` is claimed only where an account, a
    mention or a spoken name says the same as well.

    Accuracy: on the 13 demo clips and the sample all ten claims are right (seven bottles, two cups,
    a football), and nothing is claimed on the ten without goods; missed are a kettle and a clock.
    The floor was chosen on these same clips, so on others precision may be lower.
    In hand or not is right where it is claimed (one cup of two, never the juggled ball). Brands:
    not measured, for want of clips that show one.
    """

    name: ClassVar[str] = "product_detection"
    version: ClassVar[str] = "2"
    family: ClassVar[Family] = Family.PICTURE
    stage: ClassVar[Stage] = Stage.MEDIUM_GPU
    kinds: ClassVar[tuple[str, ...]] = ("efficientnet", "openvino")
    models_used: ClassVar[tuple[str, ...]] = ("classifier",)
    optional_models: ClassVar[tuple[str, ...]] = ("clip",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis", "detail")
    requires: ClassVar[tuple[str, ...]] = ("object_detection",)
    optional: ClassVar[tuple[str, ...]] = ("body_pose", "text_overlay", "speech_transcription")

    class Settings(AnalyzerSettings):
        """How sure a product has to be, and what else counts as one."""

        min_confidence: float = Field(
            0.7, ge=0, le=1, description="Least confidence with which a product is claimed"
        )
        further_kinds: tuple[Literal["vehicles", "furniture"], ...] = Field(
            (), description="Kinds of goods that count beside what is carried, worn or eaten"
        )

    observation_columns: ClassVar[tuple[Column, ...]] = (
        TIME_S,
        END_S,
        Column("track_id", pa.int32(), "The object, as in object_detection", minimum=0),
        Column("label", pa.string(), "Class of the product", values=_LABELS),
        Column(
            "finer_label",
            pa.string(),
            "Class of ImageNet, where one that goes with the label has half of the probability",
            nullable=True,
        ),
        confidence("Of detector and classifier together"),
        confidence("The detector's median", "detector_confidence"),
        confidence(
            "What the classifier gives to the classes that go with it; with the role clip, joined "
            "with what CLIP gives to its label",
            "agreement",
        ),
        Column("on_screen_s", pa.float64(), "Time in which it was seen", minimum=0),
        Column("frame", pa.int64(), "Frame in which it is seen surest: the box's", minimum=0),
        Column("box_time_s", pa.float64(), "Time of that frame", minimum=0),
        *box_columns("the product in that frame"),
        Column("screen_share", pa.float32(), "Mean part of the frame its box covers", False, 0, 1),
        Column("held", pa.bool_(), "Whether it is in a hand at any time", nullable=True),
        Column("held_s", pa.float64(), "Time in which it is", minimum=0),
        Column("text", pa.string(), "Lines of text on it, joined by |", nullable=True),
        Column("brand", pa.string(), "Word on it that a name elsewhere bears out", nullable=True),
        Column(
            "evidence",
            pa.list_(pa.string()),
            "Rows this rests on (see `methods.evidence`): its surest sighting, the text on it, and "
            "what names the brand",
        ),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("product_count", pa.int32(), "Products seen in this second", minimum=0),
        Column("products", pa.list_(pa.string()), "Their labels, each once, by the alphabet"),
        Column(
            "main_product",
            pa.string(),
            "Label of the one that covers most",
            nullable=True,
            values=_LABELS,
        ),
        Column("main_track_id", pa.int32(), "That object", nullable=True, minimum=0),
        Column(
            "held_products", pa.list_(pa.string()), "Labels of those in a hand, by the alphabet"
        ),
        Column("brands", pa.list_(pa.string()), "Brands on them, by the alphabet"),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("product_count", pa.int32(), "Products, each shot's counted anew", minimum=0),
        Column(
            "products",
            _PRODUCTS,
            "Each label, longest on screen first: how many, and object-seconds on screen, in hand",
        ),
        Column("brands", pa.list_(pa.string()), "Brands, by the alphabet"),
        Column(
            "doubted_count",
            pa.int32(),
            "Objects of such classes that were not sure enough to be claimed",
            minimum=0,
        ),
        Column("hands_known", pa.bool_(), "Whether body_pose saw any wrists"),
        Column("texts_known", pa.bool_(), "Whether text_overlay had a result"),
    )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Look at up to three crops of every object of a class that is sold."""
        settings = self.settings
        kinds = {**GOODS, **{k: v for name in settings.further_kinds
                             for k, v in FURTHER_KINDS[name].items()}}  # fmt: skip
        seen = upstream["object_detection"].observations.to_pylist()
        things = _things(seen, kinds)
        aspect = video.info.width_px / video.info.height_px
        hands = hands_by_time(upstream.get("body_pose"), aspect)
        people = _people(seen)
        texts = upstream.get("text_overlay")
        named = names_elsewhere(video.info.metadata, texts, upstream.get("speech_transcription"))
        steps_s = _steps_s(video)

        rows: list[dict[str, Any]] = []
        sightings: list[dict[str, Any]] = []
        doubted = 0
        pictures = FacePictures(video)
        asked = self.models.lend("clip") if self.models.has("clip") else nullcontext()
        with self.models.lend("classifier") as classifier, asked as clip:
            common = _words_of(classifier.labels)
            for number, thing in enumerate(things):
                progress.checkpoint(number, len(things))
                crops = _crops(thing, pictures)
                agreed, finer = agreement(
                    classifier.classify(crops).probabilities, classifier.labels, kinds[thing.label]
                )
                if clip is not None:
                    agreed = noisy_or(agreed, _described(clip, crops, thing.label, kinds))
                sure = noisy_or(thing.detector_confidence, agreed)
                if sure < settings.min_confidence:
                    doubted += 1
                    continue
                told = in_hand(
                    [r["time_s"] for r in thing.rows],
                    [_box(r) for r in thing.rows],
                    hands,
                    people,
                    aspect,
                )
                lines = lines_on(thing.rows, texts)
                brand, named_by = brand_of(lines, named, common)
                rows.append(
                    {
                        **_times(thing, told, steps_s, video.info.end_s),
                        **_surest(thing),
                        "confidence": sure,
                        "agreement": agreed,
                        "finer_label": finer,
                        "held": _held(told),
                        "text": " | ".join(text for _, text in lines) or None,
                        "brand": brand,
                        "evidence": list(
                            dict.fromkeys(
                                [
                                    observation_id("object_detection", thing.places[thing.best()]),
                                    *(observation_id("text_overlay", n) for n, _ in lines),
                                    *named_by,
                                ]
                            )
                        ),
                    }
                )
                sightings += [
                    {**r, "label": thing.label, "held": bool(here), "brand": brand}
                    for r, here in zip(thing.rows, told, strict=True)
                ]
        if not rows:
            reason = "no product is on screen"
            if doubted == 1:
                reason += ": 1 object of such a class was not sure enough"
            elif doubted:
                reason += f": {doubted} objects of such classes were not sure enough"
            return self.not_applicable(video, reason, _NOTHING)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, _segments(sightings, video, self.overlap_s)),
            summary={
                "product_count": len(rows),
                "products": _totals(rows),
                "brands": sorted({r["brand"] for r in rows if r["brand"]}),
                "doubted_count": doubted,
                "hands_known": bool(hands),
                "texts_known": texts is not None and texts.status == "ok",
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Each product's surest picture with its box."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        return Preview(image=_sheet(video, result.observations.to_pylist()))


_NOTHING: dict[str, Any] = {
    "product_count": 0,
    "products": [],
    "held_products": [],
    "brands": [],
}


def _things(seen: Sequence[dict[str, Any]], kinds: Mapping[str, tuple[str, ...]]) -> list[_Thing]:
    tracks: dict[int, _Thing] = {}
    for place, row in enumerate(seen):
        if row["label"] in kinds:
            thing = tracks.setdefault(
                row["track_id"], _Thing(row["track_id"], row["label"], [], [])
            )
            thing.rows.append(row)
            thing.places.append(place)
    return [t for t in tracks.values() if len(t.rows) >= _FEWEST_SIGHTINGS]


def _described(clip: Clip, crops: Sequence[np.ndarray], label: str, kinds: Iterable[str]) -> float:
    """How far CLIP takes the crops for that kind of goods rather than for another or none."""
    asked = prompts.goods(kinds)
    likely = clip.probabilities(clip.embed(crops), asked)
    return float(likely[:, list(asked).index(label)].mean())


def _people(seen: Sequence[Mapping[str, Any]]) -> dict[float, list[tuple[float, ...]]]:
    boxes: dict[float, list[tuple[float, ...]]] = {}
    for row in seen:
        if row["label"] == "person":
            boxes.setdefault(row["time_s"], []).append(_box(row))
    return boxes


def _box(row: Mapping[str, Any]) -> tuple[float, ...]:
    return row["x1"], row["y1"], row["x2"], row["y2"]


def _steps_s(video: Video) -> dict[int, float]:
    """How long each frame of the analysis rung stands, by its number."""
    ends = np.append(video.analysis.times_s[1:], video.info.end_s)
    steps = np.clip(ends - video.analysis.times_s, 0, _LONGEST_STEP_S)
    numbers = (int(n) for n in video.analysis.frame_numbers)
    return dict(zip(numbers, map(float, steps), strict=True))


def _words_of(labels: Sequence[str]) -> frozenset[str]:
    """Words that name kinds of things, in lower case."""
    return frozenset(w for label in (*labels, *COCO_LABELS) for w in label.lower().split())


def _crops(thing: _Thing, pictures: FacePictures) -> list[np.ndarray]:
    """Square cuts around the object where it is seen surest in each third of its time."""
    bounds = np.linspace(0, len(thing.rows), _CROPS + 1).round().astype(int)
    crops = []
    for least, most in pairwise(bounds):
        row = thing.rows[thing.best(int(least), int(most))]
        crop = _cut(pictures.get(row["frame"], "analysis"), row)
        if min(crop.shape[:2]) < _SMALL_PX and pictures.has_detail(row["frame"]):
            crop = _cut(pictures.get(row["frame"], "detail"), row)
        crops.append(crop)
    return crops


def _cut(picture: np.ndarray, row: Mapping[str, Any]) -> np.ndarray:
    height, width = picture.shape[:2]
    x1, x2, y1, y2 = row["x1"] * width, row["x2"] * width, row["y1"] * height, row["y2"] * height
    half = max(x2 - x1, y2 - y1, 2.0) * _CROP_SCALE / 2
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    left, top = max(0, int(x - half)), max(0, int(y - half))
    return picture[top : max(top + 1, int(y + half)), left : max(left + 1, int(x + half))]


def _times(
    thing: _Thing, told: Sequence[bool | None], steps_s: Mapping[int, float], video_end_s: float
) -> dict[str, float]:
    """From when to when, and for how long it is on screen and in a hand."""
    steps = [steps_s[row["frame"]] for row in thing.rows]
    return {
        "time_s": thing.rows[0]["time_s"],
        "end_s": min(thing.rows[-1]["time_s"] + steps[-1], video_end_s),
        "on_screen_s": sum(steps),
        "held_s": sum(step for step, here in zip(steps, told, strict=True) if here),
    }


def _surest(thing: _Thing) -> dict[str, Any]:
    """What it is, and where it is in the frame in which that is seen surest."""
    row = thing.rows[thing.best()]
    return {
        "track_id": thing.track_id,
        "label": thing.label,
        "detector_confidence": thing.detector_confidence,
        "frame": row["frame"],
        "box_time_s": row["time_s"],
        **{corner: row[corner] for corner in ("x1", "y1", "x2", "y2")},
        "screen_share": float(np.mean([r["screen_share"] for r in thing.rows])),
    }


def _held(told: Sequence[bool | None]) -> bool | None:
    """True if it ever is in a hand, None if that cannot be told in three frames on end."""
    if any(told):
        return True
    unknown = [all(t is None for t in told[i : i + 3]) for i in range(len(told) - 2)]
    return None if any(unknown) else False


def _segments(
    sightings: Sequence[Mapping[str, Any]], video: Video, overlap_s: float
) -> dict[str, list[Any]]:
    ordered = sorted(sightings, key=lambda row: row["time_s"])
    times_s = np.array([row["time_s"] for row in ordered])
    columns: dict[str, list[Any]] = {c.name: [] for c in ProductDetection.segment_columns}
    for part in video.grid.samples_in(times_s, overlap_s):
        here = ordered[part]
        area: dict[int, float] = {}
        for row in here:
            area[row["track_id"]] = area.get(row["track_id"], 0.0) + row["screen_share"]
        main = max(area, key=lambda track_id: area[track_id], default=None)
        columns["product_count"].append(len(area))
        columns["products"].append(sorted({row["label"] for row in here}))
        columns["main_product"].append(
            next((row["label"] for row in here if row["track_id"] == main), None)
        )
        columns["main_track_id"].append(main)
        columns["held_products"].append(sorted({row["label"] for row in here if row["held"]}))
        columns["brands"].append(sorted({row["brand"] for row in here if row["brand"]}))
    return columns


def _totals(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    totals = []
    for label in sorted({row["label"] for row in rows}):
        own = [row for row in rows if row["label"] == label]
        totals.append(
            {
                "label": label,
                "track_count": len(own),
                "on_screen_s": sum(row["on_screen_s"] for row in own),
                "held_s": sum(row["held_s"] for row in own),
            }
        )
    return sorted(totals, key=lambda total: (-total["on_screen_s"], total["label"]))


_MOST_TILES = 8
_COLUMNS = 4
_TILE_AREA_PX = 90_000
_WHITE = (255, 255, 255)


def _sheet(video: Video, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The products that are longest on screen, one tile each, in the order of time."""
    chosen = sorted(rows, key=lambda row: -row["on_screen_s"])[:_MOST_TILES]
    pictures = FacePictures(video)
    tiles = [
        _tile(pictures.get(row["frame"], "analysis"), row)
        for row in sorted(chosen, key=lambda row: (row["time_s"], row["track_id"]))
    ]
    return contact_sheet(tiles, _COLUMNS)


def _tile(frame: np.ndarray, row: Mapping[str, Any]) -> np.ndarray:
    scale = (_TILE_AREA_PX / (frame.shape[0] * frame.shape[1])) ** 0.5
    tile = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = tile.shape[:2]
    colour = track_colour(row["track_id"])
    x1, y1 = int(row["x1"] * width), int(row["y1"] * height)
    x2, y2 = int(row["x2"] * width), int(row["y2"] * height)
    cv2.rectangle(tile, (x1, y1), (x2 - 1, y2 - 1), colour, 2)
    hand = {True: ", in hand", False: "", None: ", hand unknown"}[row["held"]]
    tag(tile, f"{row['label']} {row['confidence']:.2f}{hand}", x1, max(y1, 17), colour)
    said = [f"{row['on_screen_s']:.1f} s on screen", row["finer_label"], row["brand"]]
    tag(tile, ", ".join(filter(None, said)), 0, height, _WHITE)
    return tile
