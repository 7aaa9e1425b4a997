"""Clips for the running product: cut from the sample, damaged, and no videos at all."""

from __future__ import annotations

from pathlib import Path

import av

SAMPLE = Path(__file__).resolve().parents[2] / "sample" / "street_portrait.mp4"


def cut(target: Path, seconds: float) -> Path:
    """The sample's first seconds, packets as they are; each length gives other bytes."""
    with av.open(str(SAMPLE)) as source, av.open(str(target), "w") as short:
        streams = {s.index: short.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None and packet.pts * packet.time_base < seconds:
                packet.stream = streams[packet.stream.index]
                short.mux(packet)
    return target


def damage(source: Path, target: Path) -> Path:
    """A file that opens as the video it was, with nothing in its frames."""
    data = source.read_bytes()
    start = data.index(b"mdat") + 4
    size = int.from_bytes(data[start - 8 : start - 4], "big") - 8
    target.write_bytes(data[:start] + bytes(size) + data[start + size :])
    return target
