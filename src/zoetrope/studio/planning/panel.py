"""A persona's home page: how its pillars stand."""

from typing import Any

from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.panels import Need, Step, Stop
from zoetrope.studio.planning.pillars import MOST_PILLARS
from zoetrope.studio.planning.standing import thinnest
from zoetrope.studio.spaces.here import Place

_SHOWN = 5


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """The thinnest first, and how many lack pictures that nothing is being done about."""
    every = thinnest(persona, MOST_PILLARS)
    gaps = sum(gap.gap > coming for _, gap, coming in every)
    filling = sum(coming for _, _, coming in every)
    otherwise = f"{filling} being filled" if filling else "no gap" if every else "no pillar"
    told = f"{gaps} gap{pluralize(gaps)}" if gaps else otherwise
    need = Need.WAITS if gaps else Need.NONE if every else Need.CAN
    step = Step(Stop.GAPS, told, reverse("plan", args=[place.space.slug, persona.name]), need)
    return {"thinnest": every[:_SHOWN], "steps": [step]}
