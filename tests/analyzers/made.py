"""A video and an analyzer made on the spot, for tests of the contract and of storage."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from analyzers.base import (
    TIME_S,
    AnalysisResult,
    Analyzer,
    AnalyzerSettings,
    Column,
    Family,
    Stage,
    confidence,
)
from analyzers.models.base import Model, ModelIdentity
from analyzers.models.lending import Models
from analyzers.video import MappedFrames, Video, VideoInfo


def made_video(
    end_s: float = 2.5, video_id: str = "made-00000000", seed: int = 0, sound: bool = True
) -> Video:
    """A video of noise whose rungs and times are as the ladder's."""
    rng = np.random.default_rng(seed)

    def rung(rate_hz: float, shape: tuple[int, ...]) -> MappedFrames:
        count = max(1, round(end_s * rate_hz))
        return MappedFrames(
            np.arange(count) / rate_hz,
            np.round(np.arange(count) * 30 / rate_hz).astype(np.int64),
            rng.integers(0, 256, (count, *shape), np.uint8),
        )

    info = VideoInfo(
        video_id=video_id, path="made.mp4", sha256="0" * 64, size_bytes=1, container="mp4",
        codec="h264", pixel_format="yuv420p", width_px=96, height_px=128, rotation_deg=0,
        mirrored=False, fps=30.0, start_s=0.0, end_s=end_s, frame_count=round(end_s * 30),
        corrupt_frame_count=0, audio=None,
    )  # fmt: skip
    return Video(
        info=info,
        thumbs=rung(30, (27, 48, 3)),
        motion=rung(15, (128, 96)),
        analysis=rung(5, (128, 96, 3)),
        detail=rung(1, (128, 96, 3)),
        audio_16k=rng.normal(0, 0.1, int(end_s * 16000)).astype(np.float32) if sound else None,
        audio_44k=rng.normal(0, 0.1, (int(end_s * 44100), 2)).astype(np.float32) if sound else None,
    )


class Brightness(Analyzer):
    """How bright each sampled frame is."""

    name = "brightness"
    version = "1"
    family = Family.PICTURE
    stage = Stage.FAST
    rungs = ("analysis",)
    observation_columns = (TIME_S, confidence("Mean of the frame", "level"))
    segment_columns = (
        Column("level", pa.float32(), "Mean over the second", minimum=0.0, maximum=1.0),
        Column("word", pa.string(), "dark or bright", values=("dark", "bright")),
    )
    summary_columns = (Column("level", pa.float32(), "Mean of all frames"),)

    class Settings(AnalyzerSettings):
        """One setting."""

        threshold: float = 0.5

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """Average the frames, and record a call of a model that is none."""
        Model(ModelIdentity("light_meter", "mean", "0" * 64, "cpu", "numpy")).served(
            len(video.analysis)
        )
        levels = [float(frame.mean() / 255) for frame in _frames(video)]
        rows = [
            {"time_s": t, "level": v} for t, v in zip(video.analysis.times_s, levels, strict=True)
        ]
        parts = video.grid.samples_in(video.analysis.times_s, self.overlap_s)
        means = [float(np.mean(levels[part])) for part in parts]
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(
                video.grid,
                {"level": means, "word": ["bright" if m > 0.5 else "dark" for m in means]},
            ),
            summary={"level": float(np.mean(levels))},
            files={"txt": b"bright enough"},
        )


def _frames(video: Video) -> list[np.ndarray]:
    return [video.analysis[i] for i in range(len(video.analysis))]


def brightness() -> Brightness:
    """The analyzer, which borrows no model."""
    return Brightness(Models({}))
