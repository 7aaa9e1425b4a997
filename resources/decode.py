"""The decoder's own program: `python -m resources.decode '{"what": "ladder", ...}'`.

It runs as a child process, because a hostile file can crash or hang a native decoder. It prints
JSON, one object a line: `{"load_s": ..., "duration_s": ...}` when it knows how much work there is,
`{"at_s": ...}` as it goes on, and last `{"ok": {...}}` or `{"error": {...}}`.
"""

from __future__ import annotations

import json
import math
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
from av.video.frame import VideoFrame

from resources.deinterlacing import deinterlaced
from resources.frame_reader import FrameReader
from resources.nvdec import NoGpu, NotForNvdec, open_on_gpu
from resources.orientation import Orientation
from resources.pictures import Pictures, is_transparent, square_px
from resources.rungs import ArrayRung, JpegRung, Rung
from resources.sound import Sound
from resources.streams import Refused, Source, open_source
from resources.tether import die_with_parent

#: A last frame that says it lasts longer than this is not believed.
_LONGEST_LAST_FRAME_S = 10.0
#: A video of fewer bytes a second than this is not believed, to bound made-up durations.
_LEAST_BYTES_PER_S = 200.0
#: Wall time between two words of progress.
_PROGRESS_EVERY_S = 0.5

Tell = Callable[[dict[str, Any]], None]


class _AgainError(Exception):
    """Ends a decode that is to be done again in the next way; says why, as a cause in brackets."""


@dataclass(frozen=True)
class _Way:
    """How a file is opened. `last`: corrupt frames are left out; else they end the decode."""

    decoder: str
    open: Callable[[], Source]
    last: bool = False


def _orientation(frame: VideoFrame) -> Orientation:
    try:
        data: Any = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:
        # PyAV does not know one of the frame's side data (multi-view HEVC): it still tells the
        # rotation, counter-clockwise, though not the mirroring.
        return Orientation(round(-frame.rotation / 90) * 90 % 360)
    return Orientation.from_display_matrix(bytes(data)) if data is not None else Orientation()


def _first_frame(path: Path, threads: int) -> tuple[Source, float, VideoFrame]:
    source = open_source(path, threads, frame_threads=False)
    reader = FrameReader(source)
    for _, time_s, frame in reader:
        return source, time_s, frame
    if reader.corrupt:
        raise Refused(f"no good video frame ({reader.corrupt} are corrupt)")
    raise Refused("no video frame (the header is there, the pictures are not)")


def probe(path: Path, threads: int) -> dict[str, Any]:
    """What a file is, after its first good frame was decoded."""
    source, first_s, first = _first_frame(path, threads)
    audio = source.audio
    heard = audio and {
        "codec": audio.codec_context.name,
        "sample_rate_hz": audio.codec_context.sample_rate,
        "channels": audio.codec_context.channels,
        "duration_s": float(audio.duration * audio.time_base) if audio.duration else 0.0,
    }
    return {**_about(source, first, first_s), "duration_s": source.duration_s, "audio": heard}


def _about(source: Source, first: VideoFrame, first_s: float) -> dict[str, Any]:
    orientation = _orientation(first)
    shown_px = square_px(first.width, first.height, source.pixel_aspect_ratio)
    width_px, height_px = shown_px[::-1] if orientation.swaps_sides else shown_px
    return {
        "container": source.container.format.name,
        "codec": source.video.codec_context.name,
        "pixel_format": first.format.name,
        "width_px": width_px,
        "height_px": height_px,
        "rotation_deg": orientation.rotation_deg,
        "mirrored": orientation.mirrored,
        "fps": source.nominal_fps,
        "start_s": first_s,
        "tags": {**source.container.metadata},
        "warnings": source.warnings,
    }


