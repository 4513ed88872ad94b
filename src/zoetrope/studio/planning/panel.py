"""A persona's home page: how its pillars stand."""

from typing import Any

from django.http import HttpRequest

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.standing import thinnest
from zoetrope.studio.spaces.here import Place

_SHOWN = 5


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """The thinnest first."""
    return {"thinnest": thinnest(persona, _SHOWN)}
