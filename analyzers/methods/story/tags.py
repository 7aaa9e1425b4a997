"""Words a video can be filed under, each with the rows that speak for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzers.methods.story.joined import Joined, Row
from analyzers.rules import words as w
from analyzers.rules.registry import Finding

#: A thing is what a video shows if it is in so many frames, seen so surely.
_FRAME_SHARE, _CONFIDENCE = 0.25, 0.5
#: Shot changes a minute from which a video is cut fast.
_FAST_CUTS = 30.0
#: Part of a time that makes it the rule.
_MOST = 0.5
_CAPTIONS = 3
_KEYWORDS = 8
#: Letters of a keyword at least, and English words that are none.
_LEAST_LETTERS = 4
_GENERIC = w.word_set(
    """
    about again also around away back because come could even every find from give good great have
    here just keep know like little look made make many maybe more most much need never next only
    other over people really right said same show some something start stay still stuff take tell
    thank than that then thing think this time today used want well what when where which will with
    work would year
    """
)
#: Grades that say by themselves what they are.
_PLAIN = ("black_and_white", "sepia", "teal_orange")
_ROWS = 3
_HASHTAG = re.compile(r"#\w{2,}")
_LIST_LINE = re.compile(r"^\s*#?\d{1,2}\s*[.):]\s*\S")


@dataclass(frozen=True)
class Tag:
    """A word and the ids of what speaks for it."""

    tag: str
    evidence: tuple[str, ...]


def tags_of(joined: Joined, findings: Sequence[tuple[str, Finding]]) -> list[Tag]:
    """The tags, each once, in order of what they are about; `findings` with the rules' names."""
    found: dict[str, Tag] = {}
    for tag in (
        *_things(joined),
        *_places(joined),
        *_people(joined, findings),
        *_sound(joined),
        *_edit(joined),
        *_story(joined, findings),
        *_keywords(joined),
    ):
        found.setdefault(tag.tag, tag)
    return list(found.values())


def _tag(name: str, rows: Sequence[Row]) -> Tag:
    return Tag(name.lower().replace(" ", "_"), tuple(row["id"] for row in rows[:_ROWS]))


def _seconds(joined: Joined, name: str, source: str) -> Tag:
    return Tag(
        name.lower().replace(" ", "_"),
        tuple(joined.second_ids(source, range(min(_ROWS, len(joined.grid))))),
    )


def _things(joined: Joined) -> Iterator[Tag]:
    for thing in joined.of_summary("object_detection", "classes") or ():
        if thing["frame_share"] >= _FRAME_SHARE and thing["mean_confidence"] >= _CONFIDENCE:
            rows = joined.rows("object_detection", label=thing["label"])
            yield _tag(thing["label"], sorted(rows, key=lambda r: -r["confidence"]))
    for product in joined.rows("product_detection"):
        yield _tag(product["label"], [product])
        if product.get("brand"):
            yield _tag(product["brand"], [product])


def _places(joined: Joined) -> Iterator[Tag]:
    for source, column in (
        ("background_segmentation", "setting"),
        ("scene_segmentation", "scene_label"),
    ):
        values = joined.column(source, column)
        for value, count in Counter(v for v in values if v and v != "uncertain").items():
            if count >= _MOST * len(values):
                seconds = [s for s, v in enumerate(values) if v == value]
                yield Tag(
                    str(value).lower().replace(" ", "_"),
                    tuple(joined.second_ids(source, seconds[:_ROWS])),
                )


