"""A persona's home page: how its posts do, and what waits for a person."""

from collections import Counter
from typing import Any

from django.db.models import Value
from django.http import HttpRequest

from zoetrope.studio.insights.groups import ENOUGH
from zoetrope.studio.insights.models import Learning, Proposal
from zoetrope.studio.insights.outcomes import lately
from zoetrope.studio.insights.sums import mean_of
from zoetrope.studio.personas.models import Persona
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
    return told | {"mean": mean_of(rates) if len(rates) >= ENOUGH else None, "pictures": waiting["p"]}
