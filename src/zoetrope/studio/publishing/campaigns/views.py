"""The pages of a persona's campaigns."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from zoetrope.errors import UserError
from zoetrope.studio.personas.views import persona_of
from zoetrope.studio.pipelines.models import Run
from zoetrope.studio.planning.asked import key, key_or_none, keys
from zoetrope.studio.planning.filling import MOST_AT_ONCE, chosen, offered
from zoetrope.studio.planning.rhythm import rhythm_of, today
from zoetrope.studio.polling import followed
from zoetrope.studio.publishing.campaigns import briefs, filling, forms, stages, thinking
from zoetrope.studio.publishing.campaigns.stages import Stage
from zoetrope.studio.publishing.models import Campaign, CampaignIdea
from zoetrope.studio.spaces.here import Place, in_space, member
from zoetrope.studio.spaces.models import Role, User

_A_PAGE = 24
_LASTS = timedelta(13)
State = CampaignIdea.State


def campaign_of(place: Place, persona: str, campaign: int) -> Campaign:
    """One of a persona's campaigns."""
    found = persona_of(place, persona)
    row = get_object_or_404(Campaign, pk=campaign, persona=found)
    # They are at hand, and asking for them again would cost queries.
    row.persona, row.space, found.space = found, place.space, place.space
    return row


@in_space()
def campaigns(request: HttpRequest, place: Place, persona: str) -> HttpResponse:
    """A persona's campaigns and how far each is; another is begun."""
    found = persona_of(place, persona)
    day = today(rhythm_of(found))
    usual = {"starts": day, "ends": day + _LASTS, "posts": 5}
    form = forms.BriefForm(briefs.offered(found), request.POST or None, initial=usual)
    if request.method == "POST":
        place.ask(Role.reviewer)
        if form.is_valid():
            try:
                row = briefs.add(found, form.said(), form.chosen(), member(request))
            except UserError as error:
                form.add_error(None, str(error))
            else:
                return redirect("campaign", place.space.slug, found.name, row.pk)
    page = Paginator(found.campaigns.all(), _A_PAGE).get_page(request.GET.get("page"))
    told = stages.progress(page.object_list)
    said: dict[str, Any] = {"persona": found, "form": form, "page": page}
    said |= {"listed": [(each, told[each.pk]) for each in page]}
    return render(request, "publishing/campaigns/campaigns.html", said, status=422 if form.errors else 200)


@in_space()
def campaign(request: HttpRequest, place: Place, persona: str, campaign: int) -> HttpResponse:
    """How far its posts are, and its ideas; its brief is changed."""
    row = campaign_of(place, persona, campaign)
    prefetch_related_objects([row], "pillars")
    pillars = briefs.offered(row.persona, row)
    form = forms.BriefForm(pillars, request.POST or None, initial=forms.brief_said(row))
    if request.method == "POST":
        place.ask(Role.reviewer)
        if form.is_valid():
            try:
                briefs.change(row, form.said(), form.chosen())
            except UserError as error:
                form.add_error(None, str(error))
                row.refresh_from_db(fields=["name", "about", "starts", "ends", "posts"])
            else:
                messages.success(request, "The brief is saved; posts that are there stay at their times.")
                return redirect("campaign", place.space.slug, row.persona.name, row.pk)
    said, page = {"form": form, **_shown(row)}, "publishing/campaigns/campaign.html"
    if form.errors:
        return render(request, page, said, status=422)
    return followed(request, page, "publishing/campaigns/now.html", said, said["job"] is not None)


def _shown(row: Campaign) -> dict[str, Any]:
    """All that the page tells of it."""
    rhythm, ideas = rhythm_of(row.persona), stages.staged(row)
    said: dict[str, Any] = {"persona": row.persona, "campaign": row, "pillars": list(row.pillars.all())}
    said |= {"posts": stages.posts_of(ideas, ZoneInfo(rhythm.zone)), "zone": rhythm.zone}
    said |= {"progress": stages.progress_of(row, ideas), "pipelines": offered(row.space), "most": MOST_AT_ONCE}
    said |= {"ideas": [idea for idea, stage in ideas if stage is Stage.IDEA]}
    said |= {"rejected": [idea for idea, stage in reversed(ideas) if stage is Stage.REJECTED]}
    return said | {"job": thinking.under_way(row)}


@require_POST
@in_space(Role.reviewer)
def act(request: HttpRequest, place: Place, persona: str, campaign: int) -> HttpResponse:
    """Have ideas written, choose some, have pictures made; end it, resume it, throw it away."""
    row = campaign_of(place, persona, campaign)
    do = request.POST.get("do", "")
    if do == "delete":
        briefs.drop(row)
        messages.info(request, f"{row} is gone; its posts stay in the calendar.")
        return redirect("campaigns", place.space.slug, row.persona.name)
    if do not in _ACTS:
        raise UserError("It was not said what is to become of the campaign; nothing was changed.")
    messages.success(request, _ACTS[do](request, row, member(request)))
    return redirect("campaign", place.space.slug, row.persona.name, row.pk)


def _think(request: HttpRequest, row: Campaign, by: User) -> str:
    thinking.ask(row)
    return "Ideas are being written."


def _choose(request: HttpRequest, row: Campaign, by: User) -> str:
    posts = filling.choose(row, keys(request, "ideas"), by)
    timeless = sum(post.due is None for post in posts)
    left = f" For {timeless} of them its days have no free time: give them one in the calendar." if timeless else ""
    return f"{_count(len(posts), 'draft')} made; {'it waits' if len(posts) == 1 else 'they wait'} for pictures.{left}"


def _reject(request: HttpRequest, row: Campaign, by: User) -> str:
    ideas = thinking.named(row, keys(request, "ideas"))
    thinking.moved(ideas, State.REJECTED)
    return f"{_count(len(ideas), 'idea')} rejected; below they can be brought back."


def _restore(request: HttpRequest, row: Campaign, by: User) -> str:
    ideas = thinking.named(row, [key(request, "idea")])
    thinking.moved(ideas, State.PENDING)
    return f"“{ideas[0]}” is an idea again."


def _put_back(request: HttpRequest, row: Campaign, by: User) -> str:
    idea = thinking.named(row, [key(request, "idea")])[0]
    filling.put_back(idea)
    return f"“{idea}” is an idea again, and its draft is gone."


def _draw(request: HttpRequest, row: Campaign, by: User) -> str:
    idea, pipeline = thinking.named(row, [key(request, "idea")])[0], key_or_none(request, "pipeline")
    filling.draw(idea, chosen(row.space, pipeline), by, request.POST.get("prompt"))
    return _started(1)


def _make(request: HttpRequest, row: Campaign, by: User) -> str:
    started: list[Run] = filling.make(row, chosen(row.space, key_or_none(request, "pipeline")), by)
    return _started(len(started))


def _started(count: int) -> str:
    return f"{_count(count, 'run')} started; the winner{'s go to their posts' if count > 1 else ' goes to its post'}."


def _end(request: HttpRequest, row: Campaign, by: User) -> str:
    briefs.end(row)
    return f"{row} has ended; its posts stay, and those that wait for a winner still get it."


def _resume(request: HttpRequest, row: Campaign, by: User) -> str:
    briefs.resume(row)
    return f"{row} goes on."


def _count(count: int, name: str) -> str:
    return f"{count} {name} was" if count == 1 else f"{count} {name}s were"


_ACTS = {
    "ideas": _think,
    "choose": _choose,
    "reject": _reject,
    "restore": _restore,
    "put-back": _put_back,
    "draw": _draw,
    "make": _make,
    "end": _end,
    "resume": _resume,
}
