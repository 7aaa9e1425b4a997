"""What is written on screen against what is said: the same, something more, or the contrary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from analyzers.methods.story.joined import Joined, Row, between, end_of
from analyzers.rules import words as w
from analyzers.rules.registry import Finding, quality, rule

quality(
    "text against speech",
    "Captions and stickers that come together (within 0.3 s) are one text. It is held against the "
    "words said from a second before it comes to a second after it goes. `same`: at least 0.6 of "
    "its content words are said. `contradicts`: see the rule. `adds`: anything else. Text without "
    "speech around it is held against nothing.",
)

#: Lines that come within this time are one text.
TOGETHER_S = 0.3
#: How far around a text speech is listened to.
AROUND_S = 1.0
#: Part of a text's content words that must be said for it to say the same.
SAME_SHARE = 0.6
ROLES = ("caption", "sticker")
#: A number speaks of the word after it, or the next but one ("5 easy ways").
_REACH = 2
#: English words of which one denies the other.
_OPPOSITES = (
    ("always", "never"), ("best", "worst"), ("better", "worse"), ("cheap", "expensive"),
    ("easy", "hard"), ("easy", "difficult"), ("simple", "complicated"), ("hot", "cold"),
    ("safe", "dangerous"), ("healthy", "unhealthy"), ("open", "closed"), ("true", "false"),
    ("right", "wrong"), ("good", "bad"), ("love", "hate"), ("more", "less"),
    ("increase", "decrease"),
    ("buy", "sell"), ("fast", "slow"), ("everyone", "nobody"), ("everything", "nothing"),
    ("win", "lose"), ("yes", "no"), ("free", "paid"), ("big", "small"), ("first", "last"),
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """Lines that are one text, and the words that are said around it."""

    lines: Sequence[Row]
    said: Sequence[Row]
    language: str | None

    @property
    def text(self) -> str:
        """The lines in one."""
        return " ".join(line["text"] for line in self.lines)

    @property
    def time_s(self) -> tuple[float, float]:
        """When they come and go."""
        return min(r["time_s"] for r in self.lines), max(end_of(r) for r in self.lines)

    @property
    def written(self) -> list[str]:
        """Their tokens."""
        return [t for line in self.lines for t in w.tokens(line["text"], self.language)]

    @property
    def heard(self) -> list[str]:
        """The tokens of what is said."""
        return w.tokens(" ".join(word["word"] for word in self.said), self.language)

    @property
    def unsaid(self) -> list[str]:
        """Content words that nobody says."""
        heard = self.heard
        return [
            t
            for t in dict.fromkeys(w.content(self.written, self.language))
            if not any(w.same(t, h) for h in heard)
        ]

    @property
    def said_share(self) -> float:
        """Part of the content words that is said."""
        return 1 - len(self.unsaid) / len(set(w.content(self.written, self.language)))

    def evidence(self, matching: Sequence[str] | None = None) -> tuple[str, ...]:
        """The lines, and the words said that matter: those of `matching`, else all."""
        words = [
            word["id"]
            for word in self.said
            if matching is None
            or any(w.same(t, m) for t in w.tokens(word["word"], self.language) for m in matching)
        ]
        return (*(line["id"] for line in self.lines), *words)

    @property
    def confidence(self) -> float:
        """Of the reading and the hearing together."""
        read = sum(line["confidence"] for line in self.lines) / len(self.lines)
        heard = sum(word["confidence"] for word in self.said) / len(self.said)
        return float(min(1.0, read * heard))


def texts(joined: Joined) -> Iterator[Text]:
    """The texts with speech around them."""
    blocks: list[list[Row]] = []
    for line in joined.rows("text_overlay"):
        if line["role"] not in ROLES or not w.tokens(line["text"], None):
            continue
        if blocks and line["time_s"] - blocks[-1][0]["time_s"] <= TOGETHER_S:
            blocks[-1].append(line)
        else:
            blocks.append([line])
    language = joined.of_summary("speech_transcription", "language")
    for block in blocks:
        lines = sorted(block, key=lambda line: (line["y1"] or 0.0, line.get("x1") or 0.0))
        start_s, end_s = min(r["time_s"] for r in lines), max(end_of(r) for r in lines)
        said = between(joined.rows("speech_transcription"), start_s - AROUND_S, end_s + AROUND_S)
        if said:
            yield Text(lines, said, language)


@rule(needs=("text_overlay", "speech_transcription"))
def text_same_as_speech(joined: Joined) -> Iterable[Finding]:
    """A text on screen says what is said: at least 0.6 of its content words are heard within a
    second of it, numbers in digits or words alike, and nothing in it is contradicted."""
    for text in texts(joined):
        if text.said_share >= SAME_SHARE and not contradiction(text):
            start_s, end_s = text.time_s
            said = [t for t in w.content(text.written, text.language) if t not in text.unsaid]
            yield Finding(
                start_s,
                end_s,
                f"“{text.text}” is said as well",
                text.evidence(said),
                confidence=text.confidence * text.said_share,
                effect="helps",
                value="same",
            )


@rule(needs=("text_overlay", "speech_transcription"))
def text_adds_to_speech(joined: Joined) -> Iterable[Finding]:
    """A text on screen tells what is not said while somebody speaks: less than 0.6 of its content
    words are heard within a second of it, and nothing in it is contradicted."""
    for text in texts(joined):
        if text.said_share < SAME_SHARE and not contradiction(text):
            start_s, end_s = text.time_s
            yield Finding(
                start_s,
                end_s,
                f"“{text.text}” adds to what is said: {', '.join(text.unsaid[:8])}",
                text.evidence(),
                confidence=text.confidence,
                value="adds",
            )


@rule(needs=("text_overlay", "speech_transcription"))
def text_contradicts_speech(joined: Joined) -> Iterable[Finding]:
    """A text on screen denies what is said within a second of it: another number of the same thing
    ("5 ways" against "three ways"), a word that one of them negates and the other does not ("no
    sugar" against "plenty of sugar"), or, in English, the opposite of a word ("always" against
    "never") where the two share another content word. Irony and changes of mind look the same."""
    for text in texts(joined):
        if found := contradiction(text):
            start_s, end_s = text.time_s
            why, matching = found
            yield Finding(
                start_s,
                end_s,
                f"“{text.text}” contradicts what is said: {why}",
                text.evidence(matching),
                confidence=text.confidence * 0.8,
                effect="costs",
                value="contradicts",
            )


def contradiction(text: Text) -> tuple[str, list[str]] | None:
    """What is denied, in words, and the words said that deny it; None for nothing."""
    written, heard = text.written, text.heard
    for number, things in _numbers(written):
        for other, others in _numbers(heard):
            thing = _same_thing(things, others)
            if thing and number != other and number not in heard:
                return f"{number} {thing}, but {other} {thing}", [other, thing]
    if found := _opposite(text):
        return found
    denied, said_denied = _negated(written), _negated(heard)
    for word in w.content(written, text.language):
        if not any(w.same(word, h) for h in heard) or word.isdigit() or word in w.NEGATIONS:
            continue
        in_text = word in denied
        in_speech = any(w.same(word, d) for d in said_denied)
        if in_text != in_speech:
            how = ("not", "") if in_text else ("", "not")
            return " but ".join(f"{h} {word}".strip() for h in how), [word, *w.NEGATIONS]
    return None


def _opposite(text: Text) -> tuple[str, list[str]] | None:
    """A word written whose opposite is said of something that both name; English only."""
    if text.language not in (None, "en"):
        return None
    written, heard = text.written, text.heard
    shared = [t for t in w.content(written, text.language) if any(w.same(t, h) for h in heard)]
    for pair in _OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if (
                one in written
                and other in heard
                and one not in heard
                and other not in written
                and any(t not in pair for t in shared)
            ):
                return f"{one}, but {other}", [other]
    return None


def _numbers(tokens: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Each number with the content words right after it."""
    found = []
    for place, token in enumerate(tokens):
        if token.isdigit():
            after = tokens[place + 1 : place + 1 + _REACH]
            things = [t for t in after if t not in w.FUNCTION_WORDS and not t.isdigit()]
            if things:
                found.append((token, things))
    return found


def _same_thing(things: Sequence[str], others: Sequence[str]) -> str | None:
    """What both numbers count: "5 easy ways" and "three ways" are both of ways.

    "easy" alone does not do where other things follow it ("5 easy ways", "three easy recipes").
    """
    shared = [t for t in things if any(w.same(t, o) for o in others)]
    if not shared:
        return None
    parted = len(things) == len(others) == _REACH and not w.same(things[-1], others[-1])
    return None if parted and w.same(things[0], others[0]) else shared[-1]


def _negated(tokens: Sequence[str]) -> set[str]:
    """Content words with a negation right before them, or one word in between."""
    return {
        token
        for place, token in enumerate(tokens)
        if token not in w.NEGATIONS
        and token not in w.FUNCTION_WORDS
        and any(t in w.NEGATIONS for t in tokens[max(0, place - _REACH) : place])
    }
