"""Pages on which LoRAs are compared: begin one, choose blind, see what came of it."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.comparing import beginning, forms, judging
from zoetrope.studio.comparing.models import Comparison, Shot
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role, User
from zoetrope.studio.voting.bodies import Said, said

_A_PAGE = 20
# The pair in front of the voter, and the one behind it.
_SCREENS = 2


def comparison_of(place: Place, comparison: int) -> Comparison:
    """One of the space's comparisons."""
    return get_object_or_404(Comparison.objects.select_related("persona"), pk=comparison, space=place.space)


@in_space()
def comparisons(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """A persona's comparisons, and another one."""
    found = persona_of(place, persona)
    begin = {"prompts": "\n".join(beginning.proposed(found))}
    form = forms.New(request.POST or None, persona=found, initial=begin)
    if request.method == "POST":
        place.ask(Role.reviewer)
        if form.is_valid():
            try:
                lines = form.cleaned_data["prompts"].splitlines()
                made = beginning.begin(found, form.contenders(), lines, member(request))
            except UserError as error:
                form.add_error(None, str(error))
            else:
                return redirect("comparison", place.space.slug, made.pk)
    rows = found.comparisons.prefetch_related("contenders")
    page = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    status = 422 if form.errors else 200
    return render(request, "comparing/comparisons.html", {"persona": found, "form": form, "page": page}, status=status)


@require_GET
@in_space()
def one(request: HttpRequest, place: Place, comparison: int) -> HttpResponse:
    """How far it is; who is the better one, once the looker has chosen or wants to know."""
    found = comparison_of(place, comparison)
    shots, judged = judging.shots_of(found), judging.standing_judgements(found)
    there, open_pairs = judging.drawn(shots), judging.left_for(found, shots, judged, member(request))
    page: dict[str, Any] = {"comparison": found, "persona": found.persona, "drawn": len(there), "ordered": len(shots)}
    done = bool(judged) and not open_pairs
    page |= {"left": len(open_pairs), "known": done or request.GET.get("known") == "1"}
    if page["known"]:
        page |= {"result": judging.result(found, shots, judged), "rows": _rows(found, shots)}
    return render(request, "comparing/one.html", page)


def _rows(comparison: Comparison, shots: list[Shot]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Prompt by prompt, who drew what."""
    found = []
    for number, prompt in enumerate(comparison.prompts):
        mine = [shot for shot in judging.drawn(shots) if shot.prompt == number]
        found.append((prompt, [(str(shot.contender), judging.sha256_of(shot)) for shot in mine]))
    return found


@require_GET
@in_space()
def judge(request: HttpRequest, place: Place, comparison: int) -> HttpResponse:
    """Two at a time, without names."""
    found = comparison_of(place, comparison)
    now = told(found, member(request), ahead=[], screens=_SCREENS)
    return render(request, "comparing/judge.html", {"comparison": found, "persona": found.persona, "told": now})


@require_POST
@in_space(Role.reviewer)
def answer(request: HttpRequest, place: Place, comparison: int) -> JsonResponse:
    """Take a choice or take one back; the next pair after those that are on their way."""
    return JsonResponse(answered(comparison_of(place, comparison), member(request), said(request.body)))


def answered(comparison: Comparison, by: User, asked: Said) -> dict[str, Any]:
    """What a choice comes to, and the pair that was taken back if one was."""
    if asked.do == "undo":
        back = judging.take_back(comparison, by)
        shots = {shot.pk: shot for shot in judging.shots_of(comparison)}
        again = _shown([shots[key] for key in (back.left_id, back.right_id) if key in shots])
        return told(comparison, by, asked.ahead) | {"back": again}
    if asked.do == "bad":
        raise UserError("Of two LoRAs one is chosen, or neither: not sure is an answer too.")
    judging.judge(comparison, asked.members, asked.chosen if asked.do == "best" else None, by)
    return told(comparison, by, asked.ahead)


def told(comparison: Comparison, by: User, ahead: list[list[int]], screens: int = 1) -> dict[str, Any]:
    """As the voting page's script has it; who leads is not told while pairs are left."""
    shots, judged = judging.shots_of(comparison), judging.standing_judgements(comparison)
    coming = {frozenset(each) for each in ahead}
    pairs = judging.left_for(comparison, shots, judged, by)
    fresh = [pair for pair in pairs if frozenset(shot.pk for shot in pair) not in coming]
    mine = sum(each.by_id == by.pk for each in judged)
    found = {"screens": [_shown(pair) for pair in fresh[:screens]], "votes": mine, "left": len(pairs)}
    return found | {"sure": None, "more": len(pairs), "enough": False, "pick": None, "steady": {"again": 0, "alike": 0}}


def _shown(shots: "list[Shot] | tuple[Shot, ...]") -> list[dict[str, Any]]:
    return [{"key": shot.pk, "sha256": judging.sha256_of(shot)} for shot in shots]
