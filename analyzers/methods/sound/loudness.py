"""Loudness as broadcasters measure it.

Filter and gates: ITU-R BS.1770-4 (https://www.itu.int/rec/R-REC-BS.1770). Momentary and short-term
loudness: EBU Tech 3341. Loudness range: EBU Tech 3342. Channels count as they are: one channel is
3 LU lower than the same sound in two.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter, resample_poly

from analyzers import progress

#: All measures are made of the power in steps of this length: the loudest moment may begin at any
#: of them (in signal 13 of EBU Tech 3341 at multiples of 20 ms).
STEP_S = 0.01
MOMENTARY_STEPS = 40
SHORT_TERM_STEPS = 300
#: Blocks of integrated loudness overlap by three quarters.
_BLOCK_STEPS = 10
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0
_RANGE_PERCENTILES = (10.0, 95.0)
#: True peak is looked for at four times the rate (BS.1770-4, annex 2), where samples come within
#: 6 dB of the highest one.
_OVERSAMPLING = 4
_NEAR_PEAK = 0.5
_PIECE_STEPS = 1000


def step_power(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    """Power of K-weighted sound, summed over channels, of each full step, float64 (steps,).

    `sound`: (n, channels), one or two channels. Read piece by piece.
    """
    from pyloudnorm.iirfilter import IIRfilter

    # De Man's parameters give the standard's filter at any rate (pyloudnorm's class "DeMan").
    stages = [
        IIRfilter(
            3.99984385397, 0.7071752369554193, 1681.9744509555319, rate_hz, "high_shelf_DeMan"
        ),
        IIRfilter(0.0, 0.5003270373253953, 38.13547087613982, rate_hz, "high_pass_DeMan"),
    ]
    step = round(STEP_S * rate_hz)
    count = len(sound) // step
    power = np.empty(count)
    memory = [np.zeros((2, sound.shape[1])) for _ in stages]
    for first in range(0, count, _PIECE_STEPS):
        progress.checkpoint()
        last = min(first + _PIECE_STEPS, count)
        part = np.asarray(sound[first * step : last * step], np.float64)
        for i, stage in enumerate(stages):
            part, memory[i] = lfilter(stage.b, stage.a, part, axis=0, zi=memory[i])
        power[first:last] = np.square(part).reshape(last - first, -1).sum(axis=1) / step
    return power


def lufs(power: np.ndarray | float) -> np.ndarray:
    """Power as loudness; minus infinity where there is none."""
    with np.errstate(divide="ignore"):
        return -0.691 + 10 * np.log10(power)


def sliding(power: np.ndarray, steps: int) -> np.ndarray:
    """Mean power of every window of so many steps, one step apart; empty where there is none."""
    if len(power) < steps:
        return np.empty(0)
    return np.lib.stride_tricks.sliding_window_view(power, steps).mean(axis=1)


def integrated_lufs(power: np.ndarray) -> float | None:
    """Gated loudness of the whole, or None where nothing is above the gate of -70 LUFS."""
    blocks = sliding(power, MOMENTARY_STEPS)[::_BLOCK_STEPS]
    blocks = blocks[lufs(blocks) >= _ABSOLUTE_GATE_LUFS]
    if not len(blocks):
        return None
    blocks = blocks[lufs(blocks) > lufs(blocks.mean()) + _RELATIVE_GATE_LU]
    return float(lufs(blocks.mean()))


def loudness_range_lu(power: np.ndarray) -> float | None:
    """How far soft and loud parts lie apart; None for less than 3 s above the gate of -70 LUFS."""
    blocks = sliding(power, SHORT_TERM_STEPS)
    blocks = blocks[lufs(blocks) >= _ABSOLUTE_GATE_LUFS]
    if not len(blocks):
        return None
    levels = lufs(blocks)
    levels = levels[levels >= lufs(blocks.mean()) + _RANGE_GATE_LU]
    soft, loud = np.percentile(levels, _RANGE_PERCENTILES)
    return float(loud - soft)


def true_peak(sound: np.ndarray, rate_hz: int) -> float:
    """Highest amplitude between samples as well as at them, of any channel; 1.0 is full scale."""
    step = rate_hz
    starts = range(0, len(sound), step)
    peaks = [float(np.abs(sound[i : i + step]).max()) for i in starts]
    highest = max(peaks, default=0.0)
    if highest == 0.0:
        return 0.0
    margin = 64  # samples that the interpolation needs around a piece
    for i, peak in zip(starts, peaks, strict=True):
        if peak >= highest * _NEAR_PEAK:
            progress.checkpoint()
            part = np.asarray(sound[max(0, i - margin) : i + step + margin])
            highest = max(highest, float(np.abs(resample_poly(part, _OVERSAMPLING, 1)).max()))
    return highest
