"""How many syllables and phones words have: dictionaries for English, hyphenation for the rest.

English: the CMU Pronouncing Dictionary (http://www.speech.cs.cmu.edu/cgi-bin/cmudict), first
pronunciation. A word it does not have, and words of other languages: the hyphenation patterns of
LibreOffice (Pyphen), which part a word only where a typesetter would: over words of the CMU
dictionary they find 91 % of the syllables. Chinese characters and Korean blocks are a syllable
each. Numbers are spelt out first (num2words).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from analyzers.methods.speech.spoken_numbers import spoken

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
#: Languages with a decimal point; the others write a comma, and points between thousands.
_DECIMAL_POINT = ("en", "zh", "yue", "ja", "ko", "th", "he", "hi")
_PARTS = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
#: Languages whose writing gives a syllable for each sign of these names in Unicode.
_SYLLABIC = {"zh": "CJK UNIFIED", "yue": "CJK UNIFIED", "ko": "HANGUL SYLLABLE"}


@dataclass(frozen=True)
class Sounds:
    """Sounds of a word. None where nothing is known of the language; `phones` also for a word that
    the dictionary lacks.
    """

    syllables: int | None
    phones: int | None


class Dictionary(Protocol):
    """A dictionary of English."""

    def sounds(self, word: str) -> tuple[int, int] | None:
        """Syllables and phones of a word in small letters, or None."""


def sounds_of(word: str, language: str, dictionary: Dictionary) -> Sounds:
    """Syllables and phones of a word as written, with its punctuation.

    `language`: code as Whisper gives it, e.g. en. A token without a letter or digit has none.
    """
    spelt = word.lower()
    for number in _NUMBER.findall(spelt):
        said = _in_words(number, language)
        if said is None:
            return Sounds(None, None)
        spelt = spelt.replace(number, f" {said} ", 1)
    parts = [_part(part, language, dictionary) for part in _PARTS.findall(spelt)]
    if not parts:
        return Sounds(0, 0)
    syllables = [part.syllables for part in parts]
    phones = [part.phones for part in parts]
    return Sounds(
        None if None in syllables else sum(n for n in syllables if n),
        None if None in phones else sum(n for n in phones if n),
    )


def _in_words(number: str, language: str) -> str | None:
    thousands, decimal = (",", ".") if language in _DECIMAL_POINT else (".", ",")
    if re.fullmatch(rf"\d{{1,3}}(?:\{thousands}\d{{3}})+(?:\{decimal}\d+)?", number):
        number = number.replace(thousands, "")
    digits = number.replace(decimal, ".")
    try:
        return spoken(float(digits) if "." in digits else int(digits), language)
    except (ValueError, OverflowError):  # it is no number ("1.2.3"): digit by digit
        said = [spoken(int(digit), language) for digit in number if digit.isdigit()]
        return None if None in said else " ".join(filter(None, said))


def _part(part: str, language: str, dictionary: Dictionary) -> Sounds:
    part = part.replace("\u2019", "'")
    if language == "en" and (known := dictionary.sounds(part)):
        return Sounds(*known)
    if language == "en" and part.endswith("'s") and (known := dictionary.sounds(part[:-2])):
        return Sounds(known[0], known[1] + 1)
    if language in _SYLLABIC:
        signs = [c for c in part if unicodedata.name(c, "").startswith(_SYLLABIC[language])]
        return Sounds(len(signs), None) if signs else Sounds(None, None)
    hyphens = _hyphens(language)
    return Sounds(None if hyphens is None else len(hyphens.positions(part)) + 1, None)


@cache
def _hyphens(language: str) -> Any:
    import pyphen

    code = "en_US" if language == "en" else pyphen.language_fallback(language)
    if code is None:
        return None
    return pyphen.Pyphen(lang=code, left=1, right=1)
