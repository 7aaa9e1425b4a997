"""People cut out of pictures in registry packages, and set before other backgrounds.

The outlines were drawn by hand as polygons, a little inside of what is seen of the person, and
looked at over six backgrounds; nothing of the old background comes along. What is pasted is the
truth by construction: a mask is right where it equals the pasted alpha, however the person's true
outline runs.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from analyzers.video import MappedFrames, Video
from tests.analyzers.made import made_video

#: scikit-image's astronaut (512 x 512) down to the helmet she holds, in its pixels.
_ASTRONAUT = """25 342 28 320 38 290 48 265 62 248 80 234 100 220 113 210 118 192 124 175 135 162
148 153 166 149 186 149 183 133 174 124 165 112 158 100 155 84 155 70 160 58 172 48 188 38 196 29
212 20 230 17 250 20 268 30 284 42 293 57 299 75 301 90 297 104 288 117 276 127 267 136 262 148
258 162 256 173 264 178 278 190 292 206 301 222 304 234 318 242 333 252 343 268 349 285 354 305
360 330 362 342"""
#: The man in a pale coat in Ultralytics' bus.jpg (810 x 1080), in half pixels from row 380 on.
_MAN = """240 42 265 38 300 46 316 66 312 110 306 150 300 175 330 195 350 225 352 240 366 265
375 305 395 330 401 370 398 410 375 438 360 446 362 480 376 520 384 570 385 620 362 624 358 650
372 720 375 790 395 880 405 940 430 968 470 985 488 1000 470 1015 430 1030 375 1036 355 1030
354 985 356 965 345 900 325 820 305 750 285 690 268 645 238 645 232 700 205 775 195 800 190 860
178 930 180 965 208 1005 212 1030 190 1037 150 1030 112 1010 106 985 114 955 118 940 122 900
135 860 152 835 157 790 155 740 146 700 148 640 126 640 120 600 122 540 128 450 122 390 122 340
130 310 125 270 125 240 150 210 190 180 202 140 206 115 215 105 210 80 220 55"""


@dataclass(frozen=True)
class CutOut:
    """A person: RGB uint8 (height, width, 3) and alpha, float32 (height, width), 0..1."""

    picture: np.ndarray
    alpha: np.ndarray


@cache
def near_person() -> CutOut:
    """A woman in an orange space suit, from the chest up."""
    return _cut(skimage.data.astronaut()[:342], _points(_ASTRONAUT))


@cache
def whole_person() -> CutOut:
    """A man from head to foot."""
    import ultralytics

    path = Path(ultralytics.__file__).parent / "assets" / "bus.jpg"
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return _cut(picture, _points(_MAN) / 2 + [0, 380])


def _points(numbers: str) -> np.ndarray:
    return np.array(numbers.split(), np.float64).reshape(-1, 2)


def _cut(picture: np.ndarray, polygon: np.ndarray) -> CutOut:
    height, width = picture.shape[:2]
    large = np.zeros((4 * height, 4 * width), np.uint8)
    cv2.fillPoly(large, [np.rint(4 * polygon).astype(np.int32)], 255)
    alpha = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 0.7)
    left, top = np.maximum(np.floor(polygon.min(axis=0)).astype(int) - 2, 0)
    right, bottom = np.ceil(polygon.max(axis=0)).astype(int) + 2
    part = np.s_[top:bottom, left:right]
    return CutOut(picture[part], alpha[part].astype(np.float32) / 255)


def composite(
    background: np.ndarray, person: CutOut, height_px: float, centre_px: float, bottom_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """The person over a background, RGB uint8, and the truth: bool mask where alpha is over half.

    `height_px` is the person's; parts beyond the edges are cut off.
    """
    scale = height_px / person.alpha.shape[0]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = round(person.alpha.shape[1] * scale), round(height_px)
    picture, alpha = (
        cv2.resize(p, size, interpolation=method) for p in (person.picture, person.alpha)
    )
    move = np.array(
        [[1, 0, round(centre_px - size[0] / 2)], [0, 1, round(bottom_px - size[1])]], np.float64
    )
    whole = background.shape[1], background.shape[0]
    picture, alpha = (cv2.warpAffine(p, move, whole) for p in (picture, alpha))
    mixed = background * (1 - alpha[..., None]) + picture * alpha[..., None]
    return np.rint(mixed).astype(np.uint8), alpha > 0.5


def filling(picture: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """The middle of a picture, scaled to fill a frame."""
    scale = max(height_px / picture.shape[0], width_px / picture.shape[1])
    size = (
        max(width_px, round(picture.shape[1] * scale)),
        max(height_px, round(picture.shape[0] * scale)),
    )
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    top, left = (scaled.shape[0] - height_px) // 2, (scaled.shape[1] - width_px) // 2
    return scaled[top : top + height_px, left : left + width_px]


def compressed(picture: np.ndarray) -> np.ndarray:
    """As it comes out of a lossy codec: JPEG of quality 85."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)


def video_of(pictures: list[np.ndarray], rate_hz: float = 5.0) -> Video:
    """A video whose analysis rung these are."""
    video = made_video(len(pictures) / rate_hz)
    times_s = np.arange(len(pictures)) / rate_hz
    rung = MappedFrames(times_s, np.arange(len(pictures)) * 6, np.stack(pictures))
    return replace(video, analysis=rung)
