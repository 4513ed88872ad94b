"""The workshop's pages."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.bodies import body_of
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making.pictures import sent
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role
from zoetrope.studio.spaces.work import log_of, scope_of
from zoetrope.studio.workshop import checkpoints, gate, shelf, steps, words
from zoetrope.studio.workshop import turns as wheel
from zoetrope.studio.workshop.forms import TurnForm
from zoetrope.studio.workshop.panel import next_step
from zoetrope.studio.workshop.uploads import take
from zoetrope.wheel.events import Reason
from zoetrope.wheel.state import Decision, Entry

_A_PAGE = 60


@require_GET
@in_space()
def picture(request: HttpRequest, place: Place, persona: str, sha256: str, side: int) -> HttpResponseBase:
    """One picture, small or as it is."""
    workspace = workspace_of(persona_of(place, persona))
    return sent(request, workspace.path(shelf.entry_of(workspace, sha256)), sha256, side)


@require_GET
@in_space()
def face(request: HttpRequest, place: Place, persona: str, side: int) -> HttpResponse:
    """Who it is at a glance: a picture that was kept, or the studio's mark before there is one."""
    shown = shelf.face(workspace_of(persona_of(place, persona)))
    if shown is None:
        return redirect(static("studio/mark.svg"))
    return redirect("picture", place.space.slug, persona, shown.sha256, side)


