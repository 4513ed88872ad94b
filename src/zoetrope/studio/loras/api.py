"""The library and what is tried with it, for programs."""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Field, File, Form, Query, Router, Schema, Status, UploadedFile

from zoetrope.studio.bodies import Key
from zoetrope.studio.loras.forms import MOST_AT_ONCE
from zoetrope.studio.loras.handing import handed
from zoetrope.studio.loras.library import restore, retire
from zoetrope.studio.loras.models import Lora, Worn
from zoetrope.studio.loras.trying import try_out
from zoetrope.studio.loras.uploads import take_upload
from zoetrope.studio.loras.wearing import STRONGEST, take_off, wear
from zoetrope.studio.making.api import OrderOut, order_out
from zoetrope.studio.personas.api import SaidInForm
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.api import Said, asked_place, sends
from zoetrope.studio.spaces.here import member
from zoetrope.studio.spaces.models import Role

router = Router(tags=["loras"])
_A_PAGE = 100


class LoraOut(Schema):
    """A LoRA of the library."""

    id: int
    name: str
    version: int
    kind: str
    trigger: str
    base: str
    family: str
    rank: int | None
    consent: str
    licence: str
    sha256: str
    size: int
    origin: str
    created: datetime
    retired: datetime | None


class LoraIn(SaidInForm):
    """What an uploaded LoRA's sheet would say."""

    name: str = Field(min_length=1, max_length=80)
    version: int = 1
    type: str
    base: str
    trigger: str = ""
    consent: str = ""


class WornIn(Schema):
    """How strongly a persona draws with it."""

    weight: float = Field(1.0, ge=-STRONGEST, le=STRONGEST)
    primary: bool = False


class WornOut(Schema):
    """A LoRA that a persona draws with."""

    lora: LoraOut
    weight: float
    primary: bool


class Use(Said):
    """A LoRA of the library and its weight, for a drawing."""

    lora: Key
    weight: float = Field(1.0, ge=-STRONGEST, le=STRONGEST)


class TryIn(Said):
    """What to draw; what is left away is the model's own default."""

    prompt: str = Field(min_length=1, max_length=2000)
    model: str
    negative_prompt: str = Field("", max_length=2000)
    count: int = Field(1, ge=1, le=MOST_AT_ONCE)
    seed: int = Field(0, ge=0, le=2**62)
    steps: int | None = Field(None, ge=1, le=1000)
    true_guidance: float | None = Field(None, ge=0, le=100)
    width: int | None = Field(None, ge=16, le=4096)
    height: int | None = Field(None, ge=16, le=4096)
    persona: str | None = None
    loras: list[Use] = Field([], max_length=8)


def _lora(request: HttpRequest, space: str, lora: int, needed: Role) -> Lora:
    place = asked_place(request, space, needed)
    return get_object_or_404(Lora, pk=lora, space=place.space)


@router.get("/spaces/{space}/loras", response=list[LoraOut])
def list_loras(
    request: HttpRequest,
    space: str,
    after: int = Query(0, ge=0, lt=2**63),  # type: ignore[type-arg]
    retired: bool = False,
) -> list[Lora]:
    """The library or what was retired, the newest first, a hundred at a time; `after` is how many to leave out."""
    place = asked_place(request, space)
    return list(Lora.objects.filter(space=place.space, retired__isnull=not retired)[after : after + _A_PAGE])


@router.post("/spaces/{space}/loras", response={201: LoraOut})
def add_lora(
    request: HttpRequest,
    space: str,
    said: Form[LoraIn],
    lora: File[UploadedFile],
    card: UploadedFile | None = File(None),  # type: ignore[type-arg]  # noqa: B008
) -> Status[Lora]:
    """Upload a LoRA."""
    place = asked_place(request, space, Role.owner)
    told = said.model_dump() | {"base": {"model": said.base}}
    consent = told.pop("consent")
    told |= {"consent": {"kind": consent}} if consent else {}
    return Status(201, take_upload(place.space, lora, None, card, told))


@router.get("/spaces/{space}/loras/{lora}", response=LoraOut)
def one_lora(request: HttpRequest, space: str, lora: int) -> Lora:
    """One LoRA."""
    return _lora(request, space, lora, Role.viewer)


@router.get("/spaces/{space}/loras/{lora}/files/{kind}", openapi_extra=sends("application/octet-stream", "image/png"))
def lora_file(request: HttpRequest, space: str, lora: int, kind: Literal["safetensors", "png"]) -> HttpResponseBase:
    """Its weights, or the card that came with it."""
    return handed(_lora(request, space, lora, Role.viewer), kind)


@router.delete("/spaces/{space}/loras/{lora}", response=LoraOut)
def retire_lora(request: HttpRequest, space: str, lora: int) -> Lora:
    """Take it out of the library; its file stays for what was drawn with it."""
    found = _lora(request, space, lora, Role.owner)
    retire(found)
    found.refresh_from_db()
    return found


@router.post("/spaces/{space}/loras/{lora}/restore", response=LoraOut)
def restore_lora(request: HttpRequest, space: str, lora: int) -> Lora:
    """Bring a retired one back."""
    found = _lora(request, space, lora, Role.owner)
    restore(found)
    return found


@router.get("/spaces/{space}/personas/{persona}/loras", response=list[WornOut])
def list_worn(request: HttpRequest, space: str, persona: str) -> list[Worn]:
    """What a persona draws with, the primary first."""
    place = asked_place(request, space)
    return list(get_object_or_404(Persona, space=place.space, name=persona).worn.select_related("lora"))


@router.put("/spaces/{space}/personas/{persona}/loras/{lora}", response=WornOut)
def wear_lora(request: HttpRequest, space: str, persona: str, lora: int, said: WornIn) -> Worn:
    """Have a persona draw with a LoRA, or with another weight."""
    found = _lora(request, space, lora, Role.owner)
    wearer = get_object_or_404(Persona, space=found.space_id, name=persona)
    return wear(wearer, found, said.weight, said.primary)


@router.delete("/spaces/{space}/personas/{persona}/loras/{lora}", response={204: None})
def take_off_lora(request: HttpRequest, space: str, persona: str, lora: int) -> Status[None]:
    """Have a persona draw without it."""
    found = _lora(request, space, lora, Role.owner)
    take_off(get_object_or_404(Persona, space=found.space_id, name=persona), found)
    return Status(204, None)


@router.post("/spaces/{space}/orders", response={201: OrderOut})
def draw(request: HttpRequest, space: str, said: TryIn) -> Status[OrderOut]:
    """Have pictures drawn with any LoRAs; the order tells how it goes."""
    place = asked_place(request, space, Role.reviewer)
    persona = get_object_or_404(Persona, space=place.space, name=said.persona) if said.persona else None
    worn = [(get_object_or_404(Lora, pk=use.lora, space=place.space), use.weight) for use in said.loras]
    return Status(201, order_out(try_out(place.space, member(request), said.model_dump(), worn, persona)))
