"""What happens in each shot and in the video, in sentences, with the evidence beside them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from analyzers import progress
from analyzers.base import (
    END_S,
    TIME_S,
    AnalysisResult,
    Analyzer,
    AnalyzerSettings,
    Case,
    Column,
    Family,
    Preview,
    Stage,
    confidence,
    markdown_table,
    records,
)
from analyzers.methods.evidence import observation_id, second_id
from analyzers.methods.story.composed_description import Action, Composer, Description
from analyzers.methods.story.model_description import Asking, ModelDescriber
from analyzers.methods.story.shot_claims import (
    CAMERA_KINDS,
    SOURCES,
    TOPICS,
    Claim,
    Shot,
    Sightings,
)
from analyzers.models.vlm import VisionLanguageModel
from analyzers.models.vlm_server import VlmServer
from analyzers.video import Video

_logger = logging.getLogger(__name__)

MODEL_KINDS = ("composed", "vlm", "vlm_server", "caption")

#: A second's camera move or expression is an action from this confidence on.
_ACTION_CONFIDENCE = 0.5
_EXPRESSION_CONFIDENCE = 0.7


_MODEL_KIND = Column(
    "model_kind",
    pa.string(),
    "What wrote it. composed: sentences put together by rules from what other analyzers saw, no "
    "vision-language model has looked at the video; vlm: a vision-language model on this machine; "
    "vlm_server: one on a server; caption: a model that captions one frame of each shot",
    values=MODEL_KINDS,
)
_EVIDENCE = "see `methods.evidence`"


@dataclass(frozen=True)
class _Told:
    """What was written, by what, and why not by what was asked for."""

    shots: list[Description]
    whole: Description
    kind: str
    model_id: str | None
    fallback_reason: str | None = None


class Qwen2VlTemporal(Analyzer):
    """A sentence or more for every shot and a paragraph for the video, with what happens when.

    Who writes is told by `model_kind`. In the embedded profile it is `composed`: no
    vision-language model looks at the video. Where a model serves the role `vlm` it is asked about
    frames of every shot (`vlm`; `caption` for one that only captions), and with `server_url` a
    model on a server is (`vlm_server`). One that fails makes this analyzer fail, unless `fallback`
    allows the rules to take its place; that is then said in `fallback_reason`. A shot whose answer
    cannot be read, not even when asked again, says so and does not count as described.

    Composed sentences are put together from what other analyzers saw (things, people, posture,
    gestures, expressions, ways through the picture, shot scale, camera, colours, text), each claim
    with the ids of the rows it rests on. What was not seen surely is hedged or left out: an empty
    sentence is better than a false one, so a description lists what is there and does not tell a
    story. Things are COCO's 80 classes and nothing else: it cannot say rocket, kettle or tree.
    Whatever of the other analyzers is missing is missing from the sentences, and named in
    `missing`.

    A model is asked about the shots of several videos at once in a run over several.

    Actions over time are those that the model tells, with its times; composed, they are gestures,
    dancing, expressions and camera moves of each second.

    Accuracy of composed sentences: on nine labelled clips they mention 14 of the 17 labelled things
    that COCO has a name for, and none of the 52 claims that the labels can judge is false. The
    thresholds were set on these clips. Accuracy of a model's sentences: not measured.
    """

    name: ClassVar[str] = "qwen2_vl_temporal"
    version: ClassVar[str] = "3"
    family: ClassVar[Family] = Family.STORY
    stage: ClassVar[Stage] = Stage.HEAVY_GPU
    kinds: ClassVar[tuple[str, ...]] = ("composed", "vlm")
    optional_models: ClassVar[tuple[str, ...]] = ("vlm",)
    rungs: ClassVar[tuple[str, ...]] = ("analysis",)
    optional: ClassVar[tuple[str, ...]] = SOURCES

    observation_columns: ClassVar[tuple[Column, ...]] = (
        Column("shot", pa.int32(), "Number of the shot; the only one without cuts", minimum=0),
        TIME_S,
        END_S,
        Column("frame", pa.int64(), "Number of a picture that shows it", minimum=0),
        Column("description", pa.string(), "What is to be seen, in sentences"),
        _MODEL_KIND,
        Column("evidence", pa.list_(pa.string()), f"Ids of the rows it rests on; {_EVIDENCE}"),
        Column(
            "actions",
            records(
                action=pa.string(),
                time_s=pa.float64(),
                end_s=pa.float64(),
            ),
            "What happens and when, in order; composed, to the second",
        ),
        Column(
            "claims",
            records(
                topic=pa.string(),
                text=pa.string(),
                value=pa.string(),
                confidence=pa.float32(),
                hedged=pa.bool_(),
                evidence=pa.list_(pa.string()),
            ),
            f"What composed sentences say piece by piece: topic ({', '.join(TOPICS)}), words, what "
            "the evidence rows hold (a class, a kind, a line of text; empty where it is a number), "
            "confidence, whether the words are a hedge, ids",
        ),
        confidence("Of the least sure claim; null without claims", nullable=True),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("shot", pa.int32(), "The shot that has most of this second", minimum=0),
        Column("description", pa.string(), "That shot's"),
        _MODEL_KIND,
        Column("actions", pa.list_(pa.string()), "What happens in this second, in a few words"),
        Column(
            "action_evidence",
            pa.list_(pa.string()),
            "An id for each action; for one that a model told, that of its shot's row",
        ),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("description", pa.string(), "The video in a paragraph; it counts shots from 1"),
        _MODEL_KIND,
        Column("model_id", pa.string(), "The model that wrote it; null: rules", nullable=True),
        Column(
            "fallback_reason",
            pa.string(),
            "Why rules wrote it though a model was to; null where that is not so",
            nullable=True,
        ),
        Column("evidence", pa.list_(pa.string()), f"Ids of the rows it rests on; {_EVIDENCE}"),
        Column("shot_count", pa.int32(), "Shots", minimum=1),
        Column("described_shot_count", pa.int32(), "Shots of which something is said", minimum=0),
        Column("claim_count", pa.int32(), "Claims about all shots", minimum=0),
        Column("hedged_claim_count", pa.int32(), "Claims that are hedged", minimum=0),
        Column("missing", pa.list_(pa.string()), "Analyzers that could have told more"),
    )

    class Settings(AnalyzerSettings):
        """How a vision-language model is asked; composed sentences need none of it."""

        server_url: str = Field(
            "",
            description="An OpenAI-compatible server (vLLM), e.g. http://host:8000/v1: frames go "
            "there, and no model for the role vlm is used; empty: none",
        )
        server_model: str = Field(
            "", description="The name a model has there; empty: the only one it has"
        )
        server_requests: int = Field(8, ge=1, description="Requests under way there at a time")
        server_timeout_s: float = Field(120.0, gt=0, description="For one answer")
        frames_per_s: float = Field(1.0, gt=0, le=5, description="Frames shown of each shot")
        most_frames: int = Field(16, ge=2, description="Of one shot")
        max_new_tokens: int = Field(
            384, ge=16, description="Of an answer; one that is cut off is asked for with twice that"
        )
        batch_size: int = Field(
            16, ge=1, description="Shots at once, on this machine; halved where memory runs out"
        )
        videos_per_batch: int = Field(
            8, ge=1, description="In a run over several videos, so many share their batches"
        )
        fallback: Literal["none", "composed"] = Field(
            "none", description="composed: where the model fails, rules write, and it is recorded"
        )

    settings: Settings

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class. Raises what the model raises, if `fallback` does not allow for it."""
        if not self._composing:
            [result] = self.analyze_together([(video, upstream)])
            if isinstance(result, Exception):
                raise result
            return result
        if not any(name in upstream for name in SOURCES):
            return self.not_applicable(video, "no other analyzer has a result to describe from")
        shots = Sightings(upstream, video).shots()
        progress.checkpoint()
        return self._result(video, upstream, shots, _composed(video, shots))

    @property
    def _composing(self) -> bool:
        return not (self.settings.server_url or self.models.has("vlm"))

    @property
    def videos_at_once(self) -> int:
        """As many as the settings say, where a model is asked."""
        return 1 if self._composing else self.settings.videos_per_batch

    def analyze_together(self, cases: Sequence[Case]) -> list[AnalysisResult | Exception]:
        """See the base."""
        if self._composing:
            return super().analyze_together(cases)
        scripts = [(video, Sightings(upstream, video).shots()) for video, upstream in cases]
        progress.checkpoint()
        return [
            self._outcome(video, upstream, shots, told)
            for (video, upstream), (_, shots), told in zip(
                cases, scripts, self._by_model(scripts), strict=True
            )
        ]

    def _outcome(
        self,
        video: Video,
        upstream: Mapping[str, AnalysisResult],
        shots: Sequence[Shot],
        told: _Told | Exception,
    ) -> AnalysisResult | Exception:
        """One video's result, or what went wrong with it: the others' answers are kept."""
        if isinstance(told, Exception):
            return told
        try:
            return self._result(video, upstream, shots, told)
        except Exception as error:
            return error

    def _result(
        self,
        video: Video,
        upstream: Mapping[str, AnalysisResult],
        shots: Sequence[Shot],
        told: _Told,
    ) -> AnalysisResult:
        shot_of = _shot_of_seconds(video, upstream, shots)
        second_actions = [_actions(upstream, second) for second in range(len(video.grid))]
        by_model = told.model_id is not None
        rows = [
            {
                "shot": shot.number,
                "time_s": shot.start_s,
                "end_s": shot.end_s,
                "frame": shot.frame,
                "description": own.text,
                "model_kind": told.kind,
                "evidence": own.evidence,
                "actions": [
                    {"action": action.text, "time_s": action.time_s, "end_s": action.end_s}
                    for action in (
                        own.actions if by_model else _spans(second_actions, shot_of, shot)
                    )
                ],
                "claims": [_claim_row(claim) for claim in own.claims],
                "confidence": own.confidence,
            }
            for shot, own in zip(shots, told.shots, strict=True)
        ]
        if by_model:
            second_actions = [self._told_actions(rows, s) for s in range(len(video.grid))]
        claims = [claim for own in told.shots for claim in own.claims]
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, _segments(rows, told.kind, shot_of, second_actions)),
            summary={
                "description": told.whole.text,
                "model_kind": told.kind,
                "model_id": told.model_id,
                "fallback_reason": told.fallback_reason,
                "evidence": told.whole.evidence,
                "shot_count": len(shots),
                "described_shot_count": sum(own.says_something for own in told.shots),
                "claim_count": len(claims),
                "hedged_claim_count": sum(claim.hedged for claim in claims),
                "missing": [name for name in SOURCES if name not in upstream],
            },
        )

    def _by_model(self, scripts: Sequence[tuple[Video, Sequence[Shot]]]) -> list[_Told | Exception]:
        """By the model that is configured, or by rules where it fails and they may.

        Raises what the model raises about several: whose fault it was shows when each is alone.
        """
        chosen = self.settings
        asking = Asking(
            chosen.frames_per_s, chosen.most_frames, chosen.max_new_tokens, chosen.batch_size
        )
        told: list[_Told | Exception]
        try:
            with self._model() as model:
                told = [
                    own
                    if isinstance(own, Exception)
                    else _Told(*own, model.kind, model.identity.model_id)
                    for own in ModelDescriber(model, asking).describe(scripts)
                ]
        except Exception as error:
            if len(scripts) > 1:
                raise
            told = [error]
        if chosen.fallback == "none":
            return told
        return [
            _composed_instead(video, shots, own) if isinstance(own, Exception) else own
            for (video, shots), own in zip(scripts, told, strict=True)
        ]

    @contextmanager
    def _model(self) -> Iterator[VisionLanguageModel]:
        chosen = self.settings
        if not chosen.server_url:
            with self.models.lend("vlm") as model:
                yield model
            return
        server = VlmServer(
            chosen.server_url, chosen.server_model, chosen.server_requests, chosen.server_timeout_s
        )
        with closing(server):
            yield server

    def _told_actions(self, rows: Sequence[Mapping[str, Any]], second: int) -> _Actions:
        """What a model told of a second; a row's place is its number among the observations."""
        return [
            (action["action"], observation_id(self.name, place))
            for place, row in enumerate(rows)
            for action in row["actions"]
            if action["time_s"] < second + 1
            and (action["end_s"] > second or action["time_s"] >= second)
        ]

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The paragraph and each shot's sentences, with what wrote them."""
        if result.status != "ok":
            return Preview(markdown=f"Not applicable: {result.reason}")
        summary = result.summary
        note = f"**model_kind: {summary['model_kind']}**"
        if summary["model_kind"] == "composed":
            note += (
                " (put together by rules from other analyzers' results; no vision-language model "
                "has looked at the video)"
            )
        else:
            note += f" ({summary['model_id']}; what a model writes may be wrong)"
        if summary["fallback_reason"]:
            note += f"\n\nThe model that was to write failed: {summary['fallback_reason']}"
        table = markdown_table(
            ("shot", "from", "to", "description", "actions", "evidence"),
            (
                (
                    row["shot"] + 1, f"{row['time_s']:.1f} s", f"{row['end_s']:.1f} s",
                    row["description"],
                    "; ".join(
                        f"{a['time_s']:.1f}-{a['end_s']:.1f} s {a['action']}"
                        for a in row["actions"]
                    ),
                    ", ".join(row["evidence"]),
                )
                for row in result.observations.to_pylist()
            ),
        )  # fmt: skip
        return Preview(markdown=f"{note}\n\n{summary['description']}\n\n{table}")


