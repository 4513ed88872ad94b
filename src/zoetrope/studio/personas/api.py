"""Personas, for programs."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status

from zoetrope.studio.personas.models import Drawing, Persona, Voice
from zoetrope.studio.personas.workspaces import begin, mirror, told_persona
from zoetrope.studio.spaces.api import asked_place
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


class PersonaIn(Schema):
    """Who is to be made; a granted consent needs its document and so the page."""

    name: str
    title: str
    kind: str
    base: str
    consent: str
    trigger: str = ""
    looks: str = ""


class PersonaChange(Schema):
    """What is to be said otherwise; what is left away stays."""

    title: str | None = None
    about: str | None = None
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
    told = told_persona(said.name, said.kind, said.trigger, said.base, said.consent, said.looks)
    return Status(201, _out(begin(place.space, told, said.title[:80])))


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
    for name, value in said.model_dump(exclude_none=True, mode="json").items():
        setattr(found, name, value)
    # The settings were checked as they came in, and Django takes an empty one for a missing one.
    found.full_clean(exclude=["voice", "drawing", "consent"])
    found.save()
    return _out(found)
