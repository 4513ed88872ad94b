"""The plan of a persona: its gaps, its pillars, ideas for what is missing."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.planning import filling, forms, ideas, pillars
from zoetrope.studio.planning.asked import key, key_or_none
from zoetrope.studio.planning.models import Idea, Pillar
from zoetrope.studio.planning.rhythm import rhythm_of, set_rhythm, today
from zoetrope.studio.planning.standing import Standing, outlook
from zoetrope.studio.planning.words import lasting
from zoetrope.studio.polling import followed
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_A_PAGE, _IDEAS = 24, 12
_MOVES = {"reject": Idea.State.REJECTED, "restore": Idea.State.PENDING}


def pillar_of(persona: Persona, pillar: int) -> Pillar:
    """One of the persona's pillars."""
    return get_object_or_404(Pillar.objects.select_related("persona__space"), pk=pillar, persona=persona)


def idea_of(persona: Persona, idea: int) -> Idea:
    """One of the persona's ideas."""
    return get_object_or_404(Idea.objects.select_related("pillar__persona__space"), pk=idea, persona=persona)


def standing_of(persona: Persona, pillar: int) -> Standing:
    """How one of today's pillars stands."""
    found = next((each for each in outlook(persona).standings if each.pillar.pk == pillar), None)
    if found is None:
        raise Http404("There is no such pillar today.")
    return found


