"""What only the analyzers' results together tell: findings, each with its rule and its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
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
    records,
)
from analyzers.methods.bars import PALETTE, Bar, draw_bars
from analyzers.methods.story.joined import ALL, Joined
from analyzers.methods.story.story_summary import summary_of
from analyzers.methods.story.tags import tags_of
from analyzers.progress import checkpoint
from analyzers.rules.mood import picture_valence, sound_valence
from analyzers.rules.registry import Finding, all_rules
from analyzers.video import Video

_SPEAKERS = ("on_screen", "off_screen")
_TEXTS = ("same", "adds", "contradicts")
_EFFECTS = ("helps", "costs")
_TEXT = pa.string()
_TAGS = records(tag=_TEXT, evidence=pa.list_(_TEXT))
_FACTORS = records(
    factor=_TEXT, effect=_TEXT, count=pa.int32(), why=_TEXT, evidence=pa.list_(_TEXT)
)
_NOT_RUN = records(rule=_TEXT, why=_TEXT)
#: Ids kept for a retention factor; its findings hold them all.
_FACTOR_IDS = 12
#: A bar of a moment is so wide in the preview.
_MOMENT_S = 0.15
_LABEL_LETTERS = 14


class CrossAnalyzerIntelligence(Analyzer):
    """Joins the analyzers' results by second and finds what none of them tells alone.

    Each finding names its rule, its time and the rows that it rests on (`evidence`, see
    `analyzers/methods/evidence.py`). The rules stand in `analyzers/rules/`, a topic in each module,
    and with every word that they use in `docs/rules.md`: cuts and effects on the beat, text against
    speech (same, adds, contradicts), emphasis, speaker on or off screen, gaze and product together,
    a thing shown as it is named, mood of picture against mood of sound, hook strength, dead
    seconds, peak moments, and what else helps or costs a viewer's staying. From the findings come
    the tags, the retention factors and the summary.

    It takes what there is: a rule runs where the analyzers that it needs have a result, and the
    summary says which analyzers were missing, which had nothing to say and which rules could not
    run.

    Accuracy: each rule finds its made case and not the made case beside it. Of 40 made videos with
    cuts on the beat it finds 40, of 40 with cuts anywhere none; of 18 pairs of text and speech it
    tells 18 right; a made speaker off screen is found in 40 of 40 cases and never where lips speak.
    On real clips: the sample's five cuts on the beat and nine captions that are said, the one man
    who speaks on screen (webcam_hello_world_text), and the sample's 14 seconds of a voice whose
    speaker is not seen. For moods, emphasis, gaze and products real labels are lacking. What a
    finding says of viewers is practice and no measurement.
    """

    name = "cross_analyzer_intelligence"
    version = "3"
    family = Family.STORY
    stage = Stage.FAST
    kinds = ("rules",)
    optional = ALL
    joins = True

    observation_columns = (
        TIME_S,
        END_S,
        Column("rule", pa.string(), "The rule that found it; see docs/rules.md"),
        Column("finding", pa.string(), "What it found, in a sentence"),
        confidence("How sure it is; a heuristic of the rule"),
        Column("value", pa.string(), "A word or number for machines, where the rule has one", True),
        Column(
            "effect",
            pa.string(),
            "Whether it helps or costs a viewer's staying, as practice has it",
            nullable=True,
            values=_EFFECTS,
        ),
        Column("evidence", pa.list_(pa.string()), "Ids of the rows and seconds it rests on"),
    )
    segment_columns = (
        Column("finding_count", pa.int32(), "Findings in the second", minimum=0),
        Column("rules", pa.list_(pa.string()), "Their rules, each once, by the alphabet"),
        Column(
            "speaker",
            pa.string(),
            "Where the one who speaks is; null where nobody does or nobody can tell",
            nullable=True,
            values=_SPEAKERS,
        ),
        Column(
            "text_against_speech",
            pa.string(),
            "The text that is on screen against what is said; the most telling of several",
            nullable=True,
            values=_TEXTS,
        ),
        Column("cut_on_beat_count", pa.int32(), "Cuts on the beat", minimum=0),
        Column("emphasis", pa.bool_(), "Loud, close and captioned at once"),
        Column("dead", pa.bool_(), "Part of a stretch in which nothing new comes"),
        Column("peak", pa.bool_(), "A peak moment"),
        Column("picture_mood", pa.float32(), "Pleasantness of the picture", True, -1.0, 1.0),
        Column("sound_mood", pa.float32(), "Pleasantness of the sound", True, -1.0, 1.0),
    )
    summary_columns = (
        Column(
            "summary",
            pa.string(),
            "The video in a few sentences; those of qwen2_vl_temporal with their `model_kind`",
        ),
        Column("tags", _TAGS, "Words to file it under, with their evidence"),
        Column("finding_count", pa.int32(), "Findings", minimum=0),
        confidence("See docs/rules.md; null where nothing of it is known", "hook_strength", True),
        Column("peak_times_s", pa.list_(pa.float64()), "When the peak moments begin"),
        Column("dead_s", pa.float64(), "Time in which nothing new comes", minimum=0.0),
        Column(
            "retention_factors",
            _FACTORS,
            "Rules whose findings help or cost a viewer's staying: which, how often, the first one",
        ),
        Column("missing", pa.list_(pa.string()), "Analyzers that had no result"),
        Column("not_applicable", pa.list_(pa.string()), "Analyzers that had nothing to say"),
        Column("rules_run", pa.list_(pa.string()), "Rules that ran"),
        Column("rules_not_run", _NOT_RUN, "Rules that could not run, and why"),
    )

    def analyze(self, video: Video, upstream: Mapping[str, AnalysisResult]) -> AnalysisResult:
        """See the class."""
        aspect = video.info.width_px / video.info.height_px
        joined = Joined(video.grid, upstream, self.optional, aspect)
        findings: list[tuple[str, Finding]] = []
        run: list[str] = []
        not_run: list[dict[str, str]] = []
        for name, rule in all_rules().items():
            checkpoint()
            if lacking := rule.missing(joined):
                not_run.append({"rule": name, "why": f"it needs {', '.join(lacking)}"})
                continue
            found = list(rule.find(joined))
            findings += [(name, finding) for finding in found]
            run.append(name)
        findings.sort(key=lambda item: (item[1].time_s, item[0]))
        return AnalysisResult(
            observations=self.observations([_row(name, finding) for name, finding in findings]),
            segments=self.segments(video.grid, _segments(joined, findings)),
            summary={
                "summary": summary_of(joined, findings),
                "tags": [
                    {"tag": tag.tag, "evidence": list(tag.evidence)}
                    for tag in tags_of(joined, findings)
                ],
                "finding_count": len(findings),
                "hook_strength": next(
                    (float(f.value or 0) for name, f in findings if name == "hook_strength"), None
                ),
                "peak_times_s": [f.time_s for name, f in findings if name == "peak_moment"],
                "dead_s": sum(f.end_s - f.time_s for name, f in findings if name == "dead_seconds"),
                "retention_factors": _factors(findings),
                "missing": joined.missing,
                "not_applicable": sorted(joined.not_applicable),
                "rules_run": run,
                "rules_not_run": not_run,
            },
        )

    def preview(self, video: Video, result: AnalysisResult) -> Preview:
        """The summary, the findings over time, and their list."""
        rows = result.observations.to_pylist()
        bars: dict[str, list[Bar]] = {}
        for row in rows:
            end_s = max(row["end_s"], row["time_s"] + _MOMENT_S)
            colour = PALETTE[len(bars) % len(PALETTE)]
            if row["rule"] in bars:
                colour = bars[row["rule"]][0][2]
            bars.setdefault(row["rule"], []).append((row["time_s"], end_s, colour))
        shown = {_label(name): own for name, own in bars.items()}
        picture = draw_bars("findings by rule", shown, video.info.end_s)
        _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        table = markdown_table(
            ("from", "rule", "finding"),
            [(f"{row['time_s']:.1f} s", row["rule"], row["finding"]) for row in rows],
        )
        text = f"{result.summary['summary']}\n\n{table}"
        return Preview(markdown=text, image=png.tobytes(), image_type="image/png")


def _label(rule: str) -> str:
    """As much of a rule's name as stands before the bars."""
    name = rule.replace("_", " ")
    return name if len(name) <= _LABEL_LETTERS else f"{name[: _LABEL_LETTERS - 1].rstrip()}…"


