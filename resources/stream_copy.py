"""Copies streams between media files as they are, without encoding anew."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import av
from av.container import InputContainer, OutputContainer
from av.stream import Stream


def join(sources: Sequence[Path], target: Path) -> None:
    """Write the best video and the best sound among the sources into one file.

    The container follows the target's suffix. Raises `av.error.FFmpegError` where it cannot hold
    them, `ValueError` where there is no video.
    """
    with ExitStack() as stack:
        found = [_first_with(kind, sources, stack) for kind in ("video", "audio")]
        if found[0] is None:
            raise ValueError(f"{target.name}: no video in {', '.join(p.name for p in sources)}")
        whole = {"movflags": "faststart"} if target.suffix == ".mp4" else {}
        out = stack.enter_context(av.open(str(target), "w", options=whole))
        for packet in in_order([copied_packets(out, *one) for one in found if one is not None]):
            out.mux(packet)


def _first_with(
    kind: Literal["video", "audio"], sources: Sequence[Path], stack: ExitStack
) -> tuple[InputContainer, Stream] | None:
    # Opened for this stream alone: reading it passes over the packets of others.
    for path in sources:
        source = stack.enter_context(av.open(str(path)))
        if (stream := source.streams.best(kind)) is not None:
            return source, stream
    return None


def copied_packets(
    out: OutputContainer, source: InputContainer, stream: Stream
) -> Iterator[av.Packet]:
    """A stream's packets, as those of a stream that is added to `out` now."""
    copy = out.add_stream_from_template(stream)

    def packets() -> Iterator[av.Packet]:
        for packet in source.demux(stream):
            if packet.dts is not None:  # else it only says that the stream ended
                packet.stream = copy
                yield packet

    return packets()


def in_order(streams: Iterable[Iterator[av.Packet]]) -> Iterator[av.Packet]:
    """Packets of several streams by their time of decoding."""
    return heapq.merge(*streams, key=_time_s)


def _time_s(packet: av.Packet) -> float:
    if packet.dts is None or packet.time_base is None:
        return 0.0
    return float(packet.dts * packet.time_base)
