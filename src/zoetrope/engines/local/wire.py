"""What travels between the engine process and those who ask it: one JSON object a line, never a picture."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from zoetrope.errors import UserError
from zoetrope.media.recipe import Recipe

# A prompt, however long, fits; what does not is a mistake or worse.
LINE_LIMIT = 2**20
TAKEN = 75
"""The exit code of an engine that found another at its socket."""
_LONGEST_SENTENCE = 2000

Id = Annotated[str, Field(min_length=1, max_length=64)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FileRef(_Message):
    """A file by its place and the hash of its bytes."""

    path: Path
    sha256: str


class Make(_Message):
    """Draw a recipe's batch and put the pictures into a folder; the files lent are those that it looks at."""

    kind: Literal["make"] = "make"
    id: Id
    recipe: Recipe
    into: Path
    loras: tuple[FileRef, ...] = ()
    pictures: tuple[FileRef, ...] = ()


class Cancel(_Message):
    """Give up one's own request, drawn or waiting; one that has just ended is none any more, and nothing is said."""

    kind: Literal["cancel"] = "cancel"
    id: Id


class AskHealth(_Message):
    """How are you?"""

    kind: Literal["health"] = "health"


class Place(_Message):
    """How many are before this request; with 0 it is being drawn."""

    kind: Literal["place"] = "place"
    id: Id
    place: int


class StepDone(_Message):
    """One more step of a drawing."""

    kind: Literal["step"] = "step"
    id: Id
    done: int
    total: int


class Drawn(_Message):
    """The pictures of the batch, in order, as PNG files with their recipe inside."""

    kind: Literal["drawn"] = "drawn"
    id: Id
    pictures: tuple[FileRef, ...]


class Stopped(_Message):
    """The request was cancelled, or the engine is ending; nothing of it was kept."""

    kind: Literal["stopped"] = "stopped"
    id: Id


class Failed(_Message):
    """One sentence: a user's mistake, or a fault of ours whose traceback is in the log."""

    kind: Literal["user", "fault"]
    error: str
    id: Id | None = None


class WarmModel(_Message):
    """A model that is ready to draw."""

    name: str
    sha256: str
    weights_bytes: int


class Drawing(_Message):
    """What is being drawn now."""

    model: str
    done: int
    total: int
    seconds: float


class Health(_Message):
    """The engine's state. Memory in bytes: the process's own, and what it reserved on a CUDA device."""

    kind: Literal["health"] = "health"
    pid: int
    uptime_seconds: float
    warm: tuple[WarmModel, ...]
    running: Drawing | None
    waiting: int
    process_bytes: int
    device_bytes: int


Request = Make | Cancel | AskHealth
Answer = Place | StepDone | Drawn | Stopped | Failed | Health

_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def line(message: Request | Answer) -> bytes:
    """The message as it travels."""
    try:
        data = message.model_dump_json().encode() + b"\n"
    except ValueError as error:
        raise UserError("A file's name is not valid Unicode, so the engine cannot be told of it: rename it.") from error
    if len(data) > LINE_LIMIT:
        raise UserError(f"The request is {len(data):,} bytes; the engine takes at most {LINE_LIMIT:,}: shorten it.")
    return data


def failed(kind: Literal["user", "fault"], sentence: str, id: str | None = None) -> Failed:
    """The answer that says why not; a file name in it that is no Unicode must not keep it from being sent."""
    return Failed(kind=kind, error=sentence.encode("utf-8", "replace").decode()[:_LONGEST_SENTENCE], id=id)


def read_request(data: bytes) -> Request:
    """A line from a client; anything but a request is refused in one sentence."""
    try:
        return _REQUEST.validate_json(data)
    except ValidationError as error:
        raise UserError(f"This is no request: {_first_fault(error)}.") from error


def read_answer(data: bytes) -> Answer:
    """A line from the engine."""
    return _ANSWER.validate_json(data)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    # What was sent must not travel on into logs and pages, in whole or raw.
    return ascii(f"{where}: {fault['msg']}" if where else fault["msg"])[1:-1][:200]


def lock_path(socket: Path) -> Path:
    """Whoever serves at the socket holds a lock on this file, and has written its process id there."""
    return socket.with_name(f"{socket.name}.lock")


def holder(socket: Path) -> int | None:
    """The process that last took the lock; it lives as long as somebody answers at the socket."""
    try:
        return int(lock_path(socket).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
