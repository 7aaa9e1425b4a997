"""The media assets: what a file is, its frame ladder, its sound. One decode feeds the last two."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as it stands.

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import cv2
import dagster as dg
import numpy as np

from analyzers.base import markdown_table
from analyzers.video import Frames
from resources.media import LadderSettings
from resources.media_decoder import MediaDecoder
from resources.result_store import ResultStore
from tiktok_assets.analyzer_assets import OWNERS, VIDEOS_PER_RUN
from tiktok_assets.batch import each_partition
from tiktok_assets.errors import RETRY, failure
from tiktok_assets.executor import STAGE_TAG
from tiktok_assets.partitions import VIDEOS

_SHEET_FRAMES = 8
_SHEET_HEIGHT_PX = 160
_ABOUT_VIDEO = (
    "What the source file is: its best stream, size, rotation, times, SHA-256, and what its "
    "sidecar says."
)
_ABOUT_FRAMES = (
    "The frame ladder: every frame small, and fewer frames larger, decoded once for all analyzers."
)
_ABOUT_AUDIO = (
    "The sound at 16 kHz for speech and 44.1 kHz for music, from the same decode as the frames."
)
_WAY_OUT = "Nothing downstream of it can run; replace the file or remove it"


def media_assets(ladder: LadderSettings) -> list[dg.AssetsDefinition]:
    """`video`, `frames` and `audio`."""
    rates = ladder.key()
    return [
        _media_asset("video", _video, [], {"pyav"}, "1", _ABOUT_VIDEO),
        _media_asset("frames", _frames, ["video"], {"pyav", "opencv"}, rates, _ABOUT_FRAMES),
        _media_asset("audio", _audio, ["video"], {"pyav"}, rates, _ABOUT_AUDIO),
    ]


def _media_asset(
    name: str,
    describe: Callable[[MediaDecoder, str], dg.MaterializeResult],
    deps: list[str],
    kinds: set[str],
    code_version: str,
    description: str,
) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        partitions_def=VIDEOS,
        deps=deps,
        group_name="media",
        kinds=kinds,
        op_tags={STAGE_TAG: "fast"},
        code_version=code_version,
        retry_policy=RETRY,
        backfill_policy=dg.BackfillPolicy.multi_run(VIDEOS_PER_RUN),
        owners=OWNERS,
        description=description,
        required_resource_keys={"media", "results"},
    )
    def compute(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        yield from each_partition(context, partial(_told, context, name, describe))

    return compute


def _told(
    context: dg.AssetExecutionContext,
    name: str,
    describe: Callable[[MediaDecoder, str], dg.MaterializeResult],
    video_id: str,
) -> dg.MaterializeResult:
    """Describe one video; why that failed is noted where the analyzers' failures are."""
    results: ResultStore = context.resources.results
    try:
        described = describe(context.resources.media, video_id)
    except Exception as error:
        told = failure(name, video_id, error, _WAY_OUT)
        try:
            results.write_failure(name, video_id, told.description or "")
        except Exception:  # the first error is the one to tell
            context.log.exception(f"The failure of {name} of {video_id} could not be recorded.")
        raise told from error
    results.clear_failure(name, video_id)
    return described


def _video(media: MediaDecoder, video_id: str) -> dg.MaterializeResult:
    probed = media.probe(video_id)
    source = media.library.source(video_id)
    said, remark = media.library.metadata(video_id, probed.tags)
    facts: Mapping[str, Any] = asdict(probed) | said
    shown = [(key, value) for key, value in facts.items() if key not in ("tags", "warnings")]
    return dg.MaterializeResult(
        metadata={
            "file": dg.MetadataValue.path(str(media.library.path(video_id))),
            "original_name": source.original_name,
            "sha256": source.sha256,
            "size_bytes": source.size_bytes,
            "duration_s": probed.duration_s,
            "warnings": [*probed.warnings, *([remark] if remark else [])],
            "said_of_it": dg.MetadataValue.json(said),
            "preview": dg.MetadataValue.md(markdown_table(("what", "found"), shown)),
        },
        data_version=dg.DataVersion(source.sha256[:16]),
    )


def _frames(media: MediaDecoder, video_id: str) -> dg.MaterializeResult:
    with media.open(video_id) as video:
        info = video.info
        return dg.MaterializeResult(
            metadata={
                "frames": info.frame_count,
                "corrupt_frames": info.corrupt_frame_count,
                "decoder": info.decoder,
                "seconds_of_video": info.end_s,
                "width_px": info.width_px,
                "height_px": info.height_px,
                "fps": info.fps,
                "rungs": {
                    name: len(getattr(video, name))
                    for name in ("thumbs", "motion", "analysis", "detail")
                },
                "warnings": list(info.warnings),
                "preview": dg.MetadataValue.md(f"![frames]({_data_uri(_sheet(video.analysis))})"),
            },
            data_version=dg.DataVersion(f"{info.sha256[:16]}-{media.library.settings.key()}"),
        )


def _audio(media: MediaDecoder, video_id: str) -> dg.MaterializeResult:
    with media.open(video_id) as video:
        info, sound = video.info, video.audio_16k
        metadata: dict[str, Any] = {"status": "no audio track"}
        if info.audio is not None and sound is not None:
            peak = float(np.abs(sound).max(initial=0.0))
            metadata = {
                "status": "ok",
                "codec": info.audio.codec,
                "sample_rate_hz": info.audio.sample_rate_hz,
                "channels": info.audio.channels,
                "duration_s": len(sound) / 16000,
                "peak_dbfs": 20 * float(np.log10(max(peak, 1e-6))),
                "preview": dg.MetadataValue.md(f"![sound]({_data_uri(_waveform(sound))})"),
            }
        return dg.MaterializeResult(
            metadata=metadata,
            data_version=dg.DataVersion(f"{info.sha256[:16]}-{media.library.settings.key()}"),
        )


def _sheet(frames: Frames) -> np.ndarray:
    """A strip of evenly spaced frames, RGB."""
    picks = np.linspace(0, len(frames) - 1, min(_SHEET_FRAMES, len(frames))).round().astype(int)
    strip = []
    for index in picks:
        frame = frames[index]
        width = max(1, round(frame.shape[1] * _SHEET_HEIGHT_PX / frame.shape[0]))
        small = cv2.resize(frame, (width, _SHEET_HEIGHT_PX), interpolation=cv2.INTER_AREA)
        strip.append(np.ascontiguousarray(small))
    return np.concatenate(strip, axis=1)


def _waveform(sound: np.ndarray, width: int = 960, height: int = 120) -> np.ndarray:
    """Lowest and highest sample in each column of pixels, RGB."""
    picture = np.full((height, width, 3), 255, np.uint8)
    for x, part in enumerate(np.array_split(sound, width)):
        if len(part):
            top, bottom = ((1 - v) / 2 * (height - 1) for v in (part.max(), part.min()))
            cv2.line(picture, (x, int(top)), (x, int(bottom)), (37, 99, 190), 1)
    return picture


def _data_uri(picture: np.ndarray) -> str:
    _, jpeg = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()
