"""Sentences made of claims: one description for each shot, and one for the video.

Nothing is said but what a claim holds; where there is no claim there is no sentence. No model
writes here, so every result that shows these sentences says `model_kind: composed`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from analyzers.methods.story.english import another, counted, listed, number, seconds, sentence
from analyzers.methods.story.shot_claims import SCALE_WORDS, Claim, Shot
from analyzers.video import Video

#: Things, lines of text, and shots with what happens there, named in the paragraph.
_MOST_THINGS, _MOST_TEXTS, _MOST_MENTIONS = 5, 16, 5
_CAPTION_ROOM = 300
_TEXT = "text in the picture reads"


@dataclass(frozen=True)
class Action:
    """Something that happens, in a few words; times in seconds of the video."""

    text: str
    time_s: float
    end_s: float


@dataclass(frozen=True)
class Description:
    """A text, and the claims that it makes, in its order."""

    text: str
    claims: tuple[Claim, ...]
    #: Ids that bear the text beyond the claims': where shots begin and end.
    frame_of_reference: tuple[str, ...] = ()
    #: What a model that looked at the shot saw happen; rules make claims of that instead.
    actions: tuple[Action, ...] = ()
    #: Whether a model wrote it: then it says something without a claim.
    written: bool = False

    @property
    def says_something(self) -> bool:
        """Whether there is more to it than that nothing was recognised."""
        return self.written or bool(self.claims)

    @property
    def evidence(self) -> list[str]:
        """Ids of all rows it rests on, each once, in the order of the text."""
        ids = [*self.frame_of_reference, *(i for claim in self.claims for i in claim.evidence)]
        return list(dict.fromkeys(ids))

    @property
    def confidence(self) -> float | None:
        """Of the least sure claim; None without any."""
        return min((claim.confidence for claim in self.claims), default=None)


class Composer:
    """Describes by putting claims into sentences, as the embedded profile does."""

    def describe(
        self, video: Video, shots: Sequence[Shot]
    ) -> tuple[list[Description], Description]:
        """A description of each shot, and one of the video."""
        described = [describe_shot(shot) for shot in shots]
        return described, describe_video(shots, described, video.info.end_s)


def describe_shot(shot: Shot) -> Description:
    """What is in the shot and how it is framed; what happens; the camera; colours; text."""
    parts = [
        _shown(shot), _place(shot), _doing(shot), _moving(shot), _camera(shot), _colours(shot),
        _read(shot),
    ]  # fmt: skip
    told = [part for part in parts if part is not None]
    text = " ".join(sentence(words) for words, _ in told)
    claims = tuple(claim for _, own in told for claim in own)
    reference = (shot.evidence,) if shot.evidence else ()
    return Description(text or "Nothing in this shot was recognised.", claims, reference)


_Part = tuple[str, list[Claim]] | None


def _shown(shot: Shot) -> _Part:
    subjects = shot.of("subject")
    scale, setting, placement = shot.of("scale"), shot.of("setting"), shot.of("placement")
    phrases = [claim.text for claim in subjects]
    if phrases and placement:
        phrases[0] += f" {placement[0].text}"
    where = f", {setting[0].text}" if setting else ""
    claims = [*scale, *subjects[:1], *(placement if subjects else []), *subjects[1:], *setting]
    if scale and subjects:
        return f"{scale[0].text} of {listed(phrases)}{where}", claims
    if scale:
        return f"{scale[0].text}{where}", claims
    if subjects:
        return f"the shot shows {listed(phrases)}{where}", claims
    if setting:
        return f"the shot is {'' if setting[0].hedged else 'taken '}{setting[0].text}", claims
    return None


def _place(shot: Shot) -> _Part:
    claims = shot.of("scene")
    return (f"the place looks like {claims[0].text}", claims) if claims else None


def _doing(shot: Shot) -> _Part:
    posture, actions, emotions = shot.of("posture"), shot.of("action"), shot.of("emotion")
    gaze = [claim for claim in actions if claim.value == "camera"]
    of_body = [claim.text for claim in (*posture, *actions) if claim not in gaze]
    of_face = [claim.text for claim in gaze]
    if emotions:
        first = " at first" if len(emotions) > 1 else ""
        words = [f"{emotions[0].text}{first}", *(claim.text for claim in emotions[1:])]
        of_face.append(f"looks {', then '.join(words)}")
    claims = [*posture, *actions, *emotions]
    if not claims:
        return None
    people = [claim for claim in shot.of("subject") if claim.value == "person"]
    if not people:
        return f"the face {listed([*of_body, *of_face])}", claims
    if people[0].count == 1:
        return f"the person {listed([*of_body, *of_face])}", claims
    # The body that is seen most and the largest face may be two people's.
    phrases = [listed(words) for words in (of_body, of_face) if words]
    return f"one of the people {', and one '.join(phrases)}", claims


def _moving(shot: Shot) -> _Part:
    claims = shot.of("motion")
    by_thing: dict[str, list[str]] = {}
    for claim in claims:
        by_thing.setdefault(claim.value, []).append(claim.text)
    phrases = [f"the {thing} {listed(words)}" for thing, words in by_thing.items()]
    return (listed(phrases), claims) if phrases else None


def _camera(shot: Shot) -> _Part:
    claims = shot.of("camera")
    if not claims:
        return None
    phrases = [_seeming(claim) for claim in claims]
    return f"the camera {', then '.join(phrases)}", claims


def _seeming(claim: Claim) -> str:
    """`pans to the left`, or `seems to pan to the left`."""
    if not claim.hedged:
        return claim.text
    verb, rest = claim.text.split(" ", 1)
    words = rest.split(" ")
    # Both verbs of `zooms in or comes nearer`.
    for i in range(1, len(words)):
        if words[i - 1] == "or":
            words[i] = words[i].removesuffix("s")
    bare = "be" if verb == "is" else verb.removesuffix("s")
    return f"seems to {bare} {' '.join(words)}"


def _colours(shot: Shot) -> _Part:
    claims = shot.of("colour")
    if not claims:
        return None
    if claims[0].text != claims[0].value:
        return f"the picture is {claims[0].text}", claims
    if len(claims) == 1:
        return f"the main colour is {claims[0].text}", claims
    return f"the main colours are {listed([claim.text for claim in claims])}", claims


def _read(shot: Shot) -> _Part:
    claims = shot.of("text")
    return (f"{_TEXT} {listed([c.text for c in claims])}", claims) if claims else None


def describe_video(
    shots: Sequence[Shot], described: Sequence[Description], end_s: float
) -> Description:
    """A paragraph; of a single shot its own description, after the length."""
    reference = tuple(shot.evidence for shot in shots if shot.evidence)
    length = f"the video lasts {seconds(end_s)}"
    if len(shots) == 1:
        cut = " and is a single shot" if reference else ""
        first = sentence(f"{length}{cut}")
        own = described[0] if described[0].claims else Description("", ())
        marks = _watermarks(shots)
        text = " ".join(filter(None, (first, own.text, marks and sentence(marks[0]))))
        return Description(text, (*own.claims, *(marks[1] if marks else [])), reference)
    parts = [
        _seen_in(shots), _settings(shots), _places(shots), _scales(shots), _happens(shots),
        _cameras(shots), _hues(shots), _texts(shots), _watermarks(shots),
    ]  # fmt: skip
    told = [part for part in parts if part is not None]
    text = " ".join(
        [sentence(f"{length} and has {number(len(shots))} shots"), *(sentence(w) for w, _ in told)]
    )
    return Description(text, tuple(c for _, own in told for c in own), reference)


def _in_shots(count: int, shots: Sequence[Shot]) -> str:
    if count == len(shots):
        return "in every shot"
    return f"in {number(count)} of the {number(len(shots))} shots"


def _seen_in(shots: Sequence[Shot]) -> _Part:
    """What is seen in how many shots, what is in most of them first."""
    by_thing: dict[str, list[Claim]] = {}
    for shot in shots:
        for claim in shot.of("subject"):
            by_thing.setdefault(claim.value, []).append(claim)
    ranked = sorted(by_thing.values(), key=lambda claims: -len(claims))[:_MOST_THINGS]
    if not ranked:
        return None
    phrases = []
    for place, claims in enumerate(ranked):
        best = min(claims, key=lambda claim: (claim.hedged, -claim.confidence))
        where = _in_shots(len(claims), shots) if not place else f"in {number(len(claims))}"
        words = best.text if len(claims) == 1 else _one(best)
        phrases.append(f"{words} {where}")
    return f"it shows {listed(phrases)}", [claim for claims in ranked for claim in claims]


def _one(claim: Claim) -> str:
    """Of several shots the number may differ: `people` or `a person`, without it."""
    noun = claim.value or "face"
    if claim.value == "person":
        return "somebody" if not claim.hedged else "what looks like a person"
    return counted(1, noun) if not claim.hedged else f"what looks like {counted(1, noun)}"


def _settings(shots: Sequence[Shot]) -> _Part:
    claims = [claim for shot in shots for claim in shot.of("setting")]
    words = {claim.text for claim in claims}
    if not claims:
        return None
    if len(words) == 1:
        where = "" if len(claims) == len(shots) else ", where it can be told,"
        return f"the setting{where} is {claims[0].text}", claims
    parts = [
        f"{number(sum(c.text == word for c in claims))} shot"
        f"{'s are' if sum(c.text == word for c in claims) > 1 else ' is'} {word}"
        for word in sorted(words)
    ]
    return listed(parts), claims


def _places(shots: Sequence[Shot]) -> _Part:
    claims = [claim for shot in shots for claim in shot.of("scene")]
    if not claims:
        return None
    counts = Counter(claim.text for claim in claims).most_common()
    verb = "looks" if counts[0][1] == 1 else "look"
    first = f"{number(counts[0][1])} of the shots {verb} like {counts[0][0]}"
    return listed([first, *(f"{number(n)} like {text}" for text, n in counts[1:])]), claims


def _scales(shots: Sequence[Shot]) -> _Part:
    claims = [claim for shot in shots for claim in shot.of("scale")]
    if not claims:
        return None
    sure = Counter(claim.value for claim in claims if not claim.hedged)
    likely = Counter(claim.value for claim in claims if claim.hedged)
    phrases = [f"in {listed(_counted_scales(sure))}"] if sure else []
    phrases += [f"probably in {listed(_counted_scales(likely, beside=sure))}"] if likely else []
    words = f"it is framed {listed(phrases)}"
    return words if len(claims) == len(shots) else f"{words}, where the scale can be told", claims


def _counted_scales(counts: Mapping[str, int], beside: Collection[str] = ()) -> list[str]:
    """`a close-up`, `two long shots`, from near to far; `another`, `two more` of those `beside`."""
    return [
        another(counts[scale], words) if scale in beside else counted(counts[scale], words)
        for scale, words in SCALE_WORDS.items()
        if scale in counts
    ]


def _happens(shots: Sequence[Shot]) -> _Part:
    """Posture, gestures and expressions, with their shots, counted from 1 as people do."""
    phrases: list[str] = []
    claims: list[Claim] = []
    for shot in shots:
        part = _doing(shot)
        if part is not None and len(phrases) < _MOST_MENTIONS:
            phrases.append(f"in shot {shot.number + 1} {part[0]}")
            claims += part[1]
    return ("; ".join(phrases), claims) if phrases else None


def _cameras(shots: Sequence[Shot]) -> _Part:
    told = [(shot, shot.of("camera")) for shot in shots]
    still = [
        own for _, own in told if len(own) == 1 and own[0].value == "static" and not own[0].hedged
    ]
    phrases = [f"the camera stands still {_in_shots(len(still), shots)}"] if still else []
    claims = [claim for own in still for claim in own]
    moving = [(shot, own) for shot, own in told if own and own not in still]
    for shot, own in moving[:_MOST_MENTIONS]:
        words = ", then ".join(_seeming(claim) for claim in own)
        subject = "it" if phrases else "the camera"
        phrases.append(f"in shot {shot.number + 1} {subject} {words}")
        claims += own
    return ("; ".join(phrases), claims) if phrases else None


def _hues(shots: Sequence[Shot]) -> _Part:
    claims = [claim for shot in shots for claim in shot.of("colour")]
    whole = {claim.value for claim in claims}
    if len(whole) == 1 and len(claims) == len(shots) and claims[0].text != claims[0].value:
        return f"the picture is {claims[0].text}", claims
    return None


def _texts(shots: Sequence[Shot]) -> _Part:
    claims = {claim.evidence: claim for shot in shots for claim in shot.of("text")}
    kept: list[Claim] = []
    room = _CAPTION_ROOM
    for claim in claims.values():
        room -= len(claim.text)
        if room < 0 or len(kept) == _MOST_TEXTS:
            break
        kept.append(claim)
    if not kept:
        return None
    first = "the first lines of text read" if len(kept) < len(claims) else _TEXT
    return f"{first} {listed([claim.text for claim in kept])}", kept


def _watermarks(shots: Sequence[Shot]) -> _Part:
    claims = {claim.evidence: claim for shot in shots for claim in shot.of("watermark")}
    if not claims:
        return None
    marks = list(dict.fromkeys(f"“{claim.text}”" for claim in claims.values()))
    shown = "is shown as a watermark" if len(marks) == 1 else "are shown as watermarks"
    return f"{listed(marks)} {shown}", list(claims.values())
