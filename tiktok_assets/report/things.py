"""Objects, goods, text on screen and places."""

from __future__ import annotations

from dataclasses import dataclass

from tiktok_assets.report.facts import Fact, Share, fact, facts, shares
from tiktok_assets.report.pictures import Picture, Pictures
from tiktok_assets.report.told import Row, Told
from tiktok_assets.report.wording import number, words

MOST_OBJECTS, MOST_PRODUCTS, MOST_LINES = 20, 12, 200
_PRODUCT_PX = 160


@dataclass(frozen=True)
class Product:
    """Goods on screen."""

    label: str
    start_s: float
    end_s: float
    picture: Picture | None
    facts: list[Fact]


@dataclass(frozen=True)
class Things:
    """What is in the picture beside people."""

    objects: list[Row]
    objects_left_out: int
    why_no_objects: str
    products: list[Product]
    products_left_out: int
    why_no_products: str
    settings: list[Share]
    scene_labels: list[Share]
    facts: list[Fact]


def things(told: Told, pictures: Pictures) -> Things:
    """Objects by how much of the video they are in, goods by time on screen."""
    classes = sorted(told.values("object_detection", "classes"), key=lambda c: -c["frame_share"])
    goods = sorted(told.rows("product_detection"), key=lambda row: -row["on_screen_s"])
    return Things(
        classes[:MOST_OBJECTS],
        max(0, len(classes) - MOST_OBJECTS),
        told.why_not("object_detection") if not classes else "",
        [_product(row, pictures) for row in goods[:MOST_PRODUCTS]],
        max(0, len(goods) - MOST_PRODUCTS),
        told.why_not("product_detection") if not goods else "",
        shares(told.values("background_segmentation", "settings"), "setting"),
        shares(told.values("scene_segmentation", "labels"), "label"),
        _facts(told),
    )


def _product(row: Row, pictures: Pictures) -> Product:
    told = facts(
        fact("On screen", row["on_screen_s"], "s"),
        fact("In hand", row["held_s"], "s") if row["held"] else None,
        fact("Brand", row["brand"]),
        fact("Text on it", row["text"]),
        fact("Looks like", row["finer_label"] and words(row["finer_label"])),
        fact("Confidence", row["confidence"], digits=2),
    )
    picture = pictures.box(row, _PRODUCT_PX)
    return Product(words(row["label"]), row["time_s"], row["end_s"], picture, told)


def _facts(told: Told) -> list[Fact]:
    subject = told.value("background_segmentation", "subject_share")
    background = told.value("background_segmentation", "background")
    return facts(
        fact("Subject fills", subject and number(subject * 100), "% of the picture"),
        fact("Background", background and words(background)),
    )


def text_lines(told: Told) -> tuple[list[Row], int]:
    """Lines of text in order of time, and how many more there are."""
    lines = told.rows("text_overlay")
    return lines[:MOST_LINES], max(0, len(lines) - MOST_LINES)
