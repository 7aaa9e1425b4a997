"""Spans of speech from probabilities, and how they are put before a recognizer.

A recognizer hears a limited time at once and makes up words where nobody speaks. So long silences
are left out, what remains is packed into windows, and times in a window are mapped back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

#: Start and end in seconds.
Span = tuple[float, float]

#: Speech stops where the probability falls this much below the level at which it starts.
_HYSTERESIS = 0.15
#: A longer silence ends a span.
_PAUSE_S = 0.2
#: Shorter spans are clicks.
_SHORTEST_S = 0.1
#: What is kept around speech in a window; a shorter gap than `_KEPT_GAP_S` is kept whole.
_PAD_S = 0.2
_KEPT_GAP_S = 1.0
#: A full window is closed at its longest gap after this part of it.
_CLOSE_AFTER = 0.6
#: Times closer than this are the same: a recognizer's come in steps of 20 ms.
_SAME_S = 1e-3
#: A word that lies further from speech than this was not said.
_NEAR_S = 0.3
#: How far a word may reach out of speech: soft sounds at its ends are not always taken for speech.
_EDGE_S = 0.1


def speech_spans(
    probabilities: np.ndarray, step_s: float, threshold: float, end_s: float
) -> list[Span]:
    """Spans in which speech is as probable as `threshold`, with short pauses closed.

    `probabilities`: one for each `step_s` seconds. `end_s`: end of the sound.
    """
    spans: list[list[float]] = []
    speaking = False
    for i, probability in enumerate(probabilities.tolist()):
        if speaking and probability < threshold - _HYSTERESIS:
            speaking = False
        elif not speaking and probability >= threshold:
            speaking = True
            if not spans or i * step_s - spans[-1][1] > _PAUSE_S:
                spans.append([i * step_s, 0.0])
        if speaking:
            spans[-1][1] = min((i + 1) * step_s, end_s)
    return [(start, end) for start, end in spans if end - start >= _SHORTEST_S]


@dataclass(frozen=True)
class Window:
    """Pieces of the sound that a recognizer hears as one, in order and without overlap."""

    pieces: tuple[Span, ...]

    @property
    def length_s(self) -> float:
        """Time it takes to hear."""
        return sum(end - start for start, end in self.pieces)

    def cut(self, sound: np.ndarray, rate_hz: int) -> np.ndarray:
        """The pieces of the sound, one after the other."""
        return np.concatenate(
            [sound[round(a * rate_hz) : round(b * rate_hz)] for a, b in self.pieces]
        )

    def source_span(self, start_s: float, end_s: float) -> Span:
        """A span of the window in times of the sound.

        One that begins where two pieces meet belongs to the later, one that ends there to the
        earlier.
        """
        start = self._source(start_s, later=True)
        return start, max(start, self._source(end_s, later=False))

    def _source(self, time_s: float, later: bool) -> float:
        passed = 0.0
        for start, end in self.pieces:
            length = end - start
            if time_s < passed + length + (-_SAME_S if later else _SAME_S):
                return start + min(max(0.0, time_s - passed), length)
            passed += length
        return self.pieces[-1][1]


def pack(spans: Sequence[Span], limit_s: float, end_s: float) -> list[Window]:
    """Windows of at most `limit_s` seconds that hold all spans of speech.

    Windows are parted at long gaps rather than at short ones; a span that is longer than a window
    is cut.
    """
    room_s = limit_s - 2 * _PAD_S
    todo = [part for span in spans for part in _cut(span, room_s)]
    windows = []
    while todo:
        count = 1
        while count < len(todo) and _window(todo[: count + 1], end_s).length_s <= limit_s:
            count += 1
        if count < len(todo):
            first = min(int(count * _CLOSE_AFTER) + 1, count)
            # Of the gaps after each of these spans the longest, and of equal ones the last.
            count = max(range(first, count + 1), key=lambda n: (todo[n][0] - todo[n - 1][1], n))
        windows.append(_window(todo[:count], end_s))
        todo = todo[count:]
    return windows


def _cut(span: Span, room_s: float) -> list[Span]:
    start, end = span
    count = max(1, int(np.ceil((end - start) / room_s - 1e-9)))
    edges = np.linspace(start, end, count + 1).tolist()
    return list(pairwise(edges))


def _window(spans: Sequence[Span], end_s: float) -> Window:
    pieces: list[list[float]] = []
    for start, end in spans:
        if pieces and start - pieces[-1][1] < _KEPT_GAP_S - _PAD_S:
            pieces[-1][1] = min(end + _PAD_S, end_s)
        else:
            pieces.append([max(0.0, start - _PAD_S), min(end + _PAD_S, end_s)])
    return Window(tuple((a, b) for a, b in pieces))


def fit(start_s: float, end_s: float, spans: Sequence[Span]) -> Span | None:
    """A word's time drawn in to the span of speech it overlaps most, None where none is near.

    Whisper lets the first word after a pause begin in the pause, and the last one end in it.
    """
    best: Span | None = None
    most = 0.0
    for a, b in spans:
        shared = min(end_s, b + _NEAR_S) - max(start_s, a - _NEAR_S)
        if shared >= 0 and (best is None or shared > most):
            best, most = (a, b), shared
    if best is None:
        return None
    start, end = max(start_s, best[0] - _EDGE_S), min(end_s, best[1] + _EDGE_S)
    return (start, end) if end > start else (start_s, end_s)


def overlap_s(spans: Sequence[Span], start_s: float, end_s: float) -> float:
    """How much of a time lies within the spans."""
    return sum(max(0.0, min(b, end_s) - max(a, start_s)) for a, b in spans)
