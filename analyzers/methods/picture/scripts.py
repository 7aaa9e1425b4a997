"""Which script a text is written in, and where it can be told without a model, which language."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

#: First words of Unicode character names (UAX #44) and the script they stand for.
_SCRIPTS = {
    "LATIN": "latin",
    "CJK": "han",
    "HIRAGANA": "kana",
    "KATAKANA": "kana",
    "KATAKANA-HIRAGANA": "kana",
    "HANGUL": "hangul",
    "GREEK": "greek",
    "CYRILLIC": "cyrillic",
    "ARABIC": "arabic",
    "HEBREW": "hebrew",
    "THAI": "thai",
    "DEVANAGARI": "devanagari",
}
#: What `script_of` can answer; `common` is text without letters: digits, signs, emoji.
SCRIPTS = (*dict.fromkeys(_SCRIPTS.values()), "other", "common")

#: Scripts that in practice are written for one language (ISO 639-1). Han with kana is Japanese.
_LANGUAGE_OF_SCRIPT = {
    "kana": "ja",
    "han": "zh",
    "hangul": "ko",
    "greek": "el",
    "hebrew": "he",
    "thai": "th",
}

#: Frequent function words. Those that several of these languages share are of no use, and left out.
_FUNCTION_WORDS = {
    "en": "the and is of to you your my it with this that for are was when what how not have i we",
    "es": "el los las y una por con para que es mi lo como pero más muy esta este yo cuando",
    "pt": "o os um uma não com para que é eu meu minha você mas mais muito isso quando são do da",
    "fr": "le les et des une est pour dans que je mon ma ce pas avec sur vous nous qui mais c'est",
    "de": "der die das und ist nicht ich ein eine mit für auf wir du mein wie wenn sich auch zu",
    "it": "il gli di e che per non è una sono con mi ma come questo più della nel io",
}
_COUNTS = Counter(word for words in _FUNCTION_WORDS.values() for word in words.split())
_TELLING = {
    language: {word for word in words.split() if _COUNTS[word] == 1}
    for language, words in _FUNCTION_WORDS.items()
}
#: So many different telling words make a guess, and twice as many as any other language has.
_WORDS_NEEDED = 3


def script_of(text: str) -> str:
    """The script that most letters of a text are in: one of `SCRIPTS`."""
    counts = Counter(
        _SCRIPTS.get(unicodedata.name(letter, "").split(" ")[0], "other")
        for letter in unicodedata.normalize("NFKC", text)
        if letter.isalpha()
    )
    if not counts:
        return "common"
    if counts["kana"]:  # Japanese is written in both
        counts["kana"] += counts.pop("han", 0)
    return max(counts, key=lambda script: (counts[script], -SCRIPTS.index(script)))


def language_of(texts: Iterable[str]) -> str | None:
    """The language (ISO 639-1) of texts that belong together, or None where it is not clear.

    From the script where that decides it; for Latin script from function words of six languages
    (en, es, pt, fr, de, it). The text of one short caption is mostly too little: give it all lines
    of a video.
    """
    lines = list(texts)
    scripts = Counter(script_of(line) for line in lines)
    scripts.pop("common", None)
    if not scripts:
        return None
    script, _ = scripts.most_common(1)[0]
    if scripts["kana"] and script == "han":
        script = "kana"
    if script != "latin":
        return _LANGUAGE_OF_SCRIPT.get(script)
    words = {word.strip('.,!?:;"()…').casefold() for line in lines for word in line.split()}
    hits = sorted(
        ((len(words & telling), name) for name, telling in _TELLING.items()), reverse=True
    )
    (best, language), (second, _) = hits[:2]
    return language if best >= _WORDS_NEEDED and best >= 2 * second else None
