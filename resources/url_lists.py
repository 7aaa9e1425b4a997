"""Reads lists of URLs: text, one a line, and CSV with the columns url, priority and tags."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from resources.web_address import refusal

_SEPARATORS = re.compile(r"[,;\s]+")


@dataclass(frozen=True)
class ListedUrl:
    """One URL of a list. Those of higher priority are downloaded first."""

    url: str
    priority: int = 0
    tags: tuple[str, ...] = ()


def read_list(
    path: Path, hosts: Collection[str], priority: int = 0
) -> tuple[list[ListedUrl], list[str]]:
    """The URLs of a list, and a sentence about each line that is none, with file and line.

    `.csv` is CSV, anything else is text, where empty lines and those that begin with `#` say
    nothing. `hosts` are those that URLs may be of (see `web_address`); `priority` is of those that
    have none of their own. Raises `ValueError` where the file as a whole cannot be read as a list,
    `OSError` where it cannot be read at all.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no list of URLs: it is not UTF-8 text.") from error
    rows = _csv_rows(text, path) if path.suffix.lower() == ".csv" else _text_rows(text)
    urls: list[ListedUrl] = []
    mistakes: list[str] = []
    for number, url, own_priority, tags in rows:
        why = refusal(url, hosts)
        if not why and not re.fullmatch(r"[+-]?\d{1,9}|", own_priority):
            why = f"the priority {own_priority!r} is no whole number"
        if why:
            mistakes.append(f"{path}, line {number}: {url!r} is not taken: {why}.")
        else:
            chosen = int(own_priority) if own_priority else priority
            urls.append(ListedUrl(url, chosen, tuple(filter(None, _SEPARATORS.split(tags)))))
    return urls, mistakes


def _text_rows(text: str) -> Iterator[tuple[int, str, str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if (url := line.strip()) and not url.startswith("#"):
            yield number, url, "", ""


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, str, str, str]]:
    reader = csv.DictReader(text.splitlines())
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    if "url" not in names:
        raise ValueError(f"{path} has no column url: its first line must name the columns.")
    for row in reader:
        url, priority, tags = ((row.get(names.get(n, n)) or "").strip() for n in
                               ("url", "priority", "tags"))  # fmt: skip
        if url and not url.startswith("#"):
            yield reader.line_num, url, priority, tags
