"""The decoder's own program: `python -m resources.decode probe|ladder ...`.

It runs as a child process, because a hostile file can crash or hang a native decoder. It prints
one JSON object: `{"ok": {...}}`, or `{"error": {"cause": ...}}`.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
from av.video.frame import VideoFrame

from resources.orientation import Orientation
from resources.pictures import Pictures
from resources.presentation_clock import PresentationClock
from resources.rungs import ArrayRung, JpegRung
from resources.sound import Sound
from resources.streams import Refused, Source, open_source


class _FrameReader:
    """Good frames of the chosen stream with their times; counts the others."""

    def __init__(self, source: Source, sound: Sound | None = None) -> None:
        self._source, self._sound = source, sound
        self.clock = PresentationClock(1.0 / source.nominal_fps)
        self.number = -1
        self.corrupt = 0
        self.last_duration_s = 0.0
        self.stopped: str | None = None

    def __iter__(self) -> Iterator[tuple[int, float, VideoFrame]]:
        """Number in the file, time in the file, frame."""
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
                yield from self._frames(source.video.codec_context, None)
                return
            if packet.stream_index == source.video.index:
                yield from self._frames(source.video.codec_context, packet)
            elif self._sound is not None:
                self._hear(packet)

    def _frames(self, context: Any, packet: Any) -> Iterator[tuple[int, float, VideoFrame]]:
        if packet is not None and packet.size == 0:
            packet = None
        try:
            frames = context.decode(packet)
        except av.error.FFmpegError as error:
            if packet is not None and not isinstance(error, av.error.EOFError):
                self.corrupt += 1
            return
        # Frames that are flushed at the end carry no time base of their own.
        time_base = self._source.video.time_base
        for frame in frames:
            self.number += 1
            stamp_s = float(frame.pts * time_base) if frame.pts is not None else None
            time_s = self.clock.time_s(stamp_s)
            if frame.is_corrupt:
                self.corrupt += 1
            elif time_s is not None:
                self.last_duration_s = float((frame.duration or 0) * time_base)
                yield self.number, time_s, frame

    def _hear(self, packet: Any) -> None:
        assert self._sound is not None
        try:
            for frame in packet.decode():
                self._sound.add(frame)
        except (av.error.FFmpegError, ValueError):
            self._sound.bad_packets += packet.size > 0


def _orientation(frame: VideoFrame) -> Orientation:
    for data in (frame.side_data[i] for i in range(len(frame.side_data))):
        if data.type.name == "DISPLAYMATRIX":
            return Orientation.from_display_matrix(bytes(data))
    return Orientation()


def _first_frame(path: Path, threads: int) -> tuple[Source, int, float, VideoFrame]:
    source = open_source(path, threads)
    reader = _FrameReader(source)
    for number, time_s, frame in reader:
        return source, number, time_s, frame
    raise Refused(
        f"no good video frame ({reader.corrupt} are corrupt)"
        if reader.corrupt
        else "no video frame"
    )


def _about(source: Source, frame: VideoFrame, time_s: float) -> dict[str, Any]:
    orientation = _orientation(frame)
    pictures = Pictures(frame, orientation, source.pixel_aspect_ratio, 16, 16)
    width_px, height_px = pictures.upright_px
    return {
        "container": source.container.format.name,
        "codec": source.video.codec_context.name,
        "pixel_format": frame.format.name,
        "width_px": width_px,
        "height_px": height_px,
        "rotation_deg": orientation.rotation_deg,
        "mirrored": orientation.mirrored,
        "fps": source.nominal_fps,
        "start_s": time_s,
        "tags": {**source.container.metadata},
        "warnings": source.warnings,
    }


def probe(path: Path, threads: int) -> dict[str, Any]:
    """What a file is, after its first good frame was decoded."""
    source, _, time_s, frame = _first_frame(path, threads)
    audio = source.audio
    about = _about(source, frame, time_s)
    return {
        **about,
        "duration_s": source.duration_s,
        "audio": audio
        and {
            "codec": audio.codec_context.name,
            "sample_rate_hz": audio.codec_context.sample_rate,
            "channels": audio.codec_context.channels,
            "duration_s": float(audio.duration * audio.time_base) if audio.duration else 0.0,
        },
    }


def build_ladder(
    path: Path, folder: Path, settings: dict[str, Any], threads: int
) -> dict[str, Any]:
    """Decode a file once into `folder`: all rungs and both rates of sound."""
    # The first frame's time must be known before sound is written; it costs one short look.
    source, _, first_s, first = _first_frame(path, threads)
    about = _about(source, first, first_s)
    source.container.close()
    source = open_source(path, threads)
    sound = Sound(folder, source.audio, first_s) if source.audio is not None else None
    pictures = Pictures(
        first,
        _orientation(first),
        source.pixel_aspect_ratio,
        settings["short_side_px"],
        settings["detail_short_side_px"],
    )
    thumbs = ArrayRung(folder, "thumbs", 0.0)
    motion = ArrayRung(folder, "motion", settings["motion_rate_hz"])
    analysis = ArrayRung(folder, "analysis", settings["analysis_rate_hz"])
    detail = JpegRung(folder, "detail", settings["detail_rate_hz"], settings["jpeg_quality"])
    takers = (
        (thumbs, pictures.thumb),
        (motion, pictures.motion),
        (analysis, pictures.analysis),
        (detail, pictures.detail),
    )
    reader = _FrameReader(source, sound)
    for number, file_s, frame in reader:
        time_s = file_s - first_s
        pictures.use(frame)
        for rung, picture in takers:
            if rung.wants(time_s):
                rung.take(time_s, number, picture())
    times_s = thumbs.times_s
    steps_s = [b - a for a, b in pairwise(times_s)]
    step_s = statistics.median(steps_s) if steps_s else 1.0 / source.nominal_fps
    last_s = reader.last_duration_s
    end_s = times_s[-1] + (last_s if 0 < last_s <= max(1.0, 10 * step_s) else step_s)
    rungs = {rung.name: rung.close() for rung, _ in takers}
    about["warnings"] = [*source.warnings]
    audio = sound.close(end_s) if sound is not None else None
    return {
        **about,
        "fps": 1.0 / step_s,
        "end_s": end_s,
        "frame_count": len(times_s),
        "corrupt_frame_count": reader.corrupt,
        "audio": audio,
        "rungs": rungs,
        "warnings": [*about["warnings"], *_remarks(reader, pictures, sound, audio)],
    }


def _remarks(
    reader: _FrameReader, pictures: Pictures, sound: Sound | None, audio: dict[str, Any] | None
) -> Iterator[str]:
    if reader.stopped:
        yield f"the file cannot be read to its end ({reader.stopped})"
    if reader.corrupt:
        yield f"{reader.corrupt} corrupt frames were left out"
    if reader.clock.missing:
        yield f"{reader.clock.missing} frames carry no time; theirs was estimated"
    if reader.clock.dropped:
        yield f"{reader.clock.dropped} frames with times out of order were left out"
    if reader.clock.splices:
        yield f"timestamps jump {reader.clock.splices} times; the parts were put end to end"
    if pictures.size_changes:
        yield "the picture size changes inside the video; all was scaled to the first size"
    if sound is not None and audio is None:
        yield "the sound cannot be decoded; the video was analyzed without it"
    elif sound is not None and sound.bad_packets:
        yield f"{sound.bad_packets} packets of sound are corrupt"


def _limit_memory(limit_bytes: int) -> None:
    """Let the address space grow by at most `limit_bytes` beyond what the program takes now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # no /proc: this system has no such limit, the wall time still bounds it
        return
    most = pages * resource.getpagesize() + limit_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request: `what`, `path`, `threads`, `memory_bytes`, and for a ladder its rest."""
    _limit_memory(request["memory_bytes"])
    cv2.setNumThreads(1)
    av.logging.set_level(av.logging.ERROR)
    av.logging.restore_default_callback()
    path = Path(request["path"])
    try:
        if request["what"] == "probe":
            return {"ok": probe(path, request["threads"])}
        folder = Path(request["folder"])
        return {"ok": build_ladder(path, folder, request["settings"], request["threads"])}
    except Refused as refusal:
        return {"error": {"cause": str(refusal), "kind": "refused"}}
    except MemoryError:
        return {"error": {"cause": "out of memory", "kind": "memory"}}
    except av.error.FFmpegError as error:
        return {"error": {"cause": error.strerror, "kind": "ffmpeg", "errno": error.errno}}
    except OSError as error:
        return {"error": {"cause": error.strerror, "kind": "os", "errno": error.errno}}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
