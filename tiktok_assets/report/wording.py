"""How numbers, times and names are written for people."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

#: C0 and C1 controls but for tab and line feed, lone surrogates, and what turns the direction of
#: the text around it: none of them belongs on a page, and captions may hold any.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_MINUS, _DASH = "\u2212", "\u2013"
#: Names that are written otherwise than with blanks in place of underscores.
_NAMES = {
    "qwen2_vl_temporal": "descriptions", "cross_analyzer_intelligence": "intelligence",
    "call_to_action": "call to action", "medium_close_up": "medium close-up",
    "close_up": "close-up", "extreme_close_up": "extreme close-up", "ok": "done",
}  # fmt: skip


def printable(text: str) -> str:
    """The text with a sign in place of each character that does not belong on a page."""
    return _UNPRINTABLE.sub("\ufffd", text)


def words(name: Any) -> str:
    """`medium_close_up` as `medium close-up`."""
    return _NAMES.get(str(name), str(name).replace("_", " "))


def clock(time_s: float, tenths: bool = True) -> str:
    """Minutes and seconds: `1:02.3`; with hours where there are any."""
    units = round(time_s * 10) if tenths else round(time_s) * 10
    minutes, rest = divmod(units, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10:02d}" + (f".{rest % 10}" if tenths else "")
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def span(start_s: float, end_s: float) -> str:
    """From and to; one time where both read the same."""
    first, last = clock(start_s), clock(end_s)
    return first if first == last else f"{first}{_DASH}{last}"


def number(value: float, digits: int = 1) -> str:
    """With so many decimals at most, a real minus sign, and thin gaps between thousands."""
    told = f"{value:,.{digits}f}".replace(",", "\u202f")
    if digits:
        told = told.rstrip("0").rstrip(".")
    return "0" if told in ("-0", "0") else told.replace("-", _MINUS)


def percent(share: float) -> str:
    """A share of 0..1: `42 %`; what is not nothing is never 0 %, nor what is not all 100 %."""
    if 0 < share < 0.005:
        return "<\u202f1\u202f%"
    if 0.995 <= share < 1:
        return ">\u202f99\u202f%"
    return f"{share:.0%}".replace("%", "\u202f%")


def size(count: int) -> str:
    """Bytes in the unit that fits."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{number(count / factor)}\u202f{unit}"
    return f"{count}\u202fB"


def aspect(width_px: int, height_px: int) -> str:
    """`9:16` where that is (nearly) so, else as `1.85:1`."""
    ratio = Fraction(width_px, height_px)
    near = ratio.limit_denominator(21)
    if near.numerator <= 32 and abs(float(near) / float(ratio) - 1) < 0.005:
        return f"{near.numerator}:{near.denominator}"
    return f"{number(float(ratio), 2)}:1"


def plural(count: int, noun: str) -> str:
    """`1 shot`, `3 shots`."""
    return f"{number(count, 0)} {noun}{'' if count == 1 else 's'}"


def clipped(text: str, most: int) -> str:
    """The text, cut at a word where it is longer."""
    if len(text) <= most:
        return text
    cut = text[:most].rsplit(" ", 1)[0].rstrip(".,;:")
    return (cut if len(cut) > most / 2 else text[:most]) + "\u2009\u2026"