@in_space()
def sources(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """The sources, and a place to drop more."""
    found = persona_of(place, persona)
    workspace = workspace_of(found)
    if request.method == "POST":
        place.ask(Role.reviewer)
        taken = take(workspace, request.FILES.getlist("files"))
        messages.success(request, taken.told())
        return redirect("sources", place.space.slug, found.name)
    entries = shelf.sources(workspace)
    said = {"persona": found, "coverage": shelf.coverage(workspace), "step": steps.last(workspace)}
    return render(request, "workshop/sources.html", said | _paged(request, entries))


@in_space()
def captions(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Every picture with its words; what is wrong with them, and which words there are."""
    found = persona_of(place, persona)
    workspace = workspace_of(found)
    if request.method == "POST":
        place.ask(Role.reviewer)
        sha256, text = request.POST.get("sha256", ""), request.POST.get("text", "")
        entry = words.write(workspace, sha256, text, member(request).username)
        told = _words(found, words.read(workspace)) | {"fault": words.fault(workspace.persona, entry)}
        return render(request, "workshop/caption_saved.html", told | {"step": steps.last(workspace)})
    read = words.read(workspace)
    paged, who = _paged(request, read.entries), workspace.persona
    rows = [(entry, words.fault(who, entry)) for entry in paged["entries"]]
    told = _words(found, read) | paged | {"rows": rows, "step": steps.last(workspace)}
    return render(request, "workshop/captions.html", told)


def _words(persona: Persona, read: words.Words) -> dict[str, Any]:
    return {"persona": persona, "remarks": read.remarks, "tags": read.tags.items(), "more": read.more}


@require_GET
@in_space()
def review(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """The gate: one picture at a time and one key a decision, or many at once."""
    found = persona_of(place, persona)
    state = workspace_of(found).state()
    waiting = state.of(Decision.waiting)
    shown = [gate.told(entry) for entry in waiting[: gate.MOST]]
    said = {"persona": found, "waiting": shown, "left": len(waiting), "reasons": [*Reason]}
    return render(request, "workshop/review.html", said)


@require_POST
@in_space(Role.reviewer)
def decide(request: HttpRequest, place: Place, persona: str) -> JsonResponse:
    """Record decisions, or take one back; what is still left is told."""
    workspace = workspace_of(persona_of(place, persona))
    return JsonResponse(gate.decide(workspace, _body(request), member(request).username))


@require_POST
@in_space(Role.reviewer)
def undo(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Take back the step that the page named, which must still be the last."""
    words = steps.undo(workspace_of(persona_of(place, persona)), request.POST.get("step", ""))
    messages.info(request, f"Taken back: {words}.")
    back = request.POST.get("next", "")
    return redirect(back if back in ("sources", "captions") else "persona", place.space.slug, persona)


@in_space()
def turns(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """The rounds so far, the turn in hand with its curve, and the button that starts one."""
    found = persona_of(place, persona)
    if request.method == "POST":
        place.ask(Role.owner)
        if round_ := request.POST.get("checkpoints", ""):
            return _to_compare(request, place, found, round_)
        form = TurnForm(request.POST)
        if not form.is_valid():
            raise UserError(f"The turn was not started: {form.told()}")
        wheel.start(found, anyway=request.POST.get("anyway") == "1", **form.cleaned_data)
        return redirect("turns", place.space.slug, found.name)
    workspace = workspace_of(found)
    state, job = workspace.state(), wheel.last(found)
    said: dict[str, Any] = {"persona": found, "job": job, "running": job is not None and job.state not in jobs.ENDED}
    said |= {"curve": wheel.curve(workspace, state.round), "rounds": wheel.rounds(workspace), "next": next_step(state)}
    said |= {"samples": wheel.samples(workspace, state.round), "scenes": wheel.card_so_far(workspace, state.round)}
    said |= {
        "log": log_of(place, job) if job else "",
        "gate": wheel.waits_for(workspace),
        "alarm": wheel.alarm(workspace),
        "form": TurnForm(),
        "number": state.round,
        "since": jobs.overview(scope_of(place.space), states=(), limit=1).cursor,
    }
    part = request.headers.get("HX-Request") and "workshop/turn_now.html"
    said |= {"kept": any(each["checkpoints"] for each in said["rounds"])}
    return render(request, part or "workshop/turns.html", said)


def _to_compare(request: HttpRequest, place: Place, persona: Persona, number: str) -> HttpResponse:
    brought = checkpoints.bring(persona, int(number) if number.isdecimal() and len(number) < 9 else 0)
    messages.success(request, f"{len(brought)} checkpoints are in the library: choose which to compare.")
    return redirect("comparisons", place.space.slug, persona.name)


@require_GET
@in_space()
def turn_sample(request: HttpRequest, place: Place, persona: str, number: int, name: str) -> HttpResponseBase:
    """A picture that a round's training drew along the way."""
    return shelf.handed(wheel.sample_file(workspace_of(persona_of(place, persona)), number, name), "image/png")


@require_GET
@in_space()
def card(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Two cards side by side: any version beside any other, or beside the base."""
    found = persona_of(place, persona)
    said = shelf.cards(workspace_of(found), request.GET.get("left", ""), request.GET.get("right", ""))
    return render(request, "workshop/card.html", {"persona": found, **said})


@require_GET
@in_space()
def card_picture(request: HttpRequest, place: Place, persona: str, number: int, scene: str) -> HttpResponseBase:
    """One scene of a round's card."""
    return shelf.handed(shelf.card_picture(workspace_of(persona_of(place, persona)), number, scene), "image/png")


@require_GET
@in_space()
def exports(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """The versions, to take away."""
    found = persona_of(place, persona)
    return render(request, "workshop/exports.html", {"persona": found, "versions": shelf.exports(workspace_of(found))})


@require_GET
@in_space()
def export(request: HttpRequest, place: Place, persona: str, name: str) -> HttpResponseBase:
    """One exported file."""
    return shelf.handed(shelf.export_file(workspace_of(persona_of(place, persona)), name))


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        said = body_of(request)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}


def _paged(request: HttpRequest, entries: list[Entry]) -> dict[str, Any]:
    """One page of pictures, and where the next begins."""
    text = request.GET.get("from", "0")
    start = int(text) if text.isdecimal() and len(text) < 9 else 0
    following = start + _A_PAGE if start + _A_PAGE < len(entries) else None
    before = max(0, start - _A_PAGE) if start else None
    return {
        "entries": entries[start : start + _A_PAGE],
        "total": len(entries),
        "following": following,
        "before": before,
    }
