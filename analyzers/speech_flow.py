"""How fluently people speak: pauses, fillers, repetitions, restarts, runs, turns, overlaps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    Column,
    Family,
    Preview,
    Stage,
)
from analyzers.methods.bars import PALETTE, Bar, draw_bars
from analyzers.methods.speech.speech_spans import Span, overlap_s
from analyzers.methods.speech.talk import Stretch, TalkWord, pauses_of, runs, text_of, words_of
from analyzers.video import Video
from analyzers.voices import OVERLAP_PLACES, spans_of

KINDS = ("silent_pause", "filled_pause", "repetition", "restart", "turn_change", "overlap")
PAUSE_PLACES = ("within_clause", "between_clauses", "between_sentences", "between_turns")

#: Fillers without a meaning of their own, as Whisper writes them; "like" or "you know" are words,
#: and nobody can tell from the text alone when they are not.
_FILLERS = {
    "de": {"äh", "ähm", "öh", "öhm", "hm", "hmm", "mhm"},
    "en": {"um", "umm", "uh", "uhh", "uhm", "er", "erm", "ehm", "hm", "hmm", "mm", "mmm"},
    "es": {"eh", "ehm", "em", "hm", "hmm", "mm"},
    "fr": {"euh", "heu", "hum", "hm", "hmm", "mm"},
    "it": {"ehm", "eh", "uhm", "mm", "hm", "hmm"},
    "nl": {"uh", "uhm", "eh", "ehm", "hm", "hmm"},
    "pt": {"hum", "hm", "hmm", "eh", "ehm"},  # "um" is an article
}
#: Words of a repetition at most: "in the, in the".
_LONGEST_REPEAT = 3
#: A word that breaks off is written with a dash or an ellipsis.
_BROKEN_OFF = re.compile(r"(?:[-\u2010-\u2015]|\.\.\.|\u2026)$")
_CLAUSE_END = re.compile(r"[,;:\u3001\uff0c]$")
_EDGES = re.compile(r"^\W+|\W+$")
#: Less talk than this has no figures by the minute.
_LEAST_S = 1.0


def _count(name: str, description: str) -> Column:
    return Column(name, pa.int32(), description, minimum=0)


def _number(name: str, description: str) -> Column:
    return Column(name, pa.float32(), description, nullable=True, minimum=0.0)


class SpeechFlow(Analyzer):
    """Silent and filled pauses, repetitions, restarts, turn changes, overlaps, runs, fluency.

    Observations, by `kind`:

    - `silent_pause`: the voice is silent for 0.25 s or more (De Jong & Bosker 2013) between the
      first and the last word, measured on the sound (`voices`) and not on the words' times. `place`
      tells what it parts: clauses (a comma, semicolon or colon before it), sentences, turns
      (another speaker follows, or 2 s pass), or nothing (`within_clause`), which is where listeners
      hear hesitation (Goldman-Eisler, "Psycholinguistics", 1968). Lengths are right to about
      0.05 s; in loud noise, pauses under 0.4 s can be missed.
    - `filled_pause`: "um", "uh" and the like, in seven languages.
    - `repetition`: one to three words said again at once, in one sentence; `text` is what is said
      again. Emphasis ("very, very") is counted as well.
    - `restart`: a word breaks off (a dash or an ellipsis after it, inside a sentence) and something
      else follows.
    - `turn_change`: another speaker begins; its time is the silence before (from the end of the
      last one's voice), zero where there is none, as where the two overlap.
    - `overlap`: two people speak at once for a third of a second or longer (`voices`). `place` is
      `between_speakers` where the other one has the floor afterwards, and `within_speaker` where
      who spoke before goes on, as over an "uh-huh" or a try that fails (Heldner & Edlund, "Pauses,
      gaps and overlaps in conversations", Journal of Phonetics 38, 2010); null where that is open.
      Whether a between-speaker overlap interrupts, or comes in
      where the other was done anyway, is a matter of what is said, and not told.

    Whisper leaves out many fillers, repetitions and broken words: their counts are what is left, a
    lower bound; of two people at once it mostly writes down one.

    Fluency has three sides (Tavakoli & Skehan 2005, in Ellis, "Planning and task performance"):
    speed (`articulation_syllables_per_s`, `mean_run_syllables`), breakdown (pauses: how many, how
    long, where) and repair (repetitions and restarts). Mean length of run is between silent pauses.
    `phonation_ratio` is the share of talking time in which somebody speaks. Talking time is that of
    the turns, in which pauses between turns do not count.

    Not applicable where speech_transcription is not.

    Accuracy: pauses over 0.3 s of made speech found with an F1 of 0.96 and 1.0; of ten overlaps of
    0.4 to 3 s in a made conversation nine, with their places (`voices` has more figures); repairs
    and fillers are held against made transcripts only.
    """

    name = "speech_flow"
    version = "3"
    family = Family.SPEECH
    stage = Stage.FAST
    kinds = ("numpy",)
    models_used = ("pronunciation",)
    requires = ("voices", "speech_transcription")

    observation_columns = (
        TIME_S,
        END_S,
        Column("kind", pa.string(), "What it is", values=KINDS),
        Column("length_s", pa.float32(), "How long it lasts", minimum=0.0),
        Column(
            "place",
            pa.string(),
            "What a silent pause parts; where an overlap lies",
            nullable=True,
            values=(*PAUSE_PLACES, *OVERLAP_PLACES),
        ),
        Column("text", pa.string(), "The words, of what is said", nullable=True),
        Column(
            "speaker",
            pa.string(),
            "Who does it; of a turn change or an overlap, who has the floor afterwards",
            True,
        ),
    )
    segment_columns = (
        Column("pause_s", pa.float32(), "Silent pauses in the second", minimum=0.0, maximum=1.0),
        _count("pause_count", "Silent pauses that begin in the second"),
        _count("filled_pause_count", "Filled pauses that begin in the second"),
        _count("repair_count", "Repetitions and restarts that begin in the second"),
        _count("turn_change_count", "Turn changes in the second"),
        Column("overlap_s", pa.float32(), "Overlaps in the second", minimum=0.0, maximum=1.0),
        _count("overlap_count", "Overlaps that begin in the second"),
    )
    summary_columns = (
        Column("talk_s", pa.float64(), "Time of the turns", minimum=0.0),
        _number("phonation_ratio", "Share of it in which somebody speaks"),
        _count("pause_count", "Silent pauses, those between turns not counted"),
        _number("pause_s", "Their time"),
        _number("mean_pause_s", "Their mean length"),
        _number("pauses_per_min", "Silent pauses in a minute of talk"),
        _number("within_clause_pause_ratio", "Share of the pauses that part nothing"),
        _count("filled_pause_count", "Filled pauses"),
        _number("filled_pauses_per_min", "Filled pauses in a minute of talk"),
        _count("repetition_count", "Repetitions"),
        _count("restart_count", "Restarts"),
        _number("repairs_per_min", "Repetitions and restarts in a minute of talk"),
        _number("mean_run_words", "Mean length of run, in words"),
        _number("mean_run_syllables", "Mean length of run, in syllables"),
        _number("articulation_syllables_per_s", "Syllables a second of the runs"),
        _count("turn_count", "Turns with words"),
        _number("mean_turn_s", "Their mean length"),
        _count("turn_change_count", "Turns that another speaker takes over"),
        _number("mean_gap_s", "Mean silence before another speaker begins"),
        _count("overlap_count", "Overlaps"),
        _number("overlap_s", "Their time"),
        _count("between_speakers_overlap_count", "Overlaps after which the other has the floor"),
        _count("within_speaker_overlap_count", "Overlaps after which the same speaker goes on"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        transcript = upstream["speech_transcription"]
        if transcript.status != "ok":
            return self.not_applicable(video, transcript.reason or "no words")
        heard = upstream["voices"].observations.to_pylist()
        voice = spans_of(heard, "voice")
        language = transcript.summary["language"]
        with self.models.lend("pronunciation") as dictionary:
            words = words_of(transcript.observations.to_pylist(), transcript.summary, dictionary)
        turns = _turns_with_words([row for row in heard if row["kind"] == "turn"], words)
        rows = [
            *_silent_pauses(words, voice, turns),
            *_fillers(words, _FILLERS.get(language, set())),
            *_repetitions(words, _FILLERS.get(language, set())),
            *_restarts(words),
            *_turn_changes(turns, voice),
            *_overlaps(heard, turns),
        ]
        rows.sort(key=lambda row: (row["time_s"], KINDS.index(row["kind"])))
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, self._seconds(video, rows)),
            summary=_summary(rows, runs(words, voice), turns, voice),
        )

    def _seconds(self, video: Video, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        grid = video.grid
        silent, doubled = _spans(rows, "silent_pause"), _spans(rows, "overlap")

        def begun(*kinds: str) -> list[int]:
            segments = [grid.segment_of(r["time_s"]) for r in rows if r["kind"] in kinds]
            return [int(n) for n in np.bincount(segments, minlength=len(grid))]

        return {
            "pause_s": [min(1.0, overlap_s(silent, *grid.bounds_s(i))) for i in range(len(grid))],
            "pause_count": begun("silent_pause"),
            "filled_pause_count": begun("filled_pause"),
            "repair_count": begun("repetition", "restart"),
            "turn_change_count": begun("turn_change"),
            "overlap_s": [
                min(1.0, overlap_s(doubled, *grid.bounds_s(i))) for i in range(len(grid))
            ],
            "overlap_count": begun("overlap"),
        }

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Bars of pauses by what they part, and of each other kind."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        rows = result.observations.to_pylist()
        bars: dict[str, list[Bar]] = {}
        for number, place in enumerate(PAUSE_PLACES):
            of_place = [row for row in rows if row["place"] == place]
            bars[_PLACE_NAMES[place]] = _bars(of_place, PALETTE[number])
        for number, kind in enumerate(KINDS[1:]):
            of_kind = [row for row in rows if row["kind"] == kind]
            bars[kind.replace("_", " ")] = _bars(of_kind, PALETTE[(number + 4) % len(PALETTE)])
        summary = result.summary
        title = f"{summary['pause_count']} pauses"
        if summary["mean_pause_s"] is not None:
            title += f" of {summary['mean_pause_s']:.2f} s on average"
        if summary["mean_run_words"] is not None:
            title += f", {summary['mean_run_words']:.1f} words in a run"
        picture = draw_bars(title, bars, video.info.end_s)
        _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        return Preview(markdown=title, image=data.tobytes(), image_type="image/png")


_PLACE_NAMES = {
    "within_clause": "in a clause",
    "between_clauses": "of clauses",
    "between_sentences": "of sentences",
    "between_turns": "of turns",
}


def _bars(rows: Sequence[Mapping[str, Any]], colour: tuple[int, int, int]) -> list[Bar]:
    return [(row["time_s"], row["end_s"], colour) for row in rows]


def _spans(rows: Sequence[Mapping[str, Any]], kind: str) -> list[Span]:
    return [(row["time_s"], row["end_s"]) for row in rows if row["kind"] == kind]


def _plain(word: TalkWord) -> str:
    """A word in lower case without its punctuation."""
    return _EDGES.sub("", word.text.lower())


def _said(kind: str, words: Sequence[TalkWord]) -> dict[str, Any]:
    return {
        "time_s": words[0].start_s,
        "end_s": words[-1].end_s,
        "kind": kind,
        "length_s": words[-1].end_s - words[0].start_s,
        "text": text_of(words),
        "speaker": words[0].speaker,
    }


def _turns_with_words(
    turns: Sequence[Mapping[str, Any]], words: Sequence[TalkWord]
) -> list[Mapping[str, Any]]:
    middles = [(w.start_s + w.end_s) / 2 for w in words]
    return [t for t in turns if any(t["time_s"] <= m <= t["end_s"] for m in middles)]


def _silent_pauses(
    words: Sequence[TalkWord], voice: Sequence[Span], turns: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    rows = []
    for start_s, end_s in pauses_of(words, voice):
        middle_s = (start_s + end_s) / 2
        before = [w for w in words if (w.start_s + w.end_s) / 2 <= middle_s]
        after = words[len(before) :]
        in_turn = any(t["time_s"] <= start_s and end_s <= t["end_s"] for t in turns)
        rows.append(
            {
                "time_s": start_s,
                "end_s": end_s,
                "kind": "silent_pause",
                "length_s": end_s - start_s,
                "place": _place(before, after) if in_turn else "between_turns",
                "speaker": before[-1].speaker if before else None,
            }
        )
    return rows


def _place(before: Sequence[TalkWord], after: Sequence[TalkWord]) -> str:
    if not before or not after or before[-1].sentence != after[0].sentence:
        return "between_sentences"
    return "between_clauses" if _CLAUSE_END.search(before[-1].text) else "within_clause"


def _fillers(words: Sequence[TalkWord], fillers: set[str]) -> list[dict[str, Any]]:
    return [_said("filled_pause", [word]) for word in words if _plain(word) in fillers]


def _repetitions(words: Sequence[TalkWord], fillers: set[str]) -> list[dict[str, Any]]:
    """Words said again at once, fillers between them left out."""
    spoken = [word for word in words if _plain(word) and _plain(word) not in fillers]
    plain = [_plain(word) for word in spoken]
    rows = []
    at = 0
    while at < len(spoken):
        for length in range(_LONGEST_REPEAT, 0, -1):
            again = spoken[at + length : at + 2 * length]
            same = plain[at : at + length] == plain[at + length : at + 2 * length]
            near = {(w.sentence, w.speaker) for w in spoken[at : at + 2 * length]}
            if len(again) == length and same and len(near) == 1:
                rows.append(_said("repetition", again))
                at += length - 1
                break
        at += 1
    return rows


def _restarts(words: Sequence[TalkWord]) -> list[dict[str, Any]]:
    return [
        _said("restart", [word])
        for word, following in pairwise(words)
        if _BROKEN_OFF.search(word.text)
        and word.sentence == following.sentence
        and word.speaker == following.speaker
        and _plain(word) != _plain(following)
    ]


def _turn_changes(
    turns: Sequence[Mapping[str, Any]], voice: Sequence[Span]
) -> list[dict[str, Any]]:
    rows = []
    for turn, following in pairwise(turns):
        if turn["speaker"] == following["speaker"]:
            continue
        # A turn that nobody with words took may lie between them.
        silent_s = following["time_s"] - turn["end_s"]
        silent_s -= overlap_s(voice, turn["end_s"], following["time_s"])
        end_s = following["time_s"]
        rows.append(
            {
                "time_s": end_s - max(0.0, silent_s),
                "end_s": end_s,
                "kind": "turn_change",
                "length_s": max(0.0, silent_s),
                "speaker": following["speaker"],
            }
        )
    return rows


def _overlaps(
    heard: Sequence[Mapping[str, Any]], turns: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Overlaps of turns with words: a choir may have none."""
    return [
        {
            "time_s": row["time_s"],
            "end_s": row["end_s"],
            "kind": "overlap",
            "length_s": row["end_s"] - row["time_s"],
            "place": row["place"],
            "speaker": row["speaker"],
        }
        for row in heard
        if row["kind"] == "overlap"
        and any(t["time_s"] < row["end_s"] and t["end_s"] > row["time_s"] for t in turns)
    ]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _summary(
    rows: Sequence[Mapping[str, Any]],
    spoken: Sequence[Stretch],
    turns: Sequence[Mapping[str, Any]],
    voice: Sequence[Span],
) -> dict[str, Any]:
    talk_s = sum(t["end_s"] - t["time_s"] for t in turns)
    phonation_s = sum(overlap_s(voice, t["time_s"], t["end_s"]) for t in turns)
    pauses = [r for r in rows if r["kind"] == "silent_pause" and r["place"] != "between_turns"]
    lengths = [p["length_s"] for p in pauses]
    counts = {kind: sum(row["kind"] == kind for row in rows) for kind in KINDS}
    repairs = counts["repetition"] + counts["restart"]
    syllables = [run.syllables for run in spoken if run.syllables is not None]
    whole = len(syllables) == len(spoken)
    spoken_s = sum(run.spoken_s for run in spoken)

    def per_min(count: int) -> float | None:
        return 60 * count / talk_s if talk_s >= _LEAST_S else None

    return {
        "talk_s": talk_s,
        "phonation_ratio": phonation_s / talk_s if talk_s >= _LEAST_S else None,
        "pause_count": len(pauses),
        "pause_s": sum(lengths),
        "mean_pause_s": _mean(lengths),
        "pauses_per_min": per_min(len(pauses)),
        "within_clause_pause_ratio": _mean([float(p["place"] == "within_clause") for p in pauses]),
        "filled_pause_count": counts["filled_pause"],
        "filled_pauses_per_min": per_min(counts["filled_pause"]),
        "repetition_count": counts["repetition"],
        "restart_count": counts["restart"],
        "repairs_per_min": per_min(repairs),
        "mean_run_words": _mean([len(run.words) for run in spoken]),
        "mean_run_syllables": _mean(syllables) if whole else None,
        "articulation_syllables_per_s": (
            sum(syllables) / spoken_s if whole and spoken_s >= _LEAST_S else None
        ),
        "turn_count": len(turns),
        "mean_turn_s": _mean([t["end_s"] - t["time_s"] for t in turns]),
        "turn_change_count": counts["turn_change"],
        "mean_gap_s": _mean([r["length_s"] for r in rows if r["kind"] == "turn_change"]),
        "overlap_count": counts["overlap"],
        "overlap_s": sum(r["length_s"] for r in rows if r["kind"] == "overlap"),
        **{
            f"{place}_overlap_count": sum(row.get("place") == place for row in rows)
            for place in OVERLAP_PLACES
        },
    }
