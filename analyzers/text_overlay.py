"""Text on screen: what it says, where, from when to when, and in which role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field

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
)
from analyzers.methods.picture.scripts import SCRIPTS, language_of, script_of
from analyzers.methods.picture.text_tracks import (
    Sighting,
    Track,
    Watcher,
    absorb_parts,
    box_of,
    link,
    neighbours_s,
    overlap_of_smaller,
)
from analyzers.models.ocr import TextReader, line_crop
from analyzers.progress import checkpoint
from analyzers.video import Frames, Video

ROLES = ("caption", "sticker", "watermark", "logo", "scene_text")

#: Grey levels; blocks of a frame that changed less than this since the last read frame are equal
#: to what compression leaves of a still picture.
_UNCHANGED = 6.0
_BLOCK_PX = 16
#: A line whose strokes correlate like this with those of the look before is not read again: for
#: sure readings, and for others.
_SAME_STROKES = 0.75
_SAME_LOOK = 0.95
_SURE = 0.95
#: Height at which strokes are compared, and width of the parts: narrower than most letters.
_STROKES_PX = 24
_PART_PX = 12
#: Corners that moved less than this, relative to the frame, are in the same place.
_SAME_PLACE = 0.01
#: Short side of the copies in which lines are found: a large one every other second, a small one
#: in all other looks. Measured on the demo clips: 544 finds what 720 does, small print included;
#: from 448 down small print is lost, captions are found down to 288. CPU-ms a frame: 91 and 39.
_FINE_PX = 544
_COARSE_PX = 360
#: Times at which the place of an overlay is looked at again lie this far from read frames.
_PROBE_GAP_S = 0.15
#: How long before and after its captions a place is watched for more.
_WATCH_S = 1.0
#: Grey levels from which on the picture behind a line moves. Compression makes up to 1.6.
_MOVING = 2.0
#: Ink of overlays changes so many times less than what is behind it.
_CALMER = 1.7
#: In a still picture, overlays are as level as this, and as evenly inked (see `_ink_spread`).
_LEVEL_DEG = 3.0
_EVEN_INK = 0.05
#: Stylised lettering is kept from this share of the confidence that other lines need.
_LOGO_SHARE = 0.7
#: Logos stand about level; what is unsure and tilted is not taken for text.
_LOGO_DEG = 10.0
#: Cells of the grid in which covered area is counted, in each direction.
_GRID = 256
#: Upper reading speed for adults, characters a second (Netflix timed text style guide, English).
READABLE_CPS = 20.0

#: A line of text is not that narrow, and the reader blows a sliver up until it takes gigabytes.
_LEAST_SIDE_PX = 8


class TextOverlay(Analyzer):
    """Lines of text with place, reading, script, time on screen and role.

    Frames are searched for text twice a second, every fourth time closely; between these, the
    places of overlays are searched up to five times a second wherever the known lines are gone, so
    that captions that follow each other fast are seen. What reads alike in the same place is one
    line; its readings are put to a vote, and its start and end are found to a fifteenth of a second
    by looking for its strokes in the frames between. Text that shows for less than half a second in
    a place of its own, and small print for less than two seconds, can be missed.

    On screen means shown with a quarter of full contrast or more (see `methods.text_tracks`).

    Roles, the first rule that fits:

    - `scene_text`: it moves in the frame; or it stands still, changes together with what is behind
      it, and is tilted or unevenly inked, as lettering on things is. Small print on a filmed or
      recorded screen mostly falls under this.
    - `watermark`: small (lower than 8 % of the frame's short side, narrower than half), within 15 %
      of an edge, in its place for at least 60 % of a video of at least three seconds, while the
      picture behind it changes.
    - `logo`: an overlay in lettering so stylised that readings stay unsure (below 0.85).
    - `sticker`: an overlay that is tilted by more than 4 degrees, or stands to one side (its middle
      more than 0.2 from the frame's, and narrower than half).
    - `caption`: every other overlay.

    Which scripts can be read is the model's matter: see `analyzers.models.ocr`.

    Accuracy: every word that was laid over the trailer, in every sampled frame outside of its
    fades, from and to within 0.17 s.
    """

    name = "text_overlay"
    version = "1"
    family = Family.PICTURE
    stage = Stage.MEDIUM_GPU
    kinds = ("rapidocr", "opencv")
    models_used = ("ocr",)
    rungs = ("motion", "analysis", "detail")

    observation_columns = (
        TIME_S,
        END_S,
        *box_columns("the line's box, around all its corners if it is tilted"),
        Column(
            "angle_deg",
            pa.float32(),
            "Tilt of the line, clockwise from level",
            minimum=-180,
            maximum=180,
        ),
        Column("text", pa.string(), "What the line says: the vote over all frames it was read in"),
        Column("role", pa.string(), "What the line is there for", values=ROLES),
        Column("script", pa.string(), "Script of most of its letters", values=SCRIPTS),
        Column(
            "language",
            pa.string(),
            "Language (ISO 639-1) of the video's lines in this script, where it is clear",
            nullable=True,
        ),
        confidence("Mean confidence of the readings that agree with the text"),
        Column("frames_read", pa.int32(), "Number of frames the line was read in", minimum=1),
        Column("word_count", pa.int32(), "Words in the line", minimum=0),
        Column(
            "reading_speed_cps",
            pa.float32(),
            "Characters a second a viewer must read, with the lines that come and go with it; "
            "above 20 is too fast for most adults",
            minimum=0,
        ),
    )
    segment_columns = (
        Column("text", pa.string(), "All text on screen, in reading order, lines joined by |"),
        Column("caption", pa.string(), "The captions among it, lines joined by blanks"),
        Column("line_count", pa.int32(), "Lines on screen", minimum=0),
        Column("word_count", pa.int32(), "Words on screen", minimum=0),
        Column(
            "coverage_ratio",
            pa.float32(),
            "Largest share of the frame that text covers at one time",
            minimum=0,
            maximum=1,
        ),
        Column(
            "reading_speed_cps",
            pa.float32(),
            "Highest reading speed that a caption on screen asks for",
            nullable=True,
            minimum=0,
        ),
    )
    summary_columns = (
        Column("text", pa.string(), "All lines in order of appearance, each text once"),
        Column("line_count", pa.int32(), "Lines", minimum=0),
        Column("word_count", pa.int32(), "Words in them", minimum=0),
        Column("caption_count", pa.int32(), "Captions among the lines", minimum=0),
        Column("watermarks", pa.list_(pa.string()), "Texts of the watermarks"),
        Column("scripts", pa.list_(pa.string()), "Scripts, the most frequent first"),
        Column(
            "language",
            pa.string(),
            "Language of the text (ISO 639-1), where it is clear",
            nullable=True,
        ),
        Column(
            "on_screen_ratio",
            pa.float32(),
            "Share of the time with text on screen",
            minimum=0,
            maximum=1,
        ),
        Column(
            "too_fast_ratio",
            pa.float32(),
            f"Share of the captions above {READABLE_CPS:.0f} characters a second",
            nullable=True,
            minimum=0,
            maximum=1,
        ),
    )

    class Settings(AnalyzerSettings):
        """What counts as text."""

        min_confidence: float | None = Field(
            None,
            ge=0,
            le=1,
            description="Least mean confidence of a line's readings; None is the model's own",
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        nothing = {
            "text": "", "caption": "", "line_count": 0, "word_count": 0, "coverage_ratio": 0
        }  # fmt: skip
        if min(video.detail[0].shape[:2]) < _LEAST_SIDE_PX:
            return self.not_applicable(
                video, f"the picture is less than {_LEAST_SIDE_PX} pixels high or wide", nothing
            )
        with self.models.lend("ocr") as reader:
            least = self.settings.min_confidence
            least = reader.reliable_from if least is None else least
            looks = _looks(video)
            looked_s = np.array([look.time_s for look in looks])
            tracks = _tracks(video, link(_read_all(looks, reader)), looked_s, least)
            overlays = [t for t in tracks if t.still and t.confidence >= least]
            if probed := _probe(video, reader, overlays, looked_s):
                tracks = _tracks(video, link(probed, tracks), looked_s, least)
        rows = [
            _row(video, track, role)
            for track in tracks
            if (role := _role(video, track, least)) is not None
        ]
        if not rows:
            return self.not_applicable(video, "no text in any frame", nothing)
        rows.sort(key=lambda r: (r["time_s"], r["y1"], r["x1"], r["text"]))
        _add_reading_speed(rows)
        _add_language(rows)
        return AnalysisResult(
            self.observations(rows), self._segments(video, rows), self._summary(video, rows)
        )

    def _segments(self, video: Video, rows: Sequence[dict[str, Any]]) -> pa.Table:
        columns: dict[str, list[Any]] = {c.name: [] for c in self.segment_columns}
        for start_s, end_s in video.grid.windows_s(self.overlap_s):
            here = _reading_order([r for r in rows if r["time_s"] < end_s and r["end_s"] > start_s])
            captions = [r for r in here if r["role"] == "caption"]
            columns["text"].append(" | ".join(r["text"] for r in here))
            columns["caption"].append(" ".join(r["text"] for r in captions))
            columns["line_count"].append(len(here))
            columns["word_count"].append(sum(r["word_count"] for r in here))
            columns["coverage_ratio"].append(_coverage(here, start_s, end_s))
            columns["reading_speed_cps"].append(
                max((r["reading_speed_cps"] for r in captions), default=None)
            )
        return self.segments(video.grid, columns)

    def _summary(self, video: Video, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        captions = [r for r in rows if r["role"] == "caption"]
        scripts = Counter(r["script"] for r in rows)
        times = video.motion.times_s
        shown = np.zeros(len(times), bool)
        for row in rows:
            shown |= (times >= row["time_s"]) & (times < row["end_s"])
        fast = [r["reading_speed_cps"] > READABLE_CPS for r in captions]
        return {
            "text": "\n".join(dict.fromkeys(r["text"] for r in rows)),
            "line_count": len(rows),
            "word_count": sum(r["word_count"] for r in rows),
            "caption_count": len(captions),
            "watermarks": sorted({r["text"] for r in rows if r["role"] == "watermark"}),
            "scripts": [script for script, _ in scripts.most_common()],
            "language": language_of(r["text"] for r in rows),
            "on_screen_ratio": float(shown.mean()),
            "too_fast_ratio": float(np.mean(fast)) if fast else None,
        }

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The frames with most text, each line in a box of its role's colour, with its reading."""
        rows = result.observations.to_pylist()
        if not rows:
            return Preview(markdown=f"No text: {result.reason}.")
        return Preview(image=_contact_sheet(video, rows), image_type="image/jpeg")


# Reading -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Look:
    """A frame that is searched for text, in `scale` times its size; `close` ones in full detail."""

    frames: Frames
    index: int
    close: bool
    scale: float

    @property
    def time_s(self) -> float:
        """The frame's time."""
        return float(self.frames.times_s[self.index])


def _looks(video: Video) -> list[_Look]:
    """The full-size frames, and between each two of them the analysis frame in the middle."""
    detail, analysis = video.detail, video.analysis
    fine, coarse = _scale(detail, _FINE_PX), _scale(detail, _COARSE_PX)
    looks = [_Look(detail, i, i % 2 == 0, coarse if i % 2 else fine) for i in range(len(detail))]
    coarse = _scale(analysis, _COARSE_PX)
    for middle in (detail.times_s[1:] + detail.times_s[:-1]) / 2:
        index = int(np.argmin(np.abs(analysis.times_s - middle)))
        if np.abs(detail.times_s - analysis.times_s[index]).min() >= _PROBE_GAP_S:
            looks.append(_Look(analysis, index, False, coarse))
    return sorted(looks, key=lambda look: look.time_s)


def _scale(frames: Frames, short_side_px: int) -> float:
    return min(1.0, short_side_px / min(frames[0].shape[:2]))


def _read(
    reader: TextReader,
    frame: np.ndarray,
    look: _Look,
    before: np.ndarray | None = None,
    known: Sequence[Sighting] = (),
) -> list[Sighting]:
    """The lines of one look's frame; those that look as in the one before are not read again."""
    lines = reader.find(frame, look.scale)
    readings: dict[int, tuple[str, float]] = {}
    for i, quad in enumerate(lines.quads):
        if before is not None and (same := _same_look(before, frame, quad, known)):
            readings[i] = (same.text, same.confidence)
    fresh = [i for i in range(len(lines)) if i not in readings]
    for i, reading in zip(fresh, reader.read(frame, lines.quads[fresh]), strict=True):
        readings[i] = (reading.text, reading.confidence)
    return [
        Sighting(look.time_s, lines.quads[i], text, score, look.close)
        for i, (text, score) in sorted(readings.items())
        if text
    ]


def _read_all(looks: Sequence[_Look], reader: TextReader) -> list[Sighting]:
    """Every line in every look; frames and lines that did not change are not read again."""
    seen: list[Sighting] = []
    latest: list[Sighting] = []
    before: np.ndarray | None = None
    small_before: np.ndarray | None = None
    for i, look in enumerate(looks):
        checkpoint(i, len(looks))
        frame = look.frames[look.index]
        small = _small(frame)
        if small_before is not None and not _changed(small_before, small):
            latest = [replace(s, time_s=look.time_s) for s in latest]
        else:
            latest = _read(reader, frame, look, before, latest)
            before, small_before = frame, small
        seen += latest
    return seen


def _same_look(
    before: np.ndarray, frame: np.ndarray, quad: np.ndarray, known: Sequence[Sighting]
) -> Sighting | None:
    """The known line that shows in the same place with the same strokes in every part of it."""
    for sighting in known:
        if np.abs(sighting.quad - quad).max() > _SAME_PLACE:
            continue
        old, new = _strokes(before, quad), _strokes(frame, quad)
        least = _SAME_STROKES if sighting.confidence >= _SURE else _SAME_LOOK
        # Compared part by part, or a line that changes one digit would pass for the same.
        parts = range(0, new.shape[1] - _PART_PX + 1, _PART_PX // 2)
        if all(
            cv2.matchTemplate(
                old[:, x : x + _PART_PX], new[:, x : x + _PART_PX], cv2.TM_CCOEFF_NORMED
            )[0, 0]
            >= least
            for x in parts
        ):
            return sighting
    return None


def _strokes(frame: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """A line at a fixed height, without the slow changes of its ground."""
    crop = cv2.cvtColor(line_crop(frame, quad), cv2.COLOR_RGB2GRAY)
    width = max(_STROKES_PX, round(crop.shape[1] * _STROKES_PX / crop.shape[0]))
    crop = cv2.resize(crop, (width, _STROKES_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    return crop - cv2.blur(crop, (15, 15))


def _small(picture: np.ndarray) -> np.ndarray:
    """Grey, with a short side of at most 360 pixels: the copy that frames are compared by."""
    scale = min(1.0, 360 / min(picture.shape[:2]))
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _changed(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether any block of two grey pictures differs by more than compression makes."""
    other = cv2.resize(other, one.shape[1::-1])  # rungs round their sizes in different ways
    difference = cv2.absdiff(one, other).astype(np.float32)
    size = [max(1, side // _BLOCK_PX) for side in reversed(one.shape)]
    return bool(cv2.resize(difference, size, interpolation=cv2.INTER_AREA).max() >= _UNCHANGED)


# Places of overlays between the read frames ----------------------------------------------------


def _probe(
    video: Video, reader: TextReader, overlays: Sequence[Track], looked_s: np.ndarray
) -> list[Sighting]:
    """Read the places of overlays again at times when none of the known lines is there."""
    found: list[Sighting] = []
    for place in _places(overlays):
        _, top, _, bottom = box_of(np.concatenate([t.reading.quad for t in place]))
        margin = (bottom - top) / 2
        top, bottom = max(0.0, top - margin), min(1.0, bottom + margin)
        last: np.ndarray | None = None
        for i in _watched_times(place, video, looked_s):
            checkpoint()
            frame = video.analysis[i]
            rows = slice(int(top * len(frame)), int(np.ceil(bottom * len(frame))))
            small = _small(frame[rows])
            if last is not None and not _changed(last, small):
                continue
            last = small
            scale, shift = (rows.stop - rows.start) / len(frame), rows.start / len(frame)
            look = _Look(video.analysis, i, close=False, scale=1.0)
            for s in _read(reader, frame[rows], look):
                quad = s.quad * np.array([1, scale], np.float32)
                quad += np.array([0, shift], np.float32)
                found.append(replace(s, quad=quad))
    return found


def _places(tracks: Sequence[Track]) -> list[list[Track]]:
    """Overlays grouped by the horizontal band of the frame they share."""
    places: list[list[Track]] = []
    for track in tracks:
        band = _band(track.reading.box)
        for place in places:
            if any(overlap_of_smaller(band, _band(t.reading.box)) >= 0.5 for t in place):
                place.append(track)
                break
        else:
            places.append([track])
    return places


def _band(box: Sequence[float]) -> tuple[float, float, float, float]:
    return 0.0, box[1], 1.0, box[3]


def _watched_times(place: Sequence[Track], video: Video, looked_s: np.ndarray) -> list[int]:
    """Indices of the analysis frames near a place's lines in which none of them is on screen."""
    return [
        i
        for i, time_s in enumerate(video.analysis.times_s)
        if any(t.start_s - _WATCH_S <= time_s < t.end_s + _WATCH_S for t in place)
        and not any(t.covers(time_s) for t in place)
        and np.abs(looked_s - time_s).min() >= _PROBE_GAP_S
    ]


def _tracks(
    video: Video, tracks: Sequence[Track], looked_s: np.ndarray, least: float
) -> list[Track]:
    """The tracks that can be text, with their times on screen."""
    lines = [t for t in tracks if _may_be_text(t, least)]
    watcher = Watcher(video.motion, video.info.end_s)
    for track in lines:
        checkpoint()
        before = looked_s[looked_s < track.sightings[0].time_s]
        after = looked_s[looked_s > track.sightings[-1].time_s]
        unread = (
            float(before[-1]) if len(before) else -1.0,
            float(after[0]) if len(after) else video.info.end_s,
        )
        watcher.refine(track, unread, neighbours_s(track, lines, video.info.end_s))
    return absorb_parts(lines)


def _may_be_text(track: Track, least: float) -> bool:
    """Whether a track is worth following; a single sign must be surer, and be read twice."""
    signs = len(track.reading.key)
    if signs <= 1:
        return signs == 1 and track.times_read >= 2 and track.confidence >= 1 - (1 - least) / 3
    return track.confidence >= _LOGO_SHARE * least


# Roles -----------------------------------------------------------------------------------------


def _role(video: Video, track: Track, least: float) -> str | None:
    """The line's role by the rules of the class, or None where it is no text."""
    # A single letter is too little to tell what it is on.
    overlay = (
        track.still
        and len(track.reading.key) > 1
        and (_stays_over_motion(track) or _is_drawn(video, track))
    )
    if track.confidence < least:
        stylised = (
            overlay
            and abs(_angle_deg(video, track.reading)) <= _LOGO_DEG
            and len(track.reading.key) > 2
            and len(track.sightings) >= 3
        )
        return "logo" if stylised else None
    if not overlay:
        return "scene_text"
    if _is_watermark(video, track):
        return "watermark"
    x1, _, x2, _ = track.reading.box
    aside = abs((x1 + x2) / 2 - 0.5) > 0.2 and x2 - x1 < 0.5
    return "sticker" if abs(_angle_deg(video, track.reading)) > 4 or aside else "caption"


def _angle_deg(video: Video, sighting: Sighting) -> float:
    """Tilt of a line against level, clockwise, -90..90 or so; 90 for one written downwards."""
    corners = sighting.quad * [video.info.width_px, video.info.height_px]
    along = (corners[1] + corners[2] - corners[0] - corners[3]) / 2
    return float(np.degrees(np.arctan2(along[1], along[0])))


def _ink_spread(video: Video, track: Track) -> float:
    """How unevenly a line is inked: the spread of its strokes' grey over their contrast.

    Strokes are what stands out from its surroundings by more than half of what any of it does.
    Drawn text is flat: under 0.04. Lettering on things has light and shade. Looked at in a
    full-size frame if the line is in one; infinite for a line that is in no frame of either rung.
    """
    shown = [
        (frames, i)
        for frames in (video.detail, video.analysis)
        for i, t in enumerate(frames.times_s)
        if track.covers(float(t))
    ]
    if not shown:
        return float("inf")
    frames, index = min(
        shown,
        key=lambda at: (at[0] is video.analysis, abs(at[0].times_s[at[1]] - track.reading.time_s)),
    )
    crop = line_crop(frames[index], track.reading.quad)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = 2 * max(3, grey.shape[0] // 3) + 1
    raised = grey - cv2.blur(grey, (side, side))
    raised *= np.sign((raised**3).sum()) or 1.0
    strokes = raised > 0.5 * raised.max()
    core = cv2.erode(strokes.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if core.sum() < 20:
        core = strokes
    contrast = abs(float(grey[core].mean()) - float(grey[~strokes].mean()))
    return float(grey[core].std()) / max(contrast, 1.0)


def _stays_over_motion(track: Track) -> bool:
    """Whether the ink keeps its look while what is behind it changes.

    Ink on a thing in the scene does not: light and shade, and what passes before it, change both.
    """
    return track.backing_change >= max(_MOVING, _CALMER * track.stroke_change)


def _is_drawn(video: Video, track: Track) -> bool:
    """Whether a line in a still picture is level and evenly inked, as overlays are."""
    return (
        abs(_angle_deg(video, track.reading)) <= _LEVEL_DEG
        and _ink_spread(video, track) <= _EVEN_INK
    )


def _is_watermark(video: Video, track: Track) -> bool:
    x1, y1, x2, y2 = track.reading.box
    width, height = video.info.width_px, video.info.height_px
    return (
        video.info.end_s >= 3.0
        and _stays_over_motion(track)
        and track.end_s - track.start_s >= 0.6 * video.info.end_s
        and (y2 - y1) * height <= 0.08 * min(width, height)
        and x2 - x1 <= 0.5
        and (min(x1, y1) <= 0.15 or max(x2, y2) >= 0.85)
    )


# Tables ----------------------------------------------------------------------------------------


def _row(video: Video, track: Track, role: str) -> dict[str, Any]:
    text = track.reading.text
    x1, y1, x2, y2 = track.reading.box
    return {
        "time_s": track.start_s,
        "end_s": track.end_s,
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "angle_deg": _angle_deg(video, track.reading),
        "text": text,
        "role": role,
        "script": script_of(text),
        "confidence": min(1.0, track.confidence),
        "frames_read": len(track.sightings),
        "word_count": len(text.split()),
    }


def _add_reading_speed(rows: Sequence[dict[str, Any]]) -> None:
    """Lines of one role that come and go together are read together."""
    for row in rows:
        together = [
            other
            for other in rows
            if other["role"] == row["role"]
            and abs(other["time_s"] - row["time_s"]) < 0.5
            and abs(other["end_s"] - row["end_s"]) < 0.5
            and min(other["end_s"], row["end_s"]) > max(other["time_s"], row["time_s"])
        ]
        letters = sum(len(other["text"]) for other in together)
        row["reading_speed_cps"] = letters / (row["end_s"] - row["time_s"])


def _add_language(rows: Sequence[dict[str, Any]]) -> None:
    """Lines of one script are taken to be in one language."""
    for script in {row["script"] for row in rows}:
        same = [row for row in rows if row["script"] == script]
        language = language_of(row["text"] for row in same)
        for row in same:
            row["language"] = language


def _reading_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """From the top down, and from left to right where lines stand beside each other."""
    ordered: list[list[Mapping[str, Any]]] = []
    for row in sorted(rows, key=lambda r: (r["y1"] + r["y2"], r["x1"])):
        middle = (row["y1"] + row["y2"]) / 2
        if ordered and ordered[-1][0]["y1"] <= middle <= ordered[-1][0]["y2"]:
            ordered[-1].append(row)
        else:
            ordered.append([row])
    return [r for level in ordered for r in sorted(level, key=lambda r: r["x1"])]


def _coverage(rows: Sequence[Mapping[str, Any]], start_s: float, end_s: float) -> float:
    """The largest share of the frame that boxes cover at one time within a span."""
    best = 0.0
    for time_s in {max(start_s, row["time_s"]) for row in rows}:
        grid = np.zeros((_GRID, _GRID), bool)
        for row in rows:
            if row["time_s"] <= time_s < row["end_s"]:
                x1, y1, x2, y2 = (round(row[c] * _GRID) for c in ("x1", "y1", "x2", "y2"))
                grid[y1:y2, x1:x2] = True
        best = max(best, float(grid.mean()))
    return best


# Picture ---------------------------------------------------------------------------------------

_COLOURS = {
    "caption": (255, 200, 0),
    "sticker": (255, 80, 160),
    "watermark": (120, 200, 255),
    "logo": (190, 120, 255),
    "scene_text": (90, 230, 90),
}
_WHITE = (255, 255, 255)
_PREVIEW_BYTES = 150_000
_LEGEND_LINES = 6
_LEGEND_PX = 15


def _contact_sheet(video: Video, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Up to six read frames that together show the most lines, as a JPEG."""
    shown: set[int] = set()
    chosen: list[int] = []
    on_screen = [
        {i for i, r in enumerate(rows) if r["time_s"] <= t < r["end_s"]}
        for t in video.detail.times_s
    ]
    for _ in range(6):
        best = max(range(len(on_screen)), key=lambda f: (len(on_screen[f] - shown), -f))
        if not on_screen[best] - shown:
            break
        chosen.append(best)
        shown |= on_screen[best]
    if not chosen:  # every line came and went between two read frames
        middle = (rows[0]["time_s"] + rows[0]["end_s"]) / 2
        chosen = [int(np.argmin(np.abs(video.detail.times_s - middle)))]
    cells = [_drawn(video, f, [rows[i] for i in sorted(on_screen[f])]) for f in sorted(chosen)]
    portrait = cells[0].shape[0] > cells[0].shape[1]
    columns = min(len(cells), 6 if portrait else 2)
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    sheet = np.vstack([np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)])
    data = b""
    for quality in (72, 60, 48, 36):
        data = cv2.imencode(".jpg", sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[
            1
        ].tobytes()
        if len(data) <= _PREVIEW_BYTES:
            break
    return data


def _drawn(video: Video, index: int, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """One frame with its lines in boxes, and below it what they say."""
    frame = video.detail[index]
    scale = (240 if frame.shape[0] > frame.shape[1] else 480) / frame.shape[1]
    frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = frame.shape[:2]
    picture = Image.new("RGB", (width, height + _LEGEND_LINES * _LEGEND_PX))
    picture.paste(Image.fromarray(frame))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=12)
    order = _reading_order(rows)
    for row in order:
        corners = (row["x1"] * width, row["y1"] * height, row["x2"] * width, row["y2"] * height)
        draw.rectangle(corners, outline=_COLOURS[row["role"]], width=2)
    legend = [(f"{r['role']}: {r['text']}", _COLOURS[r["role"]]) for r in order]
    if len(legend) >= _LEGEND_LINES:
        more = len(legend) - _LEGEND_LINES + 2
        legend[_LEGEND_LINES - 2 :] = [(f"and {more} more", _WHITE)]
    head = (f"{video.detail.times_s[index]:.1f} s", _WHITE)
    for line, (label, colour) in enumerate([head, *legend]):
        draw.text((4, height + line * _LEGEND_PX + 1), label, fill=colour, font=font)
    return np.asarray(picture)
