"""How the camera moved from frame to frame, from the sparse optical flow of the background.

Corners (Shi & Tomasi 1994) are followed by pyramidal Lucas-Kanade flow, forwards and back again
(Kalal et al. 2010: what does not return to its place is dropped), through a few frames. Over that
span it shows what belongs together: a similarity transform (shift, scale, turn) is fitted to the
flow by RANSAC. Corners are spread over a grid and its cells have one vote each, so that a subject
full of detail does not outvote a plain background; and where a good part of the picture, spread
more widely than what moves, stands still, so does the camera, however large the subject. Captions
that stand still over a moving picture are spread less widely than the picture, or all of the
picture grows as one. The motion of each single step is then that of the corners chosen.

A camera that turns or zooms moves all of the picture by a law that knows no distance; one that
travels moves what is near faster than what is far. That law (Longuet-Higgins & Prazdny 1980,
doi:10.1098/rspb.1980.0057: two turns, a roll and a scale, with the second-order terms of a wide
lens) is fitted to the flow of a span, and what it leaves is kept as `Rest`. Under travel the rest
runs along the move itself (Irani & Anandan 1996, doi:10.1007/BFb0015520: after the motion of one
plane is taken away, what remains points to the epipole), which tells it from most subjects.

Directions are the camera's: it pans right when the picture's content goes left, tilts up when
content goes down, zooms in when content grows, rolls clockwise when content turns the other way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from analyzers import progress
from analyzers.video import Frames

Box = tuple[float, float, float, float]

#: Short side of the frames in which flow is followed, in pixels, and the most that the long side
#: may have: slivers are not made as large as that.
_SIDE_PX, _LONGEST_PX = 180, 1440
#: Steps through which corners are followed before new ones are chosen: 0.27 s at 15 Hz, in which
#: even a slow zoom takes the picture clear of what stands still.
_SPAN = 4
#: Cells of the grid along the short side; along the long side as many as keep them square.
_CELLS = 6
#: Corners in each cell, at most.
_PER_CELL = 4
_WINDOW_PX = (15, 15)
#: Pyramid levels above the picture, at first and for what was lost.
_LEVELS, _NEAR_LEVELS = 3, 1
#: Least eigenvalue of a corner's gradient matrix (mean per pixel, levels of 0..1), below which a
#: patch is flat and its flow is noise.
_MIN_EIGENVALUE = 5e-4
#: How far a corner may miss its place after going forwards and back.
_RETURN_PX = 0.7
#: RANSAC's least threshold. Flow that differs less than this from a motion agrees with it, and
#: exactly: on a background that stands still, compression and noise leave less. Of fast flow, a
#: tenth (half of it for RANSAC): in a fast roll what is around a corner turns with it.
_FIT_PX, _AGREES_PX, _EXACT_PX, _OF_FLOW = 0.5, 1.0, 0.3, 0.1
#: Cells with corners, the part of the corners found again, and the part of the cells that must
#: agree, for an answer; and the part found again, for going on with the same corners.
_LEAST_CELLS = 6
_LEAST_FOUND = 0.25
_LEAST_AGREEMENT = 0.3
_ENOUGH_FOUND = 0.6
#: The part of the cells that must stand still for a camera that does, and its ratio to the part
#: that moves as one.
_STILL_AGREEMENT = 0.3
_STILL_AGAINST_MOVING = 0.6
#: The part of the moving corners that must agree for a zoom behind what stands still.
_GROWS_AGREEMENT = 0.7
#: Parallax: least flow of a span in which it can be told; how much faster or slower than the law
#: it begins, and where it is more likely a thing that moves by itself (or is followed, or drawn
#: over the picture); how far off the move's direction it may run; the part of what disagrees that
#: must run along the move.
_LEAST_MOVE_PX = 2.0
_UNLIKE_LAW = 0.15
_OWN_MOTION = (3.0, -0.8)
_ACROSS = 0.5
_RUNS_ALONG = 0.6
#: Tries of three corners each for the law of turning and zooming.
_TRIES = 100
#: Frames between two checkpoints.
_BATCH = 64


@dataclass(frozen=True)
class Motion:
    """The camera's motion from one frame to the next, about the centre of the frame.

    `pan` and `tilt`: frame widths, to the right and upwards. `zoom`: natural logarithm of the
    scale, above 0 is in. `roll_rad`: clockwise. `confidence`: part of the grid's cells that agree,
    times the part of the grid that has corners at all (full marks from half of it), 0..1. `rest`:
    of the span that the step is in; None where the camera stands or too little moves to tell.
    """

    pan: float
    tilt: float
    zoom: float
    roll_rad: float
    confidence: float
    rest: Rest | None


@dataclass(frozen=True, eq=False)
class Rest:
    """What turning and zooming do not explain of the flow of a span.

    `places`, `flow`: float (n, 2), corners from the centre of the frame and their rest over the
    span, both in frame widths, to the right and down. `cells`: the grid's cell of each, (n,).
    `step_count`: steps of the span. `pixel`: of the picture that was followed, in frame widths.
    """

    places: np.ndarray
    flow: np.ndarray
    cells: np.ndarray
    step_count: int
    pixel: float

    def parallax(self, pan: float, tilt: float, zoom: float) -> float | None:
        """Part of the cells that follow a move faster or slower than its law has it, 0..1.

        The move's parts as in `Motion`, over the span. 0 also where most of what disagrees does not
        run along the move: then it is subjects. None where the move is too small to tell.
        """
        move = np.array([-pan, tilt]) + zoom * self.places
        length = np.linalg.norm(move, axis=1)
        if np.median(length) < _LEAST_MOVE_PX * self.pixel:
            return None
        along = (self.flow * move).sum(axis=1) / np.maximum(length, 1e-9)
        across = np.linalg.norm(self.flow, axis=1) ** 2 - along**2
        ratio = along / np.maximum(length, 1e-9)
        least = np.maximum(_AGREES_PX * self.pixel, _UNLIKE_LAW * length)
        unlike = np.linalg.norm(self.flow, axis=1) > least
        faster, slower = _OWN_MOTION
        depth = unlike & (across < (_ACROSS * along) ** 2) & (slower < ratio) & (ratio < faster)
        disagree, run_along = _votes(self.cells, unlike), _votes(self.cells, depth)
        occupied = len(np.unique(self.cells))
        return run_along / occupied if run_along >= _RUNS_ALONG * disagree else 0.0


def camera_motions(
    frames: Frames,
    subjects: Callable[[int], Sequence[Box]],
    overlays: Callable[[int], Sequence[Box]],
    broken: np.ndarray,
) -> list[Motion | None]:
    """The motion of each step between neighbours, None where the frames do not tell.

    `frames`: grey, uint8 (height, width). `subjects(i)`: boxes (0..1) in frame i of what may move
    by itself; `overlays(i)`: of what is drawn over the picture. `broken`: bool (n - 1), the steps
    over which nothing can be followed. None stands for flat surfaces, and for frames no good part
    of which agrees on a motion.
    """
    motions: list[Motion | None] = [None] * (len(frames) - 1)
    first = 0
    while first < len(motions):
        if first % _BATCH < _SPAN:
            progress.checkpoint(first, len(motions))
        if broken[first]:
            first += 1
            continue
        stop = first + 1
        while stop < len(motions) and stop - first < _SPAN and not broken[stop]:
            stop += 1
        pictures = [_reduced(frames[i]) for i in range(first, stop + 1)]
        tracks, found = _follow(pictures, subjects(first), overlays(first))
        steps = max(1, len(tracks) - 1)
        if len(tracks) > 1 and found >= _LEAST_FOUND:
            motions[first : first + steps] = _span(tracks, pictures[0].shape)
        first += steps
    return motions


def _reduced(frame: np.ndarray) -> np.ndarray:
    scale = min(_SIDE_PX / min(frame.shape), _LONGEST_PX / max(frame.shape))
    size = (max(16, round(frame.shape[1] * scale)), max(16, round(frame.shape[0] * scale)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def _follow(
    pictures: Sequence[np.ndarray], subjects: Sequence[Box], overlays: Sequence[Box]
) -> tuple[list[np.ndarray], float]:
    """Places of corners in the first pictures, each (n, 2), while most of them are found again.

    With it the part of the first corners that is left in the last of these pictures.
    """
    corners = _Grid(pictures[0].shape).spread(_corners(pictures[0], subjects, overlays))
    tracks, left = [corners], len(corners)
    for before, after in pairwise(pictures):
        if left < _LEAST_CELLS:
            break
        end, kept = _step(before, after, tracks[-1])
        if len(tracks) > 1 and kept.sum() < _ENOUGH_FOUND * len(corners):
            break
        tracks = [*(track[kept] for track in tracks), end[kept]]
        left = int(kept.sum())
    return tracks, left / max(1, len(corners))


def _step(
    before: np.ndarray, after: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where points go, (n, 2), and which of them come back to their place from there, (n,)."""
    end, kept = _returning(before, after, start, _LEVELS)
    # On the coarse levels a fast neighbour carries a small thing away, such as the letters of a
    # caption: what is lost is looked for once more close to its place.
    lost = ~kept
    if lost.any():
        end[lost], kept[lost] = _returning(before, after, start[lost], _NEAR_LEVELS)
    return end, kept


