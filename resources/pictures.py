"""From a decoded frame to upright pictures of the rungs' sizes."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter

from resources.orientation import Orientation

THUMB_SIZE_PX = (48, 27)
#: No picture's long side is more than this many times the short side that was asked for.
_LONGEST_RATIO = 4


def fit_px(width_px: int, height_px: int, short_side_px: int) -> tuple[int, int]:
    """The size with at most that short side and four times that long side; never enlarged."""
    short, long = sorted((width_px, height_px))
    scale = min(1.0, short_side_px / short, _LONGEST_RATIO * short_side_px / long)
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))


class Pictures:
    """Converts frames of one stream; sizes follow its first frame."""

    def __init__(
        self,
        first: VideoFrame,
        orientation: Orientation,
        pixel_aspect_ratio: float,
        short_side_px: int,
        detail_short_side_px: int,
    ) -> None:
        self._orientation = orientation
        self._stored_px = (first.width, first.height)
        # Square pixels: the wide side grows, so that no line is thrown away.
        ratio = pixel_aspect_ratio
        shown = (
            (round(first.width * ratio), first.height)
            if ratio >= 1
            else (first.width, round(first.height / ratio))
        )
        self._shown_px = shown
        self._small_px = fit_px(*shown, short_side_px)
        self._detail_px = fit_px(*shown, detail_short_side_px)
        self._thumb_px = THUMB_SIZE_PX[::-1] if orientation.swaps_sides else THUMB_SIZE_PX
        self._half, self._thumb, self._small = (VideoReformatter() for _ in range(3))
        self._grey, self._colour, self._full = (VideoReformatter() for _ in range(3))
        self.size_changes = 0
        self._last_px = self._stored_px

    @property
    def upright_px(self) -> tuple[int, int]:
        """Width and height of the upright frame with square pixels."""
        width, height = self._shown_px
        return (height, width) if self._orientation.swaps_sides else (width, height)

    def use(self, frame: VideoFrame) -> None:
        """The frame that the other methods work on."""
        if (frame.width, frame.height) != self._last_px:
            self.size_changes += 1
            self._last_px = (frame.width, frame.height)
        self._frame = frame
        self._scaled: VideoFrame | None = None
        self._matrix = _matrix(frame)

    def _scale(
        self, reformatter: VideoReformatter, frame: VideoFrame, size: tuple[int, int], pixels: str
    ) -> VideoFrame:
        return reformatter.reformat(
            frame,
            *size,
            pixels,
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix if pixels.startswith("yuv") else None,
            interpolation="AREA",
            threads=1,
        )

    def thumb(self) -> np.ndarray:
        """27 x 48 x 3, RGB, whatever the aspect."""
        rgb = self._scale(self._thumb, self._frame, self._thumb_px, "rgb24")
        return self._orientation.upright(rgb.to_ndarray())

    def _small_frame(self) -> VideoFrame:
        if self._scaled is None:
            self._scaled = self._scale(self._small, self._frame, self._small_px, "yuv420p")
        return self._scaled

    def motion(self) -> np.ndarray:
        """Height x width, grey."""
        grey = self._scale(self._grey, self._small_frame(), self._small_px, "gray")
        return self._orientation.upright(grey.to_ndarray())

    def analysis(self) -> np.ndarray:
        """Height x width x 3, RGB."""
        rgb = self._scale(self._colour, self._small_frame(), self._small_px, "rgb24")
        return self._orientation.upright(rgb.to_ndarray())

    def detail(self) -> np.ndarray:
        """Height x width x 3, RGB, full size."""
        rgb = self._scale(self._full, self._frame, self._detail_px, "rgb24")
        return self._orientation.upright(rgb.to_ndarray())


def _matrix(frame: VideoFrame) -> int | None:
    """The YUV matrix of a frame; where it is not said, as players guess it from the size."""
    if frame.colorspace != Colorspace.DEFAULT and frame.colorspace != 2:
        return None
    return Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601
