"""Shot scale by how much of a standing person the frame is high.

The names are the field's (Bordwell & Thompson, "Film Art", glossary; Salt, "Film Style and
Technology"; the CineScale annotations of Savardi, Kovács, Signoroni & Benini 2021 use the same
seven). They say how much of a human figure fills the frame from top to bottom, so one number tells
them apart: the frame's height in statures. Body levels are those of Drillis & Contini 1966 (in
Winter, "Biomechanics and Motor Control of Human Movement", figure 4.1), with a tenth of the frame
as headroom:

    close_up          head and neck, to the shoulders   0.18 statures  frame 0.20
    medium_close_up   to the chest                      0.28           frame 0.31
    medium            to the waist or the hips          0.40 to 0.47   frame 0.48
    medium_long       to the knees                      0.72           frame 0.79
    long              the whole figure                  1.00           frame 1.11

Bounds between two names lie in the (geometric) middle. Below a close-up the face from hairline to
chin no longer fits: extreme_close_up. Where the figure is lower than a third of the frame, the
place is what is shown: extreme_long (a bound of this project; the books give none).
"""

from __future__ import annotations

import math
from typing import Literal

Scale = Literal[
    "extreme_close_up", "close_up", "medium_close_up", "medium", "medium_long", "long",
    "extreme_long",
]  # fmt: skip
SCALES: tuple[Scale, ...] = (
    "extreme_close_up", "close_up", "medium_close_up", "medium", "medium_long", "long",
    "extreme_long",
)  # fmt: skip
#: Frame heights in statures at which one name gives way to the next.
BOUNDS = (0.105, 0.25, 0.385, 0.615, 0.935, 3.0)

#: Height of YuNet's face box in statures: 0.096 to 0.107 on the standing people of the demo clips,
#: whose stature the pose tells; hairline to chin is 0.107 (an 18 cm face, 1.70 m).
FACE_STATURES = 0.105
#: Height of the face box over the distance from the eyes to the mouth: median of 410 faces (90 %
#: between 2.5 and 3.1); tells the size of a face that the frame cuts.
FACE_BY_EYES_TO_MOUTH = 2.76
#: Shoulders to hips in statures (Drillis & Contini).
TRUNK_STATURES = 0.288
_STATURE_M = 1.7

#: Greatest length in metres of things that come in about one size: of usual makes, by this project.
OBJECT_LENGTH_M = {
    "bicycle": 1.75, "car": 4.3, "motorcycle": 2.1, "bus": 12.0, "truck": 7.0, "airplane": 35.0,
    "traffic light": 0.9, "stop sign": 0.75, "parking meter": 1.4, "bench": 1.6,
    "cat": 0.5, "dog": 0.7, "horse": 2.4, "sheep": 1.3, "cow": 2.4, "elephant": 5.5, "zebra": 2.3,
    "giraffe": 4.8, "skateboard": 0.8, "surfboard": 2.0, "tennis racket": 0.69,
    "baseball bat": 0.85, "bottle": 0.25, "wine glass": 0.2, "cup": 0.1, "fork": 0.19,
    "knife": 0.22, "spoon": 0.18, "bowl": 0.17, "banana": 0.19, "apple": 0.08, "orange": 0.08,
    "carrot": 0.18, "pizza": 0.3, "donut": 0.09, "chair": 0.9, "couch": 2.0, "bed": 2.1,
    "toilet": 0.75, "laptop": 0.35, "mouse": 0.11, "remote": 0.18, "keyboard": 0.43,
    "cell phone": 0.15, "microwave": 0.48, "refrigerator": 1.7, "book": 0.22, "scissors": 0.18,
    "toothbrush": 0.19,
}  # fmt: skip

#: Error of the frame's height in statures, as a standard deviation of its logarithm: faces and
#: bodies differ by 5 % on the demo clips and people by more; a box may hold raised arms; an object
#: may be of any make.
ERROR = {"face": 0.12, "body": 0.15, "figure": 0.25, "object": 0.35}


def scale_of(statures: float) -> Scale:
    """The name for a frame so many statures high."""
    return SCALES[sum(statures >= bound for bound in BOUNDS)]


def scale_confidence(statures: float, error: float) -> float:
    """Probability that the true height has the same name, if its logarithm errs normally."""
    place = SCALES.index(scale_of(statures))
    low = 0.0 if place == 0 else _normal(math.log(BOUNDS[place - 1] / statures) / error)
    high = 1.0 if place == len(BOUNDS) else _normal(math.log(BOUNDS[place] / statures) / error)
    return high - low


def statures_by_object(label: str, length: float) -> float | None:
    """The frame's height in statures, from an object's greatest length in frame heights.

    None for a kind of object that comes in all sizes.
    """
    usual_m = OBJECT_LENGTH_M.get(label)
    return None if usual_m is None or length <= 0 else usual_m / length / _STATURE_M


def _normal(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2