def build_ladder(
    path: Path, folder: Path, settings: dict[str, Any], threads: int, tell: Tell = lambda _: None
) -> dict[str, Any]:
    """Decode a file once into `folder`: all rungs and both rates of sound.

    Raises `Refused`, or what PyAV and the file system raise.
    """
    # What the GPU makes of a corrupt file is its own; frame threads lose other frames each time.
    ways = [_Way("nvdec", partial(open_on_gpu, path))] if settings["decoder"] == "nvdec" else []
    if threads > 1:
        ways.append(_Way("cpu", partial(open_source, path, threads, frame_threads=True)))
    ways.append(_Way("cpu", partial(open_source, path, threads, frame_threads=False), last=True))
    instead: list[str] = []
    for way in ways:
        try:
            return _build(path, folder, settings, threads, tell, way, instead)
        except _AgainError as why:
            for entry in folder.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            if way.decoder == "nvdec":
                instead = [f"decoded on the CPU: NVDEC cannot decode it ({why})"]
    raise AssertionError("the last way never asks for another")


def _build(
    path: Path,
    folder: Path,
    settings: dict[str, Any],
    threads: int,
    tell: Tell,
    way: _Way,
    remarks: Sequence[str],
) -> dict[str, Any]:
    # Sound is written from the first frame's time on, so this must be known beforehand.
    source, first_s, first = _first_frame(path, threads)
    about = _about(source, first, first_s)
    interlaced = first.interlaced_frame
    tell({"load_s": _load_s(source), "duration_s": _believable_s(source)})
    source.container.close()

    source = _opened(way, first)
    sound = Sound(folder, source.audio, first_s) if source.audio is not None else None
    pictures = Pictures(
        first,
        _orientation(first),
        source.pixel_aspect_ratio,
        settings["short_side_px"],
        settings["detail_short_side_px"],
        folder,
    )
    thumbs = ArrayRung(folder, "thumbs", 0.0)
    rungs: tuple[tuple[Rung, Callable[[], Any]], ...] = (
        (thumbs, pictures.thumb),
        (ArrayRung(folder, "motion", settings["motion_rate_hz"]), pictures.motion),
        (ArrayRung(folder, "analysis", settings["analysis_rate_hz"]), pictures.analysis),
        (
            JpegRung(folder, "detail", settings["detail_rate_hz"], settings["jpeg_quality"]),
            pictures.detail,
        ),
    )

    def on_corrupt() -> None:
        if not way.last:
            raise _AgainError("a frame of it is corrupt, or of a kind that it does not know")

    reader = FrameReader(source, sound, on_corrupt)
    frames = deinterlaced(iter(reader), source.video) if interlaced else iter(reader)
    told = -math.inf
    for number, file_s, frame in frames:
        time_s = file_s - first_s
        pictures.use(frame)
        for rung, picture in rungs:
            if rung.wants(time_s):
                rung.take(time_s, number, picture())
        if (now := time.monotonic()) > told + _PROGRESS_EVERY_S:
            tell({"at_s": time_s})
            told = now

    times_s = thumbs.times_s
    if not times_s:
        raise Refused(f"no good video frame ({reader.corrupt} are corrupt)")
    step_s = statistics.median(b - a for a, b in pairwise(times_s)) if times_s[1:] else 0.0
    last_s = reader.last_duration_s
    if not 0 < last_s <= _LONGEST_LAST_FRAME_S:
        last_s = step_s or 1.0 / source.nominal_fps
    end_s = times_s[-1] + last_s
    held = {rung.name: rung.close() for rung, _ in rungs}
    audio = sound.close(end_s) if sound is not None else None
    if pictures.hdr is not None:
        (folder / "hdr.cube").unlink()
    return {
        **about,
        "decoder": way.decoder,
        "fps": (len(times_s) - 1) / times_s[-1] if times_s[1:] else source.nominal_fps,
        "end_s": end_s,
        "frame_count": len(times_s),
        "corrupt_frame_count": reader.corrupt,
        "audio": audio,
        "rungs": held,
        "warnings": [
            *about["warnings"],
            *remarks,
            *(["interlaced: every frame was deinterlaced"] if interlaced else []),
            *_remarks(reader, pictures, sound, audio, source.duration_s, end_s),
        ],
    }


def _opened(way: _Way, first: VideoFrame) -> Source:
    """The file, opened in a way that suits its first frame."""
    if way.decoder == "nvdec":
        if first.interlaced_frame:
            raise _AgainError("it is interlaced")
        if is_transparent(first):
            raise _AgainError("it is transparent")
    try:
        return way.open()
    except NotForNvdec as why:
        raise _AgainError(str(why)) from why


