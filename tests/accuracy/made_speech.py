"""Speech whose words and pauses are known: the sample's, its sentences spliced, three texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from scipy.signal import resample_poly

from analyzers.video import Video
from sample.make_sample import AUDIO_HZ, compose
from tests.analyzers.made import made_video

RATE_HZ = 16000
#: Music under speech, against it.
MUSIC_DB = -10
Span = tuple[float, float]

#: Silences within the cues, to 0.01 s: under 1 % of the peak of the voice as sample/make_sample.py
#: makes it, before the music. Those of 0.2 s and more.
WITHIN_CUES: tuple[Span, ...] = (
    (3.05, 3.63),
    (4.98, 5.49),
    (7.06, 7.65),
    (9.09, 9.69),
    (11.45, 12.08),
    (13.12, 13.37),
)
#: How the cues follow each other in the spliced speech, and the silence before each, in seconds.
SPLICED = ((7, 0.6), (2, 0.35), (6, 0.9), (0, 0.1), (4, 0.5), (3, 1.4), (5, 0.15), (1, 0.7))


#: What speech/make_speech.py had read aloud.
READ_ALOUD = {
    "kitchen": (
        "First, chop two onions and a clove of garlic.",
        "Heat a little butter in the pan until it starts to foam.",
        "Then add the mushrooms, and don't stir them for three minutes.",
        "Pour in the cream, turn down the heat, and wait until it thickens.",
    ),
    "market": (
        "Last summer I spent a week in a small town by the sea.",
        "Every morning the fishermen sold their catch right on the harbor wall.",
        "My favorite was an old man who sang while he was cleaning the fish.",
        "He told me that he had never missed a single day in forty years.",
    ),
    "workout": (
        "You only need ten minutes and a bit of space on the floor.",
        "Keep your back straight and your shoulders relaxed.",
        "Breathe out when you push up, and breathe in on the way down.",
        "If it hurts, stop right away and take a longer break.",
    ),
    "close_call": (
        "Holy shit, that bloody bus nearly hit me.",
        "Damn, follow me for more, hashtag street food, hashtag city life.",
    ),
}


def read_aloud(name: str) -> np.ndarray:
    """One of these texts at 16 kHz, mono float32."""
    resampler = AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    with av.open(str(Path(__file__).parent / "speech" / f"{name}.opus")) as container:
        parts = [
            part.to_ndarray().ravel()
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    return np.concatenate(parts)


@cache
def music() -> np.ndarray:
    """The music of the sample, without its voice, mono at 16 kHz."""
    sound = np.asarray(compose(), np.float64)
    mono = sound.mean(axis=1) if sound.ndim > 1 else sound
    return resample_poly(mono, RATE_HZ, AUDIO_HZ).astype(np.float32)


def over_music(speech: np.ndarray) -> np.ndarray:
    """Speech with music under it, `MUSIC_DB` below the speech while somebody speaks."""
    under = np.resize(music(), len(speech))
    spoken = speech[np.abs(speech) > 0.01]
    gain = 10 ** (MUSIC_DB / 20) * np.sqrt(np.square(spoken).mean() / np.square(under).mean())
    return (speech + gain * under).astype(np.float32)


@dataclass(frozen=True)
class Cue:
    """A sentence and when it sounds."""

    start_s: float
    end_s: float
    text: str


def cues_of(labels: dict[str, Any]) -> list[Cue]:
    """The sample's cues."""
    return [Cue(c["start_s"], c["end_s"], c["text"]) for c in labels["cues"]]


def pauses_of_cues(cues: Sequence[Cue], within: Sequence[Span]) -> list[Span]:
    """All silences from the first cue to the last."""
    between = [(a.end_s, b.start_s) for a, b in pairwise(cues)]
    return sorted([*between, *within])


def spliced(sound: np.ndarray, cues: Sequence[Cue]) -> tuple[Video, list[Cue], list[Span]]:
    """The cues in another order with silences of known length: the video, its cues and silences."""
    pieces, placed, within, at_s = [], [], [], 0.0
    for number, before_s in SPLICED:
        cue = cues[number]
        first, last = round(cue.start_s * RATE_HZ), round(cue.end_s * RATE_HZ)
        pieces += [np.zeros(round(before_s * RATE_HZ), np.float32), sound[first:last]]
        at_s += before_s
        moved_s = at_s - cue.start_s
        placed.append(Cue(at_s, cue.end_s + moved_s, cue.text))
        within += [
            (a + moved_s, b + moved_s) for a, b in WITHIN_CUES if cue.start_s < a and b < cue.end_s
        ]
        at_s += (last - first) / RATE_HZ
    whole = np.concatenate([*pieces, np.zeros(RATE_HZ // 2, np.float32)])
    video = replace(made_video(len(whole) / RATE_HZ), audio_16k=whole)
    return video, placed, pauses_of_cues(placed, within)
