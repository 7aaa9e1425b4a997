"""Usable presentation times from the times that files carry."""

from __future__ import annotations

import math

#: A stream that jumps back further than this was spliced; less is one frame out of order.
_SPLICE_BACK_S = 1.0
#: No picture stands longer than this; a jump beyond it is a broken timestamp.
_LONGEST_GAP_S = 3600.0


class PresentationClock:
    """Strictly rising times of one stream, in file seconds.

    Presentation times (pts) are used, or decoding times (dts) where those were out of order less
    often so far: AVI has no presentation times, and what is made up for them is wrong (the same
    choice as FFmpeg's `best_effort_timestamp`). A missing time is taken as one frame after the
    last; a frame that is not later than the last is dropped; a jump far back, or ahead by more
    than an hour, goes on where the stream was.
    """

    def __init__(self, nominal_step_s: float) -> None:
        self._step_s = nominal_step_s
        self._last_s: float | None = None
        self._shift_s = 0.0
        self._last_pts = self._last_dts = -math.inf
        self._faulty_pts = self._faulty_dts = 0
        self.missing = 0
        self.dropped = 0
        self.splices = 0

    def time_s(self, pts_s: float | None, dts_s: float | None = None) -> float | None:
        """The time of the next frame, or None where the frame is to be dropped."""
        last_s = self._last_s
        stamp_s = self._best_stamp_s(pts_s, dts_s)
        if stamp_s is None:
            self.missing += 1
            time_s = 0.0 if last_s is None else last_s + self._step_s
        else:
            time_s = stamp_s + self._shift_s
            if last_s is not None:
                ahead_s = time_s - last_s
                if ahead_s < -_SPLICE_BACK_S or ahead_s > _LONGEST_GAP_S:
                    self.splices += 1
                    self._shift_s += last_s + self._step_s - time_s
                    time_s = last_s + self._step_s
                elif ahead_s <= 0:
                    self.dropped += 1
                    return None
        self._last_s = time_s
        return time_s

    def _best_stamp_s(self, pts_s: float | None, dts_s: float | None) -> float | None:
        if pts_s is not None:
            self._faulty_pts += pts_s <= self._last_pts
            self._last_pts = pts_s
        if dts_s is not None:
            self._faulty_dts += dts_s <= self._last_dts
            self._last_dts = dts_s
        trusted = self._faulty_pts <= self._faulty_dts or self._last_dts == -math.inf
        return pts_s if trusted and pts_s is not None else dts_s
