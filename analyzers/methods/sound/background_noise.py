"""How loud the background is, and how far a voice stands above it.

Levels are dBFS against a sample value of 1.0, so that a sine at full scale has -3 dBFS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analyzers.methods.speech.speech_spans import Span

FRAME_S = 0.02
#: What never rises above half a step of 16 bits is silent.
SILENT_PEAK = 0.5 / 32768
#: With less power there is no background.
NO_SOUND = SILENT_PEAK**2
#: Frames this near to a voice hold its ends, and are neither voice nor background.
_NEAR_S = 0.1
#: Less voice, or less time without a voice, says nothing.
LEAST_VOICE_S = 0.5
_LEAST_GAPS_S = 0.3


def frame_powers(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    """Mean square of each 20 ms, float64 (n,). `sound`: mono float32, a constant part is ignored.

    What does not fill a last frame is left out.
    """
    size = round(FRAME_S * rate_hz)
    count = len(sound) // size
    frames = np.asarray(sound[: count * size]).reshape(count, size)
    offset = float(frames.mean()) if count else 0.0
    squares: np.ndarray = np.square(frames - offset).mean(axis=1, dtype=np.float64)
    return squares


def background_dbfs(power: np.ndarray) -> float | None:
    """The level that is exceeded 90 % of the time, None where that is silence or nothing.

    L90, as environmental acoustics take the background (ISO 1996-1), of frames of 20 ms.
    """
    if not len(power):
        return None
    lowest = float(np.percentile(power, 10))
    return 10 * float(np.log10(lowest)) if lowest > NO_SOUND else None


def voice_mask(count: int, voice: Sequence[Span], margin_s: float = 0.0) -> np.ndarray:
    """Which of `count` frames of 20 ms lie within a voice widened by `margin_s`, bool (count,)."""
    middles_s = (np.arange(count) + 0.5) * FRAME_S
    found = np.zeros(count, bool)
    for start_s, end_s in voice:
        first, last = np.searchsorted(middles_s, (start_s - margin_s, end_s + margin_s))
        found[first:last] = True
    return found


def gap_power(power: np.ndarray, voice: Sequence[Span]) -> float | None:
    """Median power of the frames between voices, None where they last less than 0.3 s."""
    gaps = ~voice_mask(len(power), voice, _NEAR_S)
    if gaps.sum() * FRAME_S < _LEAST_GAPS_S:
        return None
    return float(np.median(power[gaps]))


def voice_snr_db(power: np.ndarray, inside: np.ndarray, noise: float | None) -> float | None:
    """Power of the voice over that of what sounds between the words, in dB.

    `power`: of frames of 20 ms, `inside`: which of them hold a voice, `noise`: `gap_power`. What
    the frames with a voice have above the noise is the voice's. None without half a second of
    voice, without noise, and where the voice does not rise above it.
    """
    if noise is None or noise <= NO_SOUND or inside.sum() * FRAME_S < LEAST_VOICE_S:
        return None
    voice = float(power[inside].mean()) - noise
    return 10 * float(np.log10(voice / noise)) if voice > 0 else None
