"""A persona's home page: its newest runs, how many draw, and how many wait for votes."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.panels import Need, Step, Stop
from zoetrope.studio.pipelines.models import Candidate, Run
from zoetrope.studio.pipelines.telling import standing
from zoetrope.studio.spaces.here import Place

_NEWEST = 4
# Of the runs at work so many are counted, those first that wait longest: nobody votes on more.
_COUNTED = 200


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """Each with where it stands."""
    rows = Run.objects.filter(persona=persona).select_related("version__pipeline", "winner__made")[:_NEWEST]
    return {"listed": [(run, standing(run)) for run in rows], "steps": _steps(place, persona)}


def _steps(place: Place, persona: Persona) -> list[Step]:
    """What draws, and what waits for people; of these, the run that waits longest is opened."""
    drawn = Exists(Candidate.objects.filter(run=OuterRef("pk"), state=Candidate.State.ACTIVE))
    running = Run.objects.filter(persona=persona, state=Run.State.RUNNING).order_by("pk")
    rows = running.values_list("pk", "wake", drawn)[:_COUNTED]
    drawing = sum(wake is not None for _, wake, _ in rows)
    waiting = [key for key, wake, shown in rows if shown and wake is None]
    space, more = place.space.slug, "+" if len(rows) == _COUNTED else ""
    draws = f"{drawing}{more} run{pluralize(drawing)} drawing" if drawing else "nothing drawing"
    votes = f"{len(waiting)}{more} waiting for votes" if waiting else "no votes waiting"
    there = reverse("vote", args=[space, waiting[0]]) if waiting else reverse("runs", args=[space])
    return [
        Step(Stop.GENERATE, draws, reverse("runs" if drawing else "pipelines", args=[space])),
        Step(Stop.VOTE, votes, there, Need.WAITS if waiting else Need.NONE),
    ]
