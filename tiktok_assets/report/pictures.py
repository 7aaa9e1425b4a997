"""Pictures as data URIs: keyframes as they were stored, else frames of the decoded video."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from analyzers.video import Frames, Video
from resources.decode_child import MediaError

_QUALITY = 72
#: Around a face or a thing, so much of its size on each side.
_MARGIN = 0.3

OpenVideo = Callable[[], AbstractContextManager[Video]]


@dataclass(frozen=True)
class Picture:
    """A JPEG in a data URI, with its size."""

    uri: str
    width_px: int
    height_px: int


class Pictures:
    """Makes the pictures of one report; the video is opened when a frame of it is asked for first.

    A frame cache that lost the video's ladder builds it again. Where the file itself is gone there
    are no pictures, and `why_none` says so.
    """

    def __init__(self, open_video: OpenVideo) -> None:
        self._open = open_video
        self._stack = ExitStack()
        self._video: Video | None = None
        #: Why frames could not be shown; "" where they could, or nobody asked.
        self.why_none = ""

    def __enter__(self) -> Pictures:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def stored(self, jpeg: bytes, long_side_px: int) -> Picture | None:
        """A stored JPEG, made smaller where it is larger; None where it cannot be read."""
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            return None
        if max(pixels.shape[:2]) <= long_side_px:
            return _picture(jpeg, pixels.shape[1], pixels.shape[0])
        return _encoded(pixels, long_side_px)

    def at(self, time_s: float, long_side_px: int) -> Picture | None:
        """The frame of the video that is nearest to a time."""
        video = self._decoded()
        if video is None or not len(video.analysis):
            return None
        place = int(np.abs(video.analysis.times_s - time_s).argmin())
        return _encoded(video.analysis[place][..., ::-1], long_side_px)

    def box(self, row: dict[str, Any], side_px: int) -> Picture | None:
        """What is in the box `x1, y1, x2, y2` of a row's `frame`, and a little around it."""
        video = self._decoded()
        if video is None or row.get("x1") is None or row.get("frame") is None:
            return None
        frames: Frames = video.detail
        place = _place(frames, row["frame"])
        if place is None:
            frames = video.analysis
            place = _place(frames, row["frame"])
        if place is None:
            return None
        pixels = frames[place]
        height, width = pixels.shape[:2]
        x1, y1, x2, y2 = (float(row[side]) for side in ("x1", "y1", "x2", "y2"))
        # A square around the middle of the box, as large as its longer side, within the frame.
        side = min(max((x2 - x1) * width, (y2 - y1) * height) * (1 + 2 * _MARGIN), width, height)
        left = int(np.clip((x1 + x2) / 2 * width - side / 2, 0, width - side))
        top = int(np.clip((y1 + y2) / 2 * height - side / 2, 0, height - side))
        part = pixels[top : top + max(1, int(side)), left : left + max(1, int(side))]
        return _encoded(part[..., ::-1], side_px)

    def _decoded(self) -> Video | None:
        if self._video is None and not self.why_none:
            try:
                self._video = self._stack.enter_context(self._open())
            except (MediaError, LookupError) as error:
                self.why_none = str(error).strip("'\"")
        return self._video


def _place(frames: Frames, frame: int) -> int | None:
    found = np.flatnonzero(frames.frame_numbers == frame)
    return int(found[0]) if len(found) else None


def _encoded(pixels: np.ndarray, long_side_px: int) -> Picture:
    scale = min(1.0, long_side_px / max(pixels.shape[:2]))
    size = [max(1, round(side * scale)) for side in (pixels.shape[1], pixels.shape[0])]
    small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return _picture(jpeg.tobytes(), *size)


def _picture(jpeg: bytes, width_px: int, height_px: int) -> Picture:
    uri = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    return Picture(uri, width_px, height_px)
