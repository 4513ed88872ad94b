"""A persona's home page: what it draws with, and the newest of what was drawn."""

from typing import Any

from django.http import HttpRequest

from zoetrope.studio.making.models import Made
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.here import Place

_NEWEST = 8


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """Its LoRAs, the primary first, and pictures."""
    worn = list(persona.worn.select_related("lora"))
    return {"worn": worn, "made": list(Made.objects.filter(persona=persona)[:_NEWEST])}
