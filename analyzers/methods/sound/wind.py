"""Wind in a microphone: low noise that comes and goes.

Definition: for at least half a second, nine tenths of the power between 20 Hz and 4 kHz lie below
250 Hz, they are noise and not a tone, are at least -60 dBFS loud, and their level sways by at least
2 dB (standard deviation over 5 s). After Nelke & Vary, "Measurement, analysis and simulation of
wind noise signals for mobile communication devices" (IWAENC 2014): wind's power lies at the low end
of the spectrum and falls with frequency, and changes from moment to moment. Wind that is softer
than what else sounds is not found. Thunder and a rocket's rumble answer to the same description.
"""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.ndimage import median_filter
from scipy.signal import get_window

from analyzers.methods.speech.speech_spans import Span

#: About a quarter of a second, twice overlapping, at 16 kHz.
_FRAME, _HOP = 4096, 2048
_LOW_HZ, _EDGE_HZ, _HIGH_HZ = 20.0, 250.0, 4000.0
_LOW_SHARE = 0.9
_LOUD = 10 ** (-60 / 10)
#: Spread of the low bins around a line over log frequency, in dB. That of noise is 5.6 (the
#: logarithm of an exponential distribution); tones have 12 and more.
_NOISE_SPREAD_DB = 8.0
_SWAY_DB = 2.0
_CONTEXT_S, _SHORTEST_S = 5.0, 0.5
_BLOCK = 512


def wind(sound: np.ndarray, rate_hz: int) -> list[Span]:
    """Where wind blows into the microphone, in seconds. `sound`: mono float32."""
    hop_s = _HOP / rate_hz
    low, total, spread_db = _features(sound, rate_hz)
    if not len(low):
        return []
    level_db = 10 * np.log10(low + 1e-12)
    half = max(1, round(_CONTEXT_S / hop_s / 2))
    sway_db = np.array(
        [level_db[max(0, i - half) : i + half + 1].std() for i in range(len(level_db))]
    )
    windy = (
        (low >= _LOW_SHARE * total)
        & (low >= _LOUD)
        & (spread_db <= _NOISE_SPREAD_DB)
        & (sway_db >= _SWAY_DB)
    )
    # A frame by itself may look like a tone, or like noise.
    steady = median_filter(windy.astype(np.int8), 5, mode="nearest")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], steady, [0]]))).reshape(-1, 2)
    spans = [(first * hop_s, (last + 1) * hop_s) for first, last in edges.tolist()]
    return [(a, b) for a, b in spans if b - a >= _SHORTEST_S]


def _features(sound: np.ndarray, rate_hz: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power below 250 Hz and up to 4 kHz, and spread of the low bins in dB, of each frame."""
    hz = fft.rfftfreq(_FRAME, 1 / rate_hz)
    below = (hz >= _LOW_HZ) & (hz < _EDGE_HZ)
    wanted = (hz >= _LOW_HZ) & (hz < _HIGH_HZ)
    window = get_window("hann", _FRAME).astype(np.float32)
    scale = 2 / (_FRAME * float(np.square(window).sum()))
    design = np.stack([np.log(hz[below]), np.ones(int(below.sum()))], axis=1)
    residual = np.eye(len(design)) - design @ np.linalg.pinv(design)
    if len(sound) < _FRAME:
        return np.empty(0), np.empty(0), np.empty(0)
    frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP]
    low, total, spread = [], [], []
    for first in range(0, len(frames), _BLOCK):
        power = np.square(np.abs(fft.rfft(frames[first : first + _BLOCK] * window, axis=1))) * scale
        low.append(power[:, below].sum(axis=1))
        total.append(power[:, wanted].sum(axis=1))
        spread.append((10 * np.log10(power[:, below] + 1e-15) @ residual).std(axis=1))
    return np.concatenate(low), np.concatenate(total), np.concatenate(spread)
