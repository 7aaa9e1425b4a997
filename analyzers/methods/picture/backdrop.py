"""What was done to the background of a picture: blurred, flat, dead still, or exchanged."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

#: Standard deviations, in pixels at a short side of 360, of the smoothings whose differences are
#: the bands of detail: the finest and the coarsest of three octaves.
_FINE_PX, _COARSE_PX = (0.7, 1.4), (2.8, 5.6)
#: Mean of the fine band that rounding to 8 bits and compression make alone, in levels.
_ROUNDING = 0.08
#: Coarse detail, in levels, under which there is nothing that could look sharp or blurred.
_LEAST_DETAIL = 0.25
#: Widths in parts of the short side: the rim around the subject that belongs to neither (its
#: mask's errors, hair, glow), and what is left out of its inside.
_OUTER_RIM, _INNER_RIM = 0.033, 0.01
#: Part of the picture that each side needs at least.
_LEAST_SHARE = 0.005

#: What is measured on average is measured on every other pixel of every other row.
_EVERY_OTHER = np.s_[::2, ::2]

#: Levels by which a channel may differ from the background's colour and still be that colour.
_FLAT_LEVELS = 4
#: Levels (of 8 bits) from which, and to which, a flat ground may be black or overexposed instead.
_BLACK, _WHITE = 24, 240

#: A change in the background, in levels, and the part of it that must change by that.
_CHANGED_LEVELS, _EXCHANGED_SHARE = 20, 0.5
#: Correlation of its structure (luma without what is broader than this part of the short side)
#: before and after, over which it is the same picture in another light.
_SAME_PICTURE, _STRUCTURE = 0.5, 0.03
#: The subject is the same, in the same place: the part of the smaller mask that both share (the
#: larger one may hold something of the old background), its part of the picture, and the
#: correlation of its luma after a shift by at most this part of the short side.
_SAME_PLACE, _SAME_PLACE_SHARE, _SAME_SUBJECT, _SHIFT = 0.7, 0.02, 0.7, 0.06


@dataclass(frozen=True)
class Backdrop:
    """What is behind a subject in one picture; None where there is too little to tell.

    `sharpness`, `subject_sharpness`: fine detail as a part of coarse detail. Pictures of things
    have 0.25 to 1 at this size whatever they show, since detail falls off with its scale evenly
    (Field 1987); blur takes the fine away first.
    `flat_share`: part of it that has one colour, 0..1; None where that is black or white.
    """

    sharpness: float | None
    subject_sharpness: float | None
    flat_share: float | None


def backdrop_of(picture: np.ndarray, subject: np.ndarray) -> Backdrop:
    """Look at an RGB picture, uint8, behind and within its subject's mask, bool (height, width)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    # A smaller picture has its finest detail in its pixels as well.
    scale = max(1.0, min(picture.shape[:2]) / 360)
    fine = _band(grey, _FINE_PX, scale)[_EVERY_OTHER]
    # The coarse band has nothing that a picture of half the size lacks.
    half = cv2.resize(grey, fine.shape[::-1], interpolation=cv2.INTER_AREA)
    coarse = _band(half, _COARSE_PX, scale / 2)
    subject = subject[_EVERY_OTHER]
    behind, inside = _behind(subject), _inside(subject)
    return Backdrop(
        _sharpness(fine, coarse, behind),
        _sharpness(fine, coarse, inside),
        _flat_share(picture[_EVERY_OTHER][behind]) if behind.mean() >= _LEAST_SHARE else None,
    )


def _flat_share(pixels: np.ndarray) -> float | None:
    colour = np.median(pixels, axis=0)
    if colour.max() <= _BLACK or colour.min() >= _WHITE:
        return None
    own = cv2.inRange(pixels[None], colour - _FLAT_LEVELS, colour + _FLAT_LEVELS)
    return float((own > 0).mean())


def _band(grey: np.ndarray, sigmas_px: tuple[float, float], scale: float) -> np.ndarray:
    narrow, wide = (cv2.GaussianBlur(grey, (0, 0), sigma * scale) for sigma in sigmas_px)
    return np.abs(narrow - wide)


def _sharpness(fine: np.ndarray, coarse: np.ndarray, region: np.ndarray) -> float | None:
    if region.mean() < _LEAST_SHARE:
        return None
    detail = float(coarse[region].mean())
    if detail < _LEAST_DETAIL:
        return None
    return max(0.0, float(fine[region].mean()) ** 2 - _ROUNDING**2) ** 0.5 / detail


def _behind(subject: np.ndarray) -> np.ndarray:
    return cv2.dilate(subject.astype(np.uint8), _disc(subject, _OUTER_RIM)) == 0


def _inside(subject: np.ndarray) -> np.ndarray:
    return cv2.erode(subject.astype(np.uint8), _disc(subject, _INNER_RIM)) > 0


def _disc(subject: np.ndarray, part: float) -> np.ndarray:
    side = 2 * max(1, round(part * min(subject.shape))) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


@dataclass(frozen=True)
class Change:
    """What changed from one picture to the next.

    `background`, `subject`: mean absolute change in levels of 8 bits. `exchanged`: another picture
    stands behind a subject that stayed as and where it was, which no camera can do.
    """

    background: float
    subject: float
    exchanged: bool


def change_between(
    before: tuple[np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray]
) -> Change | None:
    """Compare two pictures, each RGB uint8 with its subject's mask.

    None where a subject or a background is missing.
    """
    first, second = before[0][_EVERY_OTHER], after[0][_EVERY_OTHER]
    was, now = before[1][_EVERY_OTHER], after[1][_EVERY_OTHER]
    masks = was | now, was & now
    behind, inside = _behind(masks[0]), _inside(masks[1])
    if min(behind.mean(), inside.mean()) < _LEAST_SHARE:
        return None
    difference = cv2.absdiff(first, second).mean(axis=2, dtype=np.float32)
    background, subject = float(difference[behind].mean()), float(difference[inside].mean())
    exchanged = (
        (difference[behind] > _CHANGED_LEVELS).mean() >= _EXCHANGED_SHARE
        and inside.mean() >= _SAME_PLACE_SHARE
        and masks[1].sum() >= _SAME_PLACE * min(was.sum(), now.sum())
        and _correlation(_structure(first)[behind], _structure(second)[behind]) < _SAME_PICTURE
        and _shifted_correlation(first, second, inside) >= _SAME_SUBJECT
    )
    return Change(background, subject, bool(exchanged))


def _structure(picture: np.ndarray) -> np.ndarray:
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return luma - cv2.GaussianBlur(luma, (0, 0), _STRUCTURE * min(luma.shape))


def _shifted_correlation(before: np.ndarray, after: np.ndarray, region: np.ndarray) -> float:
    """Of the luma within a region, at the shift that fits best, -1..1."""
    first, second = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (before, after))
    ys, xs = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    rows, columns = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
    reach = max(1, round(_SHIFT * min(region.shape)))
    padded = np.pad(second, reach, mode="edge")
    field = padded[rows.start : rows.stop + 2 * reach, columns.start : columns.stop + 2 * reach]
    pattern, mask = (np.ascontiguousarray(a[rows, columns]) for a in (first, region))
    fits = cv2.matchTemplate(field, pattern, cv2.TM_CCOEFF_NORMED, mask=mask.astype(np.uint8))
    return float(np.nan_to_num(fits, nan=-1, posinf=-1, neginf=-1).max())


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """-1..1; 0 where one of them is flat."""
    first, second = a - a.mean(), b - b.mean()
    scale = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / scale if scale else 0.0
