"""Movement with a beat: how much of a body's movement repeats, how often, and in step with what.

A sinusoid and its first overtone are fitted by least squares to the path of every joint at once, as
in Lomb-Scargle spectra (Lomb 1976; Scargle 1982; several terms: VanderPlas 2018, "Understanding the
Lomb-Scargle Periodogram"), which need no even sampling and no gaps closed. The share of the paths'
variance that the fit explains (R squared) is the confidence. Dancing is movement of the whole body
whose period fits the beats of the music: one, two or four beats long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzers.methods.people.body import ANKLES, ELBOWS, HIPS, KNEES, NOSE, SHOULDERS, WRISTS, Body

#: Length of movement that is looked at, and the frequencies looked for: three turns at least make a
#: rhythm, and at 5 frames a second nothing above 2.5 Hz can be seen.
WINDOW_S = 5.0
_FREQUENCIES_HZ = np.arange(0.6, 2.25, 0.1)
_NYQUIST_HZ = 2.4
#: A joint counts where it is seen in this part of the window's frames.
_SEEN_SHARE = 0.8
_LEAST_FRAMES = 18
#: Less movement than this (standard deviation in trunk lengths) is the keypoints' own trembling.
_MOVING = 0.05
#: Periods of a dance, in beats; a step is a beat, a step to and fro two, a figure four.
_BEATS_A_TURN = (1, 2, 4)
#: The rhythm of the beats must explain so much of what the best rhythm explains.
_IN_STEP = 0.85
#: From this share of explained variance on, movement is called rhythmic.
RHYTHMIC = 0.6

_PARTS = {
    "arms": (*ELBOWS, *WRISTS),
    "trunk": (NOSE, *SHOULDERS, *HIPS),
    "legs": (*KNEES, *ANKLES),
}


@dataclass(frozen=True)
class Rhythm:
    """How a body moved in a window of time.

    `frequency_hz` and `confidence` (0..1) of the rhythm that explains most. `parts`: how many of
    arms, trunk and legs moved. `in_step`: confidence that the movement goes with the beats, 0
    where it does not; None where no beats were given.
    """

    frequency_hz: float
    confidence: float
    parts: int
    in_step: float | None

    @property
    def dancing(self) -> bool | None:
        """Whether this is dancing; None where there is no music to tell it by."""
        if self.in_step is None:
            return None
        return self.in_step >= RHYTHMIC and self.parts >= 2


def rhythm_at(body: Body, time_s: float, beats_s: np.ndarray) -> Rhythm | None:
    """The rhythm of a person's movement around a time; None where too little is seen or moves.

    `beats_s`: times of the music's beats, rising; empty where there are none.
    """
    part = np.abs(body.times_s - time_s) <= WINDOW_S / 2
    if part.sum() < _LEAST_FRAMES:
        return None
    times_s = body.times_s[part]
    paths, parts = _paths(body.points[part] / body.trunk[part, None, None], times_s)
    if not parts:
        return None
    shares = [explained(paths, times_s, f) for f in _FREQUENCIES_HZ]
    best = int(np.argmax(shares))
    return Rhythm(
        float(_FREQUENCIES_HZ[best]),
        shares[best],
        parts,
        _in_step(paths, times_s, time_s, beats_s, shares[best]),
    )


def _paths(points: np.ndarray, times_s: np.ndarray) -> tuple[list[np.ndarray], int]:
    """Each moving joint's x and y, gaps as NaN, without their steady drift; and parts that move."""
    paths: list[np.ndarray] = []
    parts = 0
    for joints in _PARTS.values():
        moving = False
        for joint in joints:
            path = points[:, joint]
            seen = np.isfinite(path).all(axis=1)
            if seen.mean() < _SEEN_SHARE:
                continue
            line = np.polynomial.polynomial.polyfit(times_s[seen], path[seen], 1)
            level = path - np.polynomial.polynomial.polyval(times_s, line).T
            if np.nanstd(level, axis=0).max() >= _MOVING:
                moving = True
                paths += [level[:, 0], level[:, 1]]
        parts += moving
    return paths, parts


def explained(paths: list[np.ndarray], times_s: np.ndarray, frequency_hz: float) -> float:
    """The share of the paths' variance that a rhythm and its overtone explain, 0..1.

    Corrected for the terms of the fit, so that noise has 0 on the average.
    """
    turns = 2 * np.pi * frequency_hz * times_s
    terms = [np.ones_like(turns), np.sin(turns), np.cos(turns)]
    if 2 * frequency_hz <= _NYQUIST_HZ:
        terms += [np.sin(2 * turns), np.cos(2 * turns)]
    basis = np.stack(terms, axis=1)
    left = total = 0.0
    for path in paths:
        seen = np.isfinite(path)
        fit, *_ = np.linalg.lstsq(basis[seen], path[seen], rcond=None)
        count = int(seen.sum())
        residual = path[seen] - basis[seen] @ fit
        left += float((residual**2).sum()) / (count - basis.shape[1])
        total += float(((path[seen] - path[seen].mean()) ** 2).sum()) / (count - 1)
    return max(0.0, 1 - left / total) if total > 0 else 0.0


def _in_step(
    paths: list[np.ndarray],
    times_s: np.ndarray,
    time_s: float,
    beats_s: np.ndarray,
    best: float,
) -> float | None:
    near = beats_s[np.abs(beats_s - time_s) <= WINDOW_S]
    if len(near) < 4:
        return None
    beat_hz = 1 / float(np.median(np.diff(near)))
    shares = [
        explained(paths, times_s, beat_hz / beats)
        for beats in _BEATS_A_TURN
        if _FREQUENCIES_HZ[0] <= beat_hz / beats <= _NYQUIST_HZ
    ]
    share = max(shares, default=0.0)
    return share if share >= _IN_STEP * best else 0.0
