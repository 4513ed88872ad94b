"""A persona's home page: its newest runs."""

from typing import Any

from django.http import HttpRequest

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Run
from zoetrope.studio.pipelines.telling import standing
from zoetrope.studio.spaces.here import Place

_NEWEST = 4


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """Each with where it stands."""
    rows = Run.objects.filter(persona=persona).select_related("version__pipeline", "winner__made")[:_NEWEST]
    return {"listed": [(run, standing(run)) for run in rows]}
