"""What the finders of effects share: how much every frame differs from the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from scipy.ndimage import maximum_filter1d, percentile_filter

from analyzers.methods.mask_runs import mask_runs
from analyzers.video import Frames, Video, windows

#: Half of the window in which the usual difference of neighbours is taken.
_USUAL_S = 1.0
#: A step stands out with so many times the usual one and so many levels (of 255, mean over the
#: thumb). On the cut-free demo clips 99 % of steps are below 2.4 times the usual.
_OUTSTANDING, _LEAST_STEP = 2.2, 2.0
#: In a burst quieter frames may stand between outstanding ones: encoders repeat some.
_GAP_FRAMES = 2
#: Analysis frames are read in stacks of this many.
_BATCH = 32


@dataclass(frozen=True)
class Transition:
    """A transition that cut_analysis found, in seconds; a cut has no duration."""

    kind: str
    start_s: float
    end_s: float
    confidence: float


class Signals:
    """A video's thumbs and what is measured on them once.

    `times_s`: float (n). `step`: float (n), mean absolute difference of a thumb from the one before
    it in levels of 0..255, 0 for the first; `step_max`: float (n), that of the pixel that differs
    most. `luma`: float (n), mean. `transitions`: in order of time.
    """

    def __init__(self, video: Video, transitions: Sequence[Transition] = ()) -> None:
        self.video = video
        self.thumbs: Frames = video.thumbs
        self.times_s = np.asarray(video.thumbs.times_s)
        self.end_s = video.info.end_s
        self.transitions = transitions
        self.count = len(self.thumbs)
        self.step, self.step_max, self.luma = (np.zeros(self.count) for _ in range(3))
        before = None
        for part, frames in windows(self.thumbs, 512):
            joined = frames if before is None else np.concatenate([before, frames])
            for i in range(1, len(joined)):
                place = part.stop - len(joined) + i
                change = cv2.absdiff(joined[i], joined[i - 1])
                self.step[place] = cv2.mean(change)[:3] @ np.full(3, 1 / 3)
                self.step_max[place] = change.max()
            self.luma[part] = frames.reshape(len(frames), -1, 3).mean(1) @ (0.299, 0.587, 0.114)
            before = frames[-1:]

    @cached_property
    def interval_s(self) -> float:
        """The usual time between frames."""
        return float(np.median(np.diff(self.times_s))) if self.count > 1 else 1.0

    @cached_property
    def usual(self) -> np.ndarray:
        """The 40 % quantile of `step` in the two seconds around each frame, float (n).

        Repeated frames, in slow motion and in film at another rate, count as what is beside them.
        """
        size = min(self.count, 2 * self.frames_of(_USUAL_S) + 1)
        moving = maximum_filter1d(self.step, 3)
        return percentile_filter(moving, 40, size=size, mode="nearest")

    @cached_property
    def outstanding(self) -> np.ndarray:
        """Whether a frame differs from the one before by much more than usual, bool (n)."""
        return self.step > np.maximum(_OUTSTANDING * self.usual, _LEAST_STEP)

    def bursts(self, longest_s: float) -> Iterator[tuple[int, int]]:
        """Stretches of frames whose steps stand out: first such frame, and first one after."""
        closed = self.outstanding.copy()
        for start, stop in mask_runs(~self.outstanding):
            if start > 0 and stop < self.count and stop - start <= _GAP_FRAMES:
                closed[start:stop] = True
        for start, stop in mask_runs(closed):
            if self.times_s[stop - 1] - self.times_s[start] <= longest_s:
                yield start, stop

    def picture(self, place: int) -> np.ndarray:
        """A thumb, float32 (27, 48, 3); the nearest one for places beyond the ends."""
        return self.thumbs[min(max(place, 0), self.count - 1)].astype(np.float32)

    def place(self, time_s: float) -> int:
        """The thumb that is on screen at a time."""
        return int(np.clip(np.searchsorted(self.times_s, time_s + 1e-6) - 1, 0, self.count - 1))

    def frames_of(self, seconds: float) -> int:
        """How many frames last so long."""
        return max(1, round(seconds / self.interval_s))

    def time_s(self, place: int) -> float:
        """When a thumb comes on; the video's end for the place after the last one."""
        return float(self.times_s[place]) if place < self.count else self.end_s

    def in_gradual(self, start_s: float, end_s: float) -> bool:
        """Whether a gradual transition touches this time."""
        return any(t.kind != "cut" and t.start_s < end_s and t.end_s > start_s
                   for t in self.transitions)  # fmt: skip

    def at_transition(self, time_s: float, reach_s: float) -> bool:
        """Whether a cut or any other transition lies so near."""
        return any(
            t.start_s <= time_s + reach_s and t.end_s >= time_s - reach_s for t in self.transitions
        )

    def analysis_batches(self) -> Iterator[tuple[slice, np.ndarray]]:
        """The 5 fps RGB frames in stacks, uint8 (n, height, width, 3)."""
        return windows(self.video.analysis, _BATCH)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference of two pictures."""
    return float(np.abs(a - b).mean())
