"""A persona's home page: how its posts do, and what waits for a person."""

from collections import Counter
from typing import Any

from django.db.models import Value
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.urls import reverse

from zoetrope.studio.insights.groups import ENOUGH
from zoetrope.studio.insights.models import Learning, Proposal
from zoetrope.studio.insights.outcomes import lately
from zoetrope.studio.insights.sums import mean_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.panels import Need, Step, Stop
from zoetrope.studio.spaces.here import Place

_NEWEST = 100


def fill(request: HttpRequest, place: Place, persona: Persona) -> dict[str, Any]:
    """The mean of the newest posts that are measured, where these are enough, and what is proposed."""
    rates = lately(persona, _NEWEST)
    learnings = Learning.objects.filter(persona=persona, state=Learning.State.PROPOSED)
    proposals = Proposal.objects.filter(persona=persona, state=Proposal.State.PROPOSED)
    # One query for both.
    parts = [rows.order_by().values_list(Value(name)) for rows, name in ((learnings, "l"), (proposals, "p"))]
    waiting = Counter(name for (name,) in parts[0].union(parts[1], all=True))
    told: dict[str, Any] = {"count": len(rates), "enough": ENOUGH, "learnings": waiting["l"]}
    told |= {"steps": [_step(place, persona, waiting["l"], waiting["p"], len(rates))]}
    return told | {"mean": mean_of(rates) if len(rates) >= ENOUGH else None, "pictures": waiting["p"]}


def _step(place: Place, persona: Persona, learnings: int, pictures: int, measured: int) -> Step:
    """What is proposed, learnings first; else how much is known."""
    if learnings:
        address, words = "learnings", f"{learnings} learning{pluralize(learnings)} to look at"
    elif pictures:
        address, words = "training", f"{pictures} training picture{pluralize(pictures)} proposed"
    else:
        address, words = "insights", f"{measured} post{pluralize(measured)} measured"
    need = Need.CAN if learnings or pictures else Need.NONE
    return Step(Stop.INSIGHTS, words, reverse(address, args=[place.space.slug, persona.name]), need)
