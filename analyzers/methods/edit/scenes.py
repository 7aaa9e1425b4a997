"""Shots grouped to scenes: how alike two shots look, and which are linked over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from analyzers.progress import checkpoint

#: Bins of hue, saturation and value, as Rasheed & Shah 2003 (Scene detection in Hollywood movies
#: and TV shows, CVPR) divide them: 8, 4 and 4, here jointly.
_BINS = (8, 4, 4)
#: Side of the copy that is counted.
_SIDE_PX = 160


@dataclass(frozen=True)
class Look:
    """How a shot looks.

    `colours`: (pictures, 128), histograms that sum to 1. `embeddings`: (pictures, n) of unit
    length, from the image classifier.
    """

    time_s: float
    end_s: float
    colours: np.ndarray
    embeddings: np.ndarray


def colour_histogram(picture: np.ndarray) -> np.ndarray:
    """Share of each of 128 colours (hue, saturation, value) in an RGB picture, float32 (128,)."""
    small = cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, _BINS, [0, 180, 0, 256, 0, 256]).ravel()
    return counts / counts.sum()


def similarity(one: Look, other: Look) -> float:
    """How alike two shots look, 0..1: of their two most similar pictures, the mean of what their
    colours share (histogram intersection, Swain & Ballard 1991) and the cosine of the embeddings.
    """
    colours = np.minimum(one.colours[:, None], other.colours[None]).sum(axis=2)
    content = one.embeddings @ other.embeddings.T
    return float(np.clip((colours + content) / 2, 0, 1).max())


@dataclass(frozen=True)
class Grouping:
    """`scene` and `view` of each shot, from 0 in the order of appearance, and its likeness to the
    most similar shot before it within reach; None where there is none.
    """

    scene: list[int]
    view: list[int]
    likeness: list[float | None]


def grouped(looks: Sequence[Look], least_similarity: float, reach_s: float) -> Grouping:
    """Scenes by overlapping links (Hanjalic, Lagendijk & Biemond 1999, IEEE Trans. CSVT 9:580).

    Two shots of at least this similarity, not more than `reach_s` apart, are linked, and all that
    lies between them is of the same scene, as are shots whose links overlap: so A-B-A-B is one
    scene of two views. That likeness counts only within a time is Yeung & Yeo's constraint (1996,
    Time-constrained clustering for segmentation of video into story units, ICPR). Shots linked
    directly or over others are one view.
    """
    count = len(looks)
    view = list(range(count))
    likeness: list[float | None] = [None] * count
    joined = [False] * count  # whether a shot goes on with the scene of the one before
    for later in range(count):
        checkpoint()
        for earlier in range(later - 1, -1, -1):
            if looks[later].time_s - looks[earlier].end_s > reach_s:
                break
            alike = similarity(looks[earlier], looks[later])
            likeness[later] = max(alike, likeness[later] or 0.0)
            if alike >= least_similarity:
                joined[earlier + 1 : later + 1] = [True] * (later - earlier)
                old, new = view[later], view[earlier]
                if old != new:
                    view = [new if v == old else v for v in view]
    scene = [int(n) for n in np.cumsum([not goes_on for goes_on in joined]) - 1]
    numbers = {v: n for n, v in enumerate(dict.fromkeys(view))}
    return Grouping(scene, [numbers[v] for v in view], likeness)
