"""A web server on loopback with videos, redirects, refusals and slow answers."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Web:
    """What the server gives, by path, and what it was asked.

    `answers` get the request's handler; `asked` are tuples of path and Range header, "" for none.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], object]] = {}
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    def file(self, path: str, data: bytes, kind: str = "video/mp4", **ways: float) -> str:
        """Serve a file, with ranges; `bytes_per_s` slows it.

        `cut_at` ends it there when it is asked for the second time: yt-dlp looks at it first.
        """
        asked = 0

        def answer(handler: BaseHTTPRequestHandler) -> None:
            found = re.match(r"bytes=(\d+)-", handler.headers.get("Range") or "")
            start = int(found[1]) if found else 0
            nonlocal asked
            asked += 1
            cut = int(ways.get("cut_at", 0)) if asked == 2 else 0
            handler.send_response(206 if found else 200)
            if found:
                handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            handler.send_header("Content-Type", kind)
            handler.send_header("Content-Length", str(len(data) - start))
            handler.send_header("Accept-Ranges", "bytes")
            handler.end_headers()
            body = data[start : cut or None]
            per_s = ways.get("bytes_per_s")
            step = int(per_s / 20) if per_s else len(body) or 1
            for at in range(0, len(body), step):
                handler.wfile.write(body[at : at + step])
                if per_s:
                    time.sleep(0.05)
            if cut:
                handler.close_connection = True

        self.answers[path] = answer
        return self.url + path

    def status(self, path: str, code: int) -> str:
        """Answer with a status and no more."""
        self.answers[path] = lambda handler: handler.send_error(code)
        return self.url + path

    def redirect(self, path: str, target: str) -> str:
        """Send elsewhere."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", target)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        self.answers[path] = answer
        return self.url + path


@contextmanager
def loopback_web(host: str = "127.0.0.1") -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            web.asked.append((path, self.headers.get("Range") or ""))
            answer = web.answers.get(path)
            with suppress(ConnectionError):  # the one who asked was stopped
                answer(self) if answer else self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    web.url = f"http://{host}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
