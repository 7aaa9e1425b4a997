"""Short sounds by their shape: how fast they come and go, how bright and how tonal they are.

Definitions, for a sound that stands at least 10 dB over what is around it. It lasts while it is
within 20 dB of its peak; its body lies within 6 dB of the peak; before that is its attack, after
that it fades. Bright is one whose spectrum has its middle, weighted by power, at 1.5 kHz or more,
dark the others. What lies below 40 Hz is not looked at.

- `click`: at most 30 ms long, and bright.
- `ding`: an attack of at most 40 ms, at least 180 ms long, of six lines at most, the strongest at
  400 Hz or more, and fading for half of that time.
- `pop`: an attack of at most 20 ms, at most 130 ms long, and dark.
- `impact`: an attack of at most 50 ms, 80 ms to 4 s long, dark, and fading for a third of that.
- `whoosh`: no tone; attack and fade of 50 ms at least, 150 ms to 2 s long, its body's middle in the
  middle three fifths.
- `riser`: grows for at least 0.8 s (from 40 dB under its peak or where it stands out), by 12 dB at
  least and ever brighter, and then stops within a quarter of that.

After the terms of Peeters, "A large set of audio features for sound description" (Ircam, 2004); the
kinds are those of sound editing, and their bounds this project's own. What fits none is `unknown`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import fft
from scipy.ndimage import percentile_filter
from scipy.signal import butter, get_window, sosfilt

UNKNOWN = "unknown"
SHAPES = ("click", "pop", "ding", "impact", "whoosh", "riser")

_LOWEST_HZ = 40.0
_LEAST_SAMPLES = 512
_HOP_S = 0.005
_FRAME_S = 0.02
#: What is around a sound: the level that is exceeded 80 % of these seconds. It counts as at least
#: this loud.
_AROUND_S, _AROUND_PERCENT, _FAINTEST_DBFS = 4.0, 20, -60.0
_OVER_DB, _ENDS_DB = 10.0, 6.0
#: A sound rises out of what is this short before it; else what is around has only become softer.
_LEAD_S = 0.1
#: Shorter holes belong to the sound; a rise by this much within this time begins another one.
_HOLE_S, _NEW_DB, _NEW_S = 0.06, 12.0, 0.03
#: Peaks of a spectrum within this of the strongest are partials; so many bins hold one.
_PARTIAL_BINS, _PARTIALS = 3, 6
_BODY_DB, _FALLEN_DB, _SWELL_DB = 6.0, 20.0, 40.0
#: Share of the power in its six strongest lines that makes a sound tonal.
_TONAL = 0.6


@dataclass(frozen=True)
class Shape:
    """One sound. Times in seconds; `onset_s` is where it rises within 20 dB of its peak, of a
    whoosh or a riser within 40 dB.

    `prominence_db`: its peak over what is around. `brightness_hz`: middle of its spectrum.
    """

    onset_s: float
    end_s: float
    kind: str
    prominence_db: float
    brightness_hz: float


def shapes(sound: np.ndarray, rate_hz: int) -> list[Shape]:
    """The sounds that stand out, in order. `sound`: mono float32."""
    if len(sound) < _LEAST_SAMPLES:
        return []
    high = butter(2, _LOWEST_HZ, "high", fs=rate_hz, output="sos")
    sound = sosfilt(high, sound).astype(np.float32)
    levels = _levels(sound, rate_hz)
    size = max(1, round(_AROUND_S / _HOP_S))
    around = np.maximum(percentile_filter(levels, _AROUND_PERCENT, size), _FAINTEST_DBFS)
    found = []
    for first, last in _sounds(levels, around):
        shape = _shape(sound, rate_hz, levels[first:last], first, around[first:last])
        if shape is not None:
            found.append(shape)
    return found


def _levels(sound: np.ndarray, rate_hz: int) -> np.ndarray:
    """Level in dBFS of 20 ms around each 5 ms."""
    hop, hops = round(_HOP_S * rate_hz), round(_FRAME_S / _HOP_S)
    energy = np.add.reduceat(np.square(sound), np.arange(0, len(sound), hop))
    padded = np.pad(energy, (hops // 2, hops - 1 - hops // 2))
    frames = np.convolve(padded, np.ones(hops), "valid")
    return 10 * np.log10(frames.clip(0) / (hop * hops) + 1e-12)


def _sounds(levels: np.ndarray, around: np.ndarray) -> list[tuple[int, int]]:
    """First and last hop (not included) of each sound."""
    out = np.concatenate([[0], levels > around + _ENDS_DB, [0]]).astype(np.int8)
    runs = np.flatnonzero(np.diff(out)).reshape(-1, 2).tolist()
    hole, lead = round(_HOLE_S / _HOP_S), round(_LEAD_S / _HOP_S)
    joined: list[list[int]] = []
    for first, last in runs:
        if joined and first - joined[-1][1] <= hole:
            joined[-1][1] = last
        else:
            joined.append([first, last])
    found = []
    for first, last in joined:
        edges = [first, *(first + at for at in _new_sounds(levels[first:last])), last]
        for a, b in pairwise(edges):
            before = levels[max(0, a - lead) : a + 1].min() if a else -np.inf
            stands_out = bool((levels[a:b] > around[a:b] + _OVER_DB).any())
            if stands_out and levels[a:b].max() > before + _OVER_DB:
                found.append((a, b))
    return found


def _new_sounds(levels: np.ndarray) -> list[int]:
    """Where within a sound another begins: a steep rise after a fall."""
    lag = round(_NEW_S / _HOP_S)
    if len(levels) <= 2 * lag:
        return []
    rises = levels[lag:] - levels[:-lag]
    begins, at = [], lag
    while at < len(rises):
        fallen = levels[:at].max() - levels[at] >= _NEW_DB
        if rises[at] >= _NEW_DB and fallen:
            begins.append(at + int(np.diff(levels[at : at + lag + 1]).argmax()))
            at += 4 * lag
        else:
            at += 1
    return begins


def _shape(
    sound: np.ndarray, rate_hz: int, levels: np.ndarray, first: int, around: np.ndarray
) -> Shape | None:
    peak = int(levels.argmax())
    begin, end = _within(levels, _FALLEN_DB)
    swell, _ = _within(levels, _SWELL_DB)

    def part_from(hop: int) -> np.ndarray:
        samples = ((first + np.array([hop, end])) * _HOP_S * rate_hz).astype(int)
        return np.asarray(sound[samples[0] : samples[1] + 1], np.float64)

    hz, power = _spectrum(part_from(begin), rate_hz)
    total = float(power.sum())
    if total <= 0:
        return None
    brightness_hz = float(power @ hz / total)
    grown_db = float(levels[peak] - levels[swell])
    rises = (
        (peak - swell) * _HOP_S >= 0.8
        and (end - peak) <= (peak - swell) / 4
        and grown_db >= 12
        and _trend(levels[swell : peak + 1]) >= 0.8
        and _trend(_brightness(part_from(swell), rate_hz)) >= 0.5
    )
    head, tail = _within(levels, _BODY_DB)
    kind = _kind(
        rises=rises,
        attack_s=(head - begin) * _HOP_S,
        body_s=max(_HOP_S, (tail - head) * _HOP_S - _FRAME_S),
        fade_s=(end - tail) * _HOP_S,
        brightness_hz=brightness_hz,
        tonal=_partials(power) >= _TONAL * total,
        strongest_hz=float(hz[power.argmax()]),
    )
    onset = swell if kind in ("riser", "whoosh") else begin
    prominence_db = float(levels[peak] - around[peak])
    # A level is of the 10 ms before and after it.
    onset_s = (first + onset) * _HOP_S + _FRAME_S / 2
    end_s = max(onset_s + _HOP_S, (first + end) * _HOP_S - _FRAME_S / 2)
    return Shape(onset_s, end_s, kind, prominence_db, brightness_hz)


def _within(levels: np.ndarray, fallen_db: float) -> tuple[int, int]:
    """First and last hop (not included) that are at most so far under the peak."""
    near = levels >= levels.max() - fallen_db
    return int(near.argmax()), len(near) - int(near[::-1].argmax())


def _kind(
    *,
    rises: bool,
    attack_s: float,
    body_s: float,
    fade_s: float,
    brightness_hz: float,
    tonal: bool,
    strongest_hz: float,
) -> str:
    """Which definition fits; see the module. The order matters where two would."""
    length_s = attack_s + body_s + fade_s
    bright = brightness_hz >= 1500
    if rises:
        return "riser"
    if length_s <= 0.03 and bright:
        return "click"
    rings = tonal and strongest_hz >= 400 and fade_s >= length_s / 2
    if attack_s <= 0.04 and length_s >= 0.18 and rings:
        return "ding"
    if attack_s <= 0.02 and length_s <= 0.13 and not bright:
        return "pop"
    if attack_s <= 0.05 and 0.08 <= length_s <= 4.0 and fade_s >= length_s / 3 and not bright:
        return "impact"
    middle = (attack_s + body_s / 2) / length_s
    swells = min(attack_s, fade_s) >= 0.05 and 0.2 <= middle <= 0.8
    if swells and 0.15 <= length_s <= 2.0 and not tonal:
        return "whoosh"
    return UNKNOWN


def _spectrum(part: np.ndarray, rate_hz: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, and power summed over frames of at most 128 ms."""
    size = min(len(part), 2048)
    window = get_window("hann", size, fftbins=False) if size > 8 else np.ones(size)
    frames = np.lib.stride_tricks.sliding_window_view(part, size)[:: max(1, size // 2)]
    power = np.square(np.abs(fft.rfft(frames * window, 2048, axis=1))).sum(axis=0)
    return fft.rfftfreq(2048, 1 / rate_hz), power


def _partials(power: np.ndarray) -> float:
    """Power in the strongest lines."""
    left, found = power.copy(), 0.0
    for _ in range(_PARTIALS):
        at = int(left.argmax())
        line = slice(max(0, at - _PARTIAL_BINS), at + _PARTIAL_BINS + 1)
        found += float(left[line].sum())
        left[line] = 0.0
    return found


def _brightness(part: np.ndarray, rate_hz: int) -> np.ndarray:
    """Middle of the spectrum of each 32 ms, Hz."""
    size = 512
    if len(part) < 2 * size:
        return np.zeros(1)
    frames = np.lib.stride_tricks.sliding_window_view(part, size)[::size]
    power = np.square(np.abs(fft.rfft(frames * get_window("hann", size), axis=1)))
    return np.asarray(power @ fft.rfftfreq(size, 1 / rate_hz) / (power.sum(axis=1) + 1e-15))


def _trend(values: Sequence[float] | np.ndarray) -> float:
    """Correlation with time, -1..1; 0 for what does not change."""
    if len(values) < 3 or np.std(values) < 1e-9:
        return 0.0
    return float(np.corrcoef(np.arange(len(values)), values)[0, 1])
