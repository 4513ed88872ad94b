"""What happened in a workspace: numbered lines, only ever added to. Everything else is derived from them."""

import json
import os
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError, field_validator

from zoetrope.errors import UserError

# A kind of event that older programs cannot know carries the number of the schema that brought it.
SCHEMA = 2
SOURCES = "sources"
PICTURES = "pictures"
"""The folders of a workspace that pictures lie in."""
_LONGEST_NAME = 255


class Origin(StrEnum):
    """Where a picture came from."""

    source = "source"
    edit = "edit"
    synthetic = "synthetic"
    correction = "correction"


class Reason(StrEnum):
    """Why a picture was rejected."""

    hands = "hands"
    identity = "identity"
    light = "light"
    pose = "pose"
    artifact = "artifact"
    other = "other"


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(default=0, ge=0)
    # The number of the first event that was recorded with this one: they are undone together.
    batch: int = Field(default=0, ge=0)
    schema_version: int = Field(default=1, ge=1, le=SCHEMA)
    at: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


class Created(_Event):
    """The workspace began."""

    kind: Literal["created"] = "created"
    name: str


class Changed(_Event):
    """What a person decided about the persona is another now; `persona.toml` holds what counts."""

    schema_version: int = Field(default=2, ge=2, le=SCHEMA)
    kind: Literal["changed"] = "changed"
    field: str
    before: str
    after: str


class Added(_Event):
    """A picture came in; `depth` counts the models between it and the sources."""

    kind: Literal["added"] = "added"
    sha256: str
    file: str
    origin: Origin
    depth: int = 0
    round: int = 0

    @field_validator("file")
    @classmethod
    def _inside(cls, file: str) -> str:
        """A workspace may come from a stranger, and captions are written beside what its events name."""
        parts = PurePosixPath(file.replace("\\", "/")).parts
        below = len(parts) > 1 and parts[0] in (SOURCES, PICTURES) and ".." not in parts
        if not below or PureWindowsPath(file).anchor or any(len(part.encode()) > _LONGEST_NAME for part in parts):
            raise ValueError("a picture lies in one of its workspace's folders")
        return file


class Captioned(_Event):
    """A picture got its words."""

    kind: Literal["captioned"] = "captioned"
    sha256: str
    text: str
    by: str


class Kept(_Event):
    """A reviewer took a picture for training."""

    kind: Literal["kept"] = "kept"
    sha256: str
    by: str


class Rejected(_Event):
    """A reviewer refused a picture."""

    kind: Literal["rejected"] = "rejected"
    sha256: str
    reason: Reason
    by: str


class Corrected(_Event):
    """A reviewer said what is wrong: with the picture as it should be, or with an instruction for the editor."""

    kind: Literal["corrected"] = "corrected"
    sha256: str
    by: str
    instruction: str = ""
    replacement: str | None = None


class Trained(_Event):
    """A round's LoRA was finished."""

    kind: Literal["trained"] = "trained"
    round: int
    dataset: str
    lora: str


class Exported(_Event):
    """A version was written to `exports/`."""

    kind: Literal["exported"] = "exported"
    round: int
    version: int
    sha256: str


class Carded(_Event):
    """A version's model card was drawn and measured."""

    kind: Literal["carded"] = "carded"
    round: int
    scores: dict[str, FiniteFloat]


class Synthesized(_Event):
    """A version drew new scenes; what passed was added."""

    kind: Literal["synthesized"] = "synthesized"
    round: int
    drawn: int


class Closed(_Event):
    """A round ended, and why: `done`, or the alarm that stopped it."""

    kind: Literal["closed"] = "closed"
    round: int
    verdict: str


class Undone(_Event):
    """What was recorded together no longer counts."""

    kind: Literal["undone"] = "undone"
    target: int


Event = Annotated[
    Created
    | Changed
    | Added
    | Captioned
    | Kept
    | Rejected
    | Corrected
    | Trained
    | Exported
    | Carded
    | Synthesized
    | Closed
    | Undone,
    Field(discriminator="kind"),
]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


@dataclass(frozen=True)
class _Parsed:
    """How much of a record was parsed, and what it holds."""

    size: int
    checksum: int
    events: tuple[Event, ...]
    # How the file looked, where that tells it from any later one.
    mark: tuple[int, ...] | None = None


# A record is read at every step and grows by a line: 10,000 pictures are 30,000 events, most of a second to parse.
_PARSED: dict[Path, _Parsed] = {}
_MOST_PARSED = 8
_TICK_NANOSECONDS = 100_000_000


