"""The sound of the sample video, for tests of models on real sound."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler

SAMPLE = Path(__file__).resolve().parents[2] / "sample" / "street_portrait.mp4"


@cache
def sample_sound(rate_hz: int = 16000) -> np.ndarray:
    """Mono float32."""
    resampler = AudioResampler(format="flt", layout="mono", rate=rate_hz)
    with av.open(str(SAMPLE)) as container:
        parts = [
            part.to_ndarray().ravel()
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    sound = np.concatenate(parts)
    sound.flags.writeable = False
    return sound
