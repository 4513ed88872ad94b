"""What came of posts: what is known, what was learned, what the wheel could learn, and the numbers of one post."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from zoetrope.errors import UserError
from zoetrope.studio.insights import charts, effects, groups, learnings, readings, tasks, training
from zoetrope.studio.insights.disagreement import ENOUGH as ENOUGH_PAIRS
from zoetrope.studio.insights.disagreement import disagreement
from zoetrope.studio.insights.fetching import refusals
from zoetrope.studio.insights.forms import NumbersForm
from zoetrope.studio.insights.models import METRICS, Age, Learning, Look, Proposal, Reading
from zoetrope.studio.insights.outcomes import SETTLED, Outcome, outcomes
from zoetrope.studio.insights.sums import mean_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.polling import followed
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.post_views import post_of
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role

_A_PAGE, _NEWEST, _BEST = 24, 6, 6


def learning_of(persona: Persona, learning: int) -> Learning:
    """One of the persona's learnings."""
    return get_object_or_404(Learning.objects.select_related("persona__space"), pk=learning, persona=persona)


def proposal_of(persona: Persona, proposal: int) -> Proposal:
    """One of the persona's training pictures."""
    rows = Proposal.objects.select_related("persona__space", "made")
    return get_object_or_404(rows, pk=proposal, persona=persona)


