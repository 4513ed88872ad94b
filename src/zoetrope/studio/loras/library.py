"""Into the library and out of it: what a LoRA's file and sheet say is checked before anything is kept."""

import json
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.decode import open_picture
from zoetrope.media.files import read_limited
from zoetrope.media.hashing import hash_file
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.headers import read_header
from zoetrope.models.loras import LoraFile, check_fits, open_lora
from zoetrope.studio.bodies import plain
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space
from zoetrope.training.settings import LoraType
from zoetrope.wheel.persona import ConsentKind

LARGEST = 4 << 30
_LARGEST_SHEET = 1 << 20
_SPARE = 64 << 20
_WORDS = ("name", "version", "kind", "trigger", "base", "family", "rank", "licence", "consent")
# As ASCII text of JSON tells one; PostgreSQL keeps none.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class _Said(BaseModel):
    """What the library needs of a sheet; the rest of it is kept as it is."""

    model_config = ConfigDict(extra="ignore")


class Base(_Said):
    """The model it was trained on."""

    model: str = Field(max_length=100)


class Consent(_Said):
    """Why whoever it shows may be drawn."""

    kind: ConsentKind


class Sheet(_Said):
    """The half of an export pair that says what the other is."""

    name: str = Field(min_length=1, max_length=80)
    version: int = Field(default=1, ge=1, le=10**6)
    type: LoraType
    base: Base
    trigger: str = Field(default="", max_length=100)
    rank: int | None = Field(default=None, ge=1, le=10**6)
    licence: str = Field(default="", max_length=100)
    consent: Consent | None = None
    sha256: str | None = None


def path_of(lora: Lora) -> Path:
    """Its file, under the name by which engines look for it."""
    return home() / "loras" / f"{lora.sha256}.safetensors"


def card_of(lora: Lora) -> Path:
    """The model card that came with it, where one did."""
    return home() / "loras" / "cards" / f"{lora.card}.png"


def file_of(lora: Lora) -> LoraFile:
    """The file as engines take it; it was read and hashed when it came."""
    path = path_of(lora)
    if not path.is_file():
        raise UserError(
            f"The file of {lora} is missing: put {path.name} back into the data folder's loras, or upload it."
        )
    return LoraFile(path, lora.sha256, read_header(path))


def read_sheet(path: Path) -> dict[str, Any]:
    """A sheet's JSON, if a database can keep all of it."""
    try:
        said = plain(read_limited(path, _LARGEST_SHEET))
    except ValueError as error:
        raise UserError(f"{path.name} is no readable sheet of a LoRA: nothing was taken.") from error
    if not isinstance(said, dict) or _NUL.search(json.dumps(said)):
        raise UserError(f"{path.name} is no sheet of a LoRA: nothing was taken.")
    return said


def take(space: Space, source: Path, sheet: dict[str, Any], origin: Origin, persona: Persona | None = None) -> Lora:
    """Keep a copy of a LoRA; one that is there already is the same, and comes back if it was retired."""
    said = _checked(sheet)
    lora = open_lora(source)
    if said.sha256 not in (None, lora.sha256):
        raise UserError(f"{source.name} is not what its sheet tells of: their hashes differ, and nothing was taken.")
    model = Catalogue().find(said.base.model)
    check_fits(lora, model.family, model.folder, model.name)
    _copy(source, home() / "loras" / f"{lora.sha256}.safetensors")
    values = {name: getattr(said, name) for name in ("name", "version", "trigger", "rank", "licence")}
    values |= {"kind": said.type.value, "base": model.name, "family": model.family.name, "size": source.stat().st_size}
    values |= {"consent": said.consent.kind.value if said.consent else "", "sheet": sheet, "origin": origin}
    row, created = Lora.objects.get_or_create(space=space, sha256=lora.sha256, defaults=values | {"persona": persona})
    if not created:
        _again(row, values if origin is Origin.upload else {})
    if persona and is_orphan(row):
        row.persona = persona
        row.save(update_fields=["persona"])
    return row


def is_orphan(lora: Lora) -> bool:
    """Whether a workspace exported it whose persona left the space; when it is taken in again, they find each other."""
    return lora.persona_id is None and lora.origin != Origin.upload and lora.retired is None


def _again(row: Lora, values: dict[str, Any]) -> None:
    """It was there already: it comes back if it was retired, and what an upload says of it counts from now on."""
    changed = {name: values[name] for name in _WORDS if name in values and getattr(row, name) != values[name]}
    if changed and row.persona is not None:
        raise UserError(
            f"This file is in the library already: it is {row}, of which the sheet in {row.persona}'s exports tells. "
            "Nothing was changed."
        )
    if changed:
        Lora.objects.filter(pk=row.pk).update(**changed, sheet=values["sheet"])
        row.refresh_from_db()
    if row.retired:
        restore(row)


def take_card(lora: Lora, source: Path) -> None:
    """Keep the picture that shows what the LoRA draws."""
    open_picture(source)
    lora.card = hash_file(source)
    _copy(source, card_of(lora))
    Lora.objects.filter(pk=lora.pk).update(card=lora.card)


def retire(lora: Lora) -> None:
    """Out of sight and off every persona; its file stays for what was drawn with it."""
    lora.worn.all().delete()
    Lora.objects.filter(pk=lora.pk).update(retired=timezone.now())


def restore(lora: Lora) -> None:
    """Back into the library."""
    Lora.objects.filter(pk=lora.pk).update(retired=None)
    lora.retired = None


def _checked(sheet: dict[str, Any]) -> Sheet:
    try:
        return Sheet.model_validate(sheet)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])[:60]
        raise UserError(f"What is said of the LoRA will not do: {where}: {fault['msg'].lower()}.") from error


def _copy(source: Path, target: Path) -> None:
    """Whole or not at all, and durable; what lies there under a hash's name is that already."""
    if target.is_file() and target.stat().st_size == source.stat().st_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(target.parent).free < source.stat().st_size + _SPARE:
        raise UserError(f"The disk has no room for {source.name}: make some, then try again. Nothing was taken.")
    own = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with source.open("rb") as read, own.open("xb") as written:
            shutil.copyfileobj(read, written, 1 << 20)
            written.flush()
            os.fsync(written.fileno())
        os.replace(own, target)
    except OSError as error:
        raise UserError(f"{source.name} could not be kept ({error.strerror}); nothing was changed.") from error
    finally:
        own.unlink(missing_ok=True)
