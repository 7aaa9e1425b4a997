"""Vision-language models behind a server that speaks OpenAI's chat completions, such as vLLM.

Frames leave this machine for that server, as JPEG; nothing else does but the questions.
"""

from __future__ import annotations

import base64
import contextvars
import os
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any, ClassVar

import cv2
import httpx
import numpy as np
from pydantic import BaseModel, Field, ValidationError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from analyzers import progress
from analyzers.models.base import ModelIdentity
from analyzers.models.vlm import Answer, AnswerFailed, Ask, Kind, VisionLanguageModel

#: Holds the server's key, where it wants one. Not a setting: settings are stored with results.
KEY_VARIABLE = "TIKTOK_ASSETS_VLM_KEY"

_ATTEMPTS = 4
_FIRST_WAIT_S = 0.5
_JPEG_QUALITY = 90
_LOOK_S = 1.0
_SAID_LETTERS = 300
#: The server is busy or was restarted: it may be well a moment later.
_PASSING = {408, 409, 429, 500, 502, 503, 504}


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


class _Listed(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Listed]


class VlmServer(VisionLanguageModel):
    """A model on a server; as many requests as allowed are under way at a time.

    `url`: up to and with the version, `http://host:8000/v1`. `model`: the name it is served under;
    "" for the only one there is. `most_requests` holds for all analyses of this process together.
    Redirects are not followed.

    Raises `AnswerFailed` where the server has to be asked for its model and does not tell.
    """

    kind: ClassVar[Kind] = "vlm_server"

    def __init__(self, url: str, model: str, most_requests: int, timeout_s: float) -> None:
        place = httpx.URL(url)
        if place.scheme not in ("http", "https") or not place.host:
            raise AnswerFailed(
                f"server_url {url!r} is no address such as http://host:8000/v1; mend that setting"
            )
        if place.userinfo:
            raise AnswerFailed(
                f"server_url holds a password, and settings are stored with results; give "
                f"{KEY_VARIABLE} in the environment instead"
            )
        self._url = url.rstrip("/")
        self._gate = _gate(self._url, most_requests)
        self._most_requests = most_requests
        key = os.environ.get(KEY_VARIABLE)
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 10.0)),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            limits=httpx.Limits(max_connections=most_requests),
        )
        try:
            name = model or self._only_model()
        except BaseException:
            self.close()
            raise
        # Whose weights these are only the server knows.
        super().__init__(ModelIdentity("vlm", name, "", self._url, "openai"))

    def answer(
        self, asks: Sequence[Ask], max_new_tokens: int, batch_size: int, schema: dict | None = None
    ) -> list[Answer]:
        """See the base; the server makes its batches itself and is asked to keep the schema."""
        pool = ThreadPoolExecutor(self._most_requests, thread_name_prefix="vlm-server")
        try:
            pending: set[Future[Answer]] = set()
            futures = []
            for ask in asks:
                run = contextvars.copy_context().run
                futures.append(pool.submit(run, self._ask, ask, max_new_tokens, schema))
            pending = set(futures)
            while pending:
                done, pending = wait(pending, _LOOK_S, FIRST_COMPLETED)
                for future in done:
                    future.result()  # the first failure is the one to tell
                # A server that is silent for longer than its time limit fails there.
                progress.checkpoint(len(asks) - len(pending), len(asks))
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self, ask: Ask, max_new_tokens: int, schema: dict | None) -> Answer:
        body: dict[str, Any] = {
            "model": self.identity.model_id,
            "messages": _messages(ask),
            "max_tokens": max_new_tokens,
            "temperature": 0,
            "seed": 0,
        }
        if schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema},
            }
        with self._gate:
            choice = self._read("POST", "chat/completions", _Completion, body).choices[0]
        self.answered([ask])
        return Answer(choice.message.content.strip(), choice.finish_reason != "length")

    def _only_model(self) -> str:
        names = [listed.id for listed in self._read("GET", "models", _Models).data]
        if len(names) != 1:
            raise AnswerFailed(
                f"the server {self._url} has the models {', '.join(names) or 'none'}; "
                "name one in the setting server_model"
            )
        return names[0]

    def _read(
        self, method: str, path: str, form: type[BaseModel], body: dict[str, Any] | None = None
    ) -> Any:
        try:
            response = self._reached(method, path, body)
        except httpx.HTTPError as error:
            raise AnswerFailed(
                f"the server {self._url} did not answer in {_ATTEMPTS} attempts "
                f"({type(error).__name__}: {error or 'no more is known'}); see that it runs and "
                "can be reached from here, or mend server_url and server_timeout_s"
            ) from error
        if not response.is_success:
            raise AnswerFailed(
                f"the server {self._url} refused with {response.status_code}: "
                f"{response.text.strip()[:_SAID_LETTERS]!r}; see server_model, max_new_tokens, how "
                f"many pictures the server takes in a question, and {KEY_VARIABLE}"
            )
        try:
            return form.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise AnswerFailed(
                f"the server {self._url} does not answer as OpenAI's chat completions do "
                f"({'.'.join(map(str, first['loc']))}: {first['msg']}); server_url has to end with "
                "the version, as in http://host:8000/v1"
            ) from error

    def _reached(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        """The answer, or the last one of a server that stays busy."""

        def once() -> httpx.Response:
            response = self._client.request(method, f"{self._url}/{path}", json=body)
            if response.status_code in _PASSING:
                raise _Busy(response)
            return response

        retrying = Retrying(
            retry=retry_if_exception(lambda e: isinstance(e, (_Busy, httpx.TransportError))),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=_FIRST_WAIT_S),
            reraise=True,
        )
        try:
            return retrying(once)
        except _Busy as busy:
            return busy.response

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class _Busy(Exception):
    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


@cache
def _gate(url: str, most_requests: int) -> threading.BoundedSemaphore:
    """One for a server in this process, since several videos are analyzed at once."""
    return threading.BoundedSemaphore(most_requests)


def _messages(ask: Ask) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    for frame, time_s in zip(ask.frames, ask.times_s, strict=True):
        content.append({"type": "text", "text": f"{time_s:.1f} s:"})
        content.append({"type": "image_url", "image_url": {"url": _jpeg(frame)}})
    content.append({"type": "text", "text": ask.question})
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    for said, question in ask.turns:
        messages.append({"role": "assistant", "content": said})
        messages.append({"role": "user", "content": question})
    return messages


def _jpeg(frame: np.ndarray) -> str:
    """A frame as a data URL."""
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    assert done  # every RGB picture can be written as JPEG
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
