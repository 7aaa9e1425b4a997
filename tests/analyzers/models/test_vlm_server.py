"""A vision-language model behind an OpenAI-compatible server, over real HTTP on loopback."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import cv2
import numpy as np
import pytest

from analyzers import progress
from analyzers.models import vlm_server
from analyzers.models.base import usage_log
from analyzers.models.vlm import Answer, AnswerFailed, Ask
from analyzers.models.vlm_server import KEY_VARIABLE, VlmServer
from tests.analyzers.models.chat_server import Chat, chat_server, question_of


def echo(body: dict[str, Any]) -> tuple[str, str]:
    return question_of(body).splitlines()[-1], "stop"


@pytest.fixture
def chat() -> Iterator[Chat]:
    with chat_server(echo) as server:
        yield server


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vlm_server, "_FIRST_WAIT_S", 0.01)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


def opened(url: str, model: str = "made", at_once: int = 2, timeout_s: float = 5.0) -> Any:
    return closing(VlmServer(url, model, at_once, timeout_s))


def ask(question: str = "What?", frames: int = 1) -> Ask:
    ramp = np.repeat(np.arange(96, dtype=np.uint8)[None, :, None] * 2, 128, axis=0)
    red = np.concatenate([ramp, 0 * ramp, 0 * ramp], axis=2)
    return Ask([red] * frames, [0.5 * i for i in range(frames)], question)


def test_pictures_times_and_schema_go_there(chat: Chat) -> None:
    with usage_log() as log, opened(chat.url) as server:
        [answer] = server.answer([ask(frames=2)], 77, 1, {"type": "object"})
    assert answer == Answer("What?", complete=True)
    [body] = chat.asked
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("made", 77, 0)
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    first, picture, second, _, question = body["messages"][0]["content"]
    assert (first["text"], second["text"], question["text"]) == ("0.0 s:", "0.5 s:", "What?")
    head, _, data = picture["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    sent = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(sent.astype(int) - ask().frames[0]).mean() < 3
    [use] = log.uses
    assert (use.items, use.identity.model_id, use.identity.device) == (2, "made", chat.url)


def test_answers_come_in_order_and_no_more_are_under_way_than_allowed(chat: Chat) -> None:
    chat.takes_s = 0.05
    with opened(chat.url, at_once=3) as server:
        answers = server.answer([ask(str(i)) for i in range(12)], 9, 1)
    assert [answer.text for answer in answers] == [str(i) for i in range(12)]
    assert chat.most_at_once == 3


def test_the_limit_holds_for_two_analyses_together(chat: Chat) -> None:
    from concurrent.futures import ThreadPoolExecutor

    chat.takes_s = 0.05
    with (
        opened(chat.url) as first,
        opened(chat.url) as second,
        ThreadPoolExecutor() as pool,
    ):
        list(pool.map(lambda s: s.answer([ask()] * 4, 9, 1), [first, second]))
    assert chat.most_at_once == 2


def test_an_earlier_turn_goes_along(chat: Chat) -> None:
    turned = Ask((), (), "What?", turns=(("nonsense", "Again?"),))
    with opened(chat.url) as server:
        server.answer([turned], 9, 1)
    roles = [message["role"] for message in chat.asked[0]["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_a_text_that_was_cut_off_says_so(chat: Chat) -> None:
    chat.reply = lambda body: ("half a", "length")
    with opened(chat.url) as server:
        assert server.answer([ask()], 2, 1) == [Answer("half a", complete=False)]


def test_a_busy_server_is_asked_again(chat: Chat) -> None:
    chat.reply = lambda body: (503, "loading") if len(chat.asked) < 3 else ("done", "stop")
    with opened(chat.url) as server:
        assert server.answer([ask()], 9, 1) == [Answer("done")]
    assert len(chat.asked) == 3


@pytest.mark.parametrize(
    ("status", "times", "message"),
    [(503, 4, "refused with 503: 'too bad'"), (400, 1, "refused with 400: 'too bad'")],
)
def test_a_refusal_names_server_and_way_out(
    chat: Chat, status: int, times: int, message: str
) -> None:
    chat.reply = lambda body: (status, "too bad")
    with opened(chat.url) as server, pytest.raises(AnswerFailed) as error:
        server.answer([ask()], 9, 1)
    assert message in str(error.value)
    assert chat.url in str(error.value)
    assert "server_model" in str(error.value)
    assert len(chat.asked) == times


def test_a_silent_server(chat: Chat) -> None:
    chat.takes_s = 0.6
    with (
        opened(chat.url, timeout_s=0.1) as server,
        pytest.raises(AnswerFailed, match=r"did not answer in 4 attempts \(ReadTimeout"),
    ):
        server.answer([ask()], 9, 1)


def test_no_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with opened(url) as server, pytest.raises(AnswerFailed, match="see that it runs"):
        server.answer([ask()], 9, 1)


def test_another_kind_of_server(chat: Chat) -> None:
    chat.reply = lambda body: (200, '{"hello": 1}')
    with (
        opened(chat.url) as server,
        pytest.raises(AnswerFailed, match=r"does not answer as .*choices: Field required"),
    ):
        server.answer([ask()], 9, 1)


def test_the_only_model_needs_no_name(chat: Chat) -> None:
    with opened(chat.url, model="") as server:
        assert server.identity.model_id == "made"
    chat.models = ["one", "two"]
    with pytest.raises(AnswerFailed, match=r"the models one, two; name one in .*server_model"):
        VlmServer(chat.url, "", 1, 5.0)


def test_the_key_comes_from_the_environment(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "made-up")
    with opened(chat.url) as server:
        server.answer([ask()], 9, 1)
    assert chat.keys == ["Bearer made-up"]


@pytest.mark.parametrize("url", ["host:8000", "ftp://host/v1", "http:///v1"])
def test_no_address(url: str) -> None:
    with pytest.raises(AnswerFailed, match="no address such as"):
        VlmServer(url, "made", 1, 5.0)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(AnswerFailed) as error:
        VlmServer("http://me:hush@host/v1", "made", 1, 5.0)
    assert KEY_VARIABLE in str(error.value)
    assert "hush" not in str(error.value)


def test_a_cancelled_analysis_asks_nothing_more(chat: Chat) -> None:
    chat.takes_s = 0.2
    task = progress.Task("t")
    chat.reply = lambda body: (task.cancel(), ("done", "stop"))[1]
    with (
        progress.run_task(task),
        opened(chat.url, at_once=1) as server,
        pytest.raises(progress.Cancelled),
    ):
        server.answer([ask()] * 20, 9, 1)
    assert len(chat.asked) < 5
