"""Files opened for NVDEC, the decoder of NVIDIA's GPUs, by the FFmpeg that PyAV brings.

Its frames are copied to main memory as they come, with all that FFmpeg knows of them, so that
times, orientation and scaling are the same code as for frames of the CPU. Tried on no GPU yet.
"""

from __future__ import annotations

from pathlib import Path

import av
from av.codec.hwaccel import HWAccel

from resources.streams import Source, open_source

#: The first GPU that the process may use (`CUDA_VISIBLE_DEVICES`).
_DEVICE = "0"


class NoGpu(Exception):
    """There is no GPU that decodes; says why."""


class NotForNvdec(Exception):
    """NVDEC cannot decode this file; says why."""


def open_on_gpu(path: Path) -> Source:
    """As `open_source`, for a file that it opens. No frame is decoded by the CPU.

    Raises `NoGpu`; `NotForNvdec` for a codec that NVDEC has never known. Of others it turns out
    with the first frame, where decoding fails, what this GPU lacks.
    """
    # One thread: the GPU works on several frames by itself.
    hardware = HWAccel("cuda", _DEVICE, allow_software_fallback=False)
    try:
        source = open_source(path, 1, frame_threads=False, hardware=hardware)
    except av.error.FFmpegError as error:
        # The file itself can be opened: what failed is the device.
        raise NoGpu(error.strerror) from error
    except RuntimeError as error:
        raise NotForNvdec("it has no codec of its kind") from error
    if not source.video.codec_context.is_hwaccel:
        source.container.close()
        raise NotForNvdec(f"it is not made for {source.video.codec_context.name}")
    return source
