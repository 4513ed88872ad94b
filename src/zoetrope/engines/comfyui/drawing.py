"""One graph drawn by one server, whatever happens meanwhile: told as done only when its pictures are here.

A work goes by names that follow from its key, so that whoever begins it again, after a crash of ours, finds what the
server has of it instead of having it drawn twice.
"""

import json
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import sha256

from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

from zoetrope.engines.comfyui.client import Client, Refused, Unreachable
from zoetrope.engines.comfyui.following import FEATURES, End, Following, Verdict, verdict
from zoetrope.engines.comfyui.workflow import Graph
from zoetrope.engines.engine import Cancel, Cancelled, EngineLost
from zoetrope.media.decode import Limits

# So often one work may have failed on a server and be begun there again.
_MOST_TRIES = 20
# Whatever a workflow saves beyond these nobody asked for.
_MOST_FILES = 16
_PREFIX = "filename_prefix"


@dataclass(frozen=True)
class Patience:
    """How long what is waited for, in seconds."""

    listen: float = 0.25
    # A server is asked even while it talks: a message may be lost.
    look: float = 2.0
    # Between two looks that find a work nowhere: works move between a server's lists.
    again: float = 1.0
    # Without an answer, it has gone.
    away: float = 60.0
    # Begun, and nothing moved: its worker is stuck, though it answers.
    stuck: float = 600.0
    connect: float = 10.0


class Stuck(EngineLost):
    """The server answers and does nothing."""


class Lost(EngineLost):
    """The server knows nothing of the work any more."""


@dataclass(frozen=True)
class Told:
    """How far a work is, and how its picture looks by now."""

    share: float
    preview: bytes | None
    waits: bool


Hear = Callable[[Told], None]


def names_of(key: str) -> Iterator[str]:
    """The names that a work goes by on a server, one for each time it is begun."""
    for number in range(_MOST_TRIES):
        digest = sha256(f"{key}/{number}".encode()).digest()
        yield str(uuid.UUID(bytes=digest[:16], version=4))


def draw(
    client: Client,
    graph: Graph,
    key: str,
    hear: Hear | None = None,
    cancel: Cancel | None = None,
    patience: Patience | None = None,
) -> list[bytes]:
    """The pictures that a graph saves, as the server's bytes; goes on with what was begun under this key."""
    patience = patience or Patience()
    for name in names_of(key):
        entry, waits = client.history(name), name in _both(client)
        if entry is not None:
            found = verdict(entry, graph)
            if found.end is End.success:
                return _fetched(client, found)
            # How it ended then says nothing about how it ends now.
            continue
        return _Drawing(client, _saved_as(graph, name), name, hear, cancel, patience).run(begun=waits)
    raise Refused(f"ComfyUI failed at this {_MOST_TRIES} times.")


def _both(client: Client) -> tuple[str, ...]:
    queue = client.queue()
    return queue.running + queue.pending


def _saved_as(graph: Graph, name: str) -> Graph:
    """What is saved is called by its prompt: a server that has drawn the same before draws its files again."""
    called = {_PREFIX: f"zoetrope/{name}"}
    return {
        number: node | {"inputs": node["inputs"] | called} if _PREFIX in node.get("inputs", {}) else node
        for number, node in graph.items()
    }


def _fetched(client: Client, found: Verdict) -> list[bytes]:
    if not found.saved:
        raise Refused("This workflow has drawn no picture: it needs a node that saves one.")
    return [client.view(saved) for saved in found.saved[:_MOST_FILES]]


