"""Numbers as they are spoken."""

from __future__ import annotations


def spoken(number: float, language: str) -> str | None:
    """A number in the words of a language (its code as Whisper gives it).

    None where num2words has not the language: the words of another would mislead, so whoever asks
    has to do without. Raises `OverflowError` for a number that is too large for it.
    """
    from num2words import num2words

    try:
        return str(num2words(number, lang=language))
    except NotImplementedError:
        return None
