"""A persona's home page: its newest runs, how many draw, and how many wait for votes."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.panels import Need, Step, Stop
from zoetrope.studio.pipelines.models import Candidate, Gate, Run
from zoetrope.studio.pipelines.telling import coming, standing
from zoetrope.studio.spaces.here import Place

_NEWEST = 4
# Of the runs at work so many are counted, those first that wait longest: nobody votes on more.
_COUNTED = 100


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """Each with where it stands."""
    rows = Run.objects.filter(persona=persona).select_related("version__pipeline", "winner__made")[:_NEWEST]
    on_their_way = coming(list(rows))
    return {"listed": [(run, standing(run, on_their_way)) for run in rows], "steps": _steps(place, persona)}


def _steps(place: Place, persona: Persona) -> list[Step]:
    """What draws, and what waits for people; of these, the run that waits longest is opened."""
    running = Run.objects.filter(persona=persona, state=Run.State.RUNNING).order_by("pk")
    rows = list(running.values_list("pk", "wake")[:_COUNTED])
    quiet = [key for key, wake in rows if wake is None]
    waiting, still = _asleep(quiet)
    drawing = len(rows) - len(quiet) + still
    space, more = place.space.slug, "+" if len(rows) == _COUNTED else ""
    draws = f"{drawing}{more} run{pluralize(drawing)} drawing" if drawing else "nothing drawing"
    votes = f"{len(waiting)}{more} waiting for votes" if waiting else "no votes waiting"
    there = reverse("vote", args=[space, waiting[0]]) if waiting else reverse("runs", args=[space])
    return [
        Step(Stop.GENERATE, draws, reverse("runs" if drawing else "pipelines", args=[space])),
        Step(Stop.VOTE, votes, there, Need.WAITS if waiting else Need.NONE),
    ]


def _asleep(runs: list[int]) -> tuple[list[int], int]:
    """Of runs for which nothing more is to be asked: those with pictures to choose between, how many still draw."""
    there = Candidate.objects.filter(run__in=runs, state__in=(Candidate.State.ACTIVE, Candidate.State.PENDING))
    # Not asked beside each run: PostgreSQL would first list the drawn pictures of all that there are.
    counted = list(there.order_by().values_list("run", "step", "state").annotate(count=Count("pk")))
    past = set(Gate.objects.filter(run__in=runs, undone=None).values_list("run", "step"))
    drawing = {run for run, _, state, _ in counted if state == Candidate.State.PENDING}
    chosen = {run for run, step, _, count in counted if count > 1 and (run, step) not in past} - drawing
    return [key for key in runs if key in chosen], len(drawing)