def _row(rule: str, finding: Finding) -> dict[str, Any]:
    return {
        "time_s": finding.time_s,
        "end_s": finding.end_s,
        "rule": rule,
        "finding": finding.finding,
        "confidence": finding.confidence,
        "value": finding.value,
        "effect": finding.effect,
        "evidence": list(finding.evidence),
    }


def _segments(joined: Joined, findings: Sequence[tuple[str, Finding]]) -> dict[str, list[Any]]:
    count = len(joined.grid)
    here: list[dict[str, list[Finding]]] = [{} for _ in range(count)]
    for name, finding in findings:
        for second in joined.seconds_of(finding.time_s, finding.end_s):
            here[second].setdefault(name, []).append(finding)
    texts = {
        "contradicts": "text_contradicts_speech",
        "same": "text_same_as_speech",
        "adds": "text_adds_to_speech",
    }

    def first(rules: Mapping[str, str]) -> list[str | None]:
        return [
            next((value for value, rule in rules.items() if rule in found), None) for found in here
        ]

    return {
        "finding_count": [sum(map(len, found.values())) for found in here],
        "rules": [sorted(found) for found in here],
        "speaker": first({value: f"speaker_{value}" for value in _SPEAKERS}),
        "text_against_speech": first(texts),
        "cut_on_beat_count": [len(found.get("cut_on_beat", ())) for found in here],
        "emphasis": ["emphasis" in found for found in here],
        "dead": ["dead_seconds" in found for found in here],
        "peak": ["peak_moment" in found for found in here],
        "picture_mood": picture_valence(joined),
        "sound_mood": sound_valence(joined),
    }


def _factors(findings: Sequence[tuple[str, Finding]]) -> list[dict[str, Any]]:
    """One for each rule and effect, what helps first."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for name, finding in findings:
        if finding.effect:
            groups.setdefault((finding.effect, name), []).append(finding)
    return [
        {
            "factor": name,
            "effect": effect,
            "count": len(own),
            "why": own[0].finding,
            "evidence": list(dict.fromkeys(i for f in own for i in f.evidence))[:_FACTOR_IDS],
        }
        for (effect, name), own in sorted(groups.items(), key=lambda g: (g[0][0] == "costs", g[0]))
    ]
