"""Whether words are friendly or not: VADER, a lexicon with rules for negation, degree and emphasis.

Hutto & Gilbert, "VADER: a parsimonious rule-based model for sentiment analysis of social media
text" (ICWSM 2014; compound score against people's ratings of 4,200 short posts: r = 0.88). English
only. It reads words one by one: no irony, no story, and "like" is friendly wherever it stands.
"""

from __future__ import annotations

from functools import cache
from typing import Any

LANGUAGES = ("en",)


def sentiment(text: str, language: str) -> float | None:
    """From -1 (hostile, sad) over 0 (no feeling in the words) to 1; None for other languages.

    `language`: code as Whisper gives it.
    """
    if language not in LANGUAGES:
        return None
    return float(_vader().polarity_scores(text)["compound"])


@cache
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
