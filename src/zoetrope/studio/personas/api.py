"""Personas, for programs."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import ValidationInfo, model_validator

from zoetrope.studio.files import Handed
from zoetrope.studio.personas.models import Drawing, Persona, Voice, checked
from zoetrope.studio.personas.workspaces import (
    adopt,
    begin,
    consent_document,
    drawing_of,
    forget,
    mirror,
    strays,
    told_persona,
)
from zoetrope.studio.spaces.api import Name, Said, Text, asked_place, sends
from zoetrope.studio.spaces.here import Place
from zoetrope.studio.spaces.models import Role

router = Router(tags=["personas"])


class PersonaOut(Schema):
    """A persona as the studio knows it."""

    name: str
    title: str
    about: str
    kind: str
    trigger: str
    base: str
    voice: Voice
    drawing: Drawing


class SaidInForm(Said):
    """The same in a form, of which only the known names would be looked at."""

    @model_validator(mode="before")
    @classmethod
    def _no_other(cls, said: Any, about: ValidationInfo) -> Any:
        sent = set(about.context["request"].POST) - {"csrfmiddlewaretoken"} if about.context else set()
        if strangers := sorted(sent - cls.model_fields.keys()):
            raise ValueError(f"{strangers[0]!a:.60} is not known here")
        return said


class PersonaIn(Said):
    """Who is to be made; a granted consent comes with its document, as `make_granted_persona` takes it."""

    name: str
    title: Name
    kind: str
    base: str
    consent: str
    trigger: str = ""
    looks: str = ""


class GrantedIn(PersonaIn, SaidInForm):
    """The same as a form, with the signed document beside it."""


class StrayIn(Said):
    """A workspace's folder, as `list_strays` tells it."""

    folder: str


class ForgottenOut(Schema):
    """What a persona that was taken out leaves: its folder in the data folder's `personas/`, with every file."""

    folder: str


class PersonaChange(Said):
    """What is to be said otherwise; what is left away stays, also within `voice` and `drawing`."""

    title: Name | None = None
    about: Text | None = None
    voice: Voice | None = None
    drawing: Drawing | None = None


def _out(persona: Persona) -> PersonaOut:
    plain = {name: getattr(persona, name) for name in ("name", "title", "about", "kind", "trigger", "base")}
    return PersonaOut(**plain, voice=persona.said_voice, drawing=persona.said_drawing)


@router.get("/spaces/{space}/personas", response=list[PersonaOut])
def list_personas(request: HttpRequest, space: str) -> list[PersonaOut]:
    """A space's personas."""
    return [_out(persona) for persona in asked_place(request, space).space.personas.all()]


@router.post("/spaces/{space}/personas", response={201: PersonaOut})
def make_persona(request: HttpRequest, space: str, said: PersonaIn) -> Status[PersonaOut]:
    """Begin a persona."""
    place = asked_place(request, space, Role.owner)
    return Status(201, _out(_begun(place, said)))


def _begun(place: Place, said: PersonaIn, document: UploadedFile | None = None) -> Persona:
    told = told_persona(said.name, said.kind, said.trigger, said.base, said.consent, said.looks)
    return begin(place.space, told, said.title, document)


@router.post("/spaces/{space}/granted-personas", response={201: PersonaOut})
def make_granted_persona(
    request: HttpRequest, space: str, said: Form[GrantedIn], document: File[UploadedFile]
) -> Status[PersonaOut]:
    """Begin a persona who allowed it, with the signed document."""
    return Status(201, _out(_begun(asked_place(request, space, Role.owner), said, document)))


@router.get("/spaces/{space}/strays", response=list[str])
def list_strays(request: HttpRequest, space: str) -> list[str]:
    """Workspaces that the command line began and no space holds."""
    asked_place(request, space, Role.owner)
    return strays()


@router.post("/spaces/{space}/strays", response={201: PersonaOut})
def adopt_stray(request: HttpRequest, space: str, said: StrayIn) -> Status[PersonaOut]:
    """Take such a workspace in."""
    return Status(201, _out(adopt(asked_place(request, space, Role.owner).space, said.folder)))


@router.get("/spaces/{space}/personas/{persona}", response=PersonaOut)
def one_persona(request: HttpRequest, space: str, persona: str) -> PersonaOut:
    """One persona."""
    place = asked_place(request, space)
    return _out(mirror(get_object_or_404(Persona, space=place.space, name=persona)))


@router.patch("/spaces/{space}/personas/{persona}", response=PersonaOut)
def change_persona(request: HttpRequest, space: str, persona: str, said: PersonaChange) -> PersonaOut:
    """Say some of it otherwise."""
    place = asked_place(request, space, Role.owner)
    found = get_object_or_404(Persona, space=place.space, name=persona)
    for name, value in said.model_dump(exclude_unset=True, mode="json").items():
        if value is not None:
            setattr(found, name, _merged(found, name, value))
    # The settings were checked as they came in, and Django takes an empty one for a missing one.
    found.full_clean(exclude=["voice", "drawing", "consent"])
    found.save()
    return _out(found)


def _merged(persona: Persona, name: str, value: Any) -> Any:
    """Of settings, what was said goes before what there is."""
    if name == "drawing":
        return drawing_of(persona, persona.drawing | value)
    return checked(Voice, persona.voice | value) if name == "voice" else value


@router.delete("/spaces/{space}/personas/{persona}", response=ForgottenOut)
def forget_persona(request: HttpRequest, space: str, persona: str) -> ForgottenOut:
    """Take a persona out of the space; no file is deleted, and `adopt_stray` takes its folder in again."""
    place = asked_place(request, space, Role.owner)
    return ForgottenOut(folder=forget(get_object_or_404(Persona, space=place.space, name=persona)))


@router.get("/spaces/{space}/personas/{persona}/consent", openapi_extra=sends("application/octet-stream"))
def consent_file(request: HttpRequest, space: str, persona: str) -> Handed:
    """The document of a granted consent."""
    place = asked_place(request, space, Role.owner)
    path = consent_document(get_object_or_404(Persona, space=place.space, name=persona))
    return Handed(path.open("rb"), as_attachment=True, filename=path.name)
