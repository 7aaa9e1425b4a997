"""Lose any one analyzer: document, narrative and intelligence still stand and say so."""

from __future__ import annotations

import errno
import json

import dagster as dg
import pytest

from analyzers.models.lending import Models
from analyzers.registry import analyzer_classes
from analyzers.run import RunRecord
from resources.media import MediaLibrary
from resources.report_store import ReportStore
from resources.result_store import ResultStore
from tests.analyzers.made import Brightness, made_video
from tests.analyzers.made_results import cut, line, made_result, voice, words
from tests.made_media import write_video
from tests.tiktok_assets.made_analyzers import MADE, Breaks, Joins
from tiktok_assets import analyze
from tiktok_assets.analysis import analyze_and_store
from tiktok_assets.document import NAME as DOCUMENT
from tiktok_assets.document import build_document

FLOW, MIND = "temporal_flow", "cross_analyzer_intelligence"


class Flow(Joins):
    """The narrative among the made ones."""

    name = "flow"
    optional = ("brightness", "breaks", "needs")


class Mind(Joins):
    """The intelligence among them: it joins the narrative too."""

    name = "mind"
    optional = ("brightness", "breaks", "needs", "flow")


class NeedsToo(Brightness):
    """Stands on one that may be lost."""

    name = "needs"
    requires = ("breaks",)


@pytest.fixture
def joining(settings, monkeypatch):
    """The made definitions, with a narrative and an intelligence."""
    kept = [cls for cls in MADE if cls.name in ("brightness", "breaks", "shared")]
    made = {cls.name: cls for cls in (*kept, NeedsToo, Flow, Mind)}
    monkeypatch.setattr("tiktok_assets.settings.analyzer_classes", lambda: made)
    return settings


@pytest.fixture
def clip(joining, tmp_path):
    return MediaLibrary(joining.data_dir).register(write_video(tmp_path / "Made Clip.mp4"))


def _statuses(store, video_id):
    document = store.read_json(DOCUMENT, video_id)
    return {name: entry["status"] for name, entry in document["analyzer_results"].items()}


@pytest.mark.parametrize("lost", ["brightness", "flow"])
def test_a_run_that_loses_one_still_writes_the_rest(joining, instance, clip, monkeypatch, lost):
    def fails(self, video, upstream):
        if self.name == lost:
            raise ValueError("lost on purpose")
        return works(self, video, upstream)

    works = Brightness.analyze  # which the others are made of
    monkeypatch.setattr(Breaks, "analyze", works)
    monkeypatch.setattr(Brightness, "analyze", fails)
    outcome = analyze.analyze_video(instance, clip)
    assert outcome.errors.keys() == {lost}
    store = ResultStore(url=joining.results)
    statuses = _statuses(store, clip)
    assert {name for name, status in statuses.items() if status != "ok"} == {lost}
    seen = set(store.read("mind", clip).summary["seen"].split(","))
    assert seen == {"brightness", "breaks", "needs", "flow"} - {lost}
    page = ReportStore(url=joining.reports).read(clip).decode()
    assert "1 analyzer of 6 has no result." in page
    assert "lost on purpose" in page


def test_a_report_that_cannot_be_written_leaves_the_document_and_says_so(
    joining, instance, clip, monkeypatch
):
    def full(self, video_id, page):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Breaks, "analyze", Brightness.analyze)
    monkeypatch.setattr(ReportStore, "write", full)
    outcome = analyze.analyze_video(instance, clip)
    assert outcome.errors.keys() == {"report"}
    assert outcome.errors["report"].startswith(f"report of {clip}: [Errno 28] No space left")
    assert "materialize it again" in outcome.errors["report"]
    assert DOCUMENT in outcome.done
    assert set(_statuses(ResultStore(url=joining.results), clip).values()) == {"ok"}
    assert ReportStore(url=joining.reports).video_ids() == []


def test_the_intelligence_waits_for_the_narrative_and_document_and_report_for_both(
    joining, instance, clip
):
    outcome = analyze.analyze_video(instance, clip)
    assert outcome.errors.keys() == {"breaks"}
    store = ResultStore(url=joining.results)
    assert "flow" in store.read("mind", clip).summary["seen"].split(",")
    document = store.read_json(DOCUMENT, clip)
    assert document["analyzer_results"]["mind"]["summary"]["seen"] == "brightness,flow"
    assert {"flow__level", "mind__level"} <= document["timeline"][0].keys()
    runs = sorted(instance.get_run_records(), key=lambda record: record.storage_id)
    assert [record.dagster_run.job_name for record in runs] == ["analyze", "finish"]
    events = instance.all_logs(runs[1].dagster_run.run_id)
    order = [
        e.dagster_event.step_key
        for e in events
        if e.dagster_event and e.dagster_event.event_type == dg.DagsterEventType.STEP_SUCCESS
    ]
    assert order.index("flow") < order.index("mind") < order.index(DOCUMENT) < order.index("report")


