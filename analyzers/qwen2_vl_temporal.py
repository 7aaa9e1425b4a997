"""What happens in each shot and in the video, in sentences, with the evidence beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import pyarrow as pa

from analyzers import progress
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
)
from analyzers.methods.composed_description import Composer, Description
from analyzers.methods.evidence import second_id
from analyzers.methods.shot_claims import CAMERA_KINDS, SOURCES, TOPICS, Claim, Shot, Sightings
from analyzers.video import Video

MODEL_KINDS = ("composed", "vision_language")

#: A second's camera move or expression is an action from this confidence on.
_ACTION_CONFIDENCE = 0.5
_EXPRESSION_CONFIDENCE = 0.7


class Describer(Protocol):
    """Who writes the sentences: the composer, or a model that looks at the pictures.

    `model_kind` is one of `MODEL_KINDS` and is stored with every sentence.
    """

    @property
    def model_kind(self) -> str:
        """What wrote it."""

    def describe(
        self, video: Video, shots: Sequence[Shot]
    ) -> tuple[list[Description], Description]:
        """A description of each shot, in their order, and one of the whole video."""


_MODEL_KIND = Column(
    "model_kind",
    pa.string(),
    "composed: sentences put together by rules from what other analyzers saw; no "
    "vision-language model has looked at the video",
    values=MODEL_KINDS,
)
_EVIDENCE = "see `methods.evidence`"


class Qwen2VlTemporal(Analyzer):
    """A sentence or more for every shot and a paragraph for the video, composed from evidence.

    `model_kind` is `composed`: no vision-language model looks at the video in this profile. The
    sentences are put together from what other analyzers saw (things, people, posture, gestures,
    expressions, ways through the picture, shot scale, camera, colours, text), each claim with the
    ids of the rows it rests on. What was not seen surely is hedged or left out: an empty sentence
    is better than a false one, so a description lists what is there and does not tell a story.
    Things are COCO's 80 classes and nothing else: it cannot say rocket, kettle or tree. Whatever of
    the other analyzers is missing is missing from the sentences, and named in `missing`.

    Actions over time stand in the segments: gestures, dancing, expressions and camera moves of the
    second.

    Accuracy: on nine labelled clips it mentions 14 of the 17 labelled things that COCO has a name
    for, and none of the 52 claims that the labels can judge is false. The thresholds were set on
    these clips.
    """

    name: ClassVar[str] = "qwen2_vl_temporal"
    version: ClassVar[str] = "2"
    family: ClassVar[Family] = Family.STORY
    stage: ClassVar[Stage] = Stage.HEAVY_GPU
    kinds: ClassVar[tuple[str, ...]] = ("composed",)
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
            "claims",
            pa.list_(
                pa.struct(
                    [
                        pa.field("topic", pa.string(), nullable=False),
                        pa.field("text", pa.string(), nullable=False),
                        pa.field("value", pa.string(), nullable=False),
                        pa.field("confidence", pa.float32(), nullable=False),
                        pa.field("hedged", pa.bool_(), nullable=False),
                        pa.field("evidence", pa.list_(pa.string()), nullable=False),
                    ]
                )
            ),
            f"What it says piece by piece: topic ({', '.join(TOPICS)}), words, what the evidence "
            "rows hold (a class, a kind, a line of text; empty where it is a number), confidence, "
            "whether the words are a hedge, ids",
        ),
        confidence("Of the least sure claim; null without claims", nullable=True),
    )
    segment_columns: ClassVar[tuple[Column, ...]] = (
        Column("shot", pa.int32(), "The shot that has most of this second", minimum=0),
        Column("description", pa.string(), "That shot's"),
        _MODEL_KIND,
        Column("actions", pa.list_(pa.string()), "What happens in this second, in a few words"),
        Column("action_evidence", pa.list_(pa.string()), "An id for each action"),
    )
    summary_columns: ClassVar[tuple[Column, ...]] = (
        Column("description", pa.string(), "The video in a paragraph; it counts shots from 1"),
        _MODEL_KIND,
        Column("evidence", pa.list_(pa.string()), f"Ids of the rows it rests on; {_EVIDENCE}"),
        Column("shot_count", pa.int32(), "Shots", minimum=1),
        Column("described_shot_count", pa.int32(), "Shots of which something is said", minimum=0),
        Column("claim_count", pa.int32(), "Claims about all shots", minimum=0),
        Column("hedged_claim_count", pa.int32(), "Claims that are hedged", minimum=0),
        Column("missing", pa.list_(pa.string()), "Analyzers that could have told more"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        if not any(name in upstream for name in SOURCES):
            return self.not_applicable(video, "no other analyzer has a result to describe from")
        describer: Describer = Composer()
        shots = Sightings(upstream, video).shots()
        progress.checkpoint()
        described, whole = describer.describe(video, shots)
        kind = describer.model_kind
        rows = [
            {
                "shot": shot.number,
                "time_s": shot.start_s,
                "end_s": shot.end_s,
                "frame": shot.frame,
                "description": own.text,
                "model_kind": kind,
                "evidence": own.evidence,
                "claims": [_claim_row(claim) for claim in own.claims],
                "confidence": own.confidence,
            }
            for shot, own in zip(shots, described, strict=True)
        ]
        claims = [claim for own in described for claim in own.claims]
        return AnalysisResult(
            observations=self.observations(rows),
            segments=self.segments(video.grid, _segments(video, upstream, rows, kind)),
            summary={
                "description": whole.text,
                "model_kind": kind,
                "evidence": whole.evidence,
                "shot_count": len(shots),
                "described_shot_count": sum(bool(own.claims) for own in described),
                "claim_count": len(claims),
                "hedged_claim_count": sum(claim.hedged for claim in claims),
                "missing": [name for name in SOURCES if name not in upstream],
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The paragraph and each shot's sentences, with what wrote them."""
        if result.status != "ok":
            return Preview(markdown=f"Not applicable: {result.reason}")
        summary = result.summary
        note = (
            f"**model_kind: {summary['model_kind']}** (put together by rules from other analyzers' "
            "results; no vision-language model has looked at the video)"
            if summary["model_kind"] == "composed"
            else f"**model_kind: {summary['model_kind']}**"
        )
        table = markdown_table(
            ("shot", "from", "to", "description", "evidence"),
            (
                (
                    row["shot"] + 1, f"{row['time_s']:.1f} s", f"{row['end_s']:.1f} s",
                    row["description"], ", ".join(row["evidence"]),
                )
                for row in result.observations.to_pylist()
            ),
        )  # fmt: skip
        return Preview(markdown=f"{note}\n\n{summary['description']}\n\n{table}")


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
    video: Video,
    upstream: Mapping[str, AnalysisResult],
    rows: Sequence[Mapping[str, Any]],
    kind: str,
) -> dict[str, list[Any]]:
    by_shot = {row["shot"]: row["description"] for row in rows}
    count = len(video.grid)
    shot_of = [rows[0]["shot"]] * count
    if (cuts := upstream.get("cut_analysis")) is not None and cuts.status == "ok":
        shot_of = cuts.segments["shot"].to_pylist()
    acted = [_actions(upstream, second) for second in range(count)]
    return {
        "shot": shot_of,
        "description": [by_shot[shot] for shot in shot_of],
        "model_kind": [kind] * count,
        "actions": [[words for words, _ in actions] for actions in acted],
        "action_evidence": [[evidence for _, evidence in actions] for actions in acted],
    }


def _actions(upstream: Mapping[str, AnalysisResult], second: int) -> list[tuple[str, str]]:
    """What happens in a second: words and the id of the row that says so."""

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