def _people(joined: Joined, findings: Sequence[tuple[str, Finding]]) -> Iterator[Tag]:
    for rule, name in (
        ("speaker_on_screen", "speaks_on_screen"),
        ("speaker_off_screen", "voice_over"),
    ):
        own = [f for found_by, f in findings if found_by == rule]
        voice_s = joined.of_summary("voices", "voice_s") or 0.0
        if own and sum(f.end_s - f.time_s for f in own) >= _MOST * voice_s:
            yield Tag(name, tuple(own[0].evidence[:_ROWS]))
    camera = [share or 0.0 for share in joined.column("eye_tracking", "camera_share")]
    if sum(camera) >= _MOST * len(joined.grid):
        seconds = sorted(range(len(camera)), key=lambda s: -camera[s])[:_ROWS]
        ids = joined.second_ids("eye_tracking", sorted(seconds))
        yield Tag("looks_into_the_camera", tuple(ids))
    emotion = joined.of_summary("face_emotion", "dominant_emotion")
    if emotion and emotion != "neutral":
        own_rows = joined.rows("face_emotion", emotion=emotion)
        judged = joined.of_summary("face_emotion", "judged_second_count") or 0
        if len(own_rows) >= max(2, 0.4 * judged):
            yield _tag(f"{emotion}_face", own_rows)


def _sound(joined: Joined) -> Iterator[Tag]:
    if joined.of_summary("speech_transcription", "word_count"):
        yield _tag("speech", joined.rows("speech_transcription"))
        if language := joined.of_summary("speech_transcription", "language"):
            yield _tag(f"language_{language}", joined.rows("speech_transcription"))
    if (joined.of_summary("audio_analysis", "music_ratio") or 0) >= _MOST:
        yield _tag("music", joined.rows("audio_analysis", kind="music"))
    if "voices" in joined and not joined.speaks("voices"):
        yield _seconds(joined, "silent", "voices")


def _edit(joined: Joined) -> Iterator[Tag]:
    shots = joined.rows("cut_analysis", type="shot")
    if len(shots) == 1:
        yield _tag("one_shot", shots)
    elif (joined.of_summary("cut_analysis", "shot_changes_per_minute") or 0) >= _FAST_CUTS:
        yield _tag("cut_fast", joined.rows("cut_analysis", type="transition"))
    captions = joined.rows("text_overlay", role="caption")
    if len(captions) >= _CAPTIONS:
        yield _tag("captions", captions)
    grade = joined.of_summary("color_analysis", "grade")
    if grade and grade != "natural":
        yield _seconds(joined, grade if grade in _PLAIN else f"{grade}_grade", "color_analysis")
    if (joined.of_summary("camera_analysis", "handheld_ratio") or 0) >= _MOST:
        yield _seconds(joined, "handheld", "camera_analysis")


def _story(joined: Joined, findings: Sequence[tuple[str, Finding]]) -> Iterator[Tag]:
    lists = [r for r in joined.rows("text_overlay") if _LIST_LINE.match(r["text"])]
    if len(lists) >= 2:
        yield _tag("list", lists)
    for part in ("call_to_action", "loop"):
        if rows := joined.rows("temporal_flow", part=part):
            yield _tag(part, rows)
    for rule, name in (("cut_on_beat", "cut_on_beat"), ("gaze_on_product", "product_presented")):
        if own := [f for found_by, f in findings if found_by == rule]:
            yield Tag(name, tuple(own[0].evidence[:_ROWS]))


def _keywords(joined: Joined) -> Iterator[Tag]:
    """Hashtags, and what is both said and written, or said twice and more."""
    for line in joined.rows("text_overlay"):
        for hashtag in _HASHTAG.findall(line["text"]):
            yield _tag(hashtag.strip("#"), [line])
    language = joined.of_summary("speech_transcription", "language")
    said: dict[str, list[Row]] = {}
    for word in joined.rows("speech_transcription"):
        for token in w.content(w.tokens(word["word"], language), language):
            keeps = len(token) >= _LEAST_LETTERS and token not in _GENERIC
            if keeps and not token.isdigit() and token not in w.FUNCTION_WORDS:
                said.setdefault(token, []).append(word)
    written: dict[str, list[Row]] = {}
    for line in joined.rows("text_overlay"):
        if line["role"] in ("caption", "sticker"):
            for token in w.tokens(line["text"], language):
                written.setdefault(token, []).append(line)
    ranked = sorted(
        said, key=lambda t: (-(len(said[t]) + 2 * (t in written)), said[t][0]["time_s"])
    )
    chosen = [t for t in ranked if len(said[t]) > 1 or t in written]
    for token in chosen[:_KEYWORDS]:
        yield _tag(token, [*said[token][:2], *written.get(token, [])[:1]])
