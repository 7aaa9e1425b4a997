"""Good frames of a file with usable times, and its sound on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
from av.video.frame import VideoFrame

from resources.presentation_clock import PresentationClock
from resources.sound import Sound
from resources.streams import Source


class FrameReader:
    """Reads one open file once; counts what is not good."""

    def __init__(
        self,
        source: Source,
        sound: Sound | None = None,
        on_corrupt: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_corrupt` is called for each corrupt frame."""
        self._source, self._sound, self._on_corrupt = source, sound, on_corrupt
        self.clock = PresentationClock(1.0 / source.nominal_fps)
        self.number = -1
        self.corrupt = 0
        #: How long the last good frame says it lasts; 0 where it does not.
        self.last_duration_s = 0.0
        #: Why reading ended before the end of the file.
        self.stopped: str | None = None

    def __iter__(self) -> Iterator[tuple[int, float, VideoFrame]]:
        """Number of the frame in the file from 0, its time in the file, the frame."""
        source = self._source
        streams = [source.video] + ([source.audio] if self._sound else [])
        packets = source.container.demux(*streams)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self.stopped = error.strerror
                yield from self._see(None)
                return
            # A packet that flushes has no stream index of its own.
            if packet.stream.index == source.video.index:
                yield from self._see(packet if packet.size else None)
            else:
                self._hear(packet)

    def _see(self, packet: Any) -> Iterator[tuple[int, float, VideoFrame]]:
        try:
            frames = self._source.video.codec_context.decode(packet)
        except av.error.EOFError:
            return
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            self._count_corrupt()
            return
        # Frames that are flushed at the end carry no time base of their own.
        time_base = self._source.video.time_base or Fraction(1, av.time_base)
        for frame in frames:
            self.number += 1
            time_s = self.clock.time_s(
                *(float(s * time_base) if s is not None else None for s in (frame.pts, frame.dts))
            )
            if frame.is_corrupt:
                self._count_corrupt()
            elif time_s is not None:
                self.last_duration_s = float((frame.duration or 0) * time_base)
                yield self.number, time_s, frame

    def _count_corrupt(self) -> None:
        self.corrupt += 1
        self._on_corrupt()

    def _hear(self, packet: Any) -> None:
        assert self._sound is not None
        try:
            for frame in packet.decode():
                self._sound.add(frame)
        except (av.error.FFmpegError, ValueError):
            self._sound.bad_packets += packet.size > 0
