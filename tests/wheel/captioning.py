"""A captioning server for tests: OpenAI's protocol over a real socket, with faults on order."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer: a status, what is said, and how late."""

    code: int = 200
    body: bytes | None = None
    words: str | None = "portrait, smiling, front, studio, soft light"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    drop: bool = False

    def payload(self) -> bytes:
        if self.body is not None:
            return self.body
        message = {"role": "assistant", "content": self.words}
        return json.dumps({"choices": [{"index": 0, "message": message}]}).encode()


def error(code: int, message: str = "", **headers: str) -> Reply:
    body = json.dumps({"error": {"message": message}}).encode()
    return Reply(code, body, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()))


@dataclass
class Server:
    """Answers in the order of its replies, the last of them for ever; keeps what was asked."""

    replies: list[Reply] = field(default_factory=lambda: [Reply()])
    models: Sequence[str] = ("eyes",)
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def next(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def running(server: Server) -> Iterator[Server]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}/v1"
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps({"data": [{"id": name} for name in server.models]}).encode()
            self._answer(Reply(body=data) if self.path == "/v1/models" else error(404))

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            server.asked.append(json.loads(self.rfile.read(length)))
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            self._answer(server.next() if self.path == "/v1/chat/completions" else error(404))

        def _answer(self, reply: Reply) -> None:
            if reply.drop:
                self.connection.close()
                return
            time.sleep(reply.delay)
            data = reply.payload()
            try:
                self.send_response(reply.code)
                for name, value in (*reply.headers, ("Content-Length", str(len(data)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                # Whoever asked has stopped waiting.
                return

        def log_message(self, format: str, *arguments: Any) -> None:
            del format, arguments

    return Handler
