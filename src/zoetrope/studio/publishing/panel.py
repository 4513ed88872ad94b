"""A persona's home page: its next posts, and one that somebody has to look at."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.publishing.agenda import WORDS
from zoetrope.studio.publishing.calendar import wall
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.spaces.here import Place

_SHOWN = 5
_NEEDS = ("caption", "due", "state", "persona")


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """The next few, by the persona's own clocks."""
    zone, rows = ZoneInfo(rhythm_of(persona).zone), Post.objects.filter(persona=persona).only(*_NEEDS)
    coming = rows.filter(due__gte=timezone.now()).exclude(state=Post.State.FAILED).order_by("due")[:_SHOWN]
    told = [(each, wall(each.due, zone), WORDS[Post.State(each.state)]) for each in coming]
    return {"coming": told, "asking": rows.filter(asks=True).first()}