@require_GET
@in_space()
def plan(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """What is missing where, when it runs dry, and how it is made."""
    found = persona_of(place, persona)
    pipelines = filling.offered(place.space)
    seen = outlook(found, next(iter(pipelines), None))
    needs = [(each, None if each.ahead.seconds is None else lasting(each.ahead.seconds)) for each in seen.standings]
    said: dict[str, Any] = {"persona": found, "seen": seen, "needs": needs, "pipelines": pipelines}
    return render(request, "planning/plan.html", said | {"most": filling.MOST_AT_ONCE})


@require_POST
@in_space(Role.reviewer)
def make(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Start what a pillar lacks."""
    found = persona_of(place, persona)
    standing = standing_of(found, key(request, "pillar"))
    chosen = filling.chosen(place.space, key_or_none(request, "pipeline"))
    started = filling.make(standing, chosen, member(request))
    if len(started) == 1:
        messages.success(request, f"Its winner goes to {standing.pillar} by itself.")
        return redirect("run", place.space.slug, started[0].pk)
    messages.success(request, f"{len(started)} runs were started; their winners go to {standing.pillar} by themselves.")
    return redirect("plan", place.space.slug, found.name)


@in_space()
def all_pillars(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """What a persona posts about, and in which rhythm; one is added."""
    found = persona_of(place, persona)
    form = forms.PillarForm(request.POST or None, initial={"weight": min(25, _left(pillars.active(found)))})
    if request.method == "POST":
        place.ask(Role.owner)
        if form.is_valid():
            try:
                added = pillars.add(found, form.said())
            except UserError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"{added} is a pillar of {found} now.")
                return redirect("pillars", place.space.slug, found.name)
    return _pillars(request, found, form)


@in_space(Role.owner)
@require_POST
def rhythm(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Post in another rhythm."""
    found = persona_of(place, persona)
    form = forms.RhythmForm(request.POST)
    if form.is_valid():
        try:
            set_rhythm(found, form.said())
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("pillars", place.space.slug, found.name)
    return _pillars(request, found, forms.PillarForm(), form)


def _pillars(
    request: HttpRequest, persona: Persona, form: forms.PillarForm, rhythm: forms.RhythmForm | None = None
) -> HttpResponse:
    row = rhythm_of(persona)
    active, day = pillars.active(persona), today(row)
    said: dict[str, Any] = {"persona": persona, "form": form, "row": row, "today": day, "left": _left(active)}
    said |= {"rhythm": rhythm or forms.RhythmForm(initial=forms.rhythm_said(row)), "zones": forms.zone_options()}
    said |= {"listed": [(each, each.current(day)) for each in active], "bar": _bar(active)}
    said |= {"retired": list(Pillar.objects.filter(persona=persona).exclude(retired=None)[:_A_PAGE])}
    bad = form.errors or (rhythm and rhythm.errors)
    return render(request, "planning/pillars.html", said, status=422 if bad else 200)


def _left(active: list[Pillar]) -> int:
    return pillars.WHOLE - sum(each.weight for each in active)


def _bar(active: list[Pillar]) -> list[tuple[Pillar, int]]:
    """Each with where its part of the bar begins."""
    starts, found = 0, []
    for each in active:
        found.append((each, starts))
        starts += each.weight
    return found


@in_space(Role.owner)
def one_pillar(request: HttpRequest, place: Place, persona: str, pillar: int) -> HttpResponse:
    """Say a pillar otherwise."""
    found = persona_of(place, persona)
    row = pillar_of(found, pillar)
    form = forms.PillarForm(request.POST or None, initial=forms.pillar_said(row))
    if request.method == "POST" and form.is_valid():
        try:
            pillars.change(row, form.said())
        except UserError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{row} is saved.")
            return redirect("pillars", place.space.slug, found.name)
    said = {"persona": found, "pillar": row, "form": form, "clusters": row.clusters.filter(gone=None)[:_A_PAGE]}
    return render(request, "planning/pillar.html", said, status=422 if form.errors else 200)


@require_POST
@in_space(Role.owner)
def act_on_pillar(request: HttpRequest, place: Place, persona: str, pillar: int) -> HttpResponse:
    """Retire a pillar, or bring it back."""
    found = persona_of(place, persona)
    row = pillar_of(found, pillar)
    do = request.POST.get("do", "")
    if do == "retire":
        pillars.retire(row)
        messages.info(request, f"{row} is retired; its posts and clusters stay, and it can be brought back.")
    elif do == "restore":
        pillars.restore(row)
        messages.success(request, f"{row} is planned for again.")
    else:
        raise UserError("A pillar can be retired or brought back; nothing was changed.")
    return redirect("pillars", place.space.slug, found.name)


@in_space()
def all_ideas(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """What could be drawn; more is thought of."""
    found = persona_of(place, persona)
    if request.method == "POST":
        place.ask(Role.reviewer)
        ideas.ask(found)
        return redirect("ideas", place.space.slug, found.name)
    state = request.GET.get("state", Idea.State.PENDING.value)
    state = state if state in Idea.State.values else Idea.State.PENDING.value
    rows = Idea.objects.filter(persona=found, state=state).select_related("pillar", "run")
    page = Paginator(rows, _IDEAS).get_page(request.GET.get("page"))
    said: dict[str, Any] = {"persona": found, "page": page, "state": state, "states": Idea.State.values}
    said |= {"job": ideas.under_way(found), "pipelines": filling.offered(place.space)}
    return followed(request, "planning/ideas.html", "planning/ideas_now.html", said, said["job"] is not None)


@require_POST
@in_space(Role.reviewer)
def act_on_idea(request: HttpRequest, place: Place, persona: str, idea: int) -> HttpResponse:
    """Have it drawn, reject it, bring it back."""
    found = persona_of(place, persona)
    row = idea_of(found, idea)
    do = request.POST.get("do", "")
    if do == "accept":
        chosen = filling.chosen(place.space, key_or_none(request, "pipeline"))
        run = filling.accept(row, chosen, member(request), request.POST.get("prompt"))
        messages.success(request, f"Its winner goes to {row.pillar} by itself.")
        return redirect("run", place.space.slug, run.pk)
    if do not in _MOVES:
        raise UserError("An idea can be drawn, rejected or brought back; nothing was changed.")
    ideas.moved(row, _MOVES[do])
    return redirect("ideas", place.space.slug, found.name)
