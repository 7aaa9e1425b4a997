"""From a decoded frame to upright pictures of the rungs' sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from resources.orientation import Orientation
from resources.tone_mapping import HLG, PQ, TABLE_FORMAT, ToneMapper, write_table

THUMB_SIZE_PX = (48, 27)
#: Thumbs of frames with more pixels than this are averaged from a picture of so many times the
#: thumb's size, taken by the cheapest scaler: half the cost, and still nearer to the average of all
#: pixels than a bicubic scaler.
_LARGE_PX, _THUMB_OVERSAMPLING = 1280 * 720, 8
#: No picture's long side is more than this many times the short side that was asked for.
_LONGEST_RATIO = 4
#: YUV whose luma can be used as it is.
_FULL_RANGE = "yuvj420p"

Size = tuple[int, int]


def fit_px(width_px: int, height_px: int, short_side_px: int) -> Size:
    """The size with at most that short side and four times that long side; never enlarged."""
    short, long = sorted((width_px, height_px))
    scale = min(1.0, short_side_px / short, _LONGEST_RATIO * short_side_px / long)
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))


def square_px(width_px: int, height_px: int, pixel_aspect_ratio: float) -> Size:
    """The size with square pixels; the narrow side grows, so that no line is thrown away."""
    if pixel_aspect_ratio >= 1:
        return round(width_px * pixel_aspect_ratio), height_px
    return width_px, round(height_px / pixel_aspect_ratio)


def is_transparent(frame: VideoFrame) -> bool:
    """Whether parts of a frame may be seen through."""
    return any(c.is_alpha for c in frame.format.components) or frame.format.has_palette


class Pictures:
    """Converts frames of one stream; sizes follow its first frame.

    Frames are scaled first and converted then: what only some rungs want is done for their frames
    only. `Interpolation.AREA` averages, which keeps text and fine patterns from flickering.
    """

    def __init__(
        self,
        first: VideoFrame,
        orientation: Orientation,
        pixel_aspect_ratio: float,
        short_side_px: int,
        detail_short_side_px: int,
        folder: Path,
    ) -> None:
        """`folder` is where a table for HDR may be written."""
        self._orientation = orientation
        shown = square_px(first.width, first.height, pixel_aspect_ratio)
        self._small_px = fit_px(*shown, short_side_px)
        self._detail_px = fit_px(*shown, detail_short_side_px)
        self._thumb_px = THUMB_SIZE_PX[::-1] if orientation.swaps_sides else THUMB_SIZE_PX
        self._scalers: dict[tuple[str, Size], VideoReformatter] = {}
        self._last_px = (first.width, first.height)
        self.size_changes = 0
        #: The HDR transfer characteristic, None for ordinary video.
        self.hdr = first.color_trc if first.color_trc in (PQ, HLG) else None
        self.alpha = is_transparent(first)
        self._mappers: dict[Size, ToneMapper] = {}
        if self.hdr is not None:
            self._table = folder / "hdr.cube"
            write_table(self._table, self.hdr)

    def use(self, frame: VideoFrame) -> None:
        """The frame that the other methods work on."""
        if (frame.width, frame.height) != self._last_px:
            self.size_changes += 1
            self._last_px = (frame.width, frame.height)
        self._frame = frame
        self._small: VideoFrame | None = None
        self._matrix = _matrix(frame)

    def thumb(self) -> np.ndarray:
        """27 x 48 x 3, RGB, whatever the aspect."""
        frame = self._frame
        large = frame.width * frame.height > _LARGE_PX
        if large and self.hdr is None and not self.alpha:
            size = tuple(
                min(stored, _THUMB_OVERSAMPLING * wanted)
                for stored, wanted in zip((frame.width, frame.height), self._thumb_px, strict=True)
            )
            frame = self._scaled(frame, size, _FULL_RANGE, "FAST_BILINEAR")  # type: ignore[arg-type]
        return self._upright(frame, self._thumb_px, "rgb24")

    def motion(self) -> np.ndarray:
        """Height x width, grey: the luma of the frame's own YUV matrix, 0..255."""
        luma: Any = self._small_frame().planes[0]
        width, height = self._small_px
        lines = np.frombuffer(luma, np.uint8).reshape(-1, luma.line_size)
        return self._orientation.upright(np.ascontiguousarray(lines[:height, :width]))

    def analysis(self) -> np.ndarray:
        """Height x width x 3, RGB."""
        return self._upright(self._small_frame(), self._small_px, "rgb24")

    def detail(self) -> np.ndarray:
        """Height x width x 3, RGB, full size."""
        return self._upright(self._frame, self._detail_px, "rgb24")

    def _small_frame(self) -> VideoFrame:
        """Motion's and analysis's common size, SDR, without transparency, luma 0..255."""
        if self._small is None:
            plain = self._plain(self._frame, self._small_px, _FULL_RANGE)
            self._small = self._scaled(plain, self._small_px, _FULL_RANGE)
        return self._small

    def _upright(self, frame: VideoFrame, size: Size, pixels: str) -> np.ndarray:
        return self._orientation.upright(self._plain(frame, size, pixels).to_ndarray())

    def _plain(self, frame: VideoFrame, size: Size, pixels: str) -> VideoFrame:
        """The frame scaled; HDR is tone-mapped, transparency is put on black."""
        if frame is self._small:
            return self._scaled(frame, size, pixels)
        if self.hdr is not None:
            if size not in self._mappers:
                self._mappers[size] = ToneMapper(self._table, *size)
            mapped = self._mappers[size].apply(self._scaled(frame, size, TABLE_FORMAT))
            return mapped.reformat(format="rgb24")
        if self.alpha:
            rgba = self._scaled(frame, size, "rgba").to_ndarray()
            over_black = rgba[..., :3].astype(np.uint16) * rgba[..., 3:] // 255
            return VideoFrame.from_ndarray(over_black.astype(np.uint8), format="rgb24")
        return self._scaled(frame, size, pixels)

    def _scaled(
        self, frame: VideoFrame, size: Size, pixels: str, interpolation: str = "AREA"
    ) -> VideoFrame:
        key = (f"{frame.format.name}>{pixels}", size)
        if key not in self._scalers:
            self._scalers[key] = VideoReformatter()
        return self._scalers[key].reformat(
            frame,
            *size,
            pixels,
            src_colorspace=self._matrix,
            dst_colorspace=self._matrix,
            dst_color_range=ColorRange.JPEG if pixels == _FULL_RANGE else None,
            interpolation=interpolation,
            threads=1,
        )


def _matrix(frame: VideoFrame) -> int:
    """The YUV matrix of a frame; where it is not said, as players guess it from the size."""
    if frame.colorspace not in (0, 2):  # "RGB" and "unspecified" in ITU-T H.273
        return frame.colorspace
    return Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601
