"""Whole frames from interlaced ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

Numbered = tuple[int, float, VideoFrame]


def deinterlaced(frames: Iterator[Numbered], stream: VideoStream) -> Iterator[Numbered]:
    """Frames (number, time, frame) through FFmpeg's `bwdif`, one for each.

    Frames that are not flagged as interlaced pass as they are.
    """
    graph = Graph()
    source = graph.add_buffer(template=stream)
    filtered = graph.add("bwdif", mode="send_frame", deint="interlaced")
    sink = graph.add("buffersink")
    source.link_to(filtered)
    filtered.link_to(sink)
    graph.configure()
    waiting: deque[tuple[int, float]] = deque()

    def ready() -> Iterator[Numbered]:
        while waiting:
            try:
                frame = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(frame, VideoFrame)
            yield (*waiting.popleft(), frame)

    for count, (number, time_s, frame) in enumerate(frames):
        frame.pts = count  # the filter wants rising times; the true ones are kept here
        waiting.append((number, time_s))
        graph.push(frame)
        yield from ready()
    graph.push(None)
    yield from ready()
