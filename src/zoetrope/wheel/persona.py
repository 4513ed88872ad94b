"""Who a workspace is about: `persona.toml`."""

import json
import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from zoetrope.errors import UserError
from zoetrope.media.files import write_text_atomic

SCHEMA = 1
NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
NAME_LIMIT = 48
_TRIGGER = re.compile(r"[\w-]+(\s[\w-]+)*")


class PersonaKind(StrEnum):
    """What is to be learned."""

    photoreal = "photoreal"
    drawn = "drawn"
    style = "style"


class ConsentKind(StrEnum):
    """Why this person may be drawn."""

    self = "self"
    granted = "granted"
    fictional = "fictional"


class Consent(BaseModel):
    """The recorded statement; a granted one keeps its document in the workspace, by hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ConsentKind
    document: str | None = None
    sha256: str | None = None


class Persona(BaseModel):
    """What a person decided about a persona."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA
    name: str
    kind: PersonaKind
    trigger: str
    base: str
    consent: Consent
    # Who it is in words, as a model that never learned it would be told: what the first version is compared with.
    looks: str = ""
    scorers: tuple[str, ...] = ()
    # The editor of flywheel 2: a model of the catalogue that takes a picture and an instruction.
    editor: str = ""

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if len(name) > NAME_LIMIT or not NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a persona's name: use small letters, digits, and - _ between them")
        return name

    @field_validator("trigger")
    @classmethod
    def _plain_trigger(cls, trigger: str) -> str:
        if len(trigger) > NAME_LIMIT or not _TRIGGER.fullmatch(trigger):
            raise ValueError(f"{trigger!r} cannot be a trigger: use one to a few words of letters, digits, - and _")
        return trigger

    def said(self, field: str) -> str:
        """What a field holds, as an event records it."""
        value = getattr(self, field)
        return ", ".join(value) if isinstance(value, tuple) else str(value)

    def with_said(self, values: Mapping[str, str]) -> "Persona":
        """The persona with fields as an event recorded them; what `said` told, read back."""
        fields = {
            name: tuple(filter(None, text.split(", "))) if isinstance(getattr(self, name, ""), tuple) else text
            for name, text in values.items()
        }
        return make_persona(**(self.model_dump() | fields))

    def to_toml(self) -> str:
        """The file's text."""
        plain = self.model_dump(mode="json", exclude_none=True)
        consent = plain.pop("consent")
        return "\n".join([*_toml_lines(plain), "", "[consent]", *_toml_lines(consent), ""])


def _toml_lines(fields: Mapping[str, object]) -> list[str]:
    """JSON spells strings and lists of them as TOML does, but for the one control character that it leaves as it is."""
    said = {key: json.dumps(value, ensure_ascii=False).replace("\x7f", r"\u007f") for key, value in fields.items()}
    return [f"{key} = {value}" for key, value in said.items()]


def make_persona(**fields: object) -> Persona:
    """A persona from what a person typed, or one sentence."""
    try:
        return Persona.model_validate(fields)
    except ValidationError as error:
        where, said, ours = _first_fault(error)
        raise UserError(f"{said}." if ours else f"{where}: {said}.") from error


def read_persona(path: Path) -> Persona:
    """Read `persona.toml`."""
    # Pages tell it too, and where a server keeps its files is nobody's business.
    shown = f"{path.parent.name}/{path.name}"
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        version = said.get("schema_version", SCHEMA)
        if isinstance(version, int) and version > SCHEMA:
            raise UserError(f"{shown} was written by a newer Zoetrope; update Zoetrope to read it.")
        return Persona.model_validate(said)
    except OSError as error:
        raise UserError(f"{shown} could not be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{shown} is not readable ({_why(error)}); it was kept as it is, repair it.") from error


def _why(error: Exception) -> str:
    """The first fault, in few words."""
    if isinstance(error, ValidationError):
        where, said, _ = _first_fault(error)
        return f"{where}: {said}"
    return str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not TOML in UTF-8"


def _first_fault(error: ValidationError) -> tuple[str, str, bool]:
    """Where it is, what it is, and whether the sentence is our own, which names the value itself."""
    fault = error.errors()[0]
    said = fault["msg"].removeprefix("Value error, ")
    return ".".join(map(str, fault["loc"])), said, said != fault["msg"]


def write_persona(path: Path, persona: Persona) -> None:
    """Write `persona.toml` whole or not at all."""
    write_text_atomic(path, persona.to_toml())