def _mark(path: Path) -> tuple[int, ...] | None:
    """What changes with every change of a file; nothing where it was changed just now, as its clock has ticks."""
    try:
        found = path.stat()
    except OSError:
        return None
    changed = max(found.st_ctime_ns, found.st_mtime_ns)
    settled = time.time_ns() - changed > _TICK_NANOSECONDS
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) if settled else None


def _remember(path: Path, parsed: _Parsed) -> None:
    _PARSED.pop(path, None)
    _PARSED[path] = parsed
    while len(_PARSED) > _MOST_PARSED:
        _PARSED.pop(next(iter(_PARSED)), None)


class EventLog:
    """`events.jsonl`: read whole, added to at the end, whole lines or nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Pages tell it too, and where a server keeps its files is nobody's business.
        self._shown = f"{path.parent.name}/{path.name}"

    def read(self) -> list[Event]:
        """Every event in order; a torn last line is left out, any other fault is a sentence."""
        return list(self.known())

    def known(self) -> tuple[Event, ...]:
        """The same, shared between callers.

        Only what was added since the last look is parsed; a change further up is seen by its checksum. A file that
        looks untouched is not even read.
        """
        mark = _mark(self.path)
        before = _PARSED.get(self.path)
        if before is not None and before.mark == mark is not None:
            return before.events
        data = self._bytes()
        if _lacks_its_end(data):
            data += b"\n"
        known = _PARSED.get(self.path)
        if known is None or zlib.crc32(data[: known.size]) != known.checksum or len(data) < known.size:
            known = _Parsed(0, 0, ())
        size = data.rfind(b"\n") + 1
        if size > known.size:
            added = self._parsed(_whole_lines(data[known.size : size]), len(known.events) + 1)
            known = _Parsed(size, zlib.crc32(data[:size]), (*known.events, *added))
        if size:
            _remember(self.path, replace(known, mark=mark))
        return known.events

    def append(self, events: Iterable[Event]) -> list[Event]:
        """Number the events and write them in one go. Call it with the workspace's lock held."""
        self.repair()
        first = len(self.known()) + 1
        numbered = [event.model_copy(update={"number": first + i, "batch": first}) for i, event in enumerate(events)]
        if numbered:
            self._write("".join(self._line(event) for event in numbered).encode())
        return numbered

    def _line(self, event: Event) -> str:
        try:
            return event.model_dump_json() + "\n"
        except ValueError as error:
            raise UserError(f"{self._shown} takes no text that is not valid Unicode; nothing was recorded.") from error

    def repair(self) -> bool:
        """Cut off the half line that a crash left at the end; whether there was one."""
        data = self._bytes()
        if _lacks_its_end(data):
            self._write(b"\n")
            return False
        whole = data.rfind(b"\n") + 1
        if whole == len(data):
            return False
        with self.path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
        return True

    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise UserError(f"{self._shown} could not be read ({error.strerror}).") from error

    def _write(self, data: bytes) -> None:
        before = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("ab") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            _cut(self.path, before)
            raise UserError(f"{self._shown} could not be written ({error.strerror}); nothing was recorded.") from error

    def _parsed(self, lines: Iterable[bytes], first: int) -> Iterator[Event]:
        for number, line in enumerate(lines, start=first):
            try:
                event = _EVENT.validate_json(line)
            except ValidationError as error:
                raise UserError(self._fault(number, line)) from error
            if event.number != number:
                raise UserError(f"{self._shown} line {number} is numbered {event.number}: the record was altered.")
            yield event

    def _fault(self, number: int, line: bytes) -> str:
        try:
            version = json.loads(line).get("schema_version", 0)
        except (ValueError, AttributeError, RecursionError):
            version = 0
        if isinstance(version, int) and version > SCHEMA:
            return f"{self._shown} was written by a newer Zoetrope; update Zoetrope to read it."
        return f"{self._shown} line {number} is not an event; it was kept as it is, repair or restore it."


def _lacks_its_end(data: bytes) -> bool:
    """An editor may take the last line break away: the event before it is whole all the same."""
    last = data[data.rfind(b"\n") + 1 :]
    try:
        return bool(last) and _EVENT.validate_json(last) is not None
    except (ValidationError, RecursionError):
        return False


def _whole_lines(data: bytes) -> list[bytes]:
    return data.split(b"\n")[:-1]


def _cut(path: Path, size: int) -> None:
    """A full disk may have taken half of it: what was there before stays, and nothing else."""
    try:
        with path.open("r+b") as file:
            file.truncate(size)
    except OSError:
        # The torn line is dropped by the next reader.
        return
