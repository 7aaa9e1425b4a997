"""Rungs of the frame ladder as they are written, window by window, while the file is decoded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import cv2
import numpy as np

#: The grid of sample times may be missed by this much: half a step of millisecond timestamps.
_TOLERANCE_S = 1e-3


class GrowingArray:
    """An `.npy` file that grows along its first axis; the header is completed by `close`."""

    def __init__(self, path: Path, item_shape: tuple[int, ...], dtype: str) -> None:
        self.item_shape, self._dtype = item_shape, np.dtype(dtype)
        self._file = path.open("wb")
        self.length = 0
        self._write_header()
        self._header_bytes = self._file.tell()

    def _write_header(self) -> None:
        # NumPy pads the header so that the first axis may grow in place.
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.length, *self.item_shape),
        }
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, items: np.ndarray) -> None:
        """Add items (n x item shape)."""
        self._file.write(np.ascontiguousarray(items, self._dtype).data)
        self.length += len(items)

    def close(self, keep: int | None = None) -> None:
        """Complete the file, cut to the first `keep` items."""
        if keep is not None and keep < self.length:
            self.length = max(0, keep)
            items = self.length * int(np.prod(self.item_shape, dtype=np.int64))
            self._file.truncate(self._header_bytes + items * self._dtype.itemsize)
        self._file.seek(0)
        self._write_header()
        self._file.close()


class Rung(ABC):
    """When a rung takes a frame, and which frames it took. `rate_hz` 0 takes every frame."""

    def __init__(self, folder: Path, name: str, rate_hz: float) -> None:
        self.folder, self.name, self.rate_hz = folder, name, rate_hz
        self._next = 0
        self.times_s: list[float] = []
        self.frame_numbers: list[int] = []

    def wants(self, time_s: float) -> bool:
        """Whether the frame at this time (from the first frame's) is the next sample.

        Samples are the first frames at or after multiples of the period, so that a gap in a
        variable-rate file gives no copies.
        """
        return not self.rate_hz or (time_s + _TOLERANCE_S) * self.rate_hz >= self._next

    def take(self, time_s: float, number: int, picture: np.ndarray) -> None:
        """Write one upright picture."""
        self._next = int((time_s + _TOLERANCE_S) * self.rate_hz) + 1
        self.times_s.append(time_s)
        self.frame_numbers.append(number)
        self._write(picture)

    @abstractmethod
    def _write(self, picture: np.ndarray) -> None:
        """Write one picture of the rung."""

    def close(self) -> dict[str, Any]:
        """Complete the rung's files; returns what is to be known of it."""
        np.save(self.folder / f"{self.name}.times_s.npy", np.array(self.times_s, np.float64))
        np.save(self.folder / f"{self.name}.frames.npy", np.array(self.frame_numbers, np.int64))
        return {"frames": len(self.times_s)}


class ArrayRung(Rung):
    """A rung in one `.npy` file."""

    _array: GrowingArray | None = None

    def _write(self, picture: np.ndarray) -> None:
        if self._array is None:
            self._array = GrowingArray(self.folder / f"{self.name}.npy", picture.shape, "uint8")
        self._array.append(picture[None])

    def close(self) -> dict[str, Any]:
        """Complete the rung's files; returns what is to be known of it."""
        if self._array is not None:
            self._array.close()
        return super().close()


class JpegRung(Rung):
    """A rung in a folder of JPEG files, named by their number in the rung."""

    def __init__(self, folder: Path, name: str, rate_hz: float, quality: int) -> None:
        super().__init__(folder, name, rate_hz)
        self._quality = quality
        (folder / name).mkdir()

    def _write(self, picture: np.ndarray) -> None:
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        ok, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        if not ok:
            raise OSError(f"{self.name}: a {bgr.shape[1]}x{bgr.shape[0]} frame does not encode")
        path = self.folder / self.name / f"{len(self.times_s) - 1:06d}.jpg"
        path.write_bytes(data.tobytes())
