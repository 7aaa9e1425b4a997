"""The little grammar that composed sentences need: articles, plurals, numbers, lists."""

from __future__ import annotations

from collections.abc import Sequence

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve")  # fmt: skip
_PLURALS = {"person": "people", "sheep": "sheep", "mouse": "mice", "knife": "knives",
            "skis": "skis", "scissors": "scissors", "broccoli": "broccoli"}  # fmt: skip
#: Said without an article, or with another word before them.
_UNCOUNTED = {"broccoli": "broccoli", "skis": "skis", "scissors": "a pair of scissors"}


def article(noun: str) -> str:
    """`a person`, `an umbrella`; by the first letter, which is enough for COCO's names."""
    if noun in _UNCOUNTED:
        return _UNCOUNTED[noun]
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def plural(noun: str) -> str:
    """`people`, `bottles`, `buses`."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    return noun + ("es" if noun.endswith(("s", "sh", "ch", "x")) else "s")


def number(count: int) -> str:
    """`three`; digits above twelve."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def counted(count: int, noun: str) -> str:
    """`a bottle`, `three bottles`."""
    if count == 1 or noun in _UNCOUNTED:
        return article(noun)
    return f"{number(count)} {plural(noun)}"


def another(count: int, noun: str) -> str:
    """`another bottle`, `three more bottles`."""
    return f"another {noun}" if count == 1 else f"{number(count)} more {plural(noun)}"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def seconds(length_s: float) -> str:
    """`10 seconds`, `19.5 seconds`, `1 second`, `0.04 seconds`."""
    if length_s < 1:
        shown = f"{length_s:.2g}"
    else:
        shown = f"{length_s:.0f}" if length_s >= 60 else f"{length_s:.1f}".removesuffix(".0")
    return f"{shown} second{'' if shown == '1' else 's'}"