#: Words and the id of the row that says so.
_Actions = list[tuple[str, str]]


def _composed(video: Video, shots: Sequence[Shot]) -> _Told:
    return _Told(*Composer().describe(video, shots), "composed", None)


def _composed_instead(video: Video, shots: Sequence[Shot], error: Exception) -> _Told:
    reason = f"{type(error).__name__}: {error}"
    _logger.warning("%s: rules describe it, since the model failed: %s", video.id, reason)
    return replace(_composed(video, shots), fallback_reason=reason)


def _spans(second_actions: Sequence[_Actions], shot_of: Sequence[int], shot: Shot) -> list[Action]:
    """Seconds on end in which the same happens in a shot, as one action each.

    A second on a cut counts for the shot that has most of it, since what it tells may be of that.
    """
    open_since: dict[str, float] = {}
    spans: list[Action] = []
    for second in range(int(shot.start_s), len(shot_of) + 1):
        within = second < len(shot_of) and shot_of[second] == shot.number
        now = {words for words, _ in second_actions[second]} if within else set()
        for words in [words for words in open_since if words not in now]:
            spans.append(Action(words, open_since.pop(words), min(second, shot.end_s)))
        for words in now:
            open_since.setdefault(words, max(second, shot.start_s))
    return sorted(spans, key=lambda span: (span.time_s, span.end_s, span.text))