@pytest.fixture
def made_store(monkeypatch):
    """The made video, a store with a result of each made one, and these by name."""
    monkeypatch.setattr(Breaks, "analyze", Brightness.analyze)
    classes = {cls.name: cls for cls in (Brightness, Breaks, NeedsToo, Flow)}
    video, store = made_video(), ResultStore(url="memory://fault-injection-made")
    for cls in classes.values():
        analyze_and_store(cls(Models({})), video, store, classes)
    assert store.read("flow", video.id).summary["seen"] == "breaks,brightness,needs"
    return video, store, classes


def test_an_older_result_that_stands_on_a_lost_one_is_not_joined(made_store):
    video, store, classes = made_store
    store.write_failure("breaks", video.id, "breaks: lost on purpose")
    analyze_and_store(Flow(Models({})), video, store, classes)
    assert store.has("needs", video.id)
    assert store.read("flow", video.id).summary["seen"] == "brightness"


def test_what_is_switched_off_is_not_joined(made_store):
    video, store, classes = made_store
    del classes["needs"]
    analyze_and_store(Flow(Models({})), video, store, classes)
    assert store.has("needs", video.id)
    assert store.read("flow", video.id).summary["seen"] == "breaks,brightness"


# The real ones, on stored results without their models.


def _told(name, cls, video):
    """What a real analyzer has to say of the made video; most have nothing."""
    told = {
        "cut_analysis": {"rows": [cut(1.0), cut(2.5, 2), cut(4.0, 3)]},
        "text_overlay": {"rows": [line("5 WAYS", 0.0, 2.0), line("FOLLOW ME", 5.0, 6.0)]},
        "speech_transcription": {
            "rows": words("Here are five ways", 0.3, 1.5),
            "summary": {"language": "en", "text": "Here are five ways", "word_count": 4},
        },
        "voices": {"rows": [voice(0.3, 1.5)], "seconds": {"voice_ratio": [0.8, 0.5, 0, 0, 0, 0]}},
        "color_analysis": {"seconds": {"pleasure": [0.1] * 6}},
    }
    if name in told:
        return made_result(name, video.grid, **told[name])
    return cls(Models({})).not_applicable(video, "made")


def _put(name, video, store):
    """Store a result of an analyzer, and that it did not fail."""
    classes = analyzer_classes()
    analyzer = classes[name](Models({}))
    if classes[name].joins:
        analyze_and_store(analyzer, video, store, classes)
    else:
        store.write(analyzer, video, _told(name, classes[name], video), RunRecord(0.1, 60.0, ()))


@pytest.fixture(scope="module")
def stored():
    """The video, a store with a result of every analyzer, and its document."""
    video = made_video(6)
    store = ResultStore(url="memory://fault-injection")
    for name, cls in analyzer_classes().items():
        if not cls.joins:
            _put(name, video, store)
    return video, store, _finish(video, store)


def _finish(video, store):
    """What the finish job does, and the document."""
    for name in (FLOW, MIND):
        if store.failure(name, video.id) is None:
            _put(name, video, store)
    return build_document(video.info, analyzer_classes(), store)[0]


@pytest.mark.parametrize("lost", sorted(analyzer_classes()))
def test_losing_a_real_one_leaves_document_narrative_and_intelligence(stored, lost):
    video, store, whole = stored
    assert whole["metadata"]["failed_analyzers"] == {}
    store.write_failure(lost, video.id, f"{lost} of {video.id}: lost on purpose")
    try:
        document = _finish(video, store)
    finally:
        _put(lost, video, store)
    json.dumps(document, allow_nan=False)
    assert len(document["timeline"]) == 6
    entries = document["analyzer_results"]
    assert entries.keys() == analyzer_classes().keys()
    failed = document["metadata"]["failed_analyzers"]
    assert "lost on purpose" in failed[lost]
    assert all(f"{lost}, which failed" in why for name, why in failed.items() if name != lost)
    for name in {FLOW, MIND} - {lost}:
        assert entries[name]["status"] == "ok"
        told = set(failed) & set(analyzer_classes()[name].optional)
        assert set(entries[name]["summary"]["missing"]) == told
        assert any(key.startswith(f"{name}__") for key in document["timeline"][0])
    if lost != FLOW:
        assert entries[FLOW]["summary"]["parts"][0] == "hook"
    if lost != MIND:
        assert entries[MIND]["summary"]["summary"]
        not_run = {r["rule"]: r["why"] for r in entries[MIND]["summary"]["rules_not_run"]}
        assert all(any(name in why for name in failed) for why in not_run.values())


def test_a_damaged_result_is_listed_and_the_document_stands(tmp_path):
    video, store = made_video(6), ResultStore(url=str(tmp_path))
    classes = analyzer_classes()
    _put("cut_analysis", video, store)
    (tmp_path / "cut_analysis" / "json" / f"{video.id}.json").write_bytes(b"")
    document, _ = build_document(video.info, classes, store)
    entry = document["analyzer_results"]["cut_analysis"]
    assert entry["status"] == "missing"
    assert "is damaged; materialize cut_analysis again" in entry["error"]
