"""People: each face with what it looks like, where that is not switched off, and how they move."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tiktok_assets.report.facts import Fact, Share, fact, facts, shares
from tiktok_assets.report.pictures import Picture, Pictures
from tiktok_assets.report.told import Row, Told
from tiktok_assets.report.wording import number, percent, plural, span, words

MOST_FACES = 24
_FACE_PX = 112
_JUDGES = ("age_estimation", "face_emotion")


@dataclass(frozen=True)
class Face:
    """One face within its shot."""

    start_s: float
    end_s: float
    picture: Picture | None
    facts: list[Fact]

    @property
    def when(self) -> str:
        """From and to."""
        return span(self.start_s, self.end_s)


@dataclass(frozen=True)
class People:
    """All that is told of people."""

    facts: list[Fact]
    faces: list[Face]
    faces_left_out: int
    emotions: list[Share]
    gazes: list[Share]
    notices: list[str]
    why_none: str


def people(told: Told, pictures: Pictures) -> People:
    """What is known; guesses from faces are not even counted where they are switched off."""
    by_track: dict[int, list[Row]] = {}
    for name in _JUDGES:
        for row in told.rows(name):
            by_track.setdefault(row["track_id"], []).append(row)
    seen = {**{t: _span(rows) for t, rows in by_track.items()}, **_seen(told)}
    # Those that are seen longest are the ones that a reader will look for.
    kept = sorted(by_track, key=lambda t: seen[t][0] - seen[t][1])[:MOST_FACES]
    shown = sorted(kept, key=lambda t: seen[t])
    faces = [_face(by_track[track], seen[track], pictures) for track in shown]
    emotions = shares(told.values("face_emotion", "emotions"), "emotion")
    return People(
        _facts(told),
        faces,
        len(by_track) - len(faces),
        emotions,
        shares(told.values("eye_tracking", "gazes"), "gaze"),
        told.notices(*_JUDGES) if faces or emotions else [],
        told.why_not("faces") if not told.ok("faces") else "",
    )


def _facts(told: Told) -> list[Fact]:
    count = told.value("body_pose", "people_count")
    posture = told.value("body_pose", "posture")
    gestures = Counter(words(g["gesture"]) for g in told.values("body_pose", "gestures"))
    camera = told.value("eye_tracking", "camera_share")
    blinks = told.value("eye_tracking", "blinks_per_minute")
    speaking = zip(told.values("voices", "speakers"), told.values("voices", "speaking_s"),
                   strict=False)  # fmt: skip
    return facts(
        fact("People at once", count, digits=0),
        fact("Posture", words(posture) if posture and posture != "unknown" else None),
        fact(
            "Gestures",
            ", ".join(f"{name} \u00d7\u2009{n}" for name, n in gestures.most_common(5)),
        ),
        fact("Speaking at once", told.value("voices", "overlap_s") or None, "s"),
        fact("Dancing", told.value("body_pose", "dancing_seconds") or None, "s", 0),
        fact("Looks into the camera", None if camera is None else percent(camera),
             note="of the time that eyes are seen"),
        fact("Blinks", blinks, "a minute"),
        fact("Speaking time", ", ".join(f"{who} {number(s)}\u202fs" for who, s in speaking)),
    )  # fmt: skip


def _seen(told: Told) -> dict[int, tuple[float, float]]:
    """By track, when its face is seen first and last: expressions are told by whole seconds."""
    sightings = told.table("faces", ("track_id", "time_s"))
    if sightings is None:
        return {}
    spans = sightings.group_by("track_id").aggregate([("time_s", "min"), ("time_s", "max")])
    return {r["track_id"]: (r["time_s_min"], r["time_s_max"]) for r in spans.to_pylist()}


def _span(rows: Sequence[Row]) -> tuple[float, float]:
    return min(row["time_s"] for row in rows), max(row["end_s"] for row in rows)


def _face(rows: Sequence[Row], seen: tuple[float, float], pictures: Pictures) -> Face:
    age = next((row for row in rows if "age_years" in row), None)
    moods = [row for row in rows if "emotion" in row]
    largest = max(moods, key=lambda row: row["screen_share"], default=age)
    shown = age if age and age["frame"] is not None else largest
    told_facts = facts(*_age(age), _expression(moods))
    return Face(*seen, pictures.box(shown, _FACE_PX) if shown else None, told_facts)


def _age(row: Row | None) -> list[Fact | None]:
    if row is None:
        return []
    if row["age_years"] is None:
        return [Fact("Apparent age", "not judged", note=_why(row["not_judged"]))]
    years = f"{row['age_years']:.0f}"
    low, high = row["age_low_years"], row["age_high_years"]
    spread = "" if None in (low, high) else f"{low:.0f}\u2013{high:.0f} over its sightings"
    gender: Any = row["apparent_gender"]
    return [
        Fact("Apparent age", years, note=spread),
        fact("Apparent gender", gender),
    ]


def _expression(rows: Sequence[Row]) -> Fact | None:
    if not rows:
        return None
    judged = Counter(row["emotion"] for row in rows if row["emotion"])
    if not judged:
        return Fact("Apparent expression", "not judged", note=_why(rows[0]["not_judged"]))
    ((emotion, count),) = judged.most_common(1)
    note = f"{count} of {plural(sum(judged.values()), 'second')}"
    return Fact("Apparent expression", emotion, note=note)


def _why(not_judged: str) -> str:
    return {
        "small": "too small", "turned": "turned away", "blurred": "blurred",
        "few": "too few sightings",
    }.get(not_judged, words(not_judged))  # fmt: skip
