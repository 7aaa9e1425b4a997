"""How much happens in each second: seven channels, and the energy and pacing curves of them.

Every weight and every scale of the curves stands here. They are this project's own, set by
looking at the curves of real clips; they order the seconds of a video and measure no viewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from analyzers.methods.story.joined import Joined, end_of, shot_changes
from analyzers.video import Frames

#: What the energy of a second is made of.
ENERGY_WEIGHTS: Mapping[str, float] = {
    "motion": 0.25,
    "loudness": 0.25,
    "cuts": 0.20,
    "speech": 0.10,
    "text": 0.10,
    "faces": 0.10,
}
#: What its pacing is made of: how fast new things come, however strong they are.
PACING_WEIGHTS: Mapping[str, float] = {
    "cuts": 0.45,
    "speech": 0.20,
    "text": 0.15,
    "sounds": 0.10,
    "motion": 0.10,
}
CHANNELS = ("motion", "loudness", "cuts", "speech", "text", "faces", "sounds")
#: Where a channel comes from; motion is measured on the pictures themselves.
SOURCES: Mapping[str, str] = {
    "loudness": "audio_analysis",
    "cuts": "cut_analysis",
    "speech": "speech_rate",
    "text": "text_overlay",
    "faces": "faces",
    "sounds": "audio_analysis",
}

#: Temporal information (ITU-T P.910: standard deviation of the difference of successive pictures,
#: here at 15 Hz) that is all the motion there is: a fast pan in a crowded street.
_FULL_MOTION = 25.0
#: Every third pair of pictures, at a quarter of their side, is enough.
_EVERY, _SHRINK = 3, 0.25
#: Loudness against the video's own integrated loudness at which a second is silent and full.
_SILENT_LU, _FULL_LU = -20.0, 6.0
#: In a second: shot changes, syllables, words on screen that come, and sounds that begin.
_FULL_CUTS, _FULL_SYLLABLES, _FULL_WORDS, _FULL_SOUNDS = 1.0, 7.0, 4.0, 6.0
#: Part of the frame that a face in close-up covers.
_FULL_FACE = 0.15
#: Sigma of the smoothing of a curve, in seconds, before its shape is judged.
_SMOOTH_S = 1.0

#: One value for each second, 0..1, NaN where a channel is missing.
Channels = Mapping[str, np.ndarray]


def temporal_information(frames: Frames, changes_s: Sequence[tuple[float, float]]) -> np.ndarray:
    """Motion of sampled pairs of pictures: time in seconds, and temporal information; (n, 2).

    `changes_s`: times of shot changes, from and to; pairs across one are left out, since a cut is
    no motion.
    """
    found = []
    for i in range(0, len(frames) - 1, _EVERY):
        from_s, to_s = float(frames.times_s[i]), float(frames.times_s[i + 1])
        if any(from_s < end and to_s > start - 1e-3 for start, end in changes_s):
            continue
        one, other = (
            cv2.resize(frames[n], None, fx=_SHRINK, fy=_SHRINK, interpolation=cv2.INTER_AREA)
            for n in (i, i + 1)
        )
        found.append((from_s, float(np.std(one.astype(np.float32) - other))))
    return np.array(found, float).reshape(-1, 2)


def channels_of(joined: Joined, motion: np.ndarray) -> dict[str, np.ndarray]:
    """Each channel's strength in each second, 0..1; NaN throughout where its analyzer is missing.

    What is not applicable counts as nothing: a silent video has no loudness, and no energy of it.
    """
    count = len(joined.grid)
    found = {"motion": _motion(motion, count, joined)}
    for name, source in SOURCES.items():
        if source not in joined:
            found[name] = np.full(count, np.nan)
        elif not joined.speaks(source):
            found[name] = np.zeros(count)
    if "loudness" not in found:
        whole = joined.of_summary("audio_analysis", "loudness_lufs")
        level = _numbers(joined.column("audio_analysis", "loudness_lufs"), -np.inf)
        if whole is None:  # too short or too quiet to have one
            whole = np.max(level, initial=-70.0)
        found["loudness"] = np.clip((level - whole - _SILENT_LU) / (_FULL_LU - _SILENT_LU), 0, 1)
        starts = _numbers(joined.column("audio_analysis", "onset_count"), 0)
        found["sounds"] = np.clip(starts / _FULL_SOUNDS, 0, 1)
    if "cuts" not in found:
        changes = [(row["time_s"] + end_of(row)) / 2 for row in shot_changes(joined)]
        found["cuts"] = _rate(changes, [1.0] * len(changes), count) / _FULL_CUTS
    if "speech" not in found:
        rate = _numbers(joined.column("speech_rate", "syllables_per_s"), np.nan)
        # A language without syllables still has words, of about one and a half.
        words = _numbers(joined.column("speech_rate", "words_per_s"), 0) * 1.5
        voice = _numbers(joined.column("voices", "voice_ratio"), 1.0)
        found["speech"] = np.where(np.isnan(rate), words, rate) * voice / _FULL_SYLLABLES
    if "text" not in found:
        lines = [r for r in joined.rows("text_overlay") if r["role"] != "scene_text"]
        found["text"] = (
            _rate([r["time_s"] for r in lines], [r["word_count"] for r in lines], count)
            / _FULL_WORDS
        )
    if "faces" not in found:
        share = _numbers(joined.column("faces", "largest_face_share"), 0)
        found["faces"] = share / _FULL_FACE
    return {name: np.clip(found[name], 0, 1) for name in CHANNELS}


def curve(channels: Channels, weights: Mapping[str, float]) -> np.ndarray:
    """The weighted mean of the channels that are there, for each second, 0..1."""
    there = [name for name in weights if not np.isnan(channels[name]).any()]
    total = sum(weights[name] for name in there)
    if not total:
        return np.zeros(len(next(iter(channels.values()))))
    return np.asarray(sum(weights[name] * channels[name] for name in there) / total)


def smoothed(values: np.ndarray) -> np.ndarray:
    """A curve without its jitter, ends kept: the mean around each second, weighted by nearness."""
    places = np.arange(len(values))
    near = np.exp(-0.5 * ((places[:, None] - places[None]) / _SMOOTH_S) ** 2)
    near[near < 0.01] = 0  # far seconds have no say
    return np.asarray(near @ values / near.sum(axis=1))


def _motion(pairs: np.ndarray, count: int, joined: Joined) -> np.ndarray:
    """The mean of a second's pairs; a second without any has that of the one before."""
    values = np.zeros(count)
    seconds = [joined.grid.segment_of(time_s) for time_s in pairs[:, 0]]
    for second in range(count):
        own = [v for s, v in zip(seconds, pairs[:, 1], strict=True) if s == second]
        values[second] = np.mean(own) if own else values[max(0, second - 1)]
    # The root: twice nothing is still next to nothing, and half of a wild pan is much.
    return np.asarray(np.sqrt(np.clip(values / _FULL_MOTION, 0, 1)))


def _rate(times_s: Sequence[float], amounts: Sequence[float], count: int) -> np.ndarray:
    """Amounts a second: each spread over its second and, by half, over both neighbours."""
    found = np.zeros(count + 2)
    for time_s, amount in zip(times_s, amounts, strict=True):
        second = min(int(time_s), count - 1) + 1
        found[second - 1 : second + 2] += np.array([0.5, 1.0, 0.5]) * amount
    return found[1:-1]


def _numbers(values: Sequence[float | None], otherwise: float) -> np.ndarray:
    return np.array([otherwise if v is None else v for v in values], float)
