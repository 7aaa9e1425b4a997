"""qwen2_vl_temporal with a vision-language model: tiny ones here, and a server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzers.base import AnalysisResult
from analyzers.methods.evidence import evidence_row
from analyzers.methods.story.model_description import UNREADABLE
from analyzers.models import vlm_server
from analyzers.models.base import usage_log
from analyzers.models.cache import ModelCache, ModelLoadError
from analyzers.models.lending import ModelChoice, Models
from analyzers.models.vlm import AnswerFailed
from analyzers.models.weights import ModelFiles, ModelMissing
from analyzers.qwen2_vl_temporal import Qwen2VlTemporal
from analyzers.run import run_analyzer
from analyzers.video import Video
from resources.result_store import ResultStore
from tests.analyzers.made import made_video
from tests.analyzers.made_upstream import made_shots
from tests.analyzers.models import tiny_vlm
from tests.analyzers.models.chat_server import Chat, chat_server, question_of
from tests.small_models import file_entry, manifest, model_entry

SAYS = '{"description": "A red ball rolls over a table, and then it stops.", "actions": []}'
CHAT, CAPTIONS = "vlm_transformers:load_vlm", "captioner:load_blip2"


def models_in(folder: Path, kind: str, loader: str, says: str | None = None) -> Models:
    """A tiny model as the manifest would name it, verified and lent as any other."""
    own = folder / "tiny"
    own.mkdir(exist_ok=True)
    files = tiny_vlm.save(kind, own, says)
    entries = {name: file_entry(path.read_bytes()) for name, path in files.items()}
    tiny = model_entry(
        entries, roles=["vlm"], loader=f"analyzers.models.{loader}", runtimes={"cpu": ["torch"]}
    )
    stored = ModelFiles(folder, manifest({"tiny": tiny}))
    return Models({"vlm": ModelChoice("tiny")}, stored, ModelCache(lambda device: 1000.0))


@pytest.fixture(scope="module")
def rambling(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """All weights random: nothing it writes can be read."""
    return models_in(tmp_path_factory.mktemp("random"), "qwen2_vl", CHAT)


def analyzed(
    video: Video, models: Models, upstream: Mapping[str, AnalysisResult], **settings: Any
) -> AnalysisResult:
    analyzer = Qwen2VlTemporal(models, Qwen2VlTemporal.Settings(**settings))
    result = analyzer.analyze(video, upstream)
    analyzer.check(result, video.grid)
    json.dumps(result.summary)
    for row in result.segments.to_pylist():
        for name in row["action_evidence"]:
            evidence_row(name, {**upstream, "qwen2_vl_temporal": result})
    return result


@pytest.fixture
def three_shots() -> tuple[Video, dict[str, AnalysisResult]]:
    video = made_video(4.0)
    return video, {"cut_analysis": made_shots(video.grid, (0.0, 2.0, 2.4))}


def test_a_local_model_describes_every_shot(
    tmp_path: Path, three_shots: tuple[Video, dict[str, AnalysisResult]]
) -> None:
    video, upstream = three_shots
    models = models_in(tmp_path, "qwen2_vl", CHAT, SAYS)
    with usage_log() as log:
        result = analyzed(video, models, upstream, max_new_tokens=40)
    text = "A red ball rolls over a table, and then it stops."
    assert result.observations["description"].to_pylist() == [text] * 3
    assert result.observations["evidence"].to_pylist() == [
        ["cut_analysis/0"], ["cut_analysis/1"], ["cut_analysis/2"],
    ]  # fmt: skip
    assert {*result.segments["model_kind"].to_pylist()} == {"vlm"}
    summary = result.summary
    assert (summary["model_kind"], summary["model_id"]) == ("vlm", "tiny")
    assert (summary["description"], summary["described_shot_count"]) == (text, 3)
    [use] = log.uses
    assert (use.identity.model_id, use.calls) == ("tiny", 2)  # all shots at once, then the video
    preview = Qwen2VlTemporal(models).preview(video, result).markdown
    assert "model_kind: vlm** (tiny;" in preview


def test_it_is_stored_with_the_model_that_wrote_it(tmp_path: Path) -> None:
    video, models = made_video(1.0), models_in(tmp_path, "qwen2_vl", CHAT, SAYS)
    analyzer = Qwen2VlTemporal(models, Qwen2VlTemporal.Settings(max_new_tokens=40))
    store = ResultStore(url=str(tmp_path / "results"))
    store.write(analyzer, video, *run_analyzer(analyzer, video, {}))
    back = store.read(analyzer.name, video.id)
    assert back.summary["model_kind"] == "vlm"
    [model] = store.read_json(analyzer.name, video.id)["models"]
    assert (model["role"], model["model_id"], model["calls"]) == ("vlm", "tiny", 1)
    assert model["sha256"] == models.files.fingerprint("tiny")


def test_no_other_result_is_needed(tmp_path: Path) -> None:
    video = made_video(2.0)
    says = SAYS.replace("[]", '[{"action": "the ball rolls", "time_s": 0.5, "end_s": 1.5}]')
    result = analyzed(video, models_in(tmp_path, "qwen2_vl", CHAT, says), {}, max_new_tokens=40)
    assert result.status == "ok"
    assert result.observations["actions"].to_pylist() == [
        [{"action": "the ball rolls", "time_s": 0.5, "end_s": 1.5}]
    ]
    assert result.segments["actions"].to_pylist() == [["the ball rolls"]] * 2
    assert result.segments["action_evidence"].to_pylist() == [["qwen2_vl_temporal/0"]] * 2


def test_an_answer_that_was_cut_off_is_asked_for_with_more_room(tmp_path: Path) -> None:
    rest = " and".join(f" then it meets number {i:03d}" for i in range(8))
    models = models_in(tmp_path, "qwen2_vl", CHAT, SAYS.replace(" stops", rest))
    with usage_log() as log:
        result = analyzed(made_video(1.0), models, {}, max_new_tokens=20)
    assert [use.calls for use in log.uses] == [2]
    assert result.summary["description"].endswith("number 007.")


def test_what_random_weights_write_is_an_error_and_nothing_takes_its_place(
    rambling: Models,
) -> None:
    with pytest.raises(AnswerFailed, match=r"tiny described none of a shot .*fallback"):
        analyzed(made_video(1.0), rambling, {}, max_new_tokens=16)


def test_rules_take_its_place_where_they_may_and_it_is_recorded(rambling: Models) -> None:
    video = made_video(1.0)
    result = analyzed(video, rambling, {}, max_new_tokens=16, fallback="composed")
    assert {*result.observations["model_kind"].to_pylist()} == {"composed"}
    assert (result.summary["model_kind"], result.summary["model_id"]) == ("composed", None)
    assert result.summary["fallback_reason"].startswith("AnswerFailed: tiny described none")
    assert "failed: AnswerFailed" in Qwen2VlTemporal(rambling).preview(video, result).markdown


def test_a_model_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    models = models_in(tmp_path, "qwen2_vl", CHAT)
    (tmp_path / "tiny" / "model.safetensors").unlink()
    with pytest.raises(ModelMissing, match="models pull tiny"):
        analyzed(made_video(1.0), models, {})


def test_a_captioner_says_so(
    tmp_path: Path, three_shots: tuple[Video, dict[str, AnalysisResult]]
) -> None:
    video, upstream = three_shots
    result = analyzed(video, models_in(tmp_path, "blip-2", CAPTIONS), upstream, max_new_tokens=16)
    assert {*result.observations["model_kind"].to_pylist()} == {"caption"}
    assert result.summary["description"].startswith("The video lasts 4 seconds. ")
    assert result.observations["actions"].to_pylist() == [[], [], []]


def test_a_loader_for_another_kind_of_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"tiny \(vlm\) does not load .* is a blip-2"):
        analyzed(made_video(1.0), models_in(tmp_path, "blip-2", CHAT), {})


def described(body: dict[str, Any]) -> tuple[str, str]:
    """As a good model would: of its own shot, or of the video."""
    question = question_of(body)
    if "shots" in question:
        return '{"description": "A ball goes by."}', "stop"
    start, end = question.split("lasts from ")[1].split(" seconds")[0].split(" to ")
    action = {"action": "it goes by", "time_s": float(start), "end_s": float(end)}
    return json.dumps({"description": f"A ball at {start}.", "actions": [action]}), "stop"


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setattr(vlm_server, "_FIRST_WAIT_S", 0.01)
    with chat_server(described) as server:
        yield server


def test_a_server_describes(
    chat: Chat, three_shots: tuple[Video, dict[str, AnalysisResult]]
) -> None:
    video, upstream = three_shots
    result = analyzed(video, Models({}), upstream, server_url=chat.url)
    assert result.observations["description"].to_pylist() == [
        "A ball at 0.0.", "A ball at 2.0.", "A ball at 2.4.",
    ]  # fmt: skip
    assert result.segments["actions"].to_pylist() == [
        ["it goes by"], ["it goes by"], ["it goes by"] * 2, ["it goes by"],
    ]  # fmt: skip
    assert result.summary["description"] == "A ball goes by."
    assert (result.summary["model_kind"], result.summary["model_id"]) == ("vlm_server", "made")


def test_frames_are_spread_over_their_shot(
    chat: Chat, three_shots: tuple[Video, dict[str, AnalysisResult]]
) -> None:
    video, upstream = three_shots
    analyzed(
        video, Models({}), upstream, server_url=chat.url, frames_per_s=5, most_frames=4,
        server_requests=1,
    )  # fmt: skip
    told = [question_of(body).split("taken at ")[1].split(" seconds")[0] for body in chat.asked[:3]]
    assert told == ["0.0, 0.6, 1.2, 1.8", "2.0, 2.2", "2.4, 2.8, 3.4, 3.8"]


def test_an_unreadable_answer_is_asked_for_once_more(chat: Chat) -> None:
    chat.reply = lambda body: ("A ball!", "stop") if len(chat.asked) == 1 else described(body)
    result = analyzed(made_video(1.0), Models({}), {}, server_url=chat.url)
    assert result.summary["described_shot_count"] == 1
    _, answer, repair = chat.asked[1]["messages"]
    assert answer["content"] == "A ball!"
    assert "no whole JSON object" in repair["content"]


def test_one_that_was_cut_off_gets_twice_the_room(chat: Chat) -> None:
    chat.reply = lambda body: ('{"desc', "length") if len(chat.asked) == 1 else described(body)
    analyzed(made_video(1.0), Models({}), {}, server_url=chat.url, max_new_tokens=20)
    assert [body["max_tokens"] for body in chat.asked] == [20, 40]


def test_a_shot_that_stays_unreadable_says_so_and_does_not_count(
    chat: Chat, three_shots: tuple[Video, dict[str, AnalysisResult]]
) -> None:
    video, upstream = three_shots

    def one_bad(body: dict[str, Any]) -> tuple[str, str]:
        return ("?", "stop") if "from 2.0 to 2.4" in question_of(body) else described(body)

    chat.reply = one_bad
    result = analyzed(video, Models({}), upstream, server_url=chat.url)
    assert result.observations["description"].to_pylist()[1] == UNREADABLE
    assert result.summary["described_shot_count"] == 2
    chat.reply = lambda body: (
        ("?", "stop") if "has 3 shots" in question_of(body) else described(body)
    )
    with pytest.raises(AnswerFailed, match="summed the video up in no form that can be read"):
        analyzed(video, Models({}), upstream, server_url=chat.url)


def test_a_video_that_stays_unreadable_costs_no_other(chat: Chat) -> None:
    """Of two that are described at once; and what was cut off there is asked for with more room."""
    videos = [made_video(2.0, "short-00000000"), made_video(3.0, "long-00000000")]
    lengths = {"short": "0.0 to 2.0", "long": "0.0 to 3.0"}

    def one_bad(body: dict[str, Any]) -> tuple[str, str]:
        if f"lasts from {lengths['long']}" in question_of(body):
            return "?", "stop"
        first = len(body["messages"]) == 1
        return ('{"desc', "length") if first else described(body)

    chat.reply = one_bad

    def both(**settings: Any) -> list[AnalysisResult | Exception]:
        own = Qwen2VlTemporal.Settings(server_url=chat.url, max_new_tokens=20, **settings)
        return Qwen2VlTemporal(Models({}), own).analyze_together([(v, {}) for v in videos])

    good, bad = both()
    assert isinstance(good, AnalysisResult)
    assert good.summary["description"] == "A ball at 0.0."
    assert isinstance(bad, AnswerFailed)
    rooms: dict[int, list[tuple[str, int]]] = {len(body["messages"]): [] for body in chat.asked}
    for body in chat.asked:
        about = "long" if lengths["long"] in question_of(body) else "short"
        rooms[len(body["messages"])].append((about, body["max_tokens"]))
    assert {n: sorted(asked) for n, asked in rooms.items()} == {
        1: [("long", 20), ("short", 20)],
        3: [("long", 20), ("short", 40)],
    }
    kinds = [
        result.summary["model_kind"]
        for result in both(fallback="composed")
        if isinstance(result, AnalysisResult)
    ]
    assert kinds == ["vlm_server", "composed"]


def test_a_server_that_refuses_is_an_error_or_recorded(chat: Chat) -> None:
    chat.reply = lambda body: (404, "no such model")
    with pytest.raises(AnswerFailed, match="no such model"):
        analyzed(made_video(1.0), Models({}), {}, server_url=chat.url)
    result = analyzed(made_video(1.0), Models({}), {}, server_url=chat.url, fallback="composed")
    assert "refused with 404" in result.summary["fallback_reason"]


def test_the_frames_are_those_of_the_video(chat: Chat) -> None:
    """A picture that arrives is the one of its time."""
    import base64

    import cv2

    video = made_video(1.0)
    video.analysis.pixels[:] = np.arange(5, dtype=np.uint8)[:, None, None, None] * 50
    analyzed(video, Models({}), {}, server_url=chat.url)
    parts = chat.asked[0]["messages"][0]["content"]
    levels = []
    for part in parts:
        if part["type"] == "image_url":
            data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
            levels.append(round(float(cv2.imdecode(np.frombuffer(data, np.uint8), 1).mean())))
    assert levels == [0, 200]
    assert [p["text"] for p in parts if p["type"] == "text"][:2] == ["0.0 s:", "0.8 s:"]
