"""Who speaks when: pieces of speech compared by voice, and put together to turns.

The usual way of diarization without a number of speakers (Park et al., "A review of speaker
diarization", 2022, section 2): overlapping windows, an embedding of each, agglomerative clustering
with average linkage, a threshold on likeness. One speaker at a time: give it windows of the speech
of one (`analyzers.methods.speech.overlaps.alone`). The encoder cannot tell two at once from a turn
change: over made pairs of voices, 1.6 s of both at once have a likeness of 0.69 to 0.72 to the
liker of the two, one after the other 0.71 to 0.78, and with one 6 dB softer both at once have 0.78
to 0.85 (one alone: 0.92). Such windows founded speakers that were not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from analyzers.methods.speech.speech_spans import Span

#: Length of a window, as the encoder was trained, and the distance between two.
WINDOW_S = 1.6
_STEP_S = 0.8
#: Shorter pieces tell nothing about a voice and go with the nearest piece that does.
_SHORTEST_S = 0.5
#: Shorter pieces are too unsure to found a speaker; they go to the likest one.
_FOUNDING_S = 0.8
#: Groups of windows that are less alike on average are two speakers. On the demo clips and made
#: dialogues, groups of one voice had at least 0.66, of two voices at most 0.55.
_SAME_VOICE = 0.6
#: A speaker with less speech was a slip of the voice or a noise.
_LEAST_SPEECH_S = 1.2
#: A longer silence ends a turn, though the same speaker goes on.
_TURN_PAUSE_S = 2.0


@dataclass(frozen=True)
class Turn:
    """One speaker's time, from the first word to the last before somebody else or a long silence.

    `likeness`: how like its windows are, on average, to the speaker's other ones (dot products);
    None where there is nothing to compare.
    """

    start_s: float
    end_s: float
    speaker: str
    likeness: float | None


def windows(spans: Sequence[Span]) -> list[Span]:
    """Where to listen to a voice: windows over each span of speech that is long enough."""
    found: list[Span] = []
    for start, end in spans:
        if end - start < _SHORTEST_S:
            continue
        count = 1 + max(0, int(np.ceil((end - start - WINDOW_S) / _STEP_S - 1e-9)))
        starts = np.linspace(start, max(start, end - WINDOW_S), count)
        found += [(float(a), float(min(end, a + WINDOW_S))) for a in starts]
    return found


def turns(spans: Sequence[Span], heard: Sequence[Span], embeddings: np.ndarray) -> list[Turn]:
    """Turns that cover the spans of speech, in order.

    `heard`, `embeddings`: the `windows` of the spans, or of what is left of them where one speaks
    alone, and a unit vector of each, (n, d). Speakers are called S1, S2, ... in the order in which
    they first speak.
    """
    labels, likeness = _speakers(heard, embeddings)
    pieces = [piece for span in spans for piece in _split(span, heard, labels)]
    names: dict[int, str] = {}
    found: list[Turn] = []
    for start, end, label in pieces:
        name = names.setdefault(label, f"S{len(names) + 1}")
        last = found[-1] if found else None
        if last and last.speaker == name and start - last.end_s < _TURN_PAUSE_S:
            found[-1] = Turn(last.start_s, end, name, None)
        else:
            found.append(Turn(start, end, name, None))
    middles = np.array([(a + b) / 2 for a, b in heard])
    return [_compared(turn, middles, likeness) for turn in found]


def _compared(turn: Turn, middles: np.ndarray, likeness: np.ndarray) -> Turn:
    known = likeness[(middles >= turn.start_s) & (middles <= turn.end_s)]
    known = known[np.isfinite(known)]
    alike = float(known.mean().clip(0, 1)) if len(known) else None
    return Turn(turn.start_s, turn.end_s, turn.speaker, alike)


def _speakers(heard: Sequence[Span], embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each window its speaker's number, and its mean likeness to the speaker's other windows.

    The likeness of a speaker's only window is NaN.
    """
    if not heard:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    lengths = np.array([b - a for a, b in heard])
    founding = np.flatnonzero(lengths >= _FOUNDING_S - 1e-6)
    if len(founding) < 2:
        founding = np.array([lengths.argmax()])
        groups = np.array([1])
    else:
        tree = linkage(embeddings[founding], "average", metric="cosine")
        groups = fcluster(tree, 1 - _SAME_VOICE, "distance")
    speech_s = {int(g): _covered_s([heard[i] for i in founding[groups == g]]) for g in set(groups)}
    most = max(speech_s.values())
    kept = [g for g, s in sorted(speech_s.items()) if s >= min(_LEAST_SPEECH_S, most)]
    voices = np.stack([embeddings[founding[groups == g]].mean(axis=0) for g in kept])
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)
    labels = (embeddings @ voices.T).argmax(axis=1)
    together = labels[:, None] == labels
    np.fill_diagonal(together, False)
    others = together.sum(axis=1)
    alike = np.where(together, embeddings @ embeddings.T, 0.0).sum(axis=1)
    return labels, np.where(others > 0, alike / np.maximum(others, 1), np.nan)


def _covered_s(spans: Sequence[Span]) -> float:
    covered, until = 0.0, -np.inf
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    return covered


def _split(span: Span, heard: Sequence[Span], labels: np.ndarray) -> list[tuple[float, float, int]]:
    """A span of speech, parted halfway from one speaker's last window to the next one's first."""
    start, end = span
    inside = [i for i, (a, b) in enumerate(heard) if a >= start - 1e-6 and b <= end + 1e-6]
    if not inside:
        if not heard:
            return [(start, end, 0)]
        gaps = [max(a - end, start - b) for a, b in heard]
        return [(start, end, int(labels[int(np.argmin(gaps))]))]
    pieces: list[tuple[float, float, int]] = []
    for i in inside:
        label = int(labels[i])
        if pieces and pieces[-1][2] == label:
            continue
        at = (heard[i - 1][1] + heard[i][0]) / 2 if pieces else start
        if pieces:
            pieces[-1] = (pieces[-1][0], at, pieces[-1][2])
        pieces.append((at, end, label))
    return pieces
