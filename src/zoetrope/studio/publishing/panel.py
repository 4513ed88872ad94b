"""A persona's home page: its drafts, its next posts, and one that somebody has to look at."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Min, Q, QuerySet, When
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.panels import Need, Step, Stop
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.publishing.agenda import WORDS
from zoetrope.studio.publishing.calendar import wall
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.spaces.here import Place

_SHOWN = 5
_NEEDS = ("caption", "due", "state", "persona", "asks")
# A draft whose time is so near goes out late, or not at all.
_SOON, _WEEK = timedelta(days=1), timedelta(days=6)


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """The next few, by the persona's own clocks."""
    now, rows = timezone.now(), Post.objects.filter(persona=persona)
    drafts, asks = Q(state=Post.State.DRAFT), Q(asks=True)
    counted = rows.aggregate(
        drafts=Count("pk", filter=drafts),
        soon=Count("pk", filter=drafts & Q(due__lt=now + _SOON)),
        asking=Count("pk", filter=asks),
        first=Min("pk", filter=asks),
        following=Min("due", filter=Q(state__in=Post.WAITING)),
        zone=Min("persona__rhythm__zone"),
    )
    counted["zone"] = zone = ZoneInfo(counted["zone"] or Rhythm().zone)
    shown = _shown(rows, now, counted["first"])
    asking = next((each for each in shown if each.pk == counted["first"]), None)
    told = [(each, wall(each.due, zone), WORDS[Post.State(each.state)]) for each in shown if each != asking]
    return {"coming": told[:_SHOWN], "asking": asking, "steps": _steps(place, persona, counted, now)}


def _shown(rows: "QuerySet[Post]", now: datetime, asking: int | None) -> list[Post]:
    """Those to come, and before them the one that asks."""
    coming = ~Q(state=Post.State.FAILED) & Q(due__gte=now)
    if asking is None:
        return list(rows.filter(coming).only(*_NEEDS).order_by("due")[:_SHOWN])
    first = Case(When(pk=asking, then=0), default=1)
    return list(rows.filter(coming | Q(pk=asking)).only(*_NEEDS).order_by(first, "due")[: _SHOWN + 1])


def _steps(place: Place, persona: Persona, counted: dict[str, Any], now: datetime) -> list[Step]:
    """Drafts to approve, and what goes out by itself; a post that asks comes before everything."""
    calendar = reverse("calendar", args=[place.space.slug, persona.name])
    drafts, asking = counted["drafts"], counted["asking"]
    need = (Need.NOW if counted["soon"] else Need.WAITS) if drafts else Need.NONE
    words = f"{drafts} draft{pluralize(drafts)}" if drafts else "no draft"
    schedule = Step(Stop.SCHEDULE, words, f"{calendar}?view=list", need)
    if asking:
        there = reverse("post", args=[place.space.slug, counted["first"]])
        return [schedule, Step(Stop.UPCOMING, f"{asking} ask{'s' if asking == 1 else ''} for you", there, Need.NOW)]
    following = wall(counted["following"], counted["zone"])
    return [schedule, Step(Stop.UPCOMING, _next(following, wall(now, counted["zone"])), calendar)]


def _next(at: datetime | None, now: datetime | None) -> str:
    """When the next approved post goes out; the day's name where that is enough."""
    if at is None or now is None:
        return "none approved"
    return f"next: {at:%a %H:%M}" if at - now < _WEEK else f"next: {at.day} {at:%b %H:%M}"
