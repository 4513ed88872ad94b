"""The page on which people choose, and what it asks the site."""

from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.studio.pipelines.models import Candidate, Gate, Run
from zoetrope.studio.pipelines.telling import Stage, stages
from zoetrope.studio.pipelines.views import run_of
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role, User
from zoetrope.studio.voting import bodies, casting
from zoetrope.studio.voting.heats import SIZES, heat
from zoetrope.studio.voting.models import Vote

# The screen in front of the voter, and the one behind it.
_SCREENS = 2


def stage_of(run: Run) -> Stage:
    """What is voted on: the newest step with pictures."""
    candidates = list(
        run.candidates.select_related("step").only("run", "step", "state", "made", "gate", "children", "failures")
    )
    begun = [stage for stage in stages(run, candidates) if stage.drawn]
    if not begun:
        raise Http404("This run has no pictures yet.")
    return begun[-1]


@require_GET
@in_space()
def vote(request: HttpRequest, place: Place, run: int) -> HttpResponse:
    """Screens of a run's newest step, blind."""
    found = run_of(place, run)
    stage = stage_of(found)
    if found.state == Run.State.DONE:
        messages.info(request, f"{found} has its winner: choose again there, if it is not the one.")
        return redirect("run", place.space.slug, found.pk)
    size = 2 if request.GET.get("size") == "2" else max(SIZES)
    now = heat(found, stage.step)
    told = bodies.told(now, member(request).pk, size, [], _SCREENS)
    said: dict[str, Any] = {"run": found, "persona": found.persona, "stage": stage, "told": told, "size": size}
    return render(request, "voting/vote.html", said)


@require_POST
@in_space(Role.reviewer)
def answer(request: HttpRequest, place: Place, run: int) -> JsonResponse:
    """Take an answer or take one back; what comes after the screens that are on their way."""
    return JsonResponse(answered(run_of(place, run), member(request), bodies.said(request.body)))


def answered(run: Run, by: User, said: bodies.Said) -> dict[str, Any]:
    """What an answer comes to, and the screen that was taken back if one was."""
    steps = {step.pk: step for step in run.version.steps.all()}
    # The next step's first picture may have come while the voter looked.
    step = steps.get(said.step or 0) or stage_of(run).step
    if said.kind == Vote.Kind.UNDO:
        back, now = casting.take_back(run, step, by)
        again = [now.candidates[now.places[key]] for key in back.members if key in now.places]
        return bodies.told(now, by.pk, said.size, said.ahead) | {"back": bodies.shown(again)}
    now = casting.cast(run, step, said.kind, said.members, said.chosen, by, said.milliseconds)
    return bodies.told(now, by.pk, said.size, said.ahead)


@require_GET
@in_space()
def anywhere(request: HttpRequest, place: Place) -> HttpResponse:
    """To the run that has waited longest for votes."""
    waiting = Run.objects.filter(space=place.space, state=Run.State.RUNNING, wake=None).order_by("pk")
    # Asked of each run in turn: a list of all that is drawn would be made before the first is looked at.
    there = Candidate.objects.filter(run=OuterRef("pk"))
    past = Exists(Gate.objects.filter(run=OuterRef("run"), step=OuterRef("step"), undone=None))
    two = Exists(there.filter(~past, state=Candidate.State.ACTIVE)[1:2])
    run = waiting.filter(two).exclude(Exists(there.filter(state=Candidate.State.PENDING))).first()
    return redirect("vote", place.space.slug, run.pk) if run else redirect("runs", place.space.slug)
