"""Words made comparable: how captions are held against speech."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import cache

from analyzers.methods.speech.spoken_numbers import spoken


def word_set(words: str) -> frozenset[str]:
    """Words that stand in one string, apart by blanks."""
    return frozenset(words.split())


#: English words that carry no content. Of other languages words of three letters or less.
FUNCTION_WORDS = word_set(
    """
    a an the and or but if so to of in on at by for from with as is are was were be been
    being am i you he she it we they me him her us them my your his its our their this
    that these those there here do does did have has had will would can could shall should
    may might must just not no nor up out about into over what which who whom how when
    where why all any some than then too very also get got let s t re ve ll d m
    """
)
#: Words that turn what follows into its opposite, in English, German, French, Spanish, Portuguese
#: and Italian.
NEGATIONS = word_set(
    """
    no not never without none nothing neither cannot don dont doesn doesnt isn isnt won
    wont can't don't doesn't isn't won't aren't wasn't didn't nicht kein keine keinen ohne
    nie ni non pas sans jamais sin nunca não nao sem senza mai
    """
)
#: Words whose s is none of the plural.
_KEEP_S = {"always", "perhaps", "sometimes", "yes", "plus", "bus", "gas", "lens", "news"}
_SHORT_FUNCTION = 3
_WORD = re.compile(r"[$€£]?\d+(?:[.,]\d+)*%?|[^\W\d_]+(?:'[^\W\d_]+)*")
_APOSTROPHE = "\u2019"
#: "1." or "2)" at the head of a line counts it, and says no number.
_LIST_MARK = re.compile(r"^\s*(?:#\s*)?\d{1,2}\s*[.):]\s+")
_SIGNS = {"$": "dollar", "€": "euro", "£": "pound", "%": "percent"}
#: Letters of a word from which a reader's or a recognizer's slip is forgiven, and how like it is.
_FUZZY_LETTERS, _FUZZY_RATIO = 5, 0.82


def tokens(text: str, language: str | None) -> list[str]:
    """Lower-case words of a text, numbers as digits, signs as words, plurals without their s."""
    found: list[str] = []
    for match in _WORD.findall(_LIST_MARK.sub("", text).lower().replace(_APOSTROPHE, "'")):
        sign = match[0] if match[0] in _SIGNS else match[-1] if match[-1] in _SIGNS else ""
        word = match.strip("".join(_SIGNS)).rstrip(".,")
        found.append(_number_words(language or "en").get(word) or _stem(word))
        if sign:
            found.append(_SIGNS[sign])
    return found


def content(words: list[str], language: str | None) -> list[str]:
    """Those that say something; all where none does."""
    if language in (None, "en"):
        found = [w for w in words if w not in FUNCTION_WORDS and w not in NEGATIONS]
    else:
        found = [w for w in words if w.isdigit() or len(w) > _SHORT_FUNCTION]
    return found or words


def same(one: str, other: str) -> bool:
    """Whether two tokens are the same word, slips of reading and hearing forgiven."""
    if one == other:
        return True
    if min(len(one), len(other)) < _FUZZY_LETTERS or one[0].isdigit() or other[0].isdigit():
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _FUZZY_RATIO


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    kept = word in FUNCTION_WORDS or word in NEGATIONS or word in _KEEP_S
    if not kept and len(word) > _SHORT_FUNCTION and word.endswith("s") and word[-2] != "s":
        return word[:-1]
    return word


@cache
def _number_words(language: str) -> dict[str, str]:
    """Digits by the word for them, for numbers that are one word.

    None of a language that num2words lacks: there a "5" on screen and a five that is said are two
    words, as any that do not match.
    """
    found = {}
    for number in (*range(21), *range(30, 100, 10), 100, 1000):
        word = spoken(number, language)
        if word is not None and " " not in word:
            found[word] = str(number)
    # One and a are the same word in these, and mostly the article is meant.
    for article in ("un", "une", "uno", "una", "um", "uma", "ein", "eins"):
        found.pop(article, None)
    return found
