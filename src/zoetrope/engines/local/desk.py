"""The engine process's desk: who asks, in what order it is drawn, and what each is told."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from zoetrope.engines.engine import Cancelled, Made, Step
from zoetrope.engines.local import wire
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.recipe import png_bytes
from zoetrope.models.headers import read_header
from zoetrope.models.loras import LoraFile

FAULT = "The engine failed while drawing this, which is a fault of ours; its log says where. Nothing was kept."
_TOO_LONG = f"A message may hold {wire.LINE_LIMIT:,} bytes; this one is longer, so the connection ends."

log = logging.getLogger("zoetrope.engine")


@dataclass(eq=False)
class _Client:
    """One connection and the requests it waits for."""

    writer: asyncio.StreamWriter
    jobs: "dict[str, _Job]" = field(default_factory=dict)

    def tell(self, answer: wire.Answer) -> None:
        if not self.writer.is_closing():
            self.writer.write(wire.line(answer))


@dataclass(eq=False)
class _Job:
    """One request, from its arrival to its answer."""

    request: wire.Make
    client: _Client
    stop: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    began: float = 0.0

    @property
    def stopped(self) -> wire.Stopped:
        return wire.Stopped(id=self.request.id)

    def end(self, answer: wire.Answer) -> None:
        self.client.jobs.pop(self.request.id, None)
        self.client.tell(answer)


class Desk:
    """Talks with every client on the event loop and draws, one at a time, on a thread beside it."""

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="drawing")
        self._line: list[_Job] = []
        self._arrived = asyncio.Event()
        self._names: dict[str, str] = {}
        self._began = time.monotonic()
        self._closed = False

    async def draw_in_turn(self) -> None:
        """Draw whatever comes, in order, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._line:
                job = self._line[0]
                answer = await loop.run_in_executor(self._hand, self._draw, job, self._reporter(job, loop))
                seconds = time.monotonic() - job.began
                log.info("%s by %s after %.1f s", answer.kind, job.request.recipe.model.name, seconds)
                self._leave(job, answer)

    async def close(self) -> None:
        """Take nothing more, cancel everything, and wait until the drawing has stopped."""
        self._closed = True
        for job in list(self._line):
            self._cancel(job)
        while self._line:
            await asyncio.sleep(0.01)

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it goes; what it still waits for goes with it."""
        client = _Client(writer)
        try:
            # A client that does not read is not listened to either, so its answers cannot fill the memory.
            while data := await _next_line(reader):
                self._hear(client, data)
                await writer.drain()
        except asyncio.LimitOverrunError:
            client.tell(wire.failed("user", _TOO_LONG))
        except ConnectionError:
            pass
        finally:
            writer.close()
            for job in list(client.jobs.values()):
                self._cancel(job)

    def _hear(self, client: _Client, data: bytes) -> None:
        try:
            request = wire.read_request(data)
        except UserError as error:
            client.tell(wire.failed("user", str(error)))
            return
        if isinstance(request, wire.AskHealth):
            client.tell(self._health())
        elif isinstance(request, wire.Make):
            self._take(client, request)
        elif request.id in client.jobs:
            self._cancel(client.jobs[request.id])

    def _take(self, client: _Client, request: wire.Make) -> None:
        reason = self._refusal(client, request)
        if reason:
            client.tell(wire.failed("user", reason, request.id))
            return
        job = client.jobs[request.id] = _Job(request, client)
        self._line.append(job)
        client.tell(wire.Place(id=request.id, place=len(self._line) - 1))
        self._arrived.set()

    def _refusal(self, client: _Client, request: wire.Make) -> str | None:
        if self._closed:
            return "The engine is ending and takes nothing more: ask the next one."
        if request.id in client.jobs:
            return f"The id {request.id} is taken by a request that is not answered yet: use another."
        if not request.into.is_absolute():
            return f"{request.into} is relative, and the engine does not know to what: name the whole path."
        return None

    def _cancel(self, job: _Job) -> None:
        job.stop.set()
        # The first is in the drawer's hands, who sees the sign at the next step.
        if job in self._line[1:]:
            self._leave(job, job.stopped)

    def _leave(self, job: _Job, answer: wire.Answer) -> None:
        place = self._line.index(job)
        self._line.remove(job)
        job.end(answer)
        for ahead, other in enumerate(self._line[place:], start=place):
            other.client.tell(wire.Place(id=other.request.id, place=ahead))

    def _reporter(self, job: _Job, loop: asyncio.AbstractEventLoop) -> Callable[[Step], None]:
        """Steps are counted where they happen and told from the event loop."""
        job.began = time.monotonic()

        def report(step: Step) -> None:
            job.done = step.done
            told = wire.StepDone(id=job.request.id, done=step.done, total=step.total)
            loop.call_soon_threadsafe(job.client.tell, told)

        return report

    def _draw(self, job: _Job, report: Callable[[Step], None]) -> wire.Answer:
        """On the drawing thread: whatever happens is an answer."""
        request = job.request
        try:
            _stop_if_asked(job)
            self._lend(request)
            made = self._engine.make(request.recipe, report, job.stop.is_set)
            _stop_if_asked(job)
            self._names[request.recipe.model.sha256] = request.recipe.model.name
            return wire.Drawn(id=request.id, pictures=tuple(_keep(each, request.into) for each in made))
        except Cancelled:
            return job.stopped
        except UserError as error:
            return wire.failed("user", str(error), request.id)
        except Exception:
            log.exception("request %s failed", request.id)
            return wire.failed("fault", FAULT, request.id)

    def _lend(self, request: wire.Make) -> None:
        for lora in request.loras:
            # Its hash is checked by the engine, and only when the adapter is not held already.
            self._engine.lend_lora(LoraFile(lora.path, lora.sha256, read_header(lora.path)))
        for picture in request.pictures:
            there = self._engine.lend_picture(picture.path).sha256
            if there != picture.sha256:
                raise UserError(f"{picture.path} has changed: its hash is {there[:12]}, not {picture.sha256[:12]}.")

    def _health(self) -> wire.Health:
        running = self._line[0] if self._line else None
        held = self._engine.held()
        return wire.Health(
            pid=os.getpid(),
            uptime_seconds=time.monotonic() - self._began,
            warm=tuple(
                wire.WarmModel(name=self._names.get(sha256, "?"), sha256=sha256, weights_bytes=size)
                for sha256, size in held.items()
            ),
            running=_drawing(running) if running else None,
            waiting=max(0, len(self._line) - 1),
            process_bytes=int(psutil.Process().memory_info().rss),
            device_bytes=_device_bytes(),
        )


async def _next_line(reader: asyncio.StreamReader) -> bytes:
    """The next line, or nothing once the client has gone; half a line is no message."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        return await reader.readuntil(b"\n")
    return b""


def _stop_if_asked(job: _Job) -> None:
    if job.stop.is_set():
        raise Cancelled


def _keep(made: Made, folder: Path) -> wire.FileRef:
    """Write the picture under its hash. It can be made again, so nobody waits for the disk."""
    data = png_bytes(made.image, made.recipe)
    sha256 = hash_bytes(data)
    path = folder / f"{sha256}.png"
    write_atomic(path, data, durable=False)
    return wire.FileRef(path=path, sha256=sha256)


def _drawing(job: _Job) -> wire.Drawing:
    recipe = job.request.recipe
    seconds = time.monotonic() - job.began if job.began else 0.0
    return wire.Drawing(model=recipe.model.name, done=job.done, total=recipe.steps, seconds=seconds)


def _device_bytes() -> int:
    import torch

    # Asking must not be what makes a CUDA context.
    return int(torch.cuda.memory_reserved()) if torch.cuda.is_initialized() else 0
