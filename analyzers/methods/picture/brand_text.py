"""Text on a thing, and when it is a brand's name.

A line is on a thing if its box lies on the thing's while both are there. What is printed on things
is mostly no brand (TAXI, MILK, 500 ml), and a list of the world's brands under a free licence is
not among this project's sources; so a line is called a brand only where something else names it as
well: the account that published the video, an account mentioned in its title, in its caption or in
text laid over the picture (`@name`), or a word that is spoken and written with a capital in the
middle of a sentence. Hashtags do not count: most name kinds of things (#shampoo).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from analyzers.base import AnalysisResult
from analyzers.methods.evidence import observation_id

#: Roles of text that belong to what was filmed; captions, stickers and watermarks were laid over.
_ON_THINGS = ("scene_text", "logo")
_LAID_OVER = ("caption", "sticker", "watermark")
#: Part of the line's box that has to lie on the thing.
_LEAST_ON_IT = 0.8
#: Part of the thing's sightings during the line in which it has to.
_LEAST_TIME = 0.5
_LEAST_CONFIDENCE = 0.8
_FEWEST_LETTERS = 3
_ACCOUNT = re.compile(r"@([^\W\d_]\w+)")
_WORD = re.compile(r"[^\W\d_]+(?:['&-][^\W\d_]+)*")


def lines_on(
    sightings: Sequence[Mapping[str, Any]], texts: AnalysisResult | None
) -> list[tuple[int, str]]:
    """Row number in text_overlay's observations and text of each line on a thing.

    `sightings`: object_detection's rows of the thing (`time_s`, `x1` to `y2`). Lines read with less
    than 0.8, or of less than three letters, are left out.
    """
    if texts is None or texts.status != "ok":
        return []
    found = []
    for number, line in enumerate(texts.observations.to_pylist()):
        letters = sum(character.isalpha() for character in line["text"])
        if (
            line["role"] not in _ON_THINGS
            or line["confidence"] < _LEAST_CONFIDENCE
            or letters < _FEWEST_LETTERS
        ):
            continue
        during = [s for s in sightings if line["time_s"] <= s["time_s"] <= line["end_s"]]
        on_it = sum(_part_on(line, sighting) >= _LEAST_ON_IT for sighting in during)
        if during and on_it >= _LEAST_TIME * len(during):
            found.append((number, line["text"]))
    return found


def _part_on(line: Mapping[str, Any], thing: Mapping[str, Any]) -> float:
    """The part of the line's box that lies on the thing's, 0..1."""
    width = min(line["x2"], thing["x2"]) - max(line["x1"], thing["x1"])
    height = min(line["y2"], thing["y2"]) - max(line["y1"], thing["y1"])
    area = (line["x2"] - line["x1"]) * (line["y2"] - line["y1"])
    return max(width, 0.0) * max(height, 0.0) / area if area > 0 else 0.0


def names_elsewhere(
    metadata: Mapping[str, Any],
    texts: AnalysisResult | None,
    transcript: AnalysisResult | None,
) -> dict[str, str]:
    """Words, in lower case, that something beside the thing names, and the evidence for each.

    Evidence is `metadata/<field>` or an id as in `methods.evidence`.
    """
    named: dict[str, str] = {}
    for field in ("author", "author_id"):
        for word in _words(metadata.get(field) or ""):
            named.setdefault(word.lower(), f"metadata/{field}")
    for field in ("title", "caption"):
        for account in _ACCOUNT.findall(metadata.get(field) or ""):
            named.setdefault(account.lower(), f"metadata/{field}")
    if texts is not None and texts.status == "ok":
        for number, line in enumerate(texts.observations.to_pylist()):
            if line["role"] in _LAID_OVER:
                for account in _ACCOUNT.findall(line["text"]):
                    named.setdefault(account.lower(), observation_id("text_overlay", number))
    if transcript is not None and transcript.status == "ok":
        last_sentence = None
        for number, row in enumerate(transcript.observations.to_pylist()):
            inside = row["sentence"] == last_sentence
            last_sentence = row["sentence"]
            for word in _words(row["word"]):
                if inside and len(word) > 1 and word[0].isupper():
                    named.setdefault(word.lower(), observation_id("speech_transcription", number))
    return named


def brand_of(
    lines: Sequence[tuple[int, str]], named: Mapping[str, str], common: frozenset[str]
) -> tuple[str | None, list[str]]:
    """The brand that lines on a thing name, and the ids of the evidence; (None, []) without.

    `lines` as from `lines_on`, `named` as from `names_elsewhere`; `common` are words, in lower
    case, that name kinds of things and no brand.
    """
    for number, text in lines:
        for word in _words(text):
            known = word.lower()
            if len(word) >= _FEWEST_LETTERS and known in named and known not in common:
                return word, [observation_id("text_overlay", number), named[known]]
    return None, []


def _words(text: str) -> list[str]:
    return _WORD.findall(text)
