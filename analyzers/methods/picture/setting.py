"""Indoors or outdoors, from what is seen: plants, sky, objects, and what the picture resembles.

Each piece of evidence has a weight, positive for outdoors; where they do not add up to enough, the
answer is that it is uncertain. The weights were set by hand and looked at on the demo clips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

SETTINGS: tuple[str, ...] = ("indoor", "outdoor", "uncertain")
#: Sum of evidence from which a setting is told.
_ENOUGH = 0.8

#: Excess green of plants, in chromaticity (Woebbecke et al. 1995: 2g - r - b).
_EXCESS_GREEN = 0.08
#: Standard deviation of luma, in levels over 9x9 pixels, that leaves have and painted walls lack.
_LEAF_TEXTURE = 5.0
#: Sky: luma at least this, blue over red by this, and no steeper than this, in levels. What is
#: bluer than any sky is drawn, as the cyan of a test picture (191 and more).
_SKY_LUMA, _SKY_BLUE, _SKY_SLOPE = 80, (12, 170), 10
#: Short side of the picture in which they are looked for, and the most for the long side.
_SIDE_PX, _LONGEST_PX = 180, 1440

#: Plants and sky tell fully from the second share of the background on, nothing up to the first.
_PLANTS, _SKY = (0.05, 0.25), (0.03, 0.15)
_NATURE_WEIGHT = 1.6
_PICTURE_WEIGHT = 1.5
#: Probability under which what a picture resembles says nothing.
_LEAST_RESEMBLANCE = 0.15

#: COCO's classes that are at home on one side of a wall, by weight for a sure detection.
_OBJECTS: dict[str, float] = {
    **dict.fromkeys(
        ("car", "bus", "train", "truck", "boat", "airplane", "traffic light", "fire hydrant"), 1.2
    ),
    **dict.fromkeys(("stop sign", "parking meter", "motorcycle", "cow", "sheep", "horse"), 1.2),
    **dict.fromkeys(("bicycle", "bench", "kite", "surfboard", "skis", "snowboard"), 0.6),
    **dict.fromkeys(
        ("couch", "bed", "toilet", "microwave", "oven", "toaster", "sink", "refrigerator"), -1.2
    ),
    **dict.fromkeys(("tv", "clock", "dining table", "chair", "book", "keyboard", "laptop"), -0.5),
}

#: ImageNet's classes that are places, or stand in one, by their first names.
OUTDOOR_CLASSES: frozenset[str] = frozenset(
    """alp|cliff|geyser|lakeside|promontory|sandbar|seashore|valley|volcano|park bench|street sign
    |traffic light|parking meter|picket fence|chainlink fence|worm fence|stone wall|barn|boathouse
    |church|mosque|palace|monastery|castle|steel arch bridge|suspension bridge|viaduct|pier|dock
    |breakwater|dam|fountain|flagpole|maypole|mobile home|beacon|water tower|tile roof|thatch
    |triumphal arch|obelisk|totem pole|megalith|cliff dwelling|patio|hay|drilling platform
    |space shuttle|missile|projectile|airliner|warplane|cab|minivan|convertible|sports car|limousine
    |ambulance|fire engine|garbage truck|tow truck|trailer truck|moving van|police van|pickup|jeep
    |streetcar|trolleybus|school bus|passenger car|freight car|steam locomotive|car mirror
    |electric locomotive|bullet train|mountain bike|jinrikisha|oxcart|horse cart|snowplow|plow
    |tractor|harvester|thresher|lawn mower|golfcart|golf ball|croquet ball|swing|ski|snowmobile
    |dogsled|bobsled|canoe|gondola|yawl|catamaran|trimaran|schooner|speedboat|lifeboat|fireboat
    |container ship|liner|aircraft carrier|parachute|solar dish|radio telescope""".replace(
        "\n    ", ""
    ).split("|")
)
INDOOR_CLASSES: frozenset[str] = frozenset(
    """bookcase|bookshop|barbershop|tobacco shop|toyshop|shoe shop|grocery store|confectionery
    |bakery|butcher shop|library|restaurant|cinema|theater curtain|home theater|desk|dining table
    |studio couch|four-poster|crib|cradle|bassinet|wardrobe|chiffonier|china cabinet|medicine chest
    |file|entertainment center|television|desktop computer|washbasin|bathtub|tub|shower curtain
    |toilet seat|refrigerator|dishwasher|stove|microwave|toaster|washer|wall clock|window shade
    |table lamp|lampshade|radiator|fire screen|prayer rug|quilt|pillow|rocking chair|barber chair
    |sliding door|altar|vault|prison|pool table|grand piano|upright|barbell|dumbbell""".replace(
        "\n    ", ""
    ).split("|")
)


def nature_shares(picture: np.ndarray, subject: np.ndarray) -> tuple[float, float]:
    """Parts of the background that look like plants and like blue sky, 0..1.

    `picture`: RGB uint8; `subject`: bool mask of what is not background. Sky is smooth, bluish and
    reaches the upper edge; plants are green and textured. A grey sky is not told from a wall, and
    plants that are not green are not found.
    """
    height, width = picture.shape[:2]
    scale = min(_SIDE_PX / min(height, width), _LONGEST_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    own = cv2.resize(subject.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    background = own == 0
    if not background.any():
        return 0.0, 0.0
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    plants = _green(small) & (_deviation(luma) > _LEAF_TEXTURE) & background
    sky = _sky(small, luma) & background
    return float(plants.sum() / background.sum()), float(sky.sum() / background.sum())


def _green(picture: np.ndarray) -> np.ndarray:
    levels = picture.astype(np.float32)
    total = levels.sum(axis=2)
    # In the dark the colour is noise.
    return (3 * levels[..., 1] / np.maximum(total, 1) - 1 > _EXCESS_GREEN) & (total > 60)


def _deviation(luma: np.ndarray) -> np.ndarray:
    levels = luma.astype(np.float32)
    mean = cv2.blur(levels, (9, 9))
    return np.sqrt(np.maximum(cv2.blur(levels * levels, (9, 9)) - mean * mean, 0))


def _sky(picture: np.ndarray, luma: np.ndarray) -> np.ndarray:
    levels = cv2.GaussianBlur(luma, (0, 0), 1).astype(np.float32)
    across = cv2.Sobel(levels, cv2.CV_32F, 1, 0, scale=0.25)
    down = cv2.Sobel(levels, cv2.CV_32F, 0, 1, scale=0.25)
    slope = np.hypot(across, down)
    blue = picture[..., 2].astype(np.int16) - picture[..., 0]
    bluish = (blue >= _SKY_BLUE[0]) & (blue <= _SKY_BLUE[1])
    likely = (luma >= _SKY_LUMA) & bluish & (slope <= _SKY_SLOPE)
    _, regions = cv2.connectedComponents(likely.astype(np.uint8))
    tops = np.unique(regions[:2][likely[:2]])
    return likely & np.isin(regions, tops)


def nature_evidence(plants_share: float, sky_share: float) -> dict[str, float]:
    """Weights of the two shares that `nature_shares` gives."""
    return {
        name: _NATURE_WEIGHT * float(np.interp(share, span, (0, 1)))
        for name, share, span in (("vegetation", plants_share, _PLANTS), ("sky", sky_share, _SKY))
    }


def object_evidence(labels: Sequence[str], confidence: Sequence[float]) -> dict[str, float]:
    """Weights of the classes that say where they are, each by its surest detection."""
    found: dict[str, float] = {}
    for label, sure in zip(labels, confidence, strict=True):
        if label in _OBJECTS:
            weight = _OBJECTS[label] * float(sure)
            found[label] = max(found.get(label, 0.0), weight, key=abs)
    return found


def resemblance_evidence(labels: Sequence[str], probabilities: np.ndarray) -> dict[str, float]:
    """Weight of what the picture resembles: ImageNet's classes of each side, all together.

    `probabilities`: (classes,), for `labels`. The name is that of the side's likeliest class.
    """
    weighed: dict[str, float] = {}
    for classes, sign in ((OUTDOOR_CLASSES, 1), (INDOOR_CLASSES, -1)):
        places = [k for k, label in enumerate(labels) if label in classes]
        total = float(probabilities[places].sum())
        if total >= _LEAST_RESEMBLANCE:
            best = labels[max(places, key=lambda k: probabilities[k])]
            weighed[f"resembles {best}"] = sign * _PICTURE_WEIGHT * total
    return weighed


def setting_of(evidence: Mapping[str, float]) -> tuple[str, float]:
    """The setting and how sure it is, 0..1: by the sum of the evidence, through a logistic curve.

    0.5 is no evidence at all, or as much on either side. It is not calibrated.
    """
    total = sum(evidence.values())
    confidence = float(1 / (1 + np.exp(-2 * abs(total))))
    if abs(total) < _ENOUGH:
        return "uncertain", confidence
    return ("outdoor" if total > 0 else "indoor"), confidence