@require_GET
@in_space()
def insights(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """What is known of a persona's posts, and how sure that is."""
    found = persona_of(place, persona)
    seen = outcomes(found)
    rates = [each.audience for each in seen.measured if each.audience is not None]
    best = sorted(seen.measured, key=lambda each: -(each.audience or 0.0))[:_BEST]
    known = disagreement(seen)
    said: dict[str, Any] = {"persona": found, "seen": seen, "count": len(rates), "enough": groups.ENOUGH}
    said |= {"mean": mean_of(rates) if len(rates) >= groups.ENOUGH else None, "apart": known, "pairs": ENOUGH_PAIRS}
    said |= {"charts": [charts.chart(each) for each in groups.tables(seen)]}
    said |= _tiles(
        newest=seen.rows[:_NEWEST],
        best=best,
        torn=[each.outcome for each in known.torn],
        both=[each for each in (known.yours, known.theirs) if each],
    )
    said |= {"waits": _waits(found), "lacks": refusals(found).first()}
    return render(request, "insights/insights.html", said)


def _tiles(**shown: Sequence[Outcome]) -> dict[str, list[dict[str, Any]]]:
    """Posts with their words, those of all parts of a page read at once."""
    known = Post.objects.only("caption").in_bulk({each.post for rows in shown.values() for each in rows})
    return {
        name: [{"outcome": each, "post": known[each.post]} for each in rows if each.post in known]
        for name, rows in shown.items()
    }


def _waits(persona: Persona) -> int:
    """How many more measured posts the next look waits for."""
    looked = Look.objects.filter(persona=OuterRef("pk")).values("measured")[:1]
    known = Reading.objects.filter(post__persona=OuterRef("pk"), age__in=SETTLED, rate__isnull=False).order_by()
    counted = known.values("post__persona").annotate(posts=Count("post", distinct=True)).values("posts")
    rows = Persona.objects.filter(pk=persona.pk).annotate(looked=Subquery(looked), there=Subquery(counted))
    last, there = rows.values_list("looked", "there").get()
    return max(0, learnings.next_at(last) - (there or 0))


@require_GET
@in_space()
def learned(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """What was learned, with what it stands on; an owner says what counts."""
    found = persona_of(place, persona)
    state = request.GET.get("state", "")
    rows = Learning.objects.filter(persona=found).select_related("by", "look")
    rows = rows.filter(state=state) if state in Learning.State.values else rows
    page = Paginator(rows, _A_PAGE).get_page(request.GET.get("page"))
    listed = [(each, effects.words(each)) for each in page.object_list]
    said: dict[str, Any] = {"persona": found, "page": page, "listed": listed, "state": state}
    said |= {"states": Learning.State.values, "looks": list(Look.objects.filter(persona=found)[:1])}
    said |= {"waits": _waits(found), "share": f"{learnings.CHANCE:.0%}", "fewest": learnings.FEWEST}
    return render(request, "insights/learnings.html", said)


@require_POST
@in_space(Role.owner)
def act_on_learning(request: HttpRequest, place: Place, persona: str, learning: int) -> HttpResponse:
    """Let it count, let it count no more, reject it, bring it back."""
    row = learning_of(persona_of(place, persona), learning)
    act = learnings.ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise UserError("A learning is approved, rejected, reopened or taken back; nothing was changed.")
    act(row, member(request))
    messages.success(request, f"It is {row.state}. {effects.words(row)}" if row.effect else f"It is {row.state}.")
    return redirect("learnings", place.space.slug, persona)


@in_space()
def winners(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """Pictures that the wheel could learn from; more are looked for."""
    found = persona_of(place, persona)
    if request.method == "POST":
        place.ask(Role.reviewer)
        if not training.consented(found):
            raise UserError(f"No consent is recorded for {found}: nothing of it is learned from.")
        tasks.ask_for_winners(found)
        return redirect("training", place.space.slug, found.name)
    state = request.GET.get("state", Proposal.State.PROPOSED.value)
    state = state if state in Proposal.State.values else Proposal.State.PROPOSED.value
    rows = Proposal.objects.filter(persona=found, state=state).select_related("made", "by")
    page = Paginator(rows.defer("made__recipe"), _A_PAGE).get_page(request.GET.get("page"))
    said: dict[str, Any] = {"persona": found, "page": page, "state": state, "states": Proposal.State.values}
    said |= {"job": tasks.looking(found), "consented": training.consented(found), "share": f"{training.SHARE:.0%}"}
    return followed(request, "insights/training.html", "insights/training_now.html", said, said["job"] is not None)


@require_POST
@in_space(Role.reviewer)
def act_on_winner(request: HttpRequest, place: Place, persona: str, proposal: int) -> HttpResponse:
    """Take it into the workspace, decline it, take that back."""
    row = proposal_of(persona_of(place, persona), proposal)
    act = training.ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise UserError("A picture is accepted, declined or taken back; nothing was changed.")
    act(row, member(request))
    if row.state == Proposal.State.ACCEPTED:
        messages.success(
            request, "It is in the workshop now, and the next turn learns from it. Until then it can be taken back."
        )
    return redirect("training", place.space.slug, persona)


@in_space()
def numbers(request: HttpRequest, place: Place, post: int) -> HttpResponse:
    """What became of one post; who read more elsewhere types it in."""
    found = post_of(place, post)
    told = {each.age for each in found.readings.filter(source=Reading.Source.ACCOUNT)}
    ages = [age for age in ages_of(found) if age not in told]
    # What posts are compared by, once it can be known.
    first = Age.DAYS if Age.DAYS in ages else max(ages, default=None)
    form = NumbersForm(ages, found.kind, request.POST or None, initial={"age": first})
    if request.method == "POST":
        place.ask(Role.reviewer)
        if request.POST.get("do") == "forget":
            readings.forgotten(found, age_named(request.POST.get("age", "")))
            messages.info(request, "What was typed in for this age is gone.")
            return redirect("post-numbers", place.space.slug, found.pk)
        if form.is_valid() and _typed(request, found, form):
            return redirect("post-numbers", place.space.slug, found.pk)
    said = {"persona": found.persona, "post": found} | block(found)
    if request.headers.get("HX-Request") and request.method == "GET":
        return render(request, "insights/block.html", said)
    return render(request, "insights/numbers.html", said | {"form": form}, status=422 if form.errors else 200)


def _typed(request: HttpRequest, post: Post, form: NumbersForm) -> bool:
    try:
        readings.typed(post, Age(form.cleaned_data["age"]), form.numbers(), member(request))
    except UserError as error:
        form.add_error(None, str(error))
        return False
    tasks.ask_to_learn(post.persona)
    messages.success(request, "The numbers are kept, as typed in by hand.")
    return True


def block(post: Post) -> dict[str, Any]:
    """What `insights/block.html` is filled with: a post's readings, for its own page."""
    told = readings.of_post(post)
    names = [*METRICS, *(["watched"] if post.kind == Post.Kind.REEL else [])]
    rows = [(name.replace("_", " ").capitalize(), [_number(reading, name) for _, reading in told]) for name in names]
    known = [(name, values) for name, values in rows if any(value is not None for value in values)]
    bare = [name for name, values in rows if all(value is None for value in values)]
    rates = [None if reading is None else reading.rate for _, reading in told]
    there = any(each and each.at for _, each in told)
    return {"post": post, "told": told, "rows": known, "bare": bare, "rates": rates, "any": there}


def ages_of(post: Post) -> list[Age]:
    """The ages that it has reached."""
    if post.state != Post.State.PUBLISHED or post.published is None:
        return []
    hours = (timezone.now() - post.published).total_seconds() / 3600
    return [age for age in Age if age <= hours]


def age_named(text: str) -> Age:
    """One of the four."""
    if text not in {str(age.value) for age in Age}:
        raise UserError("A post is read after 1, 24, 72 or 168 hours; nothing was changed.")
    return Age(int(text))


def _number(reading: Reading | None, name: str) -> float | None:
    value: float | None = None if reading is None else getattr(reading, name)
    return value
