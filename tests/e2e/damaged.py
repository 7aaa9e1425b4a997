"""What lies among the videos of a running site."""

from __future__ import annotations

from pathlib import Path


def damage(source: Path, target: Path) -> Path:
    """A file that opens as the video it was, with nothing in its frames."""
    data = source.read_bytes()
    start = data.index(b"mdat") + 4
    size = int.from_bytes(data[start - 8 : start - 4], "big") - 8
    target.write_bytes(data[:start] + bytes(size) + data[start + size :])
    return target
