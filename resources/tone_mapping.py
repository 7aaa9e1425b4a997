"""HDR pictures (PQ or HLG, BT.2020) as ordinary ones (sRGB).

libswscale's conversion to RGB keeps the HDR transfer function, which looks grey and washed out.
Here a 3D table is computed once and applied by FFmpeg's `lut3d` to pictures that are already
scaled down.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

#: Transfer characteristics as ITU-T H.273 numbers them.
PQ, HLG = 16, 18
#: The format that the table is applied in.
TABLE_FORMAT = "gbrp10le"

_POINTS = 33
#: Brightness of the mastering display, and what becomes full white, in cd/m2. ITU-R BT.2408 puts
#: paper white at 203; phones record whites above it, which stay apart with this much headroom.
_PEAK_NITS, _WHITE_NITS = 1000.0, 300.0
#: BT.2020 to BT.709 primaries, linear light (ITU-R BT.2087).
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)


def to_srgb(signal: np.ndarray, transfer: int) -> np.ndarray:
    """HDR signals (..., 3), 0..1, as sRGB signals 0..1.

    PQ and HLG to light after ITU-R BT.2100 (HLG on a 1000 cd/m2 display); the brightest channel is
    brought down to full white by the curve of ITU-R BT.2390, section 5.4, and the others in
    proportion, so that hues stay.
    """
    nits = _pq_to_nits(signal) if transfer == PQ else _hlg_to_nits(signal)
    brightest = np.maximum(nits.max(axis=-1, keepdims=True), 1e-6)
    linear = nits * (_compress(brightest) / brightest) / _WHITE_NITS
    linear = np.clip(linear @ _TO_709.T, 0.0, 1.0)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _pq_to_nits(signal: np.ndarray) -> np.ndarray:
    power = np.clip(signal, 0, 1) ** (1 / 78.84375)
    return 1e4 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (
        1 / 0.1593017578125
    )


def _nits_to_pq(nits: np.ndarray | float) -> np.ndarray:
    power = (np.asarray(nits) / 1e4) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def _hlg_to_nits(signal: np.ndarray) -> np.ndarray:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return _PEAK_NITS * scene * np.maximum(luminance, 1e-6)[..., None] ** 0.2


def _compress(nits: np.ndarray) -> np.ndarray:
    top = _nits_to_pq(_PEAK_NITS)
    e1 = np.minimum(_nits_to_pq(nits) / top, 1.0)
    most = _nits_to_pq(_WHITE_NITS) / top
    knee = 1.5 * most - 0.5
    t = np.maximum((e1 - knee) / (1 - knee), 0.0)
    rolled = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * most
    )
    return _pq_to_nits(np.where(e1 < knee, e1, rolled) * top)


def write_table(path: Path, transfer: int) -> None:
    """Write the table as a `.cube` file (red runs fastest)."""
    axis = np.linspace(0, 1, _POINTS)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    colours = to_srgb(np.stack([red, green, blue], axis=-1), transfer).reshape(-1, 3)
    with path.open("w") as file:
        file.write(f"LUT_3D_SIZE {_POINTS}\n")
        np.savetxt(file, colours, fmt="%.6f")


class ToneMapper:
    """Applies the table to frames of one size in `TABLE_FORMAT`."""

    def __init__(self, table: Path, width_px: int, height_px: int) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=width_px,
            height=height_px,
            format=VideoFormat(TABLE_FORMAT),
            time_base=Fraction(1, 1000),
        )
        lut = self._graph.add("lut3d", file=str(table), interp="tetrahedral")
        sink = self._graph.add("buffersink")
        source.link_to(lut)
        lut.link_to(sink)
        self._graph.configure()

    def apply(self, frame: VideoFrame) -> VideoFrame:
        """The frame with the table applied, in the same format."""
        frame.pts = None
        self._graph.push(frame)
        mapped = self._graph.pull()
        assert isinstance(mapped, VideoFrame)
        return mapped
