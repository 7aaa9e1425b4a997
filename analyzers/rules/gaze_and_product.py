"""Where somebody looks while a product is there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable

import numpy as np

from analyzers.methods.story.joined import Joined, Row, end_of
from analyzers.rules.registry import Finding, quality, rule
from analyzers.rules.spans import runs

quality(
    "looks at the product",
    "The gaze, drawn from the middle of the face into the picture, passes within 30 degrees of the "
    "middle of the product's box, and leaves the camera by 10 degrees or more.",
)

#: Half the angle of the cone in which the product must lie, and the least turn of the gaze.
_CONE_DEG, _LEAST_TURN_DEG = 30.0, 10.0
#: Part of a second's looks.
_SHARE = 0.5
#: A look and a box are of one moment if no further apart: boxes come five times a second.
_SAME_S = 0.25


@rule(needs=("product_detection", "eye_tracking"))
def gaze_on_product(joined: Joined) -> Iterable[Finding]:
    """A face in the picture looks at a product in the picture (see the words) for half of a
    second's looks or more; a viewer's eyes follow a gaze (Hutton & Nolte 2011, advertisements)."""

    def at(look: Row, box: Row, _: Row) -> bool:
        yaw, pitch = look["gaze_yaw_deg"], look["gaze_pitch_deg"]
        if look["gaze"] == "closed" or np.hypot(yaw, pitch) < _LEAST_TURN_DEG:
            return False
        # In the picture right is to the right, and up is against y.
        gaze = np.array([np.sin(np.radians(yaw)), -np.sin(np.radians(pitch))])
        way = (_middle(box) - _middle(look)) * [joined.aspect, 1]
        size = np.linalg.norm(gaze) * np.linalg.norm(way)
        return bool(size > 0 and gaze @ way / size >= np.cos(np.radians(_CONE_DEG)))

    return _found(joined, at, "Looks at the {label}")


@rule(needs=("product_detection", "eye_tracking"))
def product_shown_to_camera(joined: Joined) -> Iterable[Finding]:
    """Somebody holds a product and looks into the camera, for half of a second's looks or more."""
    held = joined.column("product_detection", "held_products")

    def shown(look: Row, _: Row, product: Row) -> bool:
        second = joined.grid.segment_of(look["time_s"])
        return look["gaze"] == "camera" and product["label"] in (held[second] or ())

    return _found(joined, shown, "Holds the {label} and looks into the camera")


def _found(joined: Joined, holds: Callable[[Row, Row, Row], bool], told: str) -> Iterable[Finding]:
    """`holds` is asked of a look, a box of the product at that time, and the product."""
    products = [(p, _Boxes(joined, p)) for p in joined.rows("product_detection")]
    if not products:
        return
    looks: list[list[Row]] = [[] for _ in range(len(joined.grid))]
    for look in joined.rows("eye_tracking"):
        looks[joined.grid.segment_of(look["time_s"])].append(look)
    by_second: list[list[tuple[Row, Row]]] = []
    for own in looks:
        pairs = [
            (box, product)
            for look in own
            for product, boxes in products
            if (box := boxes.at(look["time_s"])) and holds(look, box, product)
        ]
        by_second.append(pairs if own and len(pairs) >= _SHARE * len(own) else [])
    for start_s, end_s, seconds in runs([bool(pairs) for pairs in by_second], joined):
        pairs = [pair for second in seconds for pair in by_second[second]]
        label = pairs[0][1].get("brand") or pairs[0][1]["label"]
        ids = dict.fromkeys(row["id"] for box, product in pairs for row in (product, box))
        yield Finding(
            start_s,
            end_s,
            told.format(label=label),
            (*joined.second_ids("eye_tracking", seconds), *list(ids)[:8]),
            confidence=0.6,
            effect="helps",
            value=label,
        )


class _Boxes:
    """Where a product is over time: object_detection's track of it, else its one box."""

    def __init__(self, joined: Joined, product: Row) -> None:
        self._product = product
        self._track = joined.rows("object_detection", track_id=product["track_id"])
        self._times_s = [box["time_s"] for box in self._track]

    def at(self, time_s: float) -> Row | None:
        """The box at a time, None where it is not seen then."""
        if not self._track:
            product = self._product
            there = product["time_s"] - _SAME_S <= time_s <= end_of(product) + _SAME_S
            return product if there else None
        after = bisect_left(self._times_s, time_s)
        near = self._track[max(0, after - 1) : after + 1]
        box = min(near, key=lambda b: abs(b["time_s"] - time_s))
        return box if abs(box["time_s"] - time_s) <= _SAME_S else None


def _middle(row: Row) -> np.ndarray:
    return np.array([(row["x1"] + row["x2"]) / 2, (row["y1"] + row["y2"]) / 2])
