"""A persona's home page: its newest runs, how many draw, and how many wait for votes."""

from typing import Any

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
_COUNTED = 100


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """Each with where it stands."""
    rows = Run.objects.filter(persona=persona).select_related("version__pipeline", "winner__made")[:_NEWEST]
    return {"listed": [(run, standing(run)) for run in rows], "steps": _steps(place, persona)}


def _steps(place: Place, persona: Persona) -> list[Step]:
    """What draws, and what waits for people; of these, the run that waits longest is opened."""
    running = Run.objects.filter(persona=persona, state=Run.State.RUNNING).order_by("pk")
    rows = list(running.values_list("pk", "wake")[:_COUNTED])
    waiting = _drawn([key for key, wake in rows if wake is None])
    drawing = sum(wake is not None for _, wake in rows)
    space, more = place.space.slug, "+" if len(rows) == _COUNTED else ""
    draws = f"{drawing}{more} run{pluralize(drawing)} drawing" if drawing else "nothing drawing"
    votes = f"{len(waiting)}{more} waiting for votes" if waiting else "no votes waiting"
    there = reverse("vote", args=[space, waiting[0]]) if waiting else reverse("runs", args=[space])
    return [
        Step(Stop.GENERATE, draws, reverse("runs" if drawing else "pipelines", args=[space])),
        Step(Stop.VOTE, votes, there, Need.WAITS if waiting else Need.NONE),
    ]


def _drawn(runs: list[int]) -> list[int]:
    """Those of them with a picture to vote on."""
    shown = Candidate.objects.filter(run__in=runs, state=Candidate.State.ACTIVE)
    # Not asked beside each run: PostgreSQL would first list the drawn pictures of all that there are.
    found = set(shown.order_by().values_list("run", flat=True).distinct())
    return [key for key in runs if key in found]
