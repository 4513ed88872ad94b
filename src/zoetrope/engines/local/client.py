"""An engine process as its clients see it: the `Engine` that another process is."""

import contextlib
import os
import secrets
import socket as sockets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.engines.engine import Cancel, Cancelled, EngineFault, EngineLost, Made, Progress, Step
from zoetrope.engines.local import wire
from zoetrope.errors import UserError
from zoetrope.media.decode import Limits, decode
from zoetrope.media.files import read_limited
from zoetrope.media.hashing import hash_bytes, hash_file
from zoetrope.media.recipe import Control, Recipe
from zoetrope.models.loras import LoraFile

if TYPE_CHECKING:
    from PIL.Image import Image

# A cancel must have freed the device after five seconds; the killing is part of them.
OBEYED_WITHIN = 4.5
_ANSWERS_WITHIN = 5.0
# How often a silent engine's client looks whether it should cancel.
_GLANCE = 0.05

Waiting = Callable[[int], None]


class EngineAbsent(EngineLost):
    """Nobody serves at the socket, or whoever did ended before it took the request."""


class EngineHangs(EngineLost):
    """A cancel was not obeyed in time; `pid` is who should have."""

    def __init__(self, sentence: str, pid: int | None) -> None:
        super().__init__(sentence)
        self.pid = pid


class EngineClient:
    """Asks the engine process at a socket. Threads may share one: each request has a connection of its own."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._loras: dict[str, Path] = {}
        self._pictures: dict[str, Path] = {}

    def lend_lora(self, lora: LoraFile) -> None:
        """Let recipes that name this LoRA's hash find it."""
        self._loras[lora.sha256] = lora.path.resolve()

    def lend_picture(self, path: Path) -> Control:
        """Let recipes look at this picture; the control to put in them."""
        sha256 = hash_file(path)
        self._pictures[sha256] = path.resolve()
        return Control(kind="image", sha256=sha256, strength=1.0)

    def make(self, recipe: Recipe, progress: Progress | None = None, cancel: Cancel | None = None) -> list[Made]:
        """Every picture of the recipe's batch, in order; raises Cancelled within one step of being asked to."""
        with tempfile.TemporaryDirectory(prefix="zoetrope-made-") as folder:
            files = self.draw(recipe, Path(folder), progress, cancel)
            images = [_picture(file) for file in files]
        return [Made(image, recipe.model_copy(update={"batch_index": index})) for index, image in enumerate(images)]

    def draw(
        self,
        recipe: Recipe,
        into: Path,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        waiting: Waiting | None = None,
    ) -> list[wire.FileRef]:
        """As `make`, but the PNG files that the engine wrote into a folder; `waiting` hears how many are before it."""
        with self._connected() as line:
            request = self._request(recipe, into.resolve())
            line.send(request)
            return list(self._listen(line, request.id, progress, cancel, waiting).pictures)

    def health(self) -> wire.Health:
        """How the engine is; it answers at once, also while drawing."""
        with self._connected() as line:
            line.send(wire.AskHealth())
            given_up = time.monotonic() + _ANSWERS_WITHIN
            while time.monotonic() < given_up:
                answer = line.receive()
                if isinstance(answer, wire.Health):
                    return answer
        raise EngineLost(f"The engine at {self.socket} is there and does not answer: it may hang.")

    def _request(self, recipe: Recipe, into: Path) -> wire.Make:
        """Names the lent files that the recipe looks at; the engine looks for the others itself."""
        loras = _refs(self._loras, (use.sha256 for use in recipe.loras))
        pictures = _refs(self._pictures, (control.sha256 for control in recipe.controls))
        return wire.Make(id=secrets.token_hex(8), recipe=recipe, into=into, loras=loras, pictures=pictures)

    @contextmanager
    def _connected(self) -> "Iterator[_Line]":
        with sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM) as socket:
            socket.settimeout(_ANSWERS_WITHIN)
            try:
                socket.connect(os.fspath(self.socket))
            except (ConnectionError, FileNotFoundError) as error:
                raise EngineAbsent(f"No engine serves at {self.socket}: start one.") from error
            except OSError as error:
                raise EngineLost(
                    f"The engine at {self.socket} cannot be reached ({error.strerror or error})."
                ) from error
            yield _Line(socket, wire.holder(self.socket))

    def _listen(
        self, line: "_Line", id: str, progress: Progress | None, cancel: Cancel | None, waiting: Waiting | None
    ) -> wire.Drawn:
        cancelled_at = None
        while True:
            if cancelled_at is None and cancel and cancel():
                line.send(wire.Cancel(id=id))
                cancelled_at = time.monotonic()
            if cancelled_at is not None and time.monotonic() - cancelled_at > OBEYED_WITHIN:
                raise EngineHangs(f"The engine at {self.socket} did not stop when asked to: it hangs.", line.pid)
            answer = line.receive()
            if isinstance(answer, wire.Stopped | wire.Drawn | wire.Failed):
                return _final(answer, cancelled_at is not None)
            # Nobody who has cancelled wants to hear more.
            if isinstance(answer, wire.StepDone) and progress and cancelled_at is None:
                progress(Step(answer.done, answer.total))
            if isinstance(answer, wire.Place) and waiting and cancelled_at is None:
                waiting(answer.place)


class _Line:
    """One connection: messages out, messages in, never waiting longer than a glance for the next."""

    def __init__(self, socket: sockets.socket, pid: int | None) -> None:
        self._socket = socket
        self._read = b""
        self._heard = False
        self.pid = pid

    def send(self, message: wire.Request) -> None:
        data = wire.line(message)
        # An engine that has ended, or hangs, is found out when it is listened to.
        with contextlib.suppress(OSError):
            self._socket.sendall(data)
        self._socket.settimeout(_GLANCE)

    def receive(self) -> wire.Answer | None:
        """The next answer, or nothing when none came within a glance."""
        while b"\n" not in self._read:
            try:
                more = self._socket.recv(2**16)
            except TimeoutError:
                return None
            except OSError:
                more = b""
            if not more:
                raise _ended(self._heard)
            self._read += more
            self._heard = True
        first, _, self._read = self._read.partition(b"\n")
        return wire.read_answer(first)


def _ended(taken: bool) -> EngineLost:
    if not taken:
        return EngineAbsent("The engine process ended before it took this request: ask again.")
    return EngineLost("The engine process ended before it answered; nothing of this request was kept: ask again.")


def _final(answer: wire.Stopped | wire.Drawn | wire.Failed, cancelled: bool) -> wire.Drawn:
    if cancelled:
        raise Cancelled
    if isinstance(answer, wire.Stopped):
        raise EngineLost("The engine is ending and dropped this request; nothing of it was kept: ask again.")
    if isinstance(answer, wire.Failed):
        raise (UserError if answer.kind == "user" else EngineFault)(answer.error)
    return answer


def _refs(lent: dict[str, Path], wanted: Iterable[str]) -> tuple[wire.FileRef, ...]:
    return tuple(wire.FileRef(path=lent[sha256], sha256=sha256) for sha256 in wanted if sha256 in lent)


def _picture(file: wire.FileRef) -> "Image":
    data = read_limited(file.path, Limits().max_bytes)
    if hash_bytes(data) != file.sha256:
        raise EngineFault(f"The picture {file.path} is not the one that the engine wrote: it was not used.")
    return decode(data).image
