"""HTTP and WebSocket on one real socket, as a ComfyUI server speaks them; what it answers is its subclass's."""

import asyncio
import base64
import hashlib
import json
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING = 1, 2, 8, 9


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What is answered; a cut one ends before it is whole, and one without a status ends before it begins."""

    status: int | None = 200
    body: bytes = b""
    kind: str = "application/json; charset=utf-8"
    cut: bool = False
    headers: str = ""


def told(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


@dataclass(eq=False)
class Listener:
    """An open WebSocket."""

    client_id: str
    writer: asyncio.StreamWriter
    heard: list[str] = field(default_factory=list)

    async def send(self, message: Any) -> None:
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        await self._frame(_BINARY if isinstance(message, bytes) else _TEXT, data)

    async def _frame(self, kind: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = struct.pack(">BB", 0x80 | kind, size)
        elif size < 2**16:
            head = struct.pack(">BBH", 0x80 | kind, 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | kind, 127, size)
        with suppress(OSError):
            self.writer.write(head + data)
            await self.writer.drain()

    def drop(self) -> None:
        self.writer.transport.abort()


class Server:
    """A server in a thread of its own; `stop` and `start` at the same port are a restart."""

    def __init__(self) -> None:
        self.port = 0
        self.listeners: list[Listener] = []
        self.requests: list[Request] = []
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def answer(self, request: Request) -> Answer:
        """For a subclass."""
        raise NotImplementedError

    async def greet(self, listener: Listener) -> None:
        """Somebody listens from now on."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Server":
        self.do(self.open())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self.shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on beside."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """As a killed process leaves: every connection is cut."""
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            if task is not asyncio.current_task():
                task.cancel()
        for writer in list(self._writers):
            writer.transport.abort()
        self.listeners.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if headers.get("upgrade", "").lower() == "websocket":
            await self._listen(reader, writer, headers, query["clientId"])
            return False
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method, unquote(parts.path), query, headers, body)
        self.requests.append(request)
        answer = await self.answer(request)
        if answer.status is None:
            return False
        size = len(answer.body)
        about = f"Content-Type: {answer.kind}\r\nContent-Length: {size}\r\n{answer.headers}"
        writer.write(f"HTTP/1.1 {answer.status} X\r\n{about}\r\n".encode())
        writer.write(answer.body[: size // 2] if answer.cut else answer.body)
        await writer.drain()
        return not answer.cut

    async def _listen(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str], client_id: str
    ) -> None:
        key = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + _MAGIC).encode()).digest()).decode()
        writer.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {key}\r\n\r\n".encode()
        )
        listener = Listener(client_id, writer)
        self.listeners.append(listener)
        try:
            await self.greet(listener)
            while (frame := await _frame(reader)) is not None:
                listener.heard.append(frame)
        finally:
            if listener in self.listeners:
                self.listeners.remove(listener)


async def _frame(reader: asyncio.StreamReader) -> str | None:
    """The next text that a client says; none when it closes."""
    while True:
        first, second = await reader.readexactly(2)
        size = second & 0x7F
        if size >= 126:
            width = 2 if size == 126 else 8
            size = int.from_bytes(await reader.readexactly(width), "big")
        mask = await reader.readexactly(4)
        data = bytes(byte ^ mask[index % 4] for index, byte in enumerate(await reader.readexactly(size)))
        if first & 0x0F == _CLOSE:
            return None
        if first & 0x0F == _TEXT:
            return data.decode()