def _load_s(source: Source) -> float:
    """How many seconds of 1080x1920 video at 30 fps cost as much."""
    context = source.video.codec_context
    load = context.width * context.height / (1080 * 1920) * source.nominal_fps / 30
    return _believable_s(source) * max(0.1, load)


def _believable_s(source: Source) -> float:
    """What the container says of the duration, but no more than its size makes believable."""
    believable_s = source.container.size / _LEAST_BYTES_PER_S
    return min(source.duration_s or believable_s, believable_s)


def _remarks(
    reader: FrameReader,
    pictures: Pictures,
    sound: Sound | None,
    audio: dict[str, Any] | None,
    said_s: float,
    end_s: float,
) -> Iterator[str]:
    if reader.stopped:
        yield f"the file cannot be read to its end ({reader.stopped})"
    elif said_s > end_s + max(1.0, 0.1 * end_s):
        yield f"the pictures end at {end_s:.1f} s, though the file says {said_s:.1f} s"
    if reader.corrupt:
        yield f"corrupt frames were left out ({reader.corrupt})"
    if reader.clock.missing:
        yield f"frames without a time were given one ({reader.clock.missing})"
    if reader.clock.dropped:
        yield f"frames with times out of order were left out ({reader.clock.dropped})"
    if reader.clock.splices:
        yield f"timestamps jump; the parts were put end to end ({reader.clock.splices})"
    if pictures.size_changes:
        yield "the picture size changes inside the video; all was scaled to the first size"
    if pictures.hdr is not None:
        yield "HDR: tone-mapped to ordinary brightness"
    if pictures.alpha:
        yield "transparent: put on black"
    if sound is not None and audio is None:
        yield "the sound cannot be decoded; the video was analyzed without it"
    elif sound is not None and sound.bad_packets:
        yield f"packets of sound are corrupt ({sound.bad_packets})"


def _limit_memory(limit_bytes: int) -> None:
    """Let the address space grow by at most `limit_bytes` beyond what the program takes now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # no /proc: such a system does not keep this limit either
        return
    most = pages * resource.getpagesize() + limit_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def answer(request: dict[str, Any], tell: Tell = lambda _: None) -> dict[str, Any]:
    """Answer one request: `what`, `path`, `threads`, and for a ladder `folder` and `settings`."""
    path, threads = Path(request["path"]), request["threads"]
    try:
        if request["what"] == "open":
            open_source(path, threads, frame_threads=False).container.close()
            return {"ok": {}}
        if request["what"] == "probe":
            return {"ok": probe(path, threads)}
        folder = Path(request["folder"])
        return {"ok": build_ladder(path, folder, request["settings"], threads, tell)}
    except Refused as refusal:
        return {"error": {"kind": "refused", "cause": refusal.cause, "way_out": refusal.way_out}}
    except MemoryError:
        return {"error": {"kind": "memory"}}
    except NoGpu as error:
        return {"error": {"kind": "gpu", "cause": str(error)}}
    except av.error.FFmpegError as error:
        return {"error": {"kind": "ffmpeg", "cause": error.strerror}}
    except OSError as error:
        return {"error": {"kind": "os", "cause": error.strerror, "errno": error.errno}}


def main() -> None:
    """Answer the request in the first argument on standard output."""
    request = json.loads(sys.argv[1])
    die_with_parent()  # two decoders must never write one ladder
    # A GPU's driver reserves far more addresses than memory; the parent's watch is left.
    if request.get("settings", {}).get("decoder") != "nvdec":
        _limit_memory(request["address_space_bytes"])
    cv2.setNumThreads(1)
    # FFmpeg's own words go to standard error, where the parent finds what codes do not say.
    av.logging.set_level(av.logging.ERROR)
    av.logging.restore_default_callback()

    def tell(message: dict[str, Any]) -> None:
        print(json.dumps(message), flush=True)

    tell(answer(request, tell))


if __name__ == "__main__":
    main()