def _returning(
    before: np.ndarray, after: np.ndarray, start: np.ndarray, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    end, found = _flow(before, after, start, levels)
    back, found_back = _flow(after, before, end, levels)
    height, width = before.shape
    inside = (end >= 0).all(axis=1) & (end[:, 0] < width) & (end[:, 1] < height)
    returned = np.linalg.norm(back - start, axis=1) < _RETURN_PX
    return end, found & found_back & returned & inside


def _flow(
    before: np.ndarray, after: np.ndarray, start: np.ndarray, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    end, found, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
        before, after, start, None, winSize=_WINDOW_PX, maxLevel=levels
    )
    return end, found.ravel() == 1


def _span(tracks: Sequence[np.ndarray], shape: tuple[int, ...]) -> list[Motion | None]:
    """The motion of each step of a span, from the corners that show the camera's."""
    nothing: list[Motion | None] = [None] * (len(tracks) - 1)
    grid = _Grid(shape)
    start, end = tracks[0], tracks[-1]
    cells = grid.cells_of(start)
    occupied = len(np.unique(cells))
    flow = np.linalg.norm(end - start, axis=1)
    still = flow < _EXACT_PX
    # Captions would draw the fit to themselves: it is for what moves, where enough does.
    fitted = ~still if (~still).sum() >= 2 * _LEAST_CELLS else np.ones_like(still)
    tenth = _OF_FLOW * float(np.median(flow))
    matrix = _fit(start[fitted], end[fitted], max(_FIT_PX, tenth / 2))
    if occupied < _LEAST_CELLS or matrix is None:
        return nothing
    unlike = np.linalg.norm(start @ matrix[:, :2].T + matrix[:, 2] - end, axis=1)
    exact = unlike < max(_EXACT_PX, tenth)
    standing = _votes(cells, still) / occupied
    moving = _votes(cells, exact) / occupied
    if (
        standing >= max(_STILL_AGREEMENT, _STILL_AGAINST_MOVING * moving)
        and _spread(start[still]) >= _spread(start[exact & ~still])
        and not _grows_as_one(matrix, exact[~still], shape)
    ):
        agreement, chosen, rest = standing, still, None
    else:
        agreement = _votes(cells, unlike < max(_AGREES_PX, tenth)) / occupied
        chosen = unlike < max(_FIT_PX, tenth)
        rest = _rest(start[~still], end[~still], cells[~still], len(tracks) - 1, shape)
    if agreement < _LEAST_AGREEMENT or chosen.sum() < _LEAST_CELLS:
        return nothing
    sure = agreement * min(1.0, 2 * occupied / grid.count)
    return [
        _similarity(before[chosen], after[chosen], shape, sure, rest)
        for before, after in pairwise(tracks)
    ]


def _similarity(
    start: np.ndarray, end: np.ndarray, shape: tuple[int, ...], sure: float, rest: Rest | None
) -> Motion | None:
    """The least-squares similarity: with points as complex numbers, end = turn * start + shift."""
    height, width = shape
    centre = complex((width - 1) / 2, (height - 1) / 2)
    old, new = (p[:, 0].astype(np.float64) + 1j * p[:, 1] - centre for p in (start, end))
    spread = old - old.mean()
    extent = float((np.abs(spread) ** 2).sum())
    turn = (spread.conj() * (new - new.mean())).sum() / extent if extent else 0.0
    if turn == 0:
        return None
    shift = new.mean() - turn * old.mean()
    return Motion(
        pan=-shift.real / width,
        tilt=shift.imag / width,
        zoom=float(np.log(abs(turn))),
        roll_rad=float(-np.angle(turn)),
        confidence=float(np.clip(sure, 0.0, 1.0)),
        rest=rest,
    )


def _rest(
    start: np.ndarray, end: np.ndarray, cells: np.ndarray, step_count: int, shape: tuple[int, ...]
) -> Rest | None:
    """What is left of the flow when the law of turning and zooming that most obey is taken away."""
    if len(start) < 2 * _LEAST_CELLS:
        return None
    height, width = shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    # In the middle of the way, where a first-order law is exact to the second order.
    places = ((start + end) / 2 - centre) / width
    flow = (end - start).astype(np.float64) / width
    law = _law(places)
    tolerance = max(_AGREES_PX / width, _OF_FLOW / 2 * float(np.median(np.abs(flow))))
    rng = np.random.default_rng(len(start))
    tried = rng.integers(0, len(start), (_TRIES, 3))
    # Three corners fix it; a trace on the diagonal lets those in one line be solved as well.
    normal = law[tried].reshape(_TRIES, 6, 6)
    steady = np.swapaxes(normal, 1, 2) @ normal + 1e-9 * np.eye(6)
    right = np.swapaxes(normal, 1, 2) @ flow[tried].reshape(_TRIES, 6, 1)
    laws = np.linalg.solve(steady, right)[:, :, 0]
    left = np.linalg.norm(flow - np.einsum("nij,kj->kni", law, laws), axis=2)
    weight = 1 / np.bincount(cells)[cells]
    agreeing = left[int(((left < tolerance) * weight).sum(axis=1).argmax())] < tolerance
    if agreeing.sum() < 3:
        return None
    best = np.linalg.lstsq(law[agreeing].reshape(-1, 6), flow[agreeing].ravel())[0]
    return Rest(places, flow - law @ best, cells, step_count, 1 / width)


def _law(places: np.ndarray) -> np.ndarray:
    """What each of shift (2), scale, turn and the two terms of a wide lens does, (n, 2, 6)."""
    x, y = places.T
    one, none = np.ones_like(x), np.zeros_like(x)
    across = np.stack([one, none, x, -y, x * x, x * y], axis=1)
    down = np.stack([none, one, y, x, x * y, y * y], axis=1)
    return np.stack([across, down], axis=1)


def _corners(picture: np.ndarray, subjects: Sequence[Box], overlays: Sequence[Box]) -> np.ndarray:
    """Places of good corners of the scene, best first, float32 (n, 2)."""
    height, width = picture.shape
    strength = cv2.cornerMinEigenVal(picture, 5)
    # A corner is the strongest place around; 3 px at the edges have no whole neighbourhood.
    peaks = (strength >= cv2.dilate(strength, np.ones((7, 7), np.uint8))) & (
        strength > _MIN_EIGENVALUE
    )
    peaks[:3], peaks[-3:], peaks[:, :3], peaks[:, -3:] = False, False, False, False
    # Subjects that fill the picture leave nothing to go by: then they have to do, and on a title
    # card the title.
    for boxes in ((*subjects, *overlays), overlays, ()):
        chosen = peaks.copy()
        for x1, y1, x2, y2 in boxes:
            rows = slice(int(y1 * height), int(np.ceil(y2 * height)))
            chosen[rows, int(x1 * width) : int(np.ceil(x2 * width))] = False
        if chosen.sum() >= _LEAST_CELLS * 2:
            break
    y, x = np.nonzero(chosen)
    order = np.argsort(-strength[y, x], kind="stable")
    return np.stack([x[order], y[order]], axis=1).astype(np.float32)


class _Grid:
    """Square cells over a frame."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        height, width = shape
        self._cell_px = min(height, width) / _CELLS
        self._columns = int(np.ceil(width / self._cell_px))
        self.count = self._columns * int(np.ceil(height / self._cell_px))

    def cells_of(self, points: np.ndarray) -> np.ndarray:
        """The cell of each point."""
        place = (points / self._cell_px).astype(np.int64)
        return place[:, 1] * self._columns + place[:, 0]

    def spread(self, points: np.ndarray) -> np.ndarray:
        """The first few points of each cell."""
        cells = self.cells_of(points)
        order = np.argsort(cells, kind="stable")
        ordered = cells[order]
        rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
        return points[np.sort(order[rank < _PER_CELL])]


def _fit(start: np.ndarray, end: np.ndarray, tolerance_px: float) -> np.ndarray | None:
    """The similarity (2, 3) that most of the flow agrees with.

    OpenCV seeds its RANSAC anew for each call, so that equal input gives equal output.
    """
    if len(start) < _LEAST_CELLS:
        return None
    matrix, _ = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=tolerance_px, maxIters=500
    )
    return matrix


def _votes(cells: np.ndarray, agreeing: np.ndarray) -> float:
    """Cells that agree, each by the part of its corners that does."""
    everyone = np.bincount(cells)
    votes = np.bincount(cells[agreeing], minlength=len(everyone))
    return float((votes[everyone > 0] / everyone[everyone > 0]).sum())


def _grows_as_one(matrix: np.ndarray, exact: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether all that moves grows or shrinks by one factor, as subjects do not."""
    zoom = np.log(np.hypot(matrix[0, 0], matrix[1, 0]))
    return bool(
        abs(zoom) * min(shape) / 2 > _AGREES_PX
        and exact.sum() >= max(2 * _LEAST_CELLS, _GROWS_AGREEMENT * len(exact))
    )


def _spread(points: np.ndarray) -> float:
    """The area that points are scattered over, up to a factor: from their covariance."""
    if len(points) < 3:
        return 0.0
    return float(np.sqrt(max(0.0, np.linalg.det(np.cov(points.T)))))
