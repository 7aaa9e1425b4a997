"""Makes a video of pictures and sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
from PIL import Image, ImageOps

from resources.stream_copy import copied_packets, in_order

#: Seconds of a picture where there is no sound.
SILENT_PICTURE_S = 2.5
_FPS = 15
_SHORT_SIDE_PX, _LONG_SIDE_PX = 1080, 1920


def write_slideshow(
    pictures: Sequence[Path],
    sound: Path | None,
    target: Path,
    tell: Callable[[int], None] = lambda number: None,
) -> None:
    """Write an MP4 of the pictures (H.264), with the sound as it is.

    Each picture has an equal share of the sound's length, or `SILENT_PICTURE_S` without sound. The
    frame is as large as the largest picture, at most 1080 x 1920 or 1920 x 1080 pixels; the others
    are fitted into it on black. `tell` gets each picture's number, from 0, as it is begun.

    Raises `ValueError` where there are no pictures, `OSError` for one that cannot be read.
    """
    if not pictures:
        raise ValueError(f"{target.name}: a slideshow needs at least one picture")
    width, height = _frame_size(pictures)
    with ExitStack() as stack:
        out = stack.enter_context(
            av.open(str(target), "w", format="mp4", options={"movflags": "faststart"})
        )
        video = out.add_stream("libx264", rate=_FPS, options={"preset": "veryfast", "crf": "20"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        packets = [_encoded(video, pictures, _shares(len(pictures), sound), tell)]
        if sound is not None:
            source = stack.enter_context(av.open(str(sound)))
            packets.append(copied_packets(out, source, source.streams.audio[0]))
        for packet in in_order(packets):
            out.mux(packet)


def _frame_size(pictures: Sequence[Path]) -> tuple[int, int]:
    sizes = []
    for path in pictures:
        sizes.append(_upright(path).size)
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    scale = min(1.0, _SHORT_SIDE_PX / min(width, height), _LONG_SIDE_PX / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _upright(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture)
    # Ultralytics, in a process that has loaded it, asks a package that is not there for help.
    except (Image.DecompressionBombError, ImportError) as error:
        raise OSError(f"{path.name}: {error}") from error


def _shares(count: int, sound: Path | None) -> list[int]:
    """How many frames each picture is shown; at least one."""
    length_s = count * SILENT_PICTURE_S if sound is None else _length_s(sound)
    ends = [round(length_s * _FPS * number / count) for number in range(count + 1)]
    return [max(1, end - start) for start, end in pairwise(ends)]


def _length_s(sound: Path) -> float:
    """Counted from the packets: what containers say of MP3 is often a guess."""
    with av.open(str(sound)) as source:
        if not source.streams.audio:
            raise ValueError(f"{sound.name} has no sound in it")
        return sum(
            float(p.duration * p.time_base)
            for p in source.demux(source.streams.audio[0])
            if p.duration and p.time_base
        )


def _encoded(
    video: av.VideoStream,
    pictures: Sequence[Path],
    shares: Sequence[int],
    tell: Callable[[int], None],
) -> Iterator[av.Packet]:
    shown = 0
    for number, (path, share) in enumerate(zip(pictures, shares, strict=True)):
        tell(number)
        upright = _upright(path).convert("RGBA")
        ground = Image.new("RGBA", upright.size, "black")
        ground.alpha_composite(upright)
        fitted = ImageOps.pad(
            ground.convert("RGB"), (video.width, video.height), Image.Resampling.LANCZOS
        )
        frame = av.VideoFrame.from_image(fitted)
        for _ in range(share):
            frame.pts, frame.time_base = shown, Fraction(1, _FPS)
            shown += 1
            yield from video.encode(frame)
    yield from video.encode()
