"""Which of the detector's classes are goods a viewer could buy, and how a second network agrees.

Each of COCO's 80 classes stands here once: among the goods, with the classes of ImageNet that a
picture of it may be taken for, or among what is not, with the reason. The pairs were made by hand
from the names of both lists.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Things that are carried, held, worn, eaten or put on a table.
GOODS: dict[str, tuple[str, ...]] = {
    "backpack": ("backpack", "mailbag"),
    "umbrella": ("umbrella",),
    "handbag": ("purse", "mailbag", "wallet"),
    "tie": ("Windsor tie", "bow tie", "bolo tie"),
    "suitcase": ("chest", "mailbag"),
    "frisbee": (),
    "skis": ("ski",),
    "snowboard": (),
    "sports ball": (
        "soccer ball", "basketball", "volleyball", "rugby ball", "tennis ball", "golf ball",
        "croquet ball", "ping-pong ball", "baseball",
    ),
    "kite": (),
    "baseball bat": (),
    "baseball glove": (),
    "skateboard": (),
    "surfboard": (),
    "tennis racket": ("racket",),
    "bottle": (
        "water bottle", "pop bottle", "beer bottle", "wine bottle", "pill bottle", "water jug",
        "whiskey jug", "nipple", "soap dispenser", "perfume", "lotion", "sunscreen", "hair spray",
        "cocktail shaker", "red wine",
    ),
    "wine glass": ("goblet", "red wine"),
    "cup": ("cup", "coffee mug", "espresso", "measuring cup", "beer glass", "eggnog", "goblet"),
    "fork": (),
    "knife": ("cleaver", "letter opener"),
    "spoon": ("wooden spoon", "ladle", "spatula"),
    "bowl": ("soup bowl", "mixing bowl", "consomme", "hot pot", "guacamole", "trifle"),
    "banana": ("banana",),
    "apple": ("Granny Smith",),
    "sandwich": ("cheeseburger", "hotdog", "bagel"),
    "orange": ("orange", "lemon"),
    "broccoli": ("broccoli",),
    "carrot": (),
    "hot dog": ("hotdog",),
    "pizza": ("pizza",),
    "donut": ("bagel",),
    "cake": ("trifle", "chocolate sauce", "bakery"),
    "laptop": ("laptop", "notebook", "desktop computer", "screen"),
    "mouse": ("mouse",),
    "remote": ("remote control",),
    "keyboard": ("computer keyboard", "typewriter keyboard", "space bar"),
    "cell phone": ("cellular telephone", "hand-held computer", "iPod"),
    "microwave": ("microwave",),
    "toaster": ("toaster",),
    "book": ("comic book", "book jacket", "notebook"),
    "clock": ("wall clock", "analog clock", "digital clock", "stopwatch"),
    "vase": ("vase", "pot"),
    "scissors": (),
    "teddy bear": ("teddy",),
    "hair drier": ("hand blower",),
    "toothbrush": (),
}  # fmt: skip

#: What can be bought but is mostly seen for another reason: it drives past, or the room holds it.
#: The detector cannot tell what is on offer from traffic and furnishings, so these count only where
#: a setting says so.
VEHICLES: dict[str, tuple[str, ...]] = {
    "bicycle": ("mountain bike", "bicycle-built-for-two"),
    "motorcycle": ("moped", "motor scooter"),
    "car": (
        "convertible", "sports car", "minivan", "cab", "limousine", "jeep", "beach wagon", "racer",
        "pickup",
    ),
    "boat": ("speedboat", "canoe", "catamaran", "trimaran", "yawl"),
}  # fmt: skip
FURNITURE: dict[str, tuple[str, ...]] = {
    "chair": ("folding chair", "rocking chair", "barber chair"),
    "couch": ("studio couch",),
    "potted plant": ("pot",),
    "bed": ("four-poster", "studio couch"),
    "dining table": ("dining table",),
    "tv": ("television", "monitor", "screen", "home theater"),
    "oven": ("stove", "microwave"),
    "refrigerator": ("refrigerator",),
}

#: Kinds of goods beyond `GOODS` that a setting may ask for.
FURTHER_KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "vehicles": VEHICLES,
    "furniture": FURNITURE,
}

#: What is no product, and why.
NO_GOODS: dict[str, str] = {
    **dict.fromkeys(
        (
            "person", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra",
            "giraffe",
        ),
        "a living being",
    ),
    **dict.fromkeys(
        ("airplane", "bus", "train", "truck"), "carries the public or freight; no viewer buys it"
    ),
    **dict.fromkeys(
        ("traffic light", "fire hydrant", "stop sign", "parking meter", "bench"),
        "belongs to the street",
    ),
    **dict.fromkeys(("toilet", "sink"), "is built in"),
}  # fmt: skip


def agreement(
    probabilities: np.ndarray, labels: Sequence[str], alike: Sequence[str]
) -> tuple[float, str | None]:
    """How far a classifier agrees with a detector, and the finer name where it is sure of one.

    `probabilities`: (pictures, classes) of one object, `labels` names the classes and `alike` those
    that go with the detector's class. Gives the mean probability of all these together, 0..1, and
    the likeliest of them if it is the likeliest of all and has half of the probability.
    """
    mean = probabilities.mean(axis=0)
    places = [place for place, label in enumerate(labels) if label in alike]
    best = int(mean.argmax())
    finer = labels[best] if best in places and mean[best] >= 0.5 else None
    return min(1.0, float(mean[places].sum())), finer


def noisy_or(*opinions: float) -> float:
    """Confidence of independent opinions for one thing: 1 - (1 - a)(1 - b)... (Pearl 1988, 4.3.2).

    Each is 0..1; an opinion of 0 says nothing, it does not speak against.
    """
    return float(1 - np.prod([1 - opinion for opinion in opinions]))
