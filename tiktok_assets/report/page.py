"""The page itself: all sections in the order in which they are read, put into the template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any

import jinja2

from resources.result_store import ResultStore
from tiktok_assets.report import wording
from tiktok_assets.report.facts import about_file, key_facts
from tiktok_assets.report.findings import AT_ONCE, MOST_IDS, findings
from tiktok_assets.report.look import look
from tiktok_assets.report.making import failed, others, steps
from tiktok_assets.report.people import people
from tiktok_assets.report.pictures import OpenVideo, Picture, Pictures
from tiktok_assets.report.quality import quality
from tiktok_assets.report.sound import sound
from tiktok_assets.report.spoken import UNSURE, transcript
from tiktok_assets.report.storyboard import left_out_sentence, storyboard
from tiktok_assets.report.things import text_lines, things
from tiktok_assets.report.timeline import timeline
from tiktok_assets.report.timeline_svg import GAP_PX, ROW_PX
from tiktok_assets.report.told import OlderResult, Told

#: Raised with every change of what the page shows: reports made before are stale then.
VERSION = "2"
#: Nothing is loaded from anywhere and no script runs, whatever a caption says.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
#: Letters of a caption that are shown at once; a longer one is folded away but for these.
_CAPTION_AT_ONCE = 400
_MOST_TITLE, _MOST_CAPTION, _MOST_HASHTAGS, _MOST_TAG = 140, 2200, 40, 60
#: Lines of speech, or of text, that are shown at once; the others are folded away.
_LINES_AT_ONCE = 100
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")


@dataclass(frozen=True)
class Heading:
    """What the video is called, by whom."""

    title: str
    #: Whether that is the file's name, for want of another.
    is_name: bool
    byline: list[str]
    caption: str
    hashtags: list[str]
    source_url: str


def render(document: Mapping[str, Any], results: ResultStore, open_video: OpenVideo) -> str:
    """The report as HTML.

    `document` is the production document, `results` are those that it was made of, and
    `open_video` gives the decoded video where a picture is wanted that was not stored. The same
    document, results and video give the same text.
    """
    told = Told(document, results)
    while True:
        try:
            return _rendered(told, open_video)
        except OlderResult as older:  # each is left out once
            told.leave_out(older)


def _rendered(told: Told, open_video: OpenVideo) -> str:
    with Pictures(open_video) as pictures:
        board = storyboard(told, pictures)
        sections: dict[str, Any] = {
            "board": board,
            "poster": _poster(board.cards),
            "people": people(told, pictures),
            "things": things(told, pictures),
            "timeline": timeline(told, pictures),
        }
        why_no_pictures = pictures.why_none
    language = told.value("speech_transcription", "language") or ""
    page = _template().render(
        told=told,
        heading=_heading(told),
        summary=_summary(told),
        model_kind=told.value("qwen2_vl_temporal", "model_kind") or "",
        tags=told.values("cross_analyzer_intelligence", "tags"),
        key_facts=key_facts(told),
        about_file=about_file(told),
        left_out=left_out_sentence(board),
        why_no_pictures=why_no_pictures,
        findings=findings(told),
        transcript=transcript(told),
        language=language if _LANGUAGE.fullmatch(language) else "",
        text_lines=text_lines(told),
        look=look(told),
        sound=sound(told),
        quality=quality(told),
        steps=steps(told),
        failed=failed(told),
        others=others(told),
        policy=CONTENT_SECURITY_POLICY,
        **sections,
    )
    return wording.printable(page)


def _heading(told: Told) -> Heading:
    said = told.said
    caption = str(said.get("caption") or "").strip()
    title = str(said.get("title") or "").strip() or next(iter(caption.splitlines()), "")
    name = PurePath(str(said.get("original_name") or told.video_id)).stem
    author, author_id = said.get("author"), said.get("author_id")
    by = " ".join(str(a) for a in dict.fromkeys((author, author_id)) if a)
    days = {word: str(said.get(f"{word}_at") or "")[:10] for word in ("published", "created")}
    day = next((f"{word} {day}" for word, day in days.items() if day), "")
    parts = (by and f"by {by}", said.get("platform"), day)
    return Heading(
        wording.clipped(title or name, _MOST_TITLE),
        not title,
        [str(part) for part in parts if part],
        "" if caption == title else wording.clipped(caption, _MOST_CAPTION),
        [wording.clipped(str(tag), _MOST_TAG) for tag in said.get("hashtags") or ()][
            :_MOST_HASHTAGS
        ],
        str(said.get("source_url") or ""),
    )


def _summary(told: Told) -> str:
    """The intelligence's paragraph, else the description; its model kind is shown beside it."""
    summary = told.value("cross_analyzer_intelligence", "summary")
    kind = told.value("qwen2_vl_temporal", "model_kind")
    if summary:
        return str(summary).replace(f"(model_kind: {kind}) ", "")
    return str(told.value("qwen2_vl_temporal", "description") or "")


def _poster(cards: list[Any]) -> Picture | None:
    """The picture of the longest shot that has one."""
    shown = [card for card in cards if card.picture is not None]
    longest = max(shown, key=lambda card: card.end_s - card.start_s, default=None)
    return longest.picture if longest is not None else None


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tiktok_assets.report"),
        autoescape=True,  # captions, texts and speech are anybody's
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "aspect": wording.aspect, "clipped": wording.clipped, "clock": wording.clock,
        "number": wording.number, "percent": wording.percent, "words": wording.words,
    }  # fmt: skip
    environment.globals |= {
        "span": wording.span, "plural": wording.plural, "ROW_PX": ROW_PX, "GAP_PX": GAP_PX,
        "LINES_AT_ONCE": _LINES_AT_ONCE, "AT_ONCE": AT_ONCE, "MOST_IDS": MOST_IDS, "UNSURE": UNSURE,
        "CAPTION_AT_ONCE": _CAPTION_AT_ONCE,
    }  # fmt: skip
    return environment.get_template("report.html.j2")
