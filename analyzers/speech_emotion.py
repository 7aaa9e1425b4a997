"""How something is said: arousal, valence and dominance of each utterance, from voice and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    confidence,
    markdown_table,
    shares,
    shares_column,
)
from analyzers.methods.speech.emotion_chart import draw_emotion
from analyzers.methods.speech.prosody import (
    Prosody,
    Scores,
    background_dbfs,
    prosody_frames,
    prosody_of,
    scores_of,
)
from analyzers.methods.speech.sentiment import LANGUAGES, sentiment
from analyzers.methods.speech.speech_spans import overlap_s
from analyzers.methods.speech.talk import Stretch, text_of, utterances, words_of
from analyzers.models.asr import SAMPLE_RATE_HZ
from analyzers.models.voice_emotion import VoiceEmotion
from analyzers.progress import checkpoint
from analyzers.video import Video
from analyzers.voices import spans_of

#: The quarters of Russell's circle ("A circumplex model of affect", 1980), its middle, and no
#: answer. Anger and fear are both `tense`: arousal and valence do not part them.
EMOTIONS = ("excited", "tense", "sad", "calm", "neutral", "uncertain")
#: Less evidence than this has no class.
_LEAST_CONFIDENCE = 0.5
#: From here on arousal and valence are clear; below this they are near the middle.
_CLEAR, _NEAR = 0.3, 0.2


def _score(name: str, description: str) -> Column:
    return Column(name, pa.float32(), description, nullable=True, minimum=-1.0, maximum=1.0)


def _measure(name: str, description: str, minimum: float | None = None) -> Column:
    return Column(name, pa.float32(), description, nullable=True, minimum=minimum)


_AROUSAL = _score("arousal", "Calm -1 to raised 1; 0 is the speaker's usual voice in this video")
_VALENCE = _score("valence", "Of the words: unfriendly or sad -1, friendly 1; null if not judged")
_DOMINANCE = _score("dominance", "Submissive -1 to dominant 1; 0 is the speaker's usual voice")
_EVIDENCE = "How well arousal and dominance are founded; 0 where they are null"


class SpeechEmotion(Analyzer):
    """Arousal, valence and dominance of each utterance; a class only where evidence suffices.

    Observations hold one row for each utterance: a sentence of one speaker.

    - `arousal` from the voice: pitch (F0 by YIN), level, energy above 500 Hz and articulation rate
      against the speaker's own median over the video (Bone, Lee & Narayanan 2014).
    - `dominance` from the voice: level and its changes, and a slow rate (Tusing & Dillard 2000).
    - `valence` from the words: VADER (Hutto & Gilbert 2014), English only; null for any other
      language, whose words are not judged. The voice is not asked, since it tells little of
      valence (Wagner et al., "Dawn of the transformer era in speech emotion recognition", 2023).
    - `emotion`: the quarter of Russell's circle, where arousal and valence are both clear (0.3) and
      the confidence is 0.5: `excited`, `tense`, `sad`, `calm`; `neutral` where both are under 0.2;
      else `uncertain`.
    - `confidence`: the least of three: voiced speech (full from 1 s on), other utterances of the
      speaker to compare with (full from three), and how far the voice is above what sounds between
      voices (none at 5 dB, full at 15 dB), which is low over music. At most the mean confidence of
      the words. Measures of the voice stand beside it.

    With a model for the role `voice_emotion` (wav2vec 2.0, Wagner et al. 2023; its licence forbids
    commercial use, so that no profile has it) arousal, dominance and valence are that network's,
    from the sound alone, in any language and for a single utterance too; 0 is then the middle of
    its raters' scale, and not the speaker's usual voice.

    What it cannot do: it does not know what somebody feels. It hears how a voice differs from the
    same voice elsewhere in the same video, so someone who shouts throughout is at 0, a single
    utterance has no arousal, and levels that an editor evened out are gone. It cannot tell anger
    from fear or joy from surprise, hears no irony, no laughter and no crying, and reads no face.
    A slip of `voices` or of the transcript goes into it. Over loud music pitch and level are partly
    the music's. It must not be used to judge people.

    Accuracy: F0 within 1 % on made voices, and within 5 % of probabilistic YIN in 93 to 97 % of the
    frames of three recordings. On made speech, sentences that were raised or lowered (by 2
    semitones and 6 dB) have the most and the least arousal; with music 10 dB under it, arousal
    moves by up to 0.2 where the confidence is 0.5 or more. Not measured on emotional speech: none
    with labels was at hand.

    Not applicable where speech_transcription is not.
    """

    name = "speech_emotion"
    version = "3"
    family = Family.SPEECH
    stage = Stage.FAST
    kinds = ("numpy", "vader")
    models_used = ("pronunciation",)
    optional_models = ("voice_emotion",)
    rungs = ("audio_16k",)
    requires = ("voices", "speech_transcription")

    observation_columns = (
        TIME_S,
        END_S,
        Column("sentence", pa.int32(), "Its number, as in speech_transcription", minimum=0),
        Column("speaker", pa.string(), "Who says it", nullable=True),
        Column("text", pa.string(), "What is said"),
        _AROUSAL,
        _VALENCE,
        _DOMINANCE,
        Column("emotion", pa.string(), "Quarter of Russell's circle", values=EMOTIONS),
        confidence(_EVIDENCE),
        _measure("voiced_s", "Time with a pitch", 0.0),
        _measure("f0_hz", "Median pitch", 0.0),
        _measure("f0_range_st", "Semitones between the 10 % and the 90 % quantile of pitch", 0.0),
        _measure("level_dbfs", "Level of the voiced parts"),
        _measure("level_sd_db", "Standard deviation of the level of voiced frames", 0.0),
        _measure("high_band_db", "Energy above 500 Hz against that below"),
        _measure("jitter_ratio", "Change of the period from frame to frame, of the period", 0.0),
        confidence("How alike periods in a row are", "periodicity", nullable=True),
        _measure("articulation_syllables_per_s", "Syllables a second without pauses", 0.0),
        _measure("snr_db", "Level above what sounds between voices"),
    )
    segment_columns = (
        _AROUSAL,
        _VALENCE,
        _DOMINANCE,
        Column("emotion", pa.string(), "Of the utterance", nullable=True, values=EMOTIONS),
        confidence(_EVIDENCE, nullable=True),
    )
    summary_columns = (
        Column("utterance_count", pa.int32(), "Utterances", minimum=0),
        Column(
            "classified_count", pa.int32(), "Those with a class that is not uncertain", False, 0
        ),
        Column(
            "dominant_emotion",
            pa.string(),
            "The class with most speaking time, uncertain left out; uncertain where there is none",
            values=EMOTIONS,
        ),
        shares_column("emotions", "emotion", "Classes by their share of the utterances"),
        _score("mean_valence", "Mean valence of the utterances"),
        Column("arousal_range", pa.float32(), "From the lowest arousal to the highest", True, 0.0),
        Column("peak_arousal_s", pa.float64(), "When the most raised utterance begins", True, 0.0),
        Column("words_judged", pa.bool_(), "Whether the language is one whose words are judged"),
        Column("speakers", pa.list_(pa.string()), "Speakers with a pitch"),
        Column("speaker_f0_hz", pa.list_(pa.float32()), "Usual pitch of each"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        transcript = upstream["speech_transcription"]
        if transcript.status != "ok" or video.audio_16k is None:
            return self.not_applicable(video, transcript.reason or "no audio track")
        language = transcript.summary["language"]
        voice = spans_of(upstream["voices"].observations.to_pylist(), "voice")
        words = transcript.observations.to_pylist()
        with self.models.lend("pronunciation") as dictionary:
            said = utterances(words_of(words, transcript.summary, dictionary), voice)
        checkpoint()
        frames = prosody_frames(np.asarray(video.audio_16k), SAMPLE_RATE_HZ)
        background = background_dbfs(frames, voice)
        heard = [
            prosody_of(
                frames,
                (one.start_s, one.end_s),
                voice,
                background,
                one.articulation_syllables_per_s,
            )
            for one in said
        ]
        sure = {row["time_s"]: row["confidence"] for row in words}
        judged = self._judged(video, said)
        rows = [
            _row(one, prosody, scores, language, sure) | _of_network(prosody, told)
            for one, prosody, scores, told in zip(
                said, heard, _scores(said, heard), judged, strict=True
            )
        ]
        for row in rows:
            row["emotion"] = emotion_of(row["arousal"], row["valence"], row["confidence"])
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, self._seconds(video, rows)),
            summary=_summary(rows, language),
        )

    def _judged(self, video: Video, said: Sequence[Stretch]) -> list[VoiceEmotion | None]:
        """What the network for the role `voice_emotion` makes of each; None without one."""
        if not self.models.has("voice_emotion"):
            return [None] * len(said)
        sound = np.asarray(video.audio_16k, np.float32)
        spans = [np.array([one.start_s, one.end_s]) * SAMPLE_RATE_HZ for one in said]
        found: list[VoiceEmotion | None] = []
        with self.models.lend("voice_emotion") as model:
            for number, (start, stop) in enumerate(spans):
                checkpoint(number, len(spans))
                found += model.judge([sound[int(start) : int(stop)]])
        return found

    def _seconds(self, video: Video, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        """Each second has the utterance that fills most of it."""
        columns: dict[str, list[Any]] = {c.name: [] for c in self.segment_columns}
        for start_s, end_s in video.grid.windows_s(self.overlap_s):
            shared = [overlap_s([(r["time_s"], r["end_s"])], start_s, end_s) for r in rows]
            most = int(np.argmax(shared)) if shared else 0
            row = rows[most] if shared and shared[most] > 0 else None
            for name, values in columns.items():
                values.append(row[name] if row else None)
        return columns

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """Arousal and valence of each utterance over time, coloured by class, and a table."""
        if result.status != "ok":
            return Preview(markdown=result.reason or "")
        rows = result.observations.to_pylist()
        summary = result.summary
        title = (
            f"{summary['classified_count']} of {summary['utterance_count']} utterances with a class"
        )
        if not summary["words_judged"]:
            title += ", words not judged: not English"
        picture = draw_emotion(title, rows, video.info.end_s)
        _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        table = markdown_table(
            ("from", "arousal", "valence", "emotion", "confidence", "text"),
            [
                [row[name] for name in ("time_s", "arousal", "valence", "emotion", "confidence")]
                + [row["text"][:80]]
                for row in rows[:12]
            ],
        )
        return Preview(markdown=f"{title}\n\n{table}", image=data.tobytes(), image_type="image/png")


def _scores(said: Sequence[Stretch], heard: Sequence[Prosody | None]) -> list[Scores | None]:
    """Scores of all utterances, each speaker against himself."""
    scores: list[Scores | None] = [None] * len(said)
    for speaker in {one.words[0].speaker for one in said}:
        own = [
            (i, prosody)
            for i, (one, prosody) in enumerate(zip(said, heard, strict=True))
            if prosody and one.words[0].speaker == speaker
        ]
        for (i, _), found in zip(own, scores_of([p for _, p in own]), strict=True):
            scores[i] = found
    return scores


def _row(
    utterance: Stretch,
    prosody: Prosody | None,
    scores: Scores | None,
    language: str,
    sure: Mapping[float, float],
) -> dict[str, Any]:
    text = text_of(utterance.words)
    valence = sentiment(text, language)
    written = float(np.mean([sure[word.start_s] for word in utterance.words]))
    known = min(scores.evidence, written) if scores else 0.0
    arousal = scores.arousal if scores else None
    return {
        "time_s": utterance.start_s,
        "end_s": utterance.end_s,
        "sentence": utterance.words[0].sentence,
        "speaker": utterance.words[0].speaker,
        "text": text,
        "arousal": arousal,
        "valence": valence,
        "dominance": scores.dominance if scores else None,
        "confidence": known,
        "voiced_s": prosody.voiced_s if prosody else None,
        "f0_hz": prosody.f0_hz if prosody else None,
        "f0_range_st": prosody.f0_range_st if prosody else None,
        "level_dbfs": prosody.level_dbfs if prosody else None,
        "level_sd_db": prosody.level_sd_db if prosody else None,
        "high_band_db": prosody.high_db if prosody else None,
        "jitter_ratio": prosody.jitter_ratio if prosody else None,
        "periodicity": prosody.periodicity if prosody else None,
        "articulation_syllables_per_s": utterance.articulation_syllables_per_s,
        "snr_db": prosody.snr_db if prosody else None,
    }


def _of_network(prosody: Prosody | None, told: VoiceEmotion | None) -> dict[str, Any]:
    """The columns that a network's judgement takes the place of; none without one.

    As sure as there is voiced speech, full from 1 s on: it needs no other utterances to compare
    with, and was trained on noisy recordings.
    """
    if told is None:
        return {}
    return {
        **{
            name: float(np.clip(2 * getattr(told, name) - 1, -1, 1))
            for name in ("arousal", "dominance", "valence")
        },
        "confidence": min(1.0, prosody.voiced_s) if prosody else 0.0,
    }


def emotion_of(arousal: float | None, valence: float | None, evidence: float) -> str:
    """The class of an utterance, one of `EMOTIONS`; `uncertain` for anything unknown or unclear."""
    if arousal is None or valence is None or evidence < _LEAST_CONFIDENCE:
        return "uncertain"
    if abs(arousal) < _NEAR and abs(valence) < _NEAR:
        return "neutral"
    if abs(arousal) < _CLEAR or abs(valence) < _CLEAR:
        return "uncertain"
    if arousal > 0:
        return "excited" if valence > 0 else "tense"
    return "calm" if valence > 0 else "sad"


def _summary(rows: Sequence[Mapping[str, Any]], language: str) -> dict[str, Any]:
    spoken: dict[str, float] = {}
    for row in rows:
        if row["emotion"] != "uncertain":
            spoken[row["emotion"]] = spoken.get(row["emotion"], 0.0) + row["end_s"] - row["time_s"]
    known = [row for row in rows if row["arousal"] is not None]
    levels = [row["arousal"] for row in known]
    valences = [row["valence"] for row in rows if row["valence"] is not None]
    pitches: dict[str, list[float]] = {}
    for row in rows:
        if row["speaker"] and row["f0_hz"]:
            pitches.setdefault(row["speaker"], []).append(row["f0_hz"])
    return {
        "utterance_count": len(rows),
        "classified_count": sum(row["emotion"] != "uncertain" for row in rows),
        "dominant_emotion": max(spoken, key=lambda e: spoken[e]) if spoken else "uncertain",
        "emotions": shares([row["emotion"] for row in rows], "emotion"),
        "mean_valence": float(np.mean(valences)) if valences else None,
        "arousal_range": max(levels) - min(levels) if levels else None,
        "peak_arousal_s": known[int(np.argmax(levels))]["time_s"] if levels else None,
        "words_judged": language in LANGUAGES,
        "speakers": list(pitches),
        "speaker_f0_hz": [float(np.median(values)) for values in pitches.values()],
    }
