"""A video's results made on the spot, and the report of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from analyzers.base import AnalysisResult
from analyzers.models.lending import Models
from analyzers.registry import analyzer_classes
from analyzers.run import RunRecord
from analyzers.video import Video
from resources.decode_child import MediaError
from resources.result_store import ResultStore
from tests.analyzers.made import made_video
from tests.analyzers.made_results import cut, line, made_result, words
from tiktok_assets.document import build_document
from tiktok_assets.report import page

END_S = 6.0
ON = {name: cls for name, cls in analyzer_classes().items() if cls.enabled_by_default}
HOSTILE = (
    '</style></script><script>alert("1")</script>\'"><img src=//x.example onerror=y>&amp;\u202e'
)


def made(metadata: dict[str, Any] | None = None, sound: bool = True) -> Video:
    """A video of noise with what was said of it."""
    video = made_video(END_S, sound=sound)
    return replace(video, info=replace(video.info, metadata=metadata or {"original_name": "a.mp4"}))


def some_results(video: Video, text: str = "Hello there") -> dict[str, AnalysisResult]:
    """Results of two shots with speech, text, a face, goods and findings; `text` in all of them."""
    grid, seconds = video.grid, len(video.grid)
    shots = [
        {"type": "shot", "shot": i, "time_s": i * 3.0, "end_s": i * 3 + 3.0, "duration_s": 3.0,
         "begins_with": begins, "ends_with": "cut"}
        for i, begins in enumerate(("start", "dissolve"))
    ]  # fmt: skip
    box = {"x1": 0.2, "y1": 0.2, "x2": 0.6, "y2": 0.6}
    given: dict[str, dict[str, Any]] = {
        "cut_analysis": {
            "rows": [*shots, cut(3.0)],
            "summary": {"shot_count": 2, "cuts_per_minute": 10.0, "mean_shot_length_s": 3.0},
        },
        "camera_analysis": {
            "rows": [{"type": "move", "kind": "pan_left", "time_s": 0.0, "end_s": 2.5}]
        },
        "composition_analysis": {"rows": [{"shot": 1, "time_s": 3.0, "shot_scale": "close_up"}]},
        "scene_segmentation": {
            "rows": [
                {"type": "scene", "scene": 0, "shot": 0, "time_s": 0.0, "end_s": END_S,
                 "label": "street", "confidence": 0.8},
                *({"type": "shot", "scene": 0, "shot": i, "time_s": i * 3.0, "end_s": i * 3 + 3.0,
                   "keyframe_time_s": i * 3 + 1.0, "keyframe_file": f"keyframe_00{i}.jpg"}
                  for i in range(2)),
            ],
        },
        "qwen2_vl_temporal": {
            "rows": [{"shot": i, "time_s": i * 3.0, "end_s": i * 3 + 3.0, "model_kind": "composed",
                      "description": f"{text} {i}."} for i in range(2)],
            "summary": {"description": text, "model_kind": "composed"},
        },
        "speech_transcription": {
            "rows": words(text, 0.5, 2.5, speaker=text),
            "summary": {"text": text, "language": "en", "language_confidence": 0.9},
        },
        "voices": {
            "rows": [{"kind": "turn", "time_s": 0.5, "end_s": 2.5, "speaker": text}],
            "summary": {"speaker_count": 1, "speakers": [text], "speaking_s": [2.0]},
        },
        "text_overlay": {"rows": [line(text, 1.0, 2.0), line("again " + text, 4.0, 5.0)]},
        "audio_analysis": {
            "rows": [{"kind": "music", "time_s": 0.0, "end_s": 6.0, "confidence": 0.9}],
            "seconds": {"momentary_max_lufs": [-20.0, -18.0, None, -22.0, -19.0, -30.0]},
            "summary": {"loudness_lufs": -19.5, "music_ratio": 1.0, "notes": [text]},
        },
        "temporal_flow": {
            "rows": [{"part": "hook", "time_s": 0.0, "end_s": 3.0, "why": text, "energy": 0.4}],
            "seconds": {"energy": [0.1 * i for i in range(seconds)], "pacing": [0.5] * seconds},
        },
        "faces": {
            "seconds": {"face_count": [1, 1, 0, 0, 1, 1]}, "summary": {"track_count": 1},
        },
        "face_emotion": {
            "rows": [{"track_id": 0, "time_s": float(s), "end_s": s + 1.0, "sighting_count": 5,
                      "judged_count": 5, "not_judged": "", "emotion": "happy", "screen_share": 0.1,
                      "frame": 30 * s, **box} for s in (0, 1)],
            "seconds": {"emotion": ["happy", "happy", None, None, None, None]},
            "summary": {"emotions": [{"emotion": "happy", "share": 1.0}]},
        },
        "age_estimation": {
            "rows": [{"track_id": 0, "time_s": 0.0, "end_s": 2.0, "sighting_count": 10,
                      "judged_count": 9, "not_judged": "", "age_years": 31.4,
                      "age_low_years": 25.0, "age_high_years": 36.0,
                      "apparent_gender": "uncertain", "frame": 0, **box}],
        },
        "object_detection": {
            "summary": {"classes": [
                {"label": "cup", "track_count": 2, "frame_share": 0.5, "mean_screen_share": 0.1,
                 "mean_confidence": 0.4, "first_s": 0.0, "last_s": 3.0},
            ]},
        },
        "product_detection": {
            "rows": [{"label": "cup", "time_s": 0.0, "end_s": 3.0, "on_screen_s": 3.0,
                      "held": True, "held_s": 1.0, "brand": text, "text": text, "frame": 0,
                      "confidence": 0.9, **box}],
        },
        "color_analysis": {
            "summary": {
                "palette": [{"hex": "#112233", "name": "navy", "share": 0.7},
                            {"hex": "red;} body{", "name": "no colour", "share": 0.3}],
                "grade": "natural",
            },
        },
        "content_quality": {
            "summary": {"score": 52.3, "sharpness_score": 80.0, "noise_score": 40.0,
                        "weakest_part": "noise"},
        },
        "cross_analyzer_intelligence": {
            "rows": [
                *({"rule": "cut_on_beat", "time_s": float(s), "end_s": s + 0.1, "finding": text,
                   "confidence": 1.0, "effect": "helps", "evidence": [f"cut_analysis/{s}"]}
                  for s in range(6)),
                {"rule": "dead_seconds", "time_s": 4.0, "end_s": 6.0, "finding": text,
                 "confidence": 0.7, "effect": "costs", "evidence": ["temporal_flow@4"]},
            ],
            "summary": {"summary": f"{text} (model_kind: composed) and more.",
                        "hook_strength": 0.5, "tags": [{"tag": "speech", "evidence": []}]},
        },
    }  # fmt: skip
    return {name: made_result(name, grid, **parts) for name, parts in given.items()}


def stored(
    store: ResultStore,
    video: Video,
    results: dict[str, AnalysisResult],
    silent: Collection[str] = (),
    failed: Collection[str] = (),
) -> dict[str, Any]:
    """The document of results that are written to a store."""
    record = RunRecord(1.25, 4.8, ())
    for name in ON.keys() - set(failed):
        analyzer = ON[name](Models({}))
        if name in silent:
            result = analyzer.not_applicable(video, f"nothing for {name}")
        else:
            result = results.get(name) or made_result(name, video.grid)
        store.write(analyzer, video, result, record)
    for name in failed:
        store.write_failure(name, video.id, f"{name} of made: the lens cap is on.")
    document, _ = build_document(video.info, ON, store)
    document["metadata"]["created_at"] = "2026-01-02T03:04:05+00:00"
    return document


def rendered(store: ResultStore, video: Video, document: dict[str, Any]) -> str:
    """The report of a video that can be opened."""

    @contextmanager
    def opened() -> Iterator[Video]:
        yield video

    return page.render(document, store, opened)


def rendered_without_file(store: ResultStore, document: dict[str, Any]) -> str:
    """The report of a video whose file is gone."""

    @contextmanager
    def gone() -> Iterator[Video]:
        raise MediaError("made.mp4", "its bytes are gone", "register it again")
        yield

    return page.render(document, store, gone)


class Page(HTMLParser):
    """What a page holds: elements with their attributes, ids and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._open.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style" and data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        """All text in order."""
        return " ".join(self.texts)

    def of(self, tag: str) -> list[dict[str, str]]:
        """Attributes of all elements of a kind."""
        return [attrs for name, attrs in self.elements if name == tag]
