"""The sentences that CLIP is asked about, by class: scenes, shot scales, goods, picture quality.

CLIP was trained on captions, so that a class is best put as one (Radford et al. 2021, section
3.1.4); where a class has several sentences, it is their mean. Nothing here was tuned: on no clip
were answers looked at, for want of the weights.
"""

from __future__ import annotations

from collections.abc import Iterable

#: By label of `scene_labels.SCENE_LABELS`, and what is none of them.
SCENES: dict[str, tuple[str, ...]] = {
    "street": ("a photo of a city street", "a photo of traffic on a road"),
    "landscape": ("a photo of a landscape in nature", "a photo of mountains, a forest or the sea"),
    "monument": ("a photo of a famous monument", "a photo of a church, a palace or a temple"),
    "launch_site": ("a photo of a rocket launch", "a photo of a rocket on its launch pad"),
    "shop": ("a photo of the inside of a shop", "a photo of shelves in a supermarket"),
    "kitchen": ("a photo of a kitchen", "a photo of someone cooking in a kitchen"),
    "bathroom": ("a photo of a bathroom",),
    "bedroom": ("a photo of a bedroom",),
    "living_room": ("a photo of a living room",),
    "office": ("a photo of an office", "a photo of a desk with a computer"),
    "stage": ("a photo of a concert on a stage", "a photo of a theatre stage"),
    "sport": ("a photo of someone doing sports", "a photo of a sports match"),
    "food_and_drink": ("a photo of food on a plate", "a photo of drinks"),
    "screen": ("a screenshot of a computer or a phone",),
    "animals": ("a photo of an animal",),
    "portrait": ("a portrait photo of a person", "a close-up photo of a face"),
    "title_card": ("a title card with text on a plain ground",),
    "other": ("a photo", "an abstract picture"),
}
OTHER = "other"

#: By name of `shot_scale.SCALES`; the definitions are those of the film textbooks.
SHOT_SCALES: dict[str, tuple[str, ...]] = {
    "extreme_close_up": ("an extreme close-up shot of a detail of a face or an object",),
    "close_up": ("a close-up shot of a face",),
    "medium_close_up": ("a medium close-up shot of a person from the chest up",),
    "medium": ("a medium shot of a person from the waist up",),
    "medium_long": ("a medium long shot of a person from the knees up",),
    "long": ("a long shot of a whole person from head to foot",),
    "extreme_long": ("an extreme long shot of a wide landscape with tiny people",),
}

#: Pairs of CLIP-IQA (Wang, Chan & Loy 2023, arXiv:2207.12396): the probability of the first is the
#: measure, since only the two together cancel what the picture shows.
GOOD_PICTURE: dict[str, tuple[str, ...]] = {
    "good": ("Good photo.",),
    "bad": ("Bad photo.",),
}


def goods(labels: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Sentences for kinds of goods, and for what a crop may show instead."""
    asked = {label: (f"a photo of a {label}",) for label in labels}
    return {**asked, OTHER: ("a photo of a person", "a photo of a part of a room", "a photo")}
