"""Things that are shown as they are named."""

from __future__ import annotations

from collections.abc import Iterable

from analyzers.methods.story.joined import Joined, Row, between
from analyzers.rules import words as w
from analyzers.rules.registry import Finding, rule

#: English words for the detector's classes. People are named in too many ways.
_NAMES = {
    "bicycle": ("bike", "bicycle", "cycling", "cyclist"), "car": ("car", "taxi", "cab"),
    "motorcycle": ("motorbike", "motorcycle"), "airplane": ("plane", "airplane", "flight"),
    "bus": ("bus",), "train": ("train",), "truck": ("truck", "lorry"), "boat": ("boat", "ship"),
    "dog": ("dog", "puppy"), "cat": ("cat", "kitten"), "horse": ("horse",), "bird": ("bird",),
    "bottle": ("bottle",), "wine glass": ("wine", "glass"), "cup": ("cup", "mug", "coffee", "tea"),
    "banana": ("banana",), "apple": ("apple",), "pizza": ("pizza",), "cake": ("cake",),
    "sandwich": ("sandwich",), "donut": ("donut", "doughnut"), "laptop": ("laptop", "computer"),
    "cell phone": ("phone", "smartphone"), "book": ("book",), "clock": ("clock",),
    "tv": ("tv", "television", "screen"), "couch": ("couch", "sofa"), "chair": ("chair",),
    "sports ball": ("ball", "football"), "skateboard": ("skateboard",), "umbrella": ("umbrella",),
    "backpack": ("backpack",), "handbag": ("handbag", "bag"), "potted plant": ("plant",),
    "teddy bear": ("teddy",), "surfboard": ("surfboard", "surfing"), "scissors": ("scissor",),
    "refrigerator": ("fridge", "refrigerator"), "microwave": ("microwave",), "oven": ("oven",),
}  # fmt: skip
#: A word points at what is there from so long before to so long after it is said.
_NEAR_S = 1.0
#: Two sightings of the surer sort, and not a flicker.
_CONFIDENCE, _LEAST = 0.35, 2


@rule(needs=("speech_transcription", "object_detection"))
def shown_and_said(joined: Joined) -> Iterable[Finding]:
    """A thing is named (in English, or by the class's own name) within a second of being seen, two
    sightings with a confidence of 0.35 or more. Each naming of a thing is told once in ten
    seconds."""
    language = joined.of_summary("speech_transcription", "language")
    classes: dict[str, list[Row]] = {}
    for row in joined.rows("object_detection"):
        if row["confidence"] >= _CONFIDENCE:
            classes.setdefault(row["label"], []).append(row)
    last: dict[str, float] = {}
    for word in joined.rows("speech_transcription"):
        said = w.tokens(word["word"], language)
        for label, rows in classes.items():
            names = _NAMES.get(label, () if label == "person" else (label,))
            if not any(token in names for token in said):
                continue
            seen = between(rows, word["time_s"] - _NEAR_S, word["end_s"] + _NEAR_S)
            if len(seen) < _LEAST or word["time_s"] - last.get(label, -99.0) < 10:
                continue
            last[label] = word["time_s"]
            yield Finding(
                word["time_s"],
                word["end_s"],
                f"“{word['word'].strip('.,!?')}” is said while a {label} is in the picture",
                (word["id"], *(row["id"] for row in seen[:6])),
                confidence=float(max(row["confidence"] for row in seen) * word["confidence"]),
                value=label,
            )
