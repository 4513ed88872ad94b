"""What an approved learning changes: little, in sight, and so that it can be undone.

A pillar's weight goes up or down by five; where the others leave no room, they give it. An hour joins the best hours,
or leaves them, when whoever plans asks for them. A format or a LoRA version is for people to act on: it changes
nothing by itself.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from zoetrope.studio.insights.models import Kind, Learning
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning import pillars
from zoetrope.studio.planning.models import Pillar
from zoetrope.studio.planning.rhythm import Taught, rhythm_of, today
from zoetrope.studio.planning.slots import at_local, local

STEP = 5
"""So much of a hundred a pillar gains or loses."""


def begin(learning: Learning) -> dict[str, Any]:
    """Do what it stands for; what was done, to undo it by."""
    if learning.kind != Kind.PILLAR or not learning.key:
        return {}
    pillar = Pillar.objects.select_related("persona").filter(persona=learning.persona_id, pk=int(learning.key)).first()
    if pillar is None or pillar.retired:
        return {}
    others: dict[str, int] = {}
    with transaction.atomic():
        if learning.more:
            others = _made_room(pillar, STEP)
        done = {"weight": _lean(pillar, STEP if learning.more else -STEP)}
    return done | ({"others": others} if others else {})


def end(learning: Learning) -> None:
    """Undo it, as far as there is room by now."""
    by = int(learning.effect.get("weight", 0))
    if by and (pillar := Pillar.objects.select_related("persona").filter(pk=int(learning.key)).first()):
        _lean(pillar, -by)
        for key, taken in learning.effect.get("others", {}).items():
            if other := Pillar.objects.select_related("persona").filter(pk=int(key), retired=None).first():
                _lean(other, taken)


def hours(persona: Persona) -> list[Taught]:
    """What approved learnings say of a persona's hours, by the clocks that it lives by now."""
    rows = Learning.objects.filter(persona=persona, kind=Kind.HOUR, state=Learning.State.APPROVED).order_by("pk")
    learned = list(rows)
    if not learned:
        return []
    rhythm = rhythm_of(persona)
    day, zone = today(rhythm), ZoneInfo(rhythm.zone)
    found = []
    for each in learned:
        # It was told by the clocks of then.
        told = ZoneInfo(each.evidence.get("zone", rhythm.zone))
        hour = local(at_local(day, time(int(each.key)), told), zone).hour if told != zone else int(each.key)
        found.append(Taught(hour, each.more, each.sentence))
    return found


def words(learning: Learning) -> str:
    """What it changes, or would change, as a sentence."""
    if learning.kind == Kind.HOUR:
        hour = f"{int(learning.key):02}:00"
        return f"{hour} {'counts among the best hours' if learning.more else 'is no best hour'} when posts are planned."
    if learning.kind != Kind.PILLAR or not learning.key:
        return "It changes nothing by itself: it is for you to act on."
    if learning.state != Learning.State.APPROVED:
        told = (
            f"up by {STEP}; where there is no room, the heaviest others give it" if learning.more else f"down by {STEP}"
        )
        return f"The pillar's weight goes {told}."
    by = int(learning.effect.get("weight", 0))
    if not by:
        return "The pillar's weight stays: there was no room."
    given = sum(learning.effect.get("others", {}).values())
    told = f"; other pillars gave {given} of it" if given else ""
    return f"The pillar's weight went {'up' if by > 0 else 'down'} by {abs(by)}{told}."


def _made_room(pillar: Pillar, by: int) -> dict[str, int]:
    """The heaviest other pillars give what is missing, one after another; how much each gave."""
    every = [each for each in pillars.active(pillar.persona) if each.pk != pillar.pk]
    others = {each.pk: each.weight for each in every}
    wanted = min(by, pillars.WHOLE - pillar.weight)
    for _ in range(max(0, wanted - (pillars.WHOLE - pillar.weight - sum(others.values())))):
        heaviest = max(others, key=lambda key: others[key])
        # Nobody gives the last of what it has.
        if others[heaviest] > 1:
            others[heaviest] -= 1
    given = {each.pk: each.weight - others[each.pk] for each in every if each.weight > others[each.pk]}
    for each in every:
        if each.pk in given:
            _lean(each, -given[each.pk])
    return {str(key): count for key, count in given.items()}


def _lean(pillar: Pillar, by: int) -> int:
    """Change a weight as far as the others leave room; by how much it was."""
    others: Sequence[Pillar] = [each for each in pillars.active(pillar.persona) if each.pk != pillar.pk]
    # A retired one takes no room: whether there is some is asked when it comes back.
    most = pillars.WHOLE - (0 if pillar.retired else sum(each.weight for each in others))
    weight = min(max(pillar.weight + by, 0), most)
    changed = weight - pillar.weight
    said = {each.name: getattr(pillar, each.name) for each in fields(pillars.Wanted)}
    if changed:
        pillars.change(pillar, pillars.Wanted(**said | {"weight": weight}))
    return changed