class _Drawing:
    """A prompt on its way."""

    def __init__(
        self, client: Client, graph: Graph, name: str, hear: Hear | None, cancel: Cancel | None, patience: Patience
    ) -> None:
        self._client = client
        self._graph = graph
        self._name = name
        self._hear = hear or (lambda told: None)
        self._cancel = cancel or (lambda: False)
        self._patience = patience
        self._following = Following(name, graph)
        self._line = ExitStack()
        self._socket: ClientConnection | None = None
        self._retry = 0.0
        self._waits = True
        now = time.monotonic()
        self._moved = self._answered = now
        self._looked = 0.0
        self._missed: float | None = None

    def run(self, begun: bool) -> list[bytes]:
        with ExitStack() as stack:
            stack.callback(self._hang_up)
            self._listen_in()
            if not begun:
                self._submit()
            found = self._wait()
        if found.end is End.success:
            # Its last messages may not have come yet, or never come.
            self._hear(Told(1.0, self._following.preview, waits=False))
            return _fetched(self._client, found)
        raise Refused(found.error) if found.end is End.error else EngineLost(found.error)

    def _submit(self) -> None:
        """Where the answer is lost it is looked for, not asked for again: sent twice, it would be drawn twice."""
        try:
            self._client.submit(self._graph, self._name, self._name)
        except Unreachable:
            time.sleep(self._patience.again)
            if self._client.history(self._name) is None and self._name not in _both(self._client):
                # It may still be on its way there.
                with suppress(EngineLost):
                    self._client.give_up(self._name)
                raise

    def _wait(self) -> Verdict:
        while True:
            if self._cancel():
                with suppress(EngineLost):
                    self._client.give_up(self._name)
                raise Cancelled
            self._listen()
            due = time.monotonic() - self._looked >= self._patience.look
            if due or (self._following.ended and self._missed is None):
                found = self._look()
                if found is not None:
                    return found
            self._watch()

    def _look(self) -> Verdict | None:
        """What the server says when asked; nothing while it is drawn, or while nobody knows."""
        self._looked = time.monotonic()
        try:
            entry, queue = self._client.history(self._name), None
            if entry is None:
                queue = self._client.queue()
                # It may have ended between the two questions.
                entry = self._client.history(self._name)
        except Unreachable:
            self._missed = None
            return None
        self._answered = time.monotonic()
        if entry is not None:
            return verdict(entry, self._graph)
        assert queue is not None
        if self._name in queue.running + queue.pending:
            self._missed = None
            self._begin(self._name in queue.pending)
        else:
            self._nowhere()
        return None

    def _begin(self, waits: bool) -> None:
        if self._waits and not waits:
            self._moved = time.monotonic()
        self._waits = waits
        self._tell()

    def _nowhere(self) -> None:
        """Neither in the queue nor in the history is lost, and not done; but only if it stays so."""
        now = time.monotonic()
        if self._missed is None:
            self._missed = now
        elif now - self._missed >= self._patience.again:
            raise Lost(
                f"ComfyUI at {self._client.address.url} knows nothing of this any more: "
                "it was started anew, or somebody took it out of the queue there."
            )
        self._looked = now - self._patience.look + self._patience.again

    def _watch(self) -> None:
        now = time.monotonic()
        if now - self._answered > self._patience.away:
            raise Unreachable(f"ComfyUI at {self._client.address.url} does not answer any more.")
        # Whoever waits behind others' work is given more time: what moves there is not told here.
        if now - self._moved > self._patience.stuck * (4 if self._waits else 1):
            with suppress(EngineLost):
                self._client.give_up(self._name)
            raise Stuck(f"ComfyUI at {self._client.address.url} answers, but has not moved for a long time.")

    def _listen(self) -> None:
        """Hear one message, if one comes; without a connection, the server is only asked."""
        if self._socket is None:
            if time.monotonic() >= self._retry:
                self._listen_in()
            if self._socket is None:
                time.sleep(self._patience.listen)
                return
        try:
            message = self._socket.recv(timeout=self._patience.listen)
        except TimeoutError:
            return
        except (WebSocketException, OSError):
            self._hang_up()
            self._retry = time.monotonic() + self._patience.again
            return
        if self._heard(message):
            self._moved = time.monotonic()
            self._waits = False
            self._tell()

    def _heard(self, message: str | bytes) -> bool:
        if isinstance(message, bytes):
            return self._following.see(message)
        try:
            return self._following.hear(json.loads(message))
        except (ValueError, RecursionError):
            return False

    def _tell(self) -> None:
        self._hear(Told(self._following.share, self._following.preview, self._waits))

    def _listen_in(self) -> None:
        """A name for each connection: a second one of the same name would hear nothing."""
        address = self._client.address
        wire = "wss" if address.secure else "ws"
        try:
            line = connect(
                f"{wire}://{address.origin}{address.path}/ws?clientId={self._name}",
                sock=socket.create_connection((address.number, address.port), self._patience.connect),
                ssl=ssl.create_default_context() if address.secure else None,
                open_timeout=self._patience.connect,
                close_timeout=1,
                max_size=Limits().max_bytes,
                proxy=None,
                user_agent_header="zoetrope",
            )
            self._socket = self._line.enter_context(line)
            self._socket.send(json.dumps(FEATURES))
        except (OSError, ValueError, InvalidHandshake, InvalidURI, WebSocketException):
            self._hang_up()
            self._retry = time.monotonic() + self._patience.again

    def _hang_up(self) -> None:
        self._socket = None
        with suppress(OSError, WebSocketException):
            self._line.close()
