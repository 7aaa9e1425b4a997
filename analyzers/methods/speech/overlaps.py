"""Where two people speak at once, from how probably each speaker of a chunk is active.

Two speak where the second likeliest of a chunk's speakers is active, which needs no name for any of
them (Bredin & Laurent 2021, https://arxiv.org/abs/2104.04045). Chunks overlap, and their answers
are averaged, those near a chunk's ends weighing less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzers.methods.mask_runs import mask_runs
from analyzers.methods.speech.speaker_turns import Turn
from analyzers.methods.speech.speech_spans import Span
from analyzers.models.speaker_activity import CHUNK_S, FIELD, SAMPLE_RATE_HZ, STEP, STEP_S

#: From one chunk to the next. Over made dialogues, steps of 2.5, 1 and 0.5 s had the same F1 to
#: 0.02.
_CHUNK_STEP_S = 2.5
#: An overlap begins above the onset and ends below the offset, shorter gaps are closed and shorter
#: overlaps left out: what the network's card gives for VoxConverse, which is talk in web videos.
_ONSET, _OFFSET = 0.587, 0.426
_GAP_S, _SHORTEST_S = 0.112, 0.337
#: How far from an overlap somebody alone is next to it; longer silences are pauses.
_NEAR_S = 0.2
#: Times closer than this are the same.
_SAME_S = 1e-3
_CHUNK = round(CHUNK_S * SAMPLE_RATE_HZ)


@dataclass(frozen=True)
class Overlap:
    """Two people speak at once; times in seconds, and the mean probability of it.

    `changes`: whether the chunk around it hears another speaker go on alone than the one before;
    None where it hears nobody alone within 0.2 s of it.
    """

    start_s: float
    end_s: float
    confidence: float
    changes: bool | None


def chunks(spans: Sequence[Span], samples: int) -> list[slice]:
    """The chunks in which somebody speaks, as samples of the sound; each begins with a frame.

    `spans`: of speech. `samples`: length of the sound. Where it is shorter than a chunk, there is
    one chunk of all of it; where it is too short for an overlap, there is none.
    """
    if samples < max(FIELD, _SHORTEST_S * SAMPLE_RATE_HZ):
        return []
    last = max(0, samples - _CHUNK)
    count = 1 + int(np.ceil(last / (_CHUNK_STEP_S * SAMPLE_RATE_HZ)))
    firsts = (np.linspace(0, last, count) / STEP).astype(int) * STEP
    found = [slice(int(first), min(int(first) + _CHUNK, samples)) for first in firsts]
    return [
        c for c in found if any(_samples(a) < c.stop and _samples(b) > c.start for a, b in spans)
    ]


def overlaps(
    heard: Sequence[slice], probabilities: np.ndarray, spans: Sequence[Span]
) -> list[Overlap]:
    """Overlaps within the spans of speech, in order.

    `heard`: the `chunks`. `probabilities`: of each speaker's activity, (chunks, frames, speakers).
    """
    if not heard:
        return []
    second = np.sort(probabilities, axis=2)[:, :, -2]
    length = second.shape[1]
    weight = np.hamming(length)
    total, weights = np.zeros((2, heard[-1].start // STEP + length))
    for chunk, values in zip(heard, second, strict=True):
        frames = slice(chunk.start // STEP, chunk.start // STEP + length)
        total[frames] += weight * values
        weights[frames] += weight
    likely = total / np.maximum(weights, 1e-9)
    # A frame stands for the time nearest to the middle of its samples.
    edges_s = ((np.arange(len(likely) + 1) - 0.5) * STEP + FIELD / 2) / SAMPLE_RATE_HZ
    found = []
    for first, stop in _above(likely, edges_s):
        for a, b in spans:
            start_s, end_s = max(a, float(edges_s[first])), min(b, float(edges_s[stop]))
            if end_s - start_s >= _SHORTEST_S:
                inside = (edges_s[1:] > start_s) & (edges_s[:-1] < end_s)
                sure = float(likely[inside].mean())
                middle = (start_s + end_s) / 2 * SAMPLE_RATE_HZ
                around = int(np.argmin([abs((c.start + c.stop) / 2 - middle) for c in heard]))
                offset = heard[around].start // STEP
                changes = _changes(probabilities[around], first - offset, stop - offset)
                found.append(Overlap(start_s, end_s, sure, changes))
    return found


def _changes(active: np.ndarray, first: int, stop: int) -> bool | None:
    """Whether another speaker is active alone after the frames of an overlap than before them."""
    present = active > 0.5
    single = present.sum(axis=1) == 1
    near = round(_NEAR_S / STEP_S)
    before = [i for i in range(max(0, first - near), max(0, first)) if single[i]]
    after = [i for i in range(stop, min(len(single), stop + near)) if single[i]]
    if not before or not after:
        return None
    return bool(present[before[-1]].argmax() != present[after[0]].argmax())


def alone(spans: Sequence[Span], doubled: Sequence[Span]) -> list[Span]:
    """The spans of speech without those in which two speak; all in order."""
    left: list[Span] = []
    for start_s, end_s in spans:
        for a, b in doubled:
            if a < end_s and b > start_s:
                if a > start_s:
                    left.append((start_s, a))
                start_s = b
        if end_s > start_s:
            left.append((start_s, end_s))
    return left


def floor_after(
    overlap: Overlap, heard: Sequence[Span], spoken: Sequence[Turn]
) -> tuple[str | None, bool | None]:
    """Who has the floor after an overlap, and whether it is another one than before.

    `heard`: the windows in which voices were compared, `spoken`: the turns that came of it. Both
    answers are None where nobody speaks alone next to it for long enough to compare voices, and
    where the voices say one thing and the network another: of 61 made overlaps the voices alone
    were right in 55; of the 50 in which both agreed, in all.
    """
    before = [sum(w) / 2 for w in heard if abs(w[1] - overlap.start_s) < _SAME_S]
    after = [sum(w) / 2 for w in heard if abs(w[0] - overlap.end_s) < _SAME_S]
    first, last = _speaker(spoken, before), _speaker(spoken, after)
    if first is None or last is None or overlap.changes is not (first != last):
        return None, None
    return last, overlap.changes


def _speaker(spoken: Sequence[Turn], times_s: Sequence[float]) -> str | None:
    found = (t.speaker for t in spoken for s in times_s[:1] if t.start_s <= s <= t.end_s)
    return next(found, None)


def _above(likely: np.ndarray, edges_s: np.ndarray) -> list[tuple[int, int]]:
    """Frames from where the probability passes the onset to where it falls below the offset."""
    found: list[tuple[int, int]] = []
    for first, stop in mask_runs(likely >= _OFFSET):
        rises = np.flatnonzero(likely[first:stop] > _ONSET)
        if not len(rises):
            continue
        first += int(rises[0])
        if found and edges_s[first] - edges_s[found[-1][1]] <= _GAP_S:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((first, stop))
    return found


def _samples(time_s: float) -> float:
    return time_s * SAMPLE_RATE_HZ
