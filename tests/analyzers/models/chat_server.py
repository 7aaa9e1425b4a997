"""A server on loopback that speaks OpenAI's chat completions."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Text and why it ended; or a status and a body.
Reply = tuple[str, str] | tuple[int, str]


class Chat:
    """What it was asked, and how many questions were under way at most.

    `reply` gets a request's body; it may be replaced.
    """

    def __init__(self, reply: Callable[[dict[str, Any]], Reply]) -> None:
        self.reply = reply
        self.models = ["made"]
        self.takes_s = 0.0
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.most_at_once = 0
        self.url = ""
        self._under_way = 0
        self._lock = threading.Lock()

    def answer(self, body: dict[str, Any]) -> Reply:
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            self.asked.append(body)
        time.sleep(self.takes_s)
        try:
            return self.reply(body)
        finally:
            with self._lock:
                self._under_way -= 1


@contextmanager
def chat_server(reply: Callable[[dict[str, Any]], Reply]) -> Iterator[Chat]:
    chat = Chat(reply)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            assert self.path == "/v1/models"
            self._send(200, json.dumps({"data": [{"id": name} for name in chat.models]}))

        def do_POST(self) -> None:
            assert self.path == "/v1/chat/completions"
            chat.keys.append(self.headers.get("Authorization"))
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            first, second = chat.answer(body)
            if isinstance(first, int):
                self._send(first, second)
                return
            message = {"role": "assistant", "content": first}
            choice = {"index": 0, "message": message, "finish_reason": second}
            self._send(200, json.dumps({"object": "chat.completion", "choices": [choice]}))

        def _send(self, status: int, body: str) -> None:
            data = body.encode()
            with suppress(ConnectionError):  # the one who asked has given up
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    chat.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def question_of(body: dict[str, Any]) -> str:
    """The text that was asked first."""
    content = body["messages"][0]["content"]
    return "\n".join(part["text"] for part in content if part["type"] == "text")
