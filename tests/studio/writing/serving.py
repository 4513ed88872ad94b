"""A server that speaks OpenAI's chat completions over real HTTP, well or badly, and remembers what it was sent."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = Callable[["Asked"], Any]


class Asked:
    """One request: its headers, its body, and the JSON message in it."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.path, self.headers, self.raw = path, headers, body
        self.body = json.loads(body)

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The parts of the user's turn."""
        content = next(each["content"] for each in self.body["messages"] if each["role"] == "user")
        return content if isinstance(content, list) else [{"type": "text", "text": content}]

    @property
    def message(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(next(each["text"] for each in self.shown if each["type"] == "text"))
        return told

    @property
    def sees(self) -> bool:
        return any(each["type"] == "image_url" for each in self.shown)


class ModelServer:
    """Answers each request by `answer`: a value that becomes the model's words, or a raw answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, list[Asked]()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                server.asked.append(asked)
                told = server.answer(asked)
                try:
                    (told if isinstance(told, Raw) else said(told)).send(self)
                except OSError:
                    self.close_connection = True

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class Raw:
    """An answer as it goes over the wire; a slow one comes byte by byte."""

    def __init__(
        self, body: bytes, status: int = 200, headers: dict[str, str] | None = None, pause: float = 0.0
    ) -> None:
        self.body, self.status, self.headers, self.pause = body, status, headers or {}, pause

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(self.status)
        for name, value in {"content-type": "application/json", "content-length": str(len(self.body))}.items():
            handler.send_header(name, value)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if not self.pause:
            handler.wfile.write(self.body)
        for place in range(len(self.body) if self.pause else 0):
            handler.wfile.write(self.body[place : place + 1])
            handler.wfile.flush()
            time.sleep(self.pause)


def said(words: Any, **more: Any) -> Raw:
    """A completion with these words: text as it is, anything else as JSON."""
    text = words if isinstance(words, str) else json.dumps(words)
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    told = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return Raw(json.dumps({**told, "usage": usage, **more}).encode())


def captions(*texts: Any) -> dict[str, Any]:
    """The answer of a model that writes captions."""
    plain = [
        each if isinstance(each, dict) else {"text": each, "hashtags": ["coffee"], "alt_text": ""} for each in texts
    ]
    return {"captions": plain}