def _claim_row(claim: Claim) -> dict[str, Any]:
    return {
        "topic": claim.topic,
        "text": claim.text,
        "value": claim.value,
        "confidence": claim.confidence,
        "hedged": claim.hedged,
        "evidence": list(claim.evidence),
    }


def _segments(
    rows: Sequence[Mapping[str, Any]],
    kind: str,
    shot_of: Sequence[int],
    acted: Sequence[_Actions],
) -> dict[str, list[Any]]:
    by_shot = {row["shot"]: row["description"] for row in rows}
    return {
        "shot": list(shot_of),
        "description": [by_shot[shot] for shot in shot_of],
        "model_kind": [kind] * len(shot_of),
        "actions": [[words for words, _ in actions] for actions in acted],
        "action_evidence": [[evidence for _, evidence in actions] for actions in acted],
    }


def _shot_of_seconds(
    video: Video, upstream: Mapping[str, AnalysisResult], shots: Sequence[Shot]
) -> list[int]:
    """The shot that has most of each second."""
    if (cuts := upstream.get("cut_analysis")) is not None and cuts.status == "ok":
        return cuts.segments["shot"].to_pylist()
    return [shots[0].number] * len(video.grid)


def _actions(upstream: Mapping[str, AnalysisResult], second: int) -> _Actions:
    """What other analyzers saw happen in a second."""

    def row(name: str) -> Mapping[str, Any]:
        result = upstream.get(name)
        if result is None or result.status != "ok":
            return {}
        return result.segments.slice(second, 1).to_pylist()[0]

    pose, face, camera = row("body_pose"), row("face_emotion"), row("camera_analysis")
    words = [(gesture.replace("_", " "), "body_pose") for gesture in pose.get("gestures") or ()]
    if pose.get("dancing"):
        words.append(("dancing", "body_pose"))
    if (
        face.get("emotion") not in (None, "uncertain", "neutral")
        and face["emotion_confidence"] >= _EXPRESSION_CONFIDENCE
    ):
        words.append((f"face looks {face['emotion']}", "face_emotion"))
    kind = camera.get("kind")
    if kind in CAMERA_KINDS and kind != "static" and camera["confidence"] >= _ACTION_CONFIDENCE:
        words.append((f"camera {kind.replace('_', ' ')}", "camera_analysis"))
    return [(text, second_id(name, second)) for text, name in words]
