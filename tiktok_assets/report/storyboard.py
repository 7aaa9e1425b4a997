"""The storyboard: a card for each shot, or where shots are unknown, for moments at even steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tiktok_assets.report.pictures import Picture, Pictures
from tiktok_assets.report.spoken import text_of, words_said
from tiktok_assets.report.told import Row, Told
from tiktok_assets.report.wording import clipped, clock, plural, words

#: So many shots get a card: the longest.
MOST_CARDS = 120
#: Long side of a card's picture, where there are at most so many; the page is to stay small.
_SIDES_PX = ((12, 640), (30, 480), (60, 360), (MOST_CARDS, 288))
#: Moments, where no shots are known.
_MOMENTS, _MOMENT_S = 12, 2.0
_QUOTED = 260
#: What is on screen in a shot for less than this does not belong to it.
_LEAST_S = 0.2
_MOST_LINES = 8
#: Text that stands there all the time; the section on text has it.
_MARKS = ("watermark", "logo")


@dataclass
class Card:
    """One shot. `number` counts from 1 as the descriptions do; None for a moment."""

    number: int | None
    start_s: float
    end_s: float
    picture: Picture | None = None
    picture_s: float | None = None
    scene: str = ""
    #: Shot scale, camera moves, how it begins.
    signs: list[str] = field(default_factory=list)
    description: str = ""
    model_kind: str = ""
    texts: list[str] = field(default_factory=list)
    texts_left_out: int = 0
    quote: str = ""

    @property
    def title(self) -> str:
        """`Shot 3`."""
        return f"Shot {self.number}" if self.number is not None else "Moment"

    @property
    def alt(self) -> str:
        """What a reader who does not see the picture is told."""
        what = clipped(self.description, 200) or self.title
        return f"{self.title} at {clock(self.picture_s or self.start_s)}: {what}"


@dataclass
class Storyboard:
    """The cards in order of time, and what is to be known of them."""

    cards: list[Card]
    #: Where no shots are known, why.
    why_no_shots: str = ""
    left_out: int = 0
    left_out_longest_s: float = 0.0


def storyboard(told: Told, pictures: Pictures) -> Storyboard:
    """The cards, from the results of cut_analysis or scene_segmentation."""
    shots = _shots(told)
    left: list[Row] = []
    if shots:
        by_length = sorted(shots, key=lambda s: (s["time_s"] - s["end_s"], s["time_s"]))
        left = by_length[MOST_CARDS:]
        kept = sorted(by_length[:MOST_CARDS], key=lambda s: s["time_s"])
        cards = [Card(s["shot"] + 1, s["time_s"], s["end_s"]) for s in kept]
        why = ""
    else:
        cards = _moments(told.end_s)
        why = told.why_not("cut_analysis") or "cut_analysis is switched off"
    _tell(told, cards)
    _show(told, cards, pictures)
    longest_s = max((s["end_s"] - s["time_s"] for s in left), default=0.0)
    return Storyboard(cards, why, len(left), longest_s)


def _shots(told: Told) -> list[Row]:
    for name in ("cut_analysis", "scene_segmentation"):
        if shots := [row for row in told.rows(name) if row["type"] == "shot"]:
            return shots
    return []


def _moments(end_s: float) -> list[Card]:
    count = max(1, min(_MOMENTS, round(end_s / _MOMENT_S)))
    step_s = end_s / count
    return [Card(None, i * step_s, (i + 1) * step_s) for i in range(count)]


def _tell(told: Told, cards: Sequence[Card]) -> None:
    described = {row["shot"] + 1: row for row in told.rows("qwen2_vl_temporal")}
    composed = {row["shot"] + 1: row for row in told.rows("composition_analysis")}
    cut = {row["shot"] + 1: row for row in told.rows("cut_analysis") if row["type"] == "shot"}
    scenes = {
        row["shot"] + 1: row for row in told.rows("scene_segmentation") if row["type"] == "shot"
    }
    labels = {
        row["scene"]: row for row in told.rows("scene_segmentation") if row["type"] == "scene"
    }
    none, said = Row(), words_said(told)
    for card in cards:
        if card.number is not None:
            shot = described.get(card.number, none)
            card.description = shot["description"] or ""
            card.model_kind = shot["model_kind"] or ""
            if (scene := labels.get(scenes.get(card.number, none)["scene"])) is not None:
                card.scene = "" if scene["label"] == "uncertain" else words(scene["label"])
            if scale := composed.get(card.number, none)["shot_scale"]:
                card.signs.append(words(scale))
            card.signs += _moves(told, card)
            begins = cut.get(card.number, none)["begins_with"]
            if begins not in (None, "start", "cut"):
                card.signs.append(f"begins with {words(begins)}")
        lines = [
            row["text"]
            for row in told.rows("text_overlay")
            if row["role"] not in _MARKS and _shared_s(row, card) >= _LEAST_S
        ]
        texts = list(dict.fromkeys(lines))
        card.texts, card.texts_left_out = texts[:_MOST_LINES], max(0, len(texts) - _MOST_LINES)
        card.quote = clipped(_said(said, card), _QUOTED)


def _moves(told: Told, card: Card) -> list[str]:
    """Camera moves that fill a good part of the shot, by their names, in order."""
    moves = [
        row
        for row in told.rows("camera_analysis")
        if row["type"] == "move"
        and row["kind"] != "unknown"
        and _shared_s(row, card) >= min(1.0, (card.end_s - card.start_s) / 2)
    ]
    names = dict.fromkeys(words(row["kind"]) for row in moves)
    return ["still camera" if name == "static" else name for name in names]


def _said(said: Sequence[Row], card: Card) -> str:
    """The words whose middle is in the shot."""
    return text_of(
        [row for row in said if card.start_s <= (row["time_s"] + row["end_s"]) / 2 < card.end_s]
    )


def _shared_s(row: Row, card: Card) -> float:
    return min(row["end_s"], card.end_s) - max(row["time_s"], card.start_s)


def _show(told: Told, cards: Sequence[Card], pictures: Pictures) -> None:
    side_px = next(side for most, side in _SIDES_PX if len(cards) <= most)
    stored = {
        row["shot"] + 1: row for row in told.rows("scene_segmentation") if row["type"] == "shot"
    }
    for card in cards:
        row = stored.get(card.number or 0)
        jpeg = told.file("scene_segmentation", row["keyframe_file"]) if row else None
        if row is not None and jpeg is not None:
            card.picture = pictures.stored(jpeg, side_px)
            card.picture_s = row["keyframe_time_s"]
        if card.picture is None:
            middle_s = (card.start_s + card.end_s) / 2
            card.picture, card.picture_s = pictures.at(middle_s, side_px), middle_s


def left_out_sentence(board: Storyboard) -> str:
    """What the storyboard does not show; "" where it shows all."""
    if not board.left_out:
        return ""
    return (
        f"{plural(board.left_out, 'shot')} of at most {board.left_out_longest_s:.1f} s "
        f"{'is' if board.left_out == 1 else 'are'} left out: the {MOST_CARDS} longest are shown."
    )
