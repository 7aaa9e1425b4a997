"""What kind of scene it is, from objects, faces, text, plants and what its pictures resemble.

A scene has one label: where it is, if the pictures tell, or else what it is about. Each piece of
evidence is a probability of its own, and those for a label are joined by a noisy or. Which classes
speak for which label, and how much, was set by hand from their names; nothing here is trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzers.methods.picture.goods import noisy_or

UNCERTAIN = "uncertain"

#: Classes of ImageNet, by their first names. Animals are the first 398 of its list.
_RESEMBLANCE: dict[str, str] = {
    "street": """street sign|traffic light|parking meter|cab|limousine|minivan|minibus|streetcar
        |trolleybus|school bus|police van|ambulance|fire engine|garbage truck|tow truck|moving van
        |car mirror|jinrikisha|moped|motor scooter|crash helmet|pay-phone|beach wagon|convertible
        |sports car|racer|pickup|jeep|trailer truck|bicycle-built-for-two|mountain bike""",
    "landscape": """alp|cliff|geyser|lakeside|promontory|sandbar|seashore|valley|volcano|coral reef
        |rapeseed|hay|breakwater""",
    "monument": """church|mosque|palace|monastery|castle|triumphal arch|obelisk|totem pole|megalith
        |stupa|cliff dwelling|dome|bell cote|altar|vault""",
    "launch_site": "space shuttle|missile|projectile",
    "shop": """bakery|barbershop|bookshop|butcher shop|confectionery|grocery store|shoe shop
        |tobacco shop|toyshop|shopping cart|shopping basket""",
    "kitchen": """refrigerator|dishwasher|stove|microwave|toaster|frying pan|wok|waffle iron
        |Crock Pot|Dutch oven|rotisserie|spatula|plate rack|mixing bowl|strainer|ladle""",
    "bathroom": "toilet seat|bathtub|tub|washbasin|shower curtain|medicine chest|toilet tissue",
    "bedroom": "four-poster|quilt|crib|cradle|bassinet|pillow",
    "living_room": "studio couch|home theater|entertainment center|rocking chair",
    "office": "desk|desktop computer|laptop|notebook|monitor|computer keyboard|mouse|file|printer",
    "stage": "stage|theater curtain|cinema",
    "sport": """soccer ball|basketball|volleyball|rugby ball|tennis ball|golf ball|croquet ball
        |ping-pong ball|baseball|racket|football helmet|ballplayer|scoreboard|horizontal bar
        |parallel bars|balance beam|barbell|dumbbell|ski|bobsled|puck|punching bag|scuba diver
        |paddle|knee pad""",
    "food_and_drink": """espresso|cup|coffee mug|soup bowl|consomme|hot pot|guacamole|trifle
        |ice cream|ice lolly|French loaf|bagel|pretzel|cheeseburger|hotdog|mashed potato|carbonara
        |chocolate sauce|dough|meat loaf|pizza|potpie|burrito|red wine|eggnog|plate|restaurant
        |dining table|beer glass|goblet|teapot|coffeepot|banana|strawberry|orange|lemon|pineapple
        |Granny Smith|broccoli|cauliflower|cucumber|bell pepper|mushroom|artichoke|pomegranate|fig
        |head cabbage|zucchini|spaghetti squash|acorn squash|butternut squash""",
    "screen": "web site|screen",
}
RESEMBLANCE: dict[str, frozenset[str]] = {
    label: frozenset(name.strip() for name in names.split("|"))
    for label, names in _RESEMBLANCE.items()
}
_ANIMAL_CLASSES = 398

#: Classes of COCO, and how far one that is surely there all the time speaks for the label: 1 where
#: it stands nowhere else, 0.5 where it is carried about.
OBJECTS: dict[str, dict[str, float]] = {
    "street": {
        "car": 0.9, "bus": 1, "truck": 0.9, "traffic light": 1, "fire hydrant": 0.9, "stop sign": 1,
        "parking meter": 1, "motorcycle": 0.8, "bicycle": 0.7, "train": 0.5,
    },
    "landscape": {"kite": 0.5, "boat": 0.5},
    "animals": dict.fromkeys(
        (
            "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe",
        ),
        1.0,
    ),
    "kitchen": {"oven": 1, "refrigerator": 0.9, "microwave": 0.9, "sink": 0.5, "toaster": 0.9},
    "bathroom": {"toilet": 1, "toothbrush": 0.8, "hair drier": 0.6, "sink": 0.5},
    "bedroom": {"bed": 1},
    "living_room": {"couch": 0.8, "tv": 0.5},
    "office": {"laptop": 0.6, "keyboard": 0.7, "mouse": 0.6},
    "sport": {
        "sports ball": 0.8, "frisbee": 0.8, "skis": 0.9, "snowboard": 0.9, "baseball bat": 0.9,
        "baseball glove": 0.9, "skateboard": 0.9, "surfboard": 0.9, "tennis racket": 0.9,
    },
    "food_and_drink": {
        "cup": 0.5, "wine glass": 0.6, "bowl": 0.5, "fork": 0.5, "knife": 0.3, "spoon": 0.5,
        "dining table": 0.7, "banana": 0.7, "apple": 0.7, "sandwich": 0.9, "orange": 0.7,
        "broccoli": 0.8, "carrot": 0.7, "hot dog": 0.9, "pizza": 0.9, "donut": 0.9, "cake": 0.9,
    },
}  # fmt: skip

SCENE_LABELS: tuple[str, ...] = (
    *dict.fromkeys((*RESEMBLANCE, *OBJECTS)),
    "portrait",
    "title_card",
)

#: A face at least this high, as a part of the frame, from which a scene is a portrait: a medium
#: close-up (head and shoulders) shows a face a quarter as high as the frame. Fully from the second.
_PORTRAIT = (0.2, 0.35)
#: Part of the picture under plants from which it is a landscape, and where it surely is.
_PLANTS = (0.3, 0.7)
#: Part of the picture in one of 128 colours, from which text on it is a title card.
_PLAIN = (0.6, 0.8)
#: Most that one face, plants or a plain ground can say.
_SIGN = 0.8


@dataclass(frozen=True)
class SceneEvidence:
    """What is known of a scene.

    `probabilities`: (pictures, 1000) of the classifier. `objects`: for each class of COCO the part
    of the scene's frames it is in, times its mean confidence there. `face_height`: of the largest
    face as part of the frame, median over the frames; 0 without one. `plants_share`: part of the
    pictures that looks like plants. `plain_share`: part of the pictures in their commonest colour.
    `text_share`: part of the scene's time with a caption or a logo on screen.
    """

    probabilities: np.ndarray
    objects: Mapping[str, float]
    face_height: float
    plants_share: float
    plain_share: float
    text_share: float
    #: Probability of each label by sentences about the pictures; empty where nobody was asked.
    described: Mapping[str, float] = field(default_factory=dict)


def scores(evidence: SceneEvidence, classes: Sequence[str]) -> dict[str, float]:
    """The confidence of every label, 0..1; `classes` names the columns of the probabilities."""
    mean = evidence.probabilities.mean(axis=0)
    found: dict[str, list[float]] = {label: [] for label in SCENE_LABELS}
    for label, names in RESEMBLANCE.items():
        places = [place for place, name in enumerate(classes) if name in names]
        found[label].append(min(1.0, float(mean[places].sum())))
    found["animals"].append(min(1.0, float(mean[:_ANIMAL_CLASSES].sum())))
    for label, weights in OBJECTS.items():
        found[label] += [
            weight * evidence.objects.get(name, 0.0) for name, weight in weights.items()
        ]
    found["portrait"].append(_SIGN * float(np.interp(evidence.face_height, _PORTRAIT, (0, 1))))
    found["landscape"].append(_SIGN * float(np.interp(evidence.plants_share, _PLANTS, (0, 1))))
    plain = float(np.interp(evidence.plain_share, _PLAIN, (0, 1)))
    found["title_card"].append(_SIGN * plain * evidence.text_share)
    for label, likely in evidence.described.items():
        if label in found:
            found[label].append(_SIGN * likely)
    return {label: noisy_or(*parts) for label, parts in found.items()}


def label_of(
    of_labels: Mapping[str, float], least_confidence: float, least_lead: float
) -> tuple[str, float]:
    """The likeliest label and its confidence; `uncertain` where it is under the floor, or leads the
    second by less than `least_lead`.
    """
    (first, sure), (_, second) = sorted(of_labels.items(), key=lambda item: -item[1])[:2]
    if sure < least_confidence or sure - second < least_lead:
        return UNCERTAIN, sure
    return first, sure
