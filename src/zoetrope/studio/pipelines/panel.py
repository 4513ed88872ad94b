"""A persona's home page: its newest runs, how many draw, and how many wait for votes."""

from typing import Any

from django.db.models import Count, Max, Q
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
    newest = list(Run.objects.filter(persona=persona).select_related("version__pipeline", "winner__made")[:_NEWEST])
    running = Run.objects.filter(persona=persona, state=Run.State.RUNNING).order_by("pk")
    rows = list(running.values_list("pk", "wake")[:_COUNTED])
    coming, choosing = _there({*(key for key, wake in rows if wake is None), *(run.pk for run in newest)})
    drawing = [key for key, wake in rows if wake is not None or key in coming]
    waiting = [key for key, _ in rows if key in choosing and key not in drawing]
    more = "+" if len(rows) == _COUNTED else ""
    steps = _steps(place.space.slug, len(drawing), waiting, more)
    return {"listed": [(run, standing(run, coming)) for run in newest], "steps": steps}


def _steps(space: str, drawing: int, waiting: list[int], more: str) -> list[Step]:
    """What draws, and what waits for people; of these, the run that waits longest is opened."""
    draws = f"{drawing}{more} run{pluralize(drawing)} drawing" if drawing else "nothing drawing"
    votes = f"{len(waiting)}{more} waiting for votes" if waiting else "no votes waiting"
    there = reverse("vote", args=[space, waiting[0]]) if waiting else reverse("runs", args=[space])
    return [
        Step(Stop.GENERATE, draws, reverse("runs" if drawing else "pipelines", args=[space])),
        Step(Stop.VOTE, votes, there, Need.WAITS if waiting else Need.NONE),
    ]


def _there(runs: set[int]) -> tuple[set[int], set[int]]:
    """Of these runs, those with a picture on its way, and those with a step of which nothing went on yet."""
    alive, pending = (Count("pk", filter=Q(state=state)) for state in (Candidate.State.ACTIVE, Candidate.State.PENDING))
    # Not asked beside each run: PostgreSQL would first list the drawn pictures of all that there are.
    steps = Candidate.objects.filter(run__in=runs).order_by().values_list("run", "step")
    rows = list(steps.annotate(alive=alive, pending=pending, gate=Max("gate")))
    coming = {run for run, _, _, pending, _ in rows if pending}
    return coming, {run for run, _, alive, _, gate in rows if alive > 1 and gate is None}
