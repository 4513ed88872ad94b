"""HTTP/1.1 with keep-alive on one real socket, in a thread of its own; quick, as a soak asks it 60,000 times."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_RESET = struct.pack("ii", 1, 0)


class Unreadable(Exception):
    """A body is not what its header says."""


@dataclass
class Request:
    """What was asked; `call` is what the server takes it for, `line` what it writes down of it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    call: str = ""
    line: Any = None

    @cached_property
    def params(self) -> dict[str, str]:
        """Of the address and of the body, form or JSON, as the Graph API takes them."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("application/json"):
            try:
                said = json.loads(self.body).items()
            except (ValueError, AttributeError):
                raise Unreadable from None
            return self.query | {name: each if isinstance(each, str) else json.dumps(each) for name, each in said}
        if kind.startswith("application/x-www-form-urlencoded"):
            return self.query | dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))
        return self.query


@dataclass
class Answer:
    """What is answered; without a status the connection is reset, or cut after `silence` real seconds."""

    status: int | None = 200
    body: bytes = b""
    kind: str = "application/json; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
    silence: float = 0.0

    def wire(self) -> bytes:
        assert self.status is not None
        about = {"Content-Type": self.kind, "Content-Length": str(len(self.body))} | self.headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in about.items())
        return f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n{lines}\r\n".encode("latin-1") + self.body


def told(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(value).encode(), headers=headers or {})


class Server:
    """Opens with `with`; a subclass says what is answered."""

    def __init__(self) -> None:
        self.port = 0
        # What went wrong in the server itself or in a test's hook; leaving `with` raises the first.
        self.problems: list[BaseException] = []
        self.loop = asyncio.new_event_loop()
        self.connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self.loop.run_forever, name="graph", daemon=True)

    async def answer(self, request: Request) -> Answer:
        """For a subclass."""
        raise NotImplementedError

    def answered(self, request: Request, answer: Answer) -> None:
        """An answer was written."""

    def cut_short(self, request: Request) -> None:
        """Whoever asked was gone before all of the body had come."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        if self.problems and kind is None:
            raise self.problems[0]

    def start(self) -> str:
        """Listen, in a thread of its own; where."""
        self._thread.start()
        self.do(self._open())
        return self.url

    def stop(self) -> None:
        """Every connection is cut."""
        self.do(self.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """In the server's thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on beside."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self) -> None:
        self._server = await self.loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self.connections):
            connection.reset()
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Connection(asyncio.Protocol):
    """One request after another, in the order in which they come."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._data = bytearray()
        # The request whose body is still coming, and its size.
        self._open: tuple[Request, int] | None = None
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.connections.discard(self)
        self._transport = None
        if self._open and not self._busy:
            request, size = self._open
            request.body = bytes(self._data[:size])
            self._server.cut_short(request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._busy:
            self._next()

    def reset(self) -> None:
        """As a machine that lost the connection does, not as one that closes it."""
        if self._transport:
            with suppress(OSError):
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()

    def _next(self) -> None:
        if self._open is None and not self._head():
            return
        assert self._open is not None
        request, size = self._open
        if len(self._data) < size:
            return
        request.body = bytes(self._data[:size])
        del self._data[:size]
        self._open, self._busy = None, True
        self._server.begin(self._serve(request))

    def _head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = self._data[:end].decode("latin-1").split("\r\n")
        del self._data[: end + 4]
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(method, unquote(parts.path), query, headers, b"")
        self._open = request, int(headers.get("content-length", 0))
        return True

    async def _serve(self, request: Request) -> None:
        try:
            answer = await self._server.answer(request)
            if answer.silence:
                await asyncio.sleep(answer.silence)
            if answer.status is None:
                self.reset()
            elif self._transport:
                self._transport.write(answer.wire())
                self._server.answered(request, answer)
        except Exception as error:
            self._server.problems.append(error)
            self.reset()
        self._busy = False
        if self._transport and self._data:
            self._next()
